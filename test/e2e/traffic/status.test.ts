import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { askAdmin } from '../../support/ask-admin.ts';
import { type Mock, type Mocks, startMocks } from '../../support/mock-providers/server.mjs';
import { inParallel } from '../models/in-parallel.ts';
import { type Answer, ask } from './_ask.ts';
import { anthropic, callsAt, openai, PATIENCE, type Stage, startStage } from './_stage.ts';

const HEALTH = { interval: '250ms', timeout: '200ms' };
/** Their clocks run while a client may leave. */
const TIMES = { firstToken: '9s', total: '10s' };
const alone = (name: string): object => ({ targets: [{ provider: 'a', model: `gpt-${name}` }] });

describe('the status of targets', () => {
  let stage: Stage;
  let a: Mock;
  /** Has a port of its own, on which it comes and goes. */
  let watched: Mocks;
  beforeAll(async () => {
    watched = await startMocks({ only: ['openai'] });
    stage = await startStage({
      only: ['openai', 'anthropic'],
      config: ([one, two]) => ({
        providers: {
          a: openai(one!.openai),
          b: openai(two!.openai),
          watched: openai(watched.openai, { health: HEALTH }),
          patient: anthropic(one!.anthropic, { health: { ...HEALTH, unhealthyAfter: 2, healthyAfter: 3 } }),
        },
        models: [
          {
            name: 'told',
            targets: [
              { provider: 'a', model: 'gpt-told', weight: 3 },
              { provider: 'b', weight: 1 },
            ],
            fallback: [{ provider: 'patient', model: 'claude-told' }],
          },
          ...['left', 'left-early', 'left-reading', 'left-waiting'].map((name) => ({ name, ...alone(name), retries: 5 })),
          ...['left-early', 'left-reading'].map((name) => ({ name: `${name}-timed`, ...alone(name), timeouts: TIMES })),
          {
            name: 'watched',
            targets: [
              { provider: 'watched', model: 'gpt-watched' },
              { provider: 'b', model: 'gpt-watched' },
            ],
          },
          { name: 'watched-alone', targets: [{ provider: 'watched', model: 'gpt-watched' }] },
        ],
      }),
    });
    a = stage.arms[0]!.openai;
  });
  afterAll(async () => {
    await stage?.stop();
    await watched?.close();
  });
  beforeEach(() => {
    stage.reset();
    watched.reset();
  });

  const send = (model: string): Promise<Answer> => ask(stage.hub.url, { model });
  const statusesOf = async (model: string, calls: number): Promise<number[]> =>
    inParallel(Array.from({ length: calls }), 4, async () => (await send(model)).status);

  it('has all targets of a route, with what is known of each', async () => {
    await statusesOf('told', 8);
    expect(await stage.target('told', 'a')).toEqual({
      route: 'told',
      provider: 'a',
      type: 'openai',
      model: 'gpt-told',
      weight: 3,
      health: 'healthy',
      breaker: 'closed',
      inFlight: 0,
      latencyMs: expect.any(Number),
      errorRate: 0,
      samples: 6,
    });
    const passing = await stage.target('told', 'b');
    expect(passing).toMatchObject({ weight: 1, samples: 2 });
    expect(passing.model).toBeUndefined();
    await stage.becomes('told', 'patient', { fallback: 1, weight: 1, samples: 0, health: 'healthy' });
  });

  it('a stream is in flight until its client leaves, which the upstream hears, and which is no failure', async () => {
    a.setFault('slow,ms=20');
    const sent = new AbortController();
    const answer = await fetch(`${stage.hub.url}/v1/chat/completions`, {
      method: 'POST',
      signal: sent.signal,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'left', stream: true, messages: [{ role: 'user', content: 'count to 500' }] }),
    });
    await answer.body!.getReader().read();
    expect(await stage.target('left', 'a')).toMatchObject({ inFlight: 1, samples: 0, firstChunkMs: expect.any(Number) });
    sent.abort();
    await stage.becomes('left', 'a', { inFlight: 0 });
    await expect.poll(() => a.requests[0]?.aborted, PATIENCE).toBe(true);
    expect(await stage.target('left', 'a')).toMatchObject({ samples: 0, errorRate: 0, breaker: 'closed' });
    expect(await stage.record(answer.headers.get('x-request-id')!)).toMatchObject({ outcome: 'client_closed', attempts: 1 });
  });

  it.each([
    ['left-early', 'hang-headers', false],
    ['left-early-timed', 'hang-headers', true],
    ['left-reading', 'slow-first-token,ms=9000', true],
    ['left-reading-timed', 'slow-first-token,ms=9000', true],
    ['left-waiting', '429,retry=2', false],
  ])('a client that leaves is worked for no longer: %s (%s, stream: %s)', async (model, fault, stream) => {
    a.setFault(fault);
    const sent = new AbortController();
    const answer = fetch(`${stage.hub.url}/v1/chat/completions`, {
      method: 'POST',
      signal: sent.signal,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'hello' }] }),
    }).catch(() => 'left');
    await expect.poll(() => a.requests.length, PATIENCE).toBe(1);
    if (fault.startsWith('429')) await expect.poll(() => a.requests[0]?.finished, PATIENCE).toBe(true);
    sent.abort();
    expect(await answer).toBe('left');
    await stage.becomes(model, 'a', { inFlight: 0 });
    const calls = async (): Promise<readonly { outcome: string; attempts: number }[]> =>
      (await askAdmin(stage.hub, 'GET', `/calls?model=${model}`)).body.items;
    await expect.poll(calls, PATIENCE).toEqual([expect.objectContaining({ outcome: 'client_closed', attempts: 1 })]);
    expect(a.requests).toHaveLength(1);
    if (!fault.startsWith('429')) await expect.poll(() => a.requests[0]?.aborted, PATIENCE).toBe(true);
  });

  it('a target whose checks fail gets no calls, and gets them again when it is well', async () => {
    expect(new Set(await statusesOf('watched', 10))).toEqual(new Set([200]));
    expect(callsAt(watched.openai)).toBe(5);
    await watched.close();
    await stage.becomes('watched', 'watched', { health: 'unhealthy', breaker: 'closed', retryAt: expect.any(Number) });
    const answers = await inParallel(Array.from({ length: 10 }), 4, () => send('watched'));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await stage.record(answers.at(-1)!.id)).toMatchObject({ attempts: 1, target: 'b/gpt-watched' });
    expect(await send('watched-alone')).toMatchObject({ status: 503, headers: { 'retry-after': expect.any(String) } });

    watched = await startMocks({ only: ['openai'], basePort: watched.openai.port });
    await stage.becomes('watched', 'watched', { health: 'healthy' });
    expect(new Set(await statusesOf('watched', 10))).toEqual(new Set([200]));
    expect(callsAt(watched.openai)).toBe(5);
    expect((await send('watched-alone')).status).toBe(200);
  });

  it.each(['hang-headers', '503'])('a server that is there and does not do its work is unhealthy as well (%s)', async (fault) => {
    await stage.becomes('watched', 'watched', { health: 'healthy' });
    watched.openai.setFault(fault);
    await stage.becomes('watched', 'watched', { health: 'unhealthy' });
    expect(watched.openai.requests.filter(({ method, path }) => method === 'GET' && path === '/v1/models').length).toBeGreaterThanOrEqual(
      3,
    );
    expect(await statusesOf('watched', 4)).toEqual([200, 200, 200, 200]);
    expect(callsAt(watched.openai)).toBe(0);
    watched.openai.setFault('401');
    await stage.becomes('watched', 'watched', { health: 'healthy' });
  });

  it('so many checks in a row change it as the provider says', async () => {
    const { anthropic: checked } = stage.arms[0]!;
    const asked = (fault: string | undefined): number => checked.requests.filter((one) => one.finished && one.fault === fault).length;
    await stage.becomes('told', 'patient', { health: 'healthy' });
    checked.setFault('500');
    await stage.becomes('told', 'patient', { health: 'unhealthy' });
    expect(asked('500')).toBeGreaterThanOrEqual(2);
    const before = asked(undefined);
    checked.setFault(undefined);
    await stage.becomes('told', 'patient', { health: 'healthy' });
    expect(asked(undefined) - before).toBeGreaterThanOrEqual(3);
    expect(asked(undefined) - before).toBeLessThanOrEqual(6);
  });
});
