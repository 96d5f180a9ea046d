import { useState } from 'react'
import type { Schemas } from '../../api/api'
import { Dialog } from '../../ui/dialog'
import { Skeleton } from '../../ui/states'
import { TokenForm } from './form'
import { Plain } from './plain'
import { useCreate, useVocabulary } from './queries'

interface Props {
  open: boolean
  onClose: () => void
  onMade?: (made: Schemas['PlainToken']) => void
  name?: string
  preset?: string
}

/** Makes a token, then shows it once. */
export function CreateToken({ open, onClose, onMade, name, preset }: Props) {
  const vocabulary = useVocabulary()
  const create = useCreate()
  const [made, setMade] = useState<Schemas['PlainToken'] | null>(null)
  const close = () => {
    setMade(null)
    create.reset()
    onClose()
  }
  return (
    <Dialog open={open} onClose={close} wide keep title={made ? `Token “${made.token.name}”` : 'New token'}>
      {made ? (
        <Plain made={made} done={close} />
      ) : vocabulary.data ? (
        <TokenForm
          vocabulary={vocabulary.data}
          error={create.error}
          busy={create.isPending}
          cancel={close}
          name={name}
          preset={preset}
          submit={(body) =>
            create.mutate(body, {
              onSuccess: (answer) => {
                setMade(answer)
                onMade?.(answer)
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
