import { type FormEvent, useMemo, useState } from 'react'
import { useSession } from '../../session/store'
import { useAdmin } from '../../layout'
import type { Token } from '../../api/api'
import { Button } from '../../ui/button'
import { Problem } from '../../ui/states'
import { type Choice, choiceOf, type Grants, grantsOf, type Vocabulary } from './grants'
import { Matrix } from './matrix'
import { Preview } from './preview'
import { type TokenBody, useProjects } from './queries'

interface Props {
  vocabulary: Vocabulary
  /** The token to change; none: a new one. */
  token?: Token
  error: unknown
  busy: boolean
  submit: (body: TokenBody) => void
  cancel: () => void
  /** What a new token may do to begin with. */
  preset?: string
  name?: string
}

const lives = [
  ['7', '7 days'],
  ['30', '30 days'],
  ['90', '90 days'],
  ['365', '1 year'],
  ['', 'never'],
] as const

/** What a token is made of, for a new one and for a change. */
export function TokenForm({ vocabulary, token, error, busy, submit, cancel, preset = 'triage', name: first = '' }: Props) {
  const admin = useAdmin()
  const role = useSession((s) => s.me?.role ?? 'viewer')
  const projects = useProjects()
  const [name, setName] = useState(token?.name ?? first)
  const [choice, setChoice] = useState<Choice>(() => {
    const start = token?.permissions ?? vocabulary.presets.find((p) => p.name === preset)?.permissions ?? {}
    return choiceOf(start as Grants, vocabulary)
  })
  const [life, setLife] = useState(token ? 'keep' : '90')
  const [ips, setIPs] = useState((token?.allowed_ips ?? []).join(', '))
  const [service, setService] = useState(false)
  const ceiling = useMemo(() => new Set(vocabulary.own), [vocabulary])
  const permissions = useMemo(() => grantsOf(choice, vocabulary), [choice, vocabulary])

  const send = (e: FormEvent) => {
    e.preventDefault()
    const body: TokenBody = { name: name.trim(), permissions, allowed_ips: ips.split(/[\s,]+/).filter(Boolean) }
    if (life && life !== 'keep') body.expires_at = new Date(Date.now() + Number(life) * 86_400_000).toISOString()
    if (life === '' && token) body.never_expires = true
    if (service) Object.assign(body, { service: true, role: role === 'owner' ? 'admin' : role })
    submit(body)
  }
  return (
    <form onSubmit={send} className="token-form">
      <div className="two">
        <label>
          Name
          <input value={name} required maxLength={100} autoFocus={!token} placeholder="claude on my laptop" onChange={(e) => setName(e.target.value)} />
        </label>
        <label>
          Expires
          <select value={life} onChange={(e) => setLife(e.target.value)}>
            {token && <option value="keep">{token.expires_at ? `as now: ${new Date(token.expires_at).toLocaleDateString()}` : 'as now: never'}</option>}
            {lives.map(([days, text]) => (
              <option key={days} value={days}>
                {days ? `in ${text}` : text}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Matrix vocabulary={vocabulary} choice={choice} ceiling={ceiling} onChange={setChoice} />
      <ProjectChoice keys={projects.data?.items.map((p) => p.key) ?? []} value={choice.projects} onChange={(p) => setChoice({ ...choice, projects: p })} />
      <div className="two">
        <label>
          Only from these addresses
          <input value={ips} placeholder="anywhere" onChange={(e) => setIPs(e.target.value)} />
          <small>IP addresses or networks, such as 203.0.113.0/24</small>
        </label>
        {!token && admin && (
          <label className="check">
            <input type="checkbox" checked={service} onChange={(e) => setService(e.target.checked)} />
            <span>
              A service token <small className="block">It belongs to nobody and outlives its maker’s access.</small>
            </span>
          </label>
        )}
      </div>
      <Preview permissions={permissions} />
      {error ? <Problem error={error} /> : null}
      <footer>
        <Button onClick={cancel}>Cancel</Button>
        <Button kind="primary" type="submit" busy={busy}>
          {token ? 'Save' : 'Create token'}
        </Button>
      </footer>
    </form>
  )
}

function ProjectChoice({ keys, value, onChange }: { keys: string[]; value: string[] | null; onChange: (v: string[] | null) => void }) {
  const all = [...new Set([...keys, ...(value ?? [])])]
  return (
    <fieldset>
      <legend>Where</legend>
      <div className="row">
        <label className="check">
          <input type="radio" name="where" checked={value === null} onChange={() => onChange(null)} /> all projects
        </label>
        <label className="check">
          <input type="radio" name="where" checked={value !== null} onChange={() => onChange(value ?? [])} /> only these
        </label>
        {value !== null &&
          all.map((key) => (
            <label key={key} className="check">
              <input
                type="checkbox"
                checked={value.includes(key)}
                onChange={(e) => onChange(e.target.checked ? [...value, key] : value.filter((k) => k !== key))}
              />
              {key}
            </label>
          ))}
      </div>
    </fieldset>
  )
}
