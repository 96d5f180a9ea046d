import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { type Drawing, drawingOf, type Series } from './series'

interface Props {
  type: string
  title: string
  series: Series
}

/** The lines or bars of a report; the numbers are beside it for who cannot see it. */
export default function Chart({ type, title, series }: Props) {
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const el = box.current
    if (!el) return
    let plot: uPlot | null = null
    const draw = () => {
      plot?.destroy()
      plot = new uPlot(optionsOf(el, series.x, drawingOf(type, series)), [series.x.map((_, n) => n), ...drawingOf(type, series).values], el)
    }
    draw()
    const resized = new ResizeObserver(() => plot?.setSize({ width: el.clientWidth, height: 320 }))
    resized.observe(el)
    const recoloured = new MutationObserver(draw)
    recoloured.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })
    const scheme = window.matchMedia('(prefers-color-scheme: dark)')
    scheme.addEventListener('change', draw)
    return () => {
      resized.disconnect()
      recoloured.disconnect()
      scheme.removeEventListener('change', draw)
      plot?.destroy()
    }
  }, [type, series])
  return <div ref={box} className="chart" role="img" aria-label={title} />
}

const light = ['#2456b8', '#b3541e', '#146c43', '#7a3fa0', '#865200', '#576375']
const dark = ['#8ab4ff', '#ffab7a', '#6fd3a0', '#d3a6f5', '#f0bd65', '#a0acbb']

function optionsOf(el: HTMLElement, x: string[], drawing: Drawing): uPlot.Options {
  const style = getComputedStyle(el)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  const palette = style.colorScheme.includes('dark') ? dark : light
  const axis = { stroke: colour('--soft'), grid: { stroke: colour('--edge'), width: 1 }, ticks: { show: false } }
  return {
    width: el.clientWidth,
    height: 320,
    padding: [null, 40, null, null], // or the last date is cut
    scales: { x: { time: false, range: [-0.5, x.length - 0.5] }, y: { range: (_u, _min, max) => [0, max > 0 ? max * 1.08 : 1] } },
    axes: [
      { ...axis, grid: { show: false }, space: 90, incrs: [1, 2, 5, 7, 10, 14, 20, 30, 50, 100], values: (_u, splits) => splits.map((n) => (x[n] ?? '').slice(0, 16)) },
      { ...axis, size: 46 },
    ],
    series: [
      { value: (_u, n) => x[n] ?? '' },
      ...drawing.names.map((label, n) => {
        const stroke = palette[n % palette.length] ?? '#888'
        return {
          label,
          stroke,
          width: 2,
          fill: drawing.kind === 'lines' ? undefined : `${stroke}${drawing.kind === 'bars' ? 'b0' : '60'}`,
          dash: label === 'ideal' ? [6, 5] : undefined,
          paths: drawing.kind === 'bars' ? uPlot.paths.bars?.({ size: [0.62 / drawing.names.length, 60], align: 0 }) : undefined,
          points: { show: false },
          value: (_u: uPlot, v: number | null, s: number, i: number | null) => (v === null || i === null ? '' : String(drawing.shown[s - 1]?.[i] ?? '')),
        }
      }),
    ],
    cursor: { drag: { x: false, y: false } },
  }
}
