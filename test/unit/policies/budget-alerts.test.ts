import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PolicyHooks } from '../../../src/core/contracts/policy.ts';
import budget from '../../../src/policies/budget.ts';
import { MemoryState } from '../../../src/storage/state/memory-state.ts';
import { chat, created, FakeStore, fakeHost, outcome, refusalOf, settled, silent, START, type FakeHost } from './limit-calls.ts';

type Options = Parameters<typeof budget.create>[0];
type Alert = { id: string; threshold: number; usedUsd: number } & Record<string, unknown>;

const URL_ = 'https://hooks.example/T0/secret-part';
const OPTIONS: Options = { by: 'consumer', usd: '50/month', webhook: URL_ };

/** A webhook that answers with the next status, the last for all that follow; 0 never answers. */
function receiver(...statuses: number[]): { fetch: FakeHost['fetch']; got: Alert[]; requests: { url: string; init: RequestInit }[] } {
  const got: Alert[] = [];
  const requests: { url: string; init: RequestInit }[] = [];
  const fetch: FakeHost['fetch'] = (url, init) => {
    requests.push({ url: String(url), init: init! });
    got.push(JSON.parse(String(init!.body)) as Alert);
    const status = statuses.length > 1 ? statuses.shift()! : (statuses[0] ?? 200);
    return status === 0 ? new Promise(() => {}) : Promise.resolve(new Response(null, { status }));
  };
  return { fetch, got, requests };
}

/** What stays when a process ends. */
class Disk {
  readonly store = new FakeStore();
  readonly counters = new FakeStore();

  /** A process with its own memory and its own shared values. Its counters are written when its state closes. */
  boot(fetch: FakeHost['fetch'], warn?: (fields: object, message: string) => void): FakeHost {
    const host = fakeHost({ store: this.store, fetch, ...(warn && { warn }), state: this.#memory(() => host.clock) });
    return host;
  }

  #memory(now: () => number): MemoryState {
    return new MemoryState({ store: this.counters, log: silent, now });
  }
}

async function paid(hooks: PolicyHooks, cost: number, consumer = 'alice'): Promise<void> {
  const call = chat({ consumer, estimate: { cost } });
  const error = await refusalOf(hooks, call);
  if (error === undefined) await hooks.onEnd!(call, outcome({ usage: { cost } }));
  await settled();
}

beforeEach(() => vi.useFakeTimers({ now: START, toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => vi.useRealTimers());

const wait = async (milliseconds: number): Promise<void> => {
  await vi.advanceTimersByTimeAsync(milliseconds);
  await settled();
};

describe('what is sent', () => {
  it('is one POST for each part that is reached, once', async () => {
    const { fetch, got, requests } = receiver();
    const hooks = await created(budget, OPTIONS, fakeHost({ fetch }));
    await paid(hooks, 24.99);
    expect(got).toEqual([]);
    await paid(hooks, 0.01);
    expect(got).toEqual([
      {
        type: 'budget',
        id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
        threshold: 50,
        budget: '50 usd a month',
        subject: { consumer: 'alice' },
        place: '',
        usedUsd: 25,
        limitUsd: 50,
        period: { from: '2026-11-01T00:00:00.000Z', until: '2026-12-01T00:00:00.000Z' },
        at: '2026-11-21T08:00:00.000Z',
      },
    ]);
    expect(requests[0]).toMatchObject({
      url: URL_,
      init: { method: 'POST', headers: { 'content-type': 'application/json' }, redirect: 'manual' },
    });
    await paid(hooks, 10);
    await paid(hooks, 4.99);
    await paid(hooks, 20, 'bob');
    expect(got.map(({ threshold, subject }) => [threshold, subject])).toEqual([[50, { consumer: 'alice' }]]);
    await paid(hooks, 10.01);
    expect(got.map(({ threshold, usedUsd }) => [threshold, usedUsd])).toEqual([
      [50, 25],
      [80, 50],
      [100, 50],
    ]);
    await paid(hooks, 30, 'bob');
    expect(got.slice(3).map(({ threshold, subject }) => [threshold, subject])).toEqual(
      [50, 80, 100].map((part) => [part, { consumer: 'bob' }]),
    );
    expect(new Set(got.map(({ id }) => id)).size).toBe(6);
  });

  it('counts what is settled and not what is reserved', async () => {
    const { fetch, got } = receiver();
    const hooks = await created(budget, OPTIONS, fakeHost({ fetch }));
    const call = chat({ estimate: { cost: 45 } });
    await hooks.onCall!(call);
    await paid(hooks, 1);
    expect(got).toEqual([]);
    await hooks.onEnd!(call, outcome({ usage: { cost: 30 } }));
    await settled();
    expect(got.map(({ threshold, usedUsd }) => [threshold, usedUsd])).toEqual([[50, 31]]);
  });

  it('begins anew with the period, and has budgets of tokens and other parts', async () => {
    const { fetch, got } = receiver();
    const host = fakeHost({ fetch });
    const hooks = await created(budget, { tokens: '1k/day', webhook: URL_, alerts: [90] }, host);
    const use = async (): Promise<void> => {
      const call = chat({ estimate: { totalTokens: 950 } });
      await hooks.onCall!(call);
      await hooks.onEnd!(call, outcome({ usage: { totalTokens: 950 } }));
      await settled();
    };
    await use();
    host.clock += 86_400_000;
    await use();
    const common = { threshold: 90, budget: '1000 tokens a day', subject: {}, usedTokens: 950, limitTokens: 1000 };
    expect(got).toMatchObject([
      { ...common, period: { from: '2026-11-21T00:00:00.000Z' } },
      { ...common, period: { from: '2026-11-22T00:00:00.000Z' } },
    ]);
  });

  it('is signed when there is a secret', async () => {
    const { fetch, requests } = receiver();
    const hooks = await created(budget, { ...OPTIONS, webhook: { url: URL_, secret: 's3cret' } }, fakeHost({ fetch }));
    await paid(hooks, 30);
    const body = String(requests[0]!.init.body);
    const signature = `sha256=${createHmac('sha256', 's3cret').update(body).digest('hex')}`;
    expect((requests[0]!.init.headers as Record<string, string>)['x-hubgate-signature']).toBe(signature);
  });

  it('asks the store once for each part, and not at every call', async () => {
    const { fetch, got } = receiver();
    const host = fakeHost({ fetch });
    const hooks = await created(budget, OPTIONS, host);
    await paid(hooks, 41);
    expect(got).toHaveLength(2);
    const asked = vi.spyOn(host.store, 'get');
    await paid(hooks, 1);
    await paid(hooks, 1);
    expect(asked).not.toHaveBeenCalled();
  });

  it('makes no call wait and no call fail', async () => {
    const hooks = await created(budget, OPTIONS, fakeHost({ fetch: receiver(0).fetch }));
    await paid(hooks, 30);
    await paid(hooks, 19);
    expect(
      (await hooks.explain!({ consumer: { name: 'alice', groups: [], anonymous: false }, lane: 'models', route: 'x' }))[0]?.value,
    ).toBe('$49.00 used or reserved, $1.00 left');
  });
});

describe('delivery', () => {
  it('is tried again, longer and longer, with the same body and in order; the log says no address', async () => {
    const logged: string[] = [];
    const { fetch, got } = receiver(500, 503, 404, 302, 200);
    const host = fakeHost({ fetch, warn: (fields, text) => logged.push(`${text} ${JSON.stringify(fields)}`) });
    const hooks = await created(budget, OPTIONS, host);
    await paid(hooks, 30);
    await paid(hooks, 11);
    expect(got).toHaveLength(1);
    for (const [milliseconds, requests] of [
      [999, 1],
      [1, 2],
      [1999, 2],
      [1, 3],
      [3999, 3],
      [1, 4],
      [7999, 4],
      [1, 6],
    ] as const) {
      await wait(milliseconds);
      expect(got).toHaveLength(requests);
    }
    expect(got.map(({ threshold }) => threshold)).toEqual([50, 50, 50, 50, 50, 80]);
    expect(new Set(got.slice(0, 5).map(({ id }) => id)).size).toBe(1);
    await wait(3_600_000);
    expect(got).toHaveLength(6);
    expect(logged).toHaveLength(4);
    expect(logged[0]).toContain('status 500');
    expect(logged.join('\n')).not.toContain('hooks.example');
  });

  it('waits ten minutes at most, and ends after a week', async () => {
    const { fetch, got } = receiver(500);
    const host = fakeHost({ fetch });
    const hooks = await created(budget, OPTIONS, host);
    await paid(hooks, 30);
    await wait(1_200_000);
    const before = got.length;
    await wait(600_000);
    expect(got).toHaveLength(before + 1);
    host.clock += 7 * 86_400_000 + 1;
    await wait(600_000);
    await wait(6_000_000);
    expect(got).toHaveLength(before + 1);
    expect([...host.store.values.keys()]).toEqual([]);
  });

  it('is made up for when the process died after storing and before sending', async () => {
    const disk = new Disk();
    const dead = receiver(0);
    const first = disk.boot(dead.fetch);
    await paid(await created(budget, OPTIONS, first), 30);
    expect(dead.got).toHaveLength(1);

    const { fetch, got } = receiver(500, 200);
    await created(budget, OPTIONS, disk.boot(fetch));
    await settled();
    await wait(1000);
    expect(got).toEqual([dead.got[0], dead.got[0]]);

    const third = receiver();
    await created(budget, OPTIONS, disk.boot(third.fetch));
    await wait(60_000);
    expect(third.got).toEqual([]);
  });

  it('is not repeated after a success and a restart', async () => {
    const disk = new Disk();
    const first = receiver();
    const before = disk.boot(first.fetch);
    await paid(await created(budget, OPTIONS, before), 30);
    expect(first.got).toHaveLength(1);
    await before.state.close();

    const second = receiver();
    const hooks = await created(budget, OPTIONS, disk.boot(second.fetch));
    await paid(hooks, 5);
    expect(second.got).toEqual([]);
    await paid(hooks, 6);
    expect(second.got.map(({ threshold }) => threshold)).toEqual([80]);
  });

  it('is made up for at a refusal when the process died after counting and before storing', async () => {
    const disk = new Disk();
    const before = disk.boot(receiver().fetch);
    const hooks = await created(budget, OPTIONS, before);
    const call = chat({ estimate: { cost: 50 } });
    await hooks.onCall!(call);
    disk.store.failing = true;
    await hooks.onEnd!(call, outcome({ usage: { cost: 50 } }));
    await settled();
    await before.state.close();
    disk.store.failing = false;

    const { fetch, got } = receiver();
    await paid(await created(budget, OPTIONS, disk.boot(fetch)), 1);
    expect(got.map(({ threshold }) => threshold)).toEqual([50, 80, 100]);
  });

  it('waits for a store that fails: nothing is sent that is not stored', async () => {
    const { fetch, got } = receiver();
    const host = fakeHost({ fetch });
    const hooks = await created(budget, OPTIONS, host);
    host.store.failing = true;
    await paid(hooks, 30);
    await wait(500);
    expect(got).toEqual([]);
    host.store.failing = false;
    await wait(500);
    expect(got.map(({ threshold }) => threshold)).toEqual([50]);
  });

  it('what is added while another waits is stored at once', async () => {
    const disk = new Disk();
    const hooks = await created(budget, OPTIONS, disk.boot(receiver(500).fetch));
    await paid(hooks, 30);
    await paid(hooks, 15);
    const { fetch, got } = receiver();
    await created(budget, OPTIONS, disk.boot(fetch));
    await settled();
    expect(got.map(({ threshold }) => threshold)).toEqual([50, 80]);
  });

  it('is stored once, however often a webhook that is away would have been told', async () => {
    const host = fakeHost({ fetch: receiver(500).fetch });
    const hooks = await created(budget, { ...OPTIONS, usd: ['40/day', '50/month'] }, host);
    await paid(hooks, 30);
    host.clock += 86_400_000;
    await paid(hooks, 1);
    const [, stored] = [...host.store.values].find(([key]) => key.startsWith('alerts/'))!;
    const waiting = (JSON.parse(stored) as { body: string }[]).map(({ body }) => JSON.parse(body) as Alert);
    expect(waiting.map(({ budget, threshold }) => [budget, threshold])).toEqual([
      ['40 usd a day', 50],
      ['50 usd a month', 50],
    ]);
  });
});

describe('generations', () => {
  it('share one queue: nothing is sent twice, and a corrected address is taken at once', async () => {
    const { fetch, requests } = receiver(500, 500, 200);
    const host = fakeHost({ fetch });
    const old = await created(budget, OPTIONS, host);
    await paid(old, 30);
    const next = await created(budget, { ...OPTIONS, webhook: 'https://right.example/' }, host);
    await old[Symbol.asyncDispose]!();
    await settled();
    expect(requests.map(({ url }) => url)).toEqual([URL_, 'https://right.example/']);
    await wait(1000);
    expect(requests).toHaveLength(3);
    await paid(next, 1);
    await wait(60_000);
    expect(requests).toHaveLength(3);
  });

  it('and places have each their own', async () => {
    const { fetch, requests, got } = receiver(500, 500, 200);
    const common = { fetch, store: new FakeStore(), shared: new Map<string, unknown>() };
    for (const place of ['', 'models/fast']) {
      const options = { ...OPTIONS, webhook: `https://hooks.example/${place}` };
      await paid(await created(budget, options, fakeHost({ ...common, place })), 30);
    }
    await wait(1000);
    expect(requests.map(({ url }) => url)).toEqual([0, 1, 0, 1].map((n) => `https://hooks.example/${n === 0 ? '' : 'models/fast'}`));
    expect(got.map(({ place }) => place)).toEqual(['', 'models/fast', '', 'models/fast']);
  });

  it('without the budget nothing is sent any more', async () => {
    const { fetch, got } = receiver(500);
    const hooks = await created(budget, OPTIONS, fakeHost({ fetch }));
    await paid(hooks, 30);
    await hooks[Symbol.asyncDispose]!();
    await wait(600_000);
    expect(got).toHaveLength(1);
  });
});
