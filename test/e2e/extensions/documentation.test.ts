import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { postModern } from '../../support/mcp-clients.ts';
import { startHub, type Hub } from '../../support/start-hub.ts';

/** The code of docs/writing-a-policy.md, as a reader would copy it into files that lie outside the repository. */
const page = readFileSync(new URL('../../../docs/writing-a-policy.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);

const config = `
extensions: [./mask-words.ts, ./hello.ts]
policies:
  - mask-words: { words: [Ada] }
servers:
  greeter: { source: hello, options: { greeting: Good morning } }
`;

let hub: Hub;
beforeAll(async () => {
  const [policy, source] = blocks;
  hub = await startHub({ files: { 'hubgate.yaml': config, 'mask-words.ts': policy!, 'hello.ts': source! } });
});
afterAll(() => hub?.stop());

it('works as it stands: a policy masks what a tool source says, on the stream and in the result', async () => {
  const answer = await postModern(`${hub.url}/mcp/greeter`, 'tools/call', { name: 'greet', arguments: { who: 'Ada' } });
  expect(answer.messages[0]).toMatchObject({ method: 'notifications/message', params: { data: 'thinking' } });
  expect(answer.result).toMatchObject({ content: [{ type: 'text', text: 'Good morning, ***!' }] });
});
