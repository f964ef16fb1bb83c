import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendJson, startEchoServer, type EchoServer } from '../../support/echo-server.ts';
import { connectSdk, openLegacySession, postModern, SDK_MODES, type RawAnswer } from '../../support/mcp-clients.ts';
import { startHub, type Hub } from '../../support/start-hub.ts';

const ALICE = 'hg_alice';
const BOB = 'hg_bob';
const as = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });
const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex');

const things = Array.from({ length: 3000 }, (_, id) => ({ id, name: `thing ${id} `.padEnd(60, 'ü'), secret: `hidden-${id}` }));
const LONG = JSON.stringify(things);
const ZIP = Buffer.from(Array.from({ length: 2_500_000 }, (_, index) => (index * 7) % 256));

const json = (schema: object): object => ({ 200: { content: { 'application/json': { schema } } } });
const query = (name: string, type: string): object => ({ name, in: 'query', schema: { type } });
const document = {
  openapi: '3.1.0',
  info: { title: 'Things', version: '1' },
  paths: {
    '/long': { get: { operationId: 'long', responses: {} } },
    '/zip': {
      get: { operationId: 'zip', responses: {} },
      put: { operationId: 'put_zip', requestBody: { content: { 'application/zip': {} } }, responses: {} },
    },
    '/number': {
      put: {
        operationId: 'put_number',
        parameters: [query('at', 'integer')],
        requestBody: { content: { 'application/json': { schema: { type: 'object', properties: { id: { type: 'integer' } } } } } },
        responses: {},
      },
    },
    '/events': { get: { operationId: 'events', responses: {} } },
    '/lines': { get: { operationId: 'lines', responses: {} } },
    '/broken': {
      get: { operationId: 'broken', responses: json({ type: 'object', properties: { id: { type: 'string' }, name: { type: 'string' } } }) },
    },
    '/pages': {
      get: {
        operationId: 'pages',
        parameters: [query('page', 'integer'), query('per_page', 'integer'), query('q', 'string')],
        responses: json({ type: 'array', items: { type: 'integer' } }),
      },
    },
  },
};

let upstream: EchoServer;
let hub: Hub;

beforeAll(async () => {
  upstream = await startEchoServer(({ path, method }, response) => {
    const { pathname, searchParams } = new URL(path, 'http://x');
    if (method === 'PUT') return sendJson(response, 200, {});
    if (pathname === '/long') return sendJson(response, 200, things);
    if (pathname === '/zip') return void response.writeHead(200, { 'content-type': 'application/zip' }).end(ZIP);
    if (pathname === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      // It never ends.
      for (let id = 0; id < 1100; id += 1) response.write(`id: ${id}\ndata: {"n":${id}}\n\n`);
      return undefined;
    }
    if (pathname === '/lines') return void response.writeHead(200, { 'content-type': 'application/x-ndjson' }).end('{"n": 1}\n{"n": 2}\n');
    if (pathname === '/broken') return sendJson(response, 200, { id: 7, name: 'seven' });
    const page = Number(searchParams.get('page') ?? 1);
    const link = `<http://internal.test:9/pages?page=${page < 3 ? page + 1 : 2}&key=k>; rel="${page < 3 ? 'next' : 'prev'}"`;
    return sendJson(response, 200, [page * 10, page * 10 + 1], { link });
  });
  hub = await startHub({
    files: {
      'hubgate.yaml': `
services:
  api: { spec: documents/api.json, baseUrl: "${upstream.url}", outputSchemas: true }
consumers:
  - { name: alice, keys: [{ sha256: "${sha256(ALICE)}" }] }
  - { name: bob, keys: [{ sha256: "${sha256(BOB)}" }] }
`,
      'documents/api.json': JSON.stringify(document),
      'virtual-servers/team.yaml': `
tools: [{ from: api }]
overrides:
  api.long: { name: all_things, select: [id, name] }
  api.pages: { name: find, arguments: { page: { name: number }, per_page: { value: 2 } } }
`,
      'virtual-servers/first-page.yaml': `
tools: [{ from: api }]
overrides:
  api.pages: { arguments: { page: { hide: true } } }
`,
    },
  });
});
afterAll(async () => {
  await hub?.stop();
  await upstream?.stop();
});

type Block = { type: string; text?: string; uri?: string; mimeType?: string; size?: number };
type Ask = (method: string, params: Record<string, unknown>) => Promise<RawAnswer>;

const modern =
  (server: string, key = ALICE): Ask =>
  (method, params) =>
    postModern(`${hub.url}/mcp${server}`, method, params, { headers: as(key) });

async function call(ask: Ask, name: string, args: object = {}) {
  const { result, text } = await ask('tools/call', { name, arguments: args });
  if (result === undefined) throw new Error(text);
  return {
    content: result.content as Block[],
    structured: result.structuredContent,
    meta: (result._meta ?? {}) as Record<string, unknown>,
    isError: result.isError,
  };
}

/** Follows the URI of a link to the end. */
async function readAll(ask: Ask, uri: string): Promise<{ texts: string[]; blobs: string[]; mimeType: string }> {
  const texts: string[] = [];
  const blobs: string[] = [];
  let mimeType = '';
  for (let next: string | undefined = uri; next !== undefined;) {
    const { result, text }: RawAnswer = await ask('resources/read', { uri: next });
    if (result === undefined) throw new Error(text);
    const [page] = result.contents as { text?: string; blob?: string; mimeType: string }[];
    if (page?.text !== undefined) texts.push(page.text);
    if (page?.blob !== undefined) blobs.push(page.blob);
    mimeType = page?.mimeType ?? '';
    next = (result._meta as Record<string, string> | undefined)?.['hubgate/next'];
  }
  return { texts, blobs, mimeType };
}

const linkIn = (content: readonly Block[]): Block => {
  const link = content.find(({ type }) => type === 'resource_link');
  if (link === undefined) throw new Error(`no link in ${JSON.stringify(content).slice(0, 300)}`);
  return link;
};

describe('a long answer', () => {
  it.each([
    ['/api', 'long'],
    ['', 'api_long'],
  ])('on /mcp%s is cut, and read whole in pages', async (server, tool) => {
    const ask = modern(server);
    const { content } = await call(ask, tool);
    expect(content[0]?.text?.length).toBeLessThanOrEqual(100_000);
    expect((JSON.parse(content[0]?.text ?? '') as unknown[]).at(-1)).toMatch(/more of 3000$/);
    const link = linkIn(content);
    expect(link).toMatchObject({ mimeType: 'application/json', size: Buffer.byteLength(LONG) });
    const { texts, mimeType } = await readAll(ask, link.uri ?? '');
    expect(texts.length).toBeGreaterThan(3);
    expect(texts.join('')).toBe(LONG);
    expect(mimeType).toBe('application/json');
    const { result } = await ask('resources/list', {});
    expect(JSON.stringify(result)).not.toContain('hubgate://results');
  });

  it('of a virtual server has nothing of what an override cuts out', async () => {
    const ask = modern('/team');
    const { texts } = await readAll(ask, linkIn((await call(ask, 'all_things')).content).uri ?? '');
    const whole = texts.join('');
    expect(JSON.parse(whole)).toEqual(things.map(({ id, name }) => ({ id, name })));
    expect(whole).not.toContain('hidden');
  });

  it('is read by nobody but who got it, where it was got', async () => {
    const { uri = '' } = linkIn((await call(modern('/api'), 'long')).content);
    for (const ask of [modern('/api', BOB), modern(''), modern('/team')]) {
      const { error, text } = await ask('resources/read', { uri });
      expect([error?.code, text.includes('thing')]).toEqual([-32602, false]);
      expect(error?.message).toContain('Call the tool again');
    }
    const never = await modern('/api', BOB)('resources/read', { uri: `hubgate://results/${'A'.repeat(24)}` });
    const foreign = await modern('/api', BOB)('resources/read', { uri });
    expect(foreign.error?.message).toBe(never.error?.message);
    expect((await modern('/api')('resources/read', { uri: `${uri}?from=99999999` })).error?.message).toContain('nothing begins at');
  });

  it('of a session is read in this session only', async () => {
    const session = await openLegacySession(`${hub.url}/mcp/api`, { headers: as(ALICE) });
    const { content } = await call(session.request, 'long');
    const { uri = '' } = linkIn(content);
    expect((await readAll(session.request, uri)).texts.join('')).toBe(LONG);
    const other = await openLegacySession(`${hub.url}/mcp/api`, { headers: as(ALICE) });
    expect((await other.request('resources/read', { uri })).error?.message).toContain('Call the tool again');
    expect((await modern('/api')('resources/read', { uri })).error?.code).toBe(-32602);
    const old = await openLegacySession(`${hub.url}/mcp/api`, { headers: as(ALICE), revision: '2025-03-26' });
    const told = await call(old.request, 'long');
    expect(told.content.map(({ type }) => type)).toEqual(['text', 'text']);
    expect(told.content[1]?.text).toContain('hubgate://results/');
  });
});

it('large bytes are linked with their type and read in pages', async () => {
  const ask = modern('/api');
  const link = linkIn((await call(ask, 'zip')).content);
  expect(link).toMatchObject({ mimeType: 'application/zip', size: ZIP.length });
  const { blobs, mimeType } = await readAll(ask, link.uri ?? '');
  expect([blobs.length, mimeType]).toEqual([3, 'application/zip']);
  expect(Buffer.from(blobs.join(''), 'base64').equals(ZIP)).toBe(true);
});

it('integers beyond 2^53 reach the upstream with the digits they came with, as numbers and as text', async () => {
  const digits = '9007199254740993';
  // TypeScript does not know JSON.rawJSON yet.
  const number = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(digits);
  for (const given of [number, digits]) {
    expect((await call(modern('/api'), 'put_number', { at: given, body: { id: given } })).isError).toBeFalsy();
    const { path, body } = upstream.requests.at(-1)!;
    expect([path, body.toString()]).toEqual([`/number?at=${digits}`, `{"id":${digits}}`]);
  }
});

it('a kept result is a file for another tool, for nobody but who got it', async () => {
  const { uri = '' } = linkIn((await call(modern('/api'), 'zip')).content);
  expect((await call(modern('/api'), 'put_zip', { body: uri })).isError).toBeFalsy();
  const arrived = upstream.requests.at(-1);
  expect([arrived?.headers['content-type'], arrived?.body.equals(ZIP)]).toEqual(['application/zip', true]);
  const before = upstream.requests.length;
  const refused = await call(modern('/api', BOB), 'put_zip', { body: uri });
  expect([refused.isError, refused.content[0]?.text]).toEqual([true, expect.stringContaining('for you, or no longer')]);
  expect(upstream.requests.length).toBe(before);
});

describe('the next page', () => {
  it('is a call that is ready, until there is none', async () => {
    const ask = modern('/api');
    const pages: unknown[] = [];
    let args: object | undefined = { q: 'x', per_page: 2 };
    while (args !== undefined) {
      const { content, structured, meta } = await call(ask, 'pages', args);
      pages.push(structured);
      const next = meta['hubgate/next'] as object | undefined;
      if (next !== undefined) expect(content.at(-1)?.text).toBe(`More: call again with ${JSON.stringify(next)}`);
      expect(JSON.stringify([content, meta])).not.toContain('internal.test');
      args = pages.length < 5 ? next : undefined;
    }
    expect(pages).toEqual([{ result: [10, 11] }, { result: [20, 21] }, { result: [30, 31] }]);
    expect(
      upstream.requests
        .filter(({ path }) => path.startsWith('/pages'))
        .slice(0, 2)
        .map(({ path }) => path),
    ).toEqual(['/pages?per_page=2&q=x', '/pages?page=2&per_page=2&q=x']);
  });

  it('is in the words of the door, and kept back where the door hides the argument', async () => {
    const { meta } = await call(modern('/team'), 'find', { q: 'x' });
    expect(meta['hubgate/next']).toEqual({ q: 'x', number: 2 });
    const second = await call(modern('/team'), 'find', meta['hubgate/next'] as object);
    expect(second.structured).toEqual({ result: [20, 21] });
    const hidden = await call(modern('/first-page'), 'pages', { q: 'x' });
    expect([hidden.meta['hubgate/next'], hidden.content.length]).toEqual([undefined, 1]);
  });
});

it('events and lines are a list, also when the stream does not end', async () => {
  const events = await call(modern('/api'), 'events');
  const list = JSON.parse(events.content[0]?.text ?? '') as unknown[];
  expect([list.length, list[0], list.at(-1)]).toEqual([1000, { id: '0', data: { n: 0 } }, { id: '999', data: { n: 999 } }]);
  expect(events.content[1]?.text).toContain('first 1000 records');
  expect((await call(modern('/api'), 'lines')).content[0]?.text).toBe('[{"n":1},{"n":2}]');
});

it.each(SDK_MODES)('a client of SDK mode %j takes answers that break their schema, and reads links', async (mode) => {
  const client = await connectSdk(`${hub.url}/mcp/api`, mode, as(ALICE));
  try {
    // From here on it checks structured content.
    await client.listTools();
    const broken = await client.callTool({ name: 'broken', arguments: {} });
    expect(broken.structuredContent).toEqual({ name: 'seven' });
    expect((broken.content as Block[])[0]?.text).toBe('{"id":7,"name":"seven"}');
    const { content } = await client.callTool({ name: 'long', arguments: {} });
    const { contents } = await client.readResource({ uri: linkIn(content as Block[]).uri ?? '' });
    expect(LONG.startsWith((contents[0] as { text: string }).text)).toBe(true);
  } finally {
    await client.close();
  }
});
