import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkArguments } from '../../../../../src/lanes/tools/openapi/arguments.ts';
import { buildRequest } from '../../../../../src/lanes/tools/openapi/request.ts';
import type { CompiledOperation } from '../../../../../src/lanes/tools/openapi/types.ts';
import type { Part } from './compiling.ts';
import { compileOne, compileTree } from './compiling.ts';

/** What a server makes of a request again must be what went in: the readers here know the specification and nothing of the writers. */

/** `fc.property` for checks that return what `expect` does, which is no verdict. */
function property<Values extends [unknown, ...unknown[]]>(
  ...parts: [...{ [Index in keyof Values]: fc.Arbitrary<Values[Index]> }, (...values: Values) => unknown]
): fc.IProperty<Values> {
  const check = parts.pop() as (...values: Values) => unknown;
  return fc.property(...(parts as unknown as { [Index in keyof Values]: fc.Arbitrary<Values[Index]> }), (...values) => {
    check(...(values as Values));
  }) as unknown as fc.IProperty<Values>;
}

const TARGET = { origin: 'https://api.test', prefix: '' };
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((one) => one.isWellFormed());
const word = fc.stringMatching(/^[a-zA-Z0-9 _.~-]{1,8}$/).filter((one) => one.trim() === one);
const key = fc.stringMatching(/^[a-z]{1,6}$/);
const list = fc.array(text, { minLength: 1, maxLength: 4 });
const object = fc.dictionary(key, text, { minKeys: 1, maxKeys: 4, noNullPrototype: true });

function sent(operation: CompiledOperation, args: Part) {
  const built = buildRequest(operation, args, TARGET);
  if ('fault' in built) throw new Error(built.fault);
  return built.request;
}

function parameter(place: string, more: Part, openapi = '3.1.1'): CompiledOperation {
  const path = place === 'path' ? '/x/{p}/y' : '/x';
  return compileOne({ parameters: [{ name: 'p', in: place, required: true, schema: {}, ...more }] }, { path, root: { openapi } });
}

/** Pairs of a query or urlencoded text, names and values decoded. */
function pairsOf(query: string): [string, string][] {
  return query.split('&').map((pair) => pair.split('=').map((one) => decodeURIComponent(one.replaceAll('+', '%20'))) as [string, string]);
}

function queryOf(operation: CompiledOperation, value: unknown): string {
  return sent(operation, { p: value }).path.slice('/x?'.length);
}

/** The value of `p=…` split at what stands between values, each decoded. */
function splitAt(query: string, separator: string): string[] {
  return query
    .slice('p='.length)
    .split(separator)
    .map((one) => decodeURIComponent(one));
}

function inPath(operation: CompiledOperation, value: unknown): string {
  return sent(operation, { p: value }).path.slice('/x/'.length, -'/y'.length);
}

/** Dots make other paths, and are refused elsewhere. */
const segment = text.filter((one) => !/[.%\\/]/.test(one));
const segments = fc.array(segment, { minLength: 1, maxLength: 4 });
const named = fc.dictionary(key, segment, { minKeys: 1, maxKeys: 4, noNullPrototype: true });

describe('every style, read back', () => {
  test('query: form', () => {
    fc.assert(property(text, (value) => expect(pairsOf(queryOf(parameter('query', {}), value))).toEqual([['p', value]])));
    fc.assert(property(list, (value) => expect(pairsOf(queryOf(parameter('query', {}), value))).toEqual(value.map((one) => ['p', one]))));
    fc.assert(property(object, (value) => expect(pairsOf(queryOf(parameter('query', {}), value))).toEqual(Object.entries(value))));
    const flat = parameter('query', { explode: false });
    fc.assert(property(list, (value) => expect(splitAt(queryOf(flat, value), ',')).toEqual(value)));
    fc.assert(property(object, (value) => expect(splitAt(queryOf(flat, value), ',')).toEqual(Object.entries(value).flat())));
  });

  test.each([
    ['spaceDelimited', '%20'],
    ['pipeDelimited', '%7C'],
  ])('query: %s', (style, separator) => {
    const operation = parameter('query', { style, explode: false });
    // A separator inside a value cannot be told from one between two.
    const inside = fc.array(
      text.filter((one) => !encodeURIComponent(one).includes(separator)),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(property(inside, (value) => expect(splitAt(queryOf(operation, value), separator)).toEqual(value)));
  });

  test('query: deepObject, as deep as it goes', () => {
    const operation = parameter('query', { style: 'deepObject', explode: true });
    const scalar = word.filter((one) => one !== '');
    const { tree } = fc.letrec<{ tree: Part; value: unknown }>((tie) => ({
      value: fc.oneof({ maxDepth: 3 }, scalar, tie('tree'), fc.array(tie('tree'), { minLength: 1, maxLength: 3 })),
      tree: fc.dictionary(key, tie('value'), { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
    }));
    fc.assert(property(tree, (value) => expect(nested(pairsOf(queryOf(operation, value)))).toEqual({ p: value })));
    expect(queryOf(operation, { a: ['x', 'y'] })).toBe('p%5Ba%5D=x&p%5Ba%5D=y');
  });

  test('query: content, and text of other types as it stands', () => {
    const json = parameter('query', { schema: undefined, content: { 'application/json': { schema: {} } } });
    fc.assert(
      property(
        fc.jsonValue(),
        (value) =>
          fc.pre(value !== null) ??
          expect(JSON.parse(splitAt(queryOf(json, value), '&')[0] ?? '')).toEqual(JSON.parse(JSON.stringify(value))),
      ),
    );
    const plain = parameter('query', { schema: undefined, content: { 'text/plain': { schema: { type: 'string' } } } });
    fc.assert(property(text, (value) => expect(pairsOf(queryOf(plain, value))).toEqual([['p', value]])));
  });

  test('query: allowReserved keeps what does not end or split a query', () => {
    const operation = parameter('query', { allowReserved: true });
    expect(queryOf(operation, "/?:@!$'()*,;=")).toBe("p=/?:@!$'()*,;=");
    fc.assert(
      property(
        text.filter((one) => !/%[0-9a-f]{2}|\+/i.test(one)),
        (value) => expect(decodeURIComponent(queryOf(operation, value).slice(2))).toBe(value),
      ),
    );
    expect(queryOf(operation, 'a%2Fb%')).toBe('p=a%2Fb%25');
  });

  test('path: simple, label, matrix', () => {
    const simple = parameter('path', {});
    fc.assert(property(segment, (value) => expect(decodeURIComponent(inPath(simple, value))).toBe(value)));
    fc.assert(property(segments, (value) => expect(inPath(simple, value).split(',').map(decodeURIComponent)).toEqual(value)));
    fc.assert(
      property(named, (value) => expect(inPath(simple, value).split(',').map(decodeURIComponent)).toEqual(Object.entries(value).flat())),
    );
    const label = parameter('path', { style: 'label', explode: true });
    fc.assert(property(segments, (value) => expect(inPath(label, value)).toBe(value.map((one) => `.${strict(one)}`).join(''))));
    fc.assert(
      property(named, (value) =>
        expect(inPath(label, value)).toBe(
          Object.entries(value)
            .map(([name, one]) => `.${name}=${strict(one)}`)
            .join(''),
        ),
      ),
    );
    const matrix = parameter('path', { style: 'matrix', explode: true });
    fc.assert(property(segments, (value) => expect(inPath(matrix, value)).toBe(value.map((one) => `;p=${strict(one)}`).join(''))));
    const flat = parameter('path', { style: 'matrix' });
    fc.assert(property(segments, (value) => expect(inPath(flat, value)).toBe(`;p=${value.map(strict).join(',')}`)));
  });

  test('header: on one line, never encoded', () => {
    const latin = fc
      .string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCodePoint(code)), minLength: 1 })
      .filter((one) => one.trim() === one);
    fc.assert(property(latin, (value) => expect(sent(parameter('header', {}), { p: value }).headers['p']).toBe(value)));
    fc.assert(
      property(fc.array(latin, { minLength: 1 }), (value) =>
        expect(sent(parameter('header', {}), { p: value }).headers['p']).toBe(value.join(',')),
      ),
    );
    fc.assert(
      property(fc.string(), fc.constantFrom('\r', '\n', '\0'), (value, bad) =>
        expect(buildRequest(parameter('header', {}), { p: value + bad }, TARGET)).toHaveProperty('fault'),
      ),
    );
  });

  test('cookie: one header, each pair its own', () => {
    const operation = parameter('cookie', {});
    const cookies = (value: unknown) =>
      String(sent(operation, { p: value }).headers['cookie'])
        .split('; ')
        .map((pair) => pair.split('=').map(decodeURIComponent));
    fc.assert(property(list, (value) => expect(cookies(value)).toEqual(value.map((one) => ['p', one]))));
    fc.assert(property(object, (value) => expect(cookies(value)).toEqual(Object.entries(value))));
    const plain = parameter('cookie', { style: 'cookie' }, '3.2.0');
    expect(sent(plain, { p: ['a/b', 'c"d'] }).headers['cookie']).toBe('p=a/b; p=c"d');
  });

  test('numbers keep their digits, and have no exponent', () => {
    const operation = parameter('query', { schema: { type: 'integer' } });
    fc.assert(property(fc.bigInt(), (value) => expect(queryOf(operation, value.toString())).toBe(`p=${value}`)));
    fc.assert(
      property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const written = queryOf(operation, value).slice(2);
        expect(written).toMatch(/^-?\d+(\.\d+)?$/);
        expect(Number(written)).toBe(value === 0 ? 0 : value);
      }),
    );
  });
});

function strict(value: string): string {
  return encodeURIComponent(value).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** `a[b][0][c]=v` as the value it stands for: numbers count the items of a list. */
function nested(pairs: readonly [string, string][]): unknown {
  const root: Record<string, unknown> = {};
  for (const [name, value] of pairs) {
    const steps = name.replaceAll(']', '').split('[');
    let at: Record<string, unknown> = root;
    for (const [index, step] of steps.entries()) {
      if (index === steps.length - 1) at[step] = value;
      else at = (at[step] ??= /^\d+$/.test(steps[index + 1] ?? '') ? [] : {}) as Record<string, unknown>;
    }
  }
  return root;
}

describe('every kind of body, read back', () => {
  const body = (mediaType: string, media: Part, openapi = '3.1.1') =>
    compileOne({ requestBody: { content: { [mediaType]: media } } }, { root: { openapi } });

  test.each(['application/json', 'application/vnd.api+json; version=1'])('%s', (type) => {
    const operation = body(type, { schema: {} });
    fc.assert(
      property(fc.jsonValue(), (value) => {
        const request = sent(operation, { body: value });
        expect(JSON.parse(String(request.body))).toEqual(JSON.parse(JSON.stringify(value)));
        expect(request.headers['content-type']).toBe(type);
      }),
    );
  });

  test('digits beyond 2^53, given as text, are numbers where a number is wanted, and text where text is', () => {
    const schema = {
      type: 'object',
      properties: {
        id: { type: 'integer' },
        'a/b': { type: 'array', items: { type: 'integer', nullable: true } },
        text: { type: 'string' },
      },
    };
    const operation = body('application/json', { schema }, '3.0.3');
    const args = { body: { id: '-9007199254740993', 'a/b': [1, '12345678901234567890'], text: '9007199254740993' } };
    expect(checkArguments(operation, args)).toBeUndefined();
    expect(sent(operation, args).body).toBe('{"id":-9007199254740993,"a/b":[1,12345678901234567890],"text":"9007199254740993"}');
  });

  test('urlencoded', () => {
    const operation = body('application/x-www-form-urlencoded', { schema: { type: 'object' } });
    const fields = fc.dictionary(fc.oneof(key, text), fc.oneof(text, list), { minKeys: 1, noNullPrototype: true });
    fc.assert(
      property(fields, (value) => {
        const expected = Object.entries(value).flatMap(([name, one]) => [one].flat().map((item) => [name, item]));
        expect([...new URLSearchParams(String(sent(operation, { body: value }).body))]).toEqual(expected);
      }),
    );
  });

  test('multipart: text as it is, bytes from base64 with name and type, objects as JSON', async () => {
    const file = { type: 'string', format: 'binary' };
    const schema = {
      type: 'object',
      properties: { note: { type: 'string' }, file, tags: { type: 'array', items: { type: 'string' } }, meta: { type: 'object' } },
    };
    const operation = body('multipart/form-data', { schema });
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme' }),
        fc.uint8Array(),
        list,
        fc.dictionary(key, fc.integer(), { noNullPrototype: true }),
        async (note, bytes, tags, meta) => {
          const data = Buffer.from(bytes).toString('base64');
          const form = sent(operation, { body: { note, file: { data, filename: 'ü.bin', mimeType: 'image/png' }, tags, meta } })
            .body as FormData;
          expect(form.get('note')).toBe(note);
          const part = form.get('file') as File;
          expect([part.name, part.type, Buffer.from(await part.arrayBuffer()).toString('base64')]).toEqual(['ü.bin', 'image/png', data]);
          expect(form.getAll('tags')).toEqual(tags);
          expect(JSON.parse(await (form.get('meta') as File).text())).toEqual(meta);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('bytes, text and XML', () => {
    const bytes = body('application/pdf', {});
    fc.assert(
      property(fc.uint8Array(), (value) =>
        expect(Buffer.from(sent(bytes, { body: Buffer.from(value).toString('base64') }).body as Uint8Array)).toEqual(Buffer.from(value)),
      ),
    );
    for (const type of ['text/plain', 'application/xml', 'text/csv; charset=utf-8']) {
      const operation = body(type, { schema: { type: 'string' } });
      fc.assert(
        property(fc.string({ unit: 'grapheme' }), (value) =>
          expect(sent(operation, { body: value })).toMatchObject({ body: value, headers: { 'content-type': type } }),
        ),
      );
    }
  });
});

describe('encoding of the fields of multipart', () => {
  const schema = { type: 'object', properties: { list: { type: 'array', items: { type: 'string' } }, o: { type: 'object' } } };
  const encoding = { list: { style: 'form', explode: false }, o: { style: 'deepObject', explode: true } };
  const parts = (openapi: string) => {
    const operation = compileOne({ requestBody: { content: { 'multipart/form-data': { schema, encoding } } } }, { root: { openapi } });
    return [...(sent(operation, { body: { list: ['a b', 'c'], o: { k: '&' } } }).body as FormData)].map(([name, value]) => [
      name,
      typeof value === 'string' ? value : value.type,
    ]);
  };

  test('styles count since 3.0.4 and 3.1.0, values are not encoded', () => {
    for (const version of ['3.0.4', '3.1.0', '3.2.0'])
      expect(parts(version)).toEqual([
        ['list', 'a b,c'],
        ['o[k]', '&'],
      ]);
    expect(parts('3.0.3')).toEqual([
      ['list', 'a b'],
      ['list', 'c'],
      ['o', 'application/json'],
    ]);
  });

  test("Swagger 2.0's collectionFormat counts in multipart too", () => {
    const field = (name: string, collectionFormat?: string) => ({
      name,
      in: 'formData',
      type: 'array',
      items: { type: 'string' },
      collectionFormat,
    });
    const post = { consumes: ['multipart/form-data'], parameters: [field('plain'), field('pipes', 'pipes'), field('multi', 'multi')] };
    const [operation] = compileTree({ swagger: '2.0', host: 'h.test', paths: { '/a': { post } } }).operations;
    const value = ['a', 'b c'];
    const form = sent(operation as CompiledOperation, { body: { plain: value, pipes: value, multi: value } }).body as FormData;
    expect([...form]).toEqual([
      ['plain', 'a,b c'],
      ['pipes', 'a|b c'],
      ['multi', 'a'],
      ['multi', 'b c'],
    ]);
  });
});

describe('files', () => {
  const schemaOf = (property: Part, openapi = '3.1.0', more: Part = {}) => {
    const schema = { type: 'object', properties: { f: property }, ...more };
    return compileOne({ requestBody: { content: { 'multipart/form-data': { schema } } } }, { root: { openapi } });
  };
  const isFile = async (operation: CompiledOperation, value: unknown = 'aGk=') => {
    const found = (sent(operation, { body: { f: value } }).body as FormData).get('f');
    return typeof found !== 'string' && (await found?.text()) === 'hi';
  };
  const binary = { type: 'string', format: 'binary' };

  test.each<[string, Part]>([
    ['nullable by a list of types', { type: ['string', 'null'], format: 'binary' }],
    ['nullable by a choice', { anyOf: [binary, { type: 'null' }] }],
    ['one or several', { anyOf: [binary, { type: 'array', items: binary }] }],
    ['wrapped', { allOf: [binary] }],
    ['nothing said, 3.1', { description: 'The picture.' }],
  ])('%s', async (_, property) => {
    expect(await isFile(schemaOf(property))).toBe(true);
  });

  test('a property without type in 3.0 is text, and base64 by contentEncoding stays base64', async () => {
    expect(await isFile(schemaOf({ description: 'Text.' }, '3.0.3'))).toBe(false);
    expect(await isFile(schemaOf({ type: 'string', contentEncoding: 'base64' }))).toBe(false);
  });

  test('in the branch of a choice', async () => {
    const more = {
      properties: {},
      oneOf: [
        { type: 'object', properties: { f: binary } },
        { type: 'object', properties: { url: { type: 'string' } } },
      ],
    };
    const operation = schemaOf({}, '3.1.0', more);
    expect(await isFile(operation, { data: 'aGk=', filename: 'x' })).toBe(true);
    expect(JSON.stringify(operation.tool.definition.inputSchema)).toContain('"filename"');
  });
});

describe('marks of RFC 6570 in path keys', () => {
  test('count where the parameter itself says nothing', () => {
    const path = (style: Part) =>
      sent(compileOne({ parameters: [{ name: 'id', in: 'path', required: true, schema: {}, ...style }] }, { path: '/x/{.id*}' }), {
        id: ['a', 'b'],
      }).path;
    expect(path({})).toBe('/x/.a.b');
    expect(path({ style: 'matrix' })).toBe('/x/;id=a;id=b');
    expect(path({ style: 'matrix', explode: false })).toBe('/x/;id=a,b');
  });
});
