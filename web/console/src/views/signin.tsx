import { type FormEvent, useState } from 'react'
import { useLocation } from 'react-router'
import { useQuery } from '@tanstack/react-query'
import { request } from '../api/http'
import type { Schemas } from '../api/api'
import { withQuery } from '../location'
import { Mark } from '../layout'
import { start, useSession } from '../session/store'
import { asked, validSlug } from '../session/tenant'
import { Button } from '../ui/button'

/** What people see who are not signed in: the company's name, then the ways to sign in. */
export function SignIn() {
  const { status, slug, reason } = useSession()
  if (status === 'starting') {
    return <div className="door" aria-busy="true" aria-label="Signing in" role="status" />
  }
  const named = slug && validSlug(slug)
  return (
    <div className="door">
      <main className="card">
        <h1>
          <Mark /> ColaFlow
        </h1>
        {reason && (
          <p role="status" className="note">
            {reason}
          </p>
        )}
        {status === 'failed' ? (
          <Button kind="primary" onClick={() => void start().catch(() => {})}>
            Try again
          </Button>
        ) : named && status !== 'unnamed' ? (
          <Ways slug={slug} />
        ) : (
          <Company />
        )}
      </main>
    </div>
  )
}

/** Asks for the company, where the address does not name it. */
function Company() {
  const [slug, setSlug] = useState('')
  const [wrong, setWrong] = useState(false)
  const go = (e: FormEvent) => {
    e.preventDefault()
    const name = slug.trim().toLowerCase()
    if (!validSlug(name)) return setWrong(true)
    window.location.assign(withQuery(window.location.pathname, { tenant: name }))
  }
  return (
    <form onSubmit={go}>
      <label>
        Your company
        <input
          value={slug}
          autoFocus
          autoComplete="organization"
          autoCapitalize="none"
          spellCheck={false}
          placeholder="acme"
          aria-invalid={wrong}
          aria-describedby="company-help"
          onChange={(e) => {
            setSlug(e.target.value)
            setWrong(false)
          }}
        />
      </label>
      <p id="company-help" className={wrong ? 'wrong' : 'soft'}>
        {wrong ? 'A name has letters, digits and hyphens.' : 'The name that is in your tokens: mcp_acme_…'}
      </p>
      <Button kind="primary" type="submit">
        Continue
      </Button>
    </form>
  )
}

function Ways({ slug }: { slug: string }) {
  const { pathname, search, hash } = useLocation()
  const ways = useQuery({
    queryKey: ['tenant', slug],
    queryFn: () => request<Schemas['Tenant']>('GET', '/api/v1/tenant'),
    staleTime: 60_000,
  })
  const providers = ways.data?.providers ?? []
  const another = () => {
    useSession.setState({ status: 'unnamed', reason: '' })
  }
  return (
    <>
      <p className="soft">
        Sign in to <b>{slug}</b>
      </p>
      {ways.isPending && <div className="way-skeleton" />}
      {providers.map((p) => (
        <a key={p.name} className="button primary" href={withQuery(p.url, { next: pathname + search + hash })}>
          {p.title}
        </a>
      ))}
      <p>
        {providers.length > 0 ? 'Or open' : 'Open'} a one-time sign-in link. Whoever runs this server makes one for you:
      </p>
      <pre className="code">colaflow member signin-link --tenant {slug} you@example.com</pre>
      {asked() && (
        <p>
          <button type="button" className="text" onClick={another}>
            Another company
          </button>
        </p>
      )}
    </>
  )
}
