import type { Token } from '../../api/api'

/** Whether a token works. */
export function State({ token }: { token: Token }) {
  if (token.state === 'active' && token.expires_soon) return <span className="badge warn">expires soon</span>
  const kind = { active: 'good', expired: 'warn', revoked: 'bad', disabled: 'warn' }[token.state]
  return <span className={`badge ${kind}`}>{token.state}</span>
}

/** Why a connected agent was shut out, where no person did it. */
export const whyEnded = {
  reused: 'A secret of this agent was used twice: somebody else may have had it, so both were shut out. Connect the agent again, and tell an admin if you do not know why.',
  replaced: 'The agent asked for more and got it: it goes on with a newer token.',
  disconnected: 'The agent signed out.',
}

/** The same in a word or two. */
export const whyEndedShort = { reused: 'secret used twice', replaced: 'replaced', disconnected: 'by the agent' }
