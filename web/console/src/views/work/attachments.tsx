import { useMutation } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { file } from '../../api/api'
import type { Attachment, Issue } from '../../api/tracker'
import { Button } from '../../ui/button'
import { Dialog } from '../../ui/dialog'
import { save } from '../../ui/file'
import { Icon } from '../../ui/icon'
import { Problem, sentence } from '../../ui/states'
import { Time } from '../../ui/time'
import { say } from '../../ui/toast'
import { useAttach } from './queries'

const LARGEST = 700 * 1024
const unit = (unit: string) => new Intl.NumberFormat(undefined, { style: 'unit', unit, maximumFractionDigits: 1 })
const bytes = unit('byte')
const kilobytes = unit('kilobyte')
const inWords = (size: number) => (size < 1024 ? bytes.format(size) : kilobytes.format(size / 1024))

/** The files of an issue. They are kept by the browser, never shown or run here. */
export function Attachments({ issue }: { issue: Issue }) {
  const chooser = useRef<HTMLInputElement>(null)
  const [leaving, setLeaving] = useState<Attachment | null>(null)
  const attach = useAttach(issue.key)
  const files = issue.attachments ?? []
  const send = (chosen: File | undefined) => {
    if (!chosen) return
    if (chosen.size > LARGEST) say(`${chosen.name} has ${inWords(chosen.size)}; at most ${inWords(LARGEST)} can be attached.`, true)
    else attach.mutate({ file: chosen }, { onError: (e) => say(sentence(e), true) })
  }
  return (
    <section className="panel pad stack tight" aria-label="Attachments">
      <header className="row">
        <h2 className="grow">Attachments</h2>
        <input
          ref={chooser}
          type="file"
          hidden
          aria-label="File to attach"
          onChange={(e) => {
            send(e.target.files?.[0])
            e.target.value = ''
          }}
        />
        <Button busy={attach.isPending} onClick={() => chooser.current?.click()}>
          <Icon name="plus" /> Attach file
        </Button>
      </header>
      {files.length > 0 && (
        <ul className="bare">
          {files.map((a) => (
            <Row key={a.id} file={a} onRemove={() => setLeaving(a)} />
          ))}
        </ul>
      )}
      {leaving && <Remove issue={issue.key} file={leaving} onClose={() => setLeaving(null)} />}
    </section>
  )
}

function Row({ file: a, onRemove }: { file: Attachment; onRemove: () => void }) {
  const take = useMutation({
    mutationFn: () => file('/api/v1/attachments/{id}', a.id),
    onSuccess: (f) => save(f, f.name),
    onError: (e) => say(sentence(e), true),
  })
  return (
    <li className="file">
      <div>
        <p className="clip" title={`${a.name} (${a.type})`}>
          {a.name}
        </p>
        <p className="soft">
          {inWords(a.size)}, {a.author ?? a.agent} <Time at={a.at} />
        </p>
      </div>
      <Button kind="quiet" className="icon" aria-label={`Download ${a.name}`} busy={take.isPending} onClick={() => take.mutate()}>
        <Icon name="download" />
      </Button>
      <Button kind="quiet" className="icon" aria-label={`Remove ${a.name}`} onClick={onRemove}>
        <Icon name="close" />
      </Button>
    </li>
  )
}

function Remove({ issue, file: a, onClose }: { issue: string; file: Attachment; onClose: () => void }) {
  const remove = useAttach(issue)
  return (
    <Dialog open onClose={onClose} title={`Remove ${a.name}?`} description="It is gone for good; the history keeps its name.">
      {remove.error && <Problem error={remove.error} />}
      <footer>
        <Button onClick={onClose}>Keep it</Button>
        <Button kind="danger" busy={remove.isPending} onClick={() => remove.mutate({ remove: a.id }, { onSuccess: onClose })}>
          Remove
        </Button>
      </footer>
    </Dialog>
  )
}
