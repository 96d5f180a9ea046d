import { useState } from 'react'
import type { IssueRow } from '../../api/tracker'
import { Button } from '../../ui/button'
import { useDebounced } from '../../ui/debounced'
import { useFilters } from '../../ui/filters'
import { Icon } from '../../ui/icon'
import { To } from '../../ui/link'
import { Empty, Loaded } from '../../ui/states'
import { Table } from '../../ui/table'
import { Priority, StatusBadge } from '../../ui/status'
import { Time } from '../../ui/time'
import { NewIssue } from './new-issue'
import { useIssues, useProject, useProjectList } from './queries'

const names = ['q', 'project', 'open', 'status', 'assignee', 'priority'] as const
const everything = ['todo', 'in_progress', 'done', 'cancelled']

/** The issues of the tenant, under filters that are in the address. */
export default function Issues() {
  const { values, set, any } = useFilters(names)
  const [creating, setCreating] = useState(false)
  const still = useDebounced(values)
  const filter = {
    ...(still.q && { query: still.q }),
    ...(still.project && { project: still.project }),
    ...(still.status ? { status: [still.status] } : still.open === 'done' ? { category: ['done', 'cancelled'] } : still.open === 'all' && { category: everything }),
    ...(still.assignee && { assignee: still.assignee }),
    ...(still.priority && { priority: [still.priority] }),
  }
  const issues = useIssues(filter)
  const rows = issues.data?.pages.flatMap((p) => p.items) ?? []
  const total = issues.data?.pages[0]?.total ?? 0
  return (
    <>
      <header className="head">
        <div>
          <h1>Issues</h1>
          <p>{issues.data ? `${total.toLocaleString()} ${total === 1 ? 'issue fits' : 'issues fit'}` : '\u00a0'}</p>
        </div>
        <Button kind="primary" onClick={() => setCreating(true)}>
          <Icon name="plus" /> New issue
        </Button>
      </header>
      <Filters values={values} set={set} any={any} />
      <div className="panel">
        <Loaded query={issues} rows={12}>
          {() =>
            rows.length === 0 ? (
              <Empty icon="list" title="No issue fits">
                {any && <p>Loosen the filters to see more.</p>}
              </Empty>
            ) : (
              <IssueTable rows={rows} />
            )
          }
        </Loaded>
      </div>
      {issues.hasNextPage && (
        <p className="below">
          <Button busy={issues.isFetchingNextPage} onClick={() => void issues.fetchNextPage()}>
            Show more
          </Button>{' '}
          <span className="soft">
            {rows.length} of {total}
          </span>
        </p>
      )}
      {creating && <NewIssue project={values.project} onClose={() => setCreating(false)} />}
    </>
  )
}

interface FiltersProps {
  values: Record<(typeof names)[number], string>
  set: (changes: Partial<Record<(typeof names)[number], string>>) => void
  any: boolean
}

function Filters({ values, set, any }: FiltersProps) {
  const projects = useProjectList('active')
  const project = useProject(values.project)
  return (
    <div className="tools">
      <input type="search" aria-label="Search issues" placeholder="Search" value={values.q} onChange={(e) => set({ q: e.target.value })} />
      <select aria-label="Project" value={values.project} onChange={(e) => set({ project: e.target.value, status: '' })}>
        <option value="">all projects</option>
        {projects.data?.items.map((p) => (
          <option key={p.key} value={p.key}>
            {p.name}
          </option>
        ))}
      </select>
      <select aria-label="Open or done" value={values.open} onChange={(e) => set({ open: e.target.value, status: '' })}>
        <option value="">open</option>
        <option value="done">done</option>
        <option value="all">all</option>
      </select>
      {project.data?.workflow && (
        <select aria-label="Status" value={values.status} onChange={(e) => set({ status: e.target.value })}>
          <option value="">any status</option>
          {project.data.workflow.map((s) => (
            <option key={s.name}>{s.name}</option>
          ))}
        </select>
      )}
      <select aria-label="Assignee" value={values.assignee} onChange={(e) => set({ assignee: e.target.value })}>
        <option value="">anybody</option>
        <option value="me">me</option>
        <option value="none">nobody</option>
        {project.data?.members?.map((m) => (
          <option key={m.email} value={m.email}>
            {m.name}
          </option>
        ))}
      </select>
      <select aria-label="Priority" value={values.priority} onChange={(e) => set({ priority: e.target.value })}>
        <option value="">any priority</option>
        {['urgent', 'high', 'medium', 'low'].map((p) => (
          <option key={p}>{p}</option>
        ))}
      </select>
      {any && (
        <Button kind="quiet" onClick={() => set(Object.fromEntries(names.map((n) => [n, ''])))}>
          Clear
        </Button>
      )}
    </div>
  )
}

export function IssueTable({ rows }: { rows: IssueRow[] }) {
  return (
    <Table columns={['Issue', 'Status', 'Priority', 'Assignee', 'Points', 'Updated']} numbers={['Points']} className="table issues">
      {rows.map((i) => (
        <tr key={i.key}>
          <td>
            <span className="row issue-title">
              <span className="mono soft">{i.key}</span>
              <To className="main grow" to={`/issues/${i.key}`}>
                {i.title}
              </To>
              {i.labels && i.labels.length > 0 && (
                <span className="badges labels">
                  {i.labels.map((l) => (
                    <span key={l} className="badge">
                      {l}
                    </span>
                  ))}
                </span>
              )}
            </span>
          </td>
          <td data-name="Status">
            <StatusBadge name={i.status} category={i.category} />
          </td>
          <td data-name="Priority">
            <Priority name={i.priority} />
          </td>
          <td data-name="Assignee">{i.assignee ? <span title={i.assignee}>{i.assignee.split('@')[0]}</span> : <span className="soft">nobody</span>}</td>
          <td data-name="Points" className="num">
            {i.points}
          </td>
          <td data-name="Updated" className="tight">
            <Time at={i.updated} />
          </td>
        </tr>
      ))}
    </Table>
  )
}
