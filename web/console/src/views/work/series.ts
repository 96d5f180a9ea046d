/** What a report's lines are made of: the tool's series. */
export interface Series {
  x: string[]
  lines: { name: string; values: (number | null)[] }[]
}

/** How a report is drawn. Stacked values are sums, so what is shown in words is kept beside them. */
export interface Drawing {
  kind: 'lines' | 'bars' | 'bands'
  names: string[]
  values: (number | null)[][]
  shown: (number | null)[][]
}

const bars = new Set(['velocity', 'throughput', 'workload', 'aging_wip', 'time_in_status', 'created_vs_resolved', 'sprint_report'])
const bands = new Set(['cumulative_flow', 'workload'])

/** Chooses the form of a report's lines, and stacks what adds up. */
export function drawingOf(type: string, { lines }: Series): Drawing {
  if (!bands.has(type)) {
    return { kind: bars.has(type) && lines.length === 1 ? 'bars' : 'lines', names: lines.map((l) => l.name), values: lines.map((l) => l.values), shown: lines.map((l) => l.values) }
  }
  // The first line is drawn last, on top of the sums behind it.
  const sums: (number | null)[][] = []
  const reversed = [...lines].reverse()
  let below: (number | null)[] = []
  for (const line of reversed) {
    below = line.values.map((v, n) => (v === null ? null : v + (below[n] ?? 0)))
    sums.push(below)
  }
  sums.reverse()
  return { kind: bars.has(type) ? 'bars' : 'bands', names: lines.map((l) => l.name), values: sums, shown: lines.map((l) => l.values) }
}
