import { type ReactNode, useState } from 'react'
import type { Schemas } from '../api/api'
import { Button } from '../ui/button'
import { Icon } from '../ui/icon'
import { To } from '../ui/link'
import { Skeleton } from '../ui/states'
import { Time } from '../ui/time'
import { CreateToken } from './tokens/create'
import { useTokens } from './tokens/queries'
import { NewProject } from './work/new-project'
import { useProjectList } from './work/queries'

/** Leads an empty tenant to its first project, token and connected agent. */
export default function Welcome() {
  const projects = useProjectList('active')
  const tokens = useTokens(2_000) // notices the first call
  const [open, setOpen] = useState<'project' | 'token' | null>(null)
  const [made, setMade] = useState<Schemas['PlainToken'] | null>(null)
  if (projects.isPending || tokens.isPending) return <Skeleton />
  const project = projects.data?.items[0]
  const active = (tokens.data ?? []).filter((t) => t.state === 'active')
  const token = active.find((t) => t.id === made?.token.id) ?? active[0]
  const caller = active.find((t) => t.last_used_at)
  return (
    <div className="stack narrow">
      <header className="head">
        <div>
          <h1>Three steps to an agent at work</h1>
        </div>
      </header>
      <ol className="steps">
        <Step n={1} title="A project" done={Boolean(project)}>
          {project ? (
            <p>
              <To to={`/projects/${project.key}`}>{project.name}</To> is there.
            </p>
          ) : (
            <>
              <p className="soft">Issues live in projects. Make the first one.</p>
              <Button kind="primary" onClick={() => setOpen('project')}>
                New project
              </Button>
            </>
          )}
        </Step>
        <Step n={2} title="A token for your agent" done={Boolean(token)}>
          {token ? (
            <p>
              <To to={`/tokens/${token.id}`}>{token.name}</To> works.
            </p>
          ) : (
            <p className="soft">A token says what an agent may do, where, and until when. You can take it back at any time.</p>
          )}
          {!caller && (
            <Button kind={token ? 'plain' : 'primary'} onClick={() => setOpen('token')} disabled={!project}>
              New token
            </Button>
          )}
        </Step>
        <Step n={3} title="The agent’s first call" done={Boolean(caller)}>
          {caller ? (
            <p role="status">
              <b>{caller.name}</b> called <Time at={caller.last_used_at} />. You are set.
            </p>
          ) : (
            <p className="soft" role="status">
              {token ? 'Paste the token into your agent and ask it: “What can you see in ColaFlow?” This page notices its first call.' : 'It comes after the token.'}
            </p>
          )}
        </Step>
      </ol>
      {open === 'project' && <NewProject stay onClose={() => setOpen(null)} />}
      <CreateToken open={open === 'token'} onClose={() => setOpen(null)} onMade={setMade} preset="planner" name="my agent" />
    </div>
  )
}

function Step({ n, title, done, children }: { n: number; title: string; done: boolean; children: ReactNode }) {
  return (
    <li className={done ? 'panel pad done' : 'panel pad'}>
      <span className="number" aria-hidden="true">
        {done ? <Icon name="check" /> : n}
      </span>
      <div className="stack tight">
        <h2>
          {title} {done && <span className="hidden">(done)</span>}
        </h2>
        {children}
      </div>
    </li>
  )
}
