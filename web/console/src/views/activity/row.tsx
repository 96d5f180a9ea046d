import type { AuditRow } from '../../api/api'
import { Dialog } from '../../ui/dialog'
import { exactTime } from '../../ui/time'
import { To } from '../../ui/link'
import { usePreferences } from '../../ui/theme'
import { Decision } from './decision'
import { diffOf } from './diff'

/** Everything about one line of the audit log. */
export function AuditDetail({ row, onClose }: { row: AuditRow; onClose: () => void }) {
  const { language, timezone } = usePreferences()
  const diff = diffOf(row.changes)
  const facts: [string, string | number | undefined][] = [
    ['When', exactTime(new Date(row.at), language, timezone)],
    ['Who', row.actor],
    ['With token', row.token_name],
    ['Client', row.client],
    ['From', row.client_ip],
    ['Did', row.tool ? `${row.tool} (${row.method})` : row.method],
    ['Target', row.target],
    ['Rule', row.rule],
    ['Code', row.code],
    ['Took', row.duration_us ? `${(row.duration_us / 1000).toFixed(1)} ms` : undefined],
    ['Answered', row.bytes ? `${row.bytes.toLocaleString()} bytes` : undefined],
    ['Times', row.repeats],
    ['Request', row.request_id],
  ]
  return (
    <Dialog open onClose={onClose} wide title={row.tool || row.method}>
      <div>
        <Decision row={row} />
      </div>
      <dl className="facts">
        {facts
          .filter(([, v]) => v !== undefined && v !== '')
          .map(([name, v]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{name === 'Target' && /^[A-Z][A-Z0-9]+-\d+$/.test(String(v)) ? <To to={`/issues/${v}`}>{v}</To> : v}</dd>
            </div>
          ))}
      </dl>
      {diff.length > 0 && (
        <section className="stack tight">
          <h3>Changed</h3>
          <ul className="diff">
            {diff.map((l, n) => (
              <li key={n}>
                <b>{l.field}</b>
                {l.before && <del>{l.before}</del>}
                {l.after && <ins>{l.after}</ins>}
              </li>
            ))}
          </ul>
        </section>
      )}
      {row.args !== undefined && row.args !== null && (
        <section className="stack tight">
          <h3>Arguments</h3>
          <pre className="code">{JSON.stringify(row.args, null, 2)}</pre>
        </section>
      )}
    </Dialog>
  )
}
