import { describe, expect, test } from 'vitest';
import type { Call } from '../../../../../src/core/call.ts';
import type { PreparedCall } from '../../../../../src/core/contracts/tool-source.ts';
import { Secret } from '../../../../../src/core/secret.ts';
import { compileDocument } from '../../../../../src/lanes/tools/openapi/compile.ts';
import { createOpenApiSource } from '../../../../../src/lanes/tools/sources/openapi.ts';
import type { OpenApiSourceOptions } from '../../../../../src/lanes/tools/sources/openapi.ts';

function sourceOf(options: Partial<OpenApiSourceOptions> = {}, root: object = {}, url?: string) {
  const text = JSON.stringify({
    openapi: '3.0.3',
    info: { title: 'Pets', version: '1', description: 'About pets.', 'x-logo': { url: 'https://pets.test/logo.png' } },
    servers: [{ url: '/v1' }],
    paths: {
      '/pets/{id}': {
        get: { operationId: 'getPet', tags: ['pets'], parameters: [{ name: 'id', in: 'path', schema: { type: 'integer' } }] },
        post: { operationId: 'feedPet' },
        delete: { operationId: 'removePet' },
      },
    },
    ...root,
  });
  return createOpenApiSource({
    name: 'pets',
    compiled: compileDocument({ name: 'pets', text, ...(url !== undefined && { url }) }),
    trust: (origin) => (origin.includes('127.0.0.1') ? 'operator' : 'public'),
    redact: (one) => one,
    redactOwn: (one) => one,
    oauth2: () => ({ refreshable: true, sign: (request) => request }),
    ...options,
  });
}

function prepare(source: ReturnType<typeof sourceOf>, name: string, args: object) {
  return source.prepare({ input: { name, arguments: args } } as unknown as Call<'tools'>, name, () => undefined) as
    | PreparedCall
    | { reply: object };
}

describe('createOpenApiSource', () => {
  test('offers the tools with risk, annotations, icons and the operation behind each', () => {
    const { tools, instructions, state } = sourceOf().snapshot;
    expect({ state, instructions }).toEqual({ state: 'ready', instructions: 'About pets.' });
    expect(tools.map(({ definition, risk, tags }) => [definition.name, risk, tags])).toEqual([
      ['getPet', 'read', ['pets']],
      ['feedPet', 'write', []],
      ['removePet', 'destructive', []],
    ]);
    expect(tools[0]?.definition).toMatchObject({
      annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
      icons: [{ src: 'https://pets.test/logo.png' }],
      _meta: { 'hubgate/operation': { service: 'pets', method: 'GET', path: '/pets/{id}', bindings: { id: 'path:id' } } },
    });
  });

  test('prepares a request with its signers, and decodes the answer', () => {
    const prepared = prepare(
      sourceOf({ baseUrl: 'http://127.0.0.1:9/api/', auth: { bearer: new Secret('t') }, timeoutMs: 500, version: '1.2' }),
      'getPet',
      { id: 7 },
    );
    if ('reply' in prepared) throw new Error('refused');
    expect(prepared.request).toEqual({
      method: 'GET',
      origin: 'http://127.0.0.1:9',
      path: '/api/pets/7',
      headers: { accept: 'application/json, */*;q=0.1', 'user-agent': 'hubgate/1.2' },
      trust: 'operator',
      timeoutMs: 500,
      taking: expect.any(Function),
    });
    expect(prepared.signers).toHaveLength(1);
    expect(prepared.retryable).toBe(true);
    expect(prepared.decode({ status: 204, headers: {}, body: Buffer.alloc(0) })).toEqual({
      content: [{ type: 'text', text: '204 No Content' }],
    });
  });

  test('faults are results, and never a request', () => {
    const source = sourceOf({ baseUrl: 'demo:petstore' });
    expect(prepare(source, 'getPet', { id: 'x' })).toEqual({
      reply: {
        isError: true,
        content: [{ type: 'text', text: 'The arguments do not fit getPet:\n- id: "x" came; it must be of type integer.' }],
      },
    });
    expect(prepare(source, 'none', {})).toMatchObject({ reply: { isError: true } });
    expect(prepare(sourceOf(), 'getPet', { id: 1 })).toMatchObject({
      reply: { content: [{ text: expect.stringContaining('services.pets.baseUrl') }] },
    });
  });

  test('addresses: configured, else the document, completed by where it came from', () => {
    const origin = (options: Partial<OpenApiSourceOptions>, root?: object, url?: string) => {
      const prepared = prepare(sourceOf(options, root, url), 'getPet', { id: 1 });
      return 'request' in prepared ? prepared.request.origin + prepared.request.path : undefined;
    };
    expect(origin({ baseUrl: 'demo:petstore' })).toBe('demo:petstore/pets/1');
    expect(origin({}, {}, 'https://d.test/x/openapi.json')).toBe('https://d.test/v1/pets/1');
    expect(origin({}, { servers: [{ url: 'https://s.test' }] })).toBe('https://s.test/pets/1');
    expect(origin({}, { servers: [] }, 'https://d.test/x/openapi.json')).toBe('https://d.test/pets/1');
    expect(origin({}, { servers: [] })).toBeUndefined();
  });

  test('what may be tried again follows the method', () => {
    const retryable = (name: string, options: Partial<OpenApiSourceOptions> = {}) => {
      const prepared = prepare(sourceOf({ baseUrl: 'demo:petstore', ...options }), name, { id: '1' });
      return 'retryable' in prepared ? prepared.retryable : undefined;
    };
    expect([retryable('feedPet'), retryable('removePet')]).toEqual([false, true]);
  });

  test('the version changes with what is offered, and only then', () => {
    const { version } = sourceOf().snapshot;
    expect(sourceOf().snapshot.version).toBe(version);
    expect(sourceOf({}, { info: { title: 'Pets', version: '1', description: 'Other.' } }).snapshot.version).not.toBe(version);
  });

  test('operations share one signer per client and scopes', () => {
    let made = 0;
    const oauth2 = () => {
      made += 1;
      return { refreshable: true, sign: <T>(request: T) => request };
    };
    const source = sourceOf({
      baseUrl: 'demo:petstore',
      oauth2,
      auth: { oauth2: { clientId: 'c', clientSecret: new Secret('secret'), tokenUrl: 'https://t.test' } },
    });
    prepare(source, 'feedPet', { id: '1' });
    prepare(source, 'removePet', { id: '1' });
    expect(made).toBe(1);
  });
});
