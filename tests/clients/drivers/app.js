// A program on a person's machine, written with the npm package @modelcontextprotocol/sdk or
// @modelcontextprotocol/client: it opens a browser at the address to authorize at, and takes
// the answer on a port of its own. Argument: JSON {package, url, scope}. It does the steps
// that come as lines on standard input, and writes a line of each outcome.
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { calls } from './work.js';

const { package: name, url, scope } = JSON.parse(process.argv[2]);
const sdk = await {
  sdk: async () => ({
    ...(await import('@modelcontextprotocol/sdk/client/index.js')),
    ...(await import('@modelcontextprotocol/sdk/client/streamableHttp.js')),
    ...(await import('@modelcontextprotocol/sdk/client/auth.js')),
  }),
  client: () => import('@modelcontextprotocol/client'),
}[name]();

let arrived;
const listener = createServer((request, response) => {
  const url = new URL(request.url, redirect);
  response.end('You may close this page.');
  if (url.pathname === '/callback') arrived(url.searchParams); // browsers ask for more, such as an icon
});
await new Promise(done => listener.listen(0, '127.0.0.1', done));
const redirect = `http://127.0.0.1:${listener.address().port}/callback`;

/** What the package asks its user to keep: here, as long as the program runs. */
class Provider {
  kept = {};
  redirectUrl = redirect;
  clientMetadata = { client_name: `A program with ${name}`, redirect_uris: [redirect], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], token_endpoint_auth_method: 'none' };
  state = () => (this.kept.state = crypto.randomUUID());
  clientInformation = () => this.kept.client;
  saveClientInformation = client => void (this.kept.client = client);
  tokens = () => this.kept.tokens;
  saveTokens = tokens => void (this.kept.tokens = tokens);
  codeVerifier = () => this.kept.verifier;
  saveCodeVerifier = verifier => void (this.kept.verifier = verifier);
  discoveryState = () => this.kept.discovery;
  saveDiscoveryState = state => void (this.kept.discovery = state);
  invalidateCredentials = what => {
    for (const each of what === 'all' ? ['client', 'tokens', 'verifier', 'discovery'] : [what]) delete this.kept[each];
  };

  redirectToAuthorization(address) {
    this.answer = new Promise(done => (arrived = done));
    spawn(process.env.BROWSER, [address.href], { stdio: 'inherit' });
  }

  /** Waits for the person, and gives the transport what came back. */
  async finish(transport) {
    const params = await this.answer;
    if (params.get('state') !== this.kept.state) throw new Error('state is not ours');
    if (params.get('error')) throw new Error(`${params.get('error')}: ${params.get('error_description')}`);
    await transport.finishAuth(name === 'sdk' ? params.get('code') : params);
  }
}

const provider = new Provider();
if (scope) provider.clientMetadata.scope = scope;

/** Runs what may need the person first, and then runs it again. */
async function authorized(run) {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof sdk.UnauthorizedError)) throw error;
    await provider.finish(transport);
    await connect();
    return await run();
  }
}

let client, transport;
async function connect() {
  client = new sdk.Client({ name, version: '1' }, name === 'client' ? { versionNegotiation: { mode: 'auto' } } : undefined);
  transport = new sdk.StreamableHTTPClientTransport(new URL(url), { authProvider: provider });
  await client.connect(transport);
}

for await (const line of createInterface({ input: process.stdin })) {
  const { method, params } = JSON.parse(line);
  let outcome;
  try {
    outcome = { result: await authorized(async () => {
      if (!client) await connect();
      return method === 'kept' ? provider.kept : calls[method](client, params);
    }) };
  } catch (error) {
    outcome = { error: { code: Number(error.code) || 0, message: String(error.stack ?? error) } };
  }
  process.stdout.write(JSON.stringify(outcome) + '\n');
}
listener.close();
await client?.close();
process.exit();
