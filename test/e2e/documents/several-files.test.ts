import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { askAdmin } from '../../support/ask-admin.ts';
import { type EchoServer, startEchoServer } from '../../support/echo-server.ts';
import { openLegacySession, postModern } from '../../support/mcp-clients.ts';
import { type McpStream, openListen, openSessionStream } from '../../support/mcp-streams.ts';
import { type Hub, startHub } from '../../support/start-hub.ts';
import { runCli } from '../../unit/cli/run-cli.ts';

const CHANGED = 'notifications/tools/list_changed';
const document = (server: string): string => `openapi: 3.1.0
info: { title: Shop, version: '1' }
servers: [{ url: '${server}' }]
paths:
  /orders/{id}: { $ref: parts/orders.yaml }
`;
const ORDERS = `parameters: [{ $ref: '../common/parameters.json#/Id' }]
get:
  operationId: getOrder
  responses: { '200': { description: An order, content: { application/json: { schema: { $ref: ./schemas.yaml#/Order } } } } }
put:
  operationId: putOrder
  requestBody: { required: true, content: { application/json: { schema: { $ref: ./schemas.yaml#/Order } } } }
  responses: { '204': { description: Put } }
`;
const PARAMETERS = '{"Id":{"name":"id","in":"path","required":true,"schema":{"type":"integer"}}}';
const schemas = (field: string): string =>
  `Order: { type: object, properties: { ${field}: { type: string }, parent: { $ref: '#/Order' } } }\n`;

let echo: EchoServer;
let hub: Hub;
let streams: McpStream[] = [];
beforeAll(async () => {
  echo = await startEchoServer();
  hub = await startHub({
    files: {
      'hubgate.yaml': '{}',
      'openapi-specs/shop.yaml': document(echo.url),
      'openapi-specs/parts/orders.yaml': ORDERS,
      'openapi-specs/parts/schemas.yaml': schemas('note'),
      'openapi-specs/common/parameters.json': PARAMETERS,
    },
  });
  const url = `${hub.url}/mcp/shop`;
  streams = [await openSessionStream(url, await openLegacySession(url)), await openListen(url)];
});
afterAll(async () => {
  for (const stream of streams) stream.close();
  await hub?.stop();
  await echo?.stop();
});

async function toolsOf(service: string): Promise<readonly { readonly name: string }[]> {
  const { result } = await postModern(`${hub.url}/mcp/${service}`, 'tools/list');
  return result?.['tools'] as readonly { readonly name: string }[];
}
const namesOf = async (service: string): Promise<string[]> => (await toolsOf(service)).map(({ name }) => name);
const putOf = async (service: string): Promise<string> => JSON.stringify((await toolsOf(service)).find(({ name }) => name === 'putOrder'));
async function heard(act: () => Promise<unknown>): Promise<void> {
  const from = streams.map((stream) => stream.heard.length);
  await act();
  await Promise.all(streams.map((stream, index) => stream.next(CHANGED, from[index] ?? 0)));
}
interface Source {
  readonly name: string;
  readonly state: string;
  readonly tools: number;
}
const sources = async (): Promise<readonly Source[]> => (await askAdmin(hub, 'GET', '/status')).body.sources as readonly Source[];

it('a document in several files is one service, and its calls go out', async () => {
  expect((await sources()).map(({ name, state, tools }) => [name, state, tools])).toEqual([['shop', 'ready', 2]]);
  expect(await namesOf('shop')).toEqual(['getOrder', 'putOrder']);
  expect(await putOf('shop')).toContain('"note":');
  const { result } = await postModern(`${hub.url}/mcp/shop`, 'tools/call', {
    name: 'putOrder',
    arguments: { id: 7, body: { note: 'x', parent: { note: 'y' } } },
  });
  expect(result?.['isError']).not.toBe(true);
  const request = echo.requests.at(-1);
  expect([request?.method, request?.path, request?.body.toString()]).toEqual(['PUT', '/orders/7', '{"note":"x","parent":{"note":"y"}}']);
});

it('an edit of any of its files changes the tools, and clients of both revisions hear of it', async () => {
  await heard(() => hub.write('openapi-specs/parts/orders.yaml', `${ORDERS}delete: { operationId: dropOrder, responses: {} }\n`));
  expect(await namesOf('shop')).toEqual(['getOrder', 'putOrder', 'dropOrder']);
  await heard(() => hub.write('openapi-specs/parts/schemas.yaml', schemas('remark')));
  expect(await putOf('shop')).toContain('"remark":');
});

it('a part that goes costs what refers to it, with the reason, and comes back', async () => {
  await heard(() => rm(join(hub.dir, 'openapi-specs/common/parameters.json')));
  expect(await namesOf('shop')).toEqual([]);
  const { leftOut } = (await askAdmin(hub, 'GET', '/services/shop/report')).body;
  expect(leftOut).toHaveLength(3);
  expect(leftOut[0]).toMatchObject({
    path: '/orders/{id}',
    code: 'external_reference',
    pointer: expect.stringContaining('/paths/~1orders~1{id}'),
  });
  expect(leftOut[0].message).toMatch(/"\.\.\/common\/parameters\.json#\/Id" leads to a file that is not read: there is no such file\./);
  await heard(() => hub.write('openapi-specs/common/parameters.json', PARAMETERS));
  expect(await namesOf('shop')).toEqual(['getOrder', 'putOrder', 'dropOrder']);
});

it('a part that is broken says so with file and line', async () => {
  await heard(() => hub.write('openapi-specs/parts/schemas.yaml', 'Order:\n  type: "object\n'));
  const { leftOut, warnings } = (await askAdmin(hub, 'GET', '/services/shop/report')).body;
  expect(JSON.stringify([leftOut, warnings])).toContain('parts/schemas.yaml\\", which cannot be read (line 3)');
  await heard(() => hub.write('openapi-specs/parts/schemas.yaml', schemas('note')));
});

it('hubgate import reads all of its files, dry or to one archive that is served as it is', async () => {
  const dry = await runCli(hub.dir, ['import', '--dry-run', '--json', 'openapi-specs/shop.yaml']);
  const report = JSON.parse(dry.stdout) as { ok: boolean; tools: { name: string }[]; leftOut: unknown[]; warnings: unknown[] };
  expect(report).toMatchObject({
    ok: true,
    tools: [{ name: 'getOrder' }, { name: 'putOrder' }, { name: 'dropOrder' }],
    leftOut: [],
    warnings: [],
  });
  const { code, stdout } = await runCli(hub.dir, ['import', 'openapi-specs/shop.yaml', '--name', 'packed']);
  expect([code, stdout]).toEqual([0, expect.stringContaining('openapi-specs/packed.zip, served at /mcp/packed')]);
  await vi.waitFor(async () => expect((await sources()).map(({ name }) => name)).toContain('packed'), 5000);
  expect(await toolsOf('packed')).toEqual(await inService('shop', 'packed'));
});

it('an archive comes in by the admin API; one with a name that leads out of it does not', async () => {
  const archive = Buffer.from(zipped('api/')).toString('base64');
  for (const [name, upload] of [
    ['bare', archive],
    ['typed', `data:application/zip;base64,${archive}`],
  ] as const) {
    expect(await askAdmin(hub, 'PUT', `/services/${name}`, { document: upload, baseUrl: echo.url })).toMatchObject({
      status: 201,
      body: { state: { ok: true } },
    });
    expect(await namesOf(name)).toEqual(['getOrder', 'putOrder']);
  }
  const hostile = Buffer.from(zipSync({ 'openapi.yaml': strToU8(document(echo.url)), '../../evil.yaml': strToU8('a: 1') })).toString(
    'base64',
  );
  const refused = await askAdmin(hub, 'PUT', '/services/evil', { document: hostile });
  expect(refused).toMatchObject({
    status: 400,
    body: { errors: [{ path: '/document', message: expect.stringContaining('leads out of it') }] },
  });
});

it('an archive is fetched by URL, for a service of hubgate.yaml', async () => {
  const web = await startEchoServer((_, response) => void response.end(zipped('')));
  try {
    await hub.write('hubgate.yaml', `services: { fetched: { url: '${web.url}/shop.zip' } }`);
    await vi.waitFor(async () => expect(await namesOf('fetched')).toEqual(['getOrder', 'putOrder']), 5000);
  } finally {
    await web.stop();
  }
});

function zipped(folder: string): Uint8Array {
  const files = {
    'openapi.yaml': document(echo.url),
    'parts/orders.yaml': ORDERS,
    'parts/schemas.yaml': schemas('note'),
    'common/parameters.json': PARAMETERS,
  };
  return zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [folder + name, strToU8(text)])));
}

/** The tools of one service as another with the same document would have them. */
async function inService(service: string, other: string): Promise<unknown> {
  return JSON.parse(JSON.stringify(await toolsOf(service)).replaceAll(`"service":"${service}"`, `"service":"${other}"`));
}
