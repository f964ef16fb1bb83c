import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { askAdmin } from '../../support/ask-admin.ts';
import type { Mock, Mocks } from '../../support/mock-providers/server.mjs';
import { inParallel } from '../models/in-parallel.ts';
import { type Answer, ask } from './_ask.ts';
import { openai, PATIENCE, type Stage, startStage } from './_stage.ts';

/** The breaker of a target that fails all the time would do the work of the balancer. */
const NO_BREAKER = { failures: 100_000, minimum: 100_000 };

const targets = (model: string, more: object = {}): object => ({
  name: model,
  targets: [
    { provider: 'a', model },
    { provider: 'b', model },
  ],
  ...more,
});

const config = ([one, two]: readonly Mocks[]): object => ({
  providers: {
    a: openai(one!.openai, { breaker: NO_BREAKER }),
    b: openai(two!.openai, { breaker: NO_BREAKER }),
  },
  prices: [
    { model: 'gpt-dear', input: 10, output: 40 },
    { model: 'gpt-cheap', input: 0.5, output: 1.5 },
  ],
  models: [
    targets('quick', { balance: 'latency' }),
    targets('quick-streams', { balance: 'latency' }),
    {
      name: 'cheapest',
      balance: 'cost',
      targets: [
        { provider: 'a', model: 'gpt-dear' },
        { provider: 'b', model: 'gpt-cheap' },
        { provider: 'b', model: 'gpt-of-no-known-price' },
      ],
    },
    targets('steady', { balance: 'error-rate' }),
    targets('idle', { balance: 'least-busy' }),
    {
      name: 'in-turn',
      balance: 'round-robin',
      targets: [
        { provider: 'a', model: 'in-turn', weight: 99 },
        { provider: 'b', model: 'in-turn', weight: 1 },
      ],
    },
  ],
});

describe('balancers', () => {
  let stage: Stage;
  let a: Mock;
  let b: Mock;
  beforeAll(async () => {
    stage = await startStage({ config });
    [a, b] = stage.arms.map(({ openai: mock }) => mock) as [Mock, Mock];
  });
  afterAll(() => stage?.stop());
  beforeEach(() => stage.reset());

  async function load(model: string, calls: number, atOnce: number, stream = false): Promise<readonly Answer[]> {
    const answers = await inParallel(Array.from({ length: calls }), atOnce, () => ask(stage.hub.url, { model, stream }));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    return answers;
  }

  const share = ({ requests }: Mock): number => requests.length / (a.requests.length + b.requests.length);
  const explained = async (model: string): Promise<readonly string[]> => {
    const { body } = await askAdmin(stage.hub, 'GET', `/explain?model=${model}`);
    return (body.steps as { rule: string; effect: string }[])
      .filter(({ rule }) => /^(?:target|fallback) /.test(rule))
      .map(({ rule }) => rule);
  };

  it('latency sends most calls to the quicker, and goes on measuring the other', async () => {
    b.setFault('slow-first-token,ms=120');
    await load('quick', 250, 5);
    expect(share(a)).toBeGreaterThan(0.85);
    expect(b.requests.length).toBeGreaterThanOrEqual(5);
    const [ofA, ofB] = [await stage.target('quick', 'a'), await stage.target('quick', 'b')];
    expect(ofB.latencyMs).toBeGreaterThanOrEqual(110);
    expect(ofA.latencyMs).toBeLessThan(ofB.latencyMs!);
    expect(ofA.samples + ofB.samples).toBe(250);
    expect(await explained('quick')).toEqual([
      expect.stringMatching(/^target a .* healthy; latency: \d+ ms$/),
      expect.stringMatching(/^target b .* healthy; latency: \d{3} ms$/),
    ]);
  });

  it('latency of streams is that of their first token', async () => {
    // The whole takes longer where the first token comes sooner.
    a.setFault('slow,ms=15');
    b.setFault('slow-first-token,ms=80');
    await load('quick-streams', 120, 4, true);
    expect(share(a)).toBeGreaterThan(0.75);
    const [ofA, ofB] = [await stage.target('quick-streams', 'a'), await stage.target('quick-streams', 'b')];
    expect(ofA.firstChunkMs).toBeLessThan(ofB.firstChunkMs!);
    expect(ofB.firstChunkMs).toBeGreaterThanOrEqual(75);
  });

  it('cost sends all calls to the cheapest that can answer', async () => {
    await load('cheapest', 60, 5);
    expect(b.requests.map(({ model }) => model)).toEqual(Array.from({ length: 60 }, () => 'gpt-cheap'));
    expect(await explained('cheapest')).toEqual([
      expect.stringMatching(/^target a .*; cost: \$50 a million tokens$/),
      expect.stringMatching(/^target b .*; cost: \$2 a million tokens$/),
      expect.stringMatching(/^target b .*; cost: no known price$/),
    ]);
    stage.reset();
    b.setFault('500');
    await load('cheapest', 10, 1);
    expect(a.requests.map(({ model }) => model)).toEqual(Array.from({ length: 10 }, () => 'gpt-dear'));
  });

  it('error-rate sends most calls away from the one that fails, and tries it now and then', async () => {
    a.setFault('500');
    const answers = await load('steady', 200, 4);
    expect(share(b)).toBeGreaterThan(0.85);
    expect(a.requests.length).toBeGreaterThanOrEqual(5);
    expect((await stage.target('steady', 'a')).errorRate).toBeGreaterThan(0.9);
    expect((await stage.target('steady', 'b')).errorRate).toBe(0);
    expect(await explained('steady')).toEqual([
      expect.stringMatching(/; error-rate: 100 % failed$/),
      expect.stringMatching(/; error-rate: 0 % failed$/),
    ]);
    expect(answers).toHaveLength(200);
  });

  it('least-busy leaves alone the one that has calls to do', async () => {
    b.setFault('slow-first-token,ms=300');
    const calls = load('idle', 160, 8);
    await expect.poll(async () => (await stage.target('idle', 'b')).inFlight, PATIENCE).toBeGreaterThanOrEqual(3);
    expect((await stage.target('idle', 'b')).inFlight).toBeLessThanOrEqual(5);
    await calls;
    expect(share(a)).toBeGreaterThan(0.75);
    expect((await stage.target('idle', 'b')).inFlight).toBe(0);
  });

  it('round robin takes one after the other, whatever their weights', async () => {
    await load('in-turn', 100, 4);
    expect([a.requests.length, b.requests.length]).toEqual([50, 50]);
    expect((await explained('in-turn'))[0]).toMatch(/; round-robin: in turn$/);
  });
});
