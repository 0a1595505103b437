// The page: controls around the scene and the timeline.
import { describe, duration } from './describe.js'
import { decodeRun } from './recording.js'
import { jumps, rules } from './rules.js'
import { Scene } from './scene.js'
import { States } from './states.js'
import { makeSteps } from './steps.js'
import { makeTimeline } from './timeline.js'

const recording = JSON.parse(document.getElementById('recording').textContent)
const root = document.getElementById('viewer')

const calm = matchMedia('(prefers-reduced-motion: reduce)')
const wish = new URLSearchParams(location.search)
const kSpeeds = [1, 2, 5, 10, 30, 100, 500] // steps a second

const icon = (path) => `<svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><path fill="currentColor" d="${path}"/></svg>`
const icons = {
  first: icon('M2 2h2v12H2zM14 2v12L5 8z'),
  back: icon('M12 2v12L3 8z'),
  play: icon('M4 2v12l9-6z'),
  pause: icon('M3 2h4v12H3zM9 2h4v12H9z'),
  step: icon('M2 2v12l7-6zM11 2h2v12h-2z'),
  last: icon('M2 2v12l7-6zM12 2h2v12h-2zM7 2v12l5-6z'),
}

root.innerHTML = `
<header class="top">
  <h1></h1>
  <label class="run">Run <select aria-label="Which run"></select></label>
  <span class="facts"></span>
  <label class="filter">Only <input type="text" inputmode="numeric" placeholder="G…" size="6" aria-label="Only steps of this goroutine, by number"></label>
  <button type="button" class="theme" aria-label="Light or dark">◐</button>
</header>
<main>
  <div class="scene"></div>
  <aside>
    <section class="now" aria-label="This step">
      <p class="where"></p>
      <h2></h2>
      <p class="said" aria-live="polite" role="status"></p>
      <p class="more"></p>
      <p class="source"></p>
    </section>
    <nav class="jumps" aria-label="Jump to the next"></nav>
    <ol class="list" aria-label="Steps around this one"></ol>
  </aside>
</main>
<footer>
  <div class="controls" role="group" aria-label="Play">
    <button type="button" data-do="first" aria-label="First step" title="First step (Home)">${icons.first}</button>
    <button type="button" data-do="back" aria-label="One step back" title="One step back (←)">${icons.back}</button>
    <button type="button" data-do="play" class="play" aria-label="Play" title="Play (space)">${icons.play}</button>
    <button type="button" data-do="step" aria-label="One step on" title="One step on (→)">${icons.step}</button>
    <button type="button" data-do="last" aria-label="Last step" title="Last step (End)">${icons.last}</button>
    <label class="speed">Speed <input type="range" min="0" max="${kSpeeds.length - 1}" value="2" aria-label="Speed"></label>
    <input class="position" type="range" min="0" value="0" step="1" aria-label="Step">
    <button type="button" data-do="axis" aria-pressed="false" title="The timeline by time instead of by steps">time</button>
    <button type="button" data-do="whole" title="The whole run in the timeline">whole</button>
  </div>
  <div class="timeline" role="img" aria-label="What each P ran, and how many goroutines could have run. Everything in it is in the list of steps, too."></div>
</footer>`

const $ = (selector) => root.querySelector(selector)

const color = (id) => `hsl(${(id * 137.508 + 190) % 360} 62% 44%)`

function theme() {
  const style = getComputedStyle(document.documentElement)
  const of = (name) => style.getPropertyValue(name).trim()
  return { text: of('--quiet'), grid: of('--rule'), lane: of('--well'), now: of('--brand'), fill: of('--brand-soft') }
}

const view = { run: null, count: 0, chosen: -1, playing: 0, last: 0 }

function load(index) {
  stop()
  const run = decodeRun(recording.runs[index])
  const made = makeSteps(run, recording.reasons)
  const names = { g: (g) => `G${made.gs[g]}`, m: (m) => `M${made.ms[m]}` }
  const states = new States(made.steps, made.layout)
  view.timeline?.destroy()
  $('.timeline').replaceChildren()
  Object.assign(view, { run: { ...made, names, states, info: run }, count: 0, chosen: -1 })
  $('.filter input').value = ''
  view.scene = new Scene($('.scene'), {
    layout: made.layout, reasons: recording.reasons, names, color: (g) => color(made.gs[g]), choose,
  })
  view.timeline = makeTimeline($('.timeline'), { steps: made.steps, ps: made.layout.ps, color: (g) => color(made.gs[g]), theme, seek: go })
  view.timeline.names(names)
  $('.position').max = made.steps.length
  $('.facts').textContent = [
    `${made.steps.length.toLocaleString('en')} steps`, `${made.gs.length.toLocaleString('en')} goroutines`, `${run.procs} P${run.procs === 1 ? '' : 's'}`, duration(run.last - run.first),
    run.lost > 0 ? `${run.lost.toLocaleString('en')} earlier events are lost` : '', run.cutOff ? 'cut off' : '',
  ].filter(Boolean).join(' · ')
  for (const { name } of jumps) {
    const many = made.steps.filter((step) => rules[step.rule].jump === name).length
    const button = $(`[data-jump="${name}"]`)
    button.disabled = many === 0
    button.querySelector('.many').textContent = many
  }
  go(0)
}

// Everything of step number `count`, and the state after it.
function go(count, { moving = false } = {}) {
  const { run } = view
  view.count = Math.min(Math.max(count, 0), run.steps.length)
  const step = run.steps[view.count - 1]
  const state = run.states.after(view.count)
  const touched = new Set(step ? [step.g, ...(step.moved ?? [])] : [])
  view.scene.show(state, { moving: moving && !calm.matches, touched, chosen: view.chosen, p: step ? step.p : -1 })
  view.timeline.show(view.count, view.chosen)
  $('.position').value = view.count
  $('.position').setAttribute('aria-valuetext', step ? `step ${view.count} of ${run.steps.length}` : 'before the first step')
  say(step)
  list()
}

function sourceOf(name) {
  const place = name && recording.functions[name]
  if (!place) return null
  const [path, line] = place
  const inSite = recording.sourcesAt.startsWith('/')
  return { text: `${path}:${line}`, href: recording.sourcesAt + path + (inSite ? `.html#L${line}` : ''), name }
}

function say(step) {
  const { run } = view
  $('.now .where').textContent = step ? `Step ${view.count} of ${run.steps.length}, ${duration(step.time - run.info.first)}` : `${run.steps.length} steps`
  const rule = step ? rules[step.rule] : null
  $('.now h2').textContent = rule ? rule.title : 'Before the first step'
  $('.now').dataset.jump = rule?.jump ?? ''
  $('.said').textContent = step ? describe(step, run.names) : 'Press → for a step, space to play.'
  $('.now .more').textContent = rule?.more ?? ''
  const source = sourceOf(rule?.function)
  $('.source').replaceChildren()
  if (source) {
    const link = document.createElement('a')
    link.href = source.href
    link.target = '_blank'
    link.rel = 'noopener'
    link.textContent = `${source.name}()`
    const where = document.createElement('span')
    where.textContent = source.text
    $('.source').append(link, where)
  }
}

function isOf(step, g) {
  return g < 0 || step.g === g || step.by === g || (step.moved?.includes(g) ?? false)
}

const kAround = 9

function list() {
  const { steps, names } = view.run
  const before = []
  for (let i = view.count - 1; i >= 0 && before.length < 5; --i) if (isOf(steps[i], view.chosen)) before.unshift(i)
  const shown = before
  for (let i = view.count; i < steps.length && shown.length < kAround; ++i) if (isOf(steps[i], view.chosen)) shown.push(i)
  $('.list').replaceChildren(...shown.map((i) => {
    const item = document.createElement('li')
    const button = document.createElement('button')
    button.type = 'button'
    button.dataset.step = i + 1
    if (i === view.count - 1) item.setAttribute('aria-current', 'step')
    const number = document.createElement('span')
    number.textContent = i + 1
    button.append(number, ` ${describe(steps[i], names)}`)
    item.append(button)
    return item
  }))
}

// The next step from `from` on, in this direction, that `wanted` wants; or 0.
function find(from, direction, wanted) {
  const { steps } = view.run
  for (let i = from; i >= 1 && i <= steps.length; i += direction) if (wanted(steps[i - 1])) return i
  return 0
}

function move(direction) {
  const found = find(view.count + direction, direction, (step) => isOf(step, view.chosen))
  if (found > 0) go(found, { moving: true })
  else if (direction < 0) go(0)
  else stop()
}

function jump(name, direction = 1) {
  stop()
  const wanted = (step) => rules[step.rule].jump === name && isOf(step, view.chosen)
  // Round the end, so that the button always leads to one if there is one.
  const found = find(view.count + direction, direction, wanted) || find(direction > 0 ? 1 : view.run.steps.length, direction, wanted)
  if (found > 0) go(found, { moving: true })
}

function choose(g) {
  view.chosen = view.chosen === g ? -1 : g
  $('.filter input').value = view.chosen < 0 ? '' : view.run.names.g(view.chosen)
  go(view.count)
}

function filter(text) {
  const id = Number(text.replace(/^g/i, ''))
  const g = text === '' ? -1 : view.run.gs.indexOf(id)
  $('.filter input').setAttribute('aria-invalid', String(text !== '' && g < 0))
  view.chosen = g
  go(view.count)
}

function stop() {
  view.playing = 0
  $('.play').innerHTML = icons.play
  $('.play').setAttribute('aria-label', 'Play')
}

function play() {
  if (view.playing) return stop()
  if (view.count >= view.run.steps.length) go(0)
  const token = (view.playing = Math.random())
  $('.play').innerHTML = icons.pause
  $('.play').setAttribute('aria-label', 'Pause')
  let last = performance.now()
  let owed = 1
  const frame = (now) => {
    if (view.playing !== token) return
    const speed = kSpeeds[$('.speed input').value]
    owed += ((now - last) / 1000) * speed
    last = now
    if (owed >= 1) {
      const many = Math.floor(owed)
      owed -= many
      if (view.chosen >= 0 || many === 1) for (let i = 0; i < many && view.playing === token; ++i) move(1)
      else if (view.count >= view.run.steps.length) stop()
      else go(view.count + many)
    }
    requestAnimationFrame(frame)
  }
  requestAnimationFrame(frame)
}

const does = {
  first: () => go(0),
  last: () => go(view.run.steps.length),
  step: () => { stop(); move(1) },
  back: () => { stop(); move(-1) },
  play,
  axis() {
    const button = $('[data-do="axis"]')
    const byTime = button.getAttribute('aria-pressed') !== 'true'
    button.setAttribute('aria-pressed', String(byTime))
    view.timeline.byTime(byTime)
    go(view.count)
  },
  whole: () => view.timeline.whole(),
}

$('h1').textContent = recording.title
document.title = `${recording.title} | goro`
for (const { name, title, key } of jumps) {
  const button = document.createElement('button')
  button.type = 'button'
  button.dataset.jump = name
  button.title = `The next one (${key}); with Shift, the one before`
  button.innerHTML = `${title} <span class="many"></span>`
  button.addEventListener('click', (event) => jump(name, event.shiftKey ? -1 : 1))
  $('.jumps').append(button)
}
root.addEventListener('click', (event) => {
  const button = event.target.closest('button')
  if (button?.dataset.do) does[button.dataset.do]()
  if (button?.dataset.step) { stop(); go(Number(button.dataset.step)) }
})
$('.position').addEventListener('input', (event) => { stop(); go(Number(event.target.value)) })
$('.filter input').addEventListener('input', (event) => filter(event.target.value.trim()))
recording.runs.forEach((run, index) => $('.run select').add(new Option(`${index + 1} (${run.count} events)`, index)))
$('.run').hidden = recording.runs.length < 2
$('.run select').addEventListener('change', (event) => load(Number(event.target.value)))

const keys = { ' ': play, ArrowRight: does.step, ArrowLeft: does.back, Home: does.first, End: does.last }
addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return
  const typing = event.target.matches?.('input[type="text"], select')
  if (typing) return
  const onButton = event.target.matches?.('button, a') && event.key === ' '
  const onSlider = event.target.matches?.('input[type="range"]') && !event.target.matches('.position')
  if (onButton || onSlider) return
  const to = jumps.find(({ key }) => key === event.key.toLowerCase())
  if (to) jump(to.name, event.shiftKey ? -1 : 1)
  else if (event.key === '/') $('.filter input').focus()
  else if (keys[event.key]) keys[event.key]()
  else return
  event.preventDefault()
})

function dress(dark) {
  document.documentElement.classList.toggle('dark', dark)
  if (view.run) go(view.count)
}
const night = matchMedia('(prefers-color-scheme: dark)')
const asked = wish.get('theme')
dress(asked ? asked === 'dark' : night.matches)
if (!asked) night.addEventListener('change', () => dress(night.matches))
// The page around it, if it is in one, says which.
addEventListener('message', (event) => { if (event.data?.goroTheme) dress(event.data.goroTheme === 'dark') })
$('.theme').addEventListener('click', () => dress(!document.documentElement.classList.contains('dark')))
root.classList.toggle('embedded', window !== window.parent)

if (recording.runs?.length > 0) {
  // The longest one says most.
  const longest = recording.runs.reduce((best, run, i) => (run.count > recording.runs[best].count ? i : best), 0)
  $('.run select').value = longest
  load(longest)
  const at = wish.get('jump')
  if (at) jump(at)
  else if (wish.get('step')) go(Number(wish.get('step')))
} else {
  $('h1').textContent = 'Nothing was recorded'
}
// For tests, and for the curious.
window.goro = { view, go, recording }
