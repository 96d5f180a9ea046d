import type { ReactNode } from 'react'

interface Props {
  columns: string[]
  /** Those of the columns that hold numbers. */
  numbers?: string[]
  /** Whether a last column holds buttons. */
  actions?: boolean
  className?: string
  children: ReactNode
}

/** Rows under their headings. */
export function Table({ columns, numbers = [], actions, className = 'table', children }: Props) {
  return (
    <table className={className}>
      <thead>
        <tr>
          {columns.map((c) => (
            <th key={c} className={numbers.includes(c) ? 'num' : undefined}>
              {c}
            </th>
          ))}
          {actions && (
            <th>
              <span className="hidden">Actions</span>
            </th>
          )}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  )
}
