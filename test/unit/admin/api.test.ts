import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAdminApi, type AdminApi } from '../../../src/admin/api.ts';
import { adminMounts, createAdminIdentify, sendProblem } from '../../../src/admin/mounts.ts';
import { ROUTES } from '../../../src/admin/routes.ts';
import { createEdge, type Edge } from '../../../src/http/server.ts';
import { importReport } from '../../../src/lanes/tools/report.ts';
import { FakeHub, PETS } from './fake-hub.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {}, child: () => SILENT };
const TOKEN = 'the-admin-token';
const BASE = '/admin/v1';

interface Described {
  readonly openapi: string;
  readonly paths: Record<
    string,
    Record<string, { operationId: string; summary: string; parameters?: { name: string; in: string }[]; responses: object }>
  >;
}

let hub: FakeHub;
let api: AdminApi;

beforeEach(async () => {
  hub = await FakeHub.open();
  api = createAdminApi(hub.admin);
});
afterEach(() => hub.store.close());

const concrete = (path: string): string => path.replaceAll(/\{\w+\}/g, 'some-name');
const call = (method: string, path: string, body?: unknown) =>
  api.handle({ method, path, query: new URLSearchParams(), headers: {}, body });

describe('the table of routes', () => {
  it('has every route behind it, and the description has every route but the hidden', async () => {
    const { paths } = api.document as Described;
    const described = Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, { operationId }]) => `${method.toUpperCase()} ${path} ${operationId}`),
    );
    const shown = ROUTES.filter(({ hidden }) => hidden !== true).map(
      ({ method, path, operationId }) => `${method} ${BASE}${path} ${operationId}`,
    );
    expect(described.sort()).toEqual(shown.sort());
    for (const { method, path, body } of ROUTES) {
      const { status, body: answer } = await call(method, `${BASE}${concrete(path)}`, body === undefined ? undefined : {});
      const unknown = status === 404 && /nothing at this address/.test(JSON.stringify(answer));
      expect(unknown || status === 405 || status >= 500 === (status !== 501), `${method} ${path} → ${status}`).toBe(false);
    }
  });

  it('answers 405 with Allow for every other method, and 404 for every other path', async () => {
    for (const path of new Set(ROUTES.map((route) => route.path))) {
      const methods = ROUTES.filter((route) => route.path === path).map(({ method }) => method);
      expect(await call('PATCH', `${BASE}${path}`), path).toMatchObject({
        status: 405,
        headers: { allow: expect.stringContaining(methods[0] as string) },
      });
    }
    for (const path of [
      `${BASE}/nothing`,
      `${BASE}/services/a/b/c`,
      `${BASE}/`,
      BASE,
      '/services',
      `${BASE}/services/`.replace(/s\/$/, 'x/a'),
    ])
      expect((await call('GET', path)).status, path).toBe(404);
    expect((await call('GET', `${BASE}/services/%zz`)).status).toBe(400);
  });

  it('lets a service be called import', async () => {
    hub.files['services'] = { import: {} };
    expect((await call('GET', `${BASE}/services/import`)).status).toBe(200);
  });
});

describe('the description', () => {
  it('is served, and becomes tools without a complaint', async () => {
    const { status, body } = await call('GET', `${BASE}/openapi.json`);
    expect(status).toBe(200);
    const report = await importReport('admin', { text: JSON.stringify(body), name: 'admin' });
    expect({ error: report.error, leftOut: report.leftOut, warnings: report.warnings }).toEqual({
      error: undefined,
      leftOut: [],
      warnings: [],
    });
    const names = report.tools.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['getStatus', 'importService', 'putVirtualServer', 'createConsumerKey', 'explainTool', 'listTools']),
    );
    expect(names).toHaveLength(ROUTES.filter(({ hidden }) => hidden !== true).length);
  });

  it('has an id of its own, a summary, a default answer and its path parameters on every operation', () => {
    const { paths } = api.document as Described;
    const operations = Object.entries(paths).flatMap(([path, item]) => Object.values(item).map((operation) => ({ path, ...operation })));
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    for (const { path, operationId, summary, parameters = [], responses } of operations) {
      expect(operationId).toMatch(/^[a-z][A-Za-z]+$/);
      expect(summary.length).toBeGreaterThan(8);
      expect(responses).toHaveProperty('default');
      const named = parameters.filter((one) => one.in === 'path').map(({ name }) => `{${name}}`);
      expect(named).toEqual([...path.matchAll(/\{\w+\}/g)].map(([name]) => name));
      for (const one of parameters) expect(one, `${operationId} ${one.name}`).toHaveProperty('description', expect.any(String));
    }
  });

  it('says nothing of the configuration’s own words', () => {
    expect(JSON.stringify(api.document)).not.toMatch(/"(?:convert|unbuilt|hint|secret)":(?!\{)/);
  });
});

describe('on its listener', () => {
  let edge: Edge;
  let url: string;

  beforeEach(async () => {
    edge = createEdge({
      rules: () => ({ allowedHosts: [], allowedOrigins: [] }),
      identify: createAdminIdentify(TOKEN),
      mounts: adminMounts(api),
      log: SILENT,
      cors: false,
      writeError: sendProblem,
    });
    ({ url } = await edge.listen({ host: '127.0.0.1', port: 0 }));
  });
  afterEach(() => edge.close({ graceMs: 0 }));

  const send = (path: string, init: RequestInit & { headers?: Record<string, string> } = {}) =>
    fetch(`${url}${path}`, { ...init, headers: { authorization: `Bearer ${TOKEN}`, ...init.headers } });

  it('asks for the token on every route and on every other address', async () => {
    for (const { method, path } of [
      ...ROUTES,
      { method: 'GET', path: '/openapi.json' },
      { method: 'GET', path: '/nothing' },
      { method: 'PATCH', path: '/status' },
    ]) {
      for (const headers of [{}, { authorization: 'Bearer wrong' }, { 'x-api-key': TOKEN }, { authorization: `Basic ${TOKEN}` }]) {
        const answer = await fetch(`${url}${BASE}${concrete(path)}`, { method, headers: headers as Record<string, string> });
        expect(answer.status, `${method} ${path}`).toBe(401);
        await answer.body?.cancel();
      }
    }
  });

  it('serves with the token, and nothing that may be kept', async () => {
    const answer = await send(`${BASE}/status`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect(await answer.json()).toMatchObject({ config: { ok: true } });
  });

  it('takes application/json only, and only JSON', async () => {
    const put = (type: string | undefined, body: string) =>
      send(`${BASE}/consumers/bob`, { method: 'PUT', body: new Blob([body]), headers: type === undefined ? {} : { 'content-type': type } });
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', undefined])
      expect((await put(type, '{}')).status, type).toBe(415);
    for (const body of ['{', 'nonsense', '']) {
      const answer = await put('application/json', body);
      expect(answer.status).toBe(400);
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
    }
    const good = await put('application/json; charset=utf-8', '{"groups":["a"]}');
    expect(good.status).toBe(201);
    expect(good.headers.get('etag')).toMatch(/^"[0-9a-f]+"$/);
    expect((await send(`${BASE}/reload`, { method: 'POST' })).status).toBe(200);
    const gone = await send(`${BASE}/consumers/bob`, { method: 'DELETE' });
    expect([gone.status, await gone.text()]).toEqual([204, '']);
  });

  it('refuses other origins and hosts with problem JSON', async () => {
    const answer = await send(`${BASE}/status`, { headers: { origin: 'https://evil.example.com' } });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ status: 403, code: 'origin_not_allowed' });
  });

  it('takes large bodies only where a document may be', async () => {
    const large = JSON.stringify({ document: { ...PETS, 'x-large': 'x'.repeat(1024 * 1024) }, name: 'pets' });
    const headers = { 'content-type': 'application/json' };
    expect((await send(`${BASE}/services/import`, { method: 'POST', body: large, headers })).status).toBe(201);
    expect((await send(`${BASE}/consumers/bob`, { method: 'PUT', body: large, headers })).status).toBe(413);
    expect((await send(`${BASE}/nothing`, { method: 'PUT', body: '{}', headers })).status).toBe(404);
    expect((await send(`${BASE}/status`, { method: 'PUT', body: '{}', headers: { 'content-type': 'text/plain' } })).status).toBe(405);
  });
});

describe('the admin token', () => {
  const identify = createAdminIdentify(TOKEN);

  it('is taken from one Authorization header only', () => {
    expect(identify({ rawHeaders: ['Authorization', `Bearer ${TOKEN}`] })).toMatchObject({ name: 'admin', anonymous: false });
    expect(identify({ rawHeaders: ['authorization', `bearer  ${TOKEN}`] })).toBeDefined();
    for (const value of ['', 'Bearer', 'Bearer ', `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, TOKEN])
      expect(identify({ rawHeaders: ['Authorization', value] }), value).toBeUndefined();
    expect(identify({ rawHeaders: ['Authorization', `Bearer ${TOKEN}`, 'authorization', `Bearer ${TOKEN}`] })).toBeUndefined();
    expect(identify({ rawHeaders: [] })).toBeUndefined();
    expect(() => createAdminIdentify('')).toThrow('must not be empty');
  });
});
