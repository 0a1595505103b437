// Draws a state: Ps with their queues, the GRQ, threads and who waits.
import { Does, kRing, Place } from './steps.js'
import { stackSize } from './describe.js'

const kShownInLrq = 14
const kShownInGrq = 28
const kShownWaiting = 20

function make(tag, className, text) {
  const element = document.createElement(tag)
  if (className) element.className = className
  if (text !== undefined) element.textContent = text
  return element
}

// What is where, in order.
export function lookAt(state, layout) {
  const ps = Array.from({ length: layout.ps }, (_, p) => ({ m: state[layout.holder(p)] - 1, slice: state[layout.slice(p)], next: -1, lrq: [], g: -1, call: false }))
  const grq = []
  const waiting = new Map() // by reason
  const ms = Array.from({ length: layout.ms }, (_, m) => ({
    does: state[layout.does(m)], g: state[layout.runs(m)] - 1, p: state[layout.holds(m)] - 1, spins: state[layout.spins(m)] === 1,
  }))
  for (let g = 0; g < layout.gs; ++g) {
    const owner = state[layout.owner(g)]
    switch (state[layout.place(g)]) {
      case Place.next: ps[owner].next = g; break
      case Place.lrq: ps[owner].lrq.push(g); break
      case Place.grq: grq.push(g); break
      case Place.waiting:
        if (!waiting.has(owner)) waiting.set(owner, [])
        waiting.get(owner).push(g)
        break
    }
  }
  const inOrder = (a, b) => (state[layout.at(a)] - state[layout.at(b)]) | 0
  for (const p of ps) {
    p.lrq.sort(inOrder)
    if (p.m >= 0) {
      p.g = ms[p.m].g
      p.call = ms[p.m].does === Does.syscall
    }
  }
  grq.sort(inOrder)
  return { ps, ms, grq, waiting, stopped: state[layout.world] === 1 }
}

const doing = {
  [Does.none]: 'gone', [Does.runs]: 'runs', [Does.schedules]: 'schedules', [Does.looks]: 'looks for work', [Does.sleeps]: 'sleeps',
  [Does.polls]: 'polls', [Does.syscall]: 'in a system call', [Does.watches]: 'watches',
}

export class Scene {
  // `color(g)`; `names`; `choose(g)`: somebody clicked at it.
  constructor(element, { layout, reasons, color, names, choose }) {
    Object.assign(this, { element, layout, reasons, color, names, choose })
    this.chips = new Map()
    element.replaceChildren()
    const global = make('section', 'grq')
    global.setAttribute('aria-label', 'Global run queue')
    global.append(make('h2', '', 'GRQ'))
    this.grqCount = global.appendChild(make('span', 'count'))
    this.grqRow = global.appendChild(make('div', 'row'))
    this.stopped = global.appendChild(make('span', 'stopped', 'the world is stopped'))
    this.psRow = make('div', 'ps')
    this.ps = Array.from({ length: layout.ps }, (_, p) => this.makeP(p))
    const below = make('div', 'below')
    this.msBox = below.appendChild(make('section', 'ms'))
    this.msBox.setAttribute('aria-label', 'Threads without a P')
    this.msBox.append(make('h2', '', 'Ms without a P'))
    this.msRow = this.msBox.appendChild(make('div', 'threads'))
    this.waitBox = below.appendChild(make('section', 'waiting'))
    this.waitBox.setAttribute('aria-label', 'Goroutines that wait')
    this.waitBox.append(make('h2', '', 'Waiting'))
    this.waitRow = this.waitBox.appendChild(make('div', 'reasons'))
    element.append(global, this.psRow, below)
    this.msCards = new Map()
    this.reasonBoxes = new Map()
  }

  makeP(p) {
    const card = this.psRow.appendChild(make('section', 'p'))
    card.setAttribute('aria-label', `P${p}`)
    const head = card.appendChild(make('header'))
    head.append(make('h2', '', `P${p}`))
    const m = head.appendChild(make('span', 'm'))
    const slice = head.appendChild(make('span', 'slice'))
    const runs = card.appendChild(make('div', 'runs'))
    const queue = card.appendChild(make('div', 'queue'))
    const nextBox = queue.appendChild(make('div', 'slot'))
    nextBox.append(make('span', 'label', 'runnext'))
    const next = nextBox.appendChild(make('div', 'place'))
    const lrqBox = queue.appendChild(make('div', 'lrq'))
    const label = lrqBox.appendChild(make('span', 'label', 'LRQ'))
    const row = lrqBox.appendChild(make('div', 'row'))
    const ring = card.appendChild(make('canvas', 'ring'))
    ring.width = 64 * 6
    ring.height = 4 * 6
    ring.title = 'The 256 places of the ring, 64 in a line'
    ring.setAttribute('aria-hidden', 'true')
    return { card, m, slice, runs, next, label, row, ring, drawn: '' }
  }

  chip(g) {
    let chip = this.chips.get(g)
    if (!chip) {
      chip = make('button', 'g', this.names.g(g))
      chip.type = 'button'
      chip.tabIndex = -1 // the list of steps and the filter lead there, too
      chip.dataset.g = this.names.g(g)
      chip.style.setProperty('--g', this.color(g))
      chip.addEventListener('click', () => this.choose(g))
      this.chips.set(g, chip)
    }
    return chip
  }

  // Puts these chips, and only them, into `row`.
  fill(row, gs, most, used) {
    const shown = gs.slice(0, most).map((g) => {
      used.add(g)
      return this.chip(g)
    })
    if (gs.length > most) shown.push(make('span', 'more', `+${gs.length - most}`))
    const same = row.childNodes.length === shown.length && shown.every((chip, i) => row.childNodes[i] === chip)
    if (!same) row.replaceChildren(...shown)
  }

  ring(p, lrq, state) {
    const { ring } = this.ps[p]
    const key = lrq.length === 0 ? '' : `${state[this.layout.at(lrq[0])]}:${lrq.length}:${this.chosen}`
    if (this.ps[p].drawn === key) return
    this.ps[p].drawn = key
    const context = ring.getContext('2d')
    context.clearRect(0, 0, ring.width, ring.height)
    for (const g of lrq) {
      const at = ((state[this.layout.at(g)] % kRing) + kRing) % kRing
      context.fillStyle = this.color(g)
      context.globalAlpha = this.chosen < 0 || this.chosen === g ? 1 : 0.25
      context.fillRect((at % 64) * 6, Math.floor(at / 64) * 6, 5, 5)
    }
  }

  // `moving`: chips glide to their new places. `touched`: Gs of this step.
  show(state, { moving, touched, chosen, p: active }) {
    const { layout, names } = this
    this.chosen = chosen
    const seen = lookAt(state, layout)
    const glide = moving && this.chips.size <= 600
    const from = new Map()
    if (glide) for (const [g, chip] of this.chips) if (chip.isConnected) from.set(g, chip.getBoundingClientRect())
    const used = new Set()

    this.grqCount.textContent = seen.grq.length
    this.fill(this.grqRow, seen.grq, kShownInGrq, used)
    this.stopped.hidden = !seen.stopped

    seen.ps.forEach((p, index) => {
      const box = this.ps[index]
      box.card.classList.toggle('idle', p.m < 0)
      box.card.classList.toggle('active', index === active)
      const m = p.m >= 0 ? seen.ms[p.m] : null
      box.m.textContent = m ? `${names.m(p.m)} ${m.does === Does.runs ? '' : doing[m.does]}${m.spins ? ', spins' : ''}`.trim() : 'idle'
      box.slice.textContent = m ? `slice ${p.slice}` : ''
      this.fill(box.runs, p.g >= 0 ? [p.g] : [], 1, used)
      box.runs.dataset.what = p.g >= 0 ? (p.call ? 'in a system call' : 'runs') : m ? doing[m.does] : 'no thread'
      this.fill(box.next, p.next >= 0 ? [p.next] : [], 1, used)
      box.label.textContent = `LRQ ${p.lrq.length}`
      this.fill(box.row, p.lrq, kShownInLrq, used)
      this.ring(index, p.lrq, state)
    })

    const without = seen.ms.map((m, index) => ({ ...m, index })).filter((m) => m.p < 0 && m.does !== Does.none)
    const cards = without.map((m) => {
      let card = this.msCards.get(m.index)
      if (!card) {
        card = make('div', 'thread')
        card.append(make('strong', '', names.m(m.index)), make('span', 'does'), make('div', 'row'))
        this.msCards.set(m.index, card)
      }
      card.dataset.does = doing[m.does]
      card.querySelector('.does').textContent = m.does === Does.watches ? 'sysmon' : doing[m.does]
      this.fill(card.querySelector('.row'), m.g >= 0 ? [m.g] : [], 1, used)
      return card
    })
    this.msRow.replaceChildren(...(cards.length > 0 ? cards : [make('span', 'none', 'none')]))

    const boxes = [...seen.waiting].map(([why, gs]) => {
      let box = this.reasonBoxes.get(why)
      if (!box) {
        box = make('div', 'reason')
        box.append(make('span', 'label'), make('div', 'row'))
        this.reasonBoxes.set(why, box)
      }
      box.querySelector('.label').textContent = `${this.reasons[why] || 'waits'} ${gs.length}`
      this.fill(box.querySelector('.row'), gs, kShownWaiting, used)
      return box
    })
    this.waitRow.replaceChildren(...(boxes.length > 0 ? boxes : [make('span', 'none', 'none')]))

    for (const [g, chip] of this.chips) {
      if (!used.has(g)) {
        chip.remove()
        this.chips.delete(g)
        continue
      }
      chip.classList.toggle('touched', touched.has(g))
      chip.classList.toggle('dim', chosen >= 0 && chosen !== g)
      chip.title = `${names.g(g)}, stack ${stackSize(state[layout.stack(g)] || 11)}`
    }
    if (glide) this.glide(from)
    return seen
  }

  glide(from) {
    for (const [g, chip] of this.chips) {
      const there = chip.getBoundingClientRect()
      const was = from.get(g)
      if (!was) {
        chip.animate([{ opacity: 0, transform: 'scale(0.5)' }, { opacity: 1, transform: 'none' }], { duration: 180, easing: 'ease-out' })
      } else if (was.left !== there.left || was.top !== there.top) {
        chip.animate([{ transform: `translate(${was.left - there.left}px, ${was.top - there.top}px)` }, { transform: 'none' }], { duration: 260, easing: 'cubic-bezier(0.2, 0.7, 0.2, 1)' })
      }
    }
  }
}
