// The viewer with the recordings of docs/examples/scenes.cpp, as they were recorded last.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { recordingOf } from '../record.mjs'
import { decodeRun, Kind } from '../viewer/src/recording.js'
import { rules } from '../viewer/src/rules.js'
import { lookAt } from '../viewer/src/scene.js'
import { States } from '../viewer/src/states.js'
import { makeSteps } from '../viewer/src/steps.js'
import { openBrowser, root } from './browser.mjs'

const folder = join(root, 'build/recordings')
const scenes = readdirSync(folder).filter((name) => name.endsWith('.html')).map((name) => name.replace('.html', '')).sort()

function read(scene) {
  const recording = recordingOf(join(folder, `${scene}.html`))
  const run = decodeRun(recording.runs[0])
  return { recording, run, made: makeSteps(run, recording.reasons) }
}

// What the trace itself says of lengths, without the model: {step: how many steps are done, lrq or
// grq}. Of recordings with one P and one M, so that nobody else changes a queue.
function saidOfQueues(run, made) {
  const said = []
  const stepOf = new Map(made.steps.map((step, i) => [step.event, i]))
  let told = {}
  let last = new Map()
  for (let i = 0; i < run.count; ++i) {
    const kind = run.kind[i]
    if (kind === Kind.lrq_ends) told.lrq = (run.id[i] - run.number[i]) >>> 0
    if (kind === Kind.grq_length && (i + 1 < run.count && run.m[i + 1] === run.m[i])) told.grq = run.number[i]
    if (!stepOf.has(i)) continue
    // A start takes from a queue before it is told; everything else was told of the step before.
    const step = kind === Kind.starts ? stepOf.get(i) : last.get(run.m[i])
    if (step !== undefined && Object.keys(told).length > 0) said.push({ steps: step + 1, ...told })
    told = {}
    last.set(run.m[i], stepOf.get(i))
  }
  return said
}

describe('recordings', () => {
  it('are there, each with what it is named after', () => {
    assert.deepEqual(scenes, ['channel', 'handoff', 'overflow', 'preemption', 'stack', 'steal', 'tick'])
    for (const scene of scenes) {
      assert.ok(read(scene).made.steps.some((step) => rules[step.rule].jump === scene), scene)
    }
  })

  for (const scene of ['overflow', 'tick']) {
    it(`agree with the trace about the length of every queue: ${scene}`, () => {
      const { run, made } = read(scene)
      const states = new States(made.steps, made.layout)
      const said = saidOfQueues(run, made)
      assert.ok(said.length > 100, 'the trace says little of queues')
      for (const { steps, lrq, grq } of said) {
        const seen = lookAt(states.after(steps), made.layout)
        if (lrq !== undefined) assert.equal(seen.ps[0].lrq.length, lrq, `the LRQ after step ${steps}`)
        if (grq !== undefined) assert.equal(seen.grq.length, grq, `the GRQ after step ${steps}`)
      }
    })
  }

  it('move 129 goroutines when the ring is full', () => {
    const { made } = read('overflow')
    const overflow = made.steps.find((step) => step.rule === 'overflow')
    assert.equal(overflow.n, 129)
  })

  it('move the stack step by step from 2 KB', () => {
    const { made } = read('stack')
    const sizes = made.steps.filter((step) => step.rule === 'stack').map((step) => [step.fromSize, step.toSize])
    assert.equal(sizes[0][0], 11)
    for (let i = 1; i < sizes.length; ++i) assert.equal(sizes[i][0], sizes[i - 1][1])
    assert.ok(sizes.length >= 4)
  })
})

describe('the viewer in a browser', { timeout: 600_000 }, () => {
  let browser, page

  before(async () => {
    browser = await openBrowser({ colorScheme: 'light' })
    page = await browser.context.newPage()
  })
  after(async () => browser?.close())

  // What the page shows, in words and numbers.
  const shown = () =>
    page.evaluate(() => ({
      step: window.goro.view.count,
      title: document.querySelector('.now h2').textContent,
      said: document.querySelector('.said').textContent,
      grq: Number(document.querySelector('.grq .count').textContent),
      ps: [...document.querySelectorAll('.p')].map((p) => ({
        next: p.querySelector('.place .g')?.textContent ?? '',
        lrq: Number(p.querySelector('.lrq .label').textContent.replace('LRQ ', '')),
        first: [...p.querySelectorAll('.lrq .g')].map((chip) => chip.textContent),
        runs: p.querySelector('.runs .g')?.textContent ?? '',
      })),
    }))

  for (const scene of scenes) {
    it(`shows what the recording says: ${scene}`, async () => {
      const { made } = read(scene)
      const states = new States(made.steps, made.layout)
      const name = (g) => (g < 0 ? '' : `G${made.gs[g]}`)
      await page.goto(`file://${join(folder, `${scene}.html`)}`)
      await page.locator(`button[data-jump="${scene}"]`).click()
      const at = made.steps.findIndex((step) => rules[step.rule].jump === scene) + 1
      const places = [at, at + 1, 0, Math.floor(made.steps.length / 2), made.steps.length]
      for (const [i, count] of places.entries()) {
        if (i > 0) await page.evaluate((count) => window.goro.go(count), count)
        const view = await shown()
        const seen = lookAt(states.after(count), made.layout)
        assert.equal(view.step, count)
        assert.equal(view.grq, seen.grq.length)
        seen.ps.forEach((p, i) => {
          assert.equal(view.ps[i].lrq, p.lrq.length, `LRQ of P${i} after step ${count}`)
          assert.deepEqual(view.ps[i].first, p.lrq.slice(0, view.ps[i].first.length).map(name))
          assert.equal(view.ps[i].next, name(p.next))
          assert.equal(view.ps[i].runs, name(p.g))
        })
        if (count > 0) assert.equal(view.title, rules[made.steps[count - 1].rule].title)
      }
    })
  }

  it('goes by keys, plays, and stops', async () => {
    await page.goto(`file://${join(folder, 'channel.html')}`)
    const at = async () => (await shown()).step
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('ArrowRight')
    assert.equal(await at(), 2)
    await page.keyboard.press('ArrowLeft')
    assert.equal(await at(), 1)
    await page.keyboard.press('End')
    const last = await at()
    assert.equal(last, read('channel').made.steps.length)
    await page.keyboard.press('Home')
    await page.keyboard.press('c')
    assert.equal((await shown()).title, rules.handover.title)
    await page.keyboard.press('Home')
    await page.locator('.speed input').fill('6')
    await page.getByRole('button', { name: 'Play', exact: true }).click()
    await page.waitForFunction((last) => window.goro.view.count === last, last)
    await page.getByRole('button', { name: 'Play', exact: true }).waitFor()
  })

  it('shows the steps of one goroutine only', async () => {
    await page.goto(`file://${join(folder, 'overflow.html')}`)
    await page.getByLabel('Only steps of this goroutine, by number').fill('G5')
    await page.locator('body').click({ position: { x: 5, y: 5 } })
    const { made } = read('overflow')
    const g = made.gs.indexOf(5)
    const wanted = made.steps.flatMap((step, i) => (step.g === g || step.by === g || step.moved?.includes(g) ? [i + 1] : []))
    const found = []
    for (let i = 0; i < wanted.length; ++i) {
      await page.keyboard.press('ArrowRight')
      found.push((await shown()).step)
    }
    assert.deepEqual(found, wanted)
  })

  it('tells a screen reader each step, and has a name for every control', async () => {
    await page.goto(`file://${join(folder, 'tick.html')}`)
    await page.keyboard.press('t')
    const live = page.locator('[aria-live="polite"]')
    assert.match(await live.textContent(), /multiple of 61/)
    const nameless = await page.$$eval('button, input, select', (all) => all.filter((control) => !(control.textContent.trim() || control.getAttribute('aria-label') || control.title)).length)
    assert.equal(nameless, 0)
  })

  it('leads to the function that did it', async () => {
    await page.goto(`file://${join(folder, 'overflow.html')}`)
    await page.keyboard.press('o')
    const link = page.locator('.source a')
    assert.equal(await link.textContent(), 'runq_put_slow()')
    assert.match(await link.getAttribute('href'), /^\/code\/solutions\/04-local-run-queue\/run_queue\.cpp\.html#L\d+$/)
  })

  it('complains of nothing', () => {
    assert.deepEqual(browser.complaints, [])
  })
})
