import { Tabs } from 'radix-ui'
import { Button } from '../../ui/button'
import { Copy } from '../../ui/copy'
import { Icon } from '../../ui/icon'
import { snippets } from './snippets'

/** A token in full, for the only time, and how to use it. */
export function Plain({ plain, name, done }: { plain: string; name: string; done: () => void }) {
  const list = snippets(window.location.origin, plain)
  const download = () => {
    const url = URL.createObjectURL(new Blob([`${plain}\n`], { type: 'text/plain' }))
    const link = document.createElement('a')
    link.href = url
    link.download = `${name.replace(/[^\w-]+/g, '-') || 'token'}.txt`
    link.click()
    URL.revokeObjectURL(url)
  }
  return (
    <>
      <p className="note warn">This is the only time that the token is shown. Whoever has it can use it.</p>
      <div className="secret">
        <code data-testid="plain-token">{plain}</code>
        <Copy text={plain} label="Copy the token" />
        <Button onClick={download}>
          <Icon name="download" /> Download
        </Button>
      </div>
      <Tabs.Root defaultValue="0" className="tabs">
        <Tabs.List aria-label="Clients">
          {list.map((s, n) => (
            <Tabs.Trigger key={s.name} value={String(n)}>
              {s.name}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        {list.map((s, n) => (
          <Tabs.Content key={s.name} value={String(n)} className="stack tight">
            <div className="row">
              <small className="soft grow">{s.where}</small>
              <Copy text={s.text} label={`Copy for ${s.name}`} />
            </div>
            <pre className="code">{s.text}</pre>
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
