import { DropdownMenu as Radix } from 'radix-ui'
import type { ReactNode } from 'react'

/** A menu that a button opens. */
export function Menu({ button, children }: { button: ReactNode; children: ReactNode }) {
  return (
    <Radix.Root modal={false}>
      <Radix.Trigger asChild>{button}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content className="menu" align="end" sideOffset={4} collisionPadding={8}>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

export function MenuItem({ onSelect, danger, children }: { onSelect: () => void; danger?: boolean; children: ReactNode }) {
  return (
    <Radix.Item className={danger ? 'danger' : ''} onSelect={onSelect}>
      {children}
    </Radix.Item>
  )
}

export const MenuLine = () => <Radix.Separator className="line" />
