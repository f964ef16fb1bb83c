import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Consumer } from '../../../src/core/consumer.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import type { Logger } from '../../../src/core/logger.ts';
import type { EdgeRules } from '../../../src/http/edge-rules.ts';
import type { Exchange, Mount } from '../../../src/http/mount.ts';
import { createEdge } from '../../../src/http/server.ts';
import type { Edge, EdgeOptions } from '../../../src/http/server.ts';
import { ask, raw } from './raw.ts';

const ALICE: Consumer = { name: 'alice', groups: ['support'], anonymous: false };
const RULES: EdgeRules = {
  allowedHosts: ['hub.example.com', 'other.example.com:8443'],
  allowedOrigins: ['https://app.example.com'],
  publicUrl: 'https://public.example.com/base',
};

const echo: Mount['handle'] = ({ res, consumer, path, query }, params) => {
  res.end(JSON.stringify({ consumer: consumer.name, path, query: Object.fromEntries(query), params }));
};
const MOUNTS: Mount[] = [
  { path: '/healthz', methods: ['GET'], open: true, handle: echo },
  { path: '/.well-known/oauth-protected-resource{/*rest}', methods: ['GET'], open: true, handle: echo },
  { path: '/mcp', methods: ['GET', 'POST', 'DELETE'], handle: echo },
  { path: '/mcp/:server', methods: ['GET', 'POST', 'DELETE'], handle: echo },
  {
    path: '/refuse',
    methods: ['GET'],
    handle: () => Promise.reject(new GatewayError('limit_exceeded', 'Slow down.', { retryAfterMs: 1_500 })),
  },
  {
    path: '/throw',
    methods: ['GET'],
    handle() {
      throw new TypeError('a bug with a secret in it');
    },
  },
  {
    path: '/break',
    methods: ['GET'],
    async handle({ res }) {
      res.writeHead(200).write('half');
      await sleep(20);
      throw new Error('late');
    },
  },
];

const open: Edge[] = [];
afterEach(() => Promise.all(open.splice(0).map((edge) => edge.close({ graceMs: 0 }))));

const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn(), child: vi.fn() } satisfies Logger;

async function start(options: Partial<EdgeOptions> = {}, host = '127.0.0.1'): Promise<{ edge: Edge; url: string; port: number }> {
  const identify: EdgeOptions['identify'] = (req) => (req.headers.authorization === 'Bearer good' ? ALICE : undefined);
  const edge = createEdge({ rules: () => RULES, identify, mounts: MOUNTS, log, ...options });
  open.push(edge);
  return { edge, ...(await edge.listen({ host, port: 0 })) };
}

const AUTH = { authorization: 'Bearer good' };
const status = (answer: { text: string }): number => Number(/^HTTP\/1\.1 (\d+)/.exec(answer.text)?.[1]);

describe('the Host rule', () => {
  const cases: [string, number][] = [
    ['127.0.0.1', 200],
    ['127.9.9.9:1', 200],
    ['localhost:9999', 200],
    ['LOCALHOST', 200],
    ['api.localhost', 200],
    ['[::1]:8700', 200],
    ['hub.example.com', 200],
    ['Hub.Example.com:4711', 200],
    ['other.example.com:8443', 200],
    ['other.example.com', 403],
    ['public.example.com', 200],
    ['evil.example.com', 403],
    ['hub.example.com.evil.com', 403],
    ['127.0.0.1.evil.com', 403],
    ['localhost@evil.com', 403],
    ['user@localhost', 403],
    ['10.1.2.3', 403],
    ['', 403],
  ];
  it.each(cases)('%j gives %i', async (host, expected) => {
    const { port } = await start();
    expect(status(await ask(port, 'GET /healthz HTTP/1.1', { host }))).toBe(expected);
  });

  it('takes addresses of this machine only when it is reachable under them', async () => {
    const own = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .find((entry) => !entry.internal && entry.family === 'IPv4');
    const address = own?.address ?? '192.0.2.1';
    const loopback = await start();
    expect(status(await ask(loopback.port, 'GET /healthz HTTP/1.1', { host: address }))).toBe(403);
    const everywhere = await start({}, '0.0.0.0');
    expect(everywhere.url).toBe(`http://127.0.0.1:${everywhere.port}`);
    expect(status(await ask(everywhere.port, 'GET /healthz HTTP/1.1', { host: address }))).toBe(own === undefined ? 403 : 200);
    expect(status(await ask(everywhere.port, 'GET /healthz HTTP/1.1', { host: '192.0.2.77' }))).toBe(403);
  });

  it('says what to configure, as JSON with a request id', async () => {
    const { port } = await start();
    const { text } = await ask(port, 'GET /mcp HTTP/1.1', { host: 'evil.example.com', ...AUTH });
    expect(text).toMatch(/x-request-id: [0-9a-f-]{36}/i);
    expect(text).toContain('{"error":{"code":"host_not_allowed","message":"The Host header names');
    expect(text).toContain('allowedHosts');
  });

  it('follows a change of the rules at the next request', async () => {
    let rules = RULES;
    const { port } = await start({ rules: () => rules });
    const knock = async (): Promise<number> => status(await ask(port, 'GET /healthz HTTP/1.1', { host: 'new.example.com' }));
    expect(await knock()).toBe(403);
    rules = { ...RULES, allowedHosts: ['new.example.com'] };
    expect(await knock()).toBe(200);
    rules = RULES;
    expect(await knock()).toBe(403);
  });
});

describe('the Origin rule', () => {
  const cases: [string, number][] = [
    ['http://localhost:5173', 200],
    ['https://127.0.0.1', 200],
    ['http://[::1]:3000', 200],
    ['https://app.example.com', 200],
    ['https://public.example.com', 200],
    ['http://app.example.com', 403],
    ['https://app.example.com.evil.com', 403],
    ['https://localhost.evil.com', 403],
    ['null', 403],
    ['file://localhost', 403],
  ];
  it.each(cases)('%s gives %i', async (origin, expected) => {
    const { port } = await start();
    expect(status(await ask(port, 'GET /healthz HTTP/1.1', { origin }))).toBe(expected);
  });

  it('lets pages of this hub call it under the name they came from', async () => {
    const { port } = await start();
    const knock = async (origin: string): Promise<number> =>
      status(await ask(port, 'GET /healthz HTTP/1.1', { host: 'hub.example.com:8700', origin }));
    expect(await knock('https://hub.example.com:8700')).toBe(200);
    expect(await knock('https://hub.example.com')).toBe(403);
  });
});

describe('CORS', () => {
  const preflight = { origin: 'https://app.example.com', 'access-control-request-method': 'POST' };

  it('answers a preflight without a credential, with the headers that were asked for', async () => {
    const { port } = await start();
    const asked = 'authorization, Mcp-Session-Id, mcp-param-user-id, bad header, x-api-key';
    const { text } = await ask(port, 'OPTIONS /mcp HTTP/1.1', { ...preflight, 'access-control-request-headers': asked });
    expect(status({ text })).toBe(204);
    expect(text).toMatch(/access-control-allow-origin: https:\/\/app\.example\.com\r\n/i);
    expect(text).toMatch(/access-control-allow-headers: authorization, mcp-session-id, mcp-param-user-id, x-api-key\r\n/i);
    expect(text).toMatch(/access-control-allow-methods: .*POST.*DELETE/i);
    expect(text).toMatch(/vary: origin/i);
  });

  it('refuses the preflight of a foreign site', async () => {
    const { port } = await start();
    const answer = await ask(port, 'OPTIONS /mcp HTTP/1.1', { ...preflight, origin: 'https://evil.com' });
    expect(status(answer)).toBe(403);
    expect(answer.text).not.toMatch(/access-control/i);
  });

  it('lets the page read answers, errors too', async () => {
    const { url } = await start();
    const answer = await fetch(`${url}/mcp`, { headers: { origin: 'https://app.example.com' } });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(answer.headers.get('access-control-expose-headers')).toContain('Mcp-Session-Id');
  });

  it('is off on the admin listener', async () => {
    const { port } = await start({ cors: false });
    const answer = await ask(port, 'OPTIONS /mcp HTTP/1.1', preflight);
    expect(status(answer)).toBe(401);
    expect(answer.text).not.toMatch(/access-control/i);
  });
});

describe('the credential and the route', () => {
  it('asks for the credential before it says what is there', async () => {
    const { url } = await start();
    for (const [method, path] of [
      ['GET', '/mcp'],
      ['PUT', '/mcp'],
      ['GET', '/nothing'],
      ['GET', '/mcp/%zz'],
      ['OPTIONS', '/mcp'],
    ] as const) {
      const answer = await fetch(url + path, { method });
      expect([method, path, answer.status]).toEqual([method, path, 401]);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="hubgate"');
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
      expect(await answer.json()).toMatchObject({ status: 401, code: 'unauthenticated' });
    }
    const wrong = await fetch(`${url}/mcp`, { headers: { authorization: 'Bearer bad' } });
    expect(wrong.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  it('gives a mount its consumer, path, query and decoded parameters', async () => {
    const { url } = await start();
    for (let again = 0; again < 2; again++) {
      const answer = await fetch(`${url}/mcp/a%20b?query=x%26y&top=3`, { headers: AUTH });
      expect(await answer.json()).toEqual({
        consumer: 'alice',
        path: '/mcp/a%20b',
        query: { query: 'x&y', top: '3' },
        params: { server: 'a b' },
      });
    }
    const other = await fetch(`${url}/mcp/c`, { headers: AUTH });
    expect(await other.json()).toMatchObject({ params: { server: 'c' }, query: {} });
  });

  it('keeps no consumer from one request to the next', async () => {
    const { url } = await start();
    expect((await fetch(`${url}/mcp/x`, { headers: AUTH })).status).toBe(200);
    expect((await fetch(`${url}/mcp/x`)).status).toBe(401);
  });

  it('answers open paths to anybody, whatever credential is on them', async () => {
    const { url } = await start();
    expect(await (await fetch(`${url}/healthz`, { headers: { authorization: 'Bearer bad' } })).json()).toMatchObject({
      consumer: 'anonymous',
    });
    const deep = await fetch(`${url}/.well-known/oauth-protected-resource/mcp/pets`);
    expect(await deep.json()).toMatchObject({ params: { rest: 'mcp/pets' } });
    const post = await fetch(`${url}/healthz`, { method: 'POST' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET']);
  });

  it('tells 404, 405 and 400 apart for a consumer', async () => {
    const { url } = await start();
    expect((await fetch(`${url}/nothing`, { headers: AUTH })).status).toBe(404);
    expect((await fetch(`${url}/MCP`, { headers: AUTH })).status).toBe(404);
    const put = await fetch(`${url}/mcp`, { method: 'PUT', headers: AUTH });
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, POST, DELETE']);
    expect((await fetch(`${url}/mcp/%zz`, { headers: AUTH })).status).toBe(400);
  });

  it('shapes errors as it is told', async () => {
    const { url } = await start({
      writeError: ({ res }: Exchange, error) =>
        void res.writeHead(error.status, { 'content-type': 'text/plain' }).end(`custom ${error.code}`),
      unauthenticated: ({ res }) => void res.writeHead(401).end('custom'),
    });
    expect(await (await fetch(`${url}/nothing`, { headers: AUTH })).text()).toBe('custom not_found');
    expect(await (await fetch(`${url}/nothing`)).text()).toBe('custom');
  });
});

describe('what a handler throws', () => {
  it('becomes an error answer', async () => {
    const { url } = await start();
    const limited = await fetch(`${url}/refuse`, { headers: AUTH });
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '2']);
    expect(await limited.json()).toEqual({ error: { code: 'limit_exceeded', message: 'Slow down.' } });
  });

  it('is not shown when it is a bug, and logged under the request id', async () => {
    const { url } = await start();
    const answer = await fetch(`${url}/throw`, { headers: AUTH });
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain('secret');
    const requestId = answer.headers.get('x-request-id');
    expect(log.error).toHaveBeenCalledWith(
      expect.objectContaining({ requestId, detail: expect.stringContaining('a bug') }),
      expect.any(String),
    );
  });

  it('cuts an answer that has begun', async () => {
    const { url } = await start();
    const answer = await fetch(`${url}/break`, { headers: AUTH });
    await expect(answer.text()).rejects.toThrow('terminated');
  });
});

describe('framing', () => {
  const refused: [string, string, Record<string, string>, number][] = [
    ['HTTP/2.0 on the request line', 'GET /healthz HTTP/2.0', {}, 505],
    ['an absolute target', 'GET http://127.0.0.1/healthz HTTP/1.1', {}, 400],
    ['a double slash', 'GET //healthz HTTP/1.1', {}, 400],
    ['dot segments', 'GET /mcp/../healthz HTTP/1.1', {}, 400],
    ['encoded dot segments', 'GET /mcp/%2e%2E/healthz HTTP/1.1', {}, 400],
    ['a backslash', 'GET /mcp\\x HTTP/1.1', {}, 400],
    ['an encoded NUL', 'GET /mcp/a%00 HTTP/1.1', {}, 400],
    ['a fragment', 'GET /mcp#x HTTP/1.1', {}, 400],
    ['a long address', `GET /healthz?${'x'.repeat(8_200)} HTTP/1.1`, {}, 414],
    ['many headers', 'GET /healthz HTTP/1.1', Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`x-${i}`, '1'])), 431],
    ['large headers', 'GET /healthz HTTP/1.1', { 'x-large': 'x'.repeat(17_000) }, 431],
    ['two lengths', 'POST /mcp HTTP/1.1', { 'content-length': '3\r\ncontent-length: 4' }, 400],
    ['a length and chunks', 'POST /mcp HTTP/1.1', { 'content-length': '3', 'transfer-encoding': 'chunked' }, 400],
    ['a second Host', 'GET /healthz HTTP/1.1', { Host: '127.0.0.1' }, 400],
    ['a second Authorization', 'GET /mcp HTTP/1.1', { authorization: 'Bearer bad', Authorization: 'Bearer good' }, 400],
    ['a second x-api-key', 'GET /mcp HTTP/1.1', { 'x-api-key': 'a', 'X-API-Key': 'b' }, 400],
  ];
  it.each(refused)('refuses %s', async (_name, line, headers, expected) => {
    const { port } = await start();
    const answer = await ask(port, line, headers);
    expect(status(answer)).toBe(expected);
    expect(answer.text).toMatch(/x-request-id: /i);
  });

  it('takes dots and encoded slashes that are part of a name', async () => {
    const { url } = await start();
    const answer = await fetch(`${url}/mcp/a..b%2Fc.json`, { headers: AUTH });
    expect(await answer.json()).toMatchObject({ params: { server: 'a..b/c.json' } });
  });

  it('closes the socket of a peer that does not speak HTTP', async () => {
    const { port } = await start();
    const answer = await raw(port, 'not http at all\r\n\r\n');
    expect(answer.closed).toBe(true);
    expect(status(answer)).toBe(400);
  });

  it('answers a request that asks for an upgrade like any other', async () => {
    const { port } = await start();
    expect(status(await ask(port, 'GET /mcp HTTP/1.1', { connection: 'upgrade, close', upgrade: 'websocket' }))).toBe(401);
  });
});

describe('listening and closing', () => {
  it('says what to do when the port is taken', async () => {
    const { port } = await start();
    const second = createEdge({ rules: () => RULES, identify: () => ALICE, mounts: [], log });
    await expect(second.listen({ host: '127.0.0.1', port })).rejects.toThrow(/something else listens there.*--port/);
  });

  it('lets requests in flight end, takes no new ones, and cuts what outlives the grace', async () => {
    const slow: Mount = {
      path: '/slow',
      methods: ['GET'],
      async handle({ res }) {
        await sleep(150);
        res.end('done');
      },
    };
    const stuck: Mount = { path: '/stuck', methods: ['GET'], handle: ({ res }) => void res.write('…') };
    const { edge, url } = await start({ mounts: [slow, stuck] });
    const inFlight = fetch(`${url}/slow`, { headers: AUTH }).then((answer) => answer.text());
    const cut = fetch(`${url}/stuck`, { headers: AUTH }).then((answer) => answer.text());
    cut.catch(() => {});
    await sleep(50);
    const before = performance.now();
    const closed = edge.close({ graceMs: 400 });
    expect(await inFlight).toBe('done');
    await closed;
    await expect(cut).rejects.toThrow('terminated');
    expect(performance.now() - before).toBeLessThan(2_000);
    await expect(fetch(`${url}/slow`)).rejects.toThrow('fetch failed');
  });

  it('closes at once when connections are idle, or were never used', async () => {
    const { edge, url } = await start();
    await (await fetch(`${url}/healthz`)).text();
    const silent = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
    await once(silent, 'connect');
    const before = performance.now();
    await edge.close({ graceMs: 5_000 });
    expect(performance.now() - before).toBeLessThan(1_000);
  });
});
