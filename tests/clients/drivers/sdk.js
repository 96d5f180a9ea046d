// The npm package @modelcontextprotocol/sdk: the client that most hosts are built on.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { work } from './work.js';

await work(async ({ url, headers, command, env }) => {
  const client = new Client({ name: 'sdk', version: '1' });
  const transport = url
    ? new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } })
    : new StdioClientTransport({ command, args: ['stdio'], env });
  let protocol;
  const told = transport.setProtocolVersion?.bind(transport);
  transport.setProtocolVersion = version => {
    protocol = version;
    told?.(version);
  };
  await client.connect(transport);
  return { client, protocol };
});
