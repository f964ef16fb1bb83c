import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ModelRouteConfig, ProviderConfig } from '../../../../../src/config/types.ts';
import { Secret } from '../../../../../src/core/secret.ts';
import type { Cancellation, UpstreamRequest } from '../../../../../src/core/upstream.ts';
import type { ModelsHost } from '../../../../../src/lanes/models/host.ts';
import { buildModels, type ModelsGeneration } from '../../../../../src/lanes/models/routes/build.ts';
import { gaugeKeys, startHealthChecks } from '../../../../../src/lanes/models/routes/health-checks.ts';
import { buildHost, LENT, merge } from '../doors/start-lane.ts';

let asked: UpstreamRequest[];
let status: number | 'hangs' | 'gone';
let host: ModelsHost;
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 21) });
  asked = [];
  status = 200;
  stop = () => undefined;
  const send = (request: UpstreamRequest, { signal }: { readonly signal?: Cancellation } = {}) => {
    asked.push(request);
    if (status === 'gone') return Promise.reject(new Error('no answer'));
    if (status !== 'hangs') return Promise.resolve({ status, headers: {}, body: Buffer.alloc(0) });
    return new Promise((_, reject) => signal!.addEventListener('abort', { handleEvent: () => reject(signal!.reason as Error) }));
  };
  host = { ...buildHost(), http: { send } } as unknown as ModelsHost;
});
afterEach(() => {
  stop();
  vi.useRealTimers();
});

const local: ProviderConfig = { type: 'openai-compatible', baseUrl: 'http://vendor.test/v1' };
const MODELS: ModelRouteConfig[] = [
  { name: 'one', targets: [{ provider: 'main', model: 'a' }], fallback: [{ provider: 'other' }] },
  {
    name: 'two',
    targets: [
      { provider: 'main', model: 'a' },
      { provider: 'main', model: 'b' },
    ],
  },
];
async function start(main: Partial<ProviderConfig>, before?: ModelsGeneration): Promise<ModelsGeneration> {
  const generation = await buildModels(merge({ main: { ...local, ...main }, other: local }, MODELS), host, LENT, [], before);
  stop();
  stop = startHealthChecks(generation, host);
  return generation;
}
const healths = (): string[] => host.gauges.status(Date.now()).map(({ key, health }) => `${key} ${health}`);

describe('a provider with health', () => {
  it('is asked for its list of models, with its credential, each interval', async () => {
    await start({
      health: { interval: 10_000, timeout: 2_000 },
      type: 'openai',
      keys: [{ key: new Secret('k1') }, { key: new Secret('k2') }],
    });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      method: 'GET',
      origin: 'http://vendor.test',
      path: '/v1/models',
      timeoutMs: 2_000,
      headers: { authorization: 'Bearer k1' },
    });
    await vi.advanceTimersByTimeAsync(100_000);
    expect(asked.length).toBeGreaterThanOrEqual(9);
    expect(asked.length).toBeLessThanOrEqual(13);
  });

  it('at another path, where it says so; any status below 500 is well', async () => {
    await start({ health: { path: '/health', interval: 1_000, unhealthyAfter: 1 } });
    for (status of [200, 404, 401, 499]) {
      await vi.advanceTimersByTimeAsync(1_200);
      expect(healths()).toContain('models/main/a healthy');
    }
    expect(new Set(asked.map(({ path }) => path))).toEqual(new Set(['/health']));
  });

  it.each(['gone', 500, 'hangs'] as const)(
    'is left alone after checks that fail (%s), with all its models and no others, until one is well',
    async (how) => {
      await start({ health: { interval: 1_000, timeout: 500, unhealthyAfter: 2, healthyAfter: 1 } });
      status = how;
      await vi.advanceTimersByTimeAsync(700);
      expect(healths()).toContain('models/main/a healthy');
      await vi.advanceTimersByTimeAsync(2_000);
      expect(healths()).toEqual(['models/main/a unhealthy', 'models/other/* healthy', 'models/main/b unhealthy']);
      status = 200;
      await vi.advanceTimersByTimeAsync(2_000);
      expect(healths()).toEqual(['models/main/a healthy', 'models/other/* healthy', 'models/main/b healthy']);
    },
  );

  it('that has none any more is not held for unwell: nobody would ever say otherwise', async () => {
    const first = await start({ health: { interval: 1_000, unhealthyAfter: 1, healthyAfter: 3 } });
    status = 500;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(healths()).toContain('models/main/a unhealthy');
    await start({}, first);
    expect(healths()).toEqual(['models/main/a healthy', 'models/other/* healthy', 'models/main/b healthy']);
  });

  it('is asked no more once the checks are stopped, nor does one on its way say anything', async () => {
    await start({ health: { interval: 1_000, timeout: 500, unhealthyAfter: 1 } });
    status = 'hangs';
    await vi.advanceTimersByTimeAsync(150);
    expect(asked).toHaveLength(1);
    stop();
    await vi.advanceTimersByTimeAsync(20_000);
    expect([asked.length, healths()[0], vi.getTimerCount()]).toEqual([1, 'models/main/a healthy', 0]);
  });
});

it('a provider without it is never asked', async () => {
  await start({});
  await vi.advanceTimersByTimeAsync(600_000);
  expect(asked).toEqual([]);
});

it('targets with one model of one provider have one gauge, of all routes', async () => {
  const generation = await start({});
  expect([...new Set(gaugeKeys(generation))]).toEqual(['models/main/a', 'models/other/*', 'models/main/b']);
  const [one, two] = generation.apis.get('v1')!.routes;
  expect(one!.plan.pools[0]!.choices[0]!.gauge).toBe(two!.plan.pools[0]!.choices[0]!.gauge);
});
