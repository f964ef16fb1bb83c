import { describe, expect, test } from 'vitest';
import { checkArguments } from '../../../../../src/lanes/tools/openapi/arguments.ts';
import { buildRequest } from '../../../../../src/lanes/tools/openapi/request.ts';
import type { CompiledOperation } from '../../../../../src/lanes/tools/openapi/types.ts';
import { formOf } from '../../../../support/form-of.ts';
import type { Part } from './compiling.ts';
import { compileOne } from './compiling.ts';

const TARGET = { origin: 'https://api.test', prefix: '' };
const RESULTS = { readResource: (uri: string) => (uri === 'hubgate://results/one' ? { body: Buffer.from('kept'), mimeType: 'image/gif' } : undefined) }; // prettier-ignore

/** The request with `value` as the field `f`. */
function sent(operation: CompiledOperation, value: unknown) {
  const args = { body: { f: value } };
  expect(checkArguments(operation, args)).toBeUndefined();
  const built = buildRequest(operation, args, TARGET, RESULTS);
  if ('fault' in built) throw new Error(built.fault);
  return built.request;
}

describe('files of a form', () => {
  const schemaOf = (property: Part, openapi = '3.1.0', more: Part = {}) => {
    const schema = { type: 'object', properties: { f: property }, ...more };
    return compileOne({ requestBody: { content: { 'multipart/form-data': { schema } } } }, { root: { openapi } });
  };
  const isFile = async (operation: CompiledOperation, value: unknown = 'aGk=') => {
    const { body, headers } = sent(operation, value);
    const found = (await formOf(body, headers)).get('f');
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

describe('what a file can be', () => {
  const binary = { type: 'string', format: 'binary' };
  const form = (encoding: Part = {}) =>
    compileOne({
      requestBody: { content: { 'multipart/form-data': { schema: { type: 'object', properties: { f: binary } }, encoding } } },
    });
  const fileOf = async (operation: CompiledOperation, value: unknown) => {
    const { body, headers } = sent(operation, value);
    const file = (await formOf(body, headers)).get('f') as File;
    return [file.name, file.type, await file.text()];
  };

  test.each<[unknown, string[]]>([
    ['aGk=', ['f', 'application/octet-stream', 'hi']],
    ['aG\nk=', ['f', 'application/octet-stream', 'hi']],
    ['data:text/csv;charset=utf-8;base64,aGk=', ['f', 'text/csv', 'hi']],
    [{ data: 'aGk=' }, ['f', 'application/octet-stream', 'hi']],
    [{ data: 'aGk=', filename: 'a "ü".png', mimeType: 'image/png' }, ['a "ü".png', 'image/png', 'hi']],
    [{ data: 'aGk=', mimeType: 'image/png\r\nX-Evil: 1' }, ['f', 'application/octet-stream', 'hi']],
    ['hubgate://results/one', ['f', 'image/gif', 'kept']],
    [{ data: 'hubgate://results/one', filename: 'one.gif' }, ['one.gif', 'image/gif', 'kept']],
  ])('%j', async (value, expected) => {
    expect(await fileOf(form(), value)).toEqual(expected);
  });

  test('the declared type counts where the argument says none; of a list the first', async () => {
    const operation = form({ f: { contentType: 'image/png, image/jpeg' } });
    expect(await fileOf(operation, 'aGk=')).toEqual(['f', 'image/png', 'hi']);
    expect(await fileOf(operation, { data: 'aGk=', mimeType: 'image/jpeg' })).toEqual(['f', 'image/jpeg', 'hi']);
  });

  test.each(['hubgate://results/two', 'hubgate://tools/x', 'https://example.com/file', 'file:///etc/passwd', 'not base64!'])(
    '%s is refused',
    (value) => {
      expect(buildRequest(form(), { body: { f: value } }, TARGET, RESULTS)).toHaveProperty('fault', expect.stringContaining('body.f: '));
    },
  );

  test('a body of bytes takes the same, and its type where the document leaves that open', () => {
    const raw = (mediaType: string, body: unknown) => {
      const operation = compileOne({ requestBody: { content: { [mediaType]: { schema: binary } } } });
      expect(checkArguments(operation, { body })).toBeUndefined();
      const built = buildRequest(operation, { body }, TARGET, RESULTS);
      if ('fault' in built) throw new Error(built.fault);
      return [built.request.headers['content-type'], Buffer.from(built.request.body as Uint8Array).toString()];
    };
    expect(raw('image/png', 'hubgate://results/one')).toEqual(['image/png', 'kept']);
    expect(raw('image/*', 'hubgate://results/one')).toEqual(['image/gif', 'kept']);
    expect(raw('image/*', { data: 'aGk=', mimeType: 'image/webp' })).toEqual(['image/webp', 'hi']);
    expect(raw('image/*', { data: 'aGk=', mimeType: 'text/html' })).toEqual(['application/octet-stream', 'hi']);
    expect(raw('*/*', { data: 'aGk=', mimeType: 'text/html' })).toEqual(['text/html', 'hi']);
    expect(raw('*/*', 'aGk=')).toEqual(['application/octet-stream', 'hi']);
  });
});

describe('parts of multipart', () => {
  const schema = {
    type: 'object',
    properties: {
      meta: { type: 'object', properties: { id: { type: 'integer' } } },
      rows: { type: 'array', items: {} },
      note: { type: 'string' },
    },
  };
  const textOf = (encoding: Part, body: Part, mediaType = 'multipart/form-data') => {
    const operation = compileOne({ requestBody: { content: { [mediaType]: { schema, encoding } } } });
    const built = buildRequest(operation, { body }, TARGET);
    if ('fault' in built) throw new Error(built.fault);
    const type = String(built.request.headers['content-type']);
    const [, boundary = ''] = /boundary=(.+)$/.exec(type) ?? [];
    return [type.replace(boundary, 'B'), String(built.request.body).replaceAll(boundary, 'B').replaceAll('\r\n', '|')];
  };

  test('only files have a name of a file, and only what is no plain text says its type', () => {
    const [type, text] = textOf({ note: { contentType: 'text/markdown' } }, { meta: { id: 1 }, rows: ['a', { b: 2 }], note: '# x' });
    expect(type).toBe('multipart/form-data; boundary=B');
    expect(text).toBe(
      '--B|Content-Disposition: form-data; name="meta"|Content-Type: application/json||{"id":1}|' +
        '--B|Content-Disposition: form-data; name="rows"||a|' +
        '--B|Content-Disposition: form-data; name="rows"|Content-Type: application/json||{"b":2}|' +
        '--B|Content-Disposition: form-data; name="note"|Content-Type: text/markdown||# x|--B--|',
    );
  });

  test('other subtypes are sent as they are declared', () => {
    expect(textOf({}, { note: 'x' }, 'multipart/mixed; charset=utf-8')[0]).toBe('multipart/mixed; boundary=B');
    expect(textOf({}, { note: 'x' }, 'multipart/*')[0]).toBe('multipart/form-data; boundary=B');
    expect(textOf({}, { note: 'x' }, 'application/form-data')[0]).toBe('multipart/form-data; boundary=B');
  });

  test('long digits inside JSON are numbers again', () => {
    expect(textOf({}, { meta: { id: '9007199254740993' } })[1]).toContain('{"id":9007199254740993}');
  });
});
