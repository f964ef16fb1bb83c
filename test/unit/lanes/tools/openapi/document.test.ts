import { describe, expect, test } from 'vitest';
import { compileDocument } from '../../../../../src/lanes/tools/openapi/compile.ts';
import { DocumentError } from '../../../../../src/lanes/tools/openapi/types.ts';
import { compileTree } from './compiling.ts';

function refusal(text: string, limits = {}): DocumentError {
  try {
    compileDocument({ name: 'svc', text, limits });
  } catch (error) {
    if (error instanceof DocumentError) return error;
    throw error;
  }
  throw new Error('not refused');
}

describe('what is refused as a whole', () => {
  test.each([
    ['nothing', ' \n', 'empty'],
    ['HTML', '<!doctype html><title>Docs</title>', 'not_openapi'],
    ['a list', '[1]', 'not_openapi'],
    ['another JSON file', '{"name":"x"}', 'not_openapi'],
    ['AsyncAPI', 'asyncapi: 3.0.0\ninfo: {}', 'not_openapi'],
    ['a Postman collection', '{"info":{"_postman_id":"1"},"item":[]}', 'not_openapi'],
    ['Swagger 1.2', '{"swaggerVersion":"1.2"}', 'unsupported_version'],
    ['OpenAPI 4', '{"openapi":"4.0.0"}', 'unsupported_version'],
    ['several YAML documents', 'openapi: 3.0.0\n---\nopenapi: 3.0.0\n', 'several_documents'],
    ['a YAML tag', 'openapi: !!js/function "x"\n', 'invalid_yaml'],
  ])('%s', (_, text, code) => {
    expect(refusal(text).code).toBe(code);
  });

  test('broken JSON and YAML are refused with line and column', () => {
    expect(refusal('{\n  "openapi": "3.0.0",\n  "info": {"title" "x"}\n}')).toMatchObject({ code: 'invalid_json', line: 3, column: 20 });
    expect(refusal('openapi: 3.0.0\ninfo:\n  title: "x\n')).toMatchObject({ code: 'invalid_yaml', line: expect.any(Number) });
    expect(refusal('{"openapi": "3.0.0", ')).toMatchObject({ code: 'invalid_json', line: 1 });
  });

  test('limits on bytes, operations, references and aliases', () => {
    const paths = { '/a': { get: {}, put: {} }, '/b': { get: {} } };
    expect(refusal(JSON.stringify({ openapi: '3.0.0', paths }), { bytes: 20 }).code).toBe('too_large');
    expect(refusal(JSON.stringify({ openapi: '3.0.0', paths }), { operations: 2 }).code).toBe('too_many_operations');
    const parameters = [{ $ref: '#/x/1' }, { $ref: '#/x/2' }];
    expect(refusal(JSON.stringify({ openapi: '3.0.0', paths: { '/a': { get: { parameters } } }, x: { 1: { name: 'a', in: 'query' }, 2: { name: 'b', in: 'query' } } }), { references: 1 }).code).toBe('too_expensive'); // prettier-ignore
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x,x]',
      ...'bcdefgh'
        .split('')
        .map((key, index) => `${key}: &${key} [${Array.from({ length: 10 }, () => `*${'abcdefgh'[index]}`).join(',')}]`),
    ];
    expect(refusal(`openapi: 3.0.0\n${bomb.join('\n')}\n`).code).toBe('too_expensive');
  });
});

describe('what is read', () => {
  test('YAML keeps version text, takes integer statuses, merges, duplicate keys with a warning, and a byte order mark', () => {
    const text = [
      '\ufeffopenapi: 3.0.3',
      'info: { title: On, version: 1.10 }',
      'x-base: &base { operationId: listThings, summary: List }',
      'paths:',
      '  /things:',
      '    get:',
      '      <<: *base',
      '      parameters: [{ name: flag, in: query, schema: { type: string, enum: [on, no] } }]',
      '      responses: { 200: { description: ok }, 200: { description: twice } }',
    ].join('\n');
    const service = compileDocument({ name: 'svc', text });
    expect(service.document).toEqual({ title: 'On', version: '1.10', openapi: '3.0.3' });
    expect(service.operations[0]?.tool.definition.name).toBe('listThings');
    expect(service.operations[0]?.tool.definition.inputSchema['properties']).toEqual({ flag: { type: 'string', enum: ['on', 'no'] } });
    expect(service.warnings.map(({ code }) => code)).toEqual(['duplicate_key']);
  });

  test('numeric versions and unknown 3.x, the latter with a warning', () => {
    expect(compileTree({ swagger: 2, paths: {} }).document.openapi).toBe('2.0');
    const service = compileTree({ openapi: '3.7.0', paths: { '/a': { get: {} } } });
    expect(service.warnings).toMatchObject([{ code: 'unknown_version' }]);
    expect(service.operations).toHaveLength(1);
  });

  test('one bad operation does not cost the document, and each is accounted for', () => {
    const service = compileTree({
      paths: {
        '/null': null,
        '/file': { $ref: './other.yaml' },
        '/a': {
          get: null,
          put: { parameters: [{ $ref: '#/components/parameters/none' }] },
          post: { parameters: [{ in: 'query' }] },
          patch: { requestBody: { content: { 'application/json': { schema: { $ref: 'other.json#/X' } } } } },
          delete: { requestBody: { $ref: '#/components/requestBodies/loop' } },
          trace: {},
          head: { operationId: 'fine', parameters: [{ name: 'x', in: 'query', schema: { $ref: '#/components/schemas/none' } }] },
        },
      },
      components: { requestBodies: { loop: { $ref: '#/components/requestBodies/loop' } } },
    });
    expect(service.operations.map(({ identity }) => identity)).toEqual(['HEAD /a']);
    expect(Object.fromEntries(service.leftOut.map(({ method, path, code }) => [`${method} ${path}`, code]))).toEqual({
      '* /null': 'invalid_object',
      '* /file': 'external_reference',
      'GET /a': 'invalid_operation',
      'PUT /a': 'dangling_reference',
      'POST /a': 'invalid_parameter',
      'PATCH /a': 'external_reference',
      'DELETE /a': 'circular_reference',
      'TRACE /a': 'method_unsupported',
    });
    expect(service.warnings).toMatchObject([{ code: 'dangling_reference', pointer: '/paths/~1a/head/parameters' }]);
  });

  test('a parameter with an empty name is left out alone', () => {
    const parameters = [{ name: '', in: 'query' }, { name: 'a', in: 'query' }]; // prettier-ignore
    const service = compileTree({ paths: { '/a': { get: { parameters } } } });
    expect(Object.keys(service.operations[0]?.tool.definition.inputSchema['properties'] as object)).toEqual(['a']);
    expect(service.warnings).toMatchObject([{ code: 'parameter_dropped', pointer: '/paths/~1a/get/parameters/0' }]);
  });

  test('names of Object.prototype are ordinary names', () => {
    const text = `{"openapi":"3.0.0","paths":{"/{constructor}":{"get":{"operationId":"toString","parameters":[
      {"name":"constructor","in":"path","required":true,"schema":{"type":"string"}},{"name":"__proto__","in":"query","schema":{"type":"string"}},
      {"name":"x","in":"query","schema":{"$ref":"#/__proto__/x"}}]}}}}`;
    const service = compileDocument({ name: 'svc', text });
    expect(Object.keys(service.operations[0]?.tool.definition.inputSchema['properties'] as object)).toEqual(['constructor', 'proto', 'x']);
    expect(service.warnings).toMatchObject([{ code: 'dangling_reference' }]);
  });

  test('the hash follows what clients and calls notice', () => {
    const hash = (root: object, url = 'https://a.test') => compileTree({ paths: { '/a': { get: root } }, servers: [{ url }] }).hash;
    expect(hash({ summary: 'x' })).toBe(hash({ summary: 'x' }));
    expect(hash({ summary: 'x' })).not.toBe(hash({ summary: 'y' }));
    expect(hash({}, 'https://b.test')).not.toBe(hash({}));
    expect(hash({ externalDocs: { url: 'https://x.test' } })).toBe(hash({}));
  });
});
