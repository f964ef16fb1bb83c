import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EchoServer } from '../../support/echo-server.ts';
import { startEchoServer } from '../../support/echo-server.ts';
import { consumer, say, standing, times, usageOf } from './_limits.ts';
import type { Mocks } from '../../support/mock-providers/server.mjs';
import { openai, PATIENCE, type Stage, startStage } from './_stage.ts';

/** Six tokens in and seven out make a dollar. */
const PRICES = [{ model: 'gpt-*', input: 10_000, output: (1_000_000 - 6 * 10_000) / 7 }];

describe('a budget', () => {
  let stage: Stage;
  let hooks: EchoServer;
  /** What the webhook answers next; then 200. */
  let statuses: number[] = [];
  const config = ([arm]: readonly Mocks[], kept = 10): object => ({
    providers: { vendor: openai(arm!.openai) },
    models: [{ match: { model: 'gpt-*' }, targets: [{ provider: 'vendor' }] }],
    prices: PRICES,
    policies: [{ budget: { by: 'consumer', usd: '10/month', webhook: `${hooks.url}/told` }, match: { consumer: 'told*' } }],
    consumers: [
      ...['told', 'told-again'].map((name) => consumer(name)),
      consumer('under-way', { budget: { usd: '10/month' } }),
      consumer('kept', { budget: { usd: `${kept}/month`, tokens: '1M/month' } }),
    ],
  });
  beforeAll(async () => {
    hooks = await startEchoServer((_request, response) => void response.writeHead(statuses.shift() ?? 200).end());
    stage = await startStage({ arms: 1, config });
  });
  afterAll(async () => {
    await stage?.stop();
    await hooks?.stop();
  });

  const pay = async (as: string, calls: number): Promise<readonly number[]> =>
    (await times(calls, () => say(stage.hub, { as, model: 'gpt-1' }))).map(({ status }) => status);
  const left = (as: string): Promise<string> => standing(stage.hub, /^budget: \$\d+ a month/, { model: 'gpt-1', consumer: as });
  type Alert = { readonly id: string; readonly threshold: number; readonly usedUsd: number; readonly subject: object };
  const alerts = (as: string): Alert[] =>
    hooks.requests
      .map(({ body }) => JSON.parse(body.toString()) as Alert)
      .filter(({ subject }) => (subject as { consumer: string }).consumer === as);
  const told = (as: string): (readonly [number, number])[] => alerts(as).map(({ threshold, usedUsd }) => [threshold, Math.round(usedUsd)]);

  it('of a month outlives a restart and a kill -9, and a changed amount holds at once', async () => {
    expect(await pay('kept', 6)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(await left('kept')).toBe('$6.00 used or reserved, $4.00 left');
    await stage.hub.restart();
    expect(await left('kept')).toBe('$6.00 used or reserved, $4.00 left');
    expect((await pay('kept', 10)).toSorted()).toEqual([...Array(4).fill(200), ...Array(6).fill(429)]);
    expect((await usageOf(stage.hub, 'kept')).usd).toBeCloseTo(10, 6);
    // More is expected of it than all that is left, and that is no reason to have spent it when the hub is killed.
    expect(await pay('under-way', 2)).toEqual([200, 200]);
    const call = say(stage.hub, { as: 'under-way', model: 'gpt-1--fault-hang-headers' }).catch(String);
    await expect.poll(() => left('under-way'), PATIENCE).toBe('$10.00 used or reserved, $0.00 left');
    // Counters are written once a second.
    await sleep(1_300);
    await stage.hub.kill('SIGKILL');
    await call;
    await stage.hub.restart();
    expect(await left('under-way')).toBe('$2.00 used or reserved, $8.00 left');
    expect(await left('kept')).toBe('$10.00 used or reserved, $0.00 left');
    expect(await pay('kept', 1)).toEqual([429]);
    await stage.hub.write('hubgate.yaml', JSON.stringify(config(stage.arms, 12), null, 2));
    await expect.poll(() => left('kept'), PATIENCE).toBe('$10.00 used or reserved, $2.00 left');
    expect((await pay('kept', 5)).toSorted()).toEqual([200, 200, 429, 429, 429]);
  });

  it('tells the webhook at 50, 80 and 100 per cent, once each', async () => {
    for (let call = 0; call < 4; call++) await pay('told', 1);
    expect(alerts('told')).toEqual([]);
    expect((await pay('told', 30)).filter((status) => status === 200)).toHaveLength(6);
    await expect
      .poll(() => told('told'), PATIENCE)
      .toEqual([
        [50, 5],
        [80, 8],
        [100, 10],
      ]);
    expect(alerts('told')[0]).toMatchObject({
      type: 'budget',
      budget: '10 usd a month',
      subject: { consumer: 'told' },
      limitUsd: 10,
      period: { from: expect.stringMatching(/-01T00:00:00\.000Z$/), until: expect.stringMatching(/-01T00:00:00\.000Z$/) },
    });
    await stage.hub.restart();
    expect(await pay('told', 1)).toEqual([429]);
    // What is sent goes out in order: had it been told again, that would be before this.
    await pay('told-again', 5);
    await expect.poll(() => told('told-again'), PATIENCE).toEqual([[50, 5]]);
    expect(told('told')).toHaveLength(3);
  });

  it('tells it after a kill -9 what it had not told before', async () => {
    const before = alerts('told-again').length;
    statuses = [500, 500, 500];
    expect(await pay('told-again', 3)).toEqual([200, 200, 200]);
    await expect.poll(() => alerts('told-again').length, PATIENCE).toBeGreaterThan(before);
    const refused = alerts('told-again').slice(before);
    await stage.hub.kill('SIGKILL');
    statuses = [];
    await stage.hub.restart();
    await expect.poll(() => alerts('told-again').length, PATIENCE).toBeGreaterThan(before + refused.length);
    // The same one: whoever gets it twice can tell.
    expect(
      new Set(
        alerts('told-again')
          .slice(before)
          .map(({ id, threshold }) => `${threshold} ${id}`),
      ),
    ).toEqual(new Set([`80 ${refused[0]!.id}`]));
    // Of the last second nothing need be left.
    await pay('told-again', 12);
    await expect.poll(() => new Set(alerts('told-again').map(({ threshold }) => threshold)), PATIENCE).toEqual(new Set([50, 80, 100]));
  });
});
