import { expect, it } from 'vitest'
import { snippets } from './snippets'

it('fills in the server and the token, in JSON where a file is JSON', () => {
  const all = snippets('https://acme.example.com', 'mcp_acme_1')
  expect(all.map((s) => s.name)).toEqual(['Claude Desktop', 'Claude Code', 'VS Code', 'Cursor', 'curl'])
  for (const s of all) {
    expect(s.text).toContain('https://acme.example.com')
    expect(s.text).toContain('mcp_acme_1')
    if (s.where.endsWith('.json')) expect(() => JSON.parse(s.text)).not.toThrow()
  }
})
