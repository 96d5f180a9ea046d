import { type FormEvent, useState } from 'react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { put, type Schemas } from '../../api/api'
import { Button } from '../../ui/button'
import { Problem } from '../../ui/states'
import { say } from '../../ui/toast'
import { draftOf, type Draft, settingsOf } from './draft'

interface Props {
  connection?: Schemas['Connection']
  presets: Schemas['SSO']['presets']
  done: () => void
}

/** Sets a connection. A secret that is left empty stays what it is. */
export function ConnectionForm({ connection, presets, done }: Props) {
  const queries = useQueryClient()
  const [d, setDraft] = useState<Draft>(() => draftOf(connection))
  const set = (change: Partial<Draft>) => setDraft((before) => ({ ...before, ...change }))
  const save = useMutation({
    mutationFn: () => put('/api/v1/sso/{name}', settingsOf(d, connection), { id: d.name }),
    onSuccess: () => {
      say(connection ? 'Saved.' : 'Saved, and off until you switch it on.')
      void queries.invalidateQueries({ queryKey: ['sso'] })
      done()
    },
  })
  const submit = (e: FormEvent) => {
    e.preventDefault()
    save.mutate()
  }
  const text = (name: keyof Draft & string, label: string, more: { hint?: string; required?: boolean; placeholder?: string } = {}) => (
    <label className="field">
      <span>{label}</span>
      <input value={d[name] as string} required={more.required} placeholder={more.placeholder} onChange={(e) => set({ [name]: e.target.value })} />
      {more.hint && <small className="soft">{more.hint}</small>}
    </label>
  )
  const check = (name: 'provision' | 'link' | 'trust' | 'idpInitiated', label: string) => (
    <label className="check">
      <input type="checkbox" checked={d[name]} onChange={(e) => set({ [name]: e.target.checked })} /> {label}
    </label>
  )
  const preset = presets.find((p) => p.name === d.preset)
  return (
    <form onSubmit={submit}>
      {!connection && (
        <label className="field">
          <span>Provider</span>
          <select value={d.protocol === 'saml' ? 'saml' : d.preset} onChange={(e) => set(e.target.value === 'saml' ? { protocol: 'saml' } : { protocol: 'oidc', preset: e.target.value })}>
            {presets.map((p) => (
              <option key={p.name} value={p.name}>
                {p.title}
              </option>
            ))}
            <option value="saml">SAML 2.0</option>
          </select>
        </label>
      )}
      {!connection && text('name', 'Name', { required: true, hint: 'For commands and the audit log, such as okta.' })}
      {text('title', 'Button on the sign-in page', { placeholder: d.name })}
      {d.protocol === 'oidc' ? (
        <>
          {d.preset !== 'google' && text('issuer', 'Issuer', { required: true, placeholder: preset?.issuer })}
          {text('client', 'Client ID', { required: true })}
          <label className="field">
            <span>Client secret</span>
            <input type="password" autoComplete="off" value={d.secret} onChange={(e) => set({ secret: e.target.value })} />
            <small className="soft">{connection ? 'Leave it empty to keep the one that is stored.' : 'Stored sealed, and never shown again.'}</small>
          </label>
          {d.preset === 'entra' && text('entra', 'Entra tenant IDs', { hint: 'Needed only for the issuers of every company.' })}
          {d.preset === 'google' && text('hosted', 'Workspace domains', { required: true })}
        </>
      ) : (
        <>
          {text('metadataURL', 'Address of the provider’s metadata', { placeholder: 'https://idp.example.com/metadata' })}
          <label className="field">
            <span>Or a file with it</span>
            <input type="file" accept=".xml,text/xml,application/xml" onChange={(e) => void e.target.files?.[0]?.text().then((metadata) => set({ metadata }))} />
            {d.metadata && <small className="soft">{Math.ceil(d.metadata.length / 1024)} KB of metadata</small>}
          </label>
          {text('emailClaim', 'Attribute with the e-mail address')}
          {text('nameClaim', 'Attribute with the name')}
          {check('idpInitiated', 'People may begin at the provider')}
        </>
      )}
      {text('groupsClaim', d.protocol === 'oidc' ? 'Claim with the groups' : 'Attribute with the groups')}
      <h3>Who may come in</h3>
      {text('domains', 'E-mail domains', { required: true, placeholder: 'acme.com, acme.io' })}
      {check('provision', 'A first sign-in makes a member')}
      <label className="field">
        <span>Role of who is in no group below</span>
        <select value={d.role} onChange={(e) => set({ role: e.target.value })}>
          {['viewer', 'member', 'admin'].map((r) => (
            <option key={r}>{r}</option>
          ))}
        </select>
      </label>
      <label className="field">
        <span>Groups that give a role</span>
        <textarea rows={3} value={d.roles} placeholder={'ColaFlow Admins = admin\nEngineering = member'} onChange={(e) => set({ roles: e.target.value })} />
        <small className="soft">One a line; the highest of several holds, at every sign-in.</small>
      </label>
      {check('link', 'A verified address takes the member who has it already')}
      {check('trust', 'Every address that the provider sends is verified')}
      {save.error && <Problem error={save.error} />}
      <footer>
        <Button onClick={done}>Cancel</Button>
        <Button kind="primary" type="submit" busy={save.isPending}>
          Save
        </Button>
      </footer>
    </form>
  )
}
