import { Tabs } from 'radix-ui'
import type { Schemas } from '../../api/api'
import { Button } from '../../ui/button'
import { Copy } from '../../ui/copy'
import { save } from '../../ui/file'
import { Icon } from '../../ui/icon'

interface Props {
  made: Schemas['PlainToken']
  done: () => void
}

/** A token in full, for the only time, and what each client needs to use it. */
export function Plain({ made: { plain, token, clients }, done }: Props) {
  return (
    <>
      <p className="note warn">This is the only time that the token is shown. Whoever has it can use it.</p>
      <div className="secret">
        <code data-testid="plain-token">{plain}</code>
        <Copy text={plain} label="Copy the token" />
        <Button onClick={() => save(`${plain}\n`, `${token.name.replace(/[^\w-]+/g, '-') || 'token'}.txt`)}>
          <Icon name="download" /> Download
        </Button>
      </div>
      <Tabs.Root defaultValue="0" className="tabs">
        <Tabs.List aria-label="Clients">
          {clients.map((c, n) => (
            <Tabs.Trigger key={c.title} value={String(n)}>
              {c.title}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        {clients.map((c, n) => (
          <Tabs.Content key={c.title} value={String(n)} className="stack tight">
            <div className="row">
              <small className="soft grow">{c.where}</small>
              {c.link && (
                <a className="button" href={c.link}>
                  <Icon name="plus" /> Add to {c.title}
                </a>
              )}
              <Copy text={c.text} label={`Copy for ${c.title}`} />
            </div>
            <pre className="code">{c.text}</pre>
            {c.asks && <small className="soft">{c.title} asks for the token when it is added: paste it there.</small>}
          </Tabs.Content>
        ))}
      </Tabs.Root>
      <footer>
        <Button kind="primary" onClick={done}>
          I have kept it
        </Button>
      </footer>
    </>
  )
}
