import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askAdmin } from '../../support/ask-admin.ts';
import { sendJson, startEchoServer, type EchoServer } from '../../support/echo-server.ts';
import { startHub, type Hub } from '../../support/start-hub.ts';
import { callText, documentOf, sourceOf, toolsOf } from './document.ts';

let upstream: EchoServer;
let hub: Hub;
const things = JSON.stringify(documentOf(['listThings']));

beforeAll(async () => {
  upstream = await startEchoServer((request, response) => {
    if (request.path === '/doc.json') return sendJson(response, 200, documentOf(['fetched'], '/api'));
    if (request.path === '/moved') return void response.writeHead(302, { location: '/doc.json' }).end();
    return sendJson(response, 200, { path: request.path });
  });
  hub = await startHub({
    files: {
      'hubgate.yaml': `
egress: { allow: ["127.0.0.1:${upstream.port}"] }
services:
  by-spec: { spec: documents/things.json, baseUrl: "${upstream.url}/base" }
  by-url: { url: "${upstream.url}/doc.json" }
  by-spec-url: { spec: "${upstream.url}/moved" }
  off: { spec: documents/things.json, enabled: false }
  self: { baseUrl: hub:admin, access: [{ allow: ["*"] }] }
`,
      'documents/things.json': things,
      'openapi-specs/By File.json': JSON.stringify(documentOf(['listThings'], `${upstream.url}/file`)),
      'openapi-specs/notes.json': '{"no": "document"}',
    },
  });
});
afterAll(async () => {
  await hub?.stop();
  await upstream?.stop();
});

const stored = (more: object = {}) => ({ document: documentOf(['listThings']), baseUrl: `${upstream.url}/stored`, ...more });

describe('a service comes', () => {
  it.each([
    ['by-spec', 'listThings', '/base/listThings'],
    ['by-file', 'listThings', '/file/listThings'],
    ['by-url', 'fetched', '/api/fetched'],
    ['by-spec-url', 'fetched', '/api/fetched'],
  ])('from files: %s', async (name, tool, path) => {
    expect(await sourceOf(hub, name)).toMatchObject({ origin: 'file', state: 'ready', tools: 1 });
    expect(await toolsOf(hub, name)).toEqual([tool]);
    expect(await callText(hub, name, tool)).toBe(`{"path":"${path}"}`);
  });

  it('by PUT with its document, with a URL, and by import, and serves when the write is answered', async () => {
    expect(await askAdmin(hub, 'PUT', '/services/put-document', stored())).toMatchObject({
      status: 201,
      body: { origin: 'store', state: { ok: true }, config: { document: { set: true } } },
    });
    expect(await callText(hub, 'put-document', 'listThings')).toBe('{"path":"/stored/listThings"}');
    expect(await askAdmin(hub, 'PUT', '/services/put-url', { url: `${upstream.url}/doc.json` })).toMatchObject({ status: 201 });
    expect(await callText(hub, 'put-url', 'fetched')).toBe('{"path":"/api/fetched"}');
    const imported = await askAdmin(hub, 'POST', '/services/import', { url: `${upstream.url}/doc.json`, name: 'imported' });
    expect(imported).toMatchObject({ status: 201, body: { ok: true, tools: [{ name: 'fetched' }] } });
    expect(await callText(hub, 'imported', 'fetched')).toBe('{"path":"/api/fetched"}');
    const tried = await askAdmin(hub, 'POST', '/services/import', { document: documentOf(['listThings']), dryRun: true });
    expect(tried).toMatchObject({ status: 200, body: { ok: true, tools: [{ name: 'listThings' }] } });
    const names = ((await askAdmin(hub, 'GET', '/services')).body.items as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['put-document', 'put-url', 'imported']));
    expect(names).not.toContain('things');
  });

  it('not at all when it is disabled, and files that are no documents are none', async () => {
    for (const name of ['off', 'notes']) {
      expect(await sourceOf(hub, name)).toBeUndefined();
      expect(await callText(hub, name, 'listThings')).toContain(`no server "${name}"`);
    }
    expect(await toolsOf(hub, 'off')).toEqual([]);
  });
});

describe('an entry of the store', () => {
  it('is changed only at the revision that If-Match names', async () => {
    const made = await askAdmin(hub, 'PUT', '/services/matched', stored());
    const etag = made.headers.get('etag') as string;
    expect(etag).toBe(`"${made.body.revision}"`);
    expect(await askAdmin(hub, 'PUT', '/services/matched', stored({ description: 'second' }), { 'if-match': etag })).toMatchObject({
      status: 200,
      body: { config: { description: 'second' } },
    });
    expect((await askAdmin(hub, 'PUT', '/services/matched', stored({ description: 'third' }), { 'if-match': etag })).status).toBe(412);
    expect((await askAdmin(hub, 'DELETE', '/services/matched', undefined, { 'if-match': etag })).status).toBe(412);
    expect((await askAdmin(hub, 'PUT', '/services/unmatched', stored(), { 'if-match': '*' })).status).toBe(412);
    const { body, headers } = await askAdmin(hub, 'GET', '/services/matched');
    expect(body.config.description).toBe('second');
    expect((await askAdmin(hub, 'DELETE', '/services/matched', undefined, { 'if-match': headers.get('etag') as string })).status).toBe(204);
    expect(await sourceOf(hub, 'matched')).toBeUndefined();
  });

  it('cannot take the name of a file entry, nor the admin API, nor read the machine', async () => {
    expect((await askAdmin(hub, 'PUT', '/services/by-file', stored())).status).toBe(409);
    expect((await askAdmin(hub, 'DELETE', '/services/by-file')).status).toBe(409);
    const bodies: object[] = [
      stored({ baseUrl: 'hub:admin' }),
      stored({ auth: { bearer: '${env:HOME}' } }),
      stored({ auth: { bearer: '${file:/etc/hostname}' } }),
      { spec: '/etc/hostname' },
      { url: 'hub:admin' },
      { url: 'file:///etc/hostname' },
      { document: documentOf(['listThings']), url: `${upstream.url}/doc.json` },
      {},
    ];
    for (const body of bodies) {
      const answer = await askAdmin(hub, 'PUT', '/services/bad', body);
      expect([answer.status, answer.body.errors.length > 0, body]).toEqual([400, true, body]);
    }
    expect(await sourceOf(hub, 'bad')).toBeUndefined();
  });

  it('of a document that names hub:admin or a file as its server calls neither', async () => {
    for (const server of ['hub:admin', 'hub:admin/admin/v1', 'demo:petstore', 'file:///etc', '//hub:admin']) {
      const answer = await askAdmin(hub, 'PUT', '/services/sly', {
        document: { ...documentOf(['status'], server), paths: { '/admin/v1/status': { get: { operationId: 'status', responses: {} } } } },
      });
      expect([server, [200, 201].includes(answer.status)]).toEqual([server, true]);
      const said = await callText(hub, 'sly', 'status');
      expect([server, said]).toEqual([server, expect.not.stringMatching(/generation|"sources"/)]);
    }
  });

  it('stays over a restart, with its document and its secret', async () => {
    await askAdmin(hub, 'PUT', '/services/lasting', stored({ auth: { header: { 'X-Key': 'stored-value-1234' } } }));
    await hub.restart();
    expect(await sourceOf(hub, 'put-url')).toMatchObject({ origin: 'store', state: 'ready' });
    expect(await sourceOf(hub, 'lasting')).toMatchObject({ origin: 'store', state: 'ready' });
    expect(await callText(hub, 'lasting', 'listThings')).toBe('{"path":"/stored/listThings"}');
    expect(upstream.requests.at(-1)?.headers['x-key']).toBe('stored-value-1234');
    expect((await askAdmin(hub, 'GET', '/services/lasting')).body.config.auth).toEqual({ header: { 'X-Key': { set: true } } });
  });

  it('is put aside by a file of its name, which is reported, and comes back when the file goes', async () => {
    await askAdmin(hub, 'PUT', '/services/both', stored());
    await hub.write('openapi-specs/both.json', JSON.stringify(documentOf(['ofTheFile'], `${upstream.url}/file`)));
    await expect.poll(() => toolsOf(hub, 'both'), { timeout: 5_000 }).toEqual(['ofTheFile']);
    const { body } = await askAdmin(hub, 'GET', '/status');
    expect(body.config).toMatchObject({
      ok: true,
      warnings: expect.arrayContaining([
        expect.objectContaining({ code: 'name_clash', message: expect.stringContaining('"both"') as string }),
      ]) as unknown,
    });
    await expect.poll(() => hub.stderr()).toContain('name_clash');
    expect((await askAdmin(hub, 'GET', '/services/both')).body).toMatchObject({ origin: 'file' });
    await rm(join(hub.dir, 'openapi-specs/both.json'));
    await expect.poll(() => toolsOf(hub, 'both'), { timeout: 5_000 }).toEqual(['listThings']);
    expect((await askAdmin(hub, 'GET', '/services/both')).body).toMatchObject({ origin: 'store' });
  });
});

describe('names of tools', () => {
  it('stay when operations are added, over a restart too', async () => {
    const clashing = (paths: readonly string[]): string =>
      JSON.stringify({
        ...documentOf([]),
        paths: Object.fromEntries(paths.map((path) => [path, { get: { operationId: 'get thing', summary: path, responses: {} } }])),
      });
    const byPath = async (): Promise<Record<string, string>> => {
      const { body } = await askAdmin(hub, 'GET', '/tools?server=growing');
      return Object.fromEntries(
        (body.items as { name: string; _meta: Record<string, { path: string }> }[]).map(({ name, _meta }) => [
          _meta['hubgate/operation']?.path,
          name,
        ]),
      );
    };
    await hub.write('openapi-specs/growing.json', clashing(['/m']));
    await expect.poll(byPath, { timeout: 5_000 }).toEqual({ '/m': expect.any(String) });
    const before = await byPath();
    await hub.kill();
    await hub.write('openapi-specs/growing.json', clashing(['/a', '/m', '/z']));
    await hub.restart();
    await expect.poll(async () => Object.keys(await byPath()), { timeout: 5_000 }).toHaveLength(3);
    const after = await byPath();
    expect(after['/m']).toBe(before['/m']);
    expect(new Set(Object.values(after)).size).toBe(3);
  });
});

describe('baseUrl: hub:admin', () => {
  it('serves the admin API as tools, without a token and without a network', async () => {
    expect(await toolsOf(hub, 'self')).toEqual(expect.arrayContaining(['getStatus', 'listServices', 'putService', 'createConsumerKey']));
    const status = JSON.parse(await callText(hub, 'self', 'getStatus')) as { generation: number; sources: { name: string }[] };
    expect(status.sources.map(({ name }) => name)).toContain('self');
    const body = { document: documentOf(['listThings']), baseUrl: `${upstream.url}/by-tool` };
    expect(JSON.parse(await callText(hub, 'self', 'putService', { name: 'by-tool', body }))).toMatchObject({
      name: 'by-tool',
      origin: 'store',
    });
    expect(await callText(hub, 'by-tool', 'listThings')).toBe('{"path":"/by-tool/listThings"}');
    expect(await callText(hub, 'self', 'getService', { name: 'nothing' })).toMatch(/^HTTP 404 Not Found/);
  });
});
