import { lazy, Suspense } from 'react'
import { useQuery } from '@tanstack/react-query'
import { tool } from '../../api/api'
import { useFilters } from '../../ui/filters'
import { Empty, Loaded } from '../../ui/states'
import { useProjectList } from './queries'
import type { Series } from './series'

const Chart = lazy(() => import('./chart'))

const types = [
  ['sprint_burndown', 'Sprint burndown'],
  ['sprint_burnup', 'Sprint burnup'],
  ['velocity', 'Velocity'],
  ['cumulative_flow', 'Cumulative flow'],
  ['throughput', 'Throughput'],
  ['created_vs_resolved', 'Created and resolved'],
  ['cycle_time', 'Cycle time'],
  ['lead_time', 'Lead time'],
  ['time_in_status', 'Time in status'],
  ['aging_wip', 'Age of work in progress'],
  ['workload', 'Workload'],
  ['forecast', 'Forecast'],
  ['project_status', 'Project status'],
] as const

interface Report {
  title: string
  headline: string
  definition: string
  summary?: Record<string, unknown>
  warnings?: string[]
  unit?: string
  series?: Series
}

/** The reports that agents read, for people. */
export default function Reports() {
  const { values, set } = useFilters(['project', 'type'] as const)
  const projects = useProjectList('active')
  const project = values.project || projects.data?.items[0]?.key || ''
  const type = values.type || 'throughput'
  const report = useQuery({
    queryKey: ['report', type, project],
    queryFn: ({ signal }) => tool<Report>('get_report', { type, project: [project], detail: 'series' }, signal),
    enabled: project !== '',
    retry: false,
  })
  if (projects.data?.items.length === 0) return <Empty icon="chart" title="Reports need a project" />
  return (
    <>
      <header className="head">
        <div>
          <h1>Reports</h1>
        </div>
        <select className="auto" aria-label="Project" value={project} onChange={(e) => set({ project: e.target.value })}>
          {projects.data?.items.map((p) => (
            <option key={p.key} value={p.key}>
              {p.name}
            </option>
          ))}
        </select>
        <select className="auto" aria-label="Report" value={type} onChange={(e) => set({ type: e.target.value })}>
          {types.map(([name, title]) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </select>
      </header>
      <Loaded query={report}>{(data) => <Shown report={data} type={type} />}</Loaded>
    </>
  )
}

function Shown({ report, type }: { report: Report; type: string }) {
  const facts = Object.entries(report.summary ?? {}).filter(([, v]) => typeof v === 'number' || typeof v === 'string')
  return (
    <div className="stack">
      <section className="panel pad stack tight">
        <p>{report.headline}</p>
        {report.series && report.series.x.length > 0 && (
          <Suspense fallback={<div className="chart" />}>
            <Chart type={type} title={`${report.title}: ${report.headline}`} series={report.series} />
          </Suspense>
        )}
        {report.warnings?.map((w) => (
          <p key={w} className="note warn">
            {w}
          </p>
        ))}
      </section>
      {facts.length > 0 && (
        <section className="panel pad">
          <dl className="facts">
            {facts.map(([name, v]) => (
              <div key={name}>
                <dt>{name.replaceAll('_', ' ')}</dt>
                <dd>{typeof v === 'number' ? v.toLocaleString() : String(v)}</dd>
              </div>
            ))}
          </dl>
        </section>
      )}
      {report.series && <Numbers series={report.series} />}
      <p className="soft">
        {report.unit && `In ${report.unit}. `}
        {report.definition}
      </p>
    </div>
  )
}

function Numbers({ series }: { series: Series }) {
  return (
    <details className="panel pad">
      <summary>Numbers</summary>
      <div className="scroll" tabIndex={0} role="region" aria-label="Numbers">
        <table className="numbers">
          <thead>
            <tr>
              <th>
                <span className="hidden">At</span>
              </th>
              {series.lines.map((l) => (
                <th key={l.name}>{l.name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {series.x.map((x, n) => (
              <tr key={x}>
                <th scope="row">{x}</th>
                {series.lines.map((l) => (
                  <td key={l.name}>{l.values[n]}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  )
}
