import { useState } from 'react'
import { Button } from '../../ui/button'
import { save } from '../../ui/file'
import { useFilters } from '../../ui/filters'
import { Icon } from '../../ui/icon'
import { sentence } from '../../ui/states'
import { say } from '../../ui/toast'
import { useDebounced } from '../../ui/debounced'
import { everyRow, useVerification } from './queries'
import { Trail } from './trail'

const names = ['actor', 'token', 'tool', 'target', 'decision', 'days'] as const
const texts = [
  ['actor', 'Who (e-mail)'],
  ['token', 'Token'],
  ['tool', 'Tool'],
  ['target', 'Target (WEB-12)'],
] as const

/** Everything that was done in the tenant, by whom and by which agent. */
export default function Activity() {
  const { values, set, any } = useFilters(names)
  const [saving, setSaving] = useState(false)
  const { days, ...rest } = useDebounced(values)
  const filter = { ...rest, since: days ? new Date(startOfDay() - Number(days) * 86_400_000).toISOString() : '' }
  const take = () => {
    setSaving(true)
    everyRow(filter)
      .then((rows) => save(rows.map((r) => JSON.stringify(r) + '\n').join(''), 'activity.jsonl'))
      .catch((e: unknown) => say(sentence(e), true))
      .finally(() => setSaving(false))
  }
  return (
    <>
      <header className="head">
        <div>
          <h1>Activity</h1>
          <p>Every call of every agent, and whatever a person changed or was refused.</p>
        </div>
        <Chain />
        <Button onClick={take} busy={saving}>
          <Icon name="download" /> Export
        </Button>
      </header>
      <div className="tools even">
        {texts.map(([name, text]) => (
          <input key={name} type="search" aria-label={text} placeholder={text} value={values[name]} onChange={(e) => set({ [name]: e.target.value })} />
        ))}
        <select aria-label="Decision" value={values.decision} onChange={(e) => set({ decision: e.target.value })}>
          <option value="">any outcome</option>
          <option value="allowed">allowed</option>
          <option value="denied">denied</option>
          <option value="failed">failed</option>
        </select>
        <select aria-label="Time" value={values.days} onChange={(e) => set({ days: e.target.value })}>
          <option value="">any time</option>
          <option value="0">today</option>
          <option value="7">7 days</option>
          <option value="30">30 days</option>
        </select>
        {any && (
          <Button kind="quiet" onClick={() => set({ actor: '', token: '', tool: '', target: '', decision: '', days: '' })}>
            Clear
          </Button>
        )}
      </div>
      <Trail fixed={filter} />
    </>
  )
}

function Chain() {
  const chain = useVerification()
  if (!chain.data) return <span className="badge">{chain.isError ? 'could not be verified' : 'verifying …'}</span>
  const { problems, rows } = chain.data
  if (problems > 0) {
    return (
      <span className="badge bad" title="Run: colaflow audit verify">
        <Icon name="alert" /> {problems} problems in the chain
      </span>
    )
  }
  return (
    <span className="badge good" title={`${rows.toLocaleString()} sealed rows are as they were written`}>
      <Icon name="shield" /> chain verified
    </span>
  )
}

const startOfDay = () => new Date().setHours(0, 0, 0, 0)
