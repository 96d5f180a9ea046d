import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { get, remove } from '../api/api'
import { forget, useSession } from '../session/store'
import { Button } from '../ui/button'
import { Loaded, sentence } from '../ui/states'
import { Table } from '../ui/table'
import { type Theme, usePreferences } from '../ui/theme'
import { exactTime, Time } from '../ui/time'
import { say } from '../ui/toast'

/** One's own sessions, and how the console looks in this browser. */
export default function Account() {
  const me = useSession((s) => s.me)
  return (
    <div className="stack">
      <header className="head">
        <div>
          <h1>{me?.name || me?.email}</h1>
          <p>
            {me?.email}, {me?.role}
          </p>
        </div>
      </header>
      <Preferences />
      <Sessions />
    </div>
  )
}

const languages = ['en-GB', 'en-US', 'de-DE', 'fr-FR', 'es-ES', 'pt-BR', 'it-IT', 'nl-NL', 'pl-PL', 'ja-JP', 'zh-CN']

function Preferences() {
  const { theme, timezone, language } = usePreferences()
  const set = usePreferences.setState
  return (
    <section className="panel pad stack">
      <h2>Preferences</h2>
      <div className="three">
        <label>
          Colours
          <select value={theme} onChange={(e) => set({ theme: e.target.value as Theme })}>
            <option value="system">as the system</option>
            <option value="light">light</option>
            <option value="dark">dark</option>
          </select>
        </label>
        <label>
          Dates
          <select value={language} onChange={(e) => set({ language: e.target.value })}>
            <option value="">as the browser</option>
            {languages.map((l) => (
              <option key={l}>{l}</option>
            ))}
          </select>
        </label>
        <label>
          Timezone
          <select value={timezone} onChange={(e) => set({ timezone: e.target.value })}>
            <option value="">as the browser</option>
            {Intl.supportedValuesOf('timeZone').map((z) => (
              <option key={z}>{z}</option>
            ))}
          </select>
        </label>
      </div>
      <p className="soft">Now: {exactTime(new Date(), language, timezone)}</p>
    </section>
  )
}

function Sessions() {
  const queries = useQueryClient()
  const sessions = useQuery({ queryKey: ['sessions'], queryFn: ({ signal }) => get('/api/v1/sessions', { signal }) })
  const end = useMutation({
    mutationFn: (id: string) => remove('/api/v1/sessions/{id}', { id }),
    onError: (e) => say(sentence(e), true),
    onSettled: () => queries.invalidateQueries({ queryKey: ['sessions'] }),
  })
  const endAll = useMutation({
    mutationFn: () => remove('/api/v1/sessions'),
    onSuccess: () => forget('You are signed out everywhere.'),
    onError: (e) => say(sentence(e), true),
  })
  return (
    <section className="panel">
      <header className="head pad">
        <h2>Where you are signed in</h2>
        <Button kind="danger" busy={endAll.isPending} onClick={() => endAll.mutate()}>
          Sign out everywhere
        </Button>
      </header>
      <Loaded query={sessions} rows={3}>
        {(data) => (
          <Table columns={['Browser', 'By', 'Since', 'Active']} actions>
            {data.map((s) => (
              <tr key={s.id}>
                <td>
                  {browser(s.user_agent)} {s.current && <span className="badge good">this one</span>}
                  <small>{s.client_ip}</small>
                </td>
                <td data-name="By">{s.provider}</td>
                <td data-name="Since">
                  <Time at={s.created_at} />
                </td>
                <td data-name="Active">
                  <Time at={s.renewed_at} />
                </td>
                <td className="tight">{!s.current && <Button onClick={() => end.mutate(s.id)}>Sign out</Button>}</td>
              </tr>
            ))}
          </Table>
        )}
      </Loaded>
    </section>
  )
}

/** The name of a browser, of what it says of itself. */
function browser(agent = ''): string {
  const name = /Edg\//.test(agent) ? 'Edge' : /Firefox\//.test(agent) ? 'Firefox' : /Chrome\//.test(agent) ? 'Chrome' : /Safari\//.test(agent) ? 'Safari' : 'A browser'
  const system = /Windows/.exec(agent) ?? /Mac OS/.exec(agent) ?? /Android/.exec(agent) ?? /iPhone|iPad/.exec(agent) ?? /Linux/.exec(agent)
  return system ? `${name} on ${system[0]}` : name
}
