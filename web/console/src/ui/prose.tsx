import { type Block, blocksOf, type Span } from './markdown'

/** A text that somebody wrote, as elements: nothing of it is ever markup. */
export function Prose({ text }: { text: string }) {
  return (
    <div className="prose">
      {blocksOf(text).map((b, n) => (
        <One key={n} block={b} />
      ))}
    </div>
  )
}

function One({ block }: { block: Block }) {
  switch (block.kind) {
    case 'code':
      return <pre className="code">{block.text}</pre>
    case 'list': {
      const items = block.items.map((spans, n) => <li key={n}>{inlineOf(spans)}</li>)
      return block.ordered ? <ol>{items}</ol> : <ul>{items}</ul>
    }
    case 'heading':
      return <p className="heading">{inlineOf(block.spans)}</p>
    case 'quote':
      return <blockquote>{inlineOf(block.spans)}</blockquote>
    default:
      return <p>{inlineOf(block.spans)}</p>
  }
}

const inlineOf = (spans: Span[]) =>
  spans.map((s, n) => {
    switch (s.kind) {
      case 'bold':
        return <b key={n}>{s.text}</b>
      case 'italic':
        return <i key={n}>{s.text}</i>
      case 'code':
        return <code key={n}>{s.text}</code>
      case 'link':
        return (
          <a key={n} href={s.href} target="_blank" rel="noopener noreferrer nofollow">
            {s.text}
          </a>
        )
      default:
        return s.text
    }
  })
