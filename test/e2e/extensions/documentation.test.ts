import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { postModern } from '../../support/mcp-clients.ts';
import { startHub, type Hub } from '../../support/start-hub.ts';

/** The code of docs/writing-a-policy.md, as a reader would copy it into files that lie outside the repository. */
const page = readFileSync(new URL('../../../docs/writing-a-policy.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/```ts\n\/\/ (\S+\.ts)\n([\s\S]*?)```/g)].map(([, name, code]) => [name!, code!] as const);

const config = `
extensions: [${blocks.map(([name]) => `./${name}`).join(', ')}]
policies:
  - mask-words: { words: [Ada] }
  - answer-length: {}
providers:
  demo: { type: demo }
models:
  - match: { model: "*" }
    targets: [{ provider: demo }]
servers:
  greeter: { source: hello, options: { greeting: Good morning } }
`;

let hub: Hub;
beforeAll(async () => {
  hub = await startHub({ files: { 'hubgate.yaml': config, ...Object.fromEntries(blocks) } });
});
afterAll(() => hub?.stop());

it('has its code in files with names', () => {
  expect(blocks.map(([name]) => name)).toEqual(['mask-words.ts', 'answer-length.ts', 'hello.ts']);
  expect(page.match(/```ts\n/g)).toHaveLength(blocks.length);
});

it('works as it stands: a policy masks what a tool source says, on the stream and in the result', async () => {
  const answer = await postModern(`${hub.url}/mcp/greeter`, 'tools/call', { name: 'greet', arguments: { who: 'Ada' } });
  expect(answer.messages[0]).toMatchObject({ method: 'notifications/message', params: { data: 'thinking' } });
  expect(answer.result).toMatchObject({ content: [{ type: 'text', text: 'Good morning, ***!' }] });
});

it('works as it stands: a policy sees the whole of a streamed answer', async () => {
  const body = JSON.stringify({ model: 'demo', stream: true, messages: [{ role: 'user', content: 'Hello' }] });
  const answer = await fetch(`${hub.url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const text = await answer.text();
  const said = [...text.matchAll(/"content":"((?:[^"\\]|\\.)*)"/g)].map(([, piece]) => JSON.parse(`"${piece}"`) as string).join('');
  expect(said).not.toBe('');
  await expect.poll(() => hub.stderr()).toMatch(new RegExp(`"characters":${said.length},.*an answer was streamed`));
});
