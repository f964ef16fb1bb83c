import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../support/free-port.ts';
import type { Mock, RecordedRequest } from '../../support/mock-providers/server.mjs';
import { type Answer, ask, type Asking } from './_ask.ts';
import { route } from './_route.ts';
import { runCommand } from './_run-command.ts';
import { anthropic, eventTypes, openai, PATIENCE, type Stage, startStage } from './_stage.ts';

/** Besides the text all that a body may hold, so that what is sent again can be held against what was sent. */
const WHOLE = {
  text: 'Größe: 3 € \u{1F40B} "quoted"\n',
  more: {
    temperature: 0.1,
    metadata: { a: 'b' },
    tools: [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }],
  },
};

describe('a call whose target fails', () => {
  let stage: Stage;
  let a: Mock;
  let b: Mock;
  beforeAll(async () => {
    const deadPort = await freePort();
    stage = await startStage({
      only: ['openai', 'anthropic'],
      config: ([one, two]) => ({
        providers: {
          a: openai(one!.openai, { timeouts: { firstByte: '300ms' } }),
          b: openai(two!.openai),
          unpaid: openai(one!.openai),
          claude: anthropic(two!.anthropic),
          dead: openai({ ...one!.openai, url: `http://127.0.0.1:${deadPort}` }),
        },
        models: [
          route('burst', ['a']),
          route('gone', ['a']),
          route('no-retries', ['a'], [], { retries: 0 }),
          ...['overloaded', 'failed', 'hung', 'cut', 'truncated', 'unknown-there', 'wrong', 'empty', 'shown'].map((name) =>
            route(name, ['a'], ['b']),
          ),
          route('unpaid', ['unpaid'], ['b']),
          route('hung-alone', ['a']),
          route('through-all', ['dead'], ['a', 'claude', 'b']),
          route('refused', ['a'], ['b'], { fallbackOn: ['content_refused', 'context_too_long'] }),
          route('refused-for-good', ['a'], ['b']),
          route('beside', ['a', 'b']),
          route('bounded', ['a'], [], { timeouts: { total: '700ms' }, retries: 10 }),
          route('bounded-answers', ['b'], [], { timeouts: { total: '400ms' } }),
        ],
      }),
    });
    [a, b] = stage.arms.map(({ openai: mock }) => mock) as [Mock, Mock];
  });
  afterAll(() => stage?.stop());
  beforeEach(() => stage.reset());

  const send = (asking: Asking): Promise<Answer> => ask(stage.hub.url, asking);
  /** Without the name of the model, which the route forces. */
  const bodies = (...requests: readonly RecordedRequest[][]): string[] =>
    requests.flat().map(({ body }) => JSON.stringify({ ...body, model: undefined }));

  it('is answered by the same target after a burst of 503, with the body as it was', async () => {
    a.setFault('503,times=2');
    const answer = await send({ model: 'burst', ...WHOLE });
    expect(answer).toMatchObject({ status: 200, body: { model: 'gpt-burst' } });
    expect(answer.headers['x-should-retry']).toBeUndefined();
    expect(a.requests.map(({ fault }) => fault)).toEqual(['503,times=2', '503,times=2', undefined]);
    expect(new Set(bodies(a.requests))).toEqual(
      new Set([JSON.stringify({ messages: [{ role: 'user', content: WHOLE.text }], ...WHOLE.more })]),
    );
    const record = await stage.record(answer.id);
    expect(record).toMatchObject({ outcome: 'ok', attempts: 3, target: 'a/gpt-burst', usage: { inputTokens: expect.any(Number) } });
    expect(eventTypes(record)).toEqual(['failed', 'retried', 'failed', 'retried', 'unpriced']);
    expect(record.events[1]!.detail).toMatch(/^a\/gpt-burst after upstream_overloaded, \d+ ms later$/);
    expect(JSON.stringify(record)).not.toContain('quoted');
  });

  it('gets the failure when retries did not help, and is told not to try again itself', async () => {
    a.setFault('503');
    const answer = await send({ model: 'gone' });
    expect(answer).toMatchObject({ status: 503, body: { error: { code: 'overloaded' } }, headers: { 'x-should-retry': 'false' } });
    expect(a.requests).toHaveLength(3);
    expect(await stage.record(answer.id)).toMatchObject({ outcome: 'upstream_overloaded', status: 503, attempts: 3 });
    const once = await send({ model: 'no-retries' });
    expect(once.status).toBe(503);
    expect(once.headers['x-should-retry']).toBeUndefined();
    expect(a.requests).toHaveLength(4);
  });

  it.each([
    ['overloaded', '503', 3, 'upstream_overloaded'],
    ['failed', '500', 3, 'upstream_failed'],
    ['cut', 'cut-headers', 3, 'upstream_unreachable'],
    ['truncated', 'cut-midstream', 3, 'upstream_failed'],
    ['hung', 'hang-headers', 1, 'upstream_timeout'],
    ['unknown-there', '404', 1, 'model_unknown'],
    ['unpaid', 'no-credit', 1, 'upstream_no_credit'],
    ['empty', 'bad-json', 3, 'upstream_failed'],
  ])('%s: is answered by the fallback after %s, with the body as it was', async (model, fault, tries, code) => {
    a.setFault(fault);
    const answer = await send({ model, ...WHOLE });
    expect(answer).toMatchObject({ status: 200, body: { model: `gpt-${model}` } });
    expect([a.requests.length, b.requests.length]).toEqual([tries, 1]);
    expect(new Set(bodies(a.requests, b.requests))).toEqual(new Set(bodies(b.requests)));
    const record = await stage.record(answer.id);
    expect(record).toMatchObject({ outcome: 'ok', attempts: tries + 1, target: `b/gpt-${model}` });
    expect(record.events.find(({ type }) => type === 'fallback')?.detail).toMatch(
      new RegExp(`^(?:a|unpaid)/gpt-${model} → b/gpt-${model} after ${code}$`),
    );
  });

  it('goes on through dead addresses and failures of all kinds to the last that can answer', async () => {
    a.setFault('hang-headers');
    stage.arms[1]!.anthropic.setFault('529');
    const answer = await send({ model: 'through-all', ...WHOLE });
    expect(answer).toMatchObject({ status: 200, body: { model: 'gpt-through-all' } });
    const record = await stage.record(answer.id);
    expect(record.target).toBe('b/gpt-through-all');
    expect(record.events.filter(({ type }) => type === 'fallback').map(({ detail }) => detail)).toEqual([
      'dead/gpt-through-all → a/gpt-through-all after upstream_unreachable',
      'a/gpt-through-all → claude/gpt-through-all after upstream_timeout',
      'claude/gpt-through-all → b/gpt-through-all after upstream_overloaded',
    ]);
    expect(JSON.stringify(answer.body)).not.toContain('127.0.0.1');
  });

  it('is tried once where nobody answers in time, and there is nobody else', async () => {
    a.setFault('hang-headers');
    const answer = await send({ model: 'hung-alone' });
    expect(answer).toMatchObject({ status: 504, body: { error: { code: 'upstream_timeout' } } });
    expect(answer.text).not.toContain('127.0.0.1');
    expect(answer.ms).toBeLessThan(900);
    expect(a.requests).toHaveLength(1);
  });

  it('is the callers own affair where the request is wrong', async () => {
    a.setFault('400');
    expect(await send({ model: 'wrong' })).toMatchObject({ status: 400 });
    expect([a.requests.length, b.requests.length]).toEqual([1, 0]);
    expect(await stage.target('wrong', 'a')).toMatchObject({ health: 'healthy', errorRate: 0 });
  });

  it.each([
    ['refused', 'content_filter'],
    ['too-long', 'context_length_exceeded'],
  ])('falls back on what a target alone refuses (%s) where the route says so', async (fault, code) => {
    a.setFault(fault);
    const answer = await send({ model: 'refused', ...WHOLE });
    expect(answer.status).toBe(200);
    expect([a.requests.length, b.requests.length]).toEqual([1, 1]);
    expect(bodies(a.requests)).toEqual(bodies(b.requests));
    expect(eventTypes(await stage.record(answer.id))).toContain('fallback');
    expect(await send({ model: 'refused-for-good' })).toMatchObject({ status: 400, body: { error: { code } } });
    expect([a.requests.length, b.requests.length]).toEqual([2, 1]);
    expect((await stage.target('refused', 'a')).errorRate).toBe(0);
  });

  it('goes to the target beside before it waits', async () => {
    a.setFault('503');
    const answers: Answer[] = [];
    for (let i = 0; i < 4; i++) answers.push(await send({ model: 'beside', ...WHOLE }));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect([a.requests.length, b.requests.length]).toEqual([2, 4]);
    expect(new Set(bodies(a.requests, b.requests)).size).toBe(1);
  });

  it('is told whole by the command that shows a call', async () => {
    a.setFault('503');
    const { id } = await send({ model: 'shown' });
    const said = await runCommand(stage.hub, ['calls', id]);
    expect(said).toMatch(/a\/gpt-shown after upstream_overloaded, \d+ ms later/);
    expect(said).toMatch(/a\/gpt-shown → b\/gpt-shown after upstream_overloaded/);
  });

  describe('within the time of its route', () => {
    it('is not retried beyond it', async () => {
      a.setFault('500,ms=150');
      const answer = await send({ model: 'bounded' });
      expect(answer.status).toBeGreaterThanOrEqual(502);
      expect(answer.ms).toBeLessThan(900);
      expect(a.requests.length).toBeGreaterThan(1);
      const { length } = a.requests;
      const record = await stage.record(answer.id);
      expect(record.attempts).toBe(length);
    });

    it('is called off where the answer does not end', async () => {
      b.setFault('slow,ms=60');
      const answer = await send({ model: 'bounded-answers', text: 'count to 50', stream: true });
      expect(answer.text).toMatch(/"error":\{"message":"The call did not end within 0\.4 s\."/);
      expect(answer.ms).toBeLessThan(900);
      await expect.poll(() => b.requests[0]?.aborted, PATIENCE).toBe(true);
      await stage.becomes('bounded-answers', 'b', { inFlight: 0 });
    });
  });
});
