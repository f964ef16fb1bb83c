import { strToU8, zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { compileDocument } from '../../../../../src/lanes/tools/openapi/compile.ts';
import type { CompiledService } from '../../../../../src/lanes/tools/openapi/types.ts';

const base = { openapi: '3.1.0', info: { title: 'T', version: '1' }, servers: [{ url: 'https://api.test' }] };
const taking = (schema: object) => ({ post: { requestBody: { required: true, content: { 'application/json': { schema } } } } });
const bodyOf = (service: CompiledService, at = 0): unknown => {
  const schema = service.operations[at]?.tool.definition.inputSchema as { properties: { body: unknown } } | undefined;
  if (schema === undefined) throw new Error(JSON.stringify(service.leftOut));
  return schema.properties.body;
};

function compile(root: object, more: { files?: Record<string, string>; url?: string; entry?: string } = {}): CompiledService {
  const { files, url, entry = 'openapi.json' } = more;
  const folder = files && { entry, files: new Map(Object.entries(files)), unread: new Map<string, string>() };
  return compileDocument({
    name: 'svc',
    text: JSON.stringify({ ...base, ...root }),
    ...(folder && { folder }),
    ...(url !== undefined && { url }),
  });
}

describe('several files', () => {
  const files = {
    'paths/pets.yaml': [
      'parameters: [{ $ref: "../common.yaml#/parameters/Id" }]',
      'put:',
      '  requestBody: { $ref: "../common.yaml#/bodies/Pet" }',
      '  responses: { 200: { $ref: "../common.yaml#/answers/Ok" } }',
    ].join('\n'),
    'common.yaml': [
      'parameters: { Id: { name: id, in: path, required: true, schema: { $ref: "schemas/id.json" } } }',
      'bodies: { Pet: { required: true, content: { application/json: { schema: { $ref: "schemas/pet.json#/$defs/Pet" } } } } }',
      'answers: { Ok: { description: ok, content: { application/json: { schema: { $ref: "openapi.json#/components/schemas/Local" } } } } }',
    ].join('\n'),
    'schemas/id.json': '{"type":"integer"}',
    'schemas/pet.json': '{"$defs":{"Pet":{"type":"object","properties":{"owner":{"$ref":"owner.json"},"self":{"$ref":"#/$defs/Pet"}}}}}',
    'schemas/owner.json':
      '{"type":"object","properties":{"pets":{"type":"array","items":{"$ref":"pet.json#/$defs/Pet"}},"id":{"$ref":"./id.json"}}}',
  };
  const root = { paths: { '/pets/{id}': { $ref: 'paths/pets.yaml' } }, components: { schemas: { Local: { type: 'object' } } } };

  test('path items, parameters, bodies and circles of schemas, each relative to its own file', () => {
    const service = compile(root, { files });
    expect(service.leftOut).toEqual([]);
    expect(service.warnings).toEqual([]);
    const { inputSchema } = service.operations[0]!.tool.definition;
    expect(inputSchema['properties']).toMatchObject({ id: { type: 'integer' } });
    expect(JSON.stringify(inputSchema)).toContain('"owner"');
    expect(JSON.stringify(inputSchema)).not.toMatch(/json#|yaml#/);
  });

  test('an archive is the same; its document is found by name, or as the only one that describes an API', () => {
    const zip = (entry: string, edit: (text: string) => string = (text) => text) => {
      const packed = Object.fromEntries(Object.entries(files).map(([name, text]) => [`api/${name}`, strToU8(edit(text))]));
      const bytes = zipSync({ ...packed, [`api/${entry}`]: strToU8(JSON.stringify({ ...base, ...root })), 'api/readme.md': strToU8('#') });
      return `data:application/zip;base64,${Buffer.from(bytes).toString('base64')}`;
    };
    const plain = compile(root, { files });
    for (const text of [zip('openapi.json'), zip('shop.json', (text) => text.replace('openapi.json', 'shop.json'))]) {
      const service = compileDocument({ name: 'svc', text });
      expect(service.leftOut).toEqual([]);
      expect(service.operations[0]?.tool.definition).toEqual(plain.operations[0]?.tool.definition);
    }
  });

  test('the whole of paths, or of a section of components, in a file', () => {
    const more = {
      'paths.json': JSON.stringify({ '/a': taking({ $ref: '../openapi.json#/components/schemas/A' }) }),
      's.yaml': 'A: { type: string }',
    };
    const service = compile({ paths: { $ref: 'paths.json' }, components: { schemas: { $ref: 's.yaml' } } }, { files: { ...more, 'paths.json': more['paths.json'].replace('../', '') } }); // prettier-ignore
    expect(bodyOf(service)).toEqual({ type: 'string' });
  });

  test('a pointer goes on behind a reference', () => {
    const service = compile({ paths: { '/a': taking({ $ref: 's.json#/properties/a/properties/b' }) } }, { files: { 's.json': '{"properties":{"a":{"$ref":"t.json"}}}', 't.json': '{"properties":{"b":{"type":"boolean"}}}' } }); // prettier-ignore
    expect(bodyOf(service)).toEqual({ type: 'boolean' });
  });

  test('names with spaces, escapes and number signs', () => {
    const service = compile({ paths: { '/a': taking({ $ref: 'my%20files/a%23b.json#/x%20y/a~1b' }) } }, { files: { 'my files/a#b.json': '{"x y":{"a/b":{"type":"number"}}}' } }); // prettier-ignore
    expect(bodyOf(service)).toEqual({ type: 'number' });
  });

  test('a pointer into nothing in another file is not looked for in the document', () => {
    const service = compile({ paths: { '/a': taking({ $ref: 's.json' }) }, only: { type: 'string' } }, { files: { 's.json': '{"type":"object","properties":{"a":{"$ref":"#/only"}}}' } }); // prettier-ignore
    expect(service.warnings).toMatchObject([{ code: 'dangling_reference', message: 'The reference "s.json#/only" points at nothing.' }]);
  });

  test('a document by URL knows its own address and fetches no other of its origin', () => {
    const paths = {
      '/a': taking({ $ref: 'https://api.test/v1/openapi.json#/components/schemas/A' }),
      '/b': taking({ $ref: 'other.json' }),
    };
    const service = compile({ paths, components: { schemas: { A: { type: 'string' } } } }, { url: 'https://api.test/v1/openapi.json' });
    expect(bodyOf(service)).toEqual({ type: 'string' });
    expect(service.leftOut).toMatchObject([
      { path: '/b', code: 'external_reference', message: expect.stringContaining('also from its own origin') },
    ]);
  });
});

describe('names of schemas', () => {
  const schemas = (all: object, reference: string, root: object = {}) =>
    compile({ paths: { '/a': taking({ $ref: reference }) }, components: { schemas: all }, ...root });

  test('references are resolved against the nearest $id, and else mean the document', () => {
    const all = {
      Thing: { $id: 'https://x.test/schemas/thing', type: 'object', properties: { other: { $ref: 'other' }, part: { $ref: '#/$defs/part' }, local: { $ref: '#/components/schemas/Local' } }, $defs: { part: { type: 'boolean' } } }, // prettier-ignore
      Other: { $id: 'https://x.test/schemas/other', type: 'integer' },
      Local: { type: 'number' },
    };
    for (const reference of ['#/components/schemas/Thing', 'https://x.test/schemas/thing'])
      expect(bodyOf(schemas(all, reference))).toEqual({ type: 'object', properties: { other: { type: 'integer' }, part: { type: 'boolean' }, local: { type: 'number' } } }); // prettier-ignore
  });

  test('anchors, of the document and of a resource', () => {
    const all = { A: { $anchor: 'here', type: 'string' }, B: { $id: 'https://x.test/b', $anchor: 'here', type: 'boolean' } };
    expect(bodyOf(schemas(all, '#here'))).toEqual({ type: 'string' });
    expect(bodyOf(schemas(all, 'https://x.test/b#here'))).toEqual({ type: 'boolean' });
  });

  test('$self is the base of references (3.2), and a dialect is never fetched', () => {
    const root = { openapi: '3.2.0', $self: 'https://x.test/api/openapi.json', jsonSchemaDialect: 'https://x.test/dialect' };
    expect(bodyOf(schemas({ A: { $id: 'schemas/a', type: 'string' } }, 'https://x.test/api/schemas/a', root))).toEqual({ type: 'string' });
    expect(bodyOf(schemas({ A: { type: 'string' } }, 'openapi.json#/components/schemas/A', root))).toEqual({ type: 'string' });
  });

  test('3.0 knows no $id', () => {
    const all = { A: { $id: 'https://x.test/a', type: 'object', properties: { b: { $ref: '#/components/schemas/B' } } }, B: { type: 'string' } }; // prettier-ignore
    const service = schemas(all, '#/components/schemas/A', { openapi: '3.0.3' });
    expect(bodyOf(service)).toEqual({ type: 'object', properties: { b: { type: 'string' } } });
    expect(schemas(all, 'https://x.test/a', { openapi: '3.0.3' }).leftOut).toMatchObject([{ code: 'external_reference' }]);
  });

  test('a dynamic reference means the outermost anchor, for each schema that uses the template', () => {
    const template = { $id: 'https://x.test/list', type: 'array', items: { $dynamicRef: '#item' }, $defs: { item: { $dynamicAnchor: 'item', type: 'null' } } }; // prettier-ignore
    const using = (name: string, type: string) => ({
      $id: `https://x.test/${name}`,
      $ref: 'list',
      $defs: { item: { $dynamicAnchor: 'item', type } },
    });
    const all = { List: template, Texts: using('texts', 'string'), Numbers: using('numbers', 'number') };
    expect(bodyOf(schemas(all, '#/components/schemas/Texts'))).toEqual({ type: 'array', items: { type: 'string' } });
    expect(bodyOf(schemas(all, '#/components/schemas/Numbers'))).toEqual({ type: 'array', items: { type: 'number' } });
    expect(bodyOf(schemas(all, '#/components/schemas/List'))).toEqual({ type: 'array', items: { type: 'null' } });
  });

  test('a dynamic reference that recurs, and one to a plain anchor', () => {
    const tree = { $id: 'https://x.test/tree', $dynamicAnchor: 'node', type: 'object', properties: { children: { type: 'array', items: { $dynamicRef: '#node' } } } }; // prettier-ignore
    const strict = { $id: 'https://x.test/strict', $dynamicAnchor: 'node', $ref: 'tree', required: ['children'] };
    const text = JSON.stringify(
      schemas({ Tree: tree, Strict: strict }, '#/components/schemas/Strict').operations[0]?.tool.definition.inputSchema,
    );
    const [, name] = /"items":\{"\$ref":"#\/\$defs\/(\w+)"/.exec(text) ?? [];
    expect(JSON.parse(text)).toMatchObject({ $defs: { [String(name)]: { allOf: [expect.anything(), { required: ['children'] }] } } });
    expect(bodyOf(schemas({ A: { type: 'array', items: { $dynamicRef: '#plain' } }, B: { $anchor: 'plain', type: 'string' } }, '#/components/schemas/A'))).toEqual({ type: 'array', items: { type: 'string' } }); // prettier-ignore
  });

  test('a property, an example and an enum value named $ref are no references', () => {
    const all = { A: { type: 'object', properties: { $ref: { type: 'string' }, $id: { type: 'string' } }, example: { $ref: 'file:///etc/passwd' }, default: { $ref: '../x.json' } } }; // prettier-ignore
    const service = schemas(all, '#/components/schemas/A', { 'x-more': { $ref: 'http://169.254.169.254/' } });
    expect(service.leftOut).toEqual([]);
    expect(bodyOf(service)).toMatchObject({ properties: { $ref: { type: 'string' }, $id: { type: 'string' } } });
  });
});

describe('YAML', () => {
  const text = (lines: string): string =>
    `openapi: 3.0.3\ninfo: { title: T, version: 1.10 }\npaths:\n  /a:\n    get:\n      parameters:\n${lines}`;
  const parameter = (schema: string): unknown => {
    const service = compileDocument({ name: 'svc', text: text(`        - { name: q, in: query, schema: ${schema} }\n`) });
    return (service.operations[0]!.tool.definition.inputSchema['properties'] as { q: unknown }).q;
  };

  test('texts stay as they stand: on, yes, dates, 1.10 and 007 where the type is a text', () => {
    expect(parameter('{ type: string, enum: [on, yes, no, 2024-01-01, 1.10, 007, 1e3, 0x1F] }')).toEqual({ type: 'string', enum: ['on', 'yes', 'no', '2024-01-01', '1.10', '007', '1e3', '0x1F'] }); // prettier-ignore
    expect(parameter('{ type: number, enum: [1.10, 1e3] }')).toEqual({ type: 'number', enum: [1.1, 1000] });
  });

  test('so do values of server variables', () => {
    const servers = 'servers: [{ url: "https://api.test/v{v}", variables: { v: { default: 1.0 } } }]\n';
    expect(compileDocument({ name: 'svc', text: `${servers}${text('        []\n')}` }).operations[0]?.server).toBe('https://api.test/v1.0');
  });

  test('a directive of YAML 1.1 changes nothing', () => {
    const service = compileDocument({ name: 'svc', text: `%YAML 1.1\n---\n${text('        - { name: q, in: query, schema: { type: string, enum: [on, 2024-01-01] } }\n')}` }); // prettier-ignore
    expect(service.operations[0]?.tool.definition.inputSchema['properties']).toEqual({ q: { type: 'string', enum: ['on', '2024-01-01'] } });
  });
});
