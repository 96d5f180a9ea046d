import type { Token } from '../../api/api'

/** Whether a token works. */
export function State({ token }: { token: Token }) {
  if (token.state === 'active' && token.expires_soon) return <span className="badge warn">expires soon</span>
  const kind = { active: 'good', expired: 'warn', revoked: 'bad', disabled: 'warn' }[token.state]
  return <span className={`badge ${kind}`}>{token.state}</span>
}
