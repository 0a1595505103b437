// A step in words.
import { rules } from './rules.js'

export function stackSize(logarithm) {
  return logarithm >= 20 ? `${2 ** (logarithm - 20)} MB` : `${2 ** (logarithm - 10)} KB`
}

export function duration(ns) {
  if (ns < 1_000) return `${Math.round(ns)} ns`
  if (ns < 1_000_000) return `${(ns / 1_000).toFixed(1)} µs`
  if (ns < 1_000_000_000) return `${(ns / 1_000_000).toFixed(2)} ms`
  return `${(ns / 1_000_000_000).toFixed(3)} s`
}

// `names`: {g, m}, what Gs and Ms are called.
export function describe(step, names) {
  const g = step.g >= 0 ? names.g(step.g) : ''
  const m = names.m(step.m)
  const p = step.p >= 0 ? `P${step.p}` : ''
  const by = step.by >= 0 ? names.g(step.by) : m
  const on = p ? `${m} on ${p}` : m
  switch (step.rule) {
    case 'go': return `${by} starts ${g}${p ? `: into ${p}’s runnext` : ''}.`
    case 'overflow': return `${by} makes ${g} runnable, and ${p}’s LRQ is full: ${step.n} goroutines move to the GRQ.`
    case 'ready': return `${by} readies ${g}${step.why ? `, which waited (${step.why})` : ''}.`
    case 'handover': return step.why === 'chan send' ? `${by} receives the value straight from ${g}, which waited to send it. ${g} can go on.` : `${by} hands its value straight to ${g}, which waited for it (${step.why}). ${g} can go on.`
    case 'closed': return `${by} closes the channel at which ${g} waits.`
    case 'timer': return `${on}: the time of ${g} has come.`
    case 'network': return `${on}: what ${g} waited for in the network is there.`
    case 'from runnext': return `${on}: ${g} was in runnext, and runs.`
    case 'from the LRQ': return `${on}: ${g} was the oldest of the LRQ, and runs. Slice ${step.slice}.`
    case 'from the GRQ': return `${on}: takes ${step.n === 1 ? g : `${step.n} goroutines`} from the GRQ, and runs ${step.n === 1 ? 'it' : g}.`
    case 'tick': return `${on}: slice ${step.slice - 1} is a multiple of 61, so ${g} of the GRQ runs first.`
    case 'steal': return `${on}: steals ${step.n === 1 ? g : `${step.n} goroutines`} from P${step.from}, and runs ${step.n === 1 ? 'it' : g}.`
    case 'steal runnext': return `${on}: steals ${g} out of P${step.from}’s runnext.`
    case 'starts': return `${on}: runs ${g}.`
    case 'park': return `${g} parks: ${step.why || 'waits'}.`
    case 'yield': return `${g} lets others run first.`
    case 'preempt': return `${g} is stopped, for others to run on ${p}.`
    case 'end': return `${g} ends.`
    case 'syscall': return `${g} enters a system call; ${m} blocks with it.`
    case 'syscall ends': return `${g} comes out of its system call, on ${p || m}.`
    case 'syscall without P': return `${g} comes out of its system call, and ${m} has lost its P.`
    case 'handoff': return `${m} gets ${p}, which was taken from ${names.m(step.loser)}: its ${g} is in a system call.`
    case 'P taken': return `${m} takes ${p}.`
    case 'stack': return `The stack of ${g} moves: ${stackSize(step.fromSize)} to ${stackSize(step.toSize)}.`
    case 'looks': return `${on}: has nothing to run, and looks elsewhere.`
    case 'sleeps': return `${m} sleeps until somebody needs it.`
    case 'polls': return `${m} sleeps until a timer is due or the network is ready.`
    case 'wakes': return `${m} wakes.`
    default: return `${m}: ${rules[step.rule].title.toLowerCase()}.`
  }
}
