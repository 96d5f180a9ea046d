import { useRef, useState } from 'react'
import { useVirtualizer } from '@tanstack/react-virtual'
import type { AuditRow } from '../../api/api'
import type { Query } from '../../api/http'
import { Empty, Problem, Skeleton } from '../../ui/states'
import { Time } from '../../ui/time'
import { Decision } from './decision'
import { useTrail } from './queries'
import { AuditDetail } from './row'

/** Lines of the audit log, newest first: more come as one scrolls, and only those in sight are drawn. */
export function Trail({ fixed }: { fixed: Query }) {
  const trail = useTrail(fixed)
  const [open, setOpen] = useState<AuditRow | null>(null)
  if (trail.isPending) return <Skeleton rows={12} />
  if (trail.isError) return <Problem error={trail.error} retry={() => void trail.refetch()} />
  const rows = trail.data.pages.flatMap((p) => p.items)
  const { total = 0, total_is_minimum } = trail.data.pages[0] ?? {}
  if (rows.length === 0) return <Empty icon="pulse" title="Nothing has happened here" />
  return (
    <>
      <Rows rows={rows} show={setOpen} more={() => trail.hasNextPage && !trail.isFetchingNextPage && void trail.fetchNextPage()} />
      <p className="soft below">
        {rows.length.toLocaleString()} of {total.toLocaleString()}
        {total_is_minimum && '+'} {trail.isFetchingNextPage && 'loading …'}
      </p>
      {open && <AuditDetail row={open} onClose={() => setOpen(null)} />}
    </>
  )
}

const ROW = 45

function Rows({ rows, show, more }: { rows: AuditRow[]; show: (r: AuditRow) => void; more: () => void }) {
  const scroller = useRef<HTMLDivElement>(null)
  const list = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => ROW, overscan: 12 })
  const items = list.getVirtualItems()
  const scrolled = () => {
    const el = scroller.current
    if (el && el.scrollHeight - el.scrollTop - el.clientHeight < 600) more()
  }
  return (
    <div className="panel trail" ref={scroller} onScroll={scrolled} tabIndex={0} role="region" aria-label="Audit log">
      <ol style={{ height: list.getTotalSize() }}>
        {items.map((item) => {
          const row = rows[item.index]
          if (!row) return null
          return (
            <li key={row.id} style={{ transform: `translateY(${item.start}px)`, height: ROW }}>
              <button type="button" onClick={() => show(row)}>
                <span className="when soft">
                  <Time at={row.at} />
                </span>
                <span className="who clip">
                  {row.actor || row.token_name || 'system'}
                  {row.token_name && row.token_name !== row.actor && <small className="soft"> via {row.token_name}</small>}
                </span>
                <span className="did clip mono">{row.tool || row.method}</span>
                <span className="target clip soft">{row.target}</span>
                <Decision row={row} />
                {(row.repeats ?? 0) > 1 && <small className="soft">×{row.repeats}</small>}
              </button>
            </li>
          )
        })}
      </ol>
    </div>
  )
}
