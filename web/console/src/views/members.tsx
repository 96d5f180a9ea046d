import { useState } from 'react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { get, type Member, patch } from '../api/api'
import { useAdmin } from '../layout'
import { useSession } from '../session/store'
import { Button } from '../ui/button'
import { Dialog } from '../ui/dialog'
import { useFilters } from '../ui/filters'
import { Empty, Loaded, sentence } from '../ui/states'
import { Table } from '../ui/table'
import { Time } from '../ui/time'
import { say } from '../ui/toast'
import { Invite } from './invite'

const roles = ['viewer', 'member', 'admin', 'owner']

const useChange = () => {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: ({ id, ...change }: { id: string; role?: string; active?: boolean }) => patch('/api/v1/members/{id}', change, { id }),
    onSuccess: () => say('Changed. It is in force.'),
    onError: (e) => say(sentence(e), true),
    onSettled: () => queries.invalidateQueries({ queryKey: ['members'] }),
  })
}

/** The people of the tenant. */
export default function Members() {
  const members = useQuery({ queryKey: ['members'], queryFn: ({ signal }) => get('/api/v1/members', { signal }) })
  const admin = useAdmin()
  const { values, set } = useFilters(['q'] as const)
  const [inviting, setInviting] = useState(false)
  const [ending, setEnding] = useState<Member | null>(null)
  const change = useChange()
  const shown = members.data?.filter((m) => `${m.name} ${m.email ?? ''} ${m.handle}`.toLowerCase().includes(values.q.toLowerCase())) ?? []
  return (
    <>
      <header className="head">
        <div>
          <h1>Members</h1>
          <p>Who may sign in. A role bounds what a person can do, and every token of theirs.</p>
        </div>
        {admin && (
          <Button kind="primary" onClick={() => setInviting(true)}>
            Invite
          </Button>
        )}
      </header>
      <div className="tools">
        <input type="search" aria-label="Find a person" placeholder="Name or e-mail" value={values.q} onChange={(e) => set({ q: e.target.value })} />
        {members.data && <span className="soft">{shown.length} {shown.length === 1 ? 'person' : 'people'}</span>}
      </div>
      <div className="panel">
        <Loaded query={members}>
          {() =>
            shown.length === 0 ? (
              <Empty icon="people" title="Nobody fits" />
            ) : (
              <Table columns={['Person', 'Role', 'State', 'Since']} actions>
                {shown.map((m) => (
                  <Row key={m.id} member={m} admin={admin} change={change.mutate} end={() => setEnding(m)} />
                ))}
              </Table>
            )
          }
        </Loaded>
      </div>
      {inviting && <Invite close={() => setInviting(false)} />}
      {ending && (
        <Dialog open onClose={() => setEnding(null)} title={`End the access of ${ending.name || ending.email}?`}>
          <p>They are signed out at once, and the tokens they own stop working. You can let them back in later.</p>
          <footer>
            <Button onClick={() => setEnding(null)}>Cancel</Button>
            <Button kind="danger" busy={change.isPending} onClick={() => change.mutate({ id: ending.id, active: false }, { onSettled: () => setEnding(null) })}>
              End access
            </Button>
          </footer>
        </Dialog>
      )}
    </>
  )
}

interface RowProps {
  member: Member
  admin: boolean
  change: (c: { id: string; role?: string; active?: boolean }) => void
  end: () => void
}

function Row({ member: m, admin, change, end }: RowProps) {
  const me = useSession((s) => s.me)
  const off = m.state === 'disabled'
  const editable = admin && m.id !== me?.id && (m.role !== 'owner' || me?.role === 'owner')
  return (
    <tr>
      <td>
        <b>{m.name || m.email || m.handle}</b> {m.id === me?.id && <span className="badge">you</span>}
        <small>{m.email ?? m.handle}</small>
      </td>
      <td data-name="Role">
        {editable && !off ? (
          <select aria-label={`Role of ${m.name || m.email}`} value={m.role} onChange={(e) => change({ id: m.id, role: e.target.value })}>
            {roles
              .filter((r) => r !== 'owner' || me?.role === 'owner')
              .map((r) => (
                <option key={r}>{r}</option>
              ))}
          </select>
        ) : (
          m.role
        )}
      </td>
      <td data-name="State">
        <span className={m.state === 'active' ? 'badge good' : 'badge warn'}>{off ? 'access ended' : m.state}</span>
      </td>
      <td data-name="Since">
        <Time at={m.created_at} />
      </td>
      <td className="tight">
        {editable && (off ? <Button onClick={() => change({ id: m.id, active: true })}>Let back in</Button> : <Button onClick={end}>End access</Button>)}
      </td>
    </tr>
  )
}
