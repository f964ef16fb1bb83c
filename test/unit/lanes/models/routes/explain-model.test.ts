import { describe, expect, it } from 'vitest';
import type { ModelApiConfig, ModelRouteConfig, ProviderConfig } from '../../../../../src/config/types.ts';
import { ANONYMOUS, type Consumer } from '../../../../../src/core/consumer.ts';
import { Secret } from '../../../../../src/core/secret.ts';
import { buildModels, type ModelsGeneration } from '../../../../../src/lanes/models/routes/build.ts';
import { explainModel } from '../../../../../src/lanes/models/routes/explain-model.ts';
import type { RouteQuestion } from '../../../../../src/lanes/models/routes/route.ts';
import type { BoundPolicy } from '../../../../../src/pipeline/chain.ts';
import { conditionContext } from '../../../../../src/pipeline/condition-context.ts';
import { buildHost, LENT, merge } from '../doors/start-lane.ts';

const ALICE: Consumer = { name: 'alice', groups: ['support'], anonymous: false };
const local: ProviderConfig = { type: 'openai-compatible', baseUrl: 'http://vendor.test/v1' };
const PROVIDERS = { main: local, other: { ...local, baseUrl: 'http://other.test/v1' } };
const to = (provider = 'main', model?: string): Pick<ModelRouteConfig, 'targets'> => ({
  targets: [{ provider, ...(model === undefined ? {} : { model }) }],
});

interface Parts {
  readonly providers?: Record<string, ProviderConfig>;
  readonly apis?: Record<string, ModelApiConfig>;
  readonly shared?: BoundPolicy[];
}
const build = (models: readonly ModelRouteConfig[], { providers = PROVIDERS, apis, shared = [] }: Parts = {}) =>
  buildModels(merge(providers, models, apis), buildHost(), LENT, shared, undefined);
const explain = (generation: ModelsGeneration, model: string, consumer: Consumer, more: Partial<RouteQuestion> = {}) =>
  explainModel(generation, generation.apis.get('v1')!, { model, consumer, ...more });

describe('explain', () => {
  it('walks the rules up to the route that takes the call, and names its target', async () => {
    const generation = await build([
      { match: { model: 'claude-*' }, ...to('other') },
      { match: { model: 'gpt-*', consumer: 'alice' }, ...to('main', 'forced') },
      { match: { model: 'gpt-*' }, ...to() },
    ]);
    const { visible, callable, steps } = await explain(generation, 'gpt-9', ANONYMOUS);
    expect({ visible, callable }).toEqual({ visible: true, callable: true });
    expect(steps.map(({ rule, effect }) => `${effect} ${rule}`)).toEqual([
      'info route route-1: model claude-*',
      'allows route route-2: model gpt-*',
      'info route route-2: consumer alice',
      'allows route route-3: model gpt-*',
      'allows target main (openai-compatible at http://vendor.test), model gpt-9: the name passes; healthy',
    ]);
    for (const step of steps) expect(step).toMatchObject({ file: 'hubgate.yaml', line: expect.any(Number) });
    expect(steps.at(-1)?.value).toEqual({
      route: 'route-3',
      provider: 'main',
      type: 'openai-compatible',
      model: 'gpt-9',
      weight: 1,
      health: 'healthy',
      breaker: 'closed',
      inFlight: 0,
      errorRate: 0,
      samples: 0,
    });
    expect((await explain(generation, 'gpt-9', ALICE)).steps.at(-1)).toMatchObject({
      rule: 'target main (openai-compatible at http://vendor.test), model forced: the route forces the name; healthy',
      value: { route: 'route-2', model: 'forced' },
    });
  });

  it('shows what may take it before what does, where the request decides', async () => {
    const generation = await build([
      { match: { model: 'gpt-*' }, when: 'call.size < 10', ...to('other') },
      { match: { model: 'gpt-*', header: { X: 'y' }, consumer: 'alice' }, ...to('other') },
      { match: { model: 'gpt-*' }, ...to() },
    ]);
    const { callable, steps } = await explain(generation, 'gpt-9', ANONYMOUS);
    expect(callable).toBe(true);
    expect(
      steps.map(({ rule, effect, value }) => `${effect} ${rule.split(',', 1)[0]} ${typeof value === 'object' ? '' : String(value)}`),
    ).toEqual([
      'allows route route-1: model gpt-* true',
      'info route route-1: when call.size < 10 asked at each request',
      'info target other (openai-compatible at http://other.test) ',
      'allows route route-2: model gpt-* true',
      'info route route-2: consumer alice false',
      'allows route route-3: model gpt-* true',
      'allows target main (openai-compatible at http://vendor.test) ',
    ]);
    const only = await build([{ match: { model: 'gpt-*' }, when: 'call.size < 10', ...to() }]);
    expect(await explain(only, 'gpt-9', ANONYMOUS)).toMatchObject({ visible: true, callable: true });
    expect((await explain(only, 'gpt-9', ANONYMOUS)).steps.at(-1)).toEqual({ rule: 'taken or not: the request decides', effect: 'info' });
  });

  it('says that nothing takes it, and what there is', async () => {
    const generation = await build([
      { name: 'one', ...to() },
      { match: { model: 'gpt-*' }, ...to() },
    ]);
    const { visible, callable, steps } = await explain(generation, 'none', ANONYMOUS);
    expect({ visible, callable }).toEqual({ visible: false, callable: false });
    expect(steps.at(-1)).toEqual({ rule: 'no route takes none', effect: 'hides', value: { unknown: 'model', known: ['one', 'gpt-*'] } });
  });

  it('tells the share, the health and what is known of each target, and of each that is asked after them', async () => {
    const generation = await build([
      {
        name: 'support',
        targets: [
          { provider: 'main', model: 'a', weight: 90 },
          { provider: 'other', model: 'b', weight: 10 },
          { provider: 'other', model: 'c', weight: 0 },
        ],
        fallback: [{ provider: 'other' }],
      },
    ]);
    const [first] = generation.apis.get('v1')!.routes[0]!.plan.pools[0]!.choices;
    for (let n = 0; n < 5; n++) first!.gauge.begin(Date.now()).ended(Date.now(), 'failed');
    first!.gauge.begin(Date.now());
    const { steps } = await explain(generation, 'support', ANONYMOUS);
    expect(steps.map(({ rule }) => rule)).toEqual([
      'route support: called support',
      expect.stringMatching(
        /^target main \(openai-compatible at http:\/\/vendor\.test\), model a: the route forces the name; breaker open, to be tried in \d+ s; weight 90$/,
      ),
      'target other (openai-compatible at http://other.test), model b: the route forces the name; healthy; weight 10',
      'fallback 1 other (openai-compatible at http://other.test), model support: the name passes; healthy',
    ]);
    expect(steps[1]!.value).toMatchObject({
      health: 'open',
      breaker: 'open',
      weight: 90,
      inFlight: 1,
      errorRate: 1,
      samples: 5,
      retryAt: expect.any(Number),
    });
  });

  it('names the balancer where its figure does not', async () => {
    const targets = [{ provider: 'main' }, { provider: 'other' }];
    const [latency, cost] = [
      await build([{ name: 'm', targets, balance: 'latency' }]),
      await build([{ name: 'm', targets, balance: { cost: {} } }]),
    ];
    expect((await explain(latency, 'm', ANONYMOUS)).steps[1]!.rule).toMatch(/; healthy; latency: /);
    expect((await explain(cost, 'm', ANONYMOUS)).steps[1]!.rule).toMatch(/; healthy; cost: /);
  });

  it('tells the labels of several keys and their state, and no key', async () => {
    const keys = [
      { key: new Secret('sk-canary-1'), label: 'team a' },
      { key: new Secret('sk-canary-2'), weight: 3 },
    ];
    const generation = await build([{ name: 'm', ...to() }], { providers: { main: { ...local, keys } } });
    const { ring } = generation.accounts.get('main')!;
    ring.failed(0, Date.now(), 'upstream_unauthorized');
    const explained = await explain(generation, 'm', ANONYMOUS);
    expect(explained.steps.at(-1)!.value).toMatchObject({
      keys: [
        { label: 'team a', state: 'resting', until: expect.any(Number) },
        { label: 'key 2', state: 'ok' },
      ],
    });
    expect(JSON.stringify(explained)).not.toContain('canary');
  });

  it('tells the rules of the policies after the targets of the route that they are on', async () => {
    const limit: BoundPolicy = {
      name: 'rate-limit',
      stage: 'limit',
      hooks: {
        explain: ({ route, model, consumer }) => [{ rule: `limit of ${route} for ${model} by ${consumer.name}`, value: '3 of 10' }],
      },
    };
    const generation = await build([{ match: { model: 'gpt-*' }, ...to() }], { shared: [limit] });
    expect((await explain(generation, 'gpt-9', ALICE)).steps.at(-1)).toEqual({
      rule: 'limit of route-1 for gpt-9 by alice',
      effect: 'info',
      value: '3 of 10',
    });
  });

  it('decides by the request where one is told', async () => {
    const generation = await build([
      { name: 'gold', aliases: ['m'], match: { header: { 'X-Tier': 'gold' } }, ...to('other') },
      { name: 'bills', aliases: ['m'], when: 'call.text.contains("invoice")', ...to('other') },
      { name: 'm', ...to() },
    ]);
    const asked = (headers: Record<string, string>, text: string): Partial<RouteQuestion> => {
      const request = { headers, ip: '', size: text.length };
      const call = { lane: 'models', operation: 'chat', route: '', consumer: ALICE, startedAt: 0, model: 'm', request } as const;
      return { headers, context: () => conditionContext({ ...call, segments: () => [{ text }] }) };
    };
    const routeFor = async (headers: Record<string, string>, text: string): Promise<unknown> => {
      const { steps, callable } = await explain(generation, 'm', ALICE, asked(headers, text));
      expect(callable).toBe(true);
      return (steps.findLast(({ effect, rule }) => effect === 'allows' && rule.startsWith('target'))!.value as { route: string }).route;
    };
    expect(await routeFor({ 'x-tier': 'gold' }, '')).toBe('gold');
    expect(await routeFor({ 'x-tier': 'tin' }, 'where is my invoice?')).toBe('bills');
    expect(await routeFor({}, 'hello')).toBe('m');
  });

  it('says who may not call an API at all, and where that stands', async () => {
    const generation = await build([], { apis: { partner: { access: { groups: ['partners'] }, models: [{ name: 'm', ...to() }] } } });
    const api = generation.apis.get('partner')!;
    expect(await explainModel(generation, api, { model: 'm', consumer: ALICE })).toEqual({
      visible: false,
      callable: false,
      steps: [{ rule: 'access of the API partner does not name alice', effect: 'hides', file: 'hubgate.yaml', line: expect.any(Number) }],
    });
    const admitted = await explainModel(generation, api, { model: 'm', consumer: { ...ALICE, groups: ['partners'] } });
    expect([admitted.callable, admitted.steps.at(-1)!.value]).toMatchObject([true, { route: 'partner/m' }]);
  });
});
