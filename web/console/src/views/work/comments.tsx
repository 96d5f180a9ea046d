import { type FormEvent, useState } from 'react'
import type { Issue } from '../../api/tracker'
import { Button } from '../../ui/button'
import { Prose } from '../../ui/prose'
import { Problem } from '../../ui/states'
import { Time } from '../../ui/time'
import { useComment } from './queries'

/** What people and agents said, and a place to answer. */
export function Comments({ issue }: { issue: Issue }) {
  const [body, setBody] = useState('')
  const comment = useComment(issue.key)
  const send = (e: FormEvent) => {
    e.preventDefault()
    comment.mutate(body, { onSuccess: () => setBody('') })
  }
  return (
    <section className="panel pad stack">
      <h2>Comments</h2>
      {issue.comments?.map((c) => (
        <div key={c.id} className="comment">
          <p className="soft">
            <b>{c.author}</b> <Time at={c.at} />
          </p>
          <Prose text={c.body} />
        </div>
      ))}
      <form onSubmit={send} className="stack tight">
        <textarea aria-label="Comment" placeholder="Add a comment" value={body} onChange={(e) => setBody(e.target.value)} />
        {comment.error && <Problem error={comment.error} />}
        <footer>
          <Button type="submit" busy={comment.isPending} disabled={body.trim() === ''}>
            Comment
          </Button>
        </footer>
      </form>
    </section>
  )
}
