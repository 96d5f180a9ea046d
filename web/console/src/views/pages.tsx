import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { get, remove } from '../api/api'
import { useAdmin } from '../layout'
import { Button } from '../ui/button'
import { Empty, Problem, sentence, Skeleton } from '../ui/states'
import { Time } from '../ui/time'
import { say } from '../ui/toast'

/** The reports that agents have handed out and that are still live. */
export default function Pages() {
  const admin = useAdmin()
  const queries = useQueryClient()
  const pages = useQuery({ queryKey: ['pages'], queryFn: ({ signal }) => get('/api/v1/pages', { signal }) })
  const drop = useMutation({
    mutationFn: (id: string) => remove('/api/v1/pages/{id}', { id }),
    onError: (e) => say(sentence(e), true),
    onSettled: () => queries.invalidateQueries({ queryKey: ['pages'] }),
  })
  return (
    <>
      <header className="head">
        <div>
          <h1>Pages</h1>
          <p>Reports that agents handed to people. Each opens by the link that the agent gave.</p>
        </div>
      </header>
      <div className="panel">
        {pages.isPending ? (
          <Skeleton rows={4} />
        ) : pages.isError ? (
          <Problem error={pages.error} retry={() => void pages.refetch()} />
        ) : pages.data.length === 0 ? (
          <Empty icon="page" title="No page is live">
            <p>Ask an agent for a report as a page: it gives you a link that opens once.</p>
          </Empty>
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th>Page</th>
                <th>Made</th>
                <th>Ends</th>
                <th>
                  <span className="hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {pages.data.map((p) => (
                <tr key={p.id}>
                  <td>{p.title}</td>
                  <td data-name="Made">
                    <Time at={p.created_at} />
                  </td>
                  <td data-name="Ends">
                    <Time at={p.expires_at} />
                  </td>
                  <td className="tight">{admin && <Button onClick={() => drop.mutate(p.id)}>Delete</Button>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
    </>
  )
}
