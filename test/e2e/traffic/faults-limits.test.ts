import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EchoServer, sendJson, startEchoServer } from '../../support/echo-server.ts';
import type { Mock } from '../../support/mock-providers/server.mjs';
import { type Answer, ask, type Asking } from './_ask.ts';
import { completion } from './_completion.ts';
import { route } from './_route.ts';
import { anthropic, apiKey, openai, type Stage, startStage } from './_stage.ts';

const VENDORS = ['openai', 'anthropic', 'gemini', 'vllm', 'dated'];

describe('a limit of a vendor (429)', () => {
  let stage: Stage;
  /** Says by a date when to come again. */
  let dated: EchoServer;
  let a: Mock;
  let b: Mock;
  beforeAll(async () => {
    dated = await startEchoServer((_request, response) => {
      const headers = { 'retry-after': new Date(Date.now() + 1_500).toUTCString() };
      if (dated.requests.length === 1) sendJson(response, 429, { error: { message: 'slow down' } }, headers);
      else sendJson(response, 200, completion('dated'));
    });
    stage = await startStage({
      only: ['openai', 'anthropic', 'gemini', 'vllm'],
      config: ([one, two]) => ({
        providers: {
          a: openai(one!.openai),
          b: openai(two!.openai),
          openai: openai(one!.openai),
          anthropic: anthropic(one!.anthropic),
          gemini: { type: 'gemini', baseUrl: one!.gemini.url, apiKey },
          vllm: { type: 'vllm', baseUrl: `${one!.vllm.url}/v1` },
          dated: { type: 'openai-compatible', baseUrl: `${dated.url}/v1` },
        },
        models: [
          ...VENDORS.flatMap((name) => [route(`limit-${name}`, [name]), route(`limit-${name}-else`, [name], ['b'])]),
          route('rested', ['a'], ['b']),
          route('rested-all', ['a'], ['b']),
        ],
      }),
    });
    [a, b] = stage.arms.map(({ openai: mock }) => mock) as [Mock, Mock];
  });
  afterAll(async () => {
    await stage?.stop();
    await dated?.stop();
  });
  beforeEach(() => stage.reset());

  const send = (asking: Asking): Promise<Answer> => ask(stage.hub.url, asking);
  const limit = (name: string, spec: string): void => stage.arms[0]![name as 'openai'].setFault(spec);

  it('with a short hint is waited out, whoever gives it', async () => {
    const vendors = ['openai', 'anthropic', 'gemini'];
    for (const name of vendors) limit(name, '429,retry=1,times=1');
    const answers = await Promise.all(vendors.map((name) => send({ model: `limit-${name}` })));
    for (const { status, ms, id } of answers) {
      expect(status).toBe(200);
      expect(ms).toBeGreaterThanOrEqual(990);
      const record = await stage.record(id);
      expect(record).toMatchObject({ outcome: 'ok', attempts: 2 });
      expect(record.events.find(({ type }) => type === 'retried')?.detail).toMatch(/ after upstream_limited, 1000 ms later$/);
    }
    expect(vendors.map((name) => stage.arms[0]![name as 'openai'].requests.length)).toEqual([2, 2, 2]);
  });

  it('with a date as hint is waited out', async () => {
    const answer = await send({ model: 'limit-dated' });
    expect(answer.status).toBe(200);
    expect(dated.requests).toHaveLength(2);
    expect(answer.ms).toBeGreaterThanOrEqual(400);
    expect(dated.requests[1]!.body.equals(dated.requests[0]!.body)).toBe(true);
  });

  it.each(['openai', 'anthropic', 'gemini'])('with a long hint of %s is handed on with the hint', async (name) => {
    limit(name, '429,retry=60');
    const answer = await send({ model: `limit-${name}` });
    expect(answer).toMatchObject({
      status: 429,
      headers: { 'retry-after': '60', 'retry-after-ms': '60000' },
      body: { error: { code: 'rate_limit_exceeded' } },
    });
    expect(answer.ms).toBeLessThan(900);
    expect(answer.headers['x-should-retry']).toBeUndefined();
    expect(stage.arms[0]![name as 'openai'].requests).toHaveLength(1);
  });

  it('without a hint is handed on at once, and without one', async () => {
    limit('vllm', '429');
    const answer = await send({ model: 'limit-vllm' });
    expect(answer).toMatchObject({ status: 429, body: { error: { code: 'rate_limit_exceeded' } } });
    expect(answer.headers['retry-after']).toBeUndefined();
    expect(stage.arms[0]!.vllm.requests).toHaveLength(1);
  });

  it.each([
    ['openai', '429,retry=1'],
    ['openai', '429,retry=60'],
    ['anthropic', '429,retry=60'],
    ['gemini', '429,retry=60'],
    ['vllm', '429'],
  ])('of %s (%s) goes to the fallback at once where there is one', async (name, spec) => {
    limit(name, spec);
    const answer = await send({ model: `limit-${name}-else` });
    expect(answer.status).toBe(200);
    expect(answer.ms).toBeLessThan(900);
    expect(b.requests).toHaveLength(1);
    expect(stage.arms[0]![name as 'openai'].requests.length).toBeLessThanOrEqual(1);
  });

  it('leaves the target alone for as long as it asked for', async () => {
    const [asked, until] = [Date.now(), 59_000];
    a.setFault('429,retry=60');
    for (let i = 0; i < 3; i++) expect((await send({ model: 'rested' })).status).toBe(200);
    expect([a.requests.length, b.requests.length]).toEqual([1, 3]);
    const shown = await stage.target('rested', 'a');
    expect(shown).toMatchObject({ health: 'resting', breaker: 'closed', errorRate: 0 });
    expect(shown.retryAt).toBeGreaterThan(asked + until);
    expect(await stage.target('rested', 'b')).toMatchObject({ health: 'healthy', samples: 3 });
  });

  it('is refused with the shortest hint when all targets rest', async () => {
    a.setFault('429,retry=60');
    b.setFault('429,retry=30');
    expect(await send({ model: 'rested-all' })).toMatchObject({ status: 429, headers: { 'retry-after': '30' } });
    const answer = await send({ model: 'rested-all' });
    expect(answer).toMatchObject({ status: 429, body: { error: { code: 'rate_limit_exceeded', type: 'rate_limit_error' } } });
    expect([29, 30]).toContain(Number(answer.headers['retry-after']));
    expect([a.requests.length, b.requests.length]).toEqual([1, 1]);
    expect(await stage.record(answer.id)).toMatchObject({ outcome: 'upstream_limited', attempts: 0, events: [{ type: 'refused' }] });
  });
});
