import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRequest, TemplateError } from '../../../../../../../src/lanes/agents/sources/rest/template/template.ts';
import type { RestRequestConfig } from '../../../../../../../src/config/types.ts';
import type { JsonObject } from '../../../../../../../src/core/json.ts';

const names = new Set(['text', 'data', 'files', 'conversation']);
const compile = (config: RestRequestConfig, base = '/api') => compileRequest(config, { at: 'rest.request', base, method: 'POST', names });
const fill = (config: RestRequestConfig, values: JsonObject) => compile(config)(values);

/** Texts that would break out of most places. */
const nasty = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(
      '"',
      '\\',
      '/',
      '.',
      '%',
      '2',
      'e',
      '?',
      '#',
      '&',
      '=',
      '\r',
      '\n',
      '}',
      '{',
      '$',
      "'",
      '\u0000',
      '\uD800',
      'é',
      '😀',
    ),
  }),
);

describe('a request template', () => {
  it('puts values where they belong', () => {
    const filled = fill(
      {
        method: 'PUT',
        path: '/orders/${data.order}',
        query: { q: '${text}', tag: '${data.tags}', none: '${data.none}' },
        headers: { 'X-Text': 'say ${data.order}', 'X-None': '${data.none}' },
        body: {
          said: 'You: ${text}',
          whole: '${data}',
          number: '${data.count}',
          gone: '${data.none}',
          fixed: [1, '${text}', '${data.none}'],
          literal: '$${text}',
        },
      },
      { text: 'a b', data: { order: 'x/y', tags: ['one', 'two'], count: 2 } },
    );
    expect(filled).toMatchObject({
      method: 'PUT',
      path: '/api/orders/x%2Fy?q=a+b&tag=one&tag=two',
      headers: { 'content-type': 'application/json', 'x-text': 'say x/y' },
    });
    expect(JSON.parse(filled.body!)).toEqual({
      said: 'You: a b',
      whole: { order: 'x/y', tags: ['one', 'two'], count: 2 },
      number: 2,
      fixed: [1, 'a b'],
      literal: '${text}',
    });
  });

  it('never lets a value out of its JSON text', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const filled = fill({ body: { a: '${text}', b: 'x ${text} y', c: { d: ['${text}'] } } }, { text });
        const body = JSON.parse(filled.body!) as JsonObject;
        expect(body).toEqual({ a: text, b: `x ${text} y`, c: { d: [text] } });
      }),
    );
  });

  it('takes any JSON as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const body: unknown = JSON.parse(fill({ body: ['${data}', 0] }, { data: value }).body!);
        expect(body).toEqual(value === null ? [0] : [JSON.parse(JSON.stringify(value)), 0]);
      }),
    );
  });

  it('never lets a value out of its segment of the path', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        let path: string;
        try {
          ({ path } = fill({ method: 'GET', path: '/a/${text}/b', query: { q: '${text}' } }, { text }));
        } catch (error) {
          // Nothing, and dots that lead elsewhere, are refused.
          expect(error).toMatchObject({ code: -32602 });
          expect(['', '.', '..']).toContain(text);
          return;
        }
        const url = new URL(path, 'http://app.example');
        expect(url.host).toBe('app.example');
        expect(url.hash).toBe('');
        expect(url.pathname.split('/')).toHaveLength(5);
        expect(url.pathname).toMatch(/^\/api\/a\/[^/]+\/b$/);
        expect(decodeURIComponent(url.pathname.split('/')[3]!)).toBe(text.toWellFormed());
        expect([...url.searchParams]).toEqual([['q', text.toWellFormed()]]);
      }),
    );
  });

  it('never lets a value out of its header', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        try {
          const { 'x-a': value } = fill({ headers: { 'X-A': 'a${text}' } }, { text }).headers;
          expect(value).toBe(`a${text}`);
          expect(value).not.toMatch(/[\r\n\0]/);
        } catch (error) {
          expect(error).toMatchObject({ code: -32602 });
        }
      }),
    );
  });

  it.each([
    ['__proto__', '${data.__proto__}'],
    ['constructor', '${data.constructor.name}'],
    ['length of a text', '${text.length}'],
  ])('does not read %s', (_what, template) => {
    expect(fill({ body: { a: template } }, { text: 'abc', data: {} }).body).toBe('{}');
  });

  it('refuses a message without what the path needs', () => {
    expect(() => fill({ path: '/orders/${data.order}' }, { text: 'x' })).toThrow('The message has no data.order, which this agent needs.');
  });

  it.each<[string, RestRequestConfig, string]>([
    ['an unknown value', { body: { a: ['${txt}'] } }, 'rest.request.body.a.0: there is no value ${txt}. Known here: text, data'],
    ['an expression', { query: { q: '${text + 1}' } }, 'rest.request.query.q: there is no value'],
    ['a query in the path', { path: '/a?b=c' }, 'parameters stand at query'],
    ['a path without a slash', { path: 'a' }, 'begin it with a slash'],
    ['a header of the connection', { headers: { Host: 'x' } }, 'the hub sets this header itself'],
    ['a header that is none', { headers: { 'a b': 'x' } }, 'this is no name of a header'],
    ['a GET with a body', { method: 'GET', body: {} }, 'a GET has no body'],
  ])('refuses %s when it is compiled', (_what, config, message) => {
    expect(() => compile(config)).toThrow(TemplateError);
    expect(() => compile(config)).toThrow(message);
  });

  it('keeps what the operator has encoded', () => {
    expect(fill({ method: 'GET', path: '/a%2Fb/ä c' }, {}).path).toBe('/api/a%2Fb/%C3%A4%20c');
  });
});
