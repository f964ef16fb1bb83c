import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nameOperations } from '../../../../../src/lanes/tools/openapi/names.ts';
import type { Nameable } from '../../../../../src/lanes/tools/openapi/names.ts';

function named(
  operations: readonly (readonly [identity: string, operationId?: string])[],
  given?: Record<string, string>,
  service = 'svc',
): string[] {
  const nameables = operations.map(([identity, operationId]): Nameable => {
    const [method = '', path = ''] = identity.split(' ');
    return { identity, method, path, ...(operationId !== undefined && { operationId }) };
  });
  const names = nameOperations(nameables, service, given);
  return operations.map(([identity]) => names.get(identity) ?? '');
}

describe('nameOperations', () => {
  test('a legal operationId stays, others are cleaned, without a hash', () => {
    expect(named([['GET /a', 'getThing'], ['GET /b', 'issues/list-for-repo'], ['GET /c', 'créerÉlément'], ['GET /d', 'Get Thing By Id!'], ['GET /e', '2fa.get']])).toEqual(
      ['getThing', 'issues_list-for-repo', 'creerElement', 'Get_Thing_By_Id', 'op_2fa_get'],
    ); // prettier-ignore
  });

  test('without a usable operationId the path names the tool, without the common prefix', () => {
    expect(named([['GET /api/v1/pets/{petId}'], ['POST /api/v1/pets', ''], ['GET /api/v1/cats', 'получить_вещь']])).toEqual([
      'get_pets_by_petId',
      'post_pets',
      'get_cats',
    ]);
  });

  test('twins without regard to case get a hash; legal ones keep their name whatever stands before them', () => {
    const [first, second, third] = named([
      ['GET /a', 'get thing'],
      ['GET /b', 'get_thing'],
      ['GET /c', 'GET_THING'],
    ]);
    expect(first).toMatch(/^get_thing_[a-z2-7]{6}$/);
    expect(second).toBe('get_thing');
    expect(third).toMatch(/^GET_THING_[a-z2-7]{6}$/);
  });

  test('long names are cut at a word, and leave room for the service', () => {
    const [name = ''] = named([['GET /a', 'replaceCoreV1NamespacedPodEphemeralcontainersOfTheCluster']], undefined, 'kubernetes');
    expect(name).toMatch(/^replaceCoreV1Namespaced[A-Za-z]*_[a-z2-7]{6}$/);
    expect(`kubernetes_${name}`.length).toBeLessThanOrEqual(48);
  });

  test('names given earlier stay, even when an operation now has that operationId', () => {
    expect(
      named(
        [
          ['GET /new', 'list'],
          ['GET /old', 'list'],
        ],
        { 'GET /old': 'list' },
      )[1],
    ).toBe('list');
    expect(named([['GET /a', 'a']], { 'GET /a': 'not legal!' })).toEqual(['a']);
  });

  test('every name is legal, unique and short; adding an operation renames none', () => {
    const identity = fc
      .tuple(fc.constantFrom('GET', 'POST'), fc.webPath())
      .map(([method, path]) => `${method} ${path === '' ? '/' : path}`);
    const operation = fc.tuple(identity, fc.option(fc.oneof(fc.string(), fc.constantFrom('list', 'List', 'list!')), { nil: undefined }));
    fc.assert(
      fc.property(fc.uniqueArray(operation, { selector: ([key]) => key, minLength: 2 }), ([added, ...others]) => {
        const before = named(others);
        expect(before.filter((name) => !/^[A-Za-z][A-Za-z0-9_-]{0,43}$/.test(name))).toEqual([]);
        expect(new Set(before.map((name) => name.toLowerCase())).size).toBe(before.length);
        const given = Object.fromEntries(others.map(([key], index) => [key, before[index] ?? '']));
        expect(named([added ?? ['GET /'], ...others], given).slice(1)).toEqual(before);
      }),
      { numRuns: 100 },
    );
  });
});
