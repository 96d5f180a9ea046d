import { type FormEvent, useState } from 'react'
import { Button } from '../../ui/button'
import { Dialog } from '../../ui/dialog'
import { useGo } from '../../ui/link'
import { Problem } from '../../ui/states'
import { useCreateProject } from './queries'

/** Makes a project. */
export function NewProject({ onClose, stay = false }: { onClose: () => void; stay?: boolean }) {
  const [name, setName] = useState('')
  const [key, setKey] = useState('')
  const [template, setTemplate] = useState('scrum')
  const create = useCreateProject()
  const go = useGo()
  const send = (e: FormEvent) => {
    e.preventDefault()
    create.mutate(
      { name, template, ...(key && { key: key.toUpperCase() }) },
      {
        onSuccess: (made) => {
          onClose()
          if (!stay) go(`/projects/${made.key}`)
        },
      },
    )
  }
  return (
    <Dialog open onClose={onClose} keep title="New project">
      <form onSubmit={send}>
        <label>
          Name
          <input value={name} required autoFocus maxLength={100} onChange={(e) => setName(e.target.value)} />
        </label>
        <div className="two">
          <label>
            Key
            <input value={key} pattern="[A-Za-z][A-Za-z0-9]{1,9}" placeholder="from the name" onChange={(e) => setKey(e.target.value)} />
            <small>2 to 10 letters and digits; its issues are KEY-1, KEY-2 …</small>
          </label>
          <label>
            Template
            <select value={template} onChange={(e) => setTemplate(e.target.value)}>
              <option value="scrum">Scrum: sprints and points</option>
              <option value="kanban">Kanban: a flow</option>
              <option value="basic">Basic: to do, doing, done</option>
            </select>
          </label>
        </div>
        {create.error && <Problem error={create.error} />}
        <footer>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={create.isPending}>
            Create project
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}
