import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { type AuditRow, get } from '../../api/api'
import type { Query } from '../../api/http'
import { pace } from './pace'

const PAGE = 100

/** The audit log under a filter. */
export const useTrail = (filter: Query) =>
  useInfiniteQuery({
    queryKey: ['audit', filter],
    queryFn: ({ pageParam, signal }) => get('/api/v1/audit', { query: { ...filter, limit: PAGE, cursor: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor,
    structuralSharing: false, // or each page is compared with all that are there
    refetchInterval: pace,
  })

/** Whether the log is as it was written; it reads the whole log, so it is asked rarely. */
export const useVerification = () =>
  useQuery({ queryKey: ['audit-verification'], queryFn: ({ signal }) => get('/api/v1/audit/verification', { signal }), staleTime: 300_000 })

/** Reads up to 10,000 lines, for a file. */
export async function everyRow(filter: Query): Promise<AuditRow[]> {
  const rows: AuditRow[] = []
  let cursor: string | undefined
  do {
    const page = await get('/api/v1/audit', { query: { ...filter, limit: 200, cursor } })
    rows.push(...page.items)
    cursor = page.next_cursor
  } while (cursor && rows.length < 10_000)
  return rows
}
