import { expect, it } from 'vitest';
import type { CompiledOperation } from '../../../src/lanes/tools/openapi/types.ts';
import { judgeDocument, type Verdict } from '../../corpus/judge.ts';
import { declaredOperations } from '../../corpus/operation.ts';
import { missingArguments } from '../../corpus/ours.ts';
import type { Reading } from '../../corpus/reading.ts';
import type { Referee } from '../../corpus/referees/referee.ts';
import { type Part, Resolver } from '../../corpus/resolver.ts';

function judge(path: Part, referees: readonly Referee[] = []): Promise<Verdict> {
  const root = { openapi: '3.0.3', info: { title: 'T', version: '1' }, paths: { '/a': path } };
  return judgeDocument({ id: 'nasty/t', group: 'nasty', operations: 1, text: JSON.stringify(root), root }, referees, {
    seed: 1,
    prismUpTo: 0,
  });
}

it('an optional body of GET, HEAD or DELETE may be left out only when it declares nothing', () => {
  const missing = (method: string, schema: unknown, required = false): string[] => {
    const root = {
      openapi: '3.0.3',
      paths: { '/a': { [method]: { requestBody: { required, content: { 'application/json': { schema } } } } } },
    };
    const resolver = new Resolver(root);
    const [operation] = declaredOperations(resolver);
    return missingArguments({ parameters: [] } as Partial<CompiledOperation> as CompiledOperation, operation!, resolver);
  };
  const empty = { type: 'object', properties: {}, title: 'Nothing' };
  for (const schema of [{ type: 'object' }, empty, { ...empty, additionalProperties: false }])
    expect(missing('delete', schema)).toEqual([]);
  for (const schema of [{}, { ...empty, additionalProperties: true }, { type: 'object', properties: { a: {} } }, { type: 'string' }])
    expect(missing('delete', schema), JSON.stringify(schema)).toEqual(['body']);
  expect([missing('post', empty), missing('get', empty, true), missing('get', empty)]).toEqual([['body'], ['body'], []]);
});

it('draws a wrong value for one argument, and counts whether it is refused', async () => {
  const parameter = (schema: object, required = false): Part => ({ name: 'p', in: 'query', required, schema });
  const of = async (schema: object): Promise<(number | undefined)[]> => {
    const { spoiled, caught } = await judge({ get: { parameters: [parameter(schema)] } });
    return [spoiled, caught];
  };
  for (const schema of [
    { type: 'integer' },
    { type: 'object' },
    { anyOf: [{ type: 'string' }, { type: 'object' }] },
    { allOf: [{ type: 'string' }, {}] },
    { enum: ['a', 1] },
  ])
    expect(await of(schema), JSON.stringify(schema)).toEqual([1, 1]);
  for (const schema of [{}, { oneOf: [{ type: 'string' }, {}] }, { not: { type: 'string' } }]) expect(await of(schema)).toEqual([0, 0]);
});

it('keeps sets that no referee judged apart from right ones', async () => {
  const reading: Reading = { method: 'GET', path: '/a', query: [['p', 'abc']], headers: new Map(), cookies: [] };
  const referee = (judges: boolean): Referee => ({ name: 'one', judges: () => judges, request: () => Promise.resolve(reading) });
  const broken: Referee = { ...referee(true), request: () => Promise.reject(new Error('It cannot read this.')) };
  const get = { get: { parameters: [{ name: 'p', in: 'query', required: true, schema: { type: 'string', enum: ['abc'] } }] } };
  expect(await judge(get, [referee(true)])).toMatchObject({ sets: 3, setsRight: 3, setsUnjudged: 0, right: 1 });
  for (const referees of [[referee(false)], [broken], [broken, referee(false)]])
    expect(await judge(get, referees)).toMatchObject({ sets: 3, setsRight: 0, setsUnjudged: 3, compared: 0, right: 0 });
});
