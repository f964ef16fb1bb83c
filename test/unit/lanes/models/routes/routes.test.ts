import { describe, expect, it } from 'vitest';
import type { ModelRouteConfig, ProviderConfig } from '../../../../../src/config/types.ts';
import { ANONYMOUS, type Consumer } from '../../../../../src/core/consumer.ts';
import { ConditionError } from '../../../../../src/core/conditions.ts';
import { Secret } from '../../../../../src/core/secret.ts';
import { buildModels, type ModelsGeneration } from '../../../../../src/lanes/models/routes/build.ts';
import { chooseRoute } from '../../../../../src/lanes/models/routes/choose.ts';
import type { ModelApi } from '../../../../../src/lanes/models/routes/api.ts';
import type { RouteQuestion } from '../../../../../src/lanes/models/routes/route.ts';
import type { BoundPolicy } from '../../../../../src/pipeline/chain.ts';
import { buildHost, LENT, merge } from '../doors/start-lane.ts';

const ALICE: Consumer = { name: 'alice', groups: ['support'], anonymous: false };
const local: ProviderConfig = { type: 'openai-compatible', baseUrl: 'http://vendor.test/v1' };
const PROVIDERS = { main: local, other: { ...local, baseUrl: 'http://other.test/v1' }, off: { ...local, enabled: false } };
const HOST = buildHost();
const to = (provider = 'main', model?: string): Pick<ModelRouteConfig, 'targets'> => ({
  targets: [{ provider, ...(model === undefined ? {} : { model }) }],
});

const build = (
  models: readonly ModelRouteConfig[],
  more: { providers?: Record<string, ProviderConfig>; shared?: BoundPolicy[]; before?: ModelsGeneration } = {},
) => buildModels(merge(more.providers ?? PROVIDERS, models), HOST, LENT, more.shared ?? [], more.before);
const rootOf = ({ apis }: ModelsGeneration): ModelApi => apis.get('v1')!;
const ask = (model: string, more: Partial<RouteQuestion> = {}): RouteQuestion => ({ model, consumer: ANONYMOUS, ...more });
async function taken(models: readonly ModelRouteConfig[], question: RouteQuestion): Promise<string> {
  return chooseRoute(rootOf(await build(models)), question).name;
}

describe('which route takes a call', () => {
  it.each([
    ['support', 'support'],
    ['gpt-9', 'route-2'],
    ['gpt-', 'route-2'],
    ['GPT-9', 'route-4'],
    ['org/deep/model:latest', 'route-3'],
    ['anything', 'route-4'],
  ])('%s: the first that matches, %s', async (model, name) => {
    const models = [
      { name: 'support', ...to() },
      { match: { model: 'gpt-*' }, ...to() },
      { match: { model: 'org/*:latest' }, ...to() },
      { match: { model: '*' }, ...to() },
      { match: { model: 'support' }, ...to() },
    ];
    expect(await taken(models, ask(model))).toBe(name);
  });

  it('a name with a match is no name of a model', async () => {
    const models = [
      { name: 'fast', match: { consumer: 'alice' }, ...to() },
      { name: 'rest', match: { model: '*' }, ...to() },
    ];
    expect(await taken(models, ask('fast'))).toBe('rest');
    expect(await taken(models, ask('whatever', { consumer: ALICE }))).toBe('fast');
  });

  it('by consumer: anonymous has no name, even where its name would match', async () => {
    const models = [
      { match: { consumer: 'anonym*' }, ...to() },
      { match: { consumer: 'al*', model: 'm' }, ...to() },
      { match: { model: 'm' }, ...to() },
    ];
    expect(await taken(models, ask('m'))).toBe('route-3');
    expect(await taken(models, ask('m', { consumer: ALICE }))).toBe('route-2');
  });

  it('by group: one of those that the caller is in', async () => {
    const models = [
      { match: { group: 'sup*' }, ...to() },
      { match: { model: '*' }, ...to() },
    ];
    const inGroups = (...groups: string[]) => ask('m', { consumer: { ...ALICE, groups } });
    expect(await taken(models, inGroups('staff', 'support'))).toBe('route-1');
    expect(await taken(models, inGroups('staff'))).toBe('route-2');
    expect(await taken(models, ask('m'))).toBe('route-2');
  });

  it.each([
    ['support', 'support'],
    ['help', 'support'],
    ['gpt-4o', 'route-2'],
    ['gold-model', 'gold'],
    ['gold', 'rest'],
    ['gpt-*', 'rest'],
  ])('by an alias: %s goes to %s', async (model, name) => {
    const models = [
      { name: 'support', aliases: ['help'], ...to() },
      { aliases: ['gpt-4o', 'gpt-4'], ...to() },
      { name: 'glob', aliases: ['unused'], match: { model: 'gold-*' }, ...to(), enabled: false },
      { name: 'gold', match: { model: 'gold-*' }, ...to() },
      { name: 'rest', match: { model: '*' }, ...to() },
    ];
    expect(await taken(models, ask(model))).toBe(name);
  });

  it('by an alias and a group: both', async () => {
    const models = [
      { name: 'mine', aliases: ['m'], match: { group: 'support' }, ...to() },
      { name: 'm', ...to() },
    ];
    expect(await taken(models, ask('m', { consumer: ALICE }))).toBe('mine');
    expect(await taken(models, ask('mine', { consumer: ALICE }))).toBe('mine');
    expect(await taken(models, ask('m'))).toBe('m');
  });

  it('by header: its name in any case, each of its values', async () => {
    const models = [
      { match: { header: { 'X-Team': 'blue*' } }, ...to() },
      { match: { model: '*' }, ...to() },
    ];
    expect(await taken(models, ask('m', { headers: { 'x-team': 'blue-1' } }))).toBe('route-1');
    expect(await taken(models, ask('m', { headers: { 'x-team': ['red', 'blue'] } }))).toBe('route-1');
    expect(await taken(models, ask('m', { headers: { 'x-team': 'red' } }))).toBe('route-2');
    expect(await taken(models, ask('m', { headers: {} }))).toBe('route-2');
  });

  it('by an expression, which sees the call', async () => {
    const models = [
      { match: { model: '*' }, when: 'call.size > 100 && request.headers["x-a"] == "1" && "support" in consumer.groups', ...to() },
      { match: { model: '*' }, ...to() },
    ];
    const context = (size: number) => () =>
      ({
        consumer: ALICE,
        request: { headers: { 'x-a': '1' }, ip: '127.0.0.1', time: new Date() },
        call: { lane: 'models', route: '', operation: 'chat', model: 'm', size },
      }) as const;
    expect(await taken(models, ask('m', { context: context(101) }))).toBe('route-1');
    expect(await taken(models, ask('m', { context: context(100) }))).toBe('route-2');
    expect(await taken(models, ask('m'))).toBe('route-2');
    await expect(build([{ match: { model: '*' }, when: 'call.nothing ==', ...to() }])).rejects.toThrow(ConditionError);
  });

  it('by intent takes nothing, rather than too much', async () => {
    expect(
      await taken(
        [
          { match: { intent: 'code' }, ...to() },
          { match: { model: '*' }, ...to() },
        ],
        ask('m'),
      ),
    ).toBe('route-2');
  });

  it('what was asked before does not matter', async () => {
    const api = rootOf(
      await build([
        { match: { model: 'm', consumer: 'alice' }, ...to() },
        { match: { model: 'm' }, ...to() },
      ]),
    );
    for (let turn = 0; turn < 3; turn++) {
      expect(chooseRoute(api, ask('m')).name).toBe('route-2');
      expect(chooseRoute(api, ask('m', { consumer: ALICE })).name).toBe('route-1');
      for (let name = 0; name < 1_200; name++) expect(() => chooseRoute(api, ask(`other-${name}`))).toThrow('There is no model');
    }
  });

  it('none: says what to do next, in few words', async () => {
    const api = rootOf(await build([{ name: 'one', ...to() }]));
    const refuse = (): unknown => chooseRoute(api, ask('x'.repeat(1_000)));
    expect(refuse).toThrow(
      expect.objectContaining({
        code: 'model_unknown',
        message: expect.stringMatching(/^.{220,280}GET \/v1\/models lists what you may call\.$/),
      }),
    );
    const empty = rootOf(await build([]));
    expect(() => chooseRoute(empty, ask('m'))).toThrow(/no routes of models here: add one under `models:`/);
  });
});

describe('what is wrong with routes', () => {
  it('an unknown provider is an error that names those there are, and its route is not there', async () => {
    const built = await build([
      { name: 'a', ...to('nobody') },
      { name: 'b', ...to(), fallback: [{ provider: 'none' }] },
    ]);
    const { problems } = built;
    expect(problems).toMatchObject([
      {
        code: 'provider_unknown',
        severity: 'error',
        pointer: '/models/0/targets/0/provider',
        message: expect.stringContaining('Known: main, other, off.'),
      },
      { code: 'provider_unknown', severity: 'error', pointer: '/models/1/fallback/0/provider' },
    ]);
    for (const problem of problems) expect(problem).toMatchObject({ file: 'hubgate.yaml', line: expect.any(Number) });
    expect(rootOf(built).routes.map(({ name }) => name)).toEqual(['b']);
  });

  it('a disabled provider is a warning, a disabled route nothing; the others keep their numbers', async () => {
    const built = await build([
      { ...to('off'), match: { model: 'a' } },
      { ...to(), match: { model: 'b' }, enabled: false },
      { ...to(), match: { model: 'c' } },
    ]);
    expect(built.problems).toMatchObject([{ code: 'provider_disabled', severity: 'warning' }]);
    expect(rootOf(built).routes.map(({ name }) => name)).toEqual(['route-3']);
  });

  it('a policy that holds streams is said, for each route that it is on', async () => {
    const shared: BoundPolicy[] = [{ name: 'guardrail', stage: 'guard', hooks: { onReply: () => {} } }];
    const { problems } = await build([{ name: 'a', ...to() }], { shared });
    expect(problems).toMatchObject([{ code: 'holds_streams', message: expect.stringContaining('guardrail') }]);
    const others: BoundPolicy[] = [{ ...shared[0]!, lanes: ['tools'] }];
    expect((await build([{ name: 'a', ...to() }], { shared: others })).problems).toEqual([]);
  });
});

describe('accounts', () => {
  it('are taken over by the next generation, unless anything in them changed, a secret included', async () => {
    const account = (key: string): Record<string, ProviderConfig> => ({ main: { type: 'openai', apiKey: new Secret(key) } });
    const first = await build([{ name: 'a', ...to() }], { providers: account('one') });
    const same = await build([{ name: 'b', ...to() }], { providers: account('one'), before: first });
    expect(same.accounts.get('main')).toBe(first.accounts.get('main'));
    const changed = await build([{ name: 'a', ...to() }], { providers: account('two'), before: first });
    expect(changed.accounts.get('main')).not.toBe(first.accounts.get('main'));
  });
});
