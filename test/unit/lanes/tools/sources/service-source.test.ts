import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { DocumentPlace, RelatedFiles, ServiceConfig } from '../../../../../src/config/types.ts';
import type { Call } from '../../../../../src/core/call.ts';
import type { Problem } from '../../../../../src/core/contracts/resource.ts';
import type { PreparedCall } from '../../../../../src/core/contracts/tool-source.ts';
import type { Logger } from '../../../../../src/core/logger.ts';
import { Secret } from '../../../../../src/core/secret.ts';
import type { ToolsHost } from '../../../../../src/lanes/tools/host.ts';
import { serviceReport } from '../../../../../src/lanes/tools/report.ts';
import { ServiceSource, type ServiceFacts } from '../../../../../src/lanes/tools/sources/service-source.ts';
import { createEgress } from '../../../../../src/upstreams/egress.ts';
import { createHttp, type UpstreamHttp } from '../../../../../src/upstreams/http.ts';
import { type Answer, sendJson, startEchoServer, type EchoServer } from '../../../../support/echo-server.ts';

let servers: EchoServer[];
let http: UpstreamHttp;
let host: ToolsHost;
let logged: string[];
let informed: object[];

beforeEach(() => {
  servers = [];
  logged = [];
  informed = [];
  http = createHttp({ egress: () => createEgress({ allow: [], ownPorts: [] }) });
  const write = (_: object, message: string): void => void logged.push(message);
  const inform = (fields: object, message: string): void => void informed.push({ ...fields, message });
  const log: Logger = { debug: write, info: inform, warn: write, error: write, child: () => log };
  const toolNames = { get: async () => new Map<string, string>(), put: async () => undefined };
  host = { http, log, toolNames, redact: (text) => text, addSecret: () => () => undefined } as Partial<ToolsHost> as ToolsHost;
});
afterEach(async () => {
  await http.close();
  for (const server of servers) await server.stop();
});

async function serve(answer?: Answer): Promise<EchoServer> {
  const server = await startEchoServer(answer);
  servers.push(server);
  return server;
}

const documentOf = (name: string, server = ''): object => ({
  openapi: '3.1.0',
  info: { title: 'Things', version: '1' },
  ...(server === '' ? {} : { servers: [{ url: server }] }),
  paths: { '/things': { get: { operationId: name, responses: {} } } },
});
const fileOf = (display: string, document: unknown): DocumentPlace => {
  const text = JSON.stringify(document);
  return { from: 'file', text, hash: text, display };
};
const keyed = (key: string): ServiceConfig => ({ auth: { header: { 'X-Key': new Secret(key) } } });

function sourceOf(place: DocumentPlace, config: ServiceConfig, before?: ServiceSource, origin: 'file' | 'store' = 'file'): ServiceSource {
  const documentKey = JSON.stringify([origin, place]);
  const facts: ServiceFacts = { name: 'things', origin, config, place, limits: {}, documentKey, key: '' };
  return new ServiceSource(facts, host, before);
}

/** Calls the first tool over the network, as the pipeline does. */
async function callFirst(source: ServiceSource): Promise<string> {
  const [tool] = source.snapshot.tools;
  const call = { input: { arguments: {} } } as unknown as Call<'tools'>;
  const prepared = (await source.prepare(call, tool!.definition.name, () => undefined)) as PreparedCall;
  let { request } = prepared;
  for (const signer of prepared.signers) request = await signer.sign(request, { refresh: false } as never);
  await http.send(request);
  return tool!.definition.name;
}
const keysAt = ({ requests }: EchoServer): unknown[] => requests.map(({ headers }) => headers['x-key']);

it('gives the credential of a new document to nobody before that document is read, nor when it is bad', async () => {
  const [old, next] = [await serve(), await serve()];
  const a = sourceOf(fileOf('a.json', documentOf('ofA', old.url)), keyed('key-a'));
  await a.load();
  const bad = sourceOf(fileOf('b.json', { nothing: true }), { ...keyed('key-b'), baseUrl: next.url }, a);
  expect(await callFirst(bad)).toBe('ofA');
  await bad.load();
  expect(bad.failure).toMatch(/^b\.json:/);
  expect(await callFirst(bad)).toBe('ofA');
  const stillBad = sourceOf(fileOf('b.json', { nothing: true }), keyed('key-c'), bad);
  await stillBad.load();
  expect(await callFirst(stillBad)).toBe('ofA');
  const good = sourceOf(fileOf('b.json', documentOf('ofB', next.url)), keyed('key-d'), stillBad);
  expect(await callFirst(good)).toBe('ofA');
  expect(keysAt(old)).toEqual(['key-a', 'key-a', 'key-a', 'key-a']);
  await good.load();
  expect(await callFirst(good)).toBe('ofB');
  expect([keysAt(old).length, keysAt(next)]).toEqual([4, ['key-d']]);
});

it('gives it not to a document of the store either that a PUT replaced, and trusts an old one as whoever named it', async () => {
  const old = await serve();
  const store = (hash: string, document: object): DocumentPlace => ({ from: 'store', hash, text: async () => JSON.stringify(document) });
  const file = sourceOf(fileOf('a.json', documentOf('ofA', old.url)), keyed('key-a'));
  await file.load();
  const moved = sourceOf(store('1', { nothing: true }), keyed('key-b'), file, 'store');
  await moved.load();
  expect(await callFirst(moved)).toBe('ofA');
  expect(keysAt(old)).toEqual(['key-a']);
  const first = sourceOf(store('2', documentOf('first')), { ...keyed('key-c'), baseUrl: old.url }, undefined);
  await first.load();
  expect(await callFirst(sourceOf(store('3', documentOf('second')), keyed('key-d'), first))).toBe('first');
  expect(keysAt(old)).toEqual(['key-a', 'key-c']);
});

it('uses a rotated credential at once where the document is the same, or another text in the same place', async () => {
  const server = await serve();
  const place = fileOf('a.json', documentOf('one', server.url));
  const first = sourceOf(place, keyed('key-1'));
  await first.load();
  const rotated = sourceOf(place, keyed('key-2'), first);
  await callFirst(rotated);
  await callFirst(sourceOf(fileOf('a.json', documentOf('two', server.url)), keyed('key-3'), rotated));
  expect(keysAt(server)).toEqual(['key-2', 'key-3']);
});

it('reads a document that its predecessor had not finished reading', async () => {
  const first = sourceOf(fileOf('a.json', documentOf('one', 'http://127.0.0.1:9')), {});
  await first.load();
  const place = fileOf('a.json', documentOf('two', 'http://127.0.0.1:9'));
  const unfinished = sourceOf(place, {}, first);
  const last = sourceOf(place, keyed('key'), unfinished);
  await last.load();
  expect(last.snapshot.tools.map(({ definition }) => definition.name)).toEqual(['two']);
});

it('serves the newest of two loads, whichever ends first, and both end with it', async () => {
  const held: (() => void)[] = [];
  const server = await serve(async (_, response) => {
    const number = held.length;
    await new Promise<void>((go) => held.push(go));
    sendJson(response, number === 2 ? 500 : 200, documentOf(`load${number}`, server.url));
  });
  const source = sourceOf({ from: 'url', url: `${server.url}/doc.json` }, {});
  const begin = async (load: () => Promise<void>, count: number): Promise<Promise<void>[]> => {
    const done = load();
    await expect.poll(() => held.length).toBe(count);
    return [done];
  };
  const names = (): string[] => source.snapshot.tools.map(({ definition }) => definition.name);
  const [first] = await begin(() => source.load(), 1);
  const [second] = await begin(() => source.refresh(), 2);
  held[1]!();
  await second;
  held[0]!();
  await first;
  expect(names()).toEqual(['load1']);
  const [failing] = await begin(() => source.refresh(), 3);
  const [good] = await begin(() => source.refresh(), 4);
  held[2]!();
  expect(await Promise.race([failing, sleep(100, 'waits')])).toBe('waits');
  held[3]!();
  await Promise.all([failing, good]);
  expect([names(), source.failure, logged]).toEqual([['load3'], undefined, []]);
});

it('serves a document and tells all listeners, also when one of them throws', async () => {
  const source = sourceOf(fileOf('a.json', documentOf('one', 'http://127.0.0.1:9')), {});
  let told = 0;
  source.subscribe(() => {
    throw new Error('no');
  });
  source.subscribe(() => void told++);
  await source.load();
  expect([source.snapshot.state, source.failure, told]).toEqual(['ready', undefined, 1]);
  expect(logged).toEqual(['a change of the tools could not be announced']);
});

const isServed = ({ message }: { readonly message?: unknown }): boolean => String(message).startsWith('document served');

it('says once that a document begins to be served, and again after a change or a failure', async () => {
  const one = documentOf('one', 'http://127.0.0.1:9');
  const first = sourceOf(fileOf('a.json', one), {});
  await first.load();
  await first.refresh();
  const served = { service: 'things', tools: 1, leftOut: 0, warnings: 0, message: 'document served' };
  expect(informed.filter(isServed)).toEqual([served]);
  const same = sourceOf(fileOf('a.json', { ...one, 'x-note': 'new' }), keyed('key'), first);
  await same.load();
  expect(informed.filter(isServed)).toEqual([served]);
  const { paths } = documentOf('two') as { paths: object };
  const changed = sourceOf(
    fileOf('a.json', { ...one, paths: { ...paths, '/more': { get: { operationId: 'more', responses: {} } } } }),
    {},
    same,
  );
  await changed.load();
  await changed.document.changes;
  const told = { added: 1, removed: 0, changed: 1, breaking: 1, message: 'document served: 1 added, 1 changed (1 breaking)' };
  const grown = { ...served, ...told, tools: 2 };
  expect(informed.filter(isServed)).toEqual([served, grown]);
  const bad = sourceOf(fileOf('a.json', { nothing: true }), {}, changed);
  await bad.load();
  await sourceOf(changed.facts.place!, {}, bad).load();
  expect(informed.filter(isServed)).toEqual([served, grown, { ...served, tools: 2 }]);
  expect(logged).toEqual([expect.stringContaining('document not served')]);
});

it('applies overlays, keeps the last good tools when one is bad, and says where', async () => {
  const place = fileOf('specs/a.json', documentOf('one'));
  const overlaid = (key: string, text: string, error?: Problem): ServiceFacts => ({
    name: 'things',
    origin: 'file',
    config: {},
    place,
    overlays: [{ display: 'specs/a.overlay.yaml', text, hash: key, ...(error && { error }) }],
    limits: {},
    documentKey: key,
    key,
  });
  const overlay =
    'overlay: 1.0.0\ninfo: { title: T, version: "1" }\nactions:\n  - target: $.paths.*.get\n    update: { summary: Said better. }\n';
  const good = new ServiceSource(overlaid('1', overlay), host);
  await good.load();
  expect(good.snapshot.tools[0]?.definition.description).toBe('Said better.');
  const bad = new ServiceSource(overlaid('2', overlay.replace('$.paths.*.get', 'paths[')), host, good);
  await bad.load();
  expect(bad.failure).toMatch(/^specs\/a\.overlay\.yaml:4: "paths\[" is not a JSONPath/);
  expect(bad.snapshot.tools[0]?.definition.description).toBe('Said better.');
  expect(await serviceReport('specs/a.json', bad.document)).toMatchObject({
    ok: false,
    error: { code: 'invalid_overlay', file: 'specs/a.overlay.yaml', line: 4, pointer: '/actions/0/target' },
  });
  const missing = {
    code: 'overlay-missing',
    message: 'There is no file.',
    severity: 'error',
    file: 'specs/a.overlay.yaml',
    line: 1,
  } as const;
  const gone = new ServiceSource(overlaid('3', '', missing), host, bad);
  await gone.load();
  expect(gone.failure).toBe('specs/a.overlay.yaml:1: There is no file.');
});

it('tells what a new document changed, in the report and in one line of the log', async () => {
  const first = sourceOf(fileOf('a.json', documentOf('one')), {});
  await first.load();
  expect(await serviceReport('a.json', first.document)).not.toHaveProperty('changes');
  const next = { ...documentOf('one'), paths: { '/others': { get: { operationId: 'other', responses: {} } } } };
  const second = sourceOf(fileOf('a.json', next), {}, first);
  await second.load();
  const { changes, operations } = await serviceReport('a.json', second.document);
  expect(changes).toEqual({
    at: expect.stringMatching(/^\d{4}-/),
    added: [{ tool: 'other', method: 'GET', path: '/others' }],
    removed: [{ tool: 'one', method: 'GET', path: '/things' }],
    changed: [],
  });
  expect(operations).toEqual([{ tool: 'other', method: 'GET', path: '/others', risk: 'read', tokens: expect.any(Number), warnings: [] }]);
  const facts = { service: 'things', tools: 1, leftOut: 0, warnings: 0 };
  expect(informed).toEqual([
    { ...facts, message: 'document served' },
    { ...facts, added: 1, removed: 1, changed: 0, breaking: 1, message: 'document served: 1 added, 1 removed' },
  ]);
  // Other credentials for the same document, and a bad one after it, change nothing about that.
  const third = sourceOf(fileOf('a.json', next), keyed('k'), second);
  await third.load();
  const bad = sourceOf(fileOf('a.json', { nothing: true }), {}, third);
  await bad.load();
  expect((await serviceReport('a.json', bad.document)).changes).toEqual(changes);
});

it('serves a document with the files beside it', async () => {
  const root = { openapi: '3.1.0', info: { title: 'Things', version: '1' }, paths: { '/things': { $ref: 'parts/things.json' } } };
  const place = {
    ...fileOf('openapi-specs/things.json', root),
    related: relatedFiles({ 'parts/things.json': '{"get":{"operationId":"list"}}' }),
  };
  const source = sourceOf(place as DocumentPlace, {});
  await source.load();
  expect(source.failure).toBeUndefined();
  expect(source.snapshot.tools.map(({ definition }) => definition.name)).toEqual(['list']);
});

it('fetches a document alone, whatever it refers to', async () => {
  const server = await serve((_, response) => {
    const one = (reference: string) => ({ get: { responses: {}, parameters: [{ $ref: reference }] } });
    const paths = {
      '/a': one('other.json#/p'),
      '/b': one(`${server.url}/other.json#/p`),
      '/c': one('http://169.254.169.254/x'),
      '/d': { get: {} },
    };
    sendJson(response, 200, { openapi: '3.1.0', info: { title: 'T', version: '1' }, jsonSchemaDialect: `${server.url}/dialect`, paths });
  });
  const source = sourceOf({ from: 'url', url: `${server.url}/openapi.json` }, {});
  await source.load();
  expect(source.snapshot.tools).toHaveLength(1);
  expect(source.document.compiled?.leftOut.map(({ path, code }) => [path, code])).toEqual([
    ['/a', 'external_reference'],
    ['/b', 'external_reference'],
    ['/c', 'external_reference'],
  ]);
  expect(server.requests.map(({ path }) => path)).toEqual(['/openapi.json']);
});

function relatedFiles(files: Readonly<Record<string, string>>): RelatedFiles {
  return { files: new Map(Object.entries(files)), unread: new Map(), looked: new Map(), hash: '' };
}

it('says of a file without others beside it where a reference leads', async () => {
  const outside = {
    openapi: '3.1.0',
    info: { title: 'T', version: '1' },
    paths: { '/a': { get: { parameters: [{ $ref: '../b.json' }] } } },
  };
  const source = sourceOf(fileOf('openapi-specs/a.json', outside), {});
  await source.load();
  const { leftOut } = await serviceReport('a.json', source.document);
  expect(leftOut).toEqual([expect.objectContaining({ message: expect.stringContaining("leads out of the document's folder") })]);
});

it('says where a document that is not served breaks off, to the column', async () => {
  const text = '{\n  "openapi": "3.0.0",\n  "info": {"title" "x"}\n}';
  const source = sourceOf({ from: 'file', text, hash: text, display: 'a.json' }, {});
  await source.load();
  expect(source.document.error).toMatchObject({ code: 'invalid_json', line: 3, column: 20 });
});
