import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildRequest } from '../../../../../src/lanes/tools/openapi/request.ts';
import type { CompiledOperation } from '../../../../../src/lanes/tools/openapi/types.ts';
import { formOf } from '../../../../support/form-of.ts';
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

function sentForm(operation: CompiledOperation, body: Part): Promise<FormData> {
  const request = sent(operation, { body });
  return formOf(request.body, request.headers);
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

  test('path: lists and objects that are not exploded', () => {
    const pairs = (value: object): string[] => Object.entries(value).flat().map(strict); // prettier-ignore
    const label = parameter('path', { style: 'label' });
    fc.assert(property(segments, (value) => expect(inPath(label, value)).toBe(`.${value.map(strict).join(',')}`)));
    fc.assert(property(named, (value) => expect(inPath(label, value)).toBe(`.${pairs(value).join(',')}`)));
    const matrix = parameter('path', { style: 'matrix' });
    fc.assert(property(named, (value) => expect(inPath(matrix, value)).toBe(`;p=${pairs(value).join(',')}`)));
    const exploded = parameter('path', { style: 'matrix', explode: true });
    fc.assert(property(named, (value) => expect(inPath(exploded, value)).toBe(Object.entries(value).map(([name, one]) => `;${name}=${strict(one)}`).join('')))); // prettier-ignore
  });

  test('content: JSON wherever the parameter is', () => {
    const json = (place: string): CompiledOperation =>
      parameter(place, { schema: undefined, content: { 'application/json': { schema: {} } } });
    const [path, header, cookie] = ['path', 'header', 'cookie'].map(json) as [CompiledOperation, CompiledOperation, CompiledOperation];
    fc.assert(property(named, (value) => expect(JSON.parse(decodeURIComponent(inPath(path, value)))).toEqual(value)));
    fc.assert(property(object, (value) => expect(JSON.parse(String(sent(header, { p: value }).headers['p']))).toEqual(value)));
    fc.assert(property(object, (value) => expect(JSON.parse(decodeURIComponent(String(sent(cookie, { p: value }).headers['cookie']).slice(2)))).toEqual(value))); // prettier-ignore
  });

  test('querystring: all of the query', () => {
    const content = { 'application/x-www-form-urlencoded': { schema: { type: 'object' } } };
    const operation = parameter('querystring', { schema: undefined, content }, '3.2.0');
    fc.assert(property(object, (value) => expect(pairsOf(queryOf(operation, value))).toEqual(Object.entries(value))));
    const json = parameter('querystring', { schema: undefined, content: { 'application/json': { schema: { type: 'object' } } } }, '3.2.0');
    fc.assert(property(object, (value) => expect(JSON.parse(decodeURIComponent(queryOf(json, value)))).toEqual(value)));
  });

  test.each<[string, string | undefined]>([
    ['csv', ','],
    ['ssv', '%20'],
    ['tsv', '%09'],
    ['pipes', '%7C'],
    ['multi', undefined],
  ])("query: Swagger 2.0's %s", (collectionFormat, separator) => {
    const parameters = [{ name: 'p', in: 'query', type: 'array', items: { type: 'string' }, collectionFormat }];
    const service = compileTree({ swagger: '2.0', host: 'h.test', paths: { '/x': { get: { parameters } } } });
    const [operation] = service.operations as [CompiledOperation];
    const values = fc.array(
      text.filter((one) => separator === undefined || separator === ',' || !encodeURIComponent(one).includes(separator)),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      property(values, (value) => {
        const query = queryOf(operation, value);
        expect(separator === undefined ? pairsOf(query).map(([, one]) => one) : splitAt(query, separator)).toEqual(value);
      }),
    );
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
    const members = fc.dictionary(key, fc.stringMatching(/^[a-z0-9]{1,8}$/), { minKeys: 1, noNullPrototype: true });
    for (const [explode, joint] of [
      [true, '='],
      [false, ','],
    ] as const)
      // prettier-ignore
      fc.assert(
        property(members, (value) =>
          expect(sent(parameter('header', { explode }), { p: value }).headers['p']).toBe(
            Object.entries(value)
              .map((pair) => pair.join(joint))
              .join(','),
          ),
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

  test.each([
    ['form', false, ','],
    ['spaceDelimited', false, '%20'],
    ['pipeDelimited', false, '%7C'],
  ])('urlencoded, a list with style %s', (style, explode, separator) => {
    const schema = { type: 'object', properties: { p: { type: 'array', items: { type: 'string' } } } };
    const operation = body('application/x-www-form-urlencoded', { schema, encoding: { p: { style, explode } } });
    // A blank inside a value is "+" in a form, so that it can be told from one between two.
    const values = fc.array(text.filter((one) => !one.includes('|')), { minLength: 1, maxLength: 4 }); // prettier-ignore
    fc.assert(
      property(values, (value) =>
        expect(splitAt(String(sent(operation, { body: { p: value } }).body).replaceAll('+', '%2520'), separator)).toEqual(
          value.map((one) => one.replaceAll(' ', '%20')),
        ),
      ),
    );
  });

  test('urlencoded, an object with style deepObject, and a field that is JSON', () => {
    const schema = { type: 'object', properties: { p: { type: 'object' }, j: {} } };
    const encoding = { p: { style: 'deepObject', explode: true }, j: { contentType: 'application/json' } };
    const operation = body('application/x-www-form-urlencoded', { schema, encoding });
    fc.assert(
      property(object, list, (p, j) => {
        const fields = new URLSearchParams(String(sent(operation, { body: { p, j } }).body));
        expect(JSON.parse(String(fields.get('j')))).toEqual(j);
        fields.delete('j');
        expect([...fields]).toEqual(Object.entries(p).map(([name, one]) => [`p[${name}]`, one]));
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
          const form = await sentForm(operation, { note, file: { data, filename: 'ü.bin', mimeType: 'image/png' }, tags, meta });
          expect(form.get('note')).toBe(note);
          const part = form.get('file') as File;
          expect([part.name, part.type, Buffer.from(await part.arrayBuffer()).toString('base64')]).toEqual(['ü.bin', 'image/png', data]);
          expect(form.getAll('tags')).toEqual(tags);
          expect(JSON.parse(String(form.get('meta')))).toEqual(meta);
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
  const parts = async (openapi: string) => {
    const operation = compileOne({ requestBody: { content: { 'multipart/form-data': { schema, encoding } } } }, { root: { openapi } });
    return [...(await sentForm(operation, { list: ['a b', 'c'], o: { k: '&' } }))];
  };

  test('styles count since 3.0.4 and 3.1.0, values are not encoded', async () => {
    for (const version of ['3.0.4', '3.1.0', '3.2.0'])
      expect(await parts(version)).toEqual([
        ['list', 'a b,c'],
        ['o[k]', '&'],
      ]);
    expect(await parts('3.0.3')).toEqual([
      ['list', 'a b'],
      ['list', 'c'],
      ['o', '{"k":"&"}'],
    ]);
  });

  test("Swagger 2.0's collectionFormat counts in multipart too", async () => {
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
    const form = await sentForm(operation as CompiledOperation, { plain: value, pipes: value, multi: value });
    expect([...form]).toEqual([
      ['plain', 'a,b c'],
      ['pipes', 'a|b c'],
      ['multi', 'a'],
      ['multi', 'b c'],
    ]);
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
