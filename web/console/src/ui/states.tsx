import type { UseInfiniteQueryResult, UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { ApiError } from '../api/http'
import { Button } from './button'
import { Icon, type IconName } from './icon'

/** What a view shows when it has nothing to show. */
export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <Icon name={icon} />
      <h2>{title}</h2>
      {children && <div className="soft">{children}</div>}
    </div>
  )
}

/** What went wrong, in the server's words, and a way on. */
export function Problem({ error, retry }: { error: unknown; retry?: () => void }) {
  return (
    <div className="problem" role="alert">
      <Icon name="alert" />
      <p>{sentence(error)}</p>
      {retry && <Button onClick={retry}>Try again</Button>}
    </div>
  )
}

/** An error as a sentence for a person. */
export function sentence(error: unknown): string {
  if (error instanceof ApiError) return [error.message, error.next].filter(Boolean).join(' ')
  return error instanceof Error ? error.message : 'Something went wrong.'
}

/** The shape of rows that are on their way. */
export function Skeleton({ rows = 8 }: { rows?: number }) {
  return (
    <div className="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, n) => (
        <i key={n} />
      ))}
    </div>
  )
}

interface LoadedProps<T> {
  query: UseQueryResult<T> | UseInfiniteQueryResult<T>
  /** How many rows are on their way, about. */
  rows?: number
  children: (data: T) => ReactNode
}

/** What a query brought, once it is there; before, that it comes, or what went wrong. */
export function Loaded<T>({ query, rows, children }: LoadedProps<T>) {
  if (query.isPending) return <Skeleton rows={rows} />
  if (query.isError) return <Problem error={query.error} retry={() => void query.refetch()} />
  return children(query.data)
}
