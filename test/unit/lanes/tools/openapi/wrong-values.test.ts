import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileTree, type Part } from './compiling.ts';

type Path = readonly (string | number)[];

const reference = (name: string): Part => ({ $ref: `#/components/${name}` });
/** A little of everything that is read; each operation stands for itself but for the components. */
const sample = (openapi: string): Part => ({
  openapi,
  servers: [{ url: 'https://{host}.test', variables: { host: { default: 'api', enum: ['api'] } } }],
  tags: [{ name: 'a', description: 'A' }],
  security: [{ key: [] }, { oauth: ['read'] }],
  paths: {
    '/things/{id}': {
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string', pattern: '^a+$' } }],
      servers: [{ url: '/x' }],
      get: {
        operationId: 'getThing',
        description: 'Gets it.',
        tags: ['a'],
        parameters: [
          { name: 'filter', in: 'query', style: 'deepObject', schema: { type: 'object', properties: { a: { type: 'string' } } } },
          { name: 'X-H', in: 'header', schema: { type: 'array', items: { type: 'integer', minimum: 1 } }, example: [1] },
          { name: 'j', in: 'query', content: { 'application/json': { schema: reference('schemas/Thing') } } },
          reference('parameters/Page'),
        ],
        responses: { 200: { description: 'ok', headers: { X: { schema: {} } }, content: { 'application/json': { schema: reference('schemas/Thing') } } }, default: reference('responses/Bad') }, // prettier-ignore
        callbacks: { done: { '{$request.body#/url}': { post: { requestBody: { content: {} } } } } },
        security: [],
      },
      post: {
        requestBody: { required: true, content: { 'multipart/form-data': { schema: { type: 'object', properties: { file: { type: 'string', format: 'binary' } }, required: ['file'] }, encoding: { file: { contentType: 'image/png', style: 'form', explode: true } } } } }, // prettier-ignore
        responses: { 201: { description: 'made' } },
      },
    },
    '/plain': { put: { requestBody: reference('requestBodies/Choice'), responses: { '2XX': { description: 'ok' } } } },
    '/alone': { get: { operationId: 'alone', responses: {} } },
  },
  components: {
    parameters: { Page: { name: 'page', in: 'query', schema: { type: 'integer', nullable: true } } },
    requestBodies: { Choice: { content: { 'application/json': { schema: { oneOf: [reference('schemas/Cat'), reference('schemas/Thing')], discriminator: { propertyName: 'kind', mapping: { cat: '#/components/schemas/Cat' } } } } } } }, // prettier-ignore
    responses: {
      Bad: { description: 'bad', content: { 'application/problem+json': { schema: { additionalProperties: { type: 'string' } } } } },
    },
    schemas: {
      Thing: { $id: 'https://x.test/thing', type: 'object', required: ['id'], properties: { id: { type: 'string', readOnly: true }, next: { $ref: '#/components/schemas/Thing' }, list: { type: 'array', prefixItems: [{}], items: { $dynamicRef: '#node' } }, n: { type: 'number', exclusiveMinimum: 0 } }, $defs: { node: { $dynamicAnchor: 'node', type: 'string', examples: ['x'] } }, dependentRequired: { id: ['n'] }, if: { required: ['id'] }, else: {} }, // prettier-ignore
      Cat: { allOf: [reference('schemas/Thing'), { type: 'object', properties: { meows: { type: 'boolean', default: true } } }], not: { type: 'null' }, xml: { name: 'c' } }, // prettier-ignore
    },
    securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'X-Key' }, oauth: { type: 'oauth2', flows: { clientCredentials: { tokenUrl: 'https://t.test', scopes: { read: 'r' } } } } }, // prettier-ignore
  },
});
const sample2: Part = {
  swagger: '2.0',
  host: 'api.test',
  basePath: '/v1',
  schemes: ['https'],
  consumes: ['application/json'],
  produces: ['application/json'],
  paths: {
    '/a/{id}': {
      parameters: [{ name: 'id', in: 'path', required: true, type: 'integer' }],
      get: { parameters: [{ name: 'q', in: 'query', type: 'array', items: { type: 'string', enum: ['a'] }, collectionFormat: 'pipes' }], responses: { 200: { description: 'ok', schema: { $ref: '#/definitions/A' } } }, security: [{ k: [] }] }, // prettier-ignore
      post: { consumes: ['multipart/form-data'], parameters: [{ name: 'f', in: 'formData', type: 'file' }, { name: 'g', in: 'formData', type: 'array', items: {} }], responses: {} }, // prettier-ignore
      put: { parameters: [{ name: 'body', in: 'body', required: true, schema: { $ref: '#/definitions/A' } }], responses: {} },
    },
    '/alone': { get: { responses: {} } },
  },
  definitions: { A: { type: 'object', discriminator: 'kind', required: ['kind'], properties: { kind: { type: 'string' }, x: { type: 'number', maximum: 5, exclusiveMaximum: true, 'x-nullable': true } } } }, // prettier-ignore
  securityDefinitions: { k: { type: 'basic' }, o: { type: 'oauth2', flow: 'application', tokenUrl: 'https://t.test', scopes: {} } },
};

const WRONG: readonly unknown[] = [
  null, [], {}, '', 'x', 5, -1.5, true, false, [null], [[]], [{}], { a: null }, { $ref: '#' }, { $ref: null }, { $ref: 'none.json' }, { $ref: '#/paths' },
  '\u0000', '\ud800', 'toString', '__proto__', ['x', 5, null, {}],
]; // prettier-ignore

function* places(value: unknown, path: Path = []): Generator<Path> {
  if (path.length > 0) yield path;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) yield* places(item, [...path, Array.isArray(value) ? Number(key) : key]);
}

function changed(document: Part, path: Path, value: unknown): Part {
  const copy = structuredClone(document);
  const owner = path.slice(0, -1).reduce<unknown>((node, key) => (node as Part)[key], copy) as Part;
  owner[path.at(-1) ?? ''] = value;
  return copy;
}

test.each([
  ['2.0', sample2],
  ['3.0', sample('3.0.3')],
  ['3.1', sample('3.1.0')],
])('a wrong value anywhere in a document of %s costs what it stands in, and is never thrown', (_, document) => {
  const all = [...places(document)].filter(([first]) => first !== 'openapi' && first !== 'swagger');
  const before = compileTree(document).operations.length;
  fc.assert(
    fc.property(fc.constantFrom(...all), fc.constantFrom(...WRONG), (path, value) => {
      const { operations, leftOut } = compileTree(changed(document, path, value), { options: { outputSchemas: true } });
      for (const { tool } of operations) expect(tool.definition.inputSchema).toMatchObject({ type: 'object' });
      // Nothing is forgotten, and what has no part in it stays; `paths` and a path item as a whole hide what they had.
      if (path[0] === 'paths' && path.length <= 3) return;
      expect(operations.length + leftOut.length).toBeGreaterThanOrEqual(before);
      expect(operations.map(({ identity }) => identity)).toContain('GET /alone');
      const [, , method] = path;
      if (path[0] === 'paths' && method !== 'parameters' && method !== 'servers') expect(leftOut.length).toBeLessThanOrEqual(1);
    }),
    { numRuns: 400 },
  );
});
