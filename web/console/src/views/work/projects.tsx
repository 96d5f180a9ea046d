import { useState } from 'react'
import { Button } from '../../ui/button'
import { useFilters } from '../../ui/filters'
import { Icon } from '../../ui/icon'
import { To } from '../../ui/link'
import { Empty, Loaded } from '../../ui/states'
import { Table } from '../../ui/table'
import { NewProject } from './new-project'
import { useProjectList } from './queries'

/** The projects of the tenant. */
export default function Projects() {
  const { values, set } = useFilters(['state'] as const)
  const projects = useProjectList(values.state || 'active')
  const [creating, setCreating] = useState(false)
  return (
    <>
      <header className="head">
        <div>
          <h1>Projects</h1>
        </div>
        <select className="auto" aria-label="State" value={values.state} onChange={(e) => set({ state: e.target.value })}>
          <option value="">active</option>
          <option value="archived">archived</option>
          <option value="all">all</option>
        </select>
        <Button kind="primary" onClick={() => setCreating(true)}>
          <Icon name="plus" /> New project
        </Button>
      </header>
      <div className="panel">
        <Loaded query={projects} rows={4}>
          {(data) =>
            data.items.length === 0 ? (
              <Empty icon="folder" title="No project here" />
            ) : (
              <Table columns={['Project', 'Lead', 'State', 'Open', 'Issues']} numbers={['Open', 'Issues']}>
                {data.items.map((p) => (
                  <tr key={p.key}>
                    <td>
                      <span className="mono soft">{p.key}</span>{' '}
                      <To className="main" to={`/projects/${p.key}`}>
                        {p.name}
                      </To>
                      {p.description && <small>{p.description}</small>}
                    </td>
                    <td data-name="Lead">{p.lead}</td>
                    <td data-name="State">
                      <span className="badge">{p.state}</span>
                    </td>
                    <td data-name="Open" className="num">
                      {p.open.toLocaleString()}
                    </td>
                    <td data-name="Issues" className="num">
                      {p.total.toLocaleString()}
                    </td>
                  </tr>
                ))}
              </Table>
            )
          }
        </Loaded>
      </div>
      {creating && <NewProject onClose={() => setCreating(false)} />}
    </>
  )
}
