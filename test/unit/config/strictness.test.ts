import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Root } from '../../../src/config/schema/root.ts';
import { VirtualServer } from '../../../src/config/schema/tools.ts';
import { faultsOf, validateEntry } from '../../../src/config/validate.ts';
import { below } from '../../../src/config/reading/yaml-file.ts';
import { rewrite, schemaOf, start } from '../../../src/config/reading/rewrite.ts';
import type { ConfigSchema } from '../../../src/config/reading/rewrite.ts';
import { load, PETSTORE } from './folder.ts';

const HASH = 'c'.repeat(64);
const PATTERN = {
  tool: 'a',
  risk: 'read',
  tag: 'b',
  annotation: { readOnlyHint: true },
  resource: 'r',
  prompt: 'p',
  method: 'GET',
  path: '/x',
  skill: 's',
  operation: 'message/*',
  when: 'true',
};
const ACCESS = [{ groups: ['g'], consumers: ['c'], allow: ['*', PATTERN], deny: [PATTERN], when: 'true' }];
const POLICIES = [
  {
    'access-log': {},
    description: 'd',
    lanes: ['tools'],
    match: { consumer: 'c', group: 'g', route: 'r' },
    when: 'true',
    onFailure: 'skip',
    timeout: '1s',
  },
];
const ICONS = [{ src: 'data:,', mimeType: 'image/png', sizes: ['48x48'], theme: 'dark' }];
const SEARCH = { mode: 'auto', top: 3, pinned: ['a'], model: 'm' };
const OAUTH = { clientId: 'i', clientSecret: 's', tokenUrl: 'https://x.example/t', scopes: ['s'] };
const COMMON = { access: ACCESS, policies: POLICIES, enabled: true, description: 'd', icons: ICONS };
const TOOL = { title: 't', description: 'd', risk: 'write', enabled: false, icons: ICONS, annotations: { x: 1 } };

const BREAKER = { failures: 5, rate: 0.5, minimum: 20, window: '10s', open: '10s' };
const CALLS = { price: 0.01, retries: 1, breaker: BREAKER };
const ROUTE = {
  name: 'm',
  aliases: ['n'],
  description: 'd',
  match: { model: 'm*', header: { a: 'b' }, consumer: 'c', group: 'g', intent: 'i' },
  when: 'true',
  targets: [{ provider: 'p', model: 'm', weight: 1 }],
  balance: 'latency',
  sticky: false,
  fallback: [{ provider: 'p', model: 'm', weight: 1 }],
  fallbackOn: ['content_refused'],
  retries: 1,
  timeouts: { firstToken: '1s', total: '1s' },
  policies: POLICIES,
  enabled: true,
};

const TIMEOUTS = { connect: '1s', firstByte: '1s', idle: '1s', total: '1s' };
const HEALTH = { path: '/health', interval: '10s', timeout: '1s', unhealthyAfter: 2, healthyAfter: 1 };
const REQUEST = { method: 'POST', path: '/x', query: { a: 'b' }, headers: { A: 'b' }, body: { any: 1 } };
const ANSWER = {
  text: 'a',
  data: 'a',
  files: 'a',
  note: 'a',
  error: 'a',
  conversation: 'a',
  job: 'a',
  state: 'a',
  states: {
    completed: ['a'],
    failed: ['a'],
    rejected: ['a'],
    canceled: ['a'],
    input: ['a'],
    working: ['a'],
    message: ['a'],
  },
};
const STREAM = {
  format: 'sse',
  type: 'a',
  text: 'a',
  texts: ['a'],
  replace: ['a'],
  note: 'a',
  data: 'a',
  conversation: 'a',
  job: 'a',
  end: ['a'],
  finish: 'a',
  errors: ['a'],
  error: 'a',
};
const EXCHANGE = {
  request: REQUEST,
  response: ANSWER,
  stream: STREAM,
  poll: { request: REQUEST, interval: '1s', timeout: '1s', response: ANSWER },
  cancel: REQUEST,
  answer: 'task',
};
const REST = {
  spec: 'a.yaml',
  url: 'https://x.example',
  preset: 'dify',
  model: 'm',
  instructions: 'i',
  app: 's',
  streaming: false,
  ...EXCHANGE,
  skills: [
    {
      id: 'a',
      name: 'n',
      description: 'd',
      tags: ['t'],
      examples: ['e'],
      ...EXCHANGE,
    },
  ],
  inputModes: ['text/plain'],
  outputModes: ['text/plain'],
  version: '1',
};

const AUTHS = Object.fromEntries(
  Object.entries({
    bearer: 's',
    basic: { username: 'u', password: 'p' },
    header: { a: 's' },
    query: { a: 's' },
    oauth2: OAUTH,
    schemes: { text: 's', login: { username: 'u', password: 'p' }, app: OAUTH },
  }).map(([way, value]) => [way, { auth: { [way]: value } }]),
);

/** Every key of the schema, with a value that is good. */
const FULL = {
  services: {
    a: {
      ...COMMON,
      spec: 'a.yaml',
      overlays: ['a.overlay.yaml'],
      baseUrl: 'demo:x',
      icon: 'data:,',
      outputSchemas: true,
      exposeOperation: false,
      timeout: '5s',
      ...CALLS,
      tools: { 'a*': { ...TOOL, price: 1 } },
    },
    b: { url: 'https://x.example/', document: {} },
    ...AUTHS,
  },
  servers: {
    a: { ...COMMON, ...CALLS, command: 'x', args: [''], env: { A: 'b' }, icon: 'data:,', sessions: 'optional' },
    b: { url: 'https://x.example/', headers: { A: 'b' }, source: 'wiki', options: { any: 1 }, auth: 'oauth' },
    c: { auth: { forward: 'user' } },
    ...AUTHS,
  },
  consumers: [
    {
      name: 'a',
      description: 'd',
      groups: ['g'],
      keys: [{ sha256: HASH, expires: '2027-01-31', label: 'l' }],
      limits: { requests: '1/s', tokens: '2k/min', concurrent: 2, streams: 1 },
      budget: { usd: '5/month', tokens: '1M/week', unpriced: 'refuse' },
    },
  ],
  policies: POLICIES,
  search: SEARCH,
  extensions: ['./x.ts'],
  publicUrl: 'https://hub.example',
  allowedHosts: ['hub.example:8700'],
  allowedOrigins: ['https://app.example'],
  egress: { allow: ['10.0.0.0/8', '[::1]:80', 'db.internal:5432', 'fd00::/8'] },
  documents: {
    fileSize: '1MB',
    urlSize: '1MB',
    urlTimeout: '1s',
    operations: 1,
    references: 1,
    depth: 1,
    aliases: 1,
    cpuTime: '1s',
    memory: '1GB',
  },
  metrics: { open: true },
  allowLiteralSecrets: true,
  providers: {
    p: {
      type: 'openai',
      apiKey: 's',
      keys: [{ key: 's', weight: 1, label: 'l' }],
      baseUrl: 'https://x.example',
      api: 'openai',
      apiVersion: '2024-10-21',
      region: 'r',
      project: 'p',
      accessKeyId: 'i',
      secretAccessKey: 's',
      sessionToken: 's',
      serviceAccount: 's',
      oauth2: OAUTH,
      options: { x: 1 },
      headers: { A: 'b' },
      timeouts: TIMEOUTS,
      breaker: BREAKER,
      health: HEALTH,
      description: 'd',
      enabled: true,
    },
  },
  models: [ROUTE],
  apis: { a: { description: 'd', access: { consumers: ['c'], groups: ['g'] }, models: [ROUTE], policies: POLICIES, enabled: true } },
  prices: [{ model: 'm*', provider: 'openai', input: 1, output: 2, cacheRead: 0.1, cacheWrite: 1.25 }],
  agents: {
    a: {
      ...COMMON,
      card: 'demo:echo',
      rest: REST,
      headers: { A: 'b' },
      bindings: ['JSONRPC', 'HTTP+JSON'],
      extensions: ['https://x.example/e'],
      signatures: { keys: [{ kty: 'OKP' }], jwks: 'https://x.example/jwks', require: true },
      publicCard: true,
      balance: 'latency',
      breaker: BREAKER,
      health: HEALTH,
      timeouts: TIMEOUTS,
      price: 0.01,
    },
    b: { auth: { forward: 'user' } },
    c: {
      targets: [...Object.values(AUTHS), { auth: { forward: 'user' } }].map((way) => ({
        card: 'https://x.example',
        weight: 1,
        when: 'true',
        ...way,
      })),
    },
    ...AUTHS,
  },
  embedding: { model: 'auto', folder: 'models', options: { any: 1 }, loadTimeout: '1s' },
  intents: { billing: { description: 'd', examples: ['e'], threshold: 0.5 } },
  intentRouting: { mode: 'shadow', model: 'm', timeout: '50ms', none: ['n'] },
  credentials: [{ jwt: { issuer: 'i', audience: 'a', jwks: 'https://x.example/jwks', consumer: 'sub' } }],
};
const SELECTOR = { tool: 'a', tag: 'b', method: 'GET', path: '/', risk: 'read' };
const FULL_SERVER = {
  profile: 'copilot-studio',
  title: 't',
  description: 'd',
  instructions: 'i',
  icons: ICONS,
  enabled: true,
  tools: [{ from: 'a', include: ['*', SELECTOR], exclude: [SELECTOR] }],
  resources: [{ from: 'a', include: ['*'], exclude: ['x'] }],
  prompts: [{ from: 'a', include: ['*'], exclude: ['x'] }],
  overrides: {
    'a.b': { ...TOOL, name: 'n', arguments: { x: { name: 'n', description: 'd', value: 1, default: 2, hide: true } }, select: ['a.b'] },
  },
  access: ACCESS,
  search: SEARCH,
  policies: POLICIES,
  sessions: 'required',
};

interface Place {
  readonly pointer: string;
  readonly value: Record<string, unknown>;
}

/** Every object of a value whose keys the schema fixes. */
function closed(schema: ConfigSchema, value: unknown, pointer = ''): Place[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => closed(schema.items ?? {}, item, below(pointer, index)));
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.entries(value).flatMap(([key, item]) => closed(schemaOf(schema, key) ?? {}, item, below(pointer, key)));
  return schema.additionalProperties === false ? [{ pointer, value: value as Record<string, unknown> }, ...inner] : inner;
}

/** Pointers of the schema's keys that a value has, with `-` for a place in a list and `*` for a name that the user chose. */
function used(schema: ConfigSchema, value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => used(schema.items ?? {}, item, `${path}/-`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const place = `${path}/${schema.properties && Object.hasOwn(schema.properties, key) ? key : '*'}`;
    return [place, ...used(schemaOf(schema, key) ?? {}, item, place)];
  });
}

/** The same for all keys of a schema. */
function keysOf(schema: ConfigSchema, path = ''): { place: string; described: boolean }[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    const place = `${path}/${key}`;
    return [{ place, described: Boolean(property.description) }, ...keysOf(property, place)];
  });
  const items = schema.items ? keysOf(schema.items, `${path}/-`) : [];
  const free = typeof schema.additionalProperties === 'object' ? keysOf(schema.additionalProperties, `${path}/*`) : [];
  return [...own, ...items, ...free];
}

describe.each([
  ['hubgate.yaml', Root as ConfigSchema, FULL],
  ['a virtual server', VirtualServer as ConfigSchema, FULL_SERVER],
])('%s', (_name, schema, full) => {
  it('takes every key of its schema', () => {
    expect(faultsOf(schema, full)).toEqual([]);
    const present = new Set(used(schema, full));
    expect(keysOf(schema).filter(({ place }) => !present.has(place))).toEqual([]);
  });

  it('describes every key', () => {
    expect(keysOf(schema).filter(({ described }) => !described)).toEqual([]);
  });

  it('refuses an unknown key at every level', () => {
    const places = closed(schema, full);
    const known = new Set(keysOf(schema).map(({ place }) => place.slice(place.lastIndexOf('/') + 1)));
    expect(places.length).toBeGreaterThan(10);
    fc.assert(
      fc.property(fc.nat(places.length - 1), fc.string({ minLength: 1 }), fc.jsonValue(), (index, key, value) => {
        const copy = structuredClone(full);
        const place = closed(schema, copy)[index];
        fc.pre(place !== undefined && key !== '__proto__' && !known.has(key));
        if (place) place.value[key] = value;
        expect(faultsOf(schema, copy)).toContainEqual(expect.objectContaining({ code: 'unknown-key', pointer: place?.pointer, key }));
      }),
      { numRuns: 300 },
    );
  });
});

describe('secrets', () => {
  const CANARY = 'canary-7f3a9c';

  it('never show in problems, wherever they stand and whatever is wrong', async () => {
    const found: string[] = [];
    rewrite(FULL, start(Root), (value, spot) => {
      if (spot.schema?.secret && typeof value === 'string') found.push(spot.pointer);
      return value;
    });
    const secret = fc.tuple(fc.constantFrom(...found), fc.constant(CANARY));
    const anywhere = fc.tuple(fc.constantFrom(...places(FULL)), fc.constantFrom('${env:C}', 'Bearer ${env:C}', '${env:C}/${file:no}'));
    await fc.assert(
      fc.asyncProperty(fc.oneof(secret, anywhere), fc.boolean(), async ([pointer, text], allowLiteralSecrets) => {
        const root = withValue({ ...FULL, allowLiteralSecrets }, pointer, text);
        const loaded = await load(
          { 'hubgate.yaml': JSON.stringify(root), 'openapi-specs/a.yaml': PETSTORE },
          { env: { C: CANARY }, builtins: [] },
        );
        expect(JSON.stringify(loaded.problems)).not.toContain(CANARY);
      }),
      { numRuns: 150 },
    );
  });

  it('never show in what the admin API is told', () => {
    for (const pointer of places(FULL.services)) {
      const services = withValue(FULL.services, pointer, CANARY) as Record<string, unknown>;
      for (const service of Object.values(services)) expect(JSON.stringify(validateEntry('services', service))).not.toContain(CANARY);
    }
  });

  /** Pointers of all texts. */
  function places(value: unknown, pointer = ''): string[] {
    if (typeof value === 'string') return [pointer];
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([key, item]) => places(item, below(pointer, key)));
  }

  function withValue(value: unknown, pointer: string, text: string): unknown {
    const copy = structuredClone(value) as Record<string, unknown>;
    const parts = pointer
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = parts.pop() ?? '';
    let at = copy;
    for (const part of parts) at = at[part] as Record<string, unknown>;
    at[last] = text;
    return copy;
  }
});
