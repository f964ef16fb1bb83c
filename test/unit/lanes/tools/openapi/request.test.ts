import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildRequest, targetOf } from '../../../../../src/lanes/tools/openapi/request.ts';
import type { CompiledOperation } from '../../../../../src/lanes/tools/openapi/types.ts';
import { formOf } from '../../../../support/form-of.ts';
import type { Part } from './compiling.ts';
import { compileOne, compileTree } from './compiling.ts';

const TARGET = { origin: 'https://api.test', prefix: '/v1' };

function built(operation: CompiledOperation, args: Part) {
  const result = buildRequest(operation, args, TARGET);
  if ('fault' in result) throw new Error(result.fault);
  return result.request;
}

function faultOf(operation: CompiledOperation, args: Part): string {
  const result = buildRequest(operation, args, TARGET);
  return 'fault' in result ? result.fault : `no fault: ${result.request.path}`;
}

const LIST = ['a', 'b c'];
const OBJECT = { R: 100, G: 'x&y' };

describe('parameters in their styles', () => {
  test.each<[Part, unknown, string]>([
    [{}, LIST, '?p=a&p=b%20c'],
    [{}, OBJECT, '?R=100&G=x%26y'],
    [{}, 'b c+d', '?p=b%20c%2Bd'],
    [{}, '', '?p='],
    [{}, [], ''],
    [{}, null, ''],
    [{}, true, '?p=true'],
    [{}, 1e21, '?p=1000000000000000000000'],
    [{}, 1.5e-7, '?p=0.00000015'],
    [{ explode: false }, LIST, '?p=a,b%20c'],
    [{ explode: false }, OBJECT, '?p=R,100,G,x%26y'],
    [{ style: 'spaceDelimited', explode: false }, LIST, '?p=a%20b%20c'],
    [{ style: 'pipeDelimited', explode: false }, LIST, '?p=a%7Cb%20c'],
    [{ style: 'deepObject' }, { a: { b: 1 }, tags: ['x', 'y'] }, '?p%5Ba%5D%5Bb%5D=1&p%5Btags%5D=x&p%5Btags%5D=y'],
    [{ allowReserved: true }, 'a/b:c&d#e+f', '?p=a/b:c%26d%23e%2Bf'],
    [{ content: { 'application/json': { schema: {} } } }, OBJECT, '?p=%7B%22R%22%3A100%2C%22G%22%3A%22x%26y%22%7D'],
  ])('query %j of %j', (parameter, value, expected) => {
    const operation = compileOne({ parameters: [{ name: 'p', in: 'query', schema: {}, ...parameter }] });
    expect(built(operation, { p: value }).path).toBe(`/v1/things${expected}`);
  });

  test.each<[Part, unknown, string]>([
    [{}, 'a/b?c#d%', 'a%2Fb%3Fc%23d%25'],
    [{}, LIST, 'a,b%20c'],
    [{}, OBJECT, 'R,100,G,x%26y'],
    [{ explode: true }, OBJECT, 'R=100,G=x%26y'],
    [{ style: 'label' }, 'a', '.a'],
    [{ style: 'label', explode: true }, LIST, '.a.b%20c'],
    [{ style: 'label', explode: true }, OBJECT, '.R=100.G=x%26y'],
    [{ style: 'matrix' }, 'a', ';p=a'],
    [{ style: 'matrix' }, LIST, ';p=a,b%20c'],
    [{ style: 'matrix', explode: true }, LIST, ';p=a;p=b%20c'],
    [{ style: 'matrix', explode: true }, OBJECT, ';R=100;G=x%26y'],
    [{ style: 'matrix' }, OBJECT, ';p=R,100,G,x%26y'],
  ])('path %j of %j', (parameter, value, expected) => {
    const operation = compileOne(
      { parameters: [{ name: 'p', in: 'path', required: true, schema: {}, ...parameter }] },
      { path: '/x/{p}/y' },
    );
    expect(built(operation, { p: value }).path).toBe(`/v1/x/${expected}/y`);
  });

  test('label without explode follows the version of the document', () => {
    const path = (openapi: string) => {
      const parameters = [{ name: 'p', in: 'path', required: true, style: 'label', schema: {} }];
      return built(compileOne({ parameters }, { path: '/{p}', root: { openapi } }), { p: ['a', 'b'] }).path;
    };
    expect(['3.0.3', '3.1.0', '3.0.4', '3.1.1'].map(path)).toEqual(['/v1/.a.b', '/v1/.a.b', '/v1/.a,b', '/v1/.a,b']);
  });

  test('headers are not encoded, cookies are, and share one header', () => {
    const operation = compileOne({
      parameters: [
        { name: 'X-List', in: 'header', schema: { type: 'array', items: {} } },
        { name: 'X-Object', in: 'header', explode: true, schema: { type: 'object' } },
        { name: 'c', in: 'cookie', schema: {} },
        { name: 'd', in: 'cookie', schema: {} },
        { name: 'Accept', in: 'header', schema: {} },
        { name: 'Content-Length', in: 'header', schema: {} },
      ],
    });
    const { headers } = built(operation, { X_List: LIST, X_Object: OBJECT, c: 'a;b', d: ['1', '2'] });
    expect(headers).toEqual({
      accept: 'application/json, */*;q=0.1',
      'x-list': 'a,b c',
      'x-object': 'R=100,G=x&y',
      cookie: 'c=a%3Bb; d=1; d=2',
    });
    expect(built(operation, { X_List: [null], X_Object: { a: null }, c: [] }).headers).toEqual({ accept: 'application/json, */*;q=0.1' });
    expect(faultOf(operation, { X_List: 'a\r\nx: y' })).toContain('one line');
    expect(faultOf(operation, { X_List: '日本' })).toContain('Latin-1');
  });

  test('a header that has no legal name is left out, with its operation when it is required', () => {
    const get = (required: boolean) => ({
      parameters: [
        { name: 'q', in: 'query', schema: {} },
        { name: 'X Foo', in: 'header', required, schema: {} },
        { name: 'c\r\nx: y', in: 'cookie', style: 'cookie', schema: {} },
      ],
    });
    const paths = { '/a': { get: get(false) }, '/b': { get: get(true) } };
    const { operations, warnings, leftOut } = compileTree({ openapi: '3.2.0', paths });
    expect(operations.map(({ path, parameters }) => [path, parameters.map(({ name }) => name)])).toEqual([['/a', ['q']]]);
    expect(warnings).toMatchObject([
      { pointer: '/paths/~1a/get/parameters/1', code: 'parameter_dropped', message: expect.stringContaining('"X Foo"') },
      { pointer: '/paths/~1a/get/parameters/2', code: 'parameter_dropped' },
    ]);
    expect(leftOut).toMatchObject([{ path: '/b', pointer: '/paths/~1b/get/parameters/1', code: 'invalid_parameter' }]);
  });

  test('no name of a header or cookie breaks out of its place', () => {
    const content = { 'application/json': { schema: {} } };
    const operation = compileOne({
      parameters: [
        { name: '__proto__', in: 'header', schema: { type: 'string' } },
        { name: 'c\r\nx: y', in: 'cookie', content },
      ],
    });
    const [header = '', cookie = ''] = operation.parameters.map(({ key }) => key);
    const { headers } = built(operation, { [header]: 'v', [cookie]: 1 });
    expect(Object.entries(headers)).toEqual([
      ['accept', 'application/json, */*;q=0.1'],
      ['__proto__', 'v'],
      ['cookie', 'c%0D%0Ax%3A%20y=1'],
    ]);
  });

  test('JSON in a header has every character, and its schema is what the document says, else anything', () => {
    const content = { 'application/json': { schema: { type: 'object' } } };
    const operation = compileOne({
      parameters: [
        { name: 'x', in: 'header', content },
        { name: 'y', in: 'query', content: { 'application/json': {} } },
      ],
    });
    expect(built(operation, { x: { k: 'ü ключ\n' } }).headers['x']).toBe('{"k":"ü \\u043a\\u043b\\u044e\\u0447\\n"}');
    expect(operation.tool.definition.inputSchema).toMatchObject({ properties: { x: { type: 'object' }, y: {} } });
  });

  test('members that are null are not there', () => {
    const path = (place: string) => {
      const operation = compileOne(
        { parameters: [{ name: 'p', in: place, required: true, schema: {} }] },
        { path: place === 'path' ? '/{p}' : '/' },
      );
      const { path: at, headers } = built(operation, { p: [null, 'a'] });
      return `${at} ${headers['p'] ?? ''}${headers['cookie'] ?? ''}`;
    };
    expect(['path', 'query', 'header', 'cookie'].map(path)).toEqual(['/v1/a ', '/v1/?p=a ', '/v1/ a', '/v1/ p=a']);
  });

  test('Swagger 2.0 formats of collections', () => {
    const parameter = (name: string, collectionFormat?: string) => ({
      name,
      in: 'query',
      type: 'array',
      items: { type: 'string' },
      collectionFormat,
    });
    const parameters = [
      parameter('none'),
      parameter('ssv', 'ssv'),
      parameter('tsv', 'tsv'),
      parameter('pipes', 'pipes'),
      parameter('multi', 'multi'),
    ];
    const service = compileTree({ swagger: '2.0', host: 'h.test', basePath: '/v2/', paths: { '/a': { get: { parameters } } } });
    const value = ['1', '2'];
    const operation = service.operations[0] as CompiledOperation;
    expect(built(operation, { none: value, ssv: value, tsv: value, pipes: value, multi: value }).path).toBe(
      '/v1/a?none=1,2&ssv=1%202&tsv=1%092&pipes=1%7C2&multi=1&multi=2',
    );
    expect(operation.server).toBe('https://h.test/v2');
  });

  test('a whole query of 3.2', () => {
    const parameters = [{ name: 'q', in: 'querystring', content: { 'application/x-www-form-urlencoded': { schema: { type: 'object' } } } }];
    const operation = compileOne({ parameters }, { root: { openapi: '3.2.0' } });
    expect(built(operation, { q: { a: [1, 2], b: 'x y' } }).path).toBe('/v1/things?a=1&a=2&b=x%20y');
    expect(operation.tool.definition._meta).toMatchObject({ 'hubgate/operation': { bindings: { q: 'querystring' } } });
  });
});

describe('paths', () => {
  const operation = compileOne({ parameters: [{ name: 'id', in: 'path', required: true, schema: {} }] }, { path: '/pets/{id}' });

  test.each([
    '',
    '.',
    '..',
    '%2e%2e',
    '../x',
    'a/../../b',
    'a\\..\\b',
    'a%2f..%2fb',
    '..;',
    '..;x',
    'a/..;x/b',
    '%2e%2e;x',
    '%2e%2e%3bx',
    '.;x',
    '%2e%2e;%zz',
    ['..'],
    null,
  ])('the value %j is refused', (id) => {
    expect(faultOf(operation, { id })).toContain('is wanted in the path');
  });

  test.each(['a..b', '...', '.hidden', 'v1.2', '50%', '%zz', 'a;..', '...;x'])('the value %j is fine', (id) => {
    expect(built(operation, { id }).path).toBe(`/v1/pets/${encodeURIComponent(id)}`);
  });

  test('two values cannot make ".." together', () => {
    const pair = compileOne(
      { parameters: ['a', 'b'].map((name) => ({ name, in: 'path', required: true, schema: {} })) },
      { path: '/{a}.{b}/x' },
    );
    expect(built(pair, { a: '1', b: '2' }).path).toBe('/v1/1.2/x');
    const label = compileOne(
      { parameters: [{ name: 'a', in: 'path', required: true, schema: {}, style: 'label', explode: true }] },
      { path: '/{a}' },
    );
    expect(faultOf(label, { a: ['', ''] })).toContain('".."');
    expect(faultOf(compileOne({}, { path: '/{.a*};v=1' }), { a: ['', ''] })).toContain('".."');
    expect(built(label, { a: ['x', ''] }).path).toBe('/v1/.x.');
  });

  test('keys with a fixed query, a fragment, places inside segments and styles of their own', () => {
    const path = (key: string, args: Part) => built(compileOne({}, { path: key }), args).path;
    expect(path('/?Action=List&Version=2#Action=List', {})).toBe('/v1/?Action=List&Version=2');
    expect(path('/{a}.json', { a: 'x y' })).toBe('/v1/x%20y.json');
    expect(path('/v/{name}:run', { name: 'n' })).toBe('/v1/v/n:run');
    expect(path('/m{;id*}', { id: ['1', '2'] })).toBe('/v1/m;id=1;id=2');
    expect(path('/räume/a b', {})).toBe('/v1/r%C3%A4ume/a%20b');
  });

  test('a fixed query comes before the arguments', () => {
    const fixed = compileOne({ parameters: [{ name: 'p', in: 'query', schema: {} }] }, { path: '/a?x=1' });
    expect(built(fixed, { p: 2 }).path).toBe('/v1/a?x=1&p=2');
  });

  test.each<[string, string, string]>([
    ['/a?x={p}&y=1', 'path', '/v1/a?x=v%2F1&y=1&q=2'],
    ['/a?x={p}&y=1', 'query', '/v1/a?y=1&p=v%2F1&q=2'],
    ['/a?p={id}', 'query', '/v1/a?p=v%2F1&q=2'],
    ['/a{?p,other}', 'query', '/v1/a?p=v%2F1&q=2'],
    ['/a?y=1{&p}', 'query', '/v1/a?y=1&p=v%2F1&q=2'],
  ])('%s with p in the %s', (path, place, expected) => {
    const parameters = [
      { name: 'p', in: place, required: true, schema: {} },
      { name: 'q', in: 'query', schema: {} },
    ];
    expect(built(compileOne({ parameters }, { path }), { p: 'v/1', q: 2 }).path).toBe(expected);
  });

  test('allowReserved is for the query up to 3.1, and since 3.2 never lets a value end its segment', () => {
    const path = (openapi: string) => {
      const parameters = [{ name: 'p', in: 'path', required: true, allowReserved: true, schema: {} }];
      return built(compileOne({ parameters }, { path: '/{p}', root: { openapi } }), { p: 'a/b?c#d:@!$&+%2F' }).path;
    };
    expect(path('3.1.1')).toBe('/v1/a%2Fb%3Fc%23d%3A%40%21%24%26%2B%252F');
    expect(path('3.2.0')).toBe('/v1/a%2Fb%3Fc%23d:@!$&+%2F');
  });

  test('path-level parameters apply, and an own one takes their place', () => {
    const service = compileTree({
      paths: {
        '/{id}': {
          parameters: [
            { name: 'id', in: 'path', required: true, schema: { type: 'integer' } },
            { name: 'X-A', in: 'header', schema: {} },
          ],
          get: { parameters: [{ name: 'x-a', in: 'header', required: true, schema: { type: 'string' } }] },
        },
      },
    });
    expect(service.operations[0]?.tool.definition.inputSchema).toMatchObject({
      properties: { id: { type: 'integer' }, x_a: { type: 'string' } },
      required: ['id', 'x_a'],
    });
  });
});

describe('bodies', () => {
  function withBody(content: Part, root: Part = {}): CompiledOperation {
    return compileOne({ requestBody: { content } }, { root });
  }
  const any = { schema: {} };

  test('the media type that is wanted most, exactly as declared', () => {
    const type = (...types: string[]) => withBody(Object.fromEntries(types.map((one) => [one, any]))).body?.mediaType;
    expect(type('text/plain', 'multipart/form-data', 'application/vnd.api+json; v=1')).toBe('application/vnd.api+json; v=1');
    expect(type('application/xml', 'application/json; charset=utf-8', 'application/x-www-form-urlencoded')).toBe(
      'application/json; charset=utf-8',
    );
    expect(type('multipart/form-data', 'application/x-www-form-urlencoded')).toBe('application/x-www-form-urlencoded');
    expect(type('*/*')).toBe('application/json');
    expect(type('application/octet-stream', 'text/plain')).toBe('text/plain');
    expect(type('image/*')).toBe('image/*');
  });

  test('JSON of any root, absent when not given', () => {
    const operation = withBody({ 'application/json': any });
    expect(built(operation, { body: [1, { a: null }] })).toMatchObject({
      body: '[1,{"a":null}]',
      headers: { 'content-type': 'application/json' },
    });
    expect(built(operation, { body: null }).body).toBe('null');
    expect(built(operation, {})).toEqual({
      method: 'POST',
      origin: 'https://api.test',
      path: '/v1/things',
      headers: { accept: 'application/json, */*;q=0.1' },
    });
  });

  test('urlencoded: arrays repeat, objects are JSON unless the document says otherwise', () => {
    const schema = { type: 'object', properties: { deep: { type: 'object' }, csv: { type: 'array' } } };
    const encoding = { deep: { style: 'deepObject', explode: true }, csv: { style: 'form', explode: false } };
    const operation = withBody({ 'application/x-www-form-urlencoded': { schema, encoding } });
    const body = { a: ['x y', '&'], o: { b: 1 }, deep: { k: { l: 'v' } }, csv: [1, 2], none: null, t: true };
    expect(built(operation, { body }).body).toBe('a=x+y&a=%26&o=%7B%22b%22%3A1%7D&deep%5Bk%5D%5Bl%5D=v&csv=1,2&t=true');
  });

  test('multipart: files from base64 with name and type, objects as JSON parts, arrays as several', async () => {
    const file = { type: 'string', format: 'binary' };
    const schema = {
      type: 'object',
      properties: {
        file,
        files: { type: 'array', items: file },
        meta: { type: 'object' },
        tags: { type: 'array', items: { type: 'string' } },
      },
    };
    const operation = withBody({ 'multipart/form-data': { schema, encoding: { file: { contentType: 'image/png, image/jpeg' } } } });
    const base64 = Buffer.from('hello').toString('base64');
    const { body, headers } = built(operation, {
      body: { file: base64, files: [{ data: base64, filename: 'a.txt', mimeType: 'text/plain' }], meta: { a: 1 }, tags: ['x', 'y'] },
    });
    expect(headers['content-type']).toMatch(/^multipart\/form-data; boundary=[\w-]+$/);
    const data = await formOf(body, headers);
    const sent = data.get('file') as File;
    expect([sent.name, sent.type, await sent.text()]).toEqual(['file', 'image/png', 'hello']);
    expect((data.get('files') as File).name).toBe('a.txt');
    expect(String(body)).toContain('name="meta"\r\nContent-Type: application/json\r\n\r\n{"a":1}\r\n');
    expect(data.getAll('tags')).toEqual(['x', 'y']);
    expect(faultOf(operation, { body: { file: 'not base64!' } })).toContain('base64');
  });

  test('text, bytes and XML', () => {
    expect(built(withBody({ 'text/plain': { schema: { type: 'string' } } }), { body: 'a\nb' }).body).toBe('a\nb');
    expect(Buffer.from(built(withBody({ 'application/octet-stream': any }), { body: 'aGk=' }).body as Uint8Array).toString()).toBe('hi');
    const xml = withBody({ 'application/xml': { schema: { type: 'object' } } });
    expect(xml.tool.definition.inputSchema).toMatchObject({
      properties: { body: { type: 'string', description: expect.stringContaining('XML') } },
    });
    expect(built(xml, { body: '<a/>' }).headers['content-type']).toBe('application/xml');
  });

  test('a GET with an empty body sends none and asks for none', () => {
    const requestBody = { content: { 'application/x-www-form-urlencoded': { schema: { type: 'object', properties: {} } } } };
    const service = compileTree({ paths: { '/a': { get: { requestBody }, delete: { requestBody: { ...requestBody, required: true } } } } });
    expect(service.operations.map(({ body }) => body?.key)).toEqual([undefined, 'body']);
  });

  test.each([{}, { type: 'object', additionalProperties: true }, { type: 'object', additionalProperties: { type: 'string' } }])(
    'a DELETE whose body may hold anything can send one: %j',
    (schema) => {
      const service = compileTree({ paths: { '/a': { delete: { requestBody: { content: { 'application/json': { schema } } } } } } });
      expect(service.operations[0]!.body?.key).toBe('body');
    },
  );

  test('Swagger 2.0 form fields and bodies', () => {
    const post = {
      consumes: ['multipart/form-data'],
      parameters: [
        { name: 'f', in: 'formData', type: 'file', required: true },
        { name: 'l', in: 'formData', type: 'array', items: {}, collectionFormat: 'multi' },
      ],
    };
    const put = { parameters: [{ name: 'thing', in: 'body', required: true, schema: { $ref: '#/definitions/T' } }] };
    const service = compileTree({ swagger: '2.0', host: 'h.test', definitions: { T: { type: 'object' } }, paths: { '/a': { post, put } } });
    expect(service.operations.map(({ body }) => [body?.kind, body?.required, body?.mediaType])).toEqual([
      ['multipart', true, 'multipart/form-data'],
      ['json', true, 'application/json'],
    ]);
  });
});

describe('servers', () => {
  const server = (root: Part, operation: Part = {}, url?: string) =>
    compileTree({ paths: { '/a': { get: operation } }, ...root }, url === undefined ? {} : { url }).operations[0]?.server;

  test('operation before path before document, variables by their defaults', () => {
    const servers = [
      { url: 'https://{region}.api.test:{port}/v1/', variables: { region: { default: 'eu' }, port: { enum: ['8443'], default: 8443 } } },
    ];
    expect(server({ servers })).toBe('https://eu.api.test:8443/v1');
    expect(server({ servers }, { servers: [{ url: 'https://up.test' }] })).toBe('https://up.test');
  });

  test('relative ones by the address of the document, none at all, userinfo and other schemes', () => {
    expect(server({ servers: [{ url: '/v2/' }] }, {}, 'https://docs.test/spec/openapi.json')).toBe('https://docs.test/v2');
    expect(server({ servers: [{ url: '/v2/' }] })).toBe('/v2');
    expect(server({ servers: [] })).toBe('');
    expect(server({ servers: [{ url: 'https://me:secret@api.test/x' }] })).toBe('https://api.test/x');
    expect(server({ servers: [{ url: 'file:///etc' }] })).toBe('');
  });

  test.each<[string, Part]>([
    ['no servers', { servers: undefined }],
    ['an empty list', { servers: [] }],
    ['an empty address', { servers: [{ url: '' }] }],
    ['none for the operation either', { servers: [], paths: { '/a': { get: { servers: [{ url: ' ' }] } } } }],
    ['Swagger 2.0 without host and basePath', { swagger: '2.0' }],
  ])('%s: the root of where the document is', (_, root) => {
    expect(server(root, {}, 'http://docs.test/docs/openapi.json')).toBe('http://docs.test');
    expect(server(root)).toBe('');
  });

  test('addresses inside the process', () => {
    expect(targetOf('demo:petstore')).toEqual({ origin: 'demo:petstore', prefix: '' });
    expect(targetOf('https://api.test:8443/v1/')).toEqual({ origin: 'https://api.test:8443', prefix: '/v1' });
    expect(targetOf('ftp://x')).toBeUndefined();
  });
});

describe('what is written can be read back', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((value) => value.isWellFormed());
  const scalar = fc.oneof(text, fc.integer(), fc.boolean());

  test('query: exploded lists, scalars, deep objects', () => {
    const operation = compileOne({
      parameters: [
        { name: 'a[]', in: 'query', schema: {} },
        { name: 's&', in: 'query', schema: {} },
        { name: 'd', in: 'query', style: 'deepObject', schema: {} },
      ],
    });
    const keys = Object.fromEntries(operation.parameters.map(({ name, key }) => [name, key]));
    fc.assert(
      fc.property(fc.array(scalar), scalar, fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), scalar), (list, one, deep) => {
        const { path } = built(operation, { [keys['a[]'] ?? '']: list, [keys['s&'] ?? '']: one, d: deep });
        const read = new URL(path, 'https://x.test').searchParams;
        expect(read.getAll('a[]')).toEqual(list.map(String));
        expect(read.get('s&')).toBe(String(one));
        for (const [key, value] of Object.entries(deep)) expect(read.get(`d[${key}]`)).toBe(String(value));
      }),
    );
  });

  test('path: one segment whatever the value, never another path', () => {
    const operation = compileOne({ parameters: [{ name: 'id', in: 'path', required: true, schema: {} }] }, { path: '/pets/{id}/x' });
    const nasty = fc
      .array(fc.constantFrom('.', '/', '\\', '%2e', '%2f', '%', '?', '#', 'a', ' ', ';', 'é'), { maxLength: 8 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(text, nasty), (id) => {
        const result = buildRequest(operation, { id }, TARGET);
        if ('fault' in result) return;
        const url = new URL(result.request.path, 'https://x.test');
        expect(url.pathname.split('/')).toHaveLength(5);
        expect(decodeURIComponent(url.pathname.split('/')[3] ?? '')).toBe(id);
        expect(url.search + url.hash).toBe('');
      }),
      { numRuns: 500 },
    );
  });

  test('urlencoded bodies', () => {
    const operation = compileOne({ requestBody: { content: { 'application/x-www-form-urlencoded': { schema: { type: 'object' } } } } });
    fc.assert(
      fc.property(fc.dictionary(text.filter((key) => key !== ''), fc.oneof(scalar, fc.array(scalar, { minLength: 1 }))), (body) => {
        const read = new URLSearchParams(built(operation, { body }).body as string);
        for (const [key, value] of Object.entries(body)) expect(read.getAll(key)).toEqual([value].flat().map(String));
      }),
    ); // prettier-ignore
  });
});
