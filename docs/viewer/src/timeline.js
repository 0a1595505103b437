// The whole run beside the step: what each P ran, and how many goroutines could have run.
import uPlot from 'uplot'
import { lanesOf, runnableOf } from './lanes.js'

const kLane = 18
const kGap = 4
const kCurve = 46
const kAxis = 26

// Draws into `element`. `seek(step)` is called when somebody clicks; `color(g)`; `theme()`: colours
// for lines and text.
export function makeTimeline(element, { steps, ps, color, theme, seek }) {
  const lanes = lanesOf(steps, ps)
  const runnable = runnableOf(steps)
  const first = steps.length > 0 ? steps[0].time : 0
  let byTime = false
  let current = 0
  let marked = -1
  const x = (step) => (byTime ? ((steps[Math.min(step, steps.length - 1)]?.time ?? 0) - first) / 1000 : step)
  const lanesHeight = ps * (kLane + kGap) + kGap
  const height = lanesHeight + kCurve + kAxis

  function drawLanes(u) {
    const { ctx, bbox } = u
    const ratio = devicePixelRatio
    const look = theme()
    ctx.save()
    ctx.beginPath()
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
    ctx.clip()
    ctx.font = `${10 * ratio}px ui-monospace, monospace`
    ctx.textAlign = 'left'
    ctx.textBaseline = 'middle'
    lanes.forEach((lane, p) => {
      const top = bbox.top + (kGap + p * (kLane + kGap)) * ratio
      ctx.fillStyle = look.lane
      ctx.fillRect(bbox.left, top, bbox.width, kLane * ratio)
      let drawn = -1
      for (let i = 0; i < lane.from.length; ++i) {
        const left = u.valToPos(x(lane.from[i]), 'x', true)
        const right = u.valToPos(x(lane.to[i]), 'x', true)
        if (right < bbox.left || left > bbox.left + bbox.width || right <= drawn) continue
        const width = Math.max(right - left, 1)
        drawn = left + width
        ctx.globalAlpha = (lane.call[i] ? 0.35 : 1) * (marked < 0 || marked === lane.g[i] ? 1 : 0.2)
        ctx.fillStyle = color(lane.g[i])
        ctx.fillRect(left, top, Math.max(width - (width > 3 ? 1 : 0), 1), kLane * ratio)
        if (width > 26 * ratio) {
          ctx.fillStyle = lane.call[i] ? look.text : '#fff'
          ctx.fillText(names.g(lane.g[i]), Math.max(left, bbox.left) + 4 * ratio, top + (kLane / 2) * ratio)
        }
      }
      ctx.globalAlpha = 1
    })
    const at = u.valToPos(x(current), 'x', true)
    ctx.fillStyle = look.now
    ctx.fillRect(at - ratio, bbox.top, 2 * ratio, bbox.height)
    ctx.restore()
    // What the lanes are called, beside them.
    ctx.save()
    ctx.fillStyle = look.text
    ctx.font = `${11 * ratio}px ui-monospace, monospace`
    ctx.textAlign = 'right'
    ctx.textBaseline = 'middle'
    lanes.forEach((lane, p) => ctx.fillText(`P${p}`, bbox.left - 8 * ratio, bbox.top + (kGap + p * (kLane + kGap) + kLane / 2) * ratio))
    ctx.restore()
  }

  let names = { g: (g) => `G${g}` }
  const dataOf = () => [steps.map((_, i) => x(i)), runnable]
  const look = theme
  const axis = { stroke: () => look().text, grid: { stroke: () => look().grid, width: 1 }, ticks: { show: false }, font: '11px ui-monospace, monospace' }
  const most = Math.max(1, ...[runnable.reduce((a, b) => Math.max(a, b), 0)])
  const plot = new uPlot(
    {
      width: Math.max(element.clientWidth, 200),
      height,
      legend: { show: false },
      padding: [0, 12, 0, 0],
      cursor: { drag: { x: true, y: false }, points: { show: false }, y: false },
      // The curve has the space below the lanes.
      scales: { x: { time: false }, y: { range: () => [0, (most * (lanesHeight + kCurve)) / kCurve] } },
      axes: [
        { ...axis, size: kAxis, values: (u, ticks) => ticks.map((tick) => (byTime ? (tick >= 10_000 ? `${tick / 1000} ms` : `${tick} µs`) : Number.isInteger(tick) ? tick : '')) },
        { ...axis, size: 44, splits: () => [0, most], filter: (u, splits) => splits, grid: { show: false }, values: (u, splits) => splits.map(String) },
      ],
      series: [{}, { stroke: () => look().now, fill: () => look().fill, width: 1, points: { show: false }, paths: uPlot.paths.stepped({ align: 1 }) }],
      hooks: { draw: [drawLanes] },
    },
    dataOf(),
    element,
  )
  plot.over.addEventListener('click', (event) => {
    if (plot.select.width > 0) return
    const value = plot.posToVal(event.offsetX, 'x')
    let nearest = 0
    if (byTime) {
      let high = steps.length - 1
      while (nearest < high) {
        const middle = (nearest + high + 1) >> 1
        if (x(middle) <= value) nearest = middle
        else high = middle - 1
      }
    } else nearest = Math.round(value)
    seek(Math.min(Math.max(nearest, 0), steps.length - 1) + 1)
  })
  new ResizeObserver(() => plot.setSize({ width: Math.max(element.clientWidth, 200), height })).observe(element)

  return {
    names(given) { names = given },
    show(count, g) {
      current = Math.max(count - 1, 0)
      marked = g
      const at = x(current)
      const { min, max } = plot.scales.x
      // A window that somebody has zoomed into follows the step.
      if (min !== undefined && (at < min || at > max)) {
        const half = (max - min) / 2
        plot.setScale('x', { min: at - half, max: at + half })
      } else plot.redraw(false)
    },
    byTime(yes) {
      byTime = yes
      plot.setData(dataOf(), true)
    },
    whole() { plot.setData(dataOf(), true) },
    destroy() { plot.destroy() },
  }
}
