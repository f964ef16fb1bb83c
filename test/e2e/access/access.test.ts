import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectSdk, openLegacySession, post, postModern, SDK_MODES } from '../../support/mcp-clients.ts';
import { startHub, type Hub } from '../../support/start-hub.ts';

const ALICE = 'alice-key-0123456789';
const IVO = 'ivo-key-0123456789';
const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex');

const config = `
services:
  shop:
    spec: openapi-specs/shop.json
    baseUrl: demo:petstore
    access: &rules
      - { groups: [support], allow: ["*"], deny: [{ risk: destructive }] }
      - { groups: [interns], allow: ["list*", { tool: getPetById, when: "args.petId == 1" }] }
consumers:
  - { name: alice, groups: [support], keys: [{ sha256: "${sha256(ALICE)}" }] }
  - { name: ivo, groups: [interns], keys: [{ sha256: "${sha256(IVO)}" }] }
policies: [{ access-log: {} }]
`;
const desk = `
tools: [{ from: shop }]
access:
  - { groups: [support], allow: ["*"], deny: [{ risk: destructive }] }
  - { groups: [interns], allow: ["list*", { tool: getPetById, when: "args.petId == 1" }] }
`;
const document = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'Shop', version: '1' },
  paths: {
    '/pets': {
      get: { operationId: 'listPets', responses: {} },
      post: { operationId: 'addPet', requestBody: { content: { 'application/json': { schema: { type: 'object' } } } }, responses: {} },
    },
    '/pets/{petId}': {
      parameters: [{ name: 'petId', in: 'path', required: true, schema: { type: 'integer' } }],
      get: { operationId: 'getPetById', responses: {} },
      delete: { operationId: 'deletePet', responses: {} },
    },
  },
});

let hub: Hub;
beforeAll(async () => {
  hub = await startHub({ files: { 'hubgate.yaml': config, 'virtual-servers/desk.yaml': desk, 'openapi-specs/shop.json': document } });
});
afterAll(() => hub?.stop());

/** Every door of the same source, with what its names begin with. */
const DOORS: readonly (readonly [string, string])[] = [
  ['/mcp/shop', ''],
  ['/mcp/desk', ''],
  ['/mcp', 'shop_'],
];
const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

describe.each(DOORS)('on %s', (path, prefix) => {
  const url = (): string => `${hub.url}${path}`;
  const named = (...names: string[]): string[] => names.map((name) => `${prefix}${name}`);

  it.each(SDK_MODES)('two keys get two lists (SDK %o)', async (mode) => {
    const [alice, ivo] = await Promise.all([connectSdk(url(), mode, bearer(ALICE)), connectSdk(url(), mode, bearer(IVO))]);
    try {
      const listed = async (client: typeof alice): Promise<string[]> => (await client.listTools()).tools.map((tool) => tool.name);
      expect(await listed(alice)).toEqual(named('listPets', 'addPet', 'getPetById'));
      expect(await listed(ivo)).toEqual(named('listPets', 'getPetById'));
      const answer = await alice.callTool({ name: `${prefix}getPetById`, arguments: { petId: 1 } });
      expect(answer.isError).toBeFalsy();
    } finally {
      await Promise.all([alice.close(), ivo.close()]);
    }
  });

  it('a hidden tool is an unknown tool, byte for byte, in both eras', async () => {
    const hidden = `${prefix}deletePet`;
    const unknown = `${prefix}deletePot`;
    const masked = (text: string): string => text.replaceAll(hidden, 'NAME').replaceAll(unknown, 'NAME');
    const call = (name: string) => ({ name, arguments: { petId: 1 } });
    const session = await openLegacySession(url(), { headers: bearer(ALICE) });
    const old = await openLegacySession(url(), { headers: bearer(ALICE), revision: '2025-03-26' });
    const batch = (name: string) => post(url(), [{ jsonrpc: '2.0', id: 7, method: 'tools/call', params: call(name) }], old.headers);
    const pairs = [
      await Promise.all([hidden, unknown].map((name) => postModern(url(), 'tools/call', call(name), { headers: bearer(ALICE) }))),
      [await session.request('tools/call', call(hidden)), await session.request('tools/call', call(unknown))],
      await Promise.all([batch(hidden), batch(unknown)]),
    ];
    for (const [one, other] of pairs) {
      expect(one!.error).toMatchObject({ code: -32602, message: `Unknown tool: ${hidden}` });
      const steady = (text: string): string => masked(text).replace(/"id":\d+/, '"id":N');
      expect(steady(one!.text)).toBe(steady(other!.text));
      expect(one!.status).toBe(other!.status);
      const headers = (answer: typeof one): string[] =>
        [...answer!.headers].filter(([name]) => !['x-request-id', 'date', 'content-length'].includes(name)).map(String);
      expect(headers(one)).toEqual(headers(other));
    }
  });

  it('a condition on arguments refuses a call with the name of the rule, and hides nothing', async () => {
    const call = (petId: number) =>
      postModern(url(), 'tools/call', { name: `${prefix}getPetById`, arguments: { petId } }, { headers: bearer(IVO) });
    expect((await call(1)).result).not.toMatchObject({ isError: true });
    const refused = await call(2);
    expect(refused.result).toMatchObject({ isError: true });
    expect(refused.text).toContain('args.petId == 1');
  });
});

describe('credentials', () => {
  it('a session belongs to its consumer', async () => {
    const session = await openLegacySession(`${hub.url}/mcp/shop`, { headers: bearer(ALICE) });
    const stolen = await post(
      `${hub.url}/mcp/shop`,
      { jsonrpc: '2.0', id: 1, method: 'tools/list' },
      { ...session.headers, ...bearer(IVO) },
    );
    expect(stolen.status).toBe(404);
    const elsewhere = await post(`${hub.url}/mcp/desk`, { jsonrpc: '2.0', id: 1, method: 'tools/list' }, session.headers);
    expect(elsewhere.status).toBe(404);
  });

  it('without a valid key everything is 401, also what does not exist', async () => {
    for (const path of ['/mcp', '/mcp/shop', '/mcp/nothing', '/nothing', '/v1/chat/completions']) {
      for (const headers of [
        {},
        bearer('wrong'),
        { authorization: `Basic ${ALICE}` },
        { authorization: `Bearer ${ALICE}`, 'x-api-key': IVO },
      ]) {
        const answer = await post(`${hub.url}${path}`, { jsonrpc: '2.0', id: 1, method: 'tools/list' }, headers);
        expect([path, answer.status]).toEqual([path, 401]);
        expect(answer.headers.get('www-authenticate')).toContain('resource_metadata=');
      }
    }
    expect((await post(`${hub.url}/mcp/nothing`, {}, bearer(ALICE))).status).toBe(404);
    const register = await post(`${hub.url}/register`, {});
    expect([register.status, register.text]).toEqual([404, expect.stringContaining('API key')]);
  });

  it('a refusal is in the log, with nothing of the key', async () => {
    await postModern(`${hub.url}/mcp/shop`, 'tools/call', { name: 'deletePet', arguments: {} }, { headers: bearer(ALICE) });
    await expect.poll(() => hub.stderr()).toMatch(/"consumer":"alice".*"outcome":"tool_unknown".*"target":"deletePet"/);
    expect(hub.stderr()).not.toContain(ALICE);
  });
});

describe('explain', () => {
  const explain = async (
    consumer: string,
    server: string,
    tool: string,
  ): Promise<{ visible: boolean; callable: boolean; steps: { rule: string; file?: string; line?: number }[] }> => {
    const answer = await fetch(`${hub.adminUrl}/admin/v1/explain?consumer=${consumer}&server=${server}&tool=${tool}`, {
      headers: bearer(hub.adminToken),
    });
    expect(answer.status).toBe(200);
    return (await answer.json()) as never;
  };

  it('names the rule with file and line', async () => {
    const told = await explain('alice', 'desk', 'deletePet');
    expect(told).toMatchObject({ visible: false, callable: false });
    expect(told.steps).toContainEqual(
      expect.objectContaining({ rule: expect.stringContaining('deny') as string, file: 'virtual-servers/desk.yaml', line: 4 }),
    );
    expect(await explain('ivo', 'desk', 'listPets')).toMatchObject({ visible: true, callable: true });
    expect(await explain('ivo', 'desk', 'nothing')).toMatchObject({ visible: false });
  });
});
