import type { JsonObject } from '../../../src/core/json.ts';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Profile, ToolDefinition } from '../../../src/core/tools.ts';
import { clientFaults } from '../../support/client-rules.ts';
import { startEchoServer, type EchoServer } from '../../support/echo-server.ts';
import { openLegacySession, postModern, type RawAnswer } from '../../support/mcp-clients.ts';
import { openSessionStream } from '../../support/mcp-streams.ts';
import { startHub, type Hub } from '../../support/start-hub.ts';

const node = {
  type: 'object',
  required: ['@type'],
  properties: {
    '@type': { type: 'string' },
    rank: { type: 'integer', enum: [1, 2, 3] },
    note: { type: 'string' },
    attributes: { type: 'object', additionalProperties: { type: 'string' } },
    child: { $ref: '#/components/schemas/Node' },
  },
};
/** More than fits into the list. */
const wide = Object.fromEntries(
  Array.from({ length: 60 }, (_, index) => [
    `field${index}`,
    { type: 'string', description: `Field ${index}. It says more.${' And more.'.repeat(25)}` },
  ]),
);
const document = (url: string): JsonObject => {
  const answers = { 200: { description: 'ok' } };
  const body = (schema: JsonObject): JsonObject => ({ required: true, content: { 'application/json': { schema } } });
  return {
    openapi: '3.0.3',
    info: { title: 'Shop', version: '1' },
    servers: [{ url }],
    components: { schemas: { Node: node } },
    paths: {
      '/nodes': {
        post: { operationId: 'addNode', parameters: [{ name: 'dry', in: 'query', schema: { type: 'boolean' } }], requestBody: body({ $ref: '#/components/schemas/Node' }), responses: answers }, // prettier-ignore
      },
      '/wide': { post: { operationId: 'addWide', requestBody: body({ type: 'object', properties: wide }), responses: answers } },
    },
  };
};
const key = 'hg_profiles';
const config = `
extensions: [./odd.ts]
servers: { odd: { source: odd } }
consumers:
  - { name: alice, groups: [staff], keys: [{ sha256: "${createHash('sha256').update(key).digest('hex')}" }] }
  - { name: bob, keys: [{ sha256: "${createHash('sha256').update(`${key}2`).digest('hex')}" }] }
`;
/** A source with a tool whose root older revisions do not know. */
const extension = `
import { defineToolSource } from 'hubgate/policy';
const inputSchema = ${JSON.stringify({
  anyOf: [
    { type: 'object', properties: { a: { type: 'string' } } },
    { type: 'object', properties: { b: { type: 'string' } } },
  ],
})};
export default defineToolSource({
  name: 'odd',
  options: {},
  create: ({ name }) => ({
    mode: 'session',
    name,
    snapshot: {
      version: '1', state: 'ready', prompts: [], features: {}, resources: [], resourceTemplates: [],
      tools: [{ definition: { name: 'odd.tool', description: 'Odd.', inputSchema }, risk: 'read', tags: [] }],
    },
    subscribe: () => () => {},
    call: async (call, tool) => ({ content: [{ type: 'text', text: tool + JSON.stringify(call.input.arguments) }] }),
  }),
});
`;
const server = (profile: string): string => `
tools: [{ from: shop }]
${profile === '' ? '' : `profile: ${profile}`}
access: [{ groups: [staff], allow: ["*"] }, { consumers: [bob], allow: [addNode] }]
`;
const PROFILES: readonly Profile[] = ['default', 'openai', 'gemini', 'copilot-studio', 'raw'];
const FULL = 'hubgate://tools/addWide';

let hub: Hub;
let echo: EchoServer;
beforeAll(async () => {
  echo = await startEchoServer();
  hub = await startHub({
    files: {
      'hubgate.yaml': config,
      'odd.ts': extension,
      'openapi-specs/shop.json': JSON.stringify(document(echo.url)),
      'virtual-servers/any.yaml': server(''),
      ...Object.fromEntries(PROFILES.map((profile) => [`virtual-servers/${profile}.yaml`, server(profile)])),
    },
  });
});
afterAll(async () => {
  await hub?.stop();
  await echo?.stop();
});

const as = (who: string): { headers: Record<string, string> } => ({ headers: { authorization: `Bearer ${who}` } });
const ask = (door: string, method: string, params: JsonObject = {}, clientName = 'somebody', who = key): Promise<RawAnswer> =>
  postModern(`${hub.url}/mcp/${door}`, method, params, {
    ...as(who),
    meta: { 'io.modelcontextprotocol/clientInfo': { name: clientName, version: '1' } },
  });
const list = async (door: string, clientName?: string): Promise<ToolDefinition[]> =>
  (await ask(door, 'tools/list', {}, clientName)).result!['tools'] as ToolDefinition[];

describe('the form of tools', () => {
  it.each(PROFILES)('of a server with profile %s is what its clients take', async (profile) => {
    const tools = await list(profile);
    expect(tools.map(({ name }) => name)).toEqual(['addNode', 'addWide']);
    expect(tools.flatMap((tool) => [...clientFaults(profile, tool)])).toEqual([]);
    expect(await list(profile, 'gemini-cli-mcp-client')).toEqual(tools);
  });

  it.each([
    ['gemini-cli-mcp-client', 'gemini'],
    ['openai-mcp', 'openai'],
    ['mcs', 'copilot-studio'],
    ['claude-ai', 'default'],
  ])('of a server without one is chosen by the client: %s', async (clientName, profile) => {
    const { tools } = (await ask('any', 'tools/list', {}, clientName)).result as { tools: ToolDefinition[] };
    expect(tools).toEqual(await list(profile));
    const session = await openLegacySession(`${hub.url}/mcp/any`, { ...as(key), clientInfo: { name: clientName, version: '1' } });
    expect((await session.request('tools/list')).result!['tools']).toEqual(tools);
    await session.end();
  });

  it('raw leaves nothing out', async () => {
    const [, tool] = await list('raw');
    const { properties } = (tool!.inputSchema['properties'] as Record<string, JsonObject>)['body'] as { properties: JsonObject };
    expect(properties).toEqual(wide);
  });
});

describe('a call', () => {
  const sent = async (door: string, args: JsonObject): Promise<unknown> => {
    const { result } = await ask(door, 'tools/call', { name: 'addNode', arguments: args });
    expect(result).not.toMatchObject({ isError: true });
    const request = echo.requests.at(-1)!;
    return [request.path, JSON.parse(request.body.toString('utf8'))];
  };
  const own = { '@type': 'x', rank: 2, attributes: { a: 'b' }, child: { '@type': 'y' } };
  const forms: Record<string, JsonObject> = {
    openai: { dry: null, body: { type: 'x', rank: 2, note: null, attributes: '{"a":"b"}', child: '{"@type":"y"}' } },
    gemini: { body: { type: 'x', rank: '2', attributes: '{"a":"b"}', child: '{"@type":"y"}' } },
    'copilot-studio': { body: { type: 'x', rank: '2', attributes: { a: 'b' }, child: { '@type': 'y' } } },
  };

  it.each(Object.entries(forms))('in the form of %s becomes the request that is meant', async (profile, args) => {
    expect(await sent(profile, args)).toEqual(['/nodes', own]);
  });

  it.each(PROFILES)('in the form of the document is taken by %s too', async (profile) => {
    expect(await sent(profile, { dry: true, body: own })).toEqual(['/nodes?dry=true', own]);
  });
});

describe('what a list leaves out', () => {
  const read = (door: string, uri: string, who = key): Promise<RawAnswer> => ask(door, 'resources/read', { uri }, 'somebody', who);

  it.each(['default', 'openai', 'gemini', 'copilot-studio'])('is a resource of %s, in both revisions', async (profile) => {
    const { resources } = (await ask(profile, 'resources/list')).result as { resources: JsonObject[] };
    expect(resources.map(({ uri }) => uri)).toContain(FULL);
    const [content] = (await read(profile, FULL)).result!['contents'] as { text: string }[];
    const whole = JSON.parse(content!.text) as ToolDefinition;
    expect(whole).toMatchObject({ name: 'addWide', inputSchema: { properties: { body: { properties: wide } } } });
    const session = await openLegacySession(`${hub.url}/mcp/${profile}`, as(key));
    expect((session.initialized['capabilities'] as JsonObject)['resources']).toMatchObject({ listChanged: true });
    expect((await session.request('resources/list')).result!['resources']).toEqual(resources);
    expect((await session.request('resources/read', { uri: FULL })).result!['contents']).toEqual([content]);
    await session.end();
  });

  it('is listed only where something is left out', async () => {
    expect((await ask('raw', 'resources/list')).result!['resources']).toEqual([]);
    const { resources } = (await ask('default', 'resources/list')).result as { resources: JsonObject[] };
    expect(resources.map(({ uri }) => uri)).toEqual([FULL]);
  });

  it('of a hidden tool is unknown, like any other', async () => {
    const bob = `${key}2`;
    expect((await ask('default', 'resources/list', {}, 'x', bob)).result!['resources']).toEqual([]);
    const hidden = await read('default', FULL, bob);
    const unknown = await read('default', 'hubgate://tools/nothing', bob);
    expect(hidden.error).toMatchObject({ code: -32602 });
    expect(hidden.text.replaceAll(FULL, 'hubgate://tools/nothing')).toBe(unknown.text);
  });
});

describe('a tool of another source', () => {
  const parts = { a: { type: 'string' }, b: { type: 'string' } };

  it('has the root that its source gave it, and a plain one for revisions that know no other', async () => {
    const [tool] = await list('odd');
    expect(tool!.inputSchema).toHaveProperty('anyOf');
    const session = await openLegacySession(`${hub.url}/mcp/odd`, as(key));
    const [old] = (await session.request('tools/list')).result!['tools'] as ToolDefinition[];
    expect(old!.inputSchema).toEqual({ type: 'object', properties: parts });
    expect((await session.request('resources/list')).result!['resources']).toEqual([
      expect.objectContaining({ uri: 'hubgate://tools/odd.tool' }),
    ]);
    await session.end();
  });

  it('has a name that the client takes, and is called by both', async () => {
    const [tool] = await list('odd', 'gemini-cli-mcp-client');
    expect([...clientFaults('gemini', tool!)]).toEqual([]);
    for (const name of [tool!.name, 'odd.tool']) {
      const { result } = await ask('odd', 'tools/call', { name, arguments: { a: 'x' } }, 'gemini-cli-mcp-client');
      expect(result!['content']).toEqual([{ type: 'text', text: 'odd.tool{"a":"x"}' }]);
    }
  });
});

describe('changes', () => {
  const changed = 'notifications/tools/list_changed';

  it('are told to a client of a profile when its own form changes, and only then', async () => {
    const url = `${hub.url}/mcp/moving`;
    await hub.write('virtual-servers/moving.yaml', server('gemini'));
    await expect.poll(async () => (await fetch(url, { method: 'POST', headers: as(key).headers })).status).not.toBe(404);
    const session = await openLegacySession(url, { ...as(key), clientInfo: { name: 'gemini-cli-mcp-client', version: '1' } });
    const stream = await openSessionStream(url, session);
    const before = (await session.request('tools/list')).result!['tools'];
    await hub.write('virtual-servers/moving.yaml', server(''));
    await hub.write('virtual-servers/other.yaml', server('raw'));
    await expect.poll(async () => (await fetch(`${hub.url}/mcp/other`, { method: 'POST', headers: as(key).headers })).status).not.toBe(404);
    expect((await session.request('tools/list')).result!['tools']).toEqual(before);
    expect(stream.heard.map(({ message }) => message['method'])).toEqual([]);
    await hub.write('virtual-servers/moving.yaml', server('openai'));
    await stream.next(changed, 0);
    expect((await session.request('tools/list')).result!['tools']).toEqual(await list('openai'));
    stream.close();
    await session.end();
  });
});
