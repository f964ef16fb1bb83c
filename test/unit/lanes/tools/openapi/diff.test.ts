import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffInSlices, diffServices, summaryOf, type OperationChange } from '../../../../../src/lanes/tools/openapi/changes/diff.ts';
import { canonical, compareSchemas } from '../../../../../src/lanes/tools/openapi/changes/compare-schemas.ts';
import type { CompiledService } from '../../../../../src/lanes/tools/openapi/types.ts';
import { compileTree, type Part } from './compiling.ts';

const query = (name: string, schema: Part, rest: Part = {}): Part => ({ name, in: 'query', schema, ...rest });
const serviceOf = (operation: Part, root: Part = {}, path = '/things'): CompiledService =>
  compileTree({ paths: { [path]: { post: { operationId: 'one', responses: {}, ...operation } } }, ...root });
const bodyOf = (schema: Part): Part => ({ requestBody: { required: true, content: { 'application/json': { schema } } } });

/** `code notice` of each change of the one operation. */
function changesOf(before: CompiledService, after: CompiledService): string[] {
  return diffServices(before, after).changed.flatMap(({ changes }) => changes.map(({ code, notice }) => `${code} ${notice}`));
}
function changed(before: Part, after: Part): OperationChange[] {
  return diffServices(serviceOf(before), serviceOf(after)).changed.flatMap(({ changes }) => changes);
}

describe('operations', () => {
  const operation = (operationId: string): Part => ({ get: { operationId, responses: {} } });
  it('come, go, and stay', () => {
    const before = compileTree({ paths: { '/a': operation('a'), '/b': operation('b') } });
    const after = compileTree({ paths: { '/c': operation('c'), '/b': operation('b') } });
    const changes = diffServices(before, after);
    expect(changes).toEqual({
      added: [{ tool: 'c', method: 'GET', path: '/c' }],
      removed: [{ tool: 'a', method: 'GET', path: '/a' }],
      changed: [],
    });
    expect(summaryOf(changes)).toBe('1 added, 1 removed');
  });

  it('may be renamed, which breaks, or move, which nobody notices', () => {
    const at = (path: string, id: string): CompiledService => compileTree({ paths: { [path]: operation(id) } });
    expect(changesOf(at('/a', 'a'), at('/a', 'z'))).toEqual(['renamed breaking']);
    expect(changesOf(at('/a', 'a'), at('/v2/a', 'a'))).toContain('moved invisible');
  });

  it('are asked elsewhere without a consumer noticing', () => {
    const before = serviceOf({}, { servers: [{ url: 'https://a.test' }] });
    const after = serviceOf({}, { servers: [{ url: 'https://b.test' }] });
    expect(changesOf(before, after)).toEqual(['request invisible']);
    expect(summaryOf(diffServices(before, after))).toBe('1 changed (1 that no consumer notices)');
  });
});

describe('arguments', () => {
  const limit = query('limit', { type: 'integer' });
  it.each<[string, Part[], Part[], string[]]>([
    ['added', [], [limit], ['argument_added visible']],
    ['added and required', [], [{ ...limit, required: true }], ['argument_added_required breaking']],
    ['removed', [limit], [], ['argument_removed breaking']],
    ['required', [limit], [{ ...limit, required: true }], ['argument_required breaking']],
    ['optional', [{ ...limit, required: true }], [limit], ['argument_optional visible']],
    ['narrowed', [limit], [query('limit', { type: 'integer', maximum: 9 })], ['argument_narrowed breaking']],
    ['widened', [limit], [query('limit', { type: 'number' })], ['argument_widened visible']],
    ['described', [limit], [query('limit', { type: 'integer', description: 'Most.' })], ['argument_described visible']],
    ['sent in another way', [query('a', { type: 'array', items: {} })], [query('a', { type: 'array', items: {} }, { explode: false })], ['request invisible']], // prettier-ignore
  ])('%s', (_, before, after, expected) => {
    expect(changed({ parameters: before }, { parameters: after }).map(({ code, notice }) => `${code} ${notice}`)).toEqual(expected);
  });

  it('are followed when their key is another', () => {
    const header: Part = { name: 'id', in: 'header', schema: { type: 'string' } };
    const before = serviceOf({ parameters: [query('id', { type: 'string' }), header] });
    expect(changesOf(before, serviceOf({ parameters: [header] }))).toEqual(['argument_renamed breaking']);
  });

  it('are followed into bodies and definitions, and the place is named', () => {
    const tree = (size: Part): CompiledService =>
      serviceOf(bodyOf({ $ref: '#/components/schemas/Tree' }), {
        components: {
          schemas: {
            Tree: { type: 'object', properties: { size, children: { type: 'array', items: { $ref: '#/components/schemas/Tree' } } } },
          },
        },
      });
    const [before, after] = [tree({ type: 'string', enum: ['s', 'm'] }), tree({ type: 'string', enum: ['s'] })];
    expect(diffServices(before, after).changed[0]?.changes).toEqual([
      { code: 'argument_narrowed', notice: 'breaking', argument: 'body', message: 'The argument body at size takes "m" no more.' },
    ]);
    expect(changesOf(after, before)).toEqual(['argument_widened visible']);
    expect(diffServices(before, before).changed).toEqual([]);
  });
});

describe('answers', () => {
  const answering = (properties: Part | undefined): CompiledService => {
    const content = properties && { content: { 'application/json': { schema: { type: 'object', properties } } } };
    return compileTree(
      { paths: { '/a': { get: { operationId: 'a', responses: { 200: { description: 'x', ...content } } } } } },
      { options: { outputSchemas: true } },
    );
  };
  it('break when something in them goes', () => {
    const [none, one, two] = [
      answering(undefined),
      answering({ a: { type: 'string' } }),
      answering({ a: { type: 'string' }, b: { type: 'string' } }),
    ];
    expect(changesOf(one, two)).toEqual(['output visible']);
    expect(changesOf(two, one)).toEqual(['output breaking']);
    expect(changesOf(one, none)).toContain('output breaking');
  });
});

const scalar = fc.constantFrom<Part>(
  { type: 'string' },
  { type: 'string', maxLength: 3 },
  { type: 'string', enum: ['a', 'b'] },
  { enum: ['a', 1] },
  { type: 'integer' },
  { type: 'integer', minimum: 2 },
  { type: 'number' },
  { type: ['string', 'null'] },
  { type: 'boolean' },
  { const: 'a' },
  {},
);
const { schema } = fc.letrec<{ schema: Part }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc
      .tuple(
        fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('schema'), { maxKeys: 3 }),
        fc.subarray(['a', 'b', 'c']),
        fc.constantFrom('object', undefined),
      )
      .map(([properties, wanted, type]) => ({
        ...(type !== undefined && { type }),
        properties,
        required: wanted.filter((key) => Object.hasOwn(properties, key)),
        additionalProperties: false,
      })),
    tie('schema').map((items) => ({ type: 'array', items })),
    fc.array(tie('schema'), { minLength: 1, maxLength: 2 }).map((anyOf) => ({ anyOf })),
    fc.array(tie('schema'), { minLength: 1, maxLength: 2 }).map((allOf) => ({ allOf })),
    fc.array(tie('schema'), { minLength: 1, maxLength: 2 }).map((oneOf) => ({ oneOf })),
  ),
}));
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<unknown>('a', 'b', 'abcd', 1, 2, 2.5, null, true),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('any'), { maxKeys: 3 }),
    fc.array(tie('any'), { maxLength: 2 }),
  ),
})).any;
const document = fc.dictionary(
  fc.constantFrom('/a', '/b', '/c/{id}'),
  fc.dictionary(
    fc.constantFrom('get', 'put', 'delete'),
    fc.record({
      parameters: fc.uniqueArray(fc.tuple(fc.constantFrom('x', 'y', 'id'), schema, fc.boolean()), { selector: ([name]) => name }),
    }),
    { maxKeys: 2 },
  ),
);
const compiled = (
  paths: Readonly<Record<string, Readonly<Record<string, { parameters: readonly (readonly [string, Part, boolean])[] }>>>>,
) =>
  compileTree({
    paths: Object.fromEntries(
      Object.entries(paths).map(([path, item]) => [
        path,
        Object.fromEntries(
          Object.entries(item).map(([method, { parameters }]) => [
            method,
            { responses: {}, parameters: parameters.map(([name, one, required]) => query(name, one, { required })) },
          ]),
        ),
      ]),
    ),
  });

/** The same value with the keys of its objects the other way round. */
function turned<T>(given: T): T {
  if (Array.isArray(given)) return given.map((item: unknown) => turned(item)) as T;
  if (typeof given !== 'object' || given === null) return given;
  return Object.fromEntries(Object.entries(given).toReversed().map(([key, item]) => [key, turned<unknown>(item)])) as T; // prettier-ignore
}

describe('whatever the documents', () => {
  it('the same service has no changes, and the order of keys and operations is none', () => {
    fc.assert(
      fc.property(document, (paths) => {
        const service = compiled(paths);
        const other = turned(service);
        const none = { added: [], removed: [], changed: [] };
        expect(diffServices(service, service)).toEqual(none);
        expect(diffServices(service, { ...other, operations: other.operations.toReversed() })).toEqual(none);
        expect(summaryOf(none)).toBe('');
      }),
    );
  });

  it('what comes one way goes the other, every change has a reason, and slices make no difference', async () => {
    await fc.assert(
      fc.asyncProperty(document, document, async (a, b) => {
        const [before, after] = [compiled(a), compiled(b)];
        const [there, back] = [diffServices(before, after), diffServices(after, before)];
        expect(there.added).toEqual(back.removed);
        expect(there.removed).toEqual(back.added);
        expect(there.changed.map(({ path, method }) => path + method)).toEqual(back.changed.map(({ path, method }) => path + method));
        for (const { notice, changes } of there.changed) expect(changes.map((change) => change.notice)).toContain(notice);
        expect(await diffInSlices(before, after)).toEqual(there);
      }),
    );
  });

  it('a schema that is called no narrower takes all that the one before took', () => {
    const ajv = new Ajv2020({ strict: false, logger: false });
    fc.assert(
      fc.property(schema, schema, fc.array(value, { minLength: 20, maxLength: 20 }), (before, after, values) => {
        const found = compareSchemas(before, after, { before, after });
        const [old, now] = [ajv.compile(before), ajv.compile(after)];
        const lost = values.find((one) => old(one) && !now(one));
        if (lost !== undefined)
          expect(found.map(({ effect }) => effect)).toEqual(expect.arrayContaining([expect.stringMatching(/narrower|either/)]));
        const won = values.find((one) => !old(one) && now(one));
        if (won !== undefined)
          expect(found.map(({ effect }) => effect)).toEqual(expect.arrayContaining([expect.stringMatching(/wider|either/)]));
        if (canonical(before) === canonical(after)) expect(found).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });
});
