import type { JsonObject } from '../../../../../src/core/json.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findPaging, pagingSentence } from '../../../../../src/lanes/tools/openapi/answers/paging.ts';
import { checkArguments } from '../../../../../src/lanes/tools/openapi/arguments.ts';
import { decodeResponse } from '../../../../../src/lanes/tools/openapi/response.ts';
import type { CompiledOperation } from '../../../../../src/lanes/tools/openapi/types.ts';
import { compileOne } from './compiling.ts';

const SCHEMAS: Record<string, object> = {
  string: { type: 'string' },
  integer: { type: 'integer' },
};

/** `page:integer limit:integer` as query parameters. */
function listing(parameters: string): CompiledOperation {
  return compileOne({
    parameters: parameters.split(' ').map((one) => {
      const [name = '', type = 'string', usual] = one.split(':');
      const schema = { ...SCHEMAS[type], ...(usual !== undefined && { default: Number(usual) }) };
      return { name, in: 'query', schema };
    }),
  });
}

const pagingOf = (operation: CompiledOperation) =>
  findPaging({ ...operation, inputSchema: operation.tool.definition.inputSchema } as Parameters<typeof findPaging>[0]);

function next(operation: CompiledOperation, args: JsonObject, body: unknown, headers: Record<string, string> = {}): unknown {
  const paging = pagingOf(operation);
  const response = { status: 200, headers: { 'content-type': 'application/json', ...headers }, body: Buffer.from(JSON.stringify(body)) };
  const redact = (text: string): string => text.replaceAll('s3cret', '[redacted]');
  return decodeResponse(operation, response, { redact, ...(paging !== undefined && { paging }) }, args)._meta?.['hubgate/next'];
}

const three = [{ id: 'a' }, { id: 'b' }, { id: 'c' }];

describe('the next page', () => {
  test.each<[string, string, JsonObject, unknown, JsonObject | undefined]>([
    // Tokens.
    ['next_cursor', 'cursor:string', {}, { items: [], next_cursor: 'x' }, { cursor: 'x' }],
    ['nextPageToken', 'pageToken:string pageSize:integer', { pageSize: 2 }, { nextPageToken: 'x' }, { pageToken: 'x' }],
    ['NextToken', 'NextToken:string', { NextToken: 'w' }, { NextToken: 'x' }, { NextToken: 'x' }],
    ['inside of response_metadata', 'cursor:string', {}, { response_metadata: { next_cursor: 'x=' } }, { cursor: 'x=' }],
    ['metadata.continue', 'continue:string limit:integer', {}, { metadata: { continue: 'x' } }, { continue: 'x' }],
    ['pageInfo.endCursor', 'after:string', {}, { pageInfo: { hasNextPage: true, endCursor: 'x' } }, { after: 'x' }],
    ['the end of a pageInfo', 'after:string', {}, { pageInfo: { hasNextPage: false, endCursor: 'x' } }, undefined],
    ['paging.next.after', 'after:string', {}, { paging: { next: { after: '20', link: 'https://x.test/?after=20' } } }, { after: '20' }],
    ['meta.next of page[cursor]', 'page[cursor]:string', {}, { meta: { page: { next_cursor: 'x' } } }, { page_cursor: 'x' }],
    ['the name of the argument', 'cursor:string', { cursor: 'w' }, { cursor: 'x' }, { cursor: 'x' }],
    ['the same token again', 'cursor:string', { cursor: 'x' }, { cursor: 'x' }, undefined],
    ['an offset that is a text', 'offset:string', {}, { records: [], offset: 'itr/rec' }, { offset: 'itr/rec' }],
    ['no token', 'cursor:string', {}, { items: three, next_cursor: '' }, undefined],
    ['a null token', 'cursor:string limit:integer', { limit: 3 }, { items: three, next_cursor: null, has_more: false }, undefined],
    // The last item.
    ['has_more', 'starting_after:string', {}, { data: three, has_more: true }, { starting_after: 'c' }],
    ['no more', 'starting_after:string', {}, { data: three, has_more: false }, undefined],
    ['last_id', 'after_id:string', {}, { data: three, has_more: true, last_id: 'c' }, { after_id: 'c' }],
    // Addresses in the body.
    ['next', 'page:integer', { page: 1 }, { count: 9, next: 'https://other.test/x?page=2&format=json', results: three }, { page: 2 }],
    ['links.next', 'page[number]:integer', {}, { links: { next: '/x?page%5Bnumber%5D=2' } }, { page_number: 2 }],
    ['_links.next.href', 'page:integer', {}, { _links: { next: { href: '?page=2' } } }, { page: 2 }],
    [
      'links with rel',
      'offset:integer',
      {},
      {
        links: [
          { rel: 'self', href: '?offset=0' },
          { rel: 'next', href: '?offset=3' },
        ],
      },
      { offset: 3 },
    ],
    [
      '@odata.nextLink',
      '$skiptoken:string $top:integer',
      { top: 3 },
      { '@odata.nextLink': 'https://x.test/v1?$skiptoken=x%2By' },
      { skiptoken: 'x+y' },
    ],
    ['a next that is null', 'page:integer limit:integer', { limit: 3 }, { next: null, results: three }, undefined],
    // Numbers.
    ['next_page', 'page:integer', {}, { next_page: 2 }, { page: 2 }],
    ['nextOffset', 'offset:integer', {}, { nextOffset: 30 }, { offset: 30 }],
    ['total and offset', 'offset:integer limit:integer', { offset: 3, limit: 3 }, { total: 9, items: three }, { offset: 6 }],
    ['total at the end', 'offset:integer limit:integer', { offset: 6, limit: 3 }, { total: 9, items: three }, undefined],
    ['startAt', 'startAt:integer', {}, { startAt: 0, total: 4, issues: three }, { startAt: 3 }],
    ['startIndex from 1', 'startIndex:integer count:integer', {}, { totalResults: 4, Resources: three }, { startIndex: 4 }],
    ['startIndex at the end', 'startIndex:integer', {}, { totalResults: 3, Resources: three }, undefined],
    ['a full page', 'page:integer per_page:integer', { page: 2, per_page: 3 }, three, { page: 3 }],
    ['a page that is not full', 'page:integer per_page:integer', { page: 2, per_page: 4 }, three, undefined],
    ['a full page by default', 'page:integer per_page:integer:3', {}, three, { page: 2 }],
    ['pages from 0', 'page:integer:0 size:integer', {}, { content: three, last: false, totalPages: 2 }, { page: 1 }],
    ['the last page from 0', 'page:integer:0 size:integer', { page: 1 }, { content: three, totalPages: 2 }, undefined],
    ['a page of a total', 'page:integer per_page:integer', { per_page: 3 }, { meta: { total: 4 }, data: three }, { page: 2 }],
    ['an empty page', 'page:integer', {}, { has_more: true, data: [] }, undefined],
    ['a time called start', 'start:integer limit:integer', { start: 1_790_000_000, limit: 3 }, three, undefined],
    ['nothing that speaks of pages', 'page:integer', {}, { id: 1 }, undefined],
  ])('%s', (_, parameters, args, body, expected) => expect(next(listing(parameters), args, body)).toEqual(expected));

  test.each<[string, string, JsonObject, string, JsonObject | undefined]>([
    [
      'a page',
      'page:integer per_page:integer',
      { per_page: 3 },
      '<https://a.test/x?per_page=3&page=2>; rel="next", <https://a.test/x?page=9>; rel="last"',
      { page: 2 },
    ],
    ['several relations', 'page:integer', {}, '<?page=2>; title="a, b"; rel="last next"', { page: 2 }],
    [
      'the last page',
      'page:integer per_page:integer',
      { page: 9, per_page: 3 },
      '<?page=8>; rel="prev", <?page=1>; rel="first"',
      undefined,
    ],
    ['another parameter', 'since:integer per_page:integer', {}, '<https://a.test/users?since=46&per_page=3>; rel="next"', { since: 46 }],
    ['one that is no argument', 'sort:string page:integer', {}, '<?sort=asc&cursor=x>; rel="next"', undefined],
    ['a value that does not fit', 'page:integer', {}, '<?page=two>; rel="next"', undefined],
    ['a secret', 'cursor:string', {}, '<?cursor=s3cret>; rel="next"', undefined],
    ['nonsense', 'page:integer', {}, '<http://[>; rel=next, <<>>; rel=next', undefined],
  ])('Link: %s', (_, parameters, args, link, expected) => {
    expect(next(listing(parameters), args, three, { link })).toEqual(expected);
  });

  test('in the body of a search', () => {
    const operation = compileOne({
      requestBody: {
        content: {
          'application/json': {
            schema: {
              type: 'object',
              properties: { query: { type: 'string' }, start_cursor: { type: 'string' }, page_size: { type: 'integer' } },
            },
          },
        },
      },
    });
    expect(next(operation, { body: { query: 'q' } }, { results: three, has_more: true, next_cursor: 'x' })).toEqual({
      body: { start_cursor: 'x' },
    });
    expect(next(operation, {}, { next_cursor: 'x' })).toEqual({ body: { start_cursor: 'x' } });
  });

  test('is looked for in few places, however many an answer offers', () => {
    const operation = compileOne({ parameters: [{ name: 'cursor', in: 'query', schema: { type: 'string', pattern: '^ok' } }] });
    const offering = (wrong: number) =>
      Object.fromEntries([
        ...Array.from({ length: wrong }, (_, index) => [`next${'_'.repeat(index)}`, `no${index}`]),
        ['next_cursor', 'ok'],
      ]);
    expect([3, 30].map((wrong) => next(operation, {}, offering(wrong)))).toEqual([{ cursor: 'ok' }, undefined]);
    const records = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`id${index}`, index]));
    expect(next(operation, {}, { ...records, next_cursor: 'ok' })).toBeUndefined();
  });

  test('is never one that the tool does not take', () => {
    const operation = listing('page:integer cursor:string offset:integer limit:integer after:string');
    const scalar = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.integer(),
      fc.constantFrom(null, true, false, '?page=x', '/a?cursor=1&offset=b'),
    );
    const names = fc.constantFrom(
      'next',
      'next_cursor',
      'nextPage',
      'has_more',
      'total',
      'paging',
      'links',
      'data',
      'items',
      'offset',
      'last',
    );
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof({ maxDepth: 4 }, scalar, fc.dictionary(names, tie('value')), fc.array(tie('value'), { maxLength: 4 })),
    }));
    fc.assert(
      fc.property(value, fc.record({ page: fc.nat(), limit: fc.nat(4), cursor: fc.string() }, { requiredKeys: [] }), (body, args) => {
        const changes = next(operation, args, body);
        if (changes === undefined) return;
        const merged = { ...args, ...(changes as JsonObject) };
        expect(checkArguments(operation, merged)).toBeUndefined();
        expect(merged).not.toEqual(args);
      }),
      { numRuns: 1000 },
    );
  });
});

test('the sentence of a description', () => {
  const sentence = (parameters: string) => pagingSentence(pagingOf(listing(parameters)));
  expect(sentence('page:integer per_page:integer')).toBe(
    'Paged by page, best at most 50 at a time by per_page; an answer with more pages says how to call again.',
  );
  expect(sentence('cursor:string')).toBe('Paged by cursor; an answer with more pages says how to call again.');
  expect(sentence('q:string')).toBeUndefined();
});
