/** A client that an agent lives in, and what to paste into it. */
export interface Snippet {
  name: string
  where: string
  text: string
}

const json = (v: unknown) => JSON.stringify(v, null, 2)

/** What connects each client to a server with a token. */
export function snippets(origin: string, token: string): Snippet[] {
  const url = `${origin}/mcp`
  const headers = { Authorization: `Bearer ${token}` }
  return [
    {
      name: 'Claude Desktop',
      where: 'claude_desktop_config.json',
      text: json({ mcpServers: { colaflow: { command: 'colaflow', args: ['stdio', '--url', origin], env: { COLAFLOW_TOKEN: token } } } }),
    },
    {
      name: 'Claude Code',
      where: 'in a terminal',
      text: `claude mcp add --transport http colaflow ${url} --header "Authorization: Bearer ${token}"`,
    },
    { name: 'VS Code', where: '.vscode/mcp.json', text: json({ servers: { colaflow: { type: 'http', url, headers } } }) },
    { name: 'Cursor', where: '~/.cursor/mcp.json', text: json({ mcpServers: { colaflow: { url, headers } } }) },
    {
      name: 'curl',
      where: 'in a terminal',
      text: [
        `curl -s ${url} \\`,
        `  -H 'Authorization: Bearer ${token}' \\`,
        `  -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \\`,
        `  -d '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_me","arguments":{}}}'`,
      ].join('\n'),
    },
  ]
}
