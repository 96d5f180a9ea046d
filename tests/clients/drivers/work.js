// Reads a job from standard input, does it with the client that connect makes,
// and writes what came of it to standard output. Its caller judges.
import { text } from 'node:stream/consumers';

export const calls = {
  'tools/list': client => client.listTools(),
  'tools/call': (client, params) => client.callTool(params),
  'resources/list': client => client.listResources(),
  'resources/templates/list': client => client.listResourceTemplates(),
  'resources/read': (client, params) => client.readResource(params),
  'prompts/list': client => client.listPrompts(),
  'prompts/get': (client, params) => client.getPrompt(params),
  'completion/complete': (client, params) => client.complete(params),
};

export async function work(connect) {
  const job = JSON.parse(await text(process.stdin));
  const { client, protocol } = await connect(job);
  const done = { protocol, outcomes: [] };
  for (const { method, params } of job.steps) {
    try {
      done.outcomes.push({ result: await calls[method](client, params) });
    } catch (error) {
      done.outcomes.push({ error: { code: Number(error.code) || 0, message: String(error.stack ?? error) } });
    }
  }
  await client.close();
  process.stdout.write(JSON.stringify(done));
}
