import { describe, expect, it } from 'vitest'
import { blocksOf, spansOf } from './markdown'

describe('spansOf', () => {
  it.each([
    ['plain', [{ kind: 'text', text: 'plain' }]],
    ['a **b** `c*d*`', [{ kind: 'text', text: 'a ' }, { kind: 'bold', text: 'b' }, { kind: 'text', text: ' ' }, { kind: 'code', text: 'c*d*' }]],
    ['[x](https://a.test/b)', [{ kind: 'link', text: 'x', href: 'https://a.test/b' }]],
    ['![pixel](https://evil.test/p.png)', [{ kind: 'link', text: 'pixel', href: 'https://evil.test/p.png' }]],
    ['[x](javascript:alert(1))', [{ kind: 'text', text: '[x](javascript:alert(1))' }]],
    ['[x](data:text/html,y)', [{ kind: 'text', text: '[x](data:text/html,y)' }]],
    ['see https://a.test now', [{ kind: 'text', text: 'see ' }, { kind: 'link', text: 'https://a.test', href: 'https://a.test' }, { kind: 'text', text: ' now' }]],
    ['<img src=x onerror=alert(1)>', [{ kind: 'text', text: '<img src=x onerror=alert(1)>' }]],
    ['2 * 3 * 4', [{ kind: 'text', text: '2 * 3 * 4' }]],
  ])('reads %s', (line, spans) => {
    expect(spansOf(line)).toEqual(spans)
  })
})

describe('blocksOf', () => {
  it('reads paragraphs, lists, headings, quotes and code', () => {
    const blocks = blocksOf('One\ntwo\n\n# Head\n- a\n- b\n1. c\n> q\n```\n<b>\n```\nend')
    expect(blocks.map((b) => b.kind)).toEqual(['paragraph', 'heading', 'list', 'list', 'quote', 'code', 'paragraph'])
    expect(blocks[2]).toMatchObject({ ordered: false, items: [[{ text: 'a' }], [{ text: 'b' }]] })
    expect(blocks[5]).toEqual({ kind: 'code', text: '<b>' })
  })

  it('ends with the text, whatever is left open', () => {
    expect(blocksOf('```\nx')).toEqual([{ kind: 'code', text: 'x' }])
    expect(blocksOf('')).toEqual([])
  })
})
