/** A piece of a line of text. */
export type Span = { kind: 'text' | 'bold' | 'italic' | 'code'; text: string } | { kind: 'link'; text: string; href: string }

/** A block of a text. */
export type Block =
  | { kind: 'paragraph' | 'heading' | 'quote'; spans: Span[] }
  | { kind: 'list'; ordered: boolean; items: Span[][] }
  | { kind: 'code'; text: string }

const inline = /`([^`]+)`|\*\*([^*]+)\*\*|(?<![\w*])\*([^*\s][^*]*)\*|!?\[([^\]]*)\]\(([^)\s]+)\)|(https?:\/\/[^\s<>()]+)/g

/** Reads the marks within a line. Only web addresses become links, and images only links. */
export function spansOf(line: string): Span[] {
  const spans: Span[] = []
  let last = 0
  const text = (until: number) => {
    if (until > last) spans.push({ kind: 'text', text: line.slice(last, until) })
  }
  for (const m of line.matchAll(inline)) {
    const [whole, code, bold, italic, label, href, bare] = m
    const target = href ?? bare
    if (target !== undefined && !/^https?:\/\//i.test(target)) continue
    text(m.index)
    last = m.index + whole.length
    if (code !== undefined) spans.push({ kind: 'code', text: code })
    else if (bold !== undefined) spans.push({ kind: 'bold', text: bold })
    else if (italic !== undefined) spans.push({ kind: 'italic', text: italic })
    else if (target !== undefined) spans.push({ kind: 'link', text: label || target, href: target })
  }
  text(line.length)
  return spans
}

const bullet = /^\s*(?:[-*+]|(\d+)[.)])\s+(.*)$/

/** Reads the little Markdown that issues are written in. What it does not know stays text. */
export function blocksOf(source: string): Block[] {
  const blocks: Block[] = []
  const lines = source.replaceAll('\r\n', '\n').split('\n')
  let paragraph: string[] = []
  const flush = () => {
    if (paragraph.length > 0) blocks.push({ kind: 'paragraph', spans: spansOf(paragraph.join('\n')) })
    paragraph = []
  }
  for (let n = 0; n < lines.length; n++) {
    const line = lines[n] ?? ''
    const item = bullet.exec(line)
    const heading = /^#{1,6}\s+(.*)$/.exec(line)
    if (line.startsWith('```')) {
      flush()
      const code: string[] = []
      for (n++; n < lines.length && !lines[n]?.startsWith('```'); n++) code.push(lines[n] ?? '')
      blocks.push({ kind: 'code', text: code.join('\n') })
    } else if (item) {
      flush()
      const before = blocks.at(-1)
      const ordered = item[1] !== undefined
      if (before?.kind === 'list' && before.ordered === ordered && lines[n - 1]?.trim()) before.items.push(spansOf(item[2] ?? ''))
      else blocks.push({ kind: 'list', ordered, items: [spansOf(item[2] ?? '')] })
    } else if (heading) {
      flush()
      blocks.push({ kind: 'heading', spans: spansOf(heading[1] ?? '') })
    } else if (line.startsWith('>')) {
      flush()
      blocks.push({ kind: 'quote', spans: spansOf(line.replace(/^>\s?/, '')) })
    } else if (line.trim() === '') flush()
    else paragraph.push(line)
  }
  flush()
  return blocks
}
