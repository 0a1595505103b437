// The state after any step, fast: now and then a whole one is kept, and from there steps are
// applied.

const kMostKept = 8 << 20 // numbers, in all kept states together

export class States {
  constructor(steps, layout) {
    this.steps = steps
    this.layout = layout
    this.every = Math.max(128, Math.ceil((steps.length * layout.size) / kMostKept))
    this.kept = [new Int32Array(layout.size)]
    const state = new Int32Array(layout.size)
    for (let i = 0; i < steps.length; ++i) {
      apply(steps[i], state)
      if ((i + 1) % this.every === 0) this.kept.push(state.slice())
    }
    this.now = this.kept[0].slice()
    this.done = 0 // so many steps are in `now`
  }

  // After the steps before `count`. Valid until it is asked again.
  after(count) {
    const from = Math.floor(count / this.every)
    if (count < this.done || from * this.every > this.done) {
      this.now.set(this.kept[from])
      this.done = from * this.every
    }
    while (this.done < count) apply(this.steps[this.done++], this.now)
    return this.now
  }
}

function apply(step, state) {
  const { changes } = step
  for (let i = 0; i < changes.length; i += 2) state[changes[i]] = changes[i + 1]
}
