import { Dialog as Radix } from 'radix-ui'
import type { ReactNode } from 'react'
import { Icon } from './icon'

interface Props {
  title: string
  description?: ReactNode
  open: boolean
  onClose: () => void
  wide?: boolean
  /** What a click beside it must not lose. */
  keep?: boolean
  children: ReactNode
}

/** A modal dialog: it holds the focus, and Escape closes it. */
export function Dialog({ title, description, open, onClose, wide, keep, children }: Props) {
  return (
    <Radix.Root open={open} onOpenChange={(now) => !now && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="overlay" />
        <Radix.Content
          className={wide ? 'dialog wide' : 'dialog'}
          onPointerDownOutside={(e) => keep && e.preventDefault()}
          {...(description ? {} : { 'aria-describedby': undefined })}
        >
          <header>
            <Radix.Title>{title}</Radix.Title>
            <Radix.Close className="button quiet icon" aria-label="Close">
              <Icon name="close" />
            </Radix.Close>
          </header>
          {description && <Radix.Description className="soft">{description}</Radix.Description>}
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}
