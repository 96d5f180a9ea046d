import { useState } from 'react'
import type { Token } from '../../api/api'
import { Button } from '../../ui/button'
import { useFilters } from '../../ui/filters'
import { Icon } from '../../ui/icon'
import { To } from '../../ui/link'
import { Menu, MenuItem, MenuLine } from '../../ui/menu'
import { Empty, Loaded } from '../../ui/states'
import { Table } from '../../ui/table'
import { Time } from '../../ui/time'
import { EditToken, RevokeToken, RotateToken } from './actions'
import { CreateToken } from './create'
import { inWords, projectsInWords } from './grants'
import { useTokens, useVocabulary } from './queries'
import { State, whyEndedShort } from './state'

type Doing = { what: 'edit' | 'rotate' | 'revoke'; token: Token } | null

/** The tokens of the agents. */
export default function Tokens() {
  const tokens = useTokens()
  const { values, set } = useFilters(['q', 'state'] as const)
  const [creating, setCreating] = useState(false)
  const [doing, setDoing] = useState<Doing>(null)
  const wanted = (t: Token) =>
    (values.state === 'all' || (values.state ? t.state === values.state : t.state === 'active' || t.state === 'disabled')) &&
    `${t.name} ${t.owner ?? ''} ${t.hint}`.toLowerCase().includes(values.q.toLowerCase())
  const shown = tokens.data?.filter(wanted) ?? []
  const close = () => setDoing(null)
  return (
    <>
      <header className="head">
        <div>
          <h1>Tokens</h1>
          <p>What your agents hold: each says what it may do, where, and until when.</p>
        </div>
        <Button kind="primary" onClick={() => setCreating(true)}>
          <Icon name="plus" /> New token
        </Button>
      </header>
      <div className="tools">
        <input type="search" aria-label="Find a token" placeholder="Name or owner" value={values.q} onChange={(e) => set({ q: e.target.value })} />
        <select aria-label="State" value={values.state} onChange={(e) => set({ state: e.target.value })}>
          <option value="">that work</option>
          <option value="expired">expired</option>
          <option value="revoked">revoked</option>
          <option value="all">all</option>
        </select>
        {tokens.data && <span className="soft">{shown.length} {shown.length === 1 ? 'token' : 'tokens'}</span>}
      </div>
      <div className="panel">
        <Loaded query={tokens}>
          {(data) =>
            shown.length === 0 ? (
              <Empty icon="key" title={data.length === 0 ? 'No agent has a token yet' : 'No token fits'}>
                {data.length === 0 && <p>Make one, paste it into your agent, and it can work here.</p>}
              </Empty>
            ) : (
              <TokenTable tokens={shown} act={setDoing} />
            )
          }
        </Loaded>
      </div>
      <CreateToken open={creating} onClose={() => setCreating(false)} />
      {doing?.what === 'edit' && <EditToken token={doing.token} onClose={close} />}
      {doing?.what === 'rotate' && <RotateToken token={doing.token} onClose={close} />}
      {doing?.what === 'revoke' && <RevokeToken token={doing.token} onClose={close} />}
    </>
  )
}

function TokenTable({ tokens, act }: { tokens: Token[]; act: (d: Doing) => void }) {
  const vocabulary = useVocabulary()
  return (
    <Table columns={['Token', 'Owner', 'May', 'Last used', 'Expires', 'State']} actions>
      {tokens.map((t) => (
        <tr key={t.id}>
          <td>
            <To className="main" to={`/tokens/${t.id}`}>
              {t.name}
            </To>
            <small className="mono">…{t.hint}</small>
          </td>
          <td data-name="Owner">{t.owner ?? <span className="soft">service, {t.role}</span>}</td>
          <td data-name="May">
            <div>
              {vocabulary.data ? inWords(t, vocabulary.data) : '…'}
              <small>{projectsInWords(t)}</small>
            </div>
          </td>
          <td data-name="Last used">
            <div>
              <Time at={t.last_used_at} />
              {t.last_ip && <small>{t.last_ip}</small>}
            </div>
          </td>
          <td data-name="Expires">
            <Time at={t.expires_at} />
          </td>
          <td data-name="State">
            <div>
              <State token={t} />
              {t.ended_why && <small>{whyEndedShort[t.ended_why]}</small>}
            </div>
          </td>
          <td className="tight">
            {t.state !== 'revoked' && (
              <Menu
                button={
                  <button type="button" className="button quiet icon" aria-label={`Actions for ${t.name}`}>
                    <Icon name="more" />
                  </button>
                }
              >
                <MenuItem onSelect={() => act({ what: 'edit', token: t })}>Change</MenuItem>
                <MenuItem onSelect={() => act({ what: 'rotate', token: t })}>Rotate</MenuItem>
                <MenuLine />
                <MenuItem danger onSelect={() => act({ what: 'revoke', token: t })}>
                  Revoke
                </MenuItem>
              </Menu>
            )}
          </td>
        </tr>
      ))}
    </Table>
  )
}
