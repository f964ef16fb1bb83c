import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { askAdmin } from '../../support/ask-admin.ts';
import { type EchoServer, sendJson, startEchoServer } from '../../support/echo-server.ts';
import type { Mock } from '../../support/mock-providers/server.mjs';
import { inParallel } from '../models/in-parallel.ts';
import { type Answer, ask } from './_ask.ts';
import { completion } from './_completion.ts';
import { apiKey, eventTypes, openai, type Stage, startStage } from './_stage.ts';

const CALLS = 300;
const AT_ONCE = 20;
/** Issue: upstream calls in a storm of 5xx, for each call. */
const AT_MOST = 1.2;
const OPEN_MS = 1_500;
/** A breaker that never opens: what holds is the budget of retries alone. */
const NEVER = { failures: 1_000_000, minimum: 1_000_000 };

/** The same row of numbers between 0 and 1 each time (Park, Miller 1988). */
function numbers(): () => number {
  let seed = 42;
  return () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
}

describe('a storm of 5xx', () => {
  let stage: Stage;
  let random: EchoServer;
  let a: Mock;
  let b: Mock;
  beforeAll(async () => {
    const next = numbers();
    random = await startEchoServer((_request, response) => {
      if (next() < 0.5) sendJson(response, 503, { error: { message: 'busy' } });
      else sendJson(response, 200, completion('gpt'));
    });
    const vendor = { type: 'openai-compatible', baseUrl: `${random.url}/v1` };
    stage = await startStage({
      config: ([one, two]) => ({
        providers: {
          guarded: openai(one!.openai, { breaker: { open: `${OPEN_MS}ms` } }),
          brief: openai(one!.openai, { breaker: { open: '300ms' } }),
          bare: openai(one!.openai, { breaker: NEVER }),
          second: openai(two!.openai),
          uncounted: { type: 'vllm', baseUrl: `${one!.openai.url}/v1`, apiKey, breaker: { open: '200ms' } },
          random: { ...vendor, breaker: NEVER },
          'random-guarded': vendor,
        },
        models: [
          ...['guarded', 'brief', 'uncounted', 'bare', 'random', 'random-guarded'].map((provider) => ({
            name: provider,
            targets: [{ provider, model: `gpt-${provider}` }],
          })),
          { name: 'eager', retries: 10, targets: [{ provider: 'bare', model: 'gpt-eager' }] },
          { name: 'backed', targets: [{ provider: 'guarded', model: 'gpt-backed' }], fallback: [{ provider: 'second' }] },
          {
            name: 'twins',
            targets: [
              { provider: 'bare', model: 'gpt-twin-1' },
              { provider: 'bare', model: 'gpt-twin-2' },
            ],
          },
        ],
      }),
    });
    [a, b] = stage.arms.map(({ openai: mock }) => mock) as [Mock, Mock];
  });
  afterAll(async () => {
    await stage?.stop();
    await random?.stop();
  });
  beforeEach(() => {
    stage.reset();
    random.requests.length = 0;
  });

  const send = (model: string, stream = false): Promise<Answer> => ask(stage.hub.url, { model, stream });
  const storm = (model: string, calls = CALLS, streams = true): Promise<Answer[]> =>
    inParallel(
      Array.from({ length: calls }, (_, i) => i),
      AT_ONCE,
      (i) => send(model, streams && i % 3 === 0),
    );
  const statuses = (answers: readonly Answer[]): number[] => [...new Set(answers.map(({ status }) => status))].toSorted();

  it.each(['bare', 'eager', 'twins'])(`adds less than a fifth to the calls of an upstream that fails (%s)`, async (model) => {
    a.setFault('503');
    const answers = await storm(model);
    expect(statuses(answers)).toEqual([503]);
    expect(a.requests.length).toBeGreaterThan(CALLS);
    expect(a.requests.length).toBeLessThanOrEqual(CALLS * AT_MOST);
  });

  it('adds less than a fifth where every second answer is a failure, and helps more calls than it costs', async () => {
    const answers = await storm('random', CALLS, false);
    expect(random.requests.length).toBeLessThanOrEqual(CALLS * AT_MOST);
    const ok = answers.filter(({ status }) => status === 200).length;
    expect(ok).toBeGreaterThan(CALLS * 0.5);
    expect(statuses(answers)).toEqual([200, 503]);
    random.requests.length = 0;
    const guarded = await storm('random-guarded', CALLS, false);
    expect(statuses(guarded)).toEqual([200, 503]);
    expect(random.requests.length).toBeLessThanOrEqual(CALLS * AT_MOST);
  });

  it('opens the breaker, which refuses calls with a time, lets one through when that is over, and closes when it is answered', async () => {
    a.setFault('503');
    // Few, so that all of them are over before its time is.
    const answers = await storm('guarded', 60);
    expect(statuses(answers)).toEqual([503]);
    // Those under way when it opened, and no more.
    expect(a.requests.length).toBeLessThan(5 + AT_ONCE * 2);
    const opened = await stage.target('guarded', 'guarded');
    expect(opened).toMatchObject({ breaker: 'open', health: 'open', errorRate: 1, inFlight: 0, retryAt: expect.any(Number) });
    expect(opened.retryAt! - Date.now()).toBeLessThanOrEqual(OPEN_MS);
    const { body: explained } = await askAdmin(stage.hub, 'GET', '/explain?model=guarded');
    expect(explained.steps.at(-1)).toMatchObject({
      rule: expect.stringMatching(/; breaker open, to be tried in \d+ s$/),
      value: { breaker: 'open', health: 'open' },
    });
    await askAdmin(stage.hub, 'POST', '/reload');
    expect(await stage.target('guarded', 'guarded')).toMatchObject({ breaker: 'open', samples: opened.samples });
    const refused = answers.at(-1)!;
    expect(refused).toMatchObject({
      body: { error: { code: 'unavailable' } },
      headers: { 'retry-after': expect.stringMatching(/^[12]$/) },
    });
    expect(Number(refused.headers['retry-after-ms'])).toBeGreaterThan(0);
    expect(Number(refused.headers['retry-after-ms'])).toBeLessThanOrEqual(OPEN_MS);
    expect(refused.headers['x-should-retry']).toBeUndefined();
    const record = await stage.record(refused.id);
    expect(record).toMatchObject({ outcome: 'unavailable', attempts: 0 });
    expect(eventTypes(record)).toContain('refused');

    stage.reset();
    a.setFault('slow-first-token,ms=250');
    await stage.becomes('guarded', 'guarded', { breaker: 'half-open', health: 'probing' });
    const many = await Promise.all(Array.from({ length: 40 }, (_, i) => send('guarded', i % 2 === 0)));
    expect(a.requests).toHaveLength(1);
    expect(many.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(statuses(many)).toEqual([200, 503]);
    for (const { status, headers } of many) if (status === 503) expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    expect(await stage.target('guarded', 'guarded')).toMatchObject({ breaker: 'closed', health: 'healthy', inFlight: 0 });

    stage.reset();
    expect(statuses(await storm('guarded', 60))).toEqual([200]);
    expect(a.requests).toHaveLength(60);
  });

  it('stays open for longer when the probe fails too', async () => {
    a.setFault('503,ms=100');
    await storm('brief', 30);
    await stage.becomes('brief', 'brief', { breaker: 'half-open' });
    stage.reset();
    a.setFault('503,ms=100');
    const many = await Promise.all(Array.from({ length: 20 }, () => send('brief')));
    expect(statuses(many)).toEqual([503]);
    expect(a.requests).toHaveLength(1);
    const { breaker, retryAt } = await stage.target('brief', 'brief');
    expect(breaker).toBe('open');
    expect(retryAt! - Date.now()).toBeGreaterThan(300);
  });

  it('is not over because the hub has answered a question by itself', async () => {
    a.setFault('503');
    await storm('uncounted', 30, false);
    await stage.becomes('uncounted', 'uncounted', { breaker: 'half-open' });
    const { samples } = await stage.target('uncounted', 'uncounted');
    // This vendor counts no tokens: the hub does, and asks nobody.
    const answer = await fetch(`${stage.hub.url}/v1/messages/count_tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
      body: JSON.stringify({ model: 'uncounted', messages: [{ role: 'user', content: 'hello' }] }),
    });
    expect(answer.status).toBe(200);
    expect(await stage.target('uncounted', 'uncounted')).toMatchObject({ breaker: 'half-open', samples, errorRate: 1 });
  });

  it('is nothing that callers see where there is a fallback', async () => {
    a.setFault('503');
    const answers = await storm('backed', 150);
    expect(statuses(answers)).toEqual([200]);
    expect(b.requests).toHaveLength(150);
    expect(a.requests.length).toBeLessThan(5 + AT_ONCE * 2);
    expect(await stage.target('backed', 'guarded')).toMatchObject({ breaker: 'open' });
    expect(await stage.target('backed', 'second')).toMatchObject({ breaker: 'closed', fallback: 1 });
    const last = await stage.record(answers.at(-1)!.id);
    expect(last).toMatchObject({ attempts: 1, target: 'second/backed' });
  });
});
