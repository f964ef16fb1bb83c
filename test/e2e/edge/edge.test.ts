import { createHash } from 'node:crypto';
import { type IncomingHttpHeaders, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hub, startHub } from '../../support/start-hub.ts';

const KEY = 'hg_test_key_of_the_edge_story';
const APP = 'https://app.example.com';
const CONFIG = `
allowedOrigins: ["${APP}"]
services:
  shop: { spec: openapi-specs/shop.json, baseUrl: "demo:petstore" }
consumers:
  - { name: alice, keys: [{ sha256: "${createHash('sha256').update(KEY).digest('hex')}" }] }
`;
const SHOP = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'Shop', version: '1' },
  paths: { '/pets': { get: { operationId: 'listPets', responses: {} } } },
});
const PUBLIC = [
  '/',
  '/mcp',
  '/mcp/shop',
  '/mcp/none',
  '/healthz',
  '/readyz',
  '/register',
  '/.well-known/oauth-protected-resource',
  '/.well-known/oauth-protected-resource/mcp/shop',
  '/v1/chat/completions',
  '/nothing',
];
const ADMIN = [
  '/',
  '/admin/v1/status',
  '/admin/v1/openapi.json',
  '/admin/v1/services',
  '/admin/v1/nothing',
  '/metrics',
  '/console',
  '/mcp',
  '/healthz',
  '/nothing',
];
const bearer = { authorization: `Bearer ${KEY}` };
const MCP = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'page', version: '1' } },
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** A request with exactly these headers: fetch sets Host and Origin as it likes. */
function send(url: string, method: string, headers: Readonly<Record<string, string>> = {}, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method, headers: { ...(body !== '' && { 'content-length': Buffer.byteLength(body) }), ...headers } },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        answer.once('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });
}

let hub: Hub;
beforeAll(async () => {
  hub = await startHub({ files: { 'hubgate.yaml': CONFIG, 'openapi-specs/shop.json': SHOP } });
});
afterAll(() => hub?.stop());

describe('a page in a browser', () => {
  const asked = ['authorization', 'content-type', 'mcp-session-id', 'mcp-protocol-version', 'mcp-method', 'mcp-name', 'last-event-id'];
  const preflight = (origin: string) => ({
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': asked.join(','),
  });

  it.each([APP, 'http://localhost:5173'])('of %s may ask with every header that MCP has, before it shows a key', async (origin) => {
    for (const path of ['/mcp', '/mcp/shop', '/mcp/none']) {
      const { status, headers } = await send(`${hub.url}${path}`, 'OPTIONS', preflight(origin));
      expect([status, headers['access-control-allow-origin']]).toEqual([204, origin]);
      expect(headers['access-control-allow-headers']?.split(/,\s*/)).toEqual(asked);
      for (const method of ['GET', 'POST', 'DELETE']) expect(headers['access-control-allow-methods']).toContain(method);
      expect(headers['access-control-allow-credentials']).toBeUndefined();
      expect(headers.vary).toMatch(/origin/i);
    }
  });

  it('reads the session, the request id and why it was refused', async () => {
    const opened = await send(`${hub.url}/mcp/shop`, 'POST', { ...MCP, ...bearer, origin: APP }, INITIALIZE);
    const refused = await send(`${hub.url}/mcp/shop`, 'POST', { ...MCP, origin: APP }, INITIALIZE);
    expect([opened.status, refused.status]).toEqual([200, 401]);
    for (const { headers } of [opened, refused]) {
      expect(headers['access-control-allow-origin']).toBe(APP);
      const exposed = headers['access-control-expose-headers']?.toLowerCase().split(/,\s*/);
      expect(exposed).toEqual(
        expect.arrayContaining(['mcp-session-id', 'mcp-protocol-version', 'www-authenticate', 'x-request-id', 'retry-after']),
      );
    }
    expect(opened.headers['mcp-session-id']).toBeTruthy();
    expect(refused.headers['www-authenticate']).toContain('/.well-known/oauth-protected-resource/mcp/shop');
  });

  it('of a foreign site is told nothing, not by a preflight either', async () => {
    const origin = 'https://evil.example';
    for (const answer of [
      await send(`${hub.url}/mcp/shop`, 'OPTIONS', preflight(origin)),
      await send(`${hub.url}/mcp/shop`, 'POST', { ...MCP, ...bearer, origin }, INITIALIZE),
    ]) {
      expect(answer.status).toBe(403);
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    }
  });
});

describe('a foreign Host or Origin', () => {
  it.each<Record<string, string>>([
    { host: 'evil.example' },
    { host: 'localhost.evil.example:8700' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://127.0.0.1.evil.example' },
  ])('%o is 403 on every path of both listeners, with a key and without', async (foreign) => {
    for (const [base, paths, key] of [
      [hub.url, PUBLIC, KEY],
      [hub.adminUrl, ADMIN, hub.adminToken],
    ] as const) {
      for (const path of paths) {
        for (const method of ['GET', 'POST', 'OPTIONS']) {
          const credentials: Record<string, string> = method === 'POST' ? { authorization: `Bearer ${key}` } : {};
          const { status, headers } = await send(`${base}${path}`, method, { ...foreign, ...credentials });
          expect([path, method, status]).toEqual([path, method, 403]);
          expect(headers['x-request-id']).toBeTruthy();
        }
      }
    }
  });
});

describe('the order of checks', () => {
  /** Everything is wrong with the first request; each next one has one fault less. */
  it.each(['/mcp', '/mcp/shop'])('on %s is 403, 401, 405, 406, 415, 400', async (path) => {
    const wrong = { accept: 'text/html', 'content-type': 'text/plain', host: 'evil.example' };
    const { host: _, ...here } = wrong;
    const url = `${hub.url}${path}`;
    const answers = [
      await send(url, 'PUT', wrong, '{'),
      await send(url, 'PUT', here, '{'),
      await send(url, 'PUT', { ...here, ...bearer }, '{'),
      await send(url, 'POST', { ...here, ...bearer }, '{'),
      await send(url, 'POST', { ...here, ...bearer, accept: MCP.accept }, '{'),
      await send(url, 'POST', { ...MCP, ...bearer }, '{'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([403, 401, 405, 406, 415, 400]);
    expect(answers[2]?.headers.allow).toBe('POST, GET, DELETE');
    for (const { headers } of answers) expect(headers['x-request-id']).toBeTruthy();
  });

  it.each(['/mcp/none', '/nothing', '/v1/realtime'])('on %s, which is not there, is 403, 401, 404 whatever the method', async (path) => {
    const url = `${hub.url}${path}`;
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const statuses = [
        await send(url, method, { host: 'evil.example', ...bearer }),
        await send(url, method, { 'content-type': 'text/plain' }),
        await send(url, method, { 'content-type': 'text/plain', ...bearer }),
      ].map(({ status }) => status);
      expect([method, ...statuses]).toEqual([method, 403, 401, 404]);
    }
  });

  it('on the doors of models is 403, 401, 405, 415, 400', async () => {
    const url = `${hub.url}/v1/chat/completions`;
    const wrong = { 'content-type': 'text/plain' };
    const answers = [
      await send(url, 'PUT', { ...wrong, host: 'evil.example' }, '{'),
      await send(url, 'PUT', wrong, '{'),
      await send(url, 'PUT', { ...wrong, ...bearer }, '{'),
      await send(url, 'POST', { ...wrong, ...bearer }, '{'),
      await send(url, 'POST', { 'content-type': 'application/json', ...bearer }, '{'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([403, 401, 405, 415, 400]);
    expect(answers[2]?.headers.allow).toBe('POST');
    for (const { headers } of answers) expect(headers['x-request-id']).toBeTruthy();
  });

  it('says nothing of itself to who has no key but that a key is needed', async () => {
    const texts = await Promise.all(['/mcp', '/mcp/shop', '/mcp/none'].map((path) => send(`${hub.url}${path}`, 'POST', MCP, INITIALIZE)));
    expect(new Set(texts.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    const open = ['/healthz', '/readyz', '/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp/none'];
    for (const path of open) expect([path, (await send(`${hub.url}${path}`, 'GET')).status]).toEqual([path, 200]);
  });
});

describe('the admin listener', () => {
  it('is 401 on every path without its token, also to a consumer', async () => {
    for (const path of ADMIN) {
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        for (const headers of [
          {},
          bearer,
          { authorization: `Basic ${hub.adminToken}` },
          { authorization: `Bearer ${hub.adminToken}x` },
        ] as Record<string, string>[]) {
          const answer = await send(`${hub.adminUrl}${path}`, method, headers);
          expect([path, method, answer.status]).toEqual([path, method, 401]);
          expect(answer.text).not.toContain(hub.adminToken);
        }
      }
    }
    expect((await send(`${hub.adminUrl}/admin/v1/status`, 'GET', { authorization: `Bearer ${hub.adminToken}` })).status).toBe(200);
  });

  it('lets no page of another origin read it, or ask whether it may', async () => {
    const preflight = { 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' };
    for (const origin of [APP, 'http://localhost:5173']) {
      for (const [method, headers] of [
        ['OPTIONS', preflight],
        ['GET', { authorization: `Bearer ${hub.adminToken}` }],
      ] as const) {
        const answer = await send(`${hub.adminUrl}/admin/v1/status`, method, { ...headers, origin });
        expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
        expect(answer.status).toBe(method === 'OPTIONS' ? 401 : 200);
      }
    }
  });
});
