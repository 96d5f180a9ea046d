import type { Issue } from '../../api/tracker'
import { sentence } from '../../ui/states'
import { say } from '../../ui/toast'
import { type IssueChange, useIssueChange, useProject } from './queries'

/** Where an issue stands; status, priority and assignee change as soon as they are chosen. */
export function Facts({ issue, project: key }: { issue: Issue; project: string }) {
  const project = useProject(key)
  const change = useIssueChange(issue.key)
  const set = (c: IssueChange) => change.mutate(c, { onError: (e) => say(sentence(e), true) })
  const people = project.data?.members ?? []
  const known = people.some((p) => p.email === issue.assignee)
  return (
    <div className="stack">
      <label>
        Status
        <select value={issue.status} onChange={(e) => set({ status: e.target.value })}>
          {[...new Set([issue.status, ...issue.next_statuses])].map((s) => (
            <option key={s}>{s}</option>
          ))}
        </select>
      </label>
      <label>
        Assignee
        <select value={issue.assignee ?? ''} onChange={(e) => set({ assignee: e.target.value || null })}>
          <option value="">nobody</option>
          {issue.assignee && !known && <option>{issue.assignee}</option>}
          {people.map((p) => (
            <option key={p.email} value={p.email}>
              {p.name}
            </option>
          ))}
        </select>
      </label>
      <label>
        Priority
        <select value={issue.priority} onChange={(e) => set({ priority: e.target.value })}>
          {['urgent', 'high', 'medium', 'low'].map((p) => (
            <option key={p}>{p}</option>
          ))}
        </select>
      </label>
      <dl className="facts">
        <dt>Type</dt>
        <dd>{issue.type}</dd>
        {issue.points !== undefined && (
          <>
            <dt>Points</dt>
            <dd>{issue.points}</dd>
          </>
        )}
        {issue.sprint && (
          <>
            <dt>Sprint</dt>
            <dd>{issue.sprint}</dd>
          </>
        )}
        {issue.due_date && (
          <>
            <dt>Due</dt>
            <dd>{issue.due_date}</dd>
          </>
        )}
        {issue.labels && issue.labels.length > 0 && (
          <>
            <dt>Labels</dt>
            <dd className="badges">
              {issue.labels.map((l) => (
                <span key={l} className="badge">
                  {l}
                </span>
              ))}
            </dd>
          </>
        )}
      </dl>
    </div>
  )
}
