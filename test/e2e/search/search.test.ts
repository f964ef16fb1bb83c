import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { connectSdk, openLegacySession, postModern, SDK_MODES, type RawAnswer } from '../../support/mcp-clients.ts';
import { startHub, type Hub } from '../../support/start-hub.ts';
import { shopDocument } from './shop-document.ts';

const ALICE = 'alice-key-0123456789';
const IVO = 'ivo-key-0123456789';
const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex');
const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

const config = `
search: { pinned: [shop_getPetById] }
services:
  shop: { spec: openapi-specs/shop.json, baseUrl: demo:petstore }
agents:
  echo: { card: demo:echo }
consumers:
  - { name: alice, groups: [support], keys: [{ sha256: "${sha256(ALICE)}" }] }
  - { name: ivo, groups: [interns], keys: [{ sha256: "${sha256(IVO)}" }] }
`;
const access = `
access:
  - { groups: [support], allow: ["*"] }
  - { groups: [interns], allow: ["*"], deny: ["refund*", "capture*"] }
`;
const files = {
  'hubgate.yaml': config,
  'openapi-specs/shop.json': shopDocument(),
  'virtual-servers/desk.yaml': `tools: [{ from: shop }]\nsearch: { mode: auto, top: 5, pinned: [listPets] }\n${access}`,
  'virtual-servers/seen.yaml': `tools: [{ from: shop, exclude: ["refund*", "capture*"] }]\nsearch: { top: 5, pinned: [listPets] }\n`,
  'virtual-servers/whole.yaml': 'tools: [{ from: shop }]\nsearch: off\n',
  'virtual-servers/few.yaml': 'tools: [{ from: shop, include: ["*Pet*"] }]\n',
  'virtual-servers/few-searched.yaml': 'tools: [{ from: shop, include: ["*Pet*"] }]\nsearch: on\n',
  'virtual-servers/absent.yaml': 'tools: [{ from: shop }]\nsearch: { mode: on, model: ./no-such-model }\n',
};
const SEARCH = ['search_tools', 'describe_tool', 'call_tool'];

let hub: Hub;
beforeAll(async () => {
  hub = await startHub({ files });
});
afterAll(() => hub?.stop());

const at = (door: string): string => `${hub.url}/mcp${door === '' ? '' : `/${door}`}`;
const listed = async (door: string, key = ALICE): Promise<string[]> => {
  const { result } = await postModern(at(door), 'tools/list', {}, { headers: bearer(key) });
  return (result!['tools'] as { name: string }[]).map(({ name }) => name);
};
const call = (door: string, name: string, args: JsonObject, key = ALICE): Promise<RawAnswer> =>
  postModern(at(door), 'tools/call', { name, arguments: args }, { headers: bearer(key) });
const search = async (door: string, query: string, key = ALICE, more: JsonObject = {}): Promise<JsonObject> => {
  const { result } = await call(door, 'search_tools', { query, ...more }, key);
  return result!['structuredContent'] as JsonObject;
};
const textOf = ({ content }: { content: readonly object[] }): string => (content[0] as { text: string }).text;
const namesIn = (found: JsonObject): string[] => (found['tools'] as { name: string }[]).map(({ name }) => name);

describe.each(SDK_MODES)('the official client (%j)', (mode) => {
  it('sees pinned and search tools, finds, reads and calls', async () => {
    const client = await connectSdk(at('desk'), mode, bearer(ALICE));
    try {
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toEqual(['listPets', ...SEARCH]);
      const found = await client.callTool({ name: 'search_tools', arguments: { query: 'give the customer the money back' } });
      const hits = (found.structuredContent as { tools: { name: string; description: string; score: number; inputSchema: object }[] })
        .tools;
      expect(hits.map(({ name }) => name)).toContain('refundPayment');
      expect(hits).toHaveLength(5);
      for (const hit of hits) expect(hit).toMatchObject({ score: expect.any(Number), inputSchema: { type: 'object' } });
      expect(JSON.parse(textOf(found))).toEqual(found.structuredContent);
      const about = await client.callTool({ name: 'describe_tool', arguments: { name: 'getPetById' } });
      expect(JSON.parse(textOf(about))).toMatchObject({
        name: 'getPetById',
        inputSchema: { required: ['petId'] },
      });
      const pet = await client.callTool({ name: 'call_tool', arguments: { name: 'getPetById', arguments: { petId: 1 } } });
      expect(pet.isError ?? false).toBe(false);
      const direct = await client.callTool({ name: 'getPetById', arguments: { petId: 1 } });
      expect(pet.content).toEqual(direct.content);
    } finally {
      await client.close();
    }
  });
});

describe('which lists are searched', () => {
  it('by mode, and auto above 40 tools', async () => {
    expect(await listed('whole')).toHaveLength(48);
    expect(await listed('few')).toEqual(expect.not.arrayContaining(SEARCH));
    expect(await listed('few-searched')).toEqual(SEARCH);
  });

  it('on /mcp by search at root, with the agents that the caller may call; on a source never', async () => {
    expect(await listed('')).toEqual(['shop_getPetById', ...SEARCH, 'search_agents']);
    expect(await listed('shop')).toHaveLength(48);
    const { result } = await call('', 'search_agents', { query: 'an agent that repeats what I say' });
    expect((result!['structuredContent'] as { agents: { name: string }[] }).agents.map(({ name }) => name)).toEqual(['echo']);
  });

  it('names what is pinned and not there', async () => {
    await hub.write('virtual-servers/few.yaml', 'tools: [{ from: shop, include: ["*Pet*"] }]\nsearch: { pinned: [nothing] }\n');
    await expect
      .poll(async () => (await fetch(`${hub.adminUrl}/admin/v1/status`, { headers: bearer(hub.adminToken) })).text(), { timeout: 5000 })
      .toContain('There is no tool nothing here to be pinned.');
  });
});

describe('what a caller may not use', () => {
  it('is in no result, no score and no count', async () => {
    for (const query of ['refund a payment', 'money back', 'capture', 'orders of a customer', 'xyzzy']) {
      const [hidden, absent] = await Promise.all([search('desk', query, IVO, { top: 48 }), search('seen', query, IVO, { top: 48 })]);
      expect(hidden).toEqual(absent);
      expect(namesIn(hidden).filter((name) => /^(?:refund|capture)/.test(name))).toEqual([]);
    }
    const lists = await Promise.all(
      ['desk', 'seen'].map((door) => postModern(at(door), 'tools/list', {}, { headers: bearer(IVO) }).then(({ result }) => result)),
    );
    expect(lists[0]!['tools']).toEqual(lists[1]!['tools']);
    expect(namesIn(await search('desk', 'refund a payment'))).toContain('refundPayment');
  });

  it.each(['describe_tool', 'call_tool'])('%s says the same of it as of what is not there', async (tool) => {
    const [hidden, unknown] = await Promise.all([
      call('desk', tool, { name: 'refundPayment' }, IVO),
      call('desk', tool, { name: 'refundPaymenX' }, IVO),
    ]);
    expect(hidden.result).toMatchObject({ isError: true });
    expect(hidden.text.replaceAll('refundPayment', 'refundPaymenX')).toBe(unknown.text);
  });
});

describe('bad arguments are results that say what to do', () => {
  it.each([
    ['search_tools', {}, /query must be a text/],
    ['search_tools', { query: 'pets', top: 0 }, /from 1 to 100/],
    ['describe_tool', {}, /name must be the name of a tool/],
    ['search_tools', { query: 'pets', server: 'shop' }, /takes query and top; it does not know server/],
    ['call_tool', { name: 'getPetById', petId: 1 }, /stand under "arguments"/],
    ['call_tool', { name: 'search_tools' }, /search_tools is called by its own name/],
    ['call_tool', { name: 'getPetById', arguments: 'one' }, /must be a JSON object/],
    ['call_tool', { name: 'getPetById', arguments: {} }, /petId/],
  ])('%s %j', async (tool, args, message) => {
    const { result } = await call('desk', tool, args);
    expect(result).toMatchObject({ isError: true });
    expect((result!['content'] as [{ text: string }])[0].text).toMatch(message);
  });
});

describe('?query=', () => {
  it('narrows the list of any server, in both eras, and calls reach the tools', async () => {
    const url = `${at('shop')}?query=refund%20a%20payment&top=3`;
    const modern = await postModern(url, 'tools/list', {}, { headers: bearer(ALICE) });
    const session = await openLegacySession(url, { headers: bearer(ALICE) });
    const legacy = await session.request('tools/list');
    expect(modern.result!['tools']).toHaveLength(3);
    expect((modern.result!['tools'] as { name: string }[])[0]!.name).toBe('refundPayment');
    expect(legacy.result!['tools']).toEqual(modern.result!['tools']);
    const { result } = await session.request('tools/call', { name: 'getPetById', arguments: { petId: 1 } });
    expect(result!['isError'] ?? false).toBe(false);
    const eight = await postModern(`${at('')}?query=pets`, 'tools/list', {}, { headers: bearer(ALICE) });
    expect((eight.result!['tools'] as { name: string }[]).every(({ name }) => /^(?:shop|echo)_/.test(name))).toBe(true);
  });

  it.each(['?query=', '?query=pets&top=0', '?query=pets&top=many', '?query=pets&top=101', '?top=3'])('%s is refused', async (query) => {
    const answer = await postModern(`${at('shop')}${query}`, 'tools/list', {}, { headers: bearer(ALICE), id: 7 });
    expect(answer.messages[0]).toMatchObject({ id: 7, error: { code: -32602, message: expect.stringMatching(/query|top/) } });
  });

  it('is for those who may see the tools', async () => {
    const { result } = await postModern(`${at('desk')}?query=refund&top=48`, 'tools/list', {}, { headers: bearer(IVO) });
    expect(namesIn(result!).filter((name) => name.startsWith('refund'))).toEqual([]);
  });
});

it('says so when the model that was asked for is not there, and finds all the same', async () => {
  const found = await search('absent', 'refund a payment');
  expect(namesIn(found)).toContain('refundPayment');
  expect(found['degraded']).toEqual({ requested: './no-such-model', active: 'static', reason: expect.any(String) });
  expect((await search('desk', 'refund a payment'))['degraded']).toBeUndefined();
});

it('records the tool that call_tool called, what search found, and the tokens that were not sent', async () => {
  await listed('desk');
  await search('desk', 'refund a payment');
  await call('desk', 'call_tool', { name: 'listPets', arguments: {} });
  await listed('desk');
  const headers = bearer(hub.adminToken);
  await expect
    .poll(async () => {
      const answer = await fetch(`${hub.adminUrl}/admin/v1/calls?limit=200`, { headers });
      return answer.text();
    })
    .toMatch(/5 of 48 tools by hubgate-static-en@2/);
  const metrics = await (await fetch(`${hub.adminUrl}/metrics`, { headers })).text();
  const tokens = (kind: string): number =>
    Number(new RegExp(`hubgate_tool_tokens_total\\{[^}]*route="desk"[^}]*kind="${kind}"[^}]*\\} (\\d+)`).exec(metrics)?.[1]);
  expect(tokens('full')).toBeGreaterThan(tokens('offered'));
  const answer = await fetch(`${hub.adminUrl}/admin/v1/calls?limit=200`, { headers });
  const { items } = (await answer.json()) as { items: { name?: string; tool?: string }[] };
  expect(JSON.stringify(items)).toContain('listPets');
});
