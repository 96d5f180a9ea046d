import { type FormEvent, useState } from 'react'
import type { Issue } from '../../api/tracker'
import { Button } from '../../ui/button'
import { Dialog } from '../../ui/dialog'
import { Problem } from '../../ui/states'
import { useIssueChange } from './queries'

/** Changes what an issue says. */
export function EditIssue({ issue, onClose }: { issue: Issue; onClose: () => void }) {
  const [title, setTitle] = useState(issue.title)
  const [description, setDescription] = useState(issue.description ?? '')
  const change = useIssueChange(issue.key)
  const send = (e: FormEvent) => {
    e.preventDefault()
    change.mutate(
      { ...(title !== issue.title && { title }), ...(description !== (issue.description ?? '') && { description }) },
      { onSuccess: onClose },
    )
  }
  return (
    <Dialog open onClose={onClose} wide keep title={`Edit ${issue.key}`}>
      <form onSubmit={send}>
        <label>
          Title
          <input value={title} required maxLength={300} onChange={(e) => setTitle(e.target.value)} />
        </label>
        <label>
          Description
          <textarea value={description} rows={12} onChange={(e) => setDescription(e.target.value)} />
        </label>
        {change.error && <Problem error={change.error} />}
        <footer>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={change.isPending} disabled={title === issue.title && description === (issue.description ?? '')}>
            Save
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}
