import { type FormEvent, useState } from 'react'
import { useMutation } from '@tanstack/react-query'
import { file, put } from '../api/api'
import { forget } from '../session/store'
import { Button } from '../ui/button'
import { Dialog } from '../ui/dialog'
import { save } from '../ui/file'
import { Icon } from '../ui/icon'
import { Problem, sentence } from '../ui/states'
import { say } from '../ui/toast'

type State = 'suspended' | 'deleted'

const words: Record<State, { verb: string; what: string; done: string }> = {
  suspended: {
    verb: 'Suspend',
    what: 'Every person is signed out and every agent is refused, at once. The data stays. Only whoever runs the server can resume it.',
    done: 'is suspended. Whoever runs the server can resume it.',
  },
  deleted: {
    verb: 'Delete',
    what: 'Every person is signed out and every agent is refused, at once. After 30 days all data is removed, in every table; until then whoever runs the server can take the deletion back.',
    done: 'is deleted. For 30 days whoever runs the server can take that back.',
  },
}

/** What an owner does who takes the data along, or ends the tenant. */
export function Leave({ slug }: { slug: string }) {
  const [asking, setAsking] = useState<State | null>(null)
  const take = useMutation({
    mutationFn: () => file('/api/v1/export'),
    onSuccess: (data) => save(data, `${slug}.zip`),
    onError: (e) => say(sentence(e), true),
  })
  return (
    <section className="panel pad stack" aria-label="Export, suspend, delete">
      <h2>Export, suspend, delete</h2>
      <div className="row">
        <p className="soft grow">Everything of {slug}: projects, issues with their history, members, the audit log. No secret is in it.</p>
        <Button busy={take.isPending} onClick={() => take.mutate()}>
          <Icon name="download" /> Export all data
        </Button>
      </div>
      {(['suspended', 'deleted'] as const).map((state) => (
        <div className="row" key={state}>
          <p className="soft grow">{words[state].what}</p>
          <Button kind="danger" onClick={() => setAsking(state)}>
            {words[state].verb} {slug}
          </Button>
        </div>
      ))}
      {asking && <Stop slug={slug} state={asking} onClose={() => setAsking(null)} />}
    </section>
  )
}

/** Asks for the slug once more: what it does cannot be undone here. */
function Stop({ slug, state, onClose }: { slug: string; state: State; onClose: () => void }) {
  const [typed, setTyped] = useState('')
  const { verb, what, done } = words[state]
  const stop = useMutation({
    mutationFn: () => put('/api/v1/settings/state', { state, confirm: typed }),
    onSuccess: () => forget(`${slug} ${done}`),
  })
  const submit = (e: FormEvent) => {
    e.preventDefault()
    stop.mutate()
  }
  return (
    <Dialog open onClose={onClose} title={`${verb} ${slug}?`}>
      <form className="stack" onSubmit={submit}>
        <p>{what}</p>
        <label>
          Type {slug} to go on
          <input value={typed} onChange={(e) => setTyped(e.target.value)} autoFocus autoComplete="off" autoCapitalize="none" spellCheck={false} />
        </label>
        {stop.error && <Problem error={stop.error} />}
        <footer>
          <Button onClick={onClose}>Keep it</Button>
          <Button kind="danger" type="submit" busy={stop.isPending} disabled={typed !== slug}>
            {verb} it
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}
