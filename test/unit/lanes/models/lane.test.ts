import { describe, expect, it } from 'vitest';
import { ANONYMOUS, type Consumer } from '../../../../src/core/consumer.ts';
import { Secret } from '../../../../src/core/secret.ts';
import { startLane, type Answer, type StartedLane } from './doors/start-lane.ts';
import { CHAT, SAID } from './doors/streams.ts';

const ALICE: Consumer = { name: 'alice', groups: [], anonymous: false };
const BUSY: Answer = { status: 503, body: {} };
const provider = (host: string) => ({ type: 'openai-compatible', baseUrl: `http://${host}.test/v1` });

function start(vendor: (host: string) => Answer): Promise<StartedLane> {
  return startLane({
    providers: {
      a: { ...provider('a'), breaker: { failures: 2 } },
      b: { ...provider('b'), keys: [{ key: new Secret('k1') }, { key: new Secret('k2') }] },
    },
    models: [
      { name: 'support', targets: [{ provider: 'a', model: 'x', weight: 3 }], fallback: [{ provider: 'b' }], retries: 0 },
      { name: 'vip', match: { header: { 'x-tier': 'gold' } }, targets: [{ provider: 'b' }] },
    ],
    apis: { partner: { access: { consumers: ['alice'] }, models: [{ name: 'p', targets: [{ provider: 'a', model: 'x' }] }] } },
    vendor: ({ origin }) => vendor(new URL(origin).hostname.replace('.test', '')),
  });
}

describe('the targets of the lane', () => {
  it('are those of all routes and APIs, each with what is known of it', async () => {
    const lane = await start((host) => (host === 'a' ? BUSY : { body: SAID }));
    for (let n = 0; n < 2; n++) await lane.ask('/v1/chat/completions', { ...CHAT, model: 'support' });
    const failed = { health: 'open', breaker: 'open', errorRate: 1, samples: 2, inFlight: 0, retryAt: expect.any(Number) };
    const well = { health: 'healthy', breaker: 'closed', errorRate: 0, samples: 2, latencyMs: expect.any(Number) };
    const keys = [
      { label: 'key 1', state: 'ok' },
      { label: 'key 2', state: 'ok' },
    ];
    expect(lane.lane.targets()).toEqual([
      { route: 'support', provider: 'a', type: 'openai-compatible', model: 'x', weight: 3, ...failed },
      { route: 'support', provider: 'b', type: 'openai-compatible', fallback: 1, weight: 1, inFlight: 0, keys, ...well },
      { route: 'vip', provider: 'b', type: 'openai-compatible', weight: 1, inFlight: 0, keys, ...well },
      { route: 'partner/p', provider: 'a', type: 'openai-compatible', model: 'x', weight: 1, ...failed },
    ]);
    expect([...new Set(lane.lane.gaugeKeys())]).toEqual(['models/a/x', 'models/b/*']);
  });

  it('tell of calls that are on their way', async () => {
    const lane = await startLane({
      providers: { a: provider('a') },
      async vendor() {
        expect(lane.lane.targets()).toMatchObject([{ inFlight: 1 }]);
        return { body: SAID };
      },
    });
    expect((await lane.ask('/v1/chat/completions', CHAT)).status).toBe(200);
    expect(lane.lane.targets()).toMatchObject([{ inFlight: 0, samples: 1 }]);
  });

  it('are unknown before there is a generation', async () => {
    const { lane } = await start(() => BUSY);
    const fresh = new (lane.constructor as new (...parts: unknown[]) => typeof lane)({}, () => expect.unreachable());
    expect(() => fresh.targets()).toThrow(expect.objectContaining({ code: 'unavailable' }));
  });
});

describe('an explanation', () => {
  it('is of root, or of the API that is named', async () => {
    const { lane } = await start(() => BUSY);
    const routeOf = async (model: string, consumer: Consumer, api?: string): Promise<unknown> => {
      const { callable, steps } = await lane.explain({ model, consumer, ...(api === undefined ? {} : { api }) });
      return callable && (steps.at(-1)!.value as { route: string }).route;
    };
    expect([await routeOf('support', ALICE), await routeOf('support', ALICE, 'v1'), await routeOf('p', ALICE, 'partner')]).toEqual([
      'support',
      'support',
      'partner/p',
    ]);
    expect([await routeOf('p', ANONYMOUS, 'partner'), await routeOf('support', ALICE, 'partner')]).toEqual([false, false]);
    expect(() => lane.explain({ model: 'm', consumer: ALICE, api: 'gone' })).toThrow('There is no API "gone".');
  });

  it('decides by a request that is told', async () => {
    const { lane } = await start(() => BUSY);
    const last = async (headers: Record<string, string>) =>
      (await lane.explain({ model: 'any', consumer: ALICE, request: { headers, text: 'x' } })).steps.at(-1);
    expect(await last({ 'x-tier': 'gold' })).toMatchObject({ effect: 'allows', value: { route: 'vip' } });
    expect(await last({ 'x-tier': 'tin' })).toMatchObject({ effect: 'hides' });
  });
});
