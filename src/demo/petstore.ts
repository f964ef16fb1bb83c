import type { UpstreamRequest, UpstreamResponse } from '../core/upstream.ts';

interface Pet {
  readonly id: number;
  readonly name: string;
  readonly species: string;
  readonly tags: readonly string[];
  readonly status: Status;
}

interface Order {
  readonly id: number;
  readonly petId: number;
  readonly note?: string;
  readonly placedAt: string;
}

const STATUSES = ['available', 'pending', 'sold'] as const;
type Status = (typeof STATUSES)[number];

/** What one operation is given. */
interface Question {
  readonly id: number;
  readonly query: URLSearchParams;
  readonly body: () => Readonly<Record<string, unknown>>;
}

interface Operation {
  readonly method: string;
  readonly path: RegExp;
  answer(question: Question): UpstreamResponse;
}

/** An error answer on its way out. */
class Problem extends Error {
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

const TITLES = new Map([
  [400, 'Bad Request'],
  [404, 'Not Found'],
  [405, 'Method Not Allowed'],
  [409, 'Conflict'],
]);
const MOST = 1_000;
/** A face with two ears: 8 by 8 pixels. */
const PHOTO = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAIAQAAAADsdIMmAAAAF0lEQVR42mO4zTCToZFBhYGBQQJIHwYAHjcDdotAMOEAAAAASUVORK5CYII=',
  'base64',
);

const FIRST_PETS: readonly Omit<Pet, 'id'>[] = [
  { name: 'Rex', species: 'dog', tags: ['friendly', 'large'], status: 'available' },
  { name: 'Mia', species: 'cat', tags: ['calm', 'indoor'], status: 'available' },
  { name: 'Coco', species: 'parrot', tags: ['loud', 'friendly'], status: 'pending' },
  { name: 'Bubbles', species: 'goldfish', tags: ['calm'], status: 'available' },
  { name: 'Shelly', species: 'tortoise', tags: ['calm', 'old'], status: 'sold' },
];

/** A shop of its own, described by `openapi-specs/petstore.yaml`. */
export function createPetstore(): (request: UpstreamRequest) => Promise<UpstreamResponse> {
  const pets = new Map(FIRST_PETS.map((pet, index) => [index + 1, { id: index + 1, ...pet }]));
  const operations = [...petReads(pets), ...petWrites(pets), ...storeOperations(pets)];
  return async (request) => {
    try {
      return answer(operations, request);
    } catch (thrown) {
      if (!(thrown instanceof Problem)) throw thrown;
      const problem = { title: TITLES.get(thrown.status), status: thrown.status, detail: thrown.message };
      return json(thrown.status, problem, { 'content-type': 'application/problem+json' });
    }
  };
}

/** The service behind `demo:petstore`. */
export const petstore = createPetstore();

function petReads(pets: ReadonlyMap<number, Pet>): Operation[] {
  return [
    {
      method: 'GET',
      path: /^\/pets$/,
      answer({ query }) {
        const status = query.has('status') ? statusOf(query.get('status')) : undefined;
        const limit = within(query.get('limit'), 1, 100) ?? 20;
        const found = [...pets.values()].filter((pet) => status === undefined || pet.status === status);
        return json(200, found.slice(0, limit));
      },
    },
    {
      method: 'GET',
      path: /^\/pets\/findByTag$/,
      answer({ query }) {
        const tags = query.getAll('tags');
        if (tags.length === 0) throw new Problem(400, 'tags is missing: give at least one tag.');
        return json(
          200,
          [...pets.values()].filter((pet) => tags.some((tag) => pet.tags.includes(tag))),
        );
      },
    },
    { method: 'GET', path: /^\/pets\/([^/]+)$/, answer: ({ id }) => json(200, known(pets, id)) },
    {
      method: 'GET',
      path: /^\/pets\/([^/]+)\/photo$/,
      answer: ({ id }) => (
        known(pets, id),
        { status: 200, headers: { 'content-type': 'image/png', 'content-length': String(PHOTO.length) }, body: PHOTO }
      ),
    },
  ];
}

function petWrites(pets: Map<number, Pet>): Operation[] {
  let lastId = pets.size;
  return [
    {
      method: 'POST',
      path: /^\/pets$/,
      answer({ body }) {
        const fields = readPet(body());
        if (fields.name === undefined) throw new Problem(400, 'name is missing: say what the pet is called.');
        if (pets.size >= MOST) throw new Problem(409, 'The shop is full. Remove a pet first.');
        lastId += 1;
        const made: Pet = { id: lastId, species: 'unknown', tags: [], status: 'available', ...fields, name: fields.name };
        pets.set(lastId, made);
        return json(201, made, { location: `/pets/${lastId}` });
      },
    },
    {
      method: 'PATCH',
      path: /^\/pets\/([^/]+)$/,
      answer({ id, body }) {
        const changed: Pet = { ...known(pets, id), ...readPet(body()) };
        pets.set(id, changed);
        return json(200, changed);
      },
    },
    {
      method: 'DELETE',
      path: /^\/pets\/([^/]+)$/,
      answer: ({ id }) => (pets.delete(known(pets, id).id), { status: 204, headers: {}, body: Buffer.alloc(0) }),
    },
  ];
}

function storeOperations(pets: Map<number, Pet>): Operation[] {
  const orders = new Map<number, Order>();
  return [
    {
      method: 'GET',
      path: /^\/store\/inventory$/,
      answer: () =>
        json(200, Object.fromEntries(STATUSES.map((status) => [status, [...pets.values()].filter((pet) => pet.status === status).length]))),
    },
    {
      method: 'POST',
      path: /^\/store\/orders$/,
      answer({ body }) {
        const { petId, note, ...rest } = body();
        refuseUnknown(rest);
        if (!Number.isInteger(petId)) throw new Problem(400, 'petId must be an integer.');
        if (note !== undefined) checkText('note', note, 0, 500);
        const pet = known(pets, petId as number);
        if (pet.status !== 'available') throw new Problem(409, `Pet ${pet.id} is ${pet.status}. Order one that is available.`);
        if (orders.size >= MOST) throw new Problem(409, 'The shop takes no more orders.');
        pets.set(pet.id, { ...pet, status: 'pending' });
        const order: Order = {
          id: orders.size + 1,
          petId: pet.id,
          ...(note !== undefined && { note: note as string }),
          placedAt: new Date().toISOString(),
        };
        orders.set(order.id, order);
        return json(201, order, { location: `/store/orders/${order.id}` });
      },
    },
    { method: 'GET', path: /^\/store\/orders\/([^/]+)$/, answer: ({ id }) => json(200, orders.get(id) ?? missing('order', id)) },
  ];
}

function answer(operations: readonly Operation[], request: UpstreamRequest): UpstreamResponse {
  const { pathname, searchParams } = new URL(request.path, 'http://petstore');
  const here = operations.filter((operation) => operation.path.test(pathname));
  if (here.length === 0) throw new Problem(404, `There is nothing at ${pathname}.`);
  const operation = here.find(({ method }) => method === request.method);
  if (operation === undefined) throw new Problem(405, `${pathname} takes ${[...new Set(here.map(({ method }) => method))].join(', ')}.`);
  const segment = operation.path.exec(pathname)?.[1];
  const id = segment === undefined ? 0 : Number(segment);
  if (!Number.isInteger(id)) throw new Problem(400, 'The id in the path must be an integer.');
  return operation.answer({ id, query: searchParams, body: () => readBody(request.body) });
}

function readBody(body: UpstreamRequest['body']): Readonly<Record<string, unknown>> {
  try {
    const text = typeof body === 'string' ? body : new TextDecoder().decode(body as Uint8Array | undefined);
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  } catch {
    // Said below.
  }
  throw new Problem(400, 'The body must be a JSON object.');
}

function readPet(body: Readonly<Record<string, unknown>>): Partial<Omit<Pet, 'id'>> {
  const { name, species, tags, status, ...rest } = body;
  refuseUnknown(rest);
  if (Object.keys(body).length === 0) throw new Problem(400, 'Give at least one of name, species, tags, status.');
  if (name !== undefined) checkText('name', name, 1, 100);
  if (species !== undefined) checkText('species', species, 0, 100);
  if (status !== undefined) statusOf(status);
  if (tags !== undefined) {
    if (!Array.isArray(tags) || tags.length > 20) throw new Problem(400, 'tags must be a list of at most 20 words.');
    for (const tag of tags) checkText('a tag', tag, 0, 100);
  }
  return body as Partial<Omit<Pet, 'id'>>;
}

function refuseUnknown(rest: object): void {
  const [name] = Object.keys(rest);
  if (name !== undefined) throw new Problem(400, `There is no field "${name}".`);
}

function checkText(name: string, value: unknown, least: number, most: number): void {
  if (typeof value !== 'string' || value.length < least || value.length > most) {
    throw new Problem(400, `${name} must be a text of ${least} to ${most} characters.`);
  }
}

function statusOf(value: unknown): Status {
  if (!STATUSES.includes(value as Status)) throw new Problem(400, `status must be one of ${STATUSES.join(', ')}.`);
  return value as Status;
}

function within(value: string | null, least: number, most: number): number | undefined {
  if (value === null) return undefined;
  const number = value === '' ? NaN : Number(value);
  if (!Number.isInteger(number) || number < least || number > most)
    throw new Problem(400, `limit must be an integer from ${least} to ${most}.`);
  return number;
}

function known(pets: ReadonlyMap<number, Pet>, id: number): Pet {
  return pets.get(id) ?? missing('pet', id);
}

function missing(kind: string, id: number): never {
  throw new Problem(404, `There is no ${kind} ${id}.`);
}

function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): UpstreamResponse {
  const body = Buffer.from(JSON.stringify(value));
  return { status, headers: { 'content-type': 'application/json', 'content-length': String(body.length), ...headers }, body };
}
