// From events to steps to states, without a browser.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { describe as inWords } from '../src/describe.js'
import { decodeRun, Kind } from '../src/recording.js'
import { rules } from '../src/rules.js'
import { lookAt } from '../src/scene.js'
import { States } from '../src/states.js'
import { makeSteps, Place } from '../src/steps.js'
import { lanesOf, runnableOf } from '../src/lanes.js'

// A recording of these events: [m, kind, id, number, argument], a microsecond apart, as the grader
// packs it.
function recorded(procs, events) {
  const bytes = (Type, values) => Buffer.from(Type.from(values).buffer)
  const columns = Buffer.concat([
    bytes(Float64Array, events.map((_, i) => 1000 * i)),
    bytes(Float64Array, events.map(([, , id = 0]) => id)),
    bytes(Uint32Array, events.map(([, , , number = 0]) => number)),
    bytes(Uint16Array, events.map(([m]) => m)),
    bytes(Uint8Array, events.map(([, kind]) => kind)),
    bytes(Uint8Array, events.map(([, , , , argument = 0]) => argument)),
  ])
  return decodeRun({ procs, first: 0, last: 1000 * events.length, lost: 0, cutOff: false, count: events.length, columns: columns.toString('base64') })
}

const reasons = ['', 'chan receive', 'sleep']
const begin = [[0, Kind.m_begins], [0, Kind.p_taken, 0], [0, Kind.slice, 0, 0], [0, Kind.created, 1, 1], [0, Kind.runnext, 1], [0, Kind.starts, 1, 2]]

function played(procs, events) {
  const made = makeSteps(recorded(procs, events), reasons)
  const states = new States(made.steps, made.layout)
  const g = (id) => made.gs.indexOf(id)
  return {
    ...made,
    rulesOf: (id) => made.steps.filter((step) => step.g === g(id)).map((step) => step.rule),
    stepOf: (rule) => made.steps.find((step) => step.rule === rule),
    // What is where after that step, by the goroutines' ids.
    after(count) {
      const seen = lookAt(states.after(count), made.layout)
      const ids = (gs) => gs.map((at) => made.gs[at])
      return { grq: ids(seen.grq), ps: seen.ps.map((p) => ({ next: made.gs[p.next] ?? 0, lrq: ids(p.lrq), runs: made.gs[p.g] ?? 0, m: made.ms[p.m] ?? -1 })) }
    },
  }
}

describe('what an event is', () => {
  it('is numbered as the runtime does', () => {
    const header = readFileSync(new URL('../../../runtime/frame/trace_format.h', import.meta.url), 'utf8')
    const numbers = new Map([...header.matchAll(/^ {2}(\w+)\s*=\s*(\d+),/gm)].map(([, name, number]) => [name, Number(number)]))
    for (const [name, number] of Object.entries(Kind)) assert.equal(numbers.get(name), number, `Kind::${name} of trace_format.h`)
  })
})

describe('steps', () => {
  it('can begin in the middle, before anybody has said which P is whose', () => {
    const run = played(1, [[0, Kind.runnext, 2], [0, Kind.created, 3, 5], [0, Kind.runnext, 3], [0, Kind.created, 4, 5], [0, Kind.p_taken, 0], [0, Kind.runnext, 4], [0, Kind.parks, 1, 2, 1]])
    for (let count = 0; count <= run.steps.length; ++count) run.after(count)
    assert.equal(run.steps.length, 4)
  })
  it('kick at once: a thief may come before the M says so', () => {
    const run = played(2, [
      ...begin, [0, Kind.lrq_ends, 0, 0], [0, Kind.created, 2, 1], [0, Kind.runnext, 2], [0, Kind.created, 3, 1],
      [1, Kind.m_begins], [1, Kind.p_taken, 1], [1, Kind.m_looks, 0, 0, 1],
    ])
    assert.deepEqual(run.after(run.stepOf('M begins') && run.steps.length).ps[0].lrq, [2])
  })
  it('put a new goroutine into runnext and kick the one that was there', () => {
    const run = played(1, [...begin, [0, Kind.created, 2, 1], [0, Kind.runnext, 2], [0, Kind.created, 3, 1], [0, Kind.lrq_has, 2, 0], [0, Kind.lrq_ends, 1, 0], [0, Kind.runnext, 3], [0, Kind.parks, 1, 2, 1]])
    const at = run.steps.findIndex((step) => step.rule === 'go' && run.gs[step.g] === 3) + 1
    assert.deepEqual(run.after(at - 1).ps[0], { next: 2, lrq: [], runs: 1, m: 0 })
    assert.deepEqual(run.after(at).ps[0], { next: 3, lrq: [2], runs: 1, m: 0 })
  })

  it('see half of a queue stolen', () => {
    const queue = [2, 3, 4, 5].flatMap((id, slot) => [[0, Kind.created, id, 1], [0, Kind.lrq_has, id, slot], [0, Kind.lrq_ends, slot + 1, 0]])
    const run = played(2, [...begin, ...queue, [1, Kind.m_begins], [1, Kind.p_taken, 1], [1, Kind.m_looks], [1, Kind.lrq_has, 2, 0], [1, Kind.lrq_ends, 1, 0], [1, Kind.slice, 0, 1], [1, Kind.starts, 3, 2]])
    const steal = run.stepOf('steal')
    assert.equal(steal.n, 2)
    assert.equal(steal.from, 0)
    const { ps } = run.after(run.steps.length)
    assert.deepEqual(ps[0].lrq, [4, 5])
    assert.deepEqual(ps[1], { next: 0, lrq: [2], runs: 3, m: 1 })
  })

  it('see 129 goroutines move when the ring is full', () => {
    const events = [...begin]
    let told = null
    for (let i = 0; i < 258; ++i) {
      if (i > 0) events.push(...(i > 1 ? [[0, Kind.lrq_has, i, i - 2], [0, Kind.lrq_ends, i - 1, 0]] : []), [0, Kind.runnext, i + 1])
      events.push([0, Kind.created, i + 2, 1])
    }
    // The 258th kicks the 257th, for which there is no room.
    told = [[0, Kind.lrq_ends, 256, 128], [0, Kind.runnext, 259], [0, Kind.grq_length, 0, 129]]
    const run = played(1, [...events, ...told, [0, Kind.parks, 1, 2, 1]])
    const overflow = run.stepOf('overflow')
    assert.equal(overflow.n, 129)
    const seen = run.after(run.steps.indexOf(overflow) + 1)
    assert.deepEqual(seen.grq, [...Array.from({ length: 128 }, (_, i) => i + 2), 258])
    assert.equal(seen.ps[0].lrq.length, 128)
    assert.equal(seen.ps[0].next, 259)
  })

  it('tell the 61st tick from an empty queue', () => {
    const start = (slice) => [...begin, [0, Kind.yields, 1, 2], [0, Kind.grq_length, 0, 1], [0, Kind.slice, 0, slice], [0, Kind.starts, 1, 3]]
    assert.ok(played(1, start(62)).stepOf('tick'), 'slice 61 ended')
    assert.ok(played(1, start(63)).stepOf('from the GRQ'), 'slice 62 ended')
  })

  it('see a P handed over while its M is in a system call', () => {
    const run = played(1, [...begin, [0, Kind.calls, 1, 3], [1, Kind.m_begins], [1, Kind.p_taken, 0], [1, Kind.m_looks], [1, Kind.m_sleeps], [0, Kind.p_taken, 0], [0, Kind.returns, 1, 4]])
    const handoff = run.stepOf('handoff')
    assert.equal(run.gs[handoff.g], 1)
    assert.equal(run.after(run.steps.indexOf(handoff) + 1).ps[0].m, 1)
    assert.equal(run.after(run.steps.length).ps[0].m, 0, 'it is idle meanwhile, and the M comes back to it')
  })

  it('tell a value from hand to hand from a closed channel', () => {
    const woken = (how) => played(1, [...begin, [0, Kind.created, 2, 1], [0, Kind.parks, 1, 2, 1], [0, Kind.starts, 2, 2], [0, Kind.readied, 1, 3, how]]).rulesOf(1).at(-1)
    assert.equal(woken(1), 'handover')
    assert.equal(woken(2), 'closed')
  })

  it('have a rule and words, each of them', () => {
    const run = played(1, [...begin, [0, Kind.stack_moved, 1, 3, 12], [0, Kind.ends, 1, 3]])
    for (const step of run.steps) {
      assert.ok(rules[step.rule], `no rule ${step.rule}`)
      assert.match(inWords(step, { g: (g) => `G${run.gs[g]}`, m: (m) => `M${run.ms[m]}` }), /^[A-Z].*\.$/)
    }
    assert.match(inWords(run.stepOf('stack'), { g: () => 'G1', m: () => 'M0' }), /2 KB to 4 KB/)
  })
})

describe('states', () => {
  // Ten thousand slices of a hundred goroutines.
  const events = [...begin]
  for (let id = 2; id <= 101; ++id) events.push([0, Kind.created, id, 1])
  events.push([0, Kind.parks, 1, 2, 1])
  const numbers = new Map()
  for (let i = 0; i < 10_000; ++i) {
    const id = 2 + (i % 100)
    const number = (numbers.get(id) ?? 1) + 1
    numbers.set(id, number + 1)
    events.push([0, Kind.starts, id, number], [0, Kind.yields, id, number])
  }
  const made = makeSteps(recorded(1, events), reasons)

  it('are the same whichever way one comes to them', () => {
    const there = new States(made.steps, made.layout)
    const back = new States(made.steps, made.layout)
    for (const count of [0, 1, 5_000, 127, 128, 129, 12_345, 3, made.steps.length, 9_999]) {
      const plain = new Int32Array(made.layout.size)
      for (const { changes } of made.steps.slice(0, count)) for (let i = 0; i < changes.length; i += 2) plain[changes[i]] = changes[i + 1]
      assert.deepEqual(there.after(count), plain, `after ${count} steps`)
    }
    back.after(made.steps.length)
    assert.deepEqual(back.after(77), there.after(77))
  })

  it('have every goroutine in one place', () => {
    const states = new States(made.steps, made.layout)
    for (let count = 0; count <= made.steps.length; count += 997) {
      const seen = lookAt(states.after(count), made.layout)
      const all = [...seen.grq, ...seen.ps.flatMap((p) => [...p.lrq, p.next, p.g]), ...[...seen.waiting.values()].flat()].filter((g) => g >= 0)
      assert.equal(new Set(all).size, all.length, `after ${count} steps`)
    }
  })

  it('give lanes and counts for the timeline', () => {
    const [lane] = lanesOf(made.steps, 1)
    assert.equal(lane.g.length, 10_001)
    assert.ok(lane.from.every((from, i) => from < lane.to[i]))
    const runnable = runnableOf(made.steps)
    assert.equal(runnable.at(-1), 100)
    assert.equal(Place.none, 0, 'an empty state says that nothing is anywhere')
  })
})
