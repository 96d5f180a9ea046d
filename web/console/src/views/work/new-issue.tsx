import { type FormEvent, useState } from 'react'
import { Button } from '../../ui/button'
import { Dialog } from '../../ui/dialog'
import { useGo } from '../../ui/link'
import { Problem } from '../../ui/states'
import { useCreateIssue, useProject, useProjectList } from './queries'

/** Files an issue. */
export function NewIssue({ project: first, onClose }: { project: string; onClose: () => void }) {
  const projects = useProjectList('active')
  const [chosen, setChosen] = useState(first)
  const key = chosen || projects.data?.items[0]?.key || ''
  const project = useProject(key)
  const [title, setTitle] = useState('')
  const [description, setDescription] = useState('')
  const [type, setType] = useState('')
  const create = useCreateIssue()
  const go = useGo()
  const send = (e: FormEvent) => {
    e.preventDefault()
    create.mutate(
      { project: key, title, ...(description && { description }), ...(type && { type }) },
      { onSuccess: (made) => go(`/issues/${made.key}`) },
    )
  }
  return (
    <Dialog open onClose={onClose} keep title="New issue">
      <form onSubmit={send}>
        <div className="two">
          <label>
            Project
            <select value={key} onChange={(e) => setChosen(e.target.value)}>
              {projects.data?.items.map((p) => (
                <option key={p.key} value={p.key}>
                  {p.name}
                </option>
              ))}
            </select>
          </label>
          <label>
            Type
            <select value={type} onChange={(e) => setType(e.target.value)}>
              {project.data?.issue_types?.map((t, n) => (
                <option key={t} value={n === 0 ? '' : t}>
                  {t}
                </option>
              ))}
            </select>
          </label>
        </div>
        <label>
          Title
          <input value={title} required autoFocus maxLength={300} onChange={(e) => setTitle(e.target.value)} />
        </label>
        <label>
          Description
          <textarea value={description} rows={5} onChange={(e) => setDescription(e.target.value)} />
        </label>
        {create.error && <Problem error={create.error} />}
        <footer>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={create.isPending} disabled={key === ''}>
            Create issue
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}
