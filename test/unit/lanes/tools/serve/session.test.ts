import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createSessionSeal } from '../../../../../src/access/session-seal.ts';
import type { LiveCall } from '../../../../../src/pipeline/live-call.ts';
import { Sessions } from '../../../../../src/lanes/tools/serve/session.ts';

const DAY = 24 * 60 * 60 * 1000;
const FACTS = { consumer: 'alice', door: 'd', protocolVersion: '2025-11-25', clientCapabilities: {}, clientInfo: undefined };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Sessions of 30 days, and the store of the ended ones. */
function open(stored: { digest: string; until: number }[] = [], now = (): number => Date.now()) {
  const ended = { add: async (digest: string, until: number) => void stored.push({ digest, until }), all: async () => stored };
  const key = randomBytes(32);
  const again = (): Sessions => new Sessions(createSessionSeal(key, { now }), ended);
  return { stored, sessions: again(), again };
}

it('the end of a session ends its streams, calls and questions', async () => {
  const { sessions } = open();
  const session = sessions.create(FACTS);
  const heard: string[] = [];
  session.streams.add({ end: () => heard.push('stream') });
  session.calls.set(1, { abort: () => heard.push('call') } as unknown as LiveCall<'tools'>);
  session.questions.set('hub-1', { answer: () => heard.push('answer'), leave: () => heard.push('question') });
  await sessions.end(session);
  expect(heard.sort()).toEqual(['call', 'question', 'stream']);
});

it('an ended session stays ended, after a restart too, as long as its id would be taken', async () => {
  const { sessions, again, stored } = open();
  const session = sessions.create(FACTS);
  const other = sessions.create({ ...FACTS, door: 'e' });
  await sessions.end(session);
  const restarted = again();
  expect(restarted.find(session.id, 'alice', 'd')?.id).toBe(session.id);
  const loaded = again();
  await loaded.load();
  for (const one of [sessions, loaded])
    expect([one.find(session.id, 'alice', 'd'), one.find(other.id, 'alice', 'e')?.id]).toEqual([undefined, other.id]);
  expect(stored.map(({ until }) => until - Date.now())).toEqual([30 * DAY]);
});

it('what ended too long ago is forgotten at the next end and at the start', async () => {
  // A seal without a clock: its ids are taken for ever, so that the memory of the ended ones shows.
  const { sessions, again } = open([], () => 0);
  const [first, second] = [sessions.create(FACTS), sessions.create({ ...FACTS, door: 'e' })];
  await sessions.end(first);
  vi.setSystemTime(Date.now() + 31 * DAY);
  expect(sessions.find(first.id, 'alice', 'd')).toBeUndefined();
  await sessions.end(second);
  const restarted = again();
  await restarted.load();
  for (const one of [sessions, restarted]) {
    expect([one.find(first.id, 'alice', 'd')?.id, one.find(second.id, 'alice', 'e')]).toEqual([first.id, undefined]);
  }
});

it('a session takes 1,000 subscriptions, and is idle with them when nobody listens or waits', () => {
  const session = open().sessions.create(FACTS);
  for (let n = 0; n < 1_000; n++) expect(session.subscribe(`u:${n}`)).toBe(true);
  expect([session.subscribe('u:1000'), session.subscribe('u:7'), session.subscriptions.size]).toEqual([false, true, 1_000]);
  expect(session.isIdle).toBe(true);
  const stream = { end: () => {} };
  session.streams.add(stream);
  expect(session.isIdle).toBe(false);
});
