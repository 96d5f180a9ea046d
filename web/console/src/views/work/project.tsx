import { useParams } from 'react-router'
import { ApiError } from '../../api/http'
import { To } from '../../ui/link'
import { Prose } from '../../ui/prose'
import { Empty, Loaded, Problem, Skeleton } from '../../ui/states'
import { StatusBadge } from '../../ui/status'
import { ChangeLine } from './history'
import { useProject, useRecent } from './queries'

/** One project: how issues flow in it, its sprints, and what happened lately. */
export default function ProjectView() {
  const { key = '' } = useParams()
  const project = useProject(key.toUpperCase())
  if (project.isPending) return <Skeleton />
  if (project.isError) {
    if (project.error instanceof ApiError && project.error.status === 404) return <Empty icon="folder" title="There is no such project" />
    return <Problem error={project.error} retry={() => void project.refetch()} />
  }
  const p = project.data
  return (
    <div className="stack">
      <header className="head">
        <div>
          <p>
            <To to="/projects">Projects</To> / <span className="mono">{p.key}</span>
          </p>
          <h1>{p.name}</h1>
        </div>
        <To className="button" to={`/reports?project=${p.key}`}>
          Its reports
        </To>
        <To className="button" to={`/issues?project=${p.key}`}>
          Its issues
        </To>
      </header>
      <div className="columns">
        <section className="panel pad stack tight">
          <h2>About</h2>
          {p.description && <Prose text={p.description} />}
          <dl className="facts">
            <dt>Lead</dt>
            <dd>{p.lead ?? 'nobody'}</dd>
            <dt>State</dt>
            <dd>{p.state}</dd>
            <dt>Template</dt>
            <dd>{p.template}</dd>
            <dt>Types</dt>
            <dd>{p.issue_types?.join(', ')}</dd>
          </dl>
        </section>
        <section className="panel pad stack tight">
          <h2>Workflow</h2>
          <div className="badges">
            {p.workflow?.map((s) => (
              <To key={s.name} to={`/issues?project=${p.key}&status=${encodeURIComponent(s.name)}`}>
                <StatusBadge name={s.name} category={s.category} />
              </To>
            ))}
          </div>
          {p.sprints && p.sprints.length > 0 && (
            <>
              <h2>Sprints</h2>
              <ul className="bare">
                {p.sprints.slice(0, 6).map((s) => (
                  <li key={s.name} className="row">
                    <span className="grow">{s.name}</span>
                    <span className="soft">
                      {s.start} – {s.end}
                    </span>
                    <span className={s.state === 'active' ? 'badge good' : 'badge'}>{s.state}</span>
                  </li>
                ))}
              </ul>
            </>
          )}
        </section>
      </div>
      <Lately project={p.key} />
    </div>
  )
}

/** What changed lately, in a project or in all. */
export function Lately({ project }: { project?: string }) {
  const recent = useRecent(project ? { project } : {})
  return (
    <section className="panel pad stack tight">
      <h2>Lately</h2>
      <Loaded query={recent} rows={5}>
        {(data) =>
          data.items.length === 0 ? (
            <p className="soft">Nothing yet.</p>
          ) : (
            <ul className="bare lately">
              {data.items.map((a, n) => (
                <li key={n}>
                  <To to={`/issues/${a.key}`} className="mono">
                    {a.key}
                  </To>
                  <ul className="bare">
                    <ChangeLine change={a} />
                  </ul>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </section>
  )
}
