import { useState } from 'react'
import type { Change } from '../../api/tracker'
import { Button } from '../../ui/button'
import { Time } from '../../ui/time'
import { inWords } from '../activity/diff'

const SHORT = 6

/** Who changed what, newest first. */
export function History({ history }: { history: Change[] }) {
  const [all, setAll] = useState(false)
  if (history.length === 0) return null
  const shown = all ? history : history.slice(0, SHORT)
  return (
    <section className="panel pad stack tight">
      <h2>History</h2>
      <ul className="bare">
        {shown.map((c, n) => (
          <ChangeLine key={n} change={c} />
        ))}
      </ul>
      {history.length > shown.length && (
        <div>
          <Button kind="quiet" onClick={() => setAll(true)}>
            Show all {history.length}
          </Button>
        </div>
      )}
    </section>
  )
}

/** Whether before and after say something in a line: texts are too long, and of a comment they are its id. */
const telling = (c: Change) => c.field !== 'description' && c.kind !== 'commented'

/** A change of an issue in a line. */
export function ChangeLine({ change: c }: { change: Change }) {
  const before = inWords(c.before)
  const after = inWords(c.after)
  return (
    <li className="change">
      <span className="soft when">
        <Time at={c.at} />
      </span>
      <span className="grow">
        <b>{c.actor}</b> {c.via && <span className="soft">via {c.via} </span>}
        {c.kind === 'changed' ? `changed ${c.field?.replaceAll('_', ' ') ?? ''}` : c.kind}{' '}
        {telling(c) && (
          <>
            {before && <del>{before}</del>} {after && <ins>{after}</ins>}
          </>
        )}
      </span>
    </li>
  )
}
