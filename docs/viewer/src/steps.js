// From events to steps: what changed, and by which rule.
//
// An event says what happened to a goroutine or a thread. What is in the queues is told before the
// next event of the same M, so most of it is what the M's event before did: it is added to that
// step. Goroutines that come into a P's queue from elsewhere, just before one of them starts, were
// stolen, or taken from the GRQ; that is part of the step in which it starts.
//
// What no record says is concluded: whoever yields, is preempted or finds no P after a system call
// and turns up in no LRQ is in the GRQ.
import { Kind } from './recording.js'

// Where a goroutine is.
export const Place = { none: 0, next: 1, lrq: 2, grq: 3, running: 4, syscall: 5, waiting: 6 }
// What an M does.
export const Does = { none: 0, runs: 1, schedules: 2, looks: 3, sleeps: 4, polls: 5, syscall: 6, watches: 7 }

export const kRing = 256
const kHalf = kRing / 2
const kTick = 61
const kSmallestStack = 11 // 2 KB

// A state is a row of numbers: four for each G, five for each M, two for each P, and the world.
export class Layout {
  constructor(gs, ms, ps) {
    this.gs = gs
    this.ms = ms
    this.ps = ps
    this.m0 = 4 * gs
    this.p0 = this.m0 + 5 * ms
    this.world = this.p0 + 2 * ps
    this.size = this.world + 1
  }
  place(g) { return 4 * g } // Place
  owner(g) { return 4 * g + 1 } // the P or M, or why it waits
  at(g) { return 4 * g + 2 } // the slot in the LRQ, or the order in the GRQ
  stack(g) { return 4 * g + 3 } // binary logarithm
  does(m) { return this.m0 + 5 * m } // Does
  runs(m) { return this.m0 + 5 * m + 1 } // the G + 1
  holds(m) { return this.m0 + 5 * m + 2 } // the P + 1
  spins(m) { return this.m0 + 5 * m + 3 }
  sysmon(m) { return this.m0 + 5 * m + 4 }
  holder(p) { return this.p0 + 2 * p } // the M + 1
  slice(p) { return this.p0 + 2 * p + 1 }
}

function indexOf(values) {
  const ids = [...new Set(values)].sort((a, b) => a - b)
  return { ids, index: new Map(ids.map((id, i) => [id, i])) }
}

const before = (a, b) => ((a - b) | 0) < 0

class Builder {
  constructor(run, reasons) {
    this.run = run
    this.reasons = reasons
    const gIds = []
    const mIds = []
    let ps = run.procs
    for (let i = 0; i < run.count; ++i) {
      const kind = run.kind[i]
      mIds.push(run.m[i])
      if (kind >= Kind.created || ((kind === Kind.lrq_has || kind === Kind.runnext) && run.id[i] !== 0)) gIds.push(run.id[i])
      if (kind === Kind.p_taken) ps = Math.max(ps, run.id[i] + 1)
    }
    this.g = indexOf(gIds)
    this.m = indexOf(mIds)
    this.layout = new Layout(this.g.ids.length, this.m.ids.length, ps)
    this.now = new Int32Array(this.layout.size)
    this.first = this.now // what is before the first step; nothing
    this.steps = []
    this.last = this.m.ids.map(() => -1) // the M's last step
    this.told = this.m.ids.map(() => []) // what it said of queues since then
    this.pending = new Map() // G: the step that made it runnable, while nobody said where it is
    this.sliceTold = new Int32Array(ps).fill(-1)
    this.grqLength = 0
    this.grqOrder = 0
    this.nextOf = new Int32Array(ps).fill(-1) // the G in each runnext
    this.ringOf = Array.from({ length: ps }, () => ({ head: 0, tail: -1, next: -1 })) // of each P, as told last
  }

  build() {
    for (let i = 0; i < this.run.count; ++i) this.event(i)
    this.told.forEach((told, m) => this.queue(m, -1))
    for (const [g, step] of this.pending) this.intoGrq(step, g)
    return this
  }

  // -- steps and their changes --

  step(i, rule, what = {}) {
    const { run } = this
    const m = this.m.index.get(run.m[i])
    const p = this.now[this.layout.holds(m)] - 1
    this.steps.push({ time: run.time[i], kind: run.kind[i], event: i, m, p, g: -1, rule, changes: [], ...what })
    this.last[m] = this.steps.length - 1
    return this.steps.length - 1
  }

  set(step, slot, value) {
    this.now[slot] = value
    this.steps[step].changes.push(slot, value)
  }

  put(step, g, place, owner = 0, at = 0) {
    const { layout, nextOf } = this
    if (this.isAt(g, Place.next) && nextOf[this.now[layout.owner(g)]] === g) nextOf[this.now[layout.owner(g)]] = -1
    if (place === Place.next) nextOf[owner] = g
    this.set(step, layout.place(g), place)
    this.set(step, layout.owner(g), owner)
    this.set(step, layout.at(g), at)
    if (place !== Place.none) this.pending.delete(g)
  }

  intoGrq(step, g) {
    this.put(step, g, Place.grq, 0, ++this.grqOrder)
  }

  isAt(g, place, owner) {
    return this.now[this.layout.place(g)] === place && (owner === undefined || this.now[this.layout.owner(g)] === owner)
  }

  release(step, m) {
    const { layout } = this
    const p = this.now[layout.holds(m)] - 1
    if (p < 0) return
    this.set(step, layout.holds(m), 0)
    if (this.now[layout.holder(p)] === m + 1) this.set(step, layout.holder(p), 0)
  }

  // -- queues --

  // What M said of its P's queue; `starts`: the G that starts at this event, or -1. Returns what
  // came from elsewhere: [{g, from: Place, of: P, at}].
  queue(m, starts) {
    const told = this.told[m]
    if (told.length === 0) return []
    this.told[m] = []
    const { layout } = this
    const p = this.now[layout.holds(m)] - 1
    if (p < 0) return [] // the recording begins in the middle, and M has not said which P it has
    const cause = this.last[m]
    const came = []
    let head = null
    let global = null
    const nextBefore = this.nextOf[p]
    for (const { kind, id, number } of told) {
      if (kind === Kind.lrq_has) {
        const g = this.g.index.get(id)
        if (g === undefined) continue
        if (this.isAt(g, Place.lrq, p) && this.now[layout.at(g)] === (number | 0)) continue
        const own = this.isAt(g, Place.lrq, p) || this.isAt(g, Place.next, p)
        const made = this.pending.get(g)
        const nowhere = made === undefined && this.isAt(g, Place.none)
        if (own || nowhere || starts < 0 || (made !== undefined && this.steps[made].m === m)) {
          if (cause >= 0) this.put(cause, g, Place.lrq, p, number | 0)
        } else {
          const from = made !== undefined ? (this.goesToGrq(made) ? Place.grq : Place.next) : this.now[layout.place(g)]
          const of = made !== undefined ? this.steps[made].p : this.now[layout.owner(g)]
          came.push({ g, from, of, at: number | 0 })
        }
      } else if (kind === Kind.runnext) {
        const g = id === 0 ? undefined : this.g.index.get(id)
        this.ringOf[p].next = g ?? -1
        if (g !== undefined && g !== starts && !this.isAt(g, Place.next, p) && cause >= 0) this.put(cause, g, Place.next, p)
      } else if (kind === Kind.lrq_ends) {
        head = number | 0
        Object.assign(this.ringOf[p], { head, tail: id | 0 })
      } else if (kind === Kind.grq_length) {
        global = number
      } else if (kind === Kind.slice) {
        this.sliceTold[p] = number
      }
    }
    if (head !== null && cause >= 0) this.overflow(m, p, cause, head, nextBefore, global, starts, came)
    if (global !== null) this.grqLength = global
    return came
  }

  // The head went on by half a ring, and nobody has those goroutines: they are in the GRQ, and the
  // one that had no room with them.
  overflow(m, p, cause, head, nextBefore, global, starts, came) {
    const { layout, now } = this
    if (global === null || global - this.grqLength < kHalf) return
    const gone = []
    for (let g = 0; g < layout.gs; ++g) {
      if (g !== starts && this.isAt(g, Place.lrq, p) && before(now[layout.at(g)], head)) gone.push(g)
    }
    if (gone.length < kHalf) return
    gone.sort((a, b) => now[layout.at(a)] - now[layout.at(b)])
    const extra = [nextBefore, ...[...this.pending].filter(([, step]) => this.steps[step].m === m).map(([g]) => g)].find(
      (g) => g >= 0 && g !== starts && !this.isAt(g, Place.lrq, p) && (g !== nextBefore || this.nextOf[p] !== g),
    )
    if (extra !== undefined) gone.push(extra)
    for (const g of gone) this.intoGrq(cause, g)
    this.steps[cause].rule = 'overflow'
    this.steps[cause].n = gone.length
    this.steps[cause].moved = gone
  }

  goesToGrq(step) {
    const { kind, p } = this.steps[step]
    return kind === Kind.yields || kind === Kind.preempted || kind === Kind.requeued || p < 0
  }

  // -- events --

  event(i) {
    const { run, layout } = this
    const kind = run.kind[i]
    const m = this.m.index.get(run.m[i])
    if (kind === Kind.p_taken || (kind >= Kind.runnext && kind <= Kind.slice)) {
      this.told[m].push({ kind, id: run.id[i], number: run.number[i] })
      return
    }
    if (kind === Kind.grq_length && this.now[layout.sysmon(m)] === 0) {
      this.told[m].push({ kind, id: 0, number: run.number[i] })
      return
    }
    if (kind === Kind.p_length || kind === Kind.grq_length || kind === Kind.time) return
    const g = kind >= Kind.created ? this.g.index.get(run.id[i]) : -1
    for (const { kind: what, id } of this.told[m]) if (what === Kind.p_taken) this.takeP(i, m, id)
    const lastOfM = this.last[m]
    const came = this.queue(m, kind === Kind.starts ? g : -1)
    // Who was made runnable by this M's last event and is in no LRQ.
    for (const [other, step] of this.pending) {
      if (step === lastOfM && other !== g && this.goesToGrq(step)) this.intoGrq(step, other)
    }
    const handler = this[handlers[kind]]
    if (handler) handler.call(this, i, m, g, came)
  }

  takeP(i, m, p) {
    const { layout, now } = this
    if (now[layout.holds(m)] === p + 1 && now[layout.holder(p)] === m + 1) return // said again in a new buffer
    const loser = now[layout.holder(p)] - 1
    // Whoever lost it may have been in a call when it went to an M by way of the idle list.
    const fromCall = loser >= 0 && loser !== m && now[layout.does(loser)] === Does.syscall
    const step = this.step(i, fromCall ? 'handoff' : 'P taken', { kind: Kind.p_taken, p, loser, g: fromCall ? now[layout.runs(loser)] - 1 : -1 })
    this.release(step, m)
    if (loser >= 0 && loser !== m) this.set(step, layout.holds(loser), 0)
    this.set(step, layout.holder(p), m + 1)
    this.set(step, layout.holds(m), p + 1)
  }

  begins(i, m) {
    const watches = this.run.argument[i] === 1
    const step = this.step(i, 'M begins')
    this.set(step, this.layout.does(m), watches ? Does.watches : Does.schedules)
    if (watches) this.set(step, this.layout.sysmon(m), 1)
  }

  doing(i, m, rule, does) {
    const step = this.step(i, rule)
    const { layout } = this
    this.set(step, layout.does(m), does)
    this.set(step, layout.spins(m), this.run.argument[i])
    if (does === Does.sleeps || does === Does.polls || does === Does.none) this.release(step, m)
    this.set(step, layout.runs(m), 0)
  }

  endsM(i, m) { this.doing(i, m, 'M ends', Does.none) }
  sleeps(i, m) { this.doing(i, m, 'sleeps', Does.sleeps) }
  polls(i, m) { this.doing(i, m, 'polls', Does.polls) }
  wakes(i, m) { this.doing(i, m, 'wakes', Does.schedules) }
  looks(i, m) { this.doing(i, m, 'looks', Does.looks) }

  worldStops(i) { this.set(this.step(i, 'world stops'), this.layout.world, 1) }
  worldStarts(i) { this.set(this.step(i, 'world starts'), this.layout.world, 0) }

  // The goroutine that M runs while this happens, or -1.
  runner(m) { return this.now[this.layout.runs(m)] - 1 }

  // Whoever was in runnext goes to the tail, unless the ring may be full. M says so itself only at
  // its next event, and by then a thief may have come.
  kick(step) {
    const { p } = this.steps[step]
    if (p < 0) return
    const ring = this.ringOf[p]
    if (ring.tail < 0 || ring.next < 0 || !this.isAt(ring.next, Place.next, p) || ring.tail - ring.head >= kRing) return
    this.put(step, ring.next, Place.lrq, p, ring.tail++)
    ring.next = -1
  }

  created(i, m, g) {
    const step = this.step(i, 'go', { g, by: this.runner(m) })
    this.kick(step)
    this.put(step, g, Place.none)
    this.set(step, this.layout.stack(g), kSmallestStack)
    this.pending.set(g, step)
  }

  readied(i, m, g) {
    const { layout, now } = this
    const why = this.isAt(g, Place.waiting) ? this.reasons[now[layout.owner(g)]] ?? '' : ''
    const by = now[layout.does(m)] === Does.syscall ? -1 : this.runner(m)
    let rule = 'ready'
    if (/^chan |^select/.test(why)) {
      const success = this.run.argument[i]
      rule = success === 1 ? 'handover' : success === 2 ? 'closed' : 'ready'
    } else if (why === 'sleep') rule = 'timer'
    else if (why === 'IO wait') rule = 'network'
    const step = this.step(i, rule, { g, by, why })
    this.put(step, g, Place.none)
    this.pending.set(g, step)
    if (this.steps[step].p < 0 || now[layout.sysmon(m)]) this.intoGrq(step, g)
  }

  starts(i, m, g, came) {
    const { layout, now } = this
    const p = now[layout.holds(m)] - 1
    const old = p >= 0 ? now[layout.slice(p)] : -1
    const slice = p >= 0 ? this.sliceTold[p] : -1
    const inherits = slice === old
    let place = now[layout.place(g)]
    let owner = now[layout.owner(g)]
    const made = this.pending.get(g)
    if (made !== undefined) {
      const cause = this.steps[made]
      if (this.goesToGrq(made)) {
        this.intoGrq(made, g)
        place = Place.grq
      } else if (cause.m === m && cause.p === p && !inherits && now[layout.runs(m)] === 0 && cause.rule === 'network') {
        place = Place.none // netpoll gave it to this M
      } else {
        this.put(made, g, Place.next, cause.p)
        place = Place.next
        owner = cause.p
      }
    }
    const elsewhere = (place === Place.next || place === Place.lrq) && owner !== p
    const stolen = came.filter(({ from }) => from === Place.next || from === Place.lrq)
    let rule = 'starts'
    const what = { g, slice, inherits, n: 1, from: -1 }
    if (elsewhere || stolen.length > 0) {
      rule = place === Place.next && stolen.length === 0 ? 'steal runnext' : 'steal'
      what.from = elsewhere ? owner : stolen[0].of
      what.n = stolen.length + 1
      what.moved = [...stolen.map(({ g }) => g), g]
    } else if (place === Place.next) rule = 'from runnext'
    else if (place === Place.lrq) rule = 'from the LRQ'
    else if (place === Place.grq) {
      rule = came.length === 0 && slice > 0 && (slice - 1) % kTick === 0 ? 'tick' : 'from the GRQ'
      what.n = came.length + 1
      what.moved = [...came.map(({ g }) => g), g]
    }
    const step = this.step(i, rule, what)
    for (const { g: other, at } of came) this.put(step, other, Place.lrq, p, at)
    this.put(step, g, Place.running, m)
    this.set(step, layout.does(m), Does.runs)
    this.set(step, layout.spins(m), 0)
    this.set(step, layout.runs(m), g + 1)
    if (p >= 0) this.set(step, layout.slice(p), slice)
  }

  stops(i, m, g, rule, what = {}) {
    const step = this.step(i, rule, { g, ...what })
    this.set(step, this.layout.does(m), Does.schedules)
    this.set(step, this.layout.runs(m), 0)
    return step
  }

  parks(i, m, g) {
    const why = this.run.argument[i]
    this.put(this.stops(i, m, g, 'park', { why: this.reasons[why] }), g, Place.waiting, why)
  }
  ends(i, m, g) { this.put(this.stops(i, m, g, 'end'), g, Place.none) }
  makesRoom(i, m, g, rule) {
    const step = this.stops(i, m, g, rule)
    this.put(step, g, Place.none)
    this.pending.set(g, step)
  }
  yields(i, m, g) { this.makesRoom(i, m, g, 'yield') }
  preempted(i, m, g) { this.makesRoom(i, m, g, 'preempt') }
  requeued(i, m, g) {
    this.makesRoom(i, m, g, 'syscall without P')
    this.release(this.last[m], m)
  }

  calls(i, m, g) {
    const step = this.step(i, 'syscall', { g })
    this.put(step, g, Place.syscall, m)
    this.set(step, this.layout.does(m), Does.syscall)
  }
  returns(i, m, g) {
    const step = this.step(i, 'syscall ends', { g })
    this.put(step, g, Place.running, m)
    this.set(step, this.layout.does(m), Does.runs)
  }

  stackMoved(i, m, g) {
    const from = this.now[this.layout.stack(g)]
    const to = this.run.argument[i]
    this.set(this.step(i, 'stack', { g, fromSize: from, toSize: to }), this.layout.stack(g), to)
  }
}

const handlers = {
  [Kind.m_begins]: 'begins',
  [Kind.m_ends]: 'endsM',
  [Kind.m_sleeps]: 'sleeps',
  [Kind.m_polls]: 'polls',
  [Kind.m_wakes]: 'wakes',
  [Kind.m_looks]: 'looks',
  [Kind.world_stops]: 'worldStops',
  [Kind.world_starts]: 'worldStarts',
  [Kind.created]: 'created',
  [Kind.readied]: 'readied',
  [Kind.starts]: 'starts',
  [Kind.calls]: 'calls',
  [Kind.returns]: 'returns',
  [Kind.requeued]: 'requeued',
  [Kind.stack_moved]: 'stackMoved',
  [Kind.parks]: 'parks',
  [Kind.yields]: 'yields',
  [Kind.preempted]: 'preempted',
  [Kind.ends]: 'ends',
}

// {steps, layout, gs, ms}: what happened, in order; the ids of Gs and Ms by their number in steps.
export function makeSteps(run, reasons) {
  const { steps, layout, g, m } = new Builder(run, reasons).build()
  return { steps, layout, gs: g.ids, ms: m.ids }
}
