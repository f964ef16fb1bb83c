import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent, request, type ClientRequest, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { askAdmin } from '../../support/ask-admin.ts';
import { openLegacySession, post, postModern, type LegacySession } from '../../support/mcp-clients.ts';
import { startHub, type Hub } from '../../support/start-hub.ts';

const ALICE = 'alice-key-0123456789';
const IVO = 'ivo-key-0123456789';
const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex');
const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });
const MiB = 1024 * 1024;
const LARGEST_BODY = 4 * MiB;

let hub: Hub;
let url = '';
beforeAll(async () => {
  hub = await startHub({
    files: {
      'hubgate.yaml': `
services:
  shop: { spec: openapi-specs/shop.json, baseUrl: demo:petstore }
consumers:
  - { name: alice, keys: [{ sha256: "${sha256(ALICE)}" }] }
  - { name: ivo, keys: [{ sha256: "${sha256(IVO)}" }] }
policies: [{ access-log: {} }]
`,
      'openapi-specs/shop.json': JSON.stringify({
        openapi: '3.1.0',
        info: { title: 'Shop', version: '1' },
        paths: {
          '/pets': {
            post: {
              operationId: 'addPet',
              requestBody: { content: { 'application/json': { schema: { type: 'object' } } } },
              responses: {},
            },
          },
          '/pets/{petId}': {
            get: {
              operationId: 'getPetById',
              parameters: [{ name: 'petId', in: 'path', required: true, schema: { type: 'integer' } }],
              responses: {},
            },
          },
        },
      }),
    },
  });
  url = `${hub.url}/mcp/shop`;
});
afterAll(() => hub?.stop());

/** Whatever was done: a call works as before, and nothing came as a surprise to the hub. */
afterEach(async () => {
  const started = performance.now();
  const { result } = await postModern(url, 'tools/call', { name: 'getPetById', arguments: { petId: 1 } }, { headers: bearer(ALICE) });
  expect(result?.isError).toBeFalsy();
  expect(performance.now() - started).toBeLessThan(2_000);
  await sleep(250);
  expect(
    hub
      .stderr()
      .split('\n')
      .filter((line) => /\\n +at |^ +at |"level":"error"/.test(line)),
  ).toEqual([]);
});

const call = (name: string, args: unknown): object => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } });
const openSession = (more: Parameters<typeof openLegacySession>[1] = {}): Promise<LegacySession> =>
  openLegacySession(url, { headers: bearer(ALICE), ...more });

async function memoryOf(pid: number): Promise<number> {
  const [, kilobytes = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

/** A request whose body is written by hand. */
function begin(agent: Agent, headers: Record<string, string | number>, method = 'POST'): ClientRequest {
  const started = request(url, {
    agent,
    method,
    headers: { ...bearer(ALICE), accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...headers },
  });
  started.on('error', () => {});
  started.flushHeaders();
  return started;
}

async function answerOf(sent: ClientRequest): Promise<{ status: number; text: string; headers: IncomingMessage['headers'] }> {
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, text, headers: response.headers };
}

describe('bodies', () => {
  it('are taken up to 4 MiB and not beyond, whatever their length says', async () => {
    const session = await openSession();
    const sized = (bytes: number): string => {
      const empty = JSON.stringify(call('addPet', { body: { name: '' } }));
      return JSON.stringify(call('addPet', { body: { name: 'x'.repeat(bytes - empty.length) } }));
    };
    expect((await post(url, sized(LARGEST_BODY), session.headers)).status).toBe(200);
    expect((await post(url, sized(LARGEST_BODY + 1), session.headers)).status).toBe(413);
    const agent = new Agent();
    const chunked = begin(agent, { 'transfer-encoding': 'chunked', ...session.headers });
    const answer = answerOf(chunked);
    for (let sent = 0; sent <= LARGEST_BODY + MiB; sent += MiB) chunked.write('x'.repeat(MiB));
    chunked.end();
    expect((await answer).status).toBe(413);
    expect((await answerOf(begin(agent, { 'content-length': 10 ** 12, ...session.headers }))).status).toBe(413);
    agent.destroy();
    const admin = await askAdmin(hub, 'PUT', '/consumers/large', { description: 'x'.repeat(MiB) });
    expect(admin.status).toBe(413);
  });

  it('that are nested, broken, empty or of another type are refused', async () => {
    const { headers } = await openSession();
    const nested = (levels: number, open: string, close: string): string =>
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"addPet","arguments":{"body":${open.repeat(levels)}1${close.repeat(levels)}}}}`;
    const bodies: [string, number][] = [
      [nested(40, '[', ']'), 200],
      [nested(100, '[', ']'), 400],
      [nested(100_000, '{"a":', '}'), 400],
      ['['.repeat(LARGEST_BODY), 400],
      ['{"a":'.repeat(100_000), 400],
      ['', 400],
      ['null', 400],
      ['"text"', 400],
      ['{"jsonrpc":"2.0","id":1,"method":', 400],
      ['{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}', 400],
      ['{"jsonrpc":"2.0","id":1,"method":["ping"]}', 400],
      ['{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}', 400],
      ['{"jsonrpc":"1.0","id":1,"method":"ping"}', 400],
      ['\u0000\u0001', 400],
      [`{${Array.from({ length: 200_000 }, (_, index) => `"k${index}":1`).join(',')}}`, 400],
    ];
    for (const [body, status] of bodies) {
      const answer = await post(url, body, headers);
      expect([body.slice(0, 60), answer.status]).toEqual([body.slice(0, 60), status]);
      if (status === 400) expect(answer.error?.message.length).toBeLessThan(200);
    }
    expect((await post(url, 'a=1', { ...headers, 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(415);
    expect((await post(url, call('getPetById', {}), { ...headers, accept: 'text/html' })).status).toBe(406);
  });

  it('that come slowly hold up nobody', async () => {
    const agent = new Agent({ maxSockets: Infinity });
    const slow = Array.from({ length: 100 }, () => begin(agent, { 'content-length': 1_000 }));
    const dripping = setInterval(() => slow.forEach((one) => one.write(' ')), 50);
    const started = performance.now();
    await Promise.all(Array.from({ length: 20 }, () => postModern(url, 'tools/list', {}, { headers: bearer(ALICE) })));
    expect(performance.now() - started).toBeLessThan(2_000);
    clearInterval(dripping);
    agent.destroy();
  });
});

describe('batches', () => {
  const ping = (id: number): object => ({ jsonrpc: '2.0', id, method: 'ping' });

  it('belong to 2025-03-26 alone', async () => {
    for (const revision of ['2024-11-05', '2025-06-18', '2025-11-25']) {
      const { headers } = await openSession({ revision });
      const answer = await post(url, [ping(1)], headers);
      expect([revision, answer.status, answer.error?.message]).toEqual([revision, 400, expect.stringContaining('2025-03-26')]);
    }
    const modern = await post(url, [ping(1)], { ...bearer(ALICE), 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'ping' });
    expect(modern.status).toBe(400);
    expect((await post(url, [ping(1)], bearer(ALICE))).status).toBe(400);
  });

  it('are of a size that can be answered', async () => {
    const { headers } = await openSession({ revision: '2025-03-26' });
    const many = (count: number): object[] => Array.from({ length: count }, (_, id) => ({ jsonrpc: '2.0', id, method: 'tools/list' }));
    expect((await post(url, many(100), headers)).messages).toHaveLength(100);
    for (const count of [0, 101, 80_000]) expect([count, (await post(url, many(count), headers)).status]).toEqual([count, 400]);
    const odd = await post(
      url,
      [ping(1), null, 5, [ping(2)], { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: '__proto__' } }],
      headers,
    );
    expect(odd.messages.map(({ id, error }) => [id, (error as { code: number } | undefined)?.code])).toEqual([
      [1, undefined],
      [null, -32600],
      [null, -32600],
      [null, -32600],
    ]);
  });
});

describe('names from outside', () => {
  const names = [
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'prototype',
    '../../etc/passwd',
    "'; DROP TABLE resource; --",
    '\u202egnp',
    '{{7*7}}',
    '${env:HOME}',
    'x'.repeat(100_000),
    '',
  ];

  it('of sessions are unknown, or somebody else’s', async () => {
    const mine = await openSession();
    const headers = (id: string, key = ALICE): Record<string, string> => ({ ...bearer(key), 'mcp-session-id': id });
    const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
    const changed = `${mine.id.slice(0, -2)}${mine.id.endsWith('AA') ? 'BB' : 'AA'}`;
    for (const id of ['__proto__', 'constructor', 'toString', 'x', 'x'.repeat(10_000), changed, `${mine.id}, ${mine.id}`, `${mine.id}=`]) {
      expect([id.slice(0, 40), (await post(url, list, headers(id))).status]).toEqual([id.slice(0, 40), 404]);
      const stream = await fetch(url, { headers: { ...headers(id), accept: 'text/event-stream' } });
      expect([id.slice(0, 40), stream.status]).toEqual([id.slice(0, 40), 404]);
      expect((await fetch(url, { method: 'DELETE', headers: headers(id) })).status).toBe(404);
    }
    expect((await post(url, list, headers(mine.id, IVO))).status).toBe(404);
    expect((await fetch(url, { method: 'DELETE', headers: headers(mine.id, IVO) })).status).toBe(404);
    expect((await post(`${hub.url}/mcp`, list, headers(mine.id))).status).toBe(404);
    expect((await post(url, list, headers('x'.repeat(20_000)))).status).toBe(431);
    expect((await mine.request('tools/list')).status).toBe(200);
  });

  it('of tools, methods and versions are unknown', async () => {
    const session = await openSession();
    for (const name of names) {
      expect((await session.request('tools/call', { name, arguments: {} })).error).toMatchObject({ code: -32602 });
      expect((await session.request('prompts/get', { name })).error?.code).toBeLessThan(0);
      expect((await session.request('resources/read', { uri: name })).error?.code).toBeLessThan(0);
      expect((await session.request(name, {})).error).toMatchObject({ code: -32601 });
      const tool = await post(url, call(name, {}), { ...session.headers, 'mcp-protocol-version': '__proto__' });
      expect(tool.status).toBe(400);
    }
    for (const name of [undefined, null, 5, ['getPetById'], { toString: 'getPetById' }]) {
      expect((await session.request('tools/call', { name, arguments: {} } as never)).error).toMatchObject({ code: -32602 });
    }
    for (const name of names.slice(0, 4)) {
      expect((await postModern(url, 'tools/call', { name, arguments: {} }, { headers: bearer(ALICE) })).error).toMatchObject({
        code: -32602,
      });
      expect((await post(`${hub.url}/mcp/${name}`, call('x', {}), bearer(ALICE))).status).toBe(404);
    }
  });

  it('of arguments go through the schema, and change no object', async () => {
    const session = await openSession();
    const raw = (args: string): Promise<{ result: { isError?: boolean } | undefined; status: number }> =>
      post(
        url,
        `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"__proto__":{"name":"addPet"},"name":"getPetById","arguments":${args},"_meta":{"__proto__":{"progressToken":1},"progressToken":{"a":1}}}}`,
        session.headers,
      );
    for (const args of [
      '{"__proto__":{"petId":1}}',
      '{"constructor":{"prototype":{"petId":1}}}',
      '{"petId":1,"__proto__":1}',
      '{"petId":{"__proto__":1}}',
      '{"petId":"1; DROP"}',
      '{"petId":1e400}',
      '{"petId":-1.5}',
      '[]',
      'null',
      '"x"',
      '5',
    ]) {
      const { status, result } = await raw(args);
      expect([args, status, result?.isError]).toEqual([args, 200, true]);
    }
    expect((await raw('{"petId":1}')).result?.isError).toBeFalsy();
    const polluting = await post(
      url,
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"addPet","arguments":{"body":{"name":"Rex","__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}}}}',
      session.headers,
    );
    expect(polluting.status).toBe(200);
    expect((await session.request('tools/list')).text).not.toContain('admin');
  });

  it('of clients and cursors are taken as they are, or refused', async () => {
    const opening = (params: string): Promise<number> =>
      post(url, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":${params}}`, bearer(ALICE)).then(({ status }) => status);
    expect(
      await opening(
        '{"protocolVersion":"__proto__","capabilities":{"__proto__":{"sampling":{}},"constructor":1},"clientInfo":{"__proto__":1}}',
      ),
    ).toBe(200);
    expect(await opening('{"protocolVersion":{"a":1},"capabilities":[],"clientInfo":"x"}')).toBe(200);
    expect(
      await opening(
        `{"protocolVersion":"2025-11-25","capabilities":{"experimental":{"x":"${'x'.repeat(100_000)}"}},"clientInfo":{"name":"x","version":"1"}}`,
      ),
    ).toBe(400);
    expect(
      await opening(`{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"${'x'.repeat(100_000)}","version":"1"}}`),
    ).toBe(400);
    const session = await openSession();
    for (const cursor of [...names, 5, null, {}, [], -1, 1e9]) {
      if (cursor === '' || cursor === null) continue;
      expect([cursor, (await session.request('tools/list', { cursor } as never)).error?.code]).toEqual([cursor, -32602]);
    }
  });

  it('of the admin API are refused or not found', async () => {
    for (const name of ['__proto__', '..%2f..%2fx', '%00', 'x'.repeat(5_000), 'a b']) {
      for (const kind of ['services', 'virtual-servers', 'consumers', '__proto__']) {
        for (const method of ['GET', 'PUT', 'DELETE']) {
          const { status } = await askAdmin(hub, method, `/${kind}/${name}`, method === 'PUT' ? {} : undefined);
          expect([method, kind, name.slice(0, 20), status >= 400 && status < 500]).toEqual([method, kind, name.slice(0, 20), true]);
        }
      }
    }
    const raw = (path: string, body: string): Promise<number> =>
      fetch(`${hub.adminUrl}/admin/v1${path}`, {
        method: 'PUT',
        headers: { ...bearer(hub.adminToken), 'content-type': 'application/json' },
        body,
      }).then(({ status }) => status);
    expect(await raw('/consumers/sly', '{"__proto__":{"groups":["admins"]}}')).toBe(400);
    expect(await raw('/consumers/sly', '{"constructor":{}}')).toBe(400);
    expect(await raw('/consumers/constructor', '{}')).toBe(201);
    expect((await askAdmin(hub, 'GET', '/consumers/constructor')).body).toMatchObject({ name: 'constructor', config: {} });
    const paths =
      '"/x":{"get":{"operationId":"__proto__","parameters":[{"name":"__proto__","in":"query","schema":{"$ref":"#/components/schemas/__proto__"}}],"responses":{}}}';
    expect(
      await raw(
        '/services/sly',
        `{"document":{"openapi":"3.1.0","info":{"title":"x","version":"1"},"paths":{${paths}},"components":{"schemas":{"__proto__":{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"type":"string"}}}}}},"baseUrl":"demo:petstore"}`,
      ),
    ).toBe(201);
    const { result } = await postModern(`${hub.url}/mcp/sly`, 'tools/list', {}, { headers: bearer(ALICE) });
    const tools = (result?.tools ?? []) as { name: string }[];
    expect(tools).toHaveLength(1);
    for (const { name } of tools)
      await postModern(
        `${hub.url}/mcp/sly`,
        'tools/call',
        { name, arguments: JSON.parse('{"__proto__":{"constructor":"x"}}') as never },
        { headers: bearer(ALICE) },
      );
  });
});

describe('many', () => {
  const initialize = (capabilities: object): string =>
    JSON.stringify({
      jsonrpc: '2.0',
      id: 0,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities, clientInfo: { name: 'abuse', version: '1' } },
    });

  async function open(agent: Agent, body: string): Promise<string> {
    const sent = begin(agent, { 'content-length': Buffer.byteLength(body) });
    const answer = answerOf(sent);
    sent.end(body);
    return String((await answer).headers['mcp-session-id']);
  }

  /** Opens sessions, 32 at a time; gives the ids of the first and the last. */
  async function openMany(count: number, capabilities: object): Promise<[string, string]> {
    const agent = new Agent({ keepAlive: true, maxSockets: 32 });
    const body = initialize(capabilities);
    const first = await open(agent, body);
    for (let opened = 1; opened < count - 1; opened += 500)
      await Promise.all(Array.from({ length: Math.min(500, count - 1 - opened) }, () => open(agent, body)));
    const last = await open(agent, body);
    agent.destroy();
    return [first, last];
  }

  it.each([
    ['small', {}],
    ['large', { experimental: Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`name${index}`, { value: 'x'.repeat(30) }])) }],
  ])('sessions (%s, 10,000) fit into bounded memory, and all stay valid', { timeout: 60_000 }, async (_size, capabilities) => {
    // What the hub takes once for any load is not growth.
    await openMany(3_000, capabilities);
    const before = await memoryOf(hub.pid);
    const ids = await openMany(10_000, capabilities);
    expect((await memoryOf(hub.pid)) - before).toBeLessThan(100 * MiB);
    for (const id of ids) {
      const answer = await post(url, { jsonrpc: '2.0', id: 1, method: 'tools/list' }, { ...bearer(ALICE), 'mcp-session-id': id });
      expect(answer.status).toBe(200);
    }
  });

  it('idle streams (200) hold up nobody, and are let go with their clients', async () => {
    const agent = new Agent({ maxSockets: Infinity });
    const sessions = await Promise.all(Array.from({ length: 20 }, () => openSession()));
    const before = await memoryOf(hub.pid);
    const streams = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const started = begin(agent, { accept: 'text/event-stream', ...sessions[index % 20]?.headers }, 'GET');
        started.end();
        const [response] = (await once(started, 'response')) as [IncomingMessage];
        response.on('error', () => {}).resume();
        return response;
      }),
    );
    expect(streams.map(({ statusCode }) => statusCode)).toEqual(Array.from({ length: 200 }, () => 200));
    const started = performance.now();
    await Promise.all(Array.from({ length: 50 }, () => postModern(url, 'tools/list', {}, { headers: bearer(ALICE) })));
    expect(performance.now() - started).toBeLessThan(2_000);
    expect((await memoryOf(hub.pid)) - before).toBeLessThan(50 * MiB);
    agent.destroy();
    expect((await sessions[0]?.request('tools/list'))?.status).toBe(200);
  });

  it('connections that say nothing, or nonsense, are cut', async () => {
    const { connect } = await import('node:net');
    const { port } = new URL(url);
    const said = await Promise.all(
      [
        'NONSENSE\r\n\r\n',
        'GET /mcp HTTP/2.0\r\nhost: 127.0.0.1\r\n\r\n',
        `GET /${'x'.repeat(9_000)} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`,
        'POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
        '\u0016\u0003\u0001',
      ].map(async (text) => {
        const socket = connect(Number(port), '127.0.0.1');
        let answer = '';
        socket.on('error', () => {}).on('data', (chunk) => (answer += String(chunk)));
        socket.end(text);
        await once(socket, 'close');
        return /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1];
      }),
    );
    expect(said).toEqual(['400', '505', '414', '400', '400']);
  });
});
