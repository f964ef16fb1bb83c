import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findPaging } from '../../../../../src/lanes/tools/openapi/answers/paging.ts';
import { outputFaults } from '../../../../../src/lanes/tools/openapi/arguments.ts';
import { decodeResponse } from '../../../../../src/lanes/tools/openapi/response.ts';
import type { ResponseContext } from '../../../../../src/lanes/tools/openapi/response.ts';
import type { CompiledOperation } from '../../../../../src/lanes/tools/openapi/types.ts';
import { cutJson } from '../../../../../src/lanes/tools/openapi/wire/cut.ts';
import { fitResult } from '../../../../../src/lanes/tools/results/fit-result.ts';
import { compileOne, compileTree } from './compiling.ts';

const GET = compileOne({});
const POST = compileOne({ requestBody: { content: { 'application/json': {} } } });

function decode(
  body: string | Buffer,
  headers: Record<string, string> = { 'content-type': 'application/json' },
  status = 200,
  operation: CompiledOperation = GET,
  context: Partial<ResponseContext> = {},
) {
  return decodeResponse(
    operation,
    { status, headers, body: Buffer.from(body) },
    {
      redact: (text) => text.replaceAll('s3cret', '[redacted]'),
      redactOwn: (text) => text.replaceAll('0wn', '[own]'),
      service: 'pets',
      ...context,
    },
  );
}

function textOf(reply: ReturnType<typeof decode>): string {
  const [block] = reply.content ?? [];
  if (block?.type !== 'text') throw new Error('no text');
  return block.text;
}

describe('answers', () => {
  test('JSON without layout, numbers and texts untouched', () => {
    const reply = decode('{\n  "id": 9007199254740993,\r\n  "text": "a: b,  \\"c\\" \\n",\n  "list": [ 1, 2.50 ]\n}\n');
    expect(textOf(reply)).toBe('{"id":9007199254740993,"text":"a: b,  \\"c\\" \\n","list":[1,2.50]}');
    expect(reply.structuredContent).toBeUndefined();
    expect(textOf(decode('{"a":1}', {}))).toBe('{"a":1}');
    expect(textOf(decode('not json', { 'content-type': 'application/problem+json' }))).toBe('not json');
  });

  test('nothing, text, redirects', () => {
    expect(textOf(decode('', {}, 204))).toBe('204 No Content');
    expect(textOf(decode('<a/>', { 'content-type': 'application/xml' }))).toBe('<a/>');
    expect(textOf(decode(Buffer.from([0xe9]), { 'content-type': 'text/plain; charset=iso-8859-1' }))).toBe('é');
    expect(textOf(decode('', { location: 'http://internal.test:9/pets/7?key=s3cret' }, 201))).toBe(
      '201 Created\nLocation: /pets/7?key=[redacted]',
    );
    const moved = decode('', { location: 'https://x.test/y?token=s3cret' }, 302);
    expect(moved.isError).toBeUndefined();
    expect(textOf(moved)).toContain('302 Found');
    expect(textOf(moved)).toContain('https://x.test/y?token=[redacted]');
  });

  test('an answer that echoes the credential of the service', () => {
    expect(textOf(decode('{"headers": {"key": "0wn"}}'))).toBe('{"headers":{"key":"[own]"}}');
    expect(textOf(decode('key 0wn', { 'content-type': 'text/plain' }))).toBe('key [own]');
  });

  test('pictures, sound and other bytes', () => {
    expect(decode('abc', { 'content-type': 'image/png' }).content).toEqual([{ type: 'image', data: 'YWJj', mimeType: 'image/png' }]);
    expect(decode('abc', { 'content-type': 'audio/mpeg' }).content).toEqual([{ type: 'audio', data: 'YWJj', mimeType: 'audio/mpeg' }]);
    expect(decode('abc', { 'content-type': 'application/pdf' }).content).toEqual([
      { type: 'resource', resource: { uri: 'hubgate:result/one', mimeType: 'application/pdf', blob: 'YWJj' } },
    ]);
  });

  test.each([
    ['deep', JSON.parse(`${'{"a":['.repeat(30)}"${'z'.repeat(5000)}"${']}'.repeat(30)}`) as unknown],
    ['wide', Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`key${index}`, index]))],
    ['text', '"'.repeat(5000)],
  ])('cutJson keeps %s values within the limit', (_, value) => {
    const text = cutJson(value, 1000);
    expect(text.length).toBeLessThanOrEqual(1200);
    expect(() => JSON.parse(text) as unknown).not.toThrow();
  });
});

describe('structured content', () => {
  const paths = (schema: object) => ({
    paths: { '/a': { get: { operationId: 'one', responses: { 200: { content: { 'application/json': { schema } } } } } } },
  });
  const one = (schema: object) => compileTree(paths(schema), { options: { outputSchemas: true } }).operations[0] as CompiledOperation;

  test('objects as they are, others wrapped; loose enough for what APIs really say', () => {
    const object = one({
      type: 'object',
      required: ['id'],
      properties: { id: { type: 'string', enum: ['a'] } },
      additionalProperties: false,
    });
    expect(object.tool.definition.outputSchema).toEqual({ type: 'object', properties: { id: { type: ['string', 'null'] } } });
    expect(decode('{"id":null,"more":1}', undefined, 200, object).structuredContent).toEqual({ id: null, more: 1 });
    const list = one({ type: 'array', items: { type: 'integer' } });
    expect(list.tool.definition.outputSchema).toEqual({
      type: 'object',
      properties: { result: { type: ['array', 'null'], items: { type: ['integer', 'null'] } } },
    });
    expect(decode('[1]', undefined, 200, list).structuredContent).toEqual({ result: [1] });
  });

  test('an answer that breaks its schema is given whole as text, and as far as it keeps to the schema besides', () => {
    const NOTE = 'The structured content leaves out what does not keep to the documented schema; the text has all of it.';
    const pet = one({
      type: 'object',
      properties: {
        id: { type: 'string' },
        tags: { type: 'array', items: { type: 'string' } },
        owner: { type: 'object', properties: { name: { type: 'string' } } },
      },
    });
    const text = '{"id":1,"tags":["a",2,"b"],"owner":{"name":3,"age":4}}';
    expect(decode(text, undefined, 200, pet)).toEqual({
      content: [
        { type: 'text', text },
        { type: 'text', text: NOTE },
      ],
      structuredContent: { tags: ['a', null, 'b'], owner: { age: 4 } },
    });
    // Clients throw a result away that has none, so there is one even when nothing is left.
    expect(decode('[1]', undefined, 200, pet).structuredContent).toEqual({});
    for (const reply of [
      decode('', {}, 204, pet),
      decode('hello', { 'content-type': 'text/plain' }, 200, pet),
      decode('not json', undefined, 200, pet),
      decode('', { location: '/x' }, 302, pet),
    ]) {
      expect(reply.structuredContent).toEqual({});
      expect(reply.isError).toBeUndefined();
    }
    expect(decode('', {}, 500, pet)).toMatchObject({ isError: true });
  });

  test('several answers are a choice', () => {
    const json = (schema: object) => ({ content: { 'application/json': { schema } } });
    const operation = compileTree(
      {
        paths: {
          '/a': {
            post: {
              operationId: 'one',
              responses: {
                200: json({ type: 'object', properties: { done: { type: 'boolean' } } }),
                201: json({ type: 'object', properties: { id: { type: 'integer' } } }),
                202: json({ $ref: '#/components/schemas/Job' }),
                '2XX': json({ $ref: '#/components/schemas/Job' }),
                400: json({ type: 'string' }),
              },
            },
          },
        },
        components: { schemas: { Job: { type: 'object', properties: { job: { type: 'string' } } } } },
      },
      { options: { outputSchemas: true } },
    ).operations[0] as CompiledOperation;
    expect(operation.tool.definition.outputSchema).toEqual({
      type: 'object',
      anyOf: [
        { type: ['object', 'null'], properties: { done: { type: ['boolean', 'null'] } } },
        { type: ['object', 'null'], properties: { id: { type: ['integer', 'null'] } } },
        { type: ['object', 'null'], properties: { job: { type: ['string', 'null'] } } },
      ],
    });
    expect(decode('{"id":1}', undefined, 201, operation).structuredContent).toEqual({ id: 1 });
  });
});

describe('a large answer that breaks its schema', () => {
  const list = compileTree(
    {
      paths: {
        '/a': {
          get: {
            operationId: 'one',
            responses: { 200: { content: { 'application/json': { schema: { type: 'array', items: { type: 'string' } } } } } },
          },
        },
      },
    },
    { options: { outputSchemas: true } },
  ).operations[0] as CompiledOperation;
  const answer = (wrong: number): unknown[] => [...Array.from({ length: wrong }, () => 1), 'x'.repeat(1_100_000)];

  test('leaves out the places where it does while they are few', () => {
    const { content, structuredContent } = decode(JSON.stringify(answer(1)), undefined, 200, list);
    expect(structuredContent).toEqual({ result: [null, 'x'.repeat(1_100_000)] });
    expect(content?.[1]).toMatchObject({ text: expect.stringContaining('leaves out what does not keep to the documented schema') });
  });

  test('says that nothing is left where they are many', () => {
    const { content, structuredContent } = decode(JSON.stringify(answer(9)), undefined, 200, list);
    expect(structuredContent).toEqual({});
    expect(content?.[1]).toMatchObject({ text: expect.stringContaining('The structured content is empty') });
  });
});

describe('errors', () => {
  test.each([
    [
      '{"type":"about:blank","title":"Bad","detail":"No name","errors":[{"field":"name","message":"missing"}]}',
      'HTTP 422 Unprocessable Entity: Bad: No name\n- name: missing',
    ],
    ['{"error":{"code":"E1","message":"No such pet"}}', 'HTTP 422 Unprocessable Entity: E1: No such pet'],
    [
      '{"message":"Validation Failed","errors":[{"field":"title","code":"missing_field"}]}',
      'HTTP 422 Unprocessable Entity: Validation Failed\n- title: missing_field',
    ],
    ['{"detail":[{"loc":["query","q"],"msg":"field required"}]}', 'HTTP 422 Unprocessable Entity\n- query.q: field required'],
    ['{"errors":{"name":["is short","is bad"]}}', 'HTTP 422 Unprocessable Entity\n- name: is short; is bad'],
    ['{"odd":1}', 'HTTP 422 Unprocessable Entity: {"odd":1}'],
    [
      '{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"Bad","details":[{"@type":"x","fieldViolations":[{"field":"name","description":"is empty"}]}]}}',
      'HTTP 422 Unprocessable Entity: INVALID_ARGUMENT: Bad\n- name: is empty',
    ],
    ['{"title":"Bad","invalid-params":[{"name":"age","reason":"is negative"}]}', 'HTTP 422 Unprocessable Entity: Bad\n- age: is negative'],
    ['[{"message":"No such field","errorCode":"E"}]', 'HTTP 422 Unprocessable Entity\n- No such field'],
    ['{"errors":[{"loc":[{"toString":1},"q"],"msg":"odd"}]}', 'HTTP 422 Unprocessable Entity\n- {"toString":1}.q: odd'],
    ['<html><body><h1>Bad gateway</h1></body></html>', 'HTTP 422 Unprocessable Entity: Bad gateway'],
    ['plain words', 'HTTP 422 Unprocessable Entity: plain words'],
    ['<html><head><title>Oops</title></head><body>long</body></html>', 'HTTP 422 Unprocessable Entity: Oops'],
  ])('%s', (body, expected) => {
    const reply = decode(body, { 'content-type': body.startsWith('<') ? 'text/html' : 'application/json' }, 422);
    expect(reply.isError).toBe(true);
    expect(textOf(reply)).toBe(`${expected}\nCorrect the arguments that the answer names and call again.`);
  });

  test('only telling headers, secrets masked, at most 4 KB with the advice in it', () => {
    const headers = {
      'content-type': 'text/plain',
      'retry-after': '30',
      'x-request-id': 'r1',
      'ratelimit-remaining': '0',
      'set-cookie': 'a=b',
      server: 'x',
    };
    const text = textOf(decode(`s3cret ${'ü'.repeat(9000)}`, headers, 429));
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4096);
    expect(text).toContain('[redacted]');
    expect(text).toContain('Try again after 30 s.\nretry-after: 30\nx-request-id: r1\nratelimit-remaining: 0');
    expect(text).not.toMatch(/set-cookie|server/);
  });

  test.each([
    ['title and detail in Japanese', '障害', '。'.repeat(6000), {}],
    ['characters of four bytes', '🙂'.repeat(400), '🙂'.repeat(400), {}],
    [
      'headers without end',
      'x',
      'y'.repeat(9000),
      Object.fromEntries(
        Array.from({ length: 12 }, (_, index) => [`x-ratelimit-${'ab'.repeat(200)}${'c'.repeat(index)}`, '9'.repeat(300)]),
      ),
    ],
  ])('what to do next survives the cut: %s', (_, title, detail, more) => {
    const headers = { 'content-type': 'application/problem+json', 'retry-after': '30', ...more };
    const text = textOf(decode(JSON.stringify({ title, detail }), headers, 503));
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4096);
    expect(text.isWellFormed() && !text.includes('\uFFFD')).toBe(true);
    expect(text.startsWith(`HTTP 503 Service Unavailable: ${title.slice(0, 2)}`)).toBe(true);
    expect(text).toContain('\nTry again after 30 s.\n');
  });

  test('401 and 403 say what is missing, 404 and 5xx what to do', () => {
    expect(textOf(decode('', {}, 401, GET, { missing: ['api_key'] }))).toContain(
      'api_key is wanted. The operator sets it under services.pets.auth',
    );
    expect(textOf(decode('', {}, 403))).toContain('does not allow this');
    const challenge = { 'www-authenticate': 'Bearer error="insufficient_scope", scope="pets:write pets:read", realm="s3cret"' };
    expect(textOf(decode('', challenge, 403))).toMatch(/does not allow this.* It asks for the scope "pets:write pets:read"\.$/);
    expect(textOf(decode('', {}, 404))).toContain('Check the identifiers');
    expect(textOf(decode('', {}, 500, POST))).toContain('may have been carried out');
    expect(textOf(decode('', {}, 500))).not.toContain('carried out');
  });
});

describe('whatever comes', () => {
  const listing = compileOne({ parameters: [{ name: 'page', in: 'query', schema: { type: 'integer' } }] });
  const promising = compileTree(
    {
      paths: {
        '/a': {
          get: {
            operationId: 'one',
            responses: { 200: { content: { 'application/json': { schema: { type: 'array', items: { type: 'object' } } } } } },
          },
        },
      },
    },
    { options: { outputSchemas: true } },
  ).operations[0] as CompiledOperation;
  const contexts: Partial<ResponseContext> = {
    paging: findPaging({ ...listing, inputSchema: listing.tool.definition.inputSchema }) as never,
  };
  const types = fc.constantFrom(
    'application/json',
    'application/problem+json',
    'text/html',
    'text/plain; charset=utf-16',
    'text/plain; charset=nonsense',
    'text/event-stream',
    'application/x-ndjson',
    'application/json-seq',
    'image/png',
    'application/pdf',
    ';;;',
    '',
  );
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
    fc.string({ unit: 'binary', maxLength: 200 }).map((text) => Buffer.from(text)),
    fc.json({ maxDepth: 6 }).map((text) => Buffer.from(text)),
    fc.json({ maxDepth: 4 }).map((text) => Buffer.from(`event: x\r\ndata: ${text}\n\n${text}\r\n`)),
    fc.constantFrom('[', '{"a":', '"').map((part) => Buffer.from(part.repeat(50_000))),
    fc.integer({ min: 1, max: 60_000 }).map((depth) => Buffer.from('['.repeat(depth) + ']'.repeat(depth))),
    fc
      .constantFrom('{"errors":', '{"next":', '[')
      .map((part) => Buffer.from(`${part.repeat(9000)}1${part === '[' ? ']'.repeat(9000) : '}'.repeat(9000)}`)),
  );
  const text = fc.string({ unit: 'binary', maxLength: 60 });

  test('no answer throws, every reply is one, and a failure stays under 4 KB', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 200, max: 599 }),
        types,
        bodies,
        fc.record(
          { link: text, location: text, 'retry-after': text, 'www-authenticate': text, 'x-request-id': text },
          { requiredKeys: [] },
        ),
        fc.constantFrom(GET, POST, listing, promising),
        (status, type, body, headers, operation) => {
          const reply = decode(body, { ...(type !== '' && { 'content-type': type }), ...headers }, status, operation, contexts);
          expect(reply.content?.length).toBeGreaterThan(0);
          expect(reply.isError === true).toBe(status >= 400);
          if (status >= 400) expect(Buffer.byteLength(textOf(reply))).toBeLessThanOrEqual(4096);
          if (operation === promising && status < 400) {
            expect(outputFaults(operation, reply.structuredContent, false)).toEqual([]);
          }
          const fitted = fitResult(reply, { tool: 'one', links: true, keep: () => undefined, textLimit: 1000 });
          expect(() => JSON.stringify(fitted)).not.toThrow();
          for (const block of fitted.content ?? []) if (block.type === 'text') expect(block.text.length).toBeLessThanOrEqual(1200);
        },
      ),
      { numRuns: 600 },
    );
  });

  test('a text that never ends its string costs no more than its length', () => {
    const started = performance.now();
    decode(`{"a": "${'\\"'.repeat(500_000)}`);
    decode(`{\n"a": "${'\\n'.repeat(2_000_000)}"}`);
    expect(performance.now() - started).toBeLessThan(3000);
  });
});
