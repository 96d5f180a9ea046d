import { useState } from 'react'
import { useMutation, useQuery } from '@tanstack/react-query'
import { get, post } from '../api/api'
import { useSession } from '../session/store'
import { Button } from '../ui/button'
import { Dialog } from '../ui/dialog'
import { Problem, Skeleton } from '../ui/states'
import { say } from '../ui/toast'
import { Leave } from './leave'

/** What the tenant may hold, what it does hold, and its keys. */
export default function Settings() {
  const owner = useSession((s) => s.me?.role === 'owner')
  const settings = useQuery({ queryKey: ['settings'], queryFn: ({ signal }) => get('/api/v1/settings', { signal }) })
  if (settings.isPending) return <Skeleton />
  if (settings.isError) return <Problem error={settings.error} retry={() => void settings.refetch()} />
  const { slug, plan, limits, usage } = settings.data
  const quotas: [string, number | undefined, number][] = [
    ['Members', usage.members, plan.members],
    ['Tokens that work', usage.tokens, plan.tokens],
    ['Active projects', usage.projects, plan.projects],
    ['Text, in MB', usage.text_mb, plan.text_mb],
    ['Attachments, in MB', usage.attachment_mb, plan.attachment_mb],
  ]
  return (
    <div className="stack">
      <header className="head">
        <div>
          <h1>Settings</h1>
          <p>
            {slug}, plan {plan.name}
          </p>
        </div>
      </header>
      <section className="panel pad stack">
        <h2>Plan and usage</h2>
        <div className="quotas">
          {quotas.map(([name, used = 0, most]) => (
            <div key={name}>
              <p className="row">
                <span className="grow">{name}</span>
                <b>{used.toLocaleString()}</b> <span className="soft">{most > 0 ? `of ${most.toLocaleString()}` : 'no limit'}</span>
              </p>
              {most > 0 && <meter min={0} max={most || 1} value={most > 0 ? Math.min(used, most) : 0} high={most * 0.9 || 1} aria-label={name} />}
            </div>
          ))}
        </div>
        <p className="soft">
          {(usage.issues ?? 0).toLocaleString()} issues. The audit log keeps {plan.audit_days.toLocaleString()} days.
        </p>
      </section>
      <section className="panel pad stack">
        <h2>Limits</h2>
        <dl className="facts">
          {Object.entries(limits).map(([name, n]) => (
            <div key={name}>
              <dt>{limitNames[name] ?? name}</dt>
              <dd>{Number(n).toLocaleString()}</dd>
            </div>
          ))}
        </dl>
      </section>
      <Keys />
      {owner && <Leave slug={slug} />}
    </div>
  )
}

const limitNames: Record<string, string> = {
  TokenReads: 'Reads a minute, of one token',
  TokenWrites: 'Writes a minute, of one token',
  TenantReads: 'Reads a minute, in all',
  TenantWrites: 'Writes a minute, in all',
  Concurrent: 'Calls in progress at once',
  TokenStreams: 'Open streams, of one token',
}

function Keys() {
  const [asking, setAsking] = useState(false)
  const rotate = useMutation({
    mutationFn: () => post('/api/v1/settings/rotate-keys'),
    onSuccess: () => {
      setAsking(false)
      say('A new signing key is in use.')
    },
  })
  return (
    <section className="panel pad stack">
      <h2>Signing key</h2>
      <div className="row">
        <p className="soft grow">It signs sessions and links to pages. What the old key signed stays good for a day.</p>
        <Button onClick={() => setAsking(true)}>Rotate the key</Button>
      </div>
      <Dialog open={asking} onClose={() => setAsking(false)} title="Rotate the signing key?">
        <p>Nobody is signed out, and agents’ tokens are not touched.</p>
        {rotate.error && <Problem error={rotate.error} />}
        <footer>
          <Button onClick={() => setAsking(false)}>Cancel</Button>
          <Button kind="primary" busy={rotate.isPending} onClick={() => rotate.mutate()}>
            Rotate
          </Button>
        </footer>
      </Dialog>
    </section>
  )
}
