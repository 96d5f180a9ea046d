import { useState } from 'react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { get, patch, remove, type Schemas } from '../../api/api'
import { Button } from '../../ui/button'
import { Copy } from '../../ui/copy'
import { Dialog } from '../../ui/dialog'
import { Empty, Problem, sentence, Skeleton } from '../../ui/states'
import { Time } from '../../ui/time'
import { say } from '../../ui/toast'
import { Check } from './check'
import { ConnectionForm } from './form'

type Connection = Schemas['Connection']

/** How the tenant's people sign in: its connections to identity providers. */
export default function SSO() {
  const sso = useQuery({ queryKey: ['sso'], queryFn: ({ signal }) => get('/api/v1/sso', { signal }) })
  const [editing, setEditing] = useState<Connection | 'new' | null>(null)
  const queries = useQueryClient()
  const require = useMutation({
    mutationFn: (required: boolean) => patch('/api/v1/sso', { required }),
    onSuccess: () => say('Changed. It is in force.'),
    onError: (e) => say(sentence(e), true),
    onSettled: () => queries.invalidateQueries({ queryKey: ['sso'] }),
  })
  if (sso.isPending) return <Skeleton />
  if (sso.isError) return <Problem error={sso.error} retry={() => void sso.refetch()} />
  const { connections, required, presets } = sso.data
  return (
    <div className="stack">
      <header className="head">
        <div>
          <h1>Single sign-on</h1>
          <p>People sign in with their company’s account, by OpenID Connect or SAML 2.0.</p>
        </div>
        <Button kind="primary" onClick={() => setEditing('new')}>
          Connect a provider
        </Button>
      </header>
      {connections.length === 0 ? (
        <div className="panel">
          <Empty icon="people" title="No identity provider is connected">
            Until one is, people sign in with one-time links.
          </Empty>
        </div>
      ) : (
        connections.map((c) => <Card key={c.id} connection={c} edit={() => setEditing(c)} />)
      )}
      {connections.length > 0 && (
        <section className="panel pad stack">
          <h2>Sign-in links</h2>
          <label className="check">
            <input type="checkbox" checked={require.isPending ? require.variables : required} disabled={require.isPending} onChange={(e) => require.mutate(e.target.checked)} />
            Only owners may sign in by a link; everybody else needs the identity provider
          </label>
        </section>
      )}
      {editing && (
        <Dialog open wide keep onClose={() => setEditing(null)} title={editing === 'new' ? 'Connect a provider' : `Connection ${editing.name}`}>
          <ConnectionForm connection={editing === 'new' ? undefined : editing} presets={presets} done={() => setEditing(null)} />
        </Dialog>
      )}
    </div>
  )
}

function Card({ connection: c, edit }: { connection: Connection; edit: () => void }) {
  const queries = useQueryClient()
  const [removing, setRemoving] = useState(false)
  const options = {
    onError: (e: unknown) => say(sentence(e), true),
    onSettled: () => queries.invalidateQueries({ queryKey: ['sso'] }),
  }
  const toggle = useMutation({ mutationFn: (enabled: boolean) => patch('/api/v1/sso/{name}', { enabled }, { id: c.name }), onSuccess: () => say('Changed. It is in force.'), ...options })
  const drop = useMutation({ mutationFn: () => remove('/api/v1/sso/{name}', { id: c.name }), onSuccess: () => setRemoving(false), ...options })
  const { addresses: a } = c
  const register: [string, string | undefined][] = [
    ['Redirect URI', a.callback],
    ['ACS URL, recipient, destination', a.acs],
    ['Entity ID, audience, metadata', a.entity_id],
  ]
  return (
    <section className="panel pad stack">
      <div className="row">
        <h2 className="grow">
          {c.title} <span className={c.enabled ? 'badge good' : 'badge warn'}>{c.enabled ? 'on' : 'off'}</span>
        </h2>
        <Button onClick={edit}>Edit</Button>
        <Button kind={c.enabled ? 'plain' : 'primary'} busy={toggle.isPending} onClick={() => toggle.mutate(!c.enabled)}>
          {c.enabled ? 'Switch off' : 'Switch on'}
        </Button>
        <Button kind="danger" onClick={() => setRemoving(true)}>
          Remove
        </Button>
      </div>
      <dl className="facts">
        <dt>Name</dt>
        <dd>
          {c.name}, {c.protocol === 'oidc' ? 'OpenID Connect' : 'SAML 2.0'}
        </dd>
        {c.oidc && (
          <>
            <dt>Issuer</dt>
            <dd>{c.oidc.issuer}</dd>
          </>
        )}
        <dt>Lets in</dt>
        <dd>
          {c.rules.domains?.join(', ') || 'nobody: no domain is allowed'}
          {c.rules.auto_provision ? `; new people as ${c.rules.default_role}` : '; only people who are members already'}
        </dd>
        <dt>Changed</dt>
        <dd>{c.updated_at && <Time at={c.updated_at} />}</dd>
      </dl>
      <h3>Paste at the provider</h3>
      <dl className="facts">
        {register
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd className="row">
                <code className="grow">{value}</code> <Copy text={value ?? ''} label={`Copy ${name}`} />
              </dd>
            </div>
          ))}
      </dl>
      <Check name={c.name} />
      {removing && (
        <Dialog open onClose={() => setRemoving(false)} title={`Remove ${c.title}?`}>
          <p>Its secrets go, and who is who at that provider. Members stay, but cannot sign in by it any more.</p>
          <footer>
            <Button onClick={() => setRemoving(false)}>Cancel</Button>
            <Button kind="danger" busy={drop.isPending} onClick={() => drop.mutate()}>
              Remove
            </Button>
          </footer>
        </Dialog>
      )}
    </section>
  )
}
