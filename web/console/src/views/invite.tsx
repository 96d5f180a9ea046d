import { type FormEvent, useState } from 'react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type Member, post } from '../api/api'
import { useSession } from '../session/store'
import { Button } from '../ui/button'
import { Copy } from '../ui/copy'
import { Dialog } from '../ui/dialog'
import { Problem } from '../ui/states'

/** Invites a person, then shows the link that signs them in once. */
export function Invite({ close }: { close: () => void }) {
  const owner = useSession((s) => s.me?.role === 'owner')
  const queries = useQueryClient()
  const [email, setEmail] = useState('')
  const [name, setName] = useState('')
  const [role, setRole] = useState('member')
  const invite = useMutation({
    mutationFn: async () => {
      const member: Member = await post('/api/v1/members', { email, name, role })
      void queries.invalidateQueries({ queryKey: ['members'] })
      return post('/api/v1/members/{id}/signin-link', undefined, { id: member.id })
    },
  })
  const submit = (e: FormEvent) => {
    e.preventDefault()
    invite.mutate()
  }
  return (
    <Dialog open keep onClose={close} title={invite.data ? `${email} may sign in` : 'Invite a person'}>
      {invite.data ? (
        <SignInLink url={invite.data.url} done={close} />
      ) : (
        <form onSubmit={submit}>
          <label className="field">
            <span>E-mail</span>
            <input type="email" required value={email} onChange={(e) => setEmail(e.target.value)} />
          </label>
          <label className="field">
            <span>Name</span>
            <input value={name} onChange={(e) => setName(e.target.value)} />
          </label>
          <label className="field">
            <span>Role</span>
            <select value={role} onChange={(e) => setRole(e.target.value)}>
              {['viewer', 'member', 'admin', 'owner']
                .filter((r) => r !== 'owner' || owner)
                .map((r) => (
                  <option key={r}>{r}</option>
                ))}
            </select>
          </label>
          {invite.error && <Problem error={invite.error} />}
          <footer>
            <Button onClick={close}>Cancel</Button>
            <Button kind="primary" type="submit" busy={invite.isPending}>
              Invite
            </Button>
          </footer>
        </form>
      )}
    </Dialog>
  )
}

/** A link that signs somebody in once: whoever has it comes in as them. */
export function SignInLink({ url, done }: { url: string; done: () => void }) {
  return (
    <>
      <p>This link signs them in once, within an hour. Whoever has it comes in as them, so give it to nobody else.</p>
      <pre className="code">{url}</pre>
      <footer>
        <Copy text={url} label="Copy the link" />
        <Button kind="primary" onClick={done}>
          Done
        </Button>
      </footer>
    </>
  )
}
