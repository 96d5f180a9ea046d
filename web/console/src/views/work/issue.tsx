import { useState } from 'react'
import { useParams } from 'react-router'
import type { Issue } from '../../api/tracker'
import { Button } from '../../ui/button'
import { To } from '../../ui/link'
import { Prose } from '../../ui/prose'
import { Empty, Problem, Skeleton } from '../../ui/states'
import { StatusBadge } from '../../ui/status'
import { Time } from '../../ui/time'
import { ApiError } from '../../api/http'
import { Attachments } from './attachments'
import { Comments } from './comments'
import { EditIssue } from './edit-issue'
import { Facts } from './facts'
import { History } from './history'
import { useIssue } from './queries'

/** One issue: what it says, where it stands, and how it came there. */
export default function IssueView() {
  const { key = '' } = useParams()
  const issue = useIssue(key.toUpperCase())
  if (issue.isPending) return <Skeleton rows={10} />
  if (issue.isError) {
    if (issue.error instanceof ApiError && issue.error.status === 404) return <Nothing />
    return <Problem error={issue.error} retry={() => void issue.refetch()} />
  }
  return issue.data ? <Shown issue={issue.data} /> : <Nothing />
}

const Nothing = () => (
  <Empty icon="list" title="There is no such issue">
    <p>It does not exist, or you may not see it.</p>
  </Empty>
)

function Shown({ issue }: { issue: Issue }) {
  const [editing, setEditing] = useState(false)
  const project = issue.key.split('-')[0] ?? ''
  return (
    <article>
      <header className="head">
        <div>
          <p>
            <To to={`/projects/${project}`}>{project}</To> / <span className="mono">{issue.key}</span>
          </p>
          <h1>{issue.title}</h1>
        </div>
        <Button onClick={() => setEditing(true)}>Edit</Button>
      </header>
      <div className="issue">
        <div className="stack">
          <section className="panel pad">{issue.description ? <Prose text={issue.description} /> : <p className="soft">No description.</p>}</section>
          <Related issue={issue} />
          <Attachments issue={issue} />
          <Comments issue={issue} />
          <History history={issue.history ?? []} />
        </div>
        <aside className="panel pad" aria-label="Properties">
          <Facts issue={issue} project={project} />
          <p className="soft below">
            Created <Time at={issue.created} /> by {issue.reporter ?? 'an agent'}, changed <Time at={issue.updated} />
          </p>
        </aside>
      </div>
      {editing && <EditIssue issue={issue} onClose={() => setEditing(false)} />}
    </article>
  )
}

function Related({ issue }: { issue: Issue }) {
  const rows = [
    ...(issue.parent && !issue.relations?.some((r) => r.key === issue.parent) ? [{ what: 'part of', key: issue.parent, title: '', status: '' }] : []),
    ...(issue.relations ?? []).map((r) => ({ what: r.relation.replaceAll('_', ' '), ...r })),
    ...(issue.children ?? []).map((c) => ({ what: 'has', ...c })),
  ]
  if (rows.length === 0) return null
  return (
    <section className="panel pad stack tight">
      <h2>Related</h2>
      <ul className="bare">
        {rows.map((r) => (
          <li key={r.what + r.key} className="row">
            <span className="soft what">{r.what}</span>
            <To to={`/issues/${r.key}`} className="mono">
              {r.key}
            </To>
            <span className="grow clip">{r.title}</span>
            {r.status && <StatusBadge name={r.status} />}
          </li>
        ))}
      </ul>
    </section>
  )
}
