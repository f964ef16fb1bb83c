import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { UpstreamRequest, UpstreamResponse } from '../../../src/core/upstream.ts';
import { createPetstore } from '../../../src/demo/petstore.ts';

interface Answer {
  readonly content?: Record<string, { readonly schema?: object }>;
  readonly $ref?: string;
}
interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly responses: Record<string, Answer>;
}
interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly responses: Record<string, Answer> };
}

const document = parse(await readFile(new URL('../../../openapi-specs/petstore.yaml', import.meta.url), 'utf8')) as Document;
const ajv = new Ajv2020({ strict: false });
(addFormats as unknown as (ajv: Ajv2020) => void)(ajv);
ajv.addSchema(document, 'petstore');

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  METHODS.filter((method) => method in item).map((method) => ({
    path,
    method: method.toUpperCase(),
    operation: item[method] as Operation,
  })),
);

let petstore: (request: UpstreamRequest) => Promise<UpstreamResponse>;
const walked = new Set<string>();
beforeEach(() => {
  petstore = createPetstore();
});

/** Calls an operation and holds the answer to what the document says about it. */
async function call(
  operationId: string,
  args: { path?: Record<string, unknown>; query?: string; body?: unknown } = {},
): Promise<{ status: number; body: unknown }> {
  const found = operations.find(({ operation }) => operation.operationId === operationId);
  if (found === undefined) throw new Error(`no operation ${operationId}`);
  const path = found.path.replace(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(String(args.path?.[name])));
  const answer = await petstore({
    method: found.method,
    origin: 'demo:petstore',
    path: args.query === undefined ? path : `${path}?${args.query}`,
    headers: {},
    trust: 'operator',
    ...(args.body !== undefined && { body: typeof args.body === 'string' ? args.body : JSON.stringify(args.body) }),
  });
  walked.add(`${operationId} ${answer.status}`);
  let described = found.operation.responses[String(answer.status)];
  expect(described, `${operationId} ${answer.status} is not in the document`).toBeDefined();
  let at = `petstore#/paths/${escape(found.path)}/${found.method.toLowerCase()}/responses/${answer.status}`;
  if (described?.$ref !== undefined) {
    at = `petstore${described.$ref}`;
    described = document.components.responses[described.$ref.split('/').at(-1) as string];
  }
  const type = String(answer.headers['content-type'] ?? '');
  expect(Object.keys(described?.content ?? {})).toEqual(type === '' ? [] : [type]);
  if (!type.endsWith('json')) return { status: answer.status, body: answer.body };
  const body: unknown = JSON.parse(answer.body.toString());
  const valid = ajv.validate({ $ref: `${at}/content/${escape(type)}/schema` }, body);
  expect(ajv.errorsText(), operationId).toBe('No errors');
  expect(valid).toBe(true);
  return { status: answer.status, body };
}

/** A JSON pointer segment inside a URI fragment. */
function escape(segment: string): string {
  return encodeURIComponent(segment.replaceAll('~', '~0').replaceAll('/', '~1'));
}

describe('the petstore', () => {
  it('lists and narrows', async () => {
    const all = (await call('listPets')).body as { id: number; status: string }[];
    expect(all.map((pet) => pet.id)).toEqual([1, 2, 3, 4, 5]);
    const available = (await call('listPets', { query: 'status=available&limit=2' })).body as { status: string }[];
    expect(available.map((pet) => pet.status)).toEqual(['available', 'available']);
    for (const query of ['status=lost', 'limit=0', 'limit=101', 'limit=x', 'limit='])
      expect((await call('listPets', { query })).status).toBe(400);
  });

  it('finds by any of the tags', async () => {
    const found = (await call('findPetsByTag', { query: 'tags=loud&tags=old' })).body as { name: string }[];
    expect(found.map((pet) => pet.name)).toEqual(['Coco', 'Shelly']);
    expect((await call('findPetsByTag', { query: 'tags=none' })).body).toEqual([]);
    expect((await call('findPetsByTag')).status).toBe(400);
  });

  it('keeps what is added, changed and removed', async () => {
    const added = await call('addPet', { body: { name: 'Otto', tags: ['new'] } });
    expect(added).toEqual({ status: 201, body: { id: 6, name: 'Otto', species: 'unknown', tags: ['new'], status: 'available' } });
    expect((await call('updatePet', { path: { petId: 6 }, body: { status: 'sold' } })).body).toMatchObject({
      name: 'Otto',
      status: 'sold',
    });
    expect((await call('getPetById', { path: { petId: 6 } })).body).toMatchObject({ status: 'sold' });
    expect((await call('deletePet', { path: { petId: 6 } })).status).toBe(204);
    for (const operation of ['getPetById', 'deletePet', 'getPetPhoto'])
      expect((await call(operation, { path: { petId: 6 } })).status).toBe(404);
    expect((await call('updatePet', { path: { petId: 6 }, body: { name: 'x' } })).status).toBe(404);
    expect((await call('addPet', { body: { name: 'Next' } })).body).toMatchObject({ id: 7 });
  });

  it.each([
    {},
    { name: '' },
    { name: 7 },
    { name: 'x', tags: 'a' },
    { name: 'x', tags: [1] },
    { name: 'x', status: 'lost' },
    { name: 'x', status: null },
    { name: 'x', age: 3 },
    'no json',
    '[]',
  ])('does not take in %j', async (body) => {
    expect((await call('addPet', { body })).status).toBe(400);
    expect((await call('listPets')).body).toHaveLength(5);
  });

  it('knows ids from other words', async () => {
    for (const operation of ['getPetById', 'deletePet', 'getPetPhoto'])
      expect((await call(operation, { path: { petId: 'rex' } })).status).toBe(400);
    expect((await call('updatePet', { path: { petId: 1 }, body: {} })).status).toBe(400);
    expect((await call('getOrderById', { path: { orderId: 'x' } })).status).toBe(400);
  });

  it('shows a picture', async () => {
    const { body } = await call('getPetPhoto', { path: { petId: 1 } });
    expect((body as Buffer).subarray(1, 4).toString()).toBe('PNG');
  });

  it('takes an order once, and counts', async () => {
    expect((await call('getInventory')).body).toEqual({ available: 3, pending: 1, sold: 1 });
    expect((await call('placeOrder', { body: { petId: 1, note: 'soon' } })).body).toMatchObject({ id: 1, petId: 1, note: 'soon' });
    expect((await call('getOrderById', { path: { orderId: 1 } })).status).toBe(200);
    expect((await call('getInventory')).body).toEqual({ available: 2, pending: 2, sold: 1 });
    expect((await call('placeOrder', { body: { petId: 1 } })).status).toBe(409);
    expect((await call('placeOrder', { body: { petId: 99 } })).status).toBe(404);
    expect((await call('getOrderById', { path: { orderId: 2 } })).status).toBe(404);
    for (const body of [{}, { petId: '1' }, { petId: 2, express: true }]) expect((await call('placeOrder', { body })).status).toBe(400);
  });

  it('is full at some point', async () => {
    const add: UpstreamRequest = {
      method: 'POST',
      origin: 'demo:petstore',
      path: '/pets',
      headers: {},
      trust: 'operator',
      body: '{"name":"x"}',
    };
    for (let i = 0; i < 995; i++) expect((await petstore(add)).status).toBe(201);
    expect((await call('addPet', { body: { name: 'x' } })).status).toBe(409);
  });

  it('answers as described at every operation with every status', () => {
    const described = operations.flatMap(({ operation }) =>
      Object.keys(operation.responses).map((status) => `${operation.operationId} ${status}`),
    );
    expect([...walked].sort()).toEqual(described.sort());
  });

  it('explains every operation', () => {
    for (const { operation } of operations) {
      expect(operation.summary).toBeTruthy();
      expect(operation.description).toBeTruthy();
      expect(operation.tags).toHaveLength(1);
    }
  });

  it('answers elsewhere with a problem', async () => {
    const elsewhere = await petstore({ method: 'GET', origin: 'demo:petstore', path: '/nothing', headers: {}, trust: 'operator' });
    const method = await petstore({ method: 'PUT', origin: 'demo:petstore', path: '/pets', headers: {}, trust: 'operator' });
    expect([elsewhere.status, method.status]).toEqual([404, 405]);
    expect(JSON.parse(method.body.toString())).toMatchObject({ detail: '/pets takes GET, POST.' });
  });
});
