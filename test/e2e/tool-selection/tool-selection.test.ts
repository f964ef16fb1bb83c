import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { askAdmin } from '../../support/ask-admin.ts';
import { startMocks, type Mock, type Mocks, type RecordedRequest } from '../../support/mock-providers/server.mjs';
import { startHub, type Hub } from '../../support/start-hub.ts';
import { PATHS, requestOf, TOOLS, toolsOf, type Door } from './tools.ts';

const DOORS = ['chat', 'responses', 'messages'] as const;
const selection = (more: object = {}) => [{ 'tool-selection': { top: 5, above: 10, ...more } }];
/** In words that the tool does not have. */
const WISH = 'please give the money back that was charged on the credit card';

let mocks: Mocks;
let hub: Hub;
beforeAll(async () => {
  mocks = await startMocks({ only: ['openai', 'anthropic'] });
  const config = {
    providers: {
      openai: { type: 'openai', baseUrl: `${mocks.openai.url}/v1`, apiKey: '${env:VENDOR_KEY}' },
      anthropic: { type: 'anthropic', baseUrl: mocks.anthropic.url, apiKey: '${env:VENDOR_KEY}' },
    },
    models: [
      { name: 'cut-openai', targets: [{ provider: 'openai', model: 'gpt-mock' }], policies: selection() },
      { name: 'cut-anthropic', targets: [{ provider: 'anthropic', model: 'claude-mock' }], policies: selection() },
      { name: 'dry', targets: [{ provider: 'openai', model: 'gpt-mock' }], policies: selection({ dryRun: true }) },
    ],
  };
  hub = await startHub({ files: { 'hubgate.yaml': JSON.stringify(config) }, env: { VENDOR_KEY: 'sk-mock' } });
});
afterAll(async () => {
  await hub?.stop();
  await mocks?.close();
});
beforeEach(() => mocks.reset());

async function ask(path: string, body: unknown): Promise<{ readonly id: string; readonly text: string }> {
  const headers = { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' };
  const response = await fetch(`${hub.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  const text = await response.text();
  expect({ status: response.status, text }).toMatchObject({ status: 200 });
  return { id: response.headers.get('x-request-id') ?? '', text };
}

function only(mock: Mock): RecordedRequest {
  expect(mock.requests).toHaveLength(1);
  return mock.requests[0]!;
}

const nameOf = (tool: { name?: string; function?: { name: string } }): string | undefined => tool.function?.name ?? tool.name;
const namesOf = ({ body }: RecordedRequest): (string | undefined)[] => body.tools.map(nameOf);
const inOrder = (names: readonly unknown[]): unknown[] => TOOLS.map(([name]) => name).filter((name) => names.includes(name));
const vendorOf = (door: Door): Mock => (door === 'messages' ? mocks.anthropic : mocks.openai);
const modelOf = (door: Door): string => (door === 'messages' ? 'cut-anthropic' : 'cut-openai');

describe.each(DOORS)('a request of %s', (door) => {
  it.each([false, true])('reaches the provider with the tools that fit only (stream: %s)', async (stream) => {
    await ask(PATHS[door], requestOf(door, modelOf(door), WISH, { stream, temperature: 0.5 }));
    const sent = only(vendorOf(door));
    const names = namesOf(sent);
    expect(names).toHaveLength(5);
    expect(names).toContain('refund_payment');
    expect(names).toEqual(inOrder(names));
    expect(sent.body.temperature).toBe(0.5);
    for (const tool of sent.body.tools) expect(toolsOf(door)).toContainEqual(tool);
  });

  it('keeps the tool that it names', async () => {
    const choices = {
      chat: { type: 'function', function: { name: 'water_garden' } },
      responses: { type: 'function', name: 'water_garden' },
      messages: { type: 'tool', name: 'water_garden' },
    };
    const { text } = await ask(PATHS[door], requestOf(door, modelOf(door), WISH, { tool_choice: choices[door] }));
    expect(namesOf(only(vendorOf(door)))).toHaveLength(6);
    expect(text).toContain('water_garden');
  });

  it('goes on whole in a dry run, and when it has few tools', async () => {
    await ask(PATHS[door], requestOf(door, 'dry', WISH));
    await ask(PATHS[door], requestOf(door, modelOf(door), WISH, { tools: toolsOf(door).slice(0, 10) }));
    const sent = [...mocks.openai.requests, ...mocks.anthropic.requests].map((request) => request.body.tools.length as number);
    expect(sent.toSorted((a, b) => a - b)).toEqual([10, 30]);
  });

  it('has them cut for a provider of another format too', async () => {
    const other = door === 'messages' ? 'openai' : 'anthropic';
    await ask(PATHS[door], requestOf(door, `cut-${other}`, WISH));
    const names = namesOf(only(mocks[other]));
    expect(names).toHaveLength(5);
    expect(names).toContain('refund_payment');
  });
});

it('keeps the tools that the conversation has used, the same for each step of one task', async () => {
  const first = requestOf('messages', 'cut-anthropic', WISH);
  const call = { type: 'tool_use', id: 'toolu_1', name: 'dim_lamp', input: { id: '1' } };
  const steps = [
    ...(first['messages'] as unknown[]),
    { role: 'assistant', content: [call] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'play music in the garden' }] },
  ];
  await ask(PATHS.messages, first);
  await ask(PATHS.messages, { ...first, messages: steps });
  const [before = [], after = []] = mocks.anthropic.requests.map(namesOf);
  expect(after).toEqual(inOrder([...before, 'dim_lamp']));
});

it('moves the mark of the prompt cache to the last tool that is kept', async () => {
  const mark = { type: 'ephemeral' };
  const tools = toolsOf('messages').map((tool, at, { length }) => (at === length - 1 ? { ...tool, cache_control: mark } : tool));
  await ask(PATHS.messages, requestOf('messages', 'cut-anthropic', WISH, { tools }));
  const { body } = only(mocks.anthropic);
  expect(body.tools.map((tool: { cache_control?: unknown }) => tool.cache_control)).toEqual([...Array.from({ length: 4 }), mark]);
});

it('counts the tokens of the tools that would be sent', async () => {
  const { max_tokens: _, ...body } = requestOf('messages', 'cut-anthropic', WISH);
  await ask('/v1/messages/count_tokens', body);
  expect(namesOf(only(mocks.anthropic))).toContain('refund_payment');
  expect(namesOf(only(mocks.anthropic))).toHaveLength(5);
});

it('is in the record, in the metrics and in what the rules are', async () => {
  const [cut, dry] = [await ask(PATHS.chat, requestOf('chat', 'cut-openai', WISH)), await ask(PATHS.chat, requestOf('chat', 'dry', WISH))];
  const eventsOf = async (id: string): Promise<unknown> => {
    const { body } = await askAdmin(hub, 'GET', `/calls?id=${id}`);
    return body.items[0].events.filter(({ type }: { type: string }) => type === 'selected');
  };
  const figures = { full: expect.any(Number), offered: expect.any(Number) };
  expect(await eventsOf(cut.id)).toMatchObject([{ type: 'selected', detail: '5 of 30 tools by hubgate-static-en@2', figures }]);
  expect(await eventsOf(dry.id)).toMatchObject([
    { type: 'selected', detail: 'dry run: 5 of 30 tools by hubgate-static-en@2', figures: { ...figures, would: expect.any(Number) } },
  ]);
  const metrics = await fetch(`${hub.adminUrl}/metrics`, { headers: { authorization: `Bearer ${hub.adminToken}` } }).then((answer) =>
    answer.text(),
  );
  const sum = (route: string, kind: string): number =>
    Number(new RegExp(`hubgate_tool_tokens_total\\{lane="models",route="${route}",kind="${kind}"\\} (\\d+)`).exec(metrics)?.[1]);
  expect(sum('cut-openai', 'offered')).toBeLessThan(sum('cut-openai', 'full') / 4);
  expect(sum('dry', 'offered')).toBe(sum('dry', 'full'));
  expect(sum('dry', 'full')).toBeGreaterThan(0);
});
