// What the timeline draws, as numbers.
import { Kind } from './recording.js'

const isStop = (kind) => (kind >= Kind.parks && kind <= Kind.ends) || kind === Kind.requeued

// For each P, what it ran: arrays of the steps at which it began and ended, and of the G.
export function lanesOf(steps, ps) {
  const lanes = Array.from({ length: ps }, () => ({ from: [], to: [], g: [], call: [] }))
  const open = new Map() // M: {p, from, g, call}
  const close = (m, at) => {
    const slice = open.get(m)
    open.delete(m)
    if (!slice || slice.p < 0) return slice
    const lane = lanes[slice.p]
    lane.from.push(slice.from)
    lane.to.push(at)
    lane.g.push(slice.g)
    lane.call.push(slice.call)
    return slice
  }
  steps.forEach((step, at) => {
    if (step.kind === Kind.starts || step.kind === Kind.calls || step.kind === Kind.returns) {
      close(step.m, at)
      open.set(step.m, { p: step.p, from: at, g: step.g, call: step.kind === Kind.calls })
    } else if (isStop(step.kind)) {
      close(step.m, at)
    } else if (step.rule === 'handoff') {
      close(step.loser, at)
    }
  })
  for (const m of [...open.keys()]) close(m, steps.length)
  return lanes
}

// How many goroutines are runnable after each step.
export function runnableOf(steps) {
  let count = 0
  return steps.map(({ kind }) => {
    if (kind === Kind.created || kind === Kind.readied || kind === Kind.yields || kind === Kind.preempted || kind === Kind.requeued) ++count
    else if (kind === Kind.starts) --count
    return Math.max(count, 0)
  })
}
