import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Mock } from '../../support/mock-providers/server.mjs';
import { inParallel } from '../models/in-parallel.ts';
import { type Answer, ask, type Asking } from './_ask.ts';
import { anthropic, openai, PATIENCE, type Stage, startStage } from './_stage.ts';

const AT_ONCE = 50;
const CALLS = 10_000;
const SESSIONS = 40;
const CALLS_OF_ONE = 5;

const target = (provider: string, more: object = {}): object => ({ provider, model: 'gpt-shared', ...more });
const config = (providers: object, growing: readonly string[]): object => ({
  providers,
  models: [
    { name: 'ninety', targets: [target('a', { weight: 90 }), target('b', { weight: 10 })] },
    { name: 'halves', targets: [target('a'), target('b')] },
    { name: 'claude-halves', targets: [target('claude-a'), target('claude-b')] },
    { name: 'loose', sticky: false, targets: [target('a'), target('b')] },
    { name: 'no-weight', targets: [target('a'), target('b', { weight: 0 })] },
    { name: 'growing', targets: growing.map((provider) => target(provider)) },
  ],
});

describe('calls are shared out over the targets of a route', () => {
  let stage: Stage;
  let providers: object;
  let a: Mock;
  let b: Mock;
  let c: Mock;
  beforeAll(async () => {
    stage = await startStage({
      arms: 3,
      only: ['openai', 'anthropic'],
      config: ([one, two, three]) => {
        providers = {
          a: openai(one!.openai),
          b: openai(two!.openai),
          c: openai(three!.openai),
          'claude-a': anthropic(one!.anthropic),
          'claude-b': anthropic(two!.anthropic),
        };
        return config(providers, ['a', 'b']);
      },
    });
    [a, b, c] = stage.arms.map(({ openai: mock }) => mock) as [Mock, Mock, Mock];
  });
  afterAll(() => stage?.stop());
  beforeEach(() => stage.reset());

  const send = (asking: Asking): Promise<Answer> => ask(stage.hub.url, asking);
  const counts = (): number[] => [a, b, c].map(({ requests }) => requests.length);

  it(`${CALLS} calls at 90 and 10 land within 1 %`, async () => {
    const statuses = await inParallel(Array.from({ length: CALLS }), AT_ONCE, async () => (await send({ model: 'ninety' })).status);
    expect(new Set(statuses)).toEqual(new Set([200]));
    const [ofA, ofB] = counts();
    expect(ofA! + ofB!).toBe(CALLS);
    expect(Math.abs(ofA! / CALLS - 0.9)).toBeLessThanOrEqual(0.01);
  });

  const ways: readonly (readonly [name: string, model: string, of: (session: string) => Partial<Asking>])[] = [
    ['x-session-id', 'halves', (session) => ({ headers: { 'x-session-id': session } })],
    ['x-hubgate-session', 'halves', (session) => ({ headers: { 'x-hubgate-session': session } })],
    ['prompt_cache_key', 'halves', (session) => ({ more: { prompt_cache_key: session } })],
    ['prompt_cache_key of responses', 'halves', (session) => ({ door: 'responses', more: { prompt_cache_key: session } })],
    ['metadata.user_id', 'claude-halves', (session) => ({ door: 'messages', more: { metadata: { user_id: session } } })],
  ];
  it.each(ways)('a session by %s keeps its target', async (name, model, of) => {
    const sessions = Array.from({ length: SESSIONS }, (_, i) => `${name}-${i}`);
    await askInSessions(sessions, (session) => ({ model, text: session, ...of(session) }));
    const arms = [armsOf(sessions, 0, model), armsOf(sessions, 1, model)];
    // Each has all of its calls at one of the two, and each of the two has some.
    for (const arm of arms) expect(arm.filter((count) => count > 0 && count < CALLS_OF_ONE)).toEqual([]);
    expect(arms[0]!.map((count, i) => count + arms[1]![i]!)).toEqual(sessions.map(() => CALLS_OF_ONE));
    for (const arm of arms) expect(arm.filter((count) => count > 0).length).toBeGreaterThan(SESSIONS / 5);
  });

  it('a session has no target of its own where the route says so', async () => {
    await askInSessions(['one'], () => ({ model: 'loose', text: 'one', headers: { 'x-session-id': 'one' } }), 20);
    expect(counts()).toEqual([10, 10, 0]);
  });

  it('a session is answered by the other target while its own fails, and comes back', async () => {
    const of = { model: 'halves', headers: { 'x-session-id': 'it stays' } };
    await send(of);
    const [own, other] = a.requests.length === 1 ? [a, b] : [b, a];
    own.setFault('503,times=2');
    const answers = [await send(of), await send(of)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(other.requests).toHaveLength(2);
    own.reset();
    expect((await send(of)).status).toBe(200);
    expect(own.requests).toHaveLength(1);
  });

  it('a target with weight 0 gets no call', async () => {
    await inParallel(Array.from({ length: 200 }), AT_ONCE, () => send({ model: 'no-weight' }));
    await askInSessions(['x', 'y', 'z'], (session) => ({ model: 'no-weight', headers: { 'x-session-id': session } }));
    expect(counts()).toEqual([200 + 3 * CALLS_OF_ONE, 0, 0]);
  });

  it('a target that is added under load fails no call and gets its share, and one that is taken away fails none either', async () => {
    const failed: number[] = [];
    let sent = 0;
    const over = new AbortController();
    const load = inParallel(Array.from({ length: 16 }), 16, async () => {
      while (!over.signal.aborted) {
        const { status } = await send({ model: 'growing', stream: sent++ % 4 === 0 });
        if (status !== 200) failed.push(status);
      }
    });
    try {
      await expect.poll(() => sent, PATIENCE).toBeGreaterThan(100);
      expect(c.requests).toHaveLength(0);
      await stage.hub.write('hubgate.yaml', JSON.stringify(config(providers, ['a', 'b', 'c'])));
      await expect.poll(() => c.requests.length, PATIENCE).toBeGreaterThan(0);
      stage.reset();
      await expect.poll(() => counts().reduce((sum, count) => sum + count), PATIENCE).toBeGreaterThan(900);
      const shares = counts();
      const all = shares.reduce((sum, count) => sum + count);
      for (const share of shares) expect(Math.abs(share / all - 1 / 3)).toBeLessThan(0.03);

      await stage.hub.write('hubgate.yaml', JSON.stringify(config(providers, ['a', 'c'])));
      await expect.poll(() => stage.target('growing', 'b').catch(() => 'gone'), PATIENCE).toBe('gone');
      // What was on its way is answered by now.
      const before = sent;
      await expect.poll(() => sent, PATIENCE).toBeGreaterThan(before + 32);
      stage.reset();
      await expect.poll(() => a.requests.length + c.requests.length, PATIENCE).toBeGreaterThan(200);
      expect(b.requests).toHaveLength(0);
    } finally {
      over.abort();
      await load;
    }
    expect(failed).toEqual([]);
  });

  it('a session goes to a target that was added, or stays where it was', async () => {
    await stage.hub.write('hubgate.yaml', JSON.stringify(config(providers, ['a', 'b'])));
    await stage.becomes('growing', 'b', { weight: 1 });
    const sessions = Array.from({ length: SESSIONS }, (_, i) => `moving-${i}`);
    const asking = (session: string): Asking => ({ model: 'growing', text: session, headers: { 'x-session-id': session } });
    await askInSessions(sessions, asking, 1);
    const before = [armsOf(sessions, 0, 'growing'), armsOf(sessions, 1, 'growing')];
    stage.reset();
    await stage.hub.write('hubgate.yaml', JSON.stringify(config(providers, ['a', 'b', 'c'])));
    await stage.becomes('growing', 'c', { weight: 1 });
    await askInSessions(sessions, asking, 1);
    const after = [0, 1, 2].map((arm) => armsOf(sessions, arm, 'growing'));
    const moved = after[2]!.filter((count) => count > 0).length;
    expect(moved).toBeGreaterThan(SESSIONS / 8);
    expect(moved).toBeLessThan(SESSIONS / 2);
    for (const i of sessions.keys()) if (after[2]![i] === 0) expect([after[0]![i], after[1]![i]]).toEqual([before[0]![i], before[1]![i]]);
  });

  async function askInSessions(sessions: readonly string[], of: (session: string) => Asking, each = CALLS_OF_ONE): Promise<void> {
    const calls = Array.from({ length: each }, () => sessions).flat();
    const statuses = await inParallel(calls, 20, async (session) => (await send(of(session))).status);
    expect(new Set(statuses)).toEqual(new Set([200]));
  }

  /** How many calls of each session an arm got, by what they say. */
  function armsOf(sessions: readonly string[], arm: number, model: string): number[] {
    const { requests } = stage.arms[arm]![model.startsWith('claude') ? 'anthropic' : 'openai'];
    const said = requests.map(({ body }) => JSON.stringify(body.messages ?? body.input));
    return sessions.map((session) => said.filter((text) => text.includes(`"${session}"`)).length);
  }
});
