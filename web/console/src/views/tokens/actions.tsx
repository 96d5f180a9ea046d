import { useState } from 'react'
import type { Schemas, Token } from '../../api/api'
import { Button } from '../../ui/button'
import { Dialog } from '../../ui/dialog'
import { Problem, Skeleton } from '../../ui/states'
import { say } from '../../ui/toast'
import { TokenForm } from './form'
import { Plain } from './plain'
import { useChange, useRevoke, useRotate, useVocabulary } from './queries'

interface Props {
  token: Token
  onClose: () => void
}

/** Changes what a token may do; it stays the same token. */
export function EditToken({ token, onClose }: Props) {
  const vocabulary = useVocabulary()
  const change = useChange(token.id)
  return (
    <Dialog open onClose={onClose} wide keep title={`Change “${token.name}”`} description="In force at once; the agent keeps its token.">
      {vocabulary.data ? (
        <TokenForm
          vocabulary={vocabulary.data}
          token={token}
          error={change.error}
          busy={change.isPending}
          cancel={onClose}
          submit={(body) =>
            change.mutate(body, {
              onSuccess: () => {
                say('Changed. It is in force.')
                onClose()
              },
            })
          }
        />
      ) : (
        <Skeleton />
      )}
    </Dialog>
  )
}

const overlaps = [
  [0, 'at once'],
  [3600, 'in an hour'],
  [86_400, 'in a day'],
] as const

/** Gives a token a new secret; the old one may work a while longer. */
export function RotateToken({ token, onClose }: Props) {
  const rotate = useRotate(token.id)
  const [overlap, setOverlap] = useState(3600)
  const [made, setMade] = useState<Schemas['PlainToken'] | null>(null)
  return (
    <Dialog open onClose={onClose} wide={made !== null} keep title={made ? `Token “${token.name}”` : `Rotate “${token.name}”`}>
      {made ? (
        <Plain made={made} done={onClose} />
      ) : (
        <>
          <p>The token gets a new secret, with the same permissions. Put the new one into the agent before the old one ends.</p>
          <label>
            The old secret ends
            <select value={overlap} onChange={(e) => setOverlap(Number(e.target.value))}>
              {overlaps.map(([s, text]) => (
                <option key={s} value={s}>
                  {text}
                </option>
              ))}
            </select>
          </label>
          {rotate.error && <Problem error={rotate.error} />}
          <footer>
            <Button onClick={onClose}>Cancel</Button>
            <Button kind="primary" busy={rotate.isPending} onClick={() => rotate.mutate(overlap, { onSuccess: setMade })}>
              Rotate
            </Button>
          </footer>
        </>
      )}
    </Dialog>
  )
}

/** Ends a token for good. */
export function RevokeToken({ token, onClose }: Props) {
  const revoke = useRevoke(token.id)
  const done = () => {
    say(`“${token.name}” is revoked.`)
    onClose()
  }
  return (
    <Dialog open onClose={onClose} title={`Revoke “${token.name}”?`}>
      <p>
        The agent of <b>{token.owner || 'this service'}</b> that uses it is shut out at once. This is final: a revoked token never works again.
      </p>
      {revoke.error && <Problem error={revoke.error} />}
      <footer>
        <Button onClick={onClose}>Keep it</Button>
        <Button kind="danger" busy={revoke.isPending} onClick={() => revoke.mutate(undefined, { onSuccess: done })}>
          Revoke for good
        </Button>
      </footer>
    </Dialog>
  )
}
