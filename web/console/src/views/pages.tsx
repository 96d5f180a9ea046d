import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { get, post, remove } from '../api/api'
import { useAdmin } from '../layout'
import { Button } from '../ui/button'
import { Empty, Loaded, sentence } from '../ui/states'
import { Table } from '../ui/table'
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
  const open = useMutation({
    // The tab is opened at once, or the browser takes it for a pop-up.
    mutationFn: async ({ id, tab }: { id: string; tab: Window | null }) => {
      const { url } = await post('/api/v1/pages/{id}/open', undefined, { id })
      ;(tab ?? window).location.replace(url)
    },
    onError: (e, { tab }) => {
      tab?.close()
      say(sentence(e), true)
    },
  })
  return (
    <>
      <header className="head">
        <div>
          <h1>Pages</h1>
          <p>Reports that agents handed to people, for as long as they live.</p>
        </div>
      </header>
      <div className="panel">
        <Loaded query={pages} rows={4}>
          {(data) =>
            data.length === 0 ? (
              <Empty icon="page" title="No page is live">
                <p>Ask an agent for a report as a page: it gives you a link that opens once.</p>
              </Empty>
            ) : (
              <Table columns={['Page', 'Made', 'Ends']} actions>
                {data.map((p) => (
                  <tr key={p.id}>
                    <td>
                      <button type="button" className="text" onClick={() => open.mutate({ id: p.id, tab: window.open('about:blank') })}>
                        {p.title}
                      </button>
                    </td>
                    <td data-name="Made">
                      <Time at={p.created_at} />
                    </td>
                    <td data-name="Ends">
                      <Time at={p.expires_at} />
                    </td>
                    <td className="tight">{admin && <Button onClick={() => drop.mutate(p.id)}>Delete</Button>}</td>
                  </tr>
                ))}
              </Table>
            )
          }
        </Loaded>
      </div>
    </>
  )
}
