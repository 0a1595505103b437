// A recording as the grader puts it into the page (grader/src/trace_view.cpp): columns of numbers,
// one entry for each event.

// runtime/frame/trace_format.h; a test compares the two.
export const Kind = {
  time: 0, p_taken: 1, p_length: 2, grq_length: 3, m_begins: 4, m_ends: 5, m_sleeps: 6, m_polls: 7, m_wakes: 8,
  world_stops: 9, world_starts: 10, m_looks: 11, runnext: 12, lrq_has: 13, lrq_ends: 14, slice: 15,
  created: 16, readied: 17, starts: 18, calls: 19, returns: 20, requeued: 21, stack_moved: 22,
  parks: 24, yields: 25, preempted: 26, ends: 27,
}

function bytesOf(base64) {
  const text = atob(base64)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; ++i) bytes[i] = text.charCodeAt(i)
  return bytes
}

// {count, time, id, number, m, kind, argument}, each but the first an array with `count` entries.
export function decodeRun(run) {
  const { buffer } = bytesOf(run.columns)
  let at = 0
  const take = (Type) => {
    const column = new Type(buffer, at, run.count)
    at += column.byteLength
    return column
  }
  return {
    ...run,
    time: take(Float64Array),
    id: take(Float64Array),
    number: take(Uint32Array),
    m: take(Uint16Array),
    kind: take(Uint8Array),
    argument: take(Uint8Array),
  }
}
