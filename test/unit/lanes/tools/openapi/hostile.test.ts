import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { strToU8, zipSync, type Zippable } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readRelatedFiles } from '../../../../../src/config/reading/related-files.ts';
import { compileInWorker } from '../../../../../src/lanes/tools/openapi/import-pool.ts';
import type { CompiledService, CompileInput } from '../../../../../src/lanes/tools/openapi/types.ts';
import { DocumentError } from '../../../../../src/lanes/tools/openapi/types.ts';

/** What a document becomes: the code of its refusal, or what it serves, leaves out and warns of. */
type Outcome =
  | string
  | { readonly tools: number; readonly leftOut?: readonly string[]; readonly warnings?: readonly string[]; readonly longest?: number };

const MOST_MS = 3000;
const CANARY = 'canary-5f1c9e';
const MB = 1024 * 1024;

const folder = mkdtempSync(join(tmpdir(), 'hubgate-hostile-'));
const outside = join(folder, 'outside');
const inside = join(folder, 'inside');
let visits = 0;
const server = createServer((socket) => {
  visits += 1;
  socket.destroy();
});
let port = 0;

beforeAll(async () => {
  await mkdir(outside);
  await mkdir(join(inside, 'sub', 'node_modules'), { recursive: true });
  const schema = JSON.stringify({ type: 'object', description: CANARY, properties: { [CANARY]: { type: 'string' } } });
  for (const file of [join(outside, 'secret.json'), join(folder, 'above.yaml'), join(inside, '.hidden.json'), join(inside, 'hubgate.yaml'), join(inside, 'secret.txt'), join(inside, 'sub', 'node_modules', 'a.json')]) writeFileSync(file, schema); // prettier-ignore
  writeFileSync(join(inside, 'fine.json'), '{"type":"object","properties":{"here":{"type":"string"}}}');
  writeFileSync(join(inside, 'broken.json'), '{"type":');
  writeFileSync(join(inside, 'refers.yaml'), `properties: { a: { $ref: ${join(outside, 'secret.json')} } }`);
  symlinkSync(join(outside, 'secret.json'), join(inside, 'link.json'));
  symlinkSync(outside, join(inside, 'linked'));
  symlinkSync('fine.json', join(inside, 'good-link.json'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  // The first document would otherwise pay for the start of the worker.
  await compileInWorker({ name: 'svc', text: document() });
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  server.close();
});

const info = { title: 'T', version: '1' };
const servers = [{ url: 'https://api.test' }];
const get = { operationId: 'one', responses: { 200: { description: 'ok' } } };

function document(more: object = {}, version = '3.0.3'): string {
  return JSON.stringify({ openapi: version, info, servers, paths: { '/a': { get } }, ...more });
}

/** An operation whose body is `schema`. */
function taking(schema: unknown, more: object = {}, version = '3.0.3'): string {
  const post = { operationId: 'two', requestBody: { content: { 'application/json': { schema } } }, responses: {} };
  return document({ paths: { '/a': { post }, '/b': { get } }, ...more }, version);
}

function archive(files: Zippable, edit?: (bytes: Buffer) => void): string {
  const bytes = Buffer.from(zipSync(files));
  edit?.(bytes);
  return `data:application/zip;base64,${bytes.toString('base64')}`;
}

const entry = { 'openapi.json': strToU8(document()) };
const repeat = (count: number, of: (index: number) => string, between = ','): string => Array.from({ length: count }, (_, index) => of(index)).join(between); // prettier-ignore
const many = <T>(count: number, of: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => of(index));
const referring = (reference: string): string => taking({ $ref: reference });

function nested(levels: number): string {
  return document().replace('"paths":', `"x":${'{"a":'.repeat(levels)}1${'}'.repeat(levels)},"paths":`);
}

function nestedSchema(levels: number): string {
  return taking('@').replace('"@"', `${'{"type":"object","properties":{"a":'.repeat(levels)}{}${'}}'.repeat(levels)}`);
}

/** Ten schemas, each with ten references to the next. */
function referenceBomb(keyword: 'properties' | 'allOf'): string {
  const schemas = Object.fromEntries(
    Array.from({ length: 12 }, (_, level) => {
      const next = level === 11 ? { type: 'string' } : { $ref: `#/components/schemas/L${level + 1}` };
      const ten = Array.from({ length: 10 }, () => next);
      return [`L${level}`, keyword === 'allOf' ? { allOf: ten } : { type: 'object', properties: { ...ten } }];
    }),
  );
  return taking({ $ref: '#/components/schemas/L0' }, { components: { schemas } });
}

const yaml = (more: string): string => `openapi: 3.0.3\ninfo: { title: T, version: '1' }\nservers: [{ url: https://api.test }]\npaths: { /a: { get: { responses: {} } } }\n${more}`; // prettier-ignore
const aliasBomb = yaml(`x0: &x0 [x,x,x,x,x,x,x,x,x,x]\n${repeat(9, (index) => `x${index + 1}: &x${index + 1} [${repeat(10, () => `*x${index}`)}]`, '\n')}\n`); // prettier-ignore

const cases: readonly (readonly [name: string, text: string | (() => string), outcome: Outcome])[] = [
  // Not a description, or one of another kind.
  ['nothing', '', 'empty'],
  ['white space', ' \n\t\n', 'empty'],
  ['a byte order mark alone', '\ufeff', 'empty'],
  ['plain text', 'Please see the documentation on our site.', 'not_openapi'],
  ['a number', '42', 'not_openapi'],
  ['a list', '[{"openapi":"3.0.0"}]', 'not_openapi'],
  ['an HTML page', '<!doctype html><html><head><title>Docs</title></head></html>', 'not_openapi'],
  ['an error page', '<html><body>404</body></html>', 'not_openapi'],
  ['WSDL', '<?xml version="1.0"?><wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/"/>', 'not_openapi'],
  ['WADL', '<application xmlns="http://wadl.dev.java.net/2009/02"/>', 'not_openapi'],
  ['RAML', '#%RAML 1.0\ntitle: X\n', 'not_openapi'],
  ['API Blueprint', 'FORMAT: 1A\n# Polls\n', 'not_openapi'],
  ['AsyncAPI', 'asyncapi: 3.0.0\ninfo: {}\n', 'not_openapi'],
  [
    'a Postman collection',
    '{"info":{"schema":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},"item":[]}',
    'not_openapi',
  ],
  ['an Insomnia export', '{"_type":"export","__export_format":4,"resources":[]}', 'not_openapi'],
  ['a HAR file', '{"log":{"version":"1.2","entries":[]}}', 'not_openapi'],
  ['Google Discovery', '{"kind":"discovery#restDescription"}', 'not_openapi'],
  ['a JSON Schema', '{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object"}', 'not_openapi'],
  ['a package.json', '{"name":"x","version":"1.0.0"}', 'not_openapi'],
  ['a PDF', '%PDF-1.7\n', 'not_openapi'],
  ['bytes', '\u001f\ufffd\u0008\u0000\u0000', 'not_openapi'],
  ['NUL characters', `openapi: 3.0.0\u0000\n`, 'not_openapi'],
  ['a document in UTF-16 that was taken for UTF-8', Buffer.from(yaml(''), 'utf16le').toString(), 'not_openapi'],
  ['Markdown around a document', `\`\`\`yaml\n${yaml('')}\`\`\`\n`, 'not_openapi'],
  ['JavaScript around a document', `module.exports = ${document()}`, 'not_openapi'],
  ['JSONP', `callback(${document()})`, 'not_openapi'],
  ['JSON within a JSON text', JSON.stringify(document()), 'not_openapi'],
  ['base64', Buffer.from(document()).toString('base64'), 'not_openapi'],
  ['a list of documents', '{"urls":[{"url":"/v1/openapi.json","name":"v1"}]}', 'not_openapi'],
  ['comments alone', '# nothing\n', 'not_openapi'],
  ['Swagger 1.2', '{"swaggerVersion":"1.2","apis":[]}', 'unsupported_version'],
  ['Swagger 1.2 under swagger', '{"swagger":"1.2"}', 'unsupported_version'],
  ['OpenAPI 4', '{"openapi":"4.0.0"}', 'unsupported_version'],
  ['a version of 1 MB', () => document({}, `3.${'1'.repeat(MB)}`), 'unsupported_version'],
  ['a version that does not exist yet', document({}, '3.9.0'), { tools: 1, warnings: ['unknown_version'] }],
  ['a version that is an object', '{"openapi":{"a":1}}', 'not_openapi'],
  // Broken text.
  ['JSON that breaks off', document().slice(0, -20), 'invalid_json'],
  ['JSON without a comma', document().replace('"servers"', '\n\n "servers" "x"'), 'invalid_json'],
  ['YAML that breaks off', 'openapi: 3.0.0\ninfo: { title: "x', 'invalid_yaml'],
  ['YAML with tabs', 'openapi: 3.0.0\ninfo:\n\ttitle: x\n', 'invalid_yaml'],
  ['several YAML documents', 'openapi: 3.0.0\npaths: {}\n---\nopenapi: 3.0.0\n', 'several_documents'],
  ['a YAML tag that runs code', 'openapi: 3.0.0\ninfo: !!js/function "function(){}"\n', 'invalid_yaml'],
  ['a YAML tag of its own', 'openapi: 3.0.0\ninfo: !python/object:os.system x\n', 'invalid_yaml'],
  ['an alias without an anchor', 'openapi: 3.0.0\ninfo: *nothing\n', 'invalid_yaml'],
  ['an alias of what comes later', yaml('x: *later\ny: &later 1\n'), 'invalid_yaml'],
  ['a merge key before a number', yaml('x: { <<: 5 }\n'), 'invalid_yaml'],
  ['a merge conflict', yaml('<<<<<<< HEAD\nx: 1\n=======\nx: 2\n>>>>>>> other\n'), 'invalid_yaml'],
  ['a file to be included', yaml('x: !include /etc/passwd\n'), 'invalid_yaml'],
  ['two JSON documents', `${document()}\n${document()}`, 'invalid_json'],
  ['half of a character', document({ 'x-a': '@' }).replace('@', '\\ud800'), { tools: 1 }],
  ['a byte order mark twice', `\ufeff\ufeff${document()}`, { tools: 1 }],
  ['line ends of old Macs', yaml('').replaceAll('\n', '\r'), { tools: 1 }],
  ['objects as keys, and no key', yaml('x: { { a: 1 }: 2, ~: 3 }\n? [a, b]\n: 4\n'), { tools: 1 }],
  ['tags of YAML 1.1', yaml('x: [!!binary aGk=, !!timestamp 2001-12-14, !!set { a, b }, !!omap [a: 1], .inf, .nan]\n'), { tools: 1 }],
  ['invalid UTF-8', document({ 'x-a': 'caf\ufffd' }), { tools: 1, warnings: ['invalid_encoding'] }],
  ['duplicate paths', yaml('').replace('/a: {', '/a: { get: { responses: {} } }, /a: {'), { tools: 1, warnings: ['duplicate_key'] }],
  ['duplicate paths in JSON', document().replace('"/a":', '"/a":{"get":{}},"/a":'), { tools: 1, warnings: ['duplicate_key'] }],
  ['a chain of pointers behind references', taking({ $ref: '#/x/s0/y' }, { x: Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`s${index}`, { $ref: `#/x/s${index + 1}/y` }])) }), { tools: 2, warnings: ['dangling_reference'] }], // prettier-ignore
  ['YAML 1.1 with its own booleans', `%YAML 1.1\n---\n${yaml('x: on\n')}`, { tools: 1 }],
  // Things that expand.
  ['an alias bomb', aliasBomb, 'too_expensive'],
  ['an alias that contains itself', yaml('x: &a [*a]\n'), { tools: 1, warnings: ['circular_alias'] }],
  ['a default that contains itself', yaml('').replace('responses: {}', 'parameters: [{ name: q, in: query, schema: { default: &d { a: *d }, enum: [*d] } }], responses: {}'), { tools: 1, warnings: ['circular_alias'] }], // prettier-ignore
  ['a schema that contains itself by an alias', yaml('').replace('responses: {}', 'parameters: [{ name: q, in: query, schema: &s { type: array, items: *s } }], responses: {}'), { tools: 1, warnings: ['circular_alias'] }], // prettier-ignore
  ['a merge that contains itself', yaml('x: &x { <<: *x, a: 1 }\n'), { tools: 1, warnings: ['circular_alias'] }],
  ['a bomb of merge keys', yaml(`m0: &m0 { a: 1 }\n${repeat(9, (index) => `m${index + 1}: &m${index + 1} { <<: [${repeat(10, () => `*m${index}`)}] }`, '\n')}\n`), 'too_expensive'], // prettier-ignore
  ['5,000 merges of 5,000 keys', () => yaml(`m: &m {${repeat(5000, (index) => `k${index}: 1`)}}\nx: [${repeat(5000, () => '{<<: *m}')}]\n`), 'too_expensive'], // prettier-ignore
  ['100,000 aliases of one anchor', () => yaml(`a: &a 1\nx: [${repeat(100_000, () => '*a')}]\n`), 'too_expensive'],
  ['20,000 anchors and as many aliases', () => yaml(`${repeat(20_000, (index) => `a${index}: &a${index} 1\nb${index}: *a${index}`, '\n')}\n`), { tools: 1 }], // prettier-ignore
  ['a reference bomb in properties', referenceBomb('properties'), { tools: 2, longest: 28_000 }],
  ['a reference bomb in allOf', referenceBomb('allOf'), { tools: 2, longest: 28_000 }],
  ['100,001 references', () => document({ paths: { '/a': { get: { ...get, parameters: Array.from({ length: 100_001 }, (_, index) => ({ $ref: `#/components/parameters/p${index}` })) } } }, components: { parameters: Object.fromEntries(Array.from({ length: 100_001 }, (_, index) => [`p${index}`, { name: `p${index}`, in: 'query', schema: {} }])) } }), 'too_expensive'], // prettier-ignore
  ['20,001 operations', () => document({ paths: Object.fromEntries(Array.from({ length: 20_001 }, (_, index) => [`/p${index}`, { get: {} }])) }), 'too_many_operations'], // prettier-ignore
  ['10,000 levels of objects', () => nested(10_000), { tools: 1 }],
  ['10,000 levels of schema', () => nestedSchema(10_000), { tools: 2, warnings: ['too_deep'] }],
  ['10,000 levels of names', () => taking('@', {}, '3.1.0').replace('"@"', `${'{"$id":"a/","$anchor":"a","properties":{"a":'.repeat(10_000)}{}${'}}'.repeat(10_000)}`), { tools: 2, warnings: ['too_deep'] }], // prettier-ignore
  ['10,000 levels of a default', () => taking({ type: 'object', default: '@' }).replace('"@"', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`), { tools: 2, longest: 28_000 }], // prettier-ignore
  ['100,000 levels of a default', () => taking({ type: 'object', default: '@' }).replace('"@"', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`), 'too_expensive'], // prettier-ignore
  ['10,000 levels of YAML', () => yaml(`x: ${'['.repeat(10_000)}${']'.repeat(10_000)}\n`), 'too_expensive'],
  ['100,000 levels of JSON', () => nested(100_000), { tools: 1 }],
  ['a million brackets', () => '['.repeat(1_000_000), 'invalid_json'],
  ['a description of 1 MB in one line', () => document({ paths: { '/a': { get: { ...get, description: 'long '.repeat(MB / 5) } } } }), { tools: 1, longest: 28_000 }], // prettier-ignore
  ['a YAML text of 1 MB in one line', () => yaml(`x: "${'long '.repeat(MB / 5)}"\n`), { tools: 1 }],
  ['an operationId of 1 MB', () => document({ paths: { '/a': { get: { operationId: 'a'.repeat(MB) } } } }), { tools: 1, longest: 28_000 }],
  [
    'a path of 1 MB',
    () => document({ paths: { [`/${'{a}/'.repeat(MB / 4)}`]: { get }, '/a': { get } } }),
    { tools: 1, leftOut: ['path_too_long'] },
  ],
  ['100,000 values of an enum', () => taking({ type: 'string', enum: Array.from({ length: 100_000 }, (_, index) => `value-${index}`) }), { tools: 2, longest: 28_000 }], // prettier-ignore
  ['20,000 parts of an allOf', () => taking({ allOf: many(20_000, (index) => ({ type: 'object', properties: { [`p${index}`]: { type: 'string' } } })) }), { tools: 2, longest: 28_000 }], // prettier-ignore
  ['20,000 parts of a oneOf', () => taking({ oneOf: many(20_000, (index) => ({ type: 'object', properties: { [`p${index}`]: {} } })) }), { tools: 2, longest: 28_000 }], // prettier-ignore
  ['a discriminator of 5,000 schemas', () => taking({ oneOf: many(5000, (index) => ({ $ref: `#/components/schemas/S${index}` })), discriminator: { propertyName: 'kind' } }, { components: { schemas: Object.fromEntries(many(5000, (index) => [`S${index}`, { type: 'object', properties: { kind: { type: 'string' } } }])) } }), { tools: 2, longest: 28_000 }], // prettier-ignore
  ['300 schemas that each refer to all', () => taking({ $ref: '#/components/schemas/S0' }, { components: { schemas: Object.fromEntries(many(300, (index) => [`S${index}`, { type: 'object', properties: Object.fromEntries(many(300, (other) => [`p${other}`, { $ref: `#/components/schemas/S${other}` }])) }])) } }), { tools: 2, longest: 28_000 }], // prettier-ignore
  ['an allOf in an allOf, 1,000 times', () => taking({ $ref: '#/components/schemas/S0' }, { components: { schemas: Object.fromEntries(many(1000, (index) => [`S${index}`, { allOf: [{ $ref: `#/components/schemas/S${index + 1}` }, {}] }])) } }), { tools: 2, warnings: ['dangling_reference'] }], // prettier-ignore
  ['5,000 operations of one operationId', () => document({ paths: Object.fromEntries(many(5000, (index) => [`/p${index}`, { get }])) }), { tools: 5000 }], // prettier-ignore
  ['100,000 alternatives of security', () => document({ security: many(100_000, () => ({ none: [] })) }), { tools: 1, warnings: ['unknown_scheme'] }], // prettier-ignore
  ['20,000 properties', () => taking({ type: 'object', properties: Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`p${index}`, { type: 'string', description: 'text '.repeat(20) }])) }), { tools: 2, longest: 28_000 }], // prettier-ignore
  ['10,000 parameters', () => document({ paths: { '/a': { get: { ...get, parameters: Array.from({ length: 10_000 }, (_, index) => ({ name: `p${index}`, in: 'query', schema: { type: 'string' } })) } } } }), { tools: 1 }], // prettier-ignore
  ['10,000 servers with variables', () => document({ servers: Array.from({ length: 10_000 }, () => ({ url: 'https://{a}.test', variables: { a: { default: '{a}' } } })) }), { tools: 1 }], // prettier-ignore
  ['a pattern that never ends', taking({ type: 'string', pattern: '^(a+)+$' }), { tools: 2 }],
  ['a pattern that is none', taking({ type: 'string', pattern: '(?i)[' }), { tools: 2, warnings: ['pattern_dropped'] }],
  ['a pattern of another language', taking({ type: 'string', pattern: '\\Aabc\\z' }), { tools: 2, warnings: ['pattern_dropped'] }],
  ['a pattern that counts to a billion', taking({ type: 'string', pattern: '(((a{1000}){1000}){1000})' }), { tools: 2 }],
  ['a pattern of 1 MB', () => taking({ type: 'string', pattern: '(a|b)*'.repeat(MB / 6) }), { tools: 2 }],
  // Objects that are not what they should be.
  ['paths that are a list', document({ paths: [] }), { tools: 0, warnings: ['invalid_paths', 'no_operations'] }],
  ['no paths', '{"openapi":"3.1.0","info":{"title":"T","version":"1"}}', { tools: 0, warnings: ['no_operations'] }],
  ['null path items', document({ paths: { '/n': null, '/a': { get } } }), { tools: 1, leftOut: ['invalid_object'] }],
  ['an operation that is a text', document({ paths: { '/n': { get: 'x' }, '/a': { get } } }), { tools: 1, leftOut: ['invalid_operation'] }],
  ['parameters without a name', document({ paths: { '/n': { get: { parameters: [{ in: 'query' }] } }, '/a': { get } } }), { tools: 1, leftOut: ['invalid_parameter'] }], // prettier-ignore
  ['parameters without a place', document({ paths: { '/n': { get: { parameters: [{ name: 'x' }] } }, '/a': { get } } }), { tools: 1, leftOut: ['invalid_parameter'] }], // prettier-ignore
  ['parameters that are null', document({ paths: { '/n': { get: { parameters: [null] } }, '/a': { get } } }), { tools: 1, leftOut: ['invalid_object'] }], // prettier-ignore
  ['parameters that are an object', document({ paths: { '/a': { get: { ...get, parameters: { a: 1 } } } } }), { tools: 1 }],
  ['a schema that is a text', taking('string'), { tools: 2, warnings: ['invalid_schema'] }],
  ['info, tags and servers of the wrong kind', document({ info: [], tags: 'x', servers: { url: 1 }, security: 'y', components: [] }), { tools: 1 }], // prettier-ignore
  ['a path without a slash, and an empty one', document({ paths: { 'a/b': { get }, '': { get } } }), { tools: 2, warnings: ['path_without_slash'] }], // prettier-ignore
  ['paths that lead elsewhere', document({ paths: { 'https://evil.test/a': { get }, '//evil.test/a': { get }, '@evil.test': { get }, '/a\r\nX: y': { get } } }), { tools: 4 }], // prettier-ignore
  ['brackets that do not match', document({ paths: { '/a/{b': { get }, '/c}/d': { get }, '/{}': { get }, '/{a{b}}': { get } } }), { tools: 4, warnings: ['parameter_undeclared'] }], // prettier-ignore
  ['headers that break lines', document({ paths: { '/a': { get: { ...get, parameters: [{ name: 'X\r\nHost', in: 'header', schema: {} }] } } } }), { tools: 1 }], // prettier-ignore
  ['servers that are none', document({ servers: [{ url: 'file:///etc' }, { url: 'javascript:alert(1)' }] }), { tools: 1, warnings: ['server_scheme'] }], // prettier-ignore
  ['a server variable without a value, and two that name each other', document({ servers: [{ url: 'https://{a}.test/{b}', variables: { b: { default: '{c}' }, c: { default: '{b}' } } }] }), { tools: 1, warnings: ['server_variable'] }], // prettier-ignore
  ['numbers that are none', taking('@').replace('"@"', '{"type":"number","minimum":1e999,"maximum":-1e999,"multipleOf":0,"enum":[12345678901234567890123]}'), { tools: 2 }], // prettier-ignore
  ['bounds that are none', taking({ type: ['x', 5, null], minLength: -1, maxLength: 'x', pattern: 5, format: {}, required: 'id', properties: [], enum: {} }), { tools: 2 }], // prettier-ignore
  ['methods that do not exist', document({ paths: { '/a': { get, constructor: get, fetch: get } } }), { tools: 1 }],
  ['__proto__ as every kind of name', `{"openapi":"3.1.0","__proto__":{"x":1},"info":{"title":"T","version":"1"},"servers":[{"url":"https://api.test"}],"paths":{"/a":{"__proto__":{"get":{}},"get":{"operationId":"__proto__","parameters":[{"name":"__proto__","in":"query","schema":{"$ref":"#/components/schemas/__proto__"}}],"requestBody":{"$ref":"#/__proto__/x"}}},"/b":{"get":{}}},"components":{"schemas":{"__proto__":{"type":"object","properties":{"__proto__":{"type":"string"}}}}}}`, { tools: 1, leftOut: ['invalid_object'] }], // prettier-ignore
  ['__proto__ in YAML, by a merge', yaml('x: { <<: { __proto__: { polluted: yes } }, __proto__: { polluted: yes } }\n'), { tools: 1 }],
  // References inside.
  ['a dangling schema', referring('#/components/schemas/None'), { tools: 2, warnings: ['dangling_reference'] }],
  ['a dangling parameter', document({ paths: { '/n': { get: { parameters: [{ $ref: '#/none' }] } }, '/a': { get } } }), { tools: 1, leftOut: ['dangling_reference'] }], // prettier-ignore
  ['a reference that is a number', taking({ $ref: 5 }), { tools: 2 }],
  ['a schema that is itself', taking({ $ref: '#/components/schemas/A' }, { components: { schemas: { A: { $ref: '#/components/schemas/A' } } } }), { tools: 2, warnings: ['circular_reference'] }], // prettier-ignore
  ['two schemas that are each other', taking({ $ref: '#/components/schemas/A' }, { components: { schemas: { A: { $ref: '#/components/schemas/B' }, B: { $ref: '#/components/schemas/A' } } } }, '3.1.0'), { tools: 2, warnings: ['circular_reference'] }], // prettier-ignore
  ['allOf of itself', taking({ $ref: '#/components/schemas/A' }, { components: { schemas: { A: { allOf: [{ $ref: '#/components/schemas/A' }, { type: 'object' }] } } } }), { tools: 2 }], // prettier-ignore
  ['a parameter that is itself', document({ paths: { '/n': { get: { parameters: [{ $ref: '#/components/parameters/A' }] } }, '/a': { get } }, components: { parameters: { A: { $ref: '#/components/parameters/A' } } } }), { tools: 1, leftOut: ['circular_reference'] }], // prettier-ignore
  ['a path item that is itself', document({ paths: { '/n': { $ref: '#/paths/~1n' }, '/a': { get } } }), { tools: 1, leftOut: ['circular_reference'] }], // prettier-ignore
  ['a reference into itself', taking({ $ref: '#/components/schemas/A/b' }, { components: { schemas: { A: { $ref: '#/components/schemas/A/b' } } } }), { tools: 2, warnings: ['dangling_reference'] }], // prettier-ignore
  ['a chain of 1,000 references', taking({ $ref: '#/components/schemas/S0' }, { components: { schemas: Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`S${index}`, { $ref: `#/components/schemas/S${index + 1}` }])) } }), { tools: 2, warnings: ['circular_reference'] }], // prettier-ignore
  ['a response that is itself', document({ paths: { '/a': { get: { responses: { 200: { $ref: '#/components/responses/A' } } } } }, components: { responses: { A: { $ref: '#/components/responses/A' } } } }), { tools: 1, warnings: ['circular_reference'] }], // prettier-ignore
  ['a security scheme that is itself', document({ security: [{ s: [] }], components: { securitySchemes: { s: { $ref: '#/components/securitySchemes/s' } } } }), { tools: 1, warnings: ['circular_reference'] }], // prettier-ignore
  ['a callback to its own path', document({ paths: { '/a': { get: { ...get, callbacks: { c: { x: { $ref: '#/paths/~1a' } } } } } } }), { tools: 1 }], // prettier-ignore
  ['items, values, choices and negations of themselves', taking({ $ref: '#/components/schemas/A' }, { components: { schemas: { A: { type: 'array', items: { $ref: '#/components/schemas/B' } }, B: { additionalProperties: { $ref: '#/components/schemas/C' } }, C: { anyOf: [{ $ref: '#/components/schemas/A' }, { not: { $ref: '#/components/schemas/C' } }] } } } }), { tools: 2 }], // prettier-ignore
  ['a choice that is itself', taking({ $ref: '#/components/schemas/A' }, { components: { schemas: { A: { oneOf: [{ $ref: '#/components/schemas/A' }] } } } }), { tools: 2, warnings: ['circular_reference'] }], // prettier-ignore
  ['a schema that is the document', taking({ $ref: '#' }), { tools: 2 }],
  ['a dynamic reference to nothing, and to itself', taking({ properties: { a: { $dynamicRef: '#none' }, b: { $dynamicAnchor: 'b', $dynamicRef: '#b' } } }, {}, '3.1.0'), { tools: 2, warnings: ['dangling_reference'] }], // prettier-ignore
  ['two schemas with one $id, one $anchor', taking({ $ref: 'https://x.test/a' }, { components: { schemas: { A: { $id: 'https://x.test/a', $anchor: 'x', type: 'string' }, B: { $id: 'https://x.test/a', $anchor: 'x' } } } }, '3.1.0'), { tools: 2 }], // prettier-ignore
  ['an $id that is no address', taking({ $id: 'http://[', type: 'string' }, {}, '3.1.0'), { tools: 2 }],
  ['a $schema that nobody knows', taking({ $schema: 'http://169.254.169.254/x', $vocabulary: { 'http://169.254.169.254/y': true } }, {}, '3.1.0'), { tools: 2 }], // prettier-ignore
  // References outside.
  ['below an $id elsewhere', taking({ $id: 'http://169.254.169.254/', properties: { a: { $ref: 'latest/meta-data' } } }, {}, '3.1.0'), { tools: 1, leftOut: ['external_reference'] }], // prettier-ignore
  ['a dynamic reference elsewhere', taking({ $dynamicRef: 'https://evil.test/a#b' }, {}, '3.1.0'), { tools: 1, leftOut: ['external_reference'] }], // prettier-ignore
  ['addresses that only name something', document({ externalDocs: { url: 'file:///etc/passwd' }, security: [{ o: [] }], components: { examples: { e: { externalValue: 'file:///etc/passwd' } }, securitySchemes: { o: { type: 'openIdConnect', openIdConnectUrl: 'http://169.254.169.254/' } } } }), { tools: 1 }], // prettier-ignore
  ['a discriminator elsewhere', taking({ oneOf: [{ $ref: '#/components/schemas/A' }], discriminator: { propertyName: 'k', mapping: { a: 'file:///etc/passwd', b: 'http://169.254.169.254/' } } }, { components: { schemas: { A: { type: 'object' } } } }), { tools: 2 }], // prettier-ignore
  ['file:', referring('file:///etc/passwd'), { tools: 1, leftOut: ['external_reference'] }],
  ['an absolute path', referring('/etc/passwd'), { tools: 1, leftOut: ['external_reference'] }],
  ['a drive', referring('C:\\secrets.json'), { tools: 1, leftOut: ['external_reference'] }],
  ['a share', referring('\\\\server\\share\\a.json'), { tools: 1, leftOut: ['external_reference'] }],
  ['/proc', referring('/proc/self/environ'), { tools: 1, leftOut: ['external_reference'] }],
  ['a folder above', referring('../../../../etc/passwd'), { tools: 1, leftOut: ['external_reference'] }],
  ['a metadata address', referring('http://169.254.169.254/latest/meta-data/'), { tools: 1, leftOut: ['external_reference'] }],
  ['a data: address', referring('data:application/json,{}'), { tools: 1, leftOut: ['external_reference'] }],
  ['javascript:', referring('javascript:alert(1)'), { tools: 1, leftOut: ['external_reference'] }],
  ['a path item elsewhere', document({ paths: { '/n': { $ref: 'https://evil.test/a.json' }, '/a': { get } } }), { tools: 1, leftOut: ['external_reference'] }], // prettier-ignore
  ['a dialect elsewhere', document({ jsonSchemaDialect: 'http://169.254.169.254/dialect', $self: 'http://169.254.169.254/self' }, '3.2.0'), { tools: 1 }], // prettier-ignore
  // Archives.
  ['an archive', archive(entry), { tools: 1 }],
  ['an archive that breaks off', archive(entry).slice(0, -60), 'invalid_archive'],
  ['an archive of nothing', archive({}), 'empty'],
  ['an archive of pictures', archive({ 'a.png': strToU8('x') }), 'empty'],
  ['an archive without a description', archive({ 'a.json': strToU8('{}'), 'b.json': strToU8('{}') }), 'not_openapi'],
  ['an archive of two descriptions', archive({ 'a.json': entry['openapi.json'], 'b.json': entry['openapi.json'] }), 'several_documents'],
  ['text that says it is an archive', 'data:application/zip;base64,AAAA', 'invalid_archive'],
  ['a name that leads out of the archive', archive({ ...entry, '../../canary.json': strToU8('{}') }), 'invalid_archive'],
  ['an absolute name in the archive', archive({ ...entry, '/etc/canary.json': strToU8('{}') }), 'invalid_archive'],
  ['backslashes that lead out of the archive', archive({ ...entry, '..\\canary.json': strToU8('{}') }), 'invalid_archive'],
  ['a link in the archive', archive({ ...entry, 'link.json': [strToU8('/etc/passwd'), { os: 3, attrs: 0xa1ff0000 }] }), 'invalid_archive'],
  ['a zip bomb', () => archive({ ...entry, 'bomb.json': [new Uint8Array(63 * MB), { level: 9 }] }), 'too_large'],
  ['a zip bomb of many files', () => archive({ ...entry, ...Object.fromEntries(Array.from({ length: 90 }, (_, index) => [`${index}.json`, [new Uint8Array(MB), { level: 9 }] as [Uint8Array, { level: 9 }]])) }), 'too_large'], // prettier-ignore
  ['a zip bomb that lies about its size', () => archive({ ...entry, 'bomb.json': [new Uint8Array(63 * MB), { level: 9 }] }, (bytes) => bytes.writeUInt32LE(10, bytes.lastIndexOf('bomb.json') - 22)), 'too_large'], // prettier-ignore
  ['1,001 files in an archive', () => archive({ ...entry, ...Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`${index}.json`, strToU8('{}')])) }), 'too_many_files'], // prettier-ignore
  ['an archive that refers out of itself', archive({ 'openapi.json': strToU8(referring('../outside.json')), 'outside.json': strToU8('{}') }), { tools: 1, leftOut: ['external_reference'] }], // prettier-ignore
];

async function outcomeOf(input: Omit<CompileInput, 'name'>): Promise<CompiledService | DocumentError> {
  return compileInWorker({ name: 'svc', ...input }).catch((error: unknown) => {
    if (error instanceof DocumentError) return error;
    throw error;
  });
}

function check(result: CompiledService | DocumentError, outcome: Outcome): void {
  if (typeof outcome === 'string') {
    expect(result instanceof DocumentError ? result.code : codesOf(result)).toBe(outcome);
    // A person can act on it.
    expect((result as DocumentError).message).toMatch(/^[A-Z].{15,600}\.$/s);
    return;
  }
  if (result instanceof DocumentError) throw result;
  const { warnings = [], leftOut = [] } = outcome;
  expect(codesOf(result)).toEqual({ tools: outcome.tools, leftOut, warnings: expect.arrayContaining([...warnings]) });
  const lengths = result.operations.map(({ tool }) => JSON.stringify(tool.definition).length);
  if (outcome.longest !== undefined) expect(Math.max(...lengths)).toBeLessThan(outcome.longest);
  for (const { message } of [...result.leftOut, ...result.warnings]) expect(message.length).toBeLessThan(700);
}

function codesOf({ operations, leftOut, warnings }: CompiledService): object {
  return { tools: operations.length, leftOut: leftOut.map(({ code }) => code), warnings: [...new Set(warnings.map(({ code }) => code))] };
}

describe('documents that are broken or mean harm', () => {
  test.each(cases)('%s', async (_, text, outcome) => {
    const input = typeof text === 'string' ? text : text();
    const started = performance.now();
    const result = await outcomeOf({ text: input });
    const took = performance.now() - started;
    check(result, outcome);
    expect(took).toBeLessThan(MOST_MS);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

test('what is described in another format is told its name', async () => {
  const names = [
    'HTML',
    'WSDL',
    'WADL',
    'RAML',
    'API Blueprint',
    'AsyncAPI',
    'Postman',
    'Insomnia',
    'HAR',
    'Google Discovery',
    'JSON Schema',
    'PDF',
  ];
  for (const name of names) {
    const [, text] = cases.find(([title]) => title.includes(name)) ?? [name, ''];
    expect(((await outcomeOf({ text: text as string })) as DocumentError).message).toContain(name);
  }
});

describe('50 MB', () => {
  const run = promisify(execFile);
  test.each<[name: string, outcome: string | number, limit?: number]>([
    ['operations', 5000],
    ['operations that break off', 'invalid_json'],
    ['one text', 1],
    ['nothing', 'empty'],
    ['brackets', 'too_expensive'],
    ['levels', 'too_expensive'],
    ['objects', 'too_expensive'],
    ['one word', 'not_openapi'],
    // Ten megabytes that become hundreds.
    ['tools', 'too_expensive'],
    // By itself it takes 20 s to fill the worker's memory.
    ['yaml', 'too_expensive', 3000],
    ['too much', 'too_large'],
  ])('of %s', { timeout: 40_000 }, async (name, outcome, limit) => {
    const script = fileURLToPath(import.meta.resolve('./large-document.ts'));
    const { stdout } = await run(process.execPath, [script, name, ...(limit === undefined ? [] : [String(limit)])]);
    const result = JSON.parse(stdout) as { outcome: string | number; ms: number; peakMb: number };
    expect(result.outcome).toBe(outcome);
    expect(result.ms).toBeLessThan(30_000);
    expect(result.peakMb).toBeLessThan(1024);
  });
});

describe('references of a document in a folder', () => {
  async function within(
    schemas: Readonly<Record<string, string>>,
    limit = MB,
  ): Promise<{ result: CompiledService; given: string[]; text: string }> {
    const paths = Object.fromEntries(
      Object.entries(schemas).map(([name, reference]) => [
        `/${name}`,
        { post: { requestBody: { content: { 'application/json': { schema: { $ref: reference } } } } } },
      ]),
    );
    const text = document({ paths });
    const { files, unread } = await readRelatedFiles(join(inside, 'openapi.json'), text, limit);
    const result = await compileInWorker({ name: 'svc', text, folder: { entry: 'openapi.json', files, unread } });
    return { result, given: [...files.keys()], text: JSON.stringify([...files.values(), result]) };
  }
  const reasons = ({ leftOut }: CompiledService): Record<string, string> =>
    Object.fromEntries(leftOut.map(({ path, message }) => [path.slice(1), message]));

  test('nothing outside is opened or visited, and each operation says why it is left out', async () => {
    const before = visits;
    const { result, given, text } = await within({
      fine: 'fine.json',
      goodLink: './good-link.json',
      file: `file://${join(outside, 'secret.json')}`,
      absolute: join(outside, 'secret.json'),
      above: '../outside/secret.json',
      aboveEncoded: '%2e%2e/outside/secret.json',
      aboveBackslash: '..\\outside\\secret.json',
      aboveTwice: 'sub/../../above.yaml',
      link: 'link.json',
      linkedFolder: 'linked/secret.json',
      hidden: '.hidden.json',
      modules: 'sub/node_modules/a.json',
      settings: 'hubgate.yaml',
      text: 'secret.txt',
      folder: 'sub',
      missing: 'none.json',
      broken: 'broken.json',
      onward: 'refers.yaml',
      http: `http://127.0.0.1:${port}/a.json`,
      name: `http://localhost:${port}/a.json`,
      scheme: `//127.0.0.1:${port}/a.json`,
      upper: `HTTP://127.0.0.1:${port}/a.json`,
    });
    expect(given.sort()).toEqual(['broken.json', 'fine.json', 'good-link.json', 'refers.yaml']);
    expect(text).not.toContain(CANARY);
    expect(visits).toBe(before);
    expect(result.operations.map(({ path }) => path)).toEqual(['/fine', '/goodLink']);
    expect(result.operations[0]?.tool.definition.inputSchema['properties']).toMatchObject({
      body: { properties: { here: { type: 'string' } } },
    });
    const said = reasons(result);
    expect(Object.keys(said)).toHaveLength(20);
    for (const [name, message] of Object.entries(said)) {
      if (name !== 'onward') expect(message).toContain('The reference "');
    }
    expect(said).toMatchObject({
      file: expect.stringContaining('scheme file:'),
      absolute: expect.stringContaining('absolute path'),
      above: expect.stringMatching(/"\.\.\/outside\/secret\.json" leads out of the document's folder/),
      link: expect.stringContaining('a link that leads out of the folder'),
      hidden: expect.stringContaining('hidden files'),
      settings: expect.stringContaining('configuration of the hub'),
      missing: expect.stringContaining('there is no such file'),
      broken: expect.stringContaining('cannot be read (line 1)'),
      http: expect.stringContaining('another address, which is not fetched'),
    });
  });

  test('a thousand files, and as many bytes as one document may have', async () => {
    const many = join(folder, 'many');
    await mkdir(many);
    for (let index = 0; index < 1005; index += 1)
      writeFileSync(join(many, `f${index}.json`), JSON.stringify({ properties: { next: { $ref: `f${index + 1}.json` } } }));
    const text = referring('f0.json');
    const { files, unread } = await readRelatedFiles(join(many, 'openapi.json'), text, MB);
    expect(files.size).toBe(1000);
    expect([...unread.values()]).toEqual(['the document refers to more than 1000 files.']);
    expect((await readRelatedFiles(join(many, 'openapi.json'), text, text.length + 200)).files.size).toBeLessThan(10);
    const result = await compileInWorker({ name: 'svc', text, folder: { entry: 'openapi.json', files, unread } });
    expect(codesOf(result)).toMatchObject({ tools: 1, leftOut: ['external_reference'] });
  });
});
