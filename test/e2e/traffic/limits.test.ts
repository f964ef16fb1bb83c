import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Mock } from '../../support/mock-providers/server.mjs';
import {
  consumer,
  type Door,
  type Gate,
  outcomes,
  recordsOf,
  type Said,
  say,
  type Saying,
  spentIn,
  standing,
  startGate,
  times,
  usageOf,
} from './_limits.ts';
import { runCommand } from './_run-command.ts';
import { callsAt, openai, PATIENCE, type Stage, startStage } from './_stage.ts';

const CALLS = 200;
/** A call has six tokens in and seven out. */
const TOKENS = 13;
const USD = (6 * 1 + 7 * 4) / 1e6;

describe('200 calls at once on a limit for 50', () => {
  let stage: Stage;
  let gate: Gate;
  let vendor: Mock;
  beforeAll(async () => {
    gate = await startGate();
    const named = (name: string, ...policies: readonly object[]): object => ({ name, targets: [{ provider: 'vendor' }], policies });
    const shared = { models: [named('shared')], policies: [{ 'rate-limit': { requests: '5/h' } }] };
    stage = await startStage({
      arms: 1,
      config: ([arm]) => ({
        providers: { vendor: openai(arm!.openai), gate: { type: 'openai', baseUrl: `${gate.server.url}/v1`, apiKey: '${env:VENDOR_KEY}' } },
        models: [
          { match: { model: 'gpt-*' }, targets: [{ provider: 'vendor' }] },
          { match: { model: 'held-*' }, targets: [{ provider: 'gate' }] },
          named('by-route', { 'rate-limit': { requests: '50/h' } }),
          named('by-header', { 'rate-limit': { by: 'header:x-team', requests: '50/h' } }),
          {
            match: { model: 'metered-*' },
            targets: [{ provider: 'vendor' }],
            policies: [{ 'rate-limit': { by: 'model', requests: '50/h' } }],
          },
        ],
        apis: { one: shared, two: shared },
        policies: [{ 'rate-limit': { by: 'group', requests: '50/h' } }],
        prices: [{ model: 'gpt-*', input: 1, output: 4 }],
        consumers: [
          consumer('free'),
          consumer('requests', { limits: { requests: '50/h' } }),
          consumer('requests-streamed', { limits: { requests: '50/h' } }),
          consumer('tokens', { limits: { tokens: `${50 * TOKENS}/h` } }),
          consumer('tokens-streamed', { limits: { tokens: `${50 * TOKENS}/h` } }),
          consumer('dollars', { budget: { usd: `${(50 * USD).toFixed(6)}/month` } }),
          consumer('tokens-of-a-day', { budget: { tokens: `${50 * TOKENS}/day` } }),
          consumer('concurrent', { limits: { concurrent: 50 } }),
          consumer('streams', { limits: { streams: 50 } }),
          consumer('crew-1', { groups: ['crew'] }),
          consumer('crew-2', { groups: ['crew', 'idle'] }),
        ],
      }),
    });
    vendor = stage.arms[0]!.openai;
  });
  afterAll(async () => {
    await stage?.stop();
    await gate?.server.stop();
  });
  beforeEach(() => stage.reset());

  const all = (asking: (index: number) => Saying): Promise<Said[]> => times(CALLS, (index) => say(stage.hub, asking(index)));
  const fifty = { passed: 50, refused: 150 };

  it.each<[string, (index: number) => Saying]>([
    ['of a consumer', () => ({ as: 'requests', model: 'gpt-requests' })],
    ['of a group, whoever of it calls', (index) => ({ as: `crew-${(index % 2) + 1}`, model: 'gpt-crew' })],
    ['of a route', () => ({ as: 'free', model: 'by-route' })],
    ['of a model', () => ({ as: 'free', model: 'metered-1' })],
    ['of a value of a header', () => ({ as: 'free', model: 'by-header', headers: { 'x-team': 'red' } })],
    ['of a consumer, streamed', () => ({ as: 'requests-streamed', model: 'gpt-streamed', stream: true })],
  ])('passes exactly 50: requests %s', async (_name, asking) => {
    const said = await all(asking);
    expect(outcomes(said)).toEqual(fifty);
    expect(callsAt(vendor)).toBe(50);
  });

  it('counts other models and other values of a header apart', async () => {
    await say(stage.hub, { as: 'free', model: 'metered-1' });
    expect((await say(stage.hub, { as: 'free', model: 'metered-1' })).status).toBe(429);
    expect((await say(stage.hub, { as: 'free', model: 'metered-2' })).status).toBe(200);
    expect((await say(stage.hub, { as: 'free', model: 'by-header', headers: { 'x-team': 'red' } })).status).toBe(429);
    expect((await say(stage.hub, { as: 'free', model: 'by-header', headers: { 'x-team': 'blue' } })).status).toBe(200);
    expect((await say(stage.hub, { as: 'free', model: 'by-header' })).status).toBe(200);
  });

  it.each([false, true])('passes exactly 50: tokens, of which far more are expected than used (streamed: %s)', async (stream) => {
    const name = stream ? 'tokens-streamed' : 'tokens';
    const said = await all(() => ({ as: name, model: 'gpt-tokens', stream }));
    expect(outcomes(said)).toEqual(fifty);
    expect(callsAt(vendor)).toBe(50);
    expect(await standing(stage.hub, /tokens an hour for consumer/, { model: 'gpt-tokens', consumer: name })).toBe(
      '650 used or reserved, 0 left',
    );
    const records = await recordsOf(stage.hub, name, CALLS);
    expect(spentIn(records).tokens).toBe(50 * TOKENS);
    expect((await usageOf(stage.hub, name)).tokens).toBe(50 * TOKENS);
    const refused = said.find(({ status }) => status === 429)!;
    expect(refused.body.error.message).toMatch(
      /^The limit of 650 tokens an hour for consumer tokens\S* is reached \(650 used\)\. Try again in 60 min\./,
    );
  });

  it('passes exactly 50: tokens of a day', async () => {
    expect(outcomes(await all(() => ({ as: 'tokens-of-a-day', model: 'gpt-tokens' })))).toEqual(fifty);
    expect((await usageOf(stage.hub, 'tokens-of-a-day')).tokens).toBe(50 * TOKENS);
  });

  it('spends exactly the money for 50, without max_tokens in the requests', async () => {
    const said = await all((index) => ({ as: 'dollars', model: 'gpt-dollars', stream: index % 3 === 0 }));
    expect(outcomes(said)).toEqual(fifty);
    expect(callsAt(vendor)).toBe(50);
    const records = await recordsOf(stage.hub, 'dollars', CALLS);
    expect(records.filter(({ outcome }) => outcome === 'ok')).toHaveLength(50);
    expect(spentIn(records).usd).toBeCloseTo(50 * USD, 12);
    expect((await usageOf(stage.hub, 'dollars')).usd).toBeCloseTo(50 * USD, 12);
    const refused = said.find(({ status }) => status === 429)!;
    expect(refused.body.error.message).toMatch(
      /^The budget of \$0\.0017 a month for consumer dollars is used up \(\$0\.0017 used\)\. It begins anew on \d{4}-\d\d-01\. Rule: budget\.$/,
    );
    const told = await runCommand(stage.hub, ['explain', 'model', 'gpt-dollars', '--as', 'dollars']);
    expect(told).toContain('budget: $0.0017 a month for consumer dollars ($0.0017 used or reserved, $0.00 left)');
  });

  it.each(['concurrent', 'streams'])('passes exactly 50 at a time: %s', async (name) => {
    gate.close();
    const said = all(() => ({ as: name, model: `held-${name}`, stream: name === 'streams' }));
    await expect.poll(gate.waiting, PATIENCE).toBe(50);
    const rule = name === 'streams' ? /50 open streams/ : /50 calls at a time/;
    const state = name === 'streams' ? 'open' : 'under way';
    await expect.poll(() => standing(stage.hub, rule, { model: 'held-1', consumer: name }), PATIENCE).toBe(`50 ${state}, 0 left`);
    expect(await recordsOf(stage.hub, name, 150)).toHaveLength(150);
    expect(gate.waiting()).toBe(50);
    gate.open();
    expect(outcomes(await said)).toEqual(fifty);
    // What was held is given back.
    await recordsOf(stage.hub, name, CALLS);
    expect(await standing(stage.hub, rule, { model: 'held-1', consumer: name })).toBe(`0 ${state}, 50 left`);
    expect((await say(stage.hub, { as: name, model: `held-${name}`, stream: true })).status).toBe(200);
  });

  it('counts each API for itself', async () => {
    const ask = (api: string): Promise<Said[]> => times(8, () => say(stage.hub, { as: 'free', model: 'shared', api: `/apis/${api}` }));
    expect(outcomes(await ask('one'))).toEqual({ passed: 5, refused: 3 });
    expect(outcomes(await ask('two'))).toEqual({ passed: 5, refused: 3 });
  });

  it.each<[Door, (message: string) => object]>([
    ['chat', (message) => ({ error: { message, type: 'rate_limit_error', param: null, code: 'rate_limit_exceeded' } })],
    ['responses', (message) => ({ error: { message, type: 'rate_limit_error', param: null, code: 'rate_limit_exceeded' } })],
    ['messages', (message) => ({ type: 'error', error: { type: 'rate_limit_error', message }, request_id: expect.any(String) })],
  ])('refuses with 429 in the words of %s', async (door, body) => {
    await all(() => ({ as: 'requests', model: 'gpt-requests' }));
    const refused = await say(stage.hub, { as: 'requests', model: 'gpt-requests', door });
    expect(refused.status).toBe(429);
    const message = expect.stringMatching(
      /^The limit of 50 requests an hour for consumer requests is reached \(50 used\)\. Try again in (?:59|60) min\. Rule: rate-limit\.$/,
    ) as string;
    expect(refused.body).toEqual(body(message));
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(3_480);
    expect(seconds).toBeLessThanOrEqual(3_660);
    expect(Math.ceil(Number(refused.headers.get('retry-after-ms')) / 1_000)).toBe(seconds);
    expect(refused.headers.get('x-should-retry')).toBeNull();
    const record = await stage.record(refused.id);
    expect(record).toMatchObject({ outcome: 'limit_exceeded', status: 429, attempts: 0, consumer: 'requests' });
    expect(record.events).toMatchObject([{ type: 'throttled', detail: 'rate-limit: 50 requests an hour by consumer' }]);
  });
});

describe('a call that finds reserved what it wants', () => {
  let stage: Stage;
  let vendor: Mock;
  beforeAll(async () => {
    stage = await startStage({
      arms: 1,
      config: ([arm]) => ({
        providers: { vendor: openai(arm!.openai) },
        models: [{ match: { model: 'gpt-*' }, targets: [{ provider: 'vendor' }] }],
        consumers: ['waits', 'leaves'].map((name) => consumer(name, { limits: { tokens: '100/h', requests: '10/h' } })),
      }),
    });
    vendor = stage.arms[0]!.openai;
  });
  afterAll(() => stage?.stop());
  beforeEach(() => stage.reset());

  const used = (as: string): Promise<string> => standing(stage.hub, /tokens an hour/, { model: 'gpt-1', consumer: as });
  /** A stream of twenty tokens in 600 ms, which may use all of the limit. */
  const slow = (as: string): Promise<Said> =>
    say(stage.hub, { as, model: 'gpt-slow--fault-slow~ms=30', stream: true, text: 'count to 20' });

  it('waits for those under way, and passes in their wake', async () => {
    const first = slow('waits');
    await expect.poll(() => used('waits'), PATIENCE).toBe('100 used or reserved, 0 left');
    const second = await say(stage.hub, { as: 'waits', model: 'gpt-quick' });
    expect([(await first).status, second.status]).toEqual([200, 200]);
    const [one, two] = vendor.requests;
    // Twenty times thirty.
    expect(two!.at - one!.at).toBeGreaterThan(550);
    expect(await used('waits')).toBe(`${3 + 20 + TOKENS} used or reserved, ${100 - 23 - TOKENS} left`);
    expect((await stage.record(second.id)).events).toContainEqual(
      expect.objectContaining({
        type: 'throttled',
        detail: expect.stringMatching(/^rate-limit: 100 tokens an hour by consumer, waited \d+ ms$/),
      }),
    );
  });

  it('leaves nothing behind when its caller goes away meanwhile', async () => {
    const first = slow('leaves');
    await expect.poll(() => used('leaves'), PATIENCE).toBe('100 used or reserved, 0 left');
    const leaving = new AbortController();
    const second = say(stage.hub, { as: 'leaves', model: 'gpt-quick', signal: leaving.signal }).catch(String);
    const third = say(stage.hub, { as: 'leaves', model: 'gpt-quick' });
    setTimeout(() => leaving.abort(), 100);
    expect(await second).toMatch(/abort/i);
    expect(outcomes([await first, await third])).toEqual({ passed: 2, refused: 0 });
    const records = await recordsOf(stage.hub, 'leaves', 3);
    expect(records.map(({ outcome, attempts }) => [outcome, attempts]).toSorted()).toEqual([
      ['client_closed', 0],
      ['ok', 1],
      ['ok', 1],
    ]);
    expect(await used('leaves')).toBe(`${spentIn(records).tokens} used or reserved, ${100 - spentIn(records).tokens} left`);
    expect(await standing(stage.hub, /requests an hour/, { model: 'gpt-1', consumer: 'leaves' })).toBe('2 used, 8 left');
    expect(callsAt(vendor)).toBe(2);
  });
});
