import { describe, expect, it } from 'vitest';
import type { ModelRouteConfig, ProviderConfig } from '../../../../../src/config/types.ts';
import { GatewayError } from '../../../../../src/core/errors.ts';
import { Secret } from '../../../../../src/core/secret.ts';
import type { ModelsBuildHost, ModelsHost } from '../../../../../src/lanes/models/host.ts';
import { buildModels, type ModelsGeneration } from '../../../../../src/lanes/models/routes/build.ts';
import type { ModelPlan } from '../../../../../src/lanes/models/routes/choice.ts';
import { startHealthChecks } from '../../../../../src/lanes/models/routes/health-checks.ts';
import { buildHost, LENT, merge } from '../doors/start-lane.ts';

const local: ProviderConfig = { type: 'openai-compatible', baseUrl: 'http://vendor.test/v1' };
const PROVIDERS = { a: local, b: local, off: { ...local, enabled: false } };

interface Parts {
  readonly providers?: Record<string, ProviderConfig>;
  readonly host?: ModelsHost;
  readonly lent?: ModelsBuildHost;
}
const build = (
  config: ModelRouteConfig,
  { providers = PROVIDERS, host = buildHost(), lent = LENT }: Parts = {},
): Promise<ModelsGeneration> => buildModels(merge(providers, [{ name: 'm', ...config }]), host, lent, [], undefined);
async function planOf(config: ModelRouteConfig, parts?: Parts): Promise<ModelPlan> {
  return (await build(config, parts)).apis.get('v1')!.routes[0]!.plan;
}
const shape = ({ pools }: ModelPlan): string[][] =>
  pools.map(({ choices }) => choices.map(({ target, weight }) => `${target.name} ${weight}`));

describe('the plan of a route', () => {
  it('is its targets together, then each fallback by itself', async () => {
    const plan = await planOf({
      targets: [
        { provider: 'a', model: 'x', weight: 90 },
        { provider: 'b' },
        { provider: 'b', model: 'y', weight: 0 },
        { provider: 'off' },
      ],
      fallback: [{ provider: 'a', model: 'z' }, { provider: 'off' }, { provider: 'b', model: 'z' }],
    });
    expect(shape(plan)).toEqual([['a/x 90', 'b/* 1'], ['a/z 1'], ['b/z 1']]);
    expect(plan).toMatchObject({ retries: 2 });
    expect(plan).not.toHaveProperty('totalMs');
    expect(plan).not.toHaveProperty('fallbackOn');
  });

  it('begins with its fallback where no target is left, and is none where nothing is', async () => {
    const targets = [{ provider: 'a', weight: 0 }];
    expect(shape(await planOf({ targets, fallback: [{ provider: 'b' }] }))).toEqual([['b/* 1']]);
    const { apis, problems } = await build({ targets });
    expect([apis.get('v1')!.routes, problems]).toMatchObject([
      [],
      [{ code: 'route_without_target', severity: 'warning', pointer: '/models/0' }],
    ]);
  });

  it('has what the route says', async () => {
    const plan = await planOf({ targets: [{ provider: 'a' }], retries: 0, timeouts: { total: 9_000 }, fallbackOn: ['content_refused'] });
    expect(plan).toMatchObject({ retries: 0, totalMs: 9_000, fallbackOn: new Set(['content_refused']) });
  });

  it.each<[ModelRouteConfig['balance'], string, unknown]>([
    [undefined, 'weight', {}],
    ['latency', 'latency', {}],
    [{ mine: { option: 1 } }, 'mine', { option: 1 }],
  ])('with balance %j has that balancer, with its options and its place', async (balance, name, options) => {
    const asked: unknown[] = [];
    const createBalancer: ModelsBuildHost['createBalancer'] = async (...given) => {
      asked.push(given);
      return LENT.createBalancer('weight', {}, '');
    };
    await planOf({ targets: [{ provider: 'a' }], ...(balance === undefined ? {} : { balance }) }, { lent: { ...LENT, createBalancer } });
    expect(asked).toEqual([[name, options, '/models/0/balance']]);
  });

  it('that cannot be made refuses the change', async () => {
    const createBalancer = () => Promise.reject(new GatewayError('bad_request', 'There is no balancer named "none".'));
    await expect(build({ targets: [{ provider: 'a' }], balance: 'none' }, { lent: { ...LENT, createBalancer } })).rejects.toThrow(
      'no balancer',
    );
  });

  it('knows the price of a target by its model, asked for once', async () => {
    const asked: unknown[] = [];
    const host = buildHost();
    const ledger = {
      ...host.ledger,
      priced: (usage: object, by: { target?: { model?: string } }) => {
        asked.push(by.target?.model);
        return { ...usage, cost: by.target?.model === 'dear' ? 12 : null };
      },
    };
    const plan = await planOf(
      { targets: [{ provider: 'a', model: 'dear' }, { provider: 'a' }] },
      { host: { ...host, ledger } as unknown as ModelsHost },
    );
    const [dear, any] = plan.pools[0]!.choices;
    expect([dear!.price, dear!.price, any!.price, any!.price, asked]).toEqual([12, 12, undefined, undefined, ['dear', '*']]);
    expect([any!.targetFor('gpt-5').name, dear!.targetFor('gpt-5').name]).toEqual(['a/gpt-5', 'a/dear']);
  });

  it('follows the breaker of the provider', async () => {
    const host = buildHost();
    const providers = { a: { ...local, breaker: { failures: 2, open: 7_000 } } };
    const generation = await build({ targets: [{ provider: 'a' }] }, { host, providers });
    const gauge = host.gauges.for('models/a/*');
    for (let n = 0; n < 2; n++) gauge.begin(1_000).ended(1_000, 'failed');
    expect(gauge.available(1_000), 'what is only built may be refused').toBe(true);
    gauge.begin(1_000).ended(1_000, 'ok');
    startHealthChecks(generation, host)();
    for (let n = 0; n < 2; n++) gauge.begin(1_000).ended(1_000, 'failed');
    expect(gauge.status(1_000)).toMatchObject({ breaker: 'open', retryAt: 8_000 });
  });
});

describe('the keys of a provider', () => {
  const keysOf = async (config: Partial<ProviderConfig>) => {
    const { accounts, problems } = await build(
      { targets: [{ provider: 'a' }] },
      { providers: { a: { ...local, type: 'openai', ...config } } },
    );
    const found = accounts.get('a');
    return {
      problems,
      sent: found?.all.map(({ request }) => request.headers['authorization']),
      shown: found?.ring.status(0).map(({ label }) => label),
    };
  };
  const key = (value: string, more: object = {}) => ({ key: new Secret(value), ...more });

  it('are each an account of its own, shown by labels', async () => {
    expect(await keysOf({ keys: [key('one', { label: 'team' }), key('two', { weight: 2 })] })).toEqual({
      problems: [],
      sent: ['Bearer one', 'Bearer two'],
      shown: ['team', 'key 2'],
    });
    expect(await keysOf({ apiKey: new Secret('one') })).toMatchObject({ sent: ['Bearer one'], shown: ['apiKey'] });
    expect(await keysOf({ keys: [key('one')] })).toMatchObject({ sent: ['Bearer one'], shown: ['key 1'] });
  });

  it('and apiKey are too much', async () => {
    const { problems } = await keysOf({ apiKey: new Secret('canary-1'), keys: [key('canary-2')] });
    expect(problems[0]).toMatchObject({
      code: 'provider_options',
      pointer: '/providers/a',
      message: expect.stringContaining('put the key of apiKey into keys'),
    });
    expect(JSON.stringify(problems)).not.toContain('canary');
  });
});
