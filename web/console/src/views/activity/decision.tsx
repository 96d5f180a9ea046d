import type { AuditRow } from '../../api/api'

/** What came of a request. */
export function Decision({ row }: { row: Pick<AuditRow, 'decision' | 'code'> }) {
  const good = row.decision === 'allowed' && !row.code
  const kind = good ? 'good' : row.decision === 'denied' ? 'bad' : 'warn'
  return <span className={`badge ${kind}`}>{good ? 'allowed' : row.code || row.decision}</span>
}
