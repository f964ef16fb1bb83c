import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModelRouteConfig } from '../../../../../src/config/types.ts';
import type { Consumer } from '../../../../../src/core/consumer.ts';
import { ANONYMOUS } from '../../../../../src/core/consumer.ts';
import { buildModels, type ModelsGeneration } from '../../../../../src/lanes/models/routes/build.ts';
import { chooseRoute } from '../../../../../src/lanes/models/routes/choose.ts';
import type { RouteQuestion } from '../../../../../src/lanes/models/routes/route.ts';
import { conditionContext } from '../../../../../src/pipeline/condition-context.ts';
import { buildHost, LENT, merge } from '../doors/start-lane.ts';

const PROVIDERS = {
  main: { type: 'openai-compatible', baseUrl: 'http://vendor.test/v1' },
  off: { type: 'openai-compatible', baseUrl: 'http://vendor.test/v1', enabled: false },
};
const HOST = buildHost();
const TO = { targets: [{ provider: 'main' }] };
const build = (models: readonly ModelRouteConfig[]): Promise<ModelsGeneration> =>
  buildModels(merge(PROVIDERS, models), HOST, LENT, [], undefined);
/** What is said, as `CODE ROUTE`. */
async function said(...models: Omit<ModelRouteConfig, 'targets'>[]): Promise<string[]> {
  const { problems } = await build(models.map((model) => ({ ...TO, ...model })));
  return problems.map(({ code, pointer }) => `${code} ${pointer}`);
}

describe('a route that never takes a call', () => {
  it.each<[string, Omit<ModelRouteConfig, 'targets'>, Omit<ModelRouteConfig, 'targets'>]>([
    ['after one for everything', {}, { name: 'support' }],
    ['after the same glob', { match: { model: 'gpt-*' } }, { match: { model: 'gpt-*' } }],
    ['after a wider glob', { match: { model: 'gpt-*' } }, { match: { model: 'gpt-5-*' } }],
    ['after a glob that takes its name', { match: { model: '*port' } }, { name: 'support' }],
    ['after a route of its name and one of its alias', { match: { model: 's*' } }, { name: 'support', aliases: ['sales'] }],
    ['after a route that has its name as an alias', { name: 'help', aliases: ['support'] }, { name: 'support' }],
    ['after one for its name', { name: 'support' }, { match: { model: 'support', consumer: 'alice' } }],
    [
      'after one with fewer conditions',
      { match: { model: '*', group: 'staff' } },
      { match: { model: 'a', group: 'staff' }, when: 'call.size > 1.0' },
    ],
    ['after one with the same', { match: { header: { 'X-A': 'b*' } }, when: 'true' }, { match: { header: { 'x-a': 'b*' } }, when: 'true' }],
  ])('%s', async (_, earlier, later) => {
    expect(await said(earlier, later)).toEqual(['route_unreachable /models/1']);
  });

  it.each<[string, Omit<ModelRouteConfig, 'targets'>, Omit<ModelRouteConfig, 'targets'>]>([
    ['a narrower glob', { match: { model: 'gpt-5-*' } }, { match: { model: 'gpt-*' } }],
    ['one for anonymous callers too', { match: { consumer: '*' } }, {}],
    ['one that asks for more', { match: { model: '*', header: { 'x-a': '*' } } }, { match: { model: 'a' } }],
    ['another condition', { when: 'call.size > 2.0' }, { when: 'call.size > 3.0' }],
    ['some of its names', { name: 'support' }, { name: 'sales', aliases: ['support'] }],
    ['a question mark', { match: { model: 'gpt-?' } }, { match: { model: 'gpt-*' } }],
    ['a name that looks like a glob', { name: 'gpt-*' }, { name: 'gpt-5' }],
    ['a name that looks like its glob', { name: 'gpt-*' }, { name: 'x', match: { model: 'gpt-*' } }],
    ['two values of one header', { match: { header: { 'X-A': 'a', 'x-a': 'b' } } }, { match: { header: { 'x-a': 'b' } } }],
  ])('is not one that comes after %s', async (_, earlier, later) => {
    expect(await said(earlier, later)).toEqual([]);
  });

  it('is named, with the one that stands before it', async () => {
    const { problems } = await build([
      { match: { model: 'gpt-*' }, ...TO },
      { name: 'gpt-5', ...TO },
    ]);
    expect(problems).toMatchObject([
      {
        code: 'route_unreachable',
        severity: 'warning',
        pointer: '/models/1',
        file: 'hubgate.yaml',
        message: expect.stringMatching(/^The route gpt-5 never takes a call: route-1, which stands before it/),
      },
    ]);
  });

  it('is none where the one before it serves nothing itself', async () => {
    const only = { match: { model: '*' }, ...TO };
    for (const targets of [[{ provider: 'off' }], [{ provider: 'main', weight: 0 }]]) {
      const built = await build([{ match: { model: '*' }, targets }, only]);
      expect(built.problems.map(({ code }) => code)).not.toContain('route_unreachable');
      expect(chooseRoute(built.apis.get('v1')!, { model: 'm', consumer: ANONYMOUS }).name).toBe('route-2');
    }
    expect((await build([{ ...only, enabled: false }, only])).problems).toEqual([]);
  });
});

it('two routes with one name are told, also where one has the number of the other', async () => {
  const when = 'call.size > 9.0';
  expect(await said({ name: 'a', when }, { name: 'b' }, { name: 'a' })).toEqual(['route_name_twice /models/2']);
  expect(await said({ name: 'route-2', when }, { when: 'false' })).toEqual(['route_name_twice /models/1']);
});

const names = ['a', 'b', 'ab', 'a?', 'a*'];
const glob = fc.constantFrom('*', 'a', 'a*', '*b', '?', 'a?', '??', 'ab', '*a*', '**', 'b*');
/** Mostly absent: routes that ask for much cover nothing. */
const rarely = <T>(value: fc.Arbitrary<T>) => fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
const match = fc.record({
  model: fc.option(glob, { nil: undefined }),
  consumer: rarely(fc.constantFrom('*', 'a', 'a*', 'anonymous')),
  group: rarely(fc.constantFrom('*', 'g', 'g*')),
  header: rarely(fc.dictionary(fc.constantFrom('x', 'X', 'y'), fc.constantFrom('*', 'a', 'a*'), { minKeys: 1, maxKeys: 2 })),
});
const route: fc.Arbitrary<ModelRouteConfig> = fc
  .record({
    name: fc.option(fc.constantFrom(...names), { nil: undefined }),
    aliases: rarely(fc.subarray(names, { minLength: 1 })),
    match: fc.option(match, { nil: undefined }),
    when: rarely(fc.constantFrom('call.size > 5.0', 'call.model == "a"')),
    enabled: rarely(fc.boolean()),
    fallback: rarely(fc.constant([{ provider: 'main' }])),
    targets: fc.constantFrom<ModelRouteConfig['targets']>(
      [{ provider: 'main' }],
      [{ provider: 'main' }],
      [{ provider: 'main', weight: 0 }],
      [{ provider: 'off' }],
    ),
  })
  .map((config) => JSON.parse(JSON.stringify(config)) as ModelRouteConfig);
const asking = fc.record({
  model: fc.constantFrom(...names, 'aa', 'ba', 'abc', ''),
  consumer: fc.constantFrom<Consumer>(
    ANONYMOUS,
    { name: 'a', groups: [], anonymous: false },
    { name: 'ab', groups: ['g', 'h'], anonymous: false },
    { name: 'b', groups: ['gh'], anonymous: false },
  ),
  headers: fc.dictionary(fc.constantFrom('x', 'y'), fc.constantFrom<string | string[]>('a', 'ab', 'c', ['a', 'c'])),
  size: fc.constantFrom(1, 10),
});

it('what is reported as unreachable is never chosen, whatever is asked', async () => {
  let reported = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(route, { minLength: 2, maxLength: 5 }),
      fc.array(asking, { minLength: 20, maxLength: 20 }),
      async (models, questions) => {
        const { problems, apis } = await build(models);
        const dead = new Set(problems.filter(({ code }) => code === 'route_unreachable').map(({ pointer }) => pointer));
        reported += dead.size;
        for (const { model, consumer, headers, size } of questions) {
          const request = { headers, ip: '', size };
          const asked = {
            lane: 'models',
            operation: 'chat',
            route: '',
            consumer,
            request,
            startedAt: 0,
            model,
            segments: () => [],
          } as const;
          const question: RouteQuestion = { model, consumer, headers, context: () => conditionContext(asked) };
          let chosen: string | undefined;
          try {
            chosen = chooseRoute(apis.get('v1')!, question).pointer;
          } catch {
            continue;
          }
          expect(dead.has(chosen)).toBe(false);
        }
      },
    ),
    { numRuns: 1_000 },
  );
  expect(reported, 'too few were reported for this to say much').toBeGreaterThan(50);
});
