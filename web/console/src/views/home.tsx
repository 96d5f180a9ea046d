import { useSession } from '../session/store'
import { Icon } from '../ui/icon'
import { To } from '../ui/link'
import { Problem, Skeleton } from '../ui/states'
import { usePreferences } from '../ui/theme'
import { useTokens } from './tokens/queries'
import { Lately } from './work/project'
import { useProjectList } from './work/queries'

/** Where one begins: what is missing, the projects, and what happened lately. */
export function Home() {
  const me = useSession((s) => s.me)
  const seen = usePreferences((p) => p.seen)
  const projects = useProjectList('active')
  const tokens = useTokens()
  if (projects.isPending || tokens.isPending) return <Skeleton />
  if (projects.isError) return <Problem error={projects.error} retry={() => void projects.refetch()} />
  const used = tokens.data?.some((t) => t.last_used_at) ?? true
  const alarms = tokens.data?.filter((t) => t.ended_why === 'reused' && t.owner === me?.email && !seen.includes(t.id)) ?? []
  const empty = projects.data.items.length === 0
  return (
    <div className="stack">
      <header className="head">
        <div>
          <h1>{me?.name ? `Hello, ${me.name.split(' ')[0]}` : 'Hello'}</h1>
        </div>
      </header>
      {(empty || !used) && (
        <To to="/welcome" className="note row">
          <Icon name="check" />
          <span className="grow">{empty ? 'Set up your first project and connect an agent.' : 'No agent of yours has called yet: connect one.'}</span>
          <b>Begin</b>
        </To>
      )}
      {alarms.map((t) => (
        <To key={t.id} to={`/tokens/${t.id}`} className="note warn row">
          <Icon name="alert" />
          <span className="grow">“{t.name}” was shut out: a secret of it was used twice.</span>
          <b>Look</b>
        </To>
      ))}
      {!empty && (
        <ul className="cards">
          {projects.data.items.map((p) => (
            <li key={p.key} className="panel pad">
              <To to={`/projects/${p.key}`} className="main">
                {p.name}
              </To>
              <p className="mono soft">{p.key}</p>
              <p>
                <To to={`/issues?project=${p.key}`}>{p.open.toLocaleString()} open</To>{' '}
                <span className="soft">of {p.total.toLocaleString()} issues</span>
              </p>
            </li>
          ))}
        </ul>
      )}
      <Lately />
    </div>
  )
}
