import { useEffect, useState } from 'react'
import { useParams } from 'react-router'
import { useAdmin } from '../../layout'
import { Button } from '../../ui/button'
import { To } from '../../ui/link'
import { Empty, Problem, Skeleton } from '../../ui/states'
import { markSeen } from '../../ui/theme'
import { Time } from '../../ui/time'
import { Trail } from '../activity/trail'
import { EditToken, RevokeToken, RotateToken } from './actions'
import { type Grants, inWords, projectsInWords } from './grants'
import { Preview } from './preview'
import { useTokens, useVocabulary } from './queries'
import { State, whyEnded } from './state'

/** One token: what it is, what its agent sees, and what it did. */
export default function TokenView() {
  const { id = '' } = useParams()
  const admin = useAdmin()
  const tokens = useTokens()
  const vocabulary = useVocabulary()
  const [doing, setDoing] = useState<'edit' | 'rotate' | 'revoke' | null>(null)
  const token = tokens.data?.find((t) => t.id === id)
  const alarming = token?.ended_why === 'reused'
  useEffect(() => {
    if (alarming) markSeen(id)
  }, [id, alarming])
  if (tokens.isPending || vocabulary.isPending) return <Skeleton />
  if (tokens.isError) return <Problem error={tokens.error} retry={() => void tokens.refetch()} />
  if (vocabulary.isError) return <Problem error={vocabulary.error} retry={() => void vocabulary.refetch()} />
  if (!token) return <Empty icon="key" title="There is no such token" />
  const close = () => setDoing(null)
  return (
    <div className="stack">
      <header className="head">
        <div>
          <To to="/tokens">Tokens</To>
          <h1>
            {token.name} <State token={token} />
          </h1>
        </div>
        {token.state !== 'revoked' && (
          <div className="row">
            <Button onClick={() => setDoing('edit')}>Change</Button>
            <Button onClick={() => setDoing('rotate')}>Rotate</Button>
            <Button kind="danger" onClick={() => setDoing('revoke')}>
              Revoke
            </Button>
          </div>
        )}
      </header>
      {token.ended_why && <p className={token.ended_why === 'reused' ? 'note warn' : 'note'}>{whyEnded[token.ended_why]}</p>}
      <div className="panel pad columns">
        <dl className="facts">
          <dt>Token</dt>
          <dd className="mono">…{token.hint}</dd>
          <dt>Owner</dt>
          <dd>{token.owner ?? `nobody: a service token, ${token.role}`}</dd>
          <dt>May</dt>
          <dd>
            {inWords(token, vocabulary.data)}, in {projectsInWords(token)}
          </dd>
          <dt>From</dt>
          <dd>{token.allowed_ips?.join(', ') || 'anywhere'}</dd>
        </dl>
        <dl className="facts">
          <dt>Made</dt>
          <dd>
            <Time at={token.created_at} /> {token.created_by && `by ${token.created_by}`}
          </dd>
          <dt>Expires</dt>
          <dd>
            <Time at={token.expires_at} />
          </dd>
          <dt>Last used</dt>
          <dd>
            <Time at={token.last_used_at} /> {token.last_ip && `from ${token.last_ip}`}
          </dd>
          {token.previous_until && (
            <>
              <dt>Old secret</dt>
              <dd>
                ends <Time at={token.previous_until} />
              </dd>
            </>
          )}
        </dl>
      </div>
      {token.state !== 'revoked' && <Preview permissions={token.permissions as Grants} role={token.role} />}
      {admin && (
        <section>
          <h2 className="gap">What it did</h2>
          <Trail fixed={{ token: token.id }} />
        </section>
      )}
      {doing === 'edit' && <EditToken token={token} onClose={close} />}
      {doing === 'rotate' && <RotateToken token={token} onClose={close} />}
      {doing === 'revoke' && <RevokeToken token={token} onClose={close} />}
    </div>
  )
}
