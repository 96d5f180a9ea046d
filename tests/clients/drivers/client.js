// The npm package @modelcontextprotocol/client, which finds out by itself that
// the server speaks the revision without a handshake.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { work } from './work.js';

await work(async ({ url, headers, command, env }) => {
  const client = new Client({ name: 'client', version: '2' }, { versionNegotiation: { mode: 'auto' } });
  const transport = url
    ? new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } })
    : new StdioClientTransport({ command, args: ['stdio'], env });
  await client.connect(transport);
  return { client, protocol: client.getNegotiatedProtocolVersion() };
});
