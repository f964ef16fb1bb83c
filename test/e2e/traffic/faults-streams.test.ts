import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Mock, Mocks } from '../../support/mock-providers/server.mjs';
import { verdict } from '../models/doors.ts';
import { type Answer, ask } from './_ask.ts';
import { anthropic, callsAt, eventTypes, openai, PATIENCE, type Stage, startStage } from './_stage.ts';

const DOORS = ['chat', 'responses', 'messages'] as const;
type Door = (typeof DOORS)[number];
const VENDORS = ['openai', 'anthropic'] as const;
type Vendor = (typeof VENDORS)[number];

const STORIES = ['slow', 'cut', 'said', 'cut-preamble', 'said-preamble', 'refused', 'unanswered', 'cut-late', 'said-late', 'silent-late'];
const FIRST_TOKEN_MS = 250;
const IDLE_MS = 300;

/** What happens before a caller has read anything: the code of the failure, and how often the first target is asked. */
const EARLY = [
  ['slow', 'slow-first-token,ms=5000', 'upstream_timeout', 1],
  ['cut', 'cut-midstream,after=0', 'upstream_failed', 2],
  ['said', 'error-midstream,after=0', undefined, 2],
  ['cut-preamble', 'cut-midstream,after=1', undefined, 2],
  ['said-preamble', 'error-midstream,after=1', undefined, 2],
  ['refused', '503', 'upstream_overloaded', 2],
  ['unanswered', 'cut-headers', 'upstream_unreachable', 2],
] as const;

/** What happens when a part of the answer is there. */
const LATE = [
  ['cut-late', 'cut-midstream,after=7', 'upstream_failed'],
  ['said-late', 'error-midstream,after=7', undefined],
  ['silent-late', 'hang-midstream,after=7', 'upstream_timeout'],
] as const;

/** The first target of each route is of one vendor, its fallback is of another: what answers is not what was asked first. */
const config = ([one, two]: readonly Mocks[]): object => ({
  providers: {
    openai: openai(one!.openai, { timeouts: { idle: `${IDLE_MS}ms` } }),
    anthropic: anthropic(one!.anthropic, { timeouts: { idle: `${IDLE_MS}ms` } }),
    'other-openai': openai(two!.openai),
    'other-anthropic': anthropic(two!.anthropic),
  },
  models: VENDORS.flatMap((vendor) =>
    DOORS.flatMap((door) =>
      STORIES.map((story) => ({
        name: `${vendor}-${door}-${story}`,
        targets: [{ provider: vendor, model: `first-${door}-${story}` }],
        fallback: [{ provider: vendor === 'openai' ? 'other-anthropic' : 'other-openai', model: `second-${door}-${story}` }],
        retries: 1,
        timeouts: { firstToken: `${FIRST_TOKEN_MS}ms` },
      })),
    ),
  ),
});

describe('a stream whose target fails', () => {
  let stage: Stage;
  beforeAll(async () => (stage = await startStage({ only: ['openai', 'anthropic'], config })));
  afterAll(() => stage?.stop());
  beforeEach(() => stage.reset());

  const first = (vendor: Vendor): Mock => stage.arms[0]![vendor];
  const second = (vendor: Vendor): Mock => stage.arms[1]![vendor === 'openai' ? 'anthropic' : 'openai'];
  const send = (vendor: Vendor, door: Door, story: string): Promise<Answer> =>
    ask(stage.hub.url, { model: `${vendor}-${door}-${story}`, door, stream: true, text: 'one two three four five six' });
  const judged = (door: Door, { status, text, broken }: Answer): string => verdict(door, { status, text, broken });

  const cells = VENDORS.flatMap((vendor) => DOORS.map((door) => [vendor, door] as const));
  describe.each(cells)('of %s at the door %s', (vendor, door) => {
    it.each(EARLY)('%s: is answered by the fallback, as if nothing had been (%s)', async (story, fault, code, tries) => {
      first(vendor).setFault(fault);
      const answer = await send(vendor, door, story);
      expect(`${answer.status} ${judged(door, answer)}`, answer.text).toBe('200 whole');
      expect(answer.text).toContain('six');
      expect(answer.text.match(/four/g)?.length, 'nothing is there twice').toBe(
        door === 'responses' ? answer.text.match(/five/g)?.length : 1,
      );
      expect([callsAt(first(vendor)), callsAt(second(vendor))]).toEqual([tries, 1]);
      const record = await stage.record(answer.id);
      expect(record).toMatchObject({ outcome: 'ok', streamed: true, attempts: tries + 1, usage: { outputTokens: expect.any(Number) } });
      const detail = record.events.find(({ type }) => type === 'fallback')?.detail;
      expect(detail).toMatch(
        new RegExp(`^${vendor}/first-${door}-${story} → other-\\w+/second-${door}-${story} after ${code ?? 'upstream_'}`),
      );
      if (story === 'slow') {
        expect(answer.ms).toBeGreaterThanOrEqual(FIRST_TOKEN_MS - 10);
        expect(answer.ms).toBeLessThan(2_000);
        await expect.poll(() => first(vendor).requests[0]?.aborted, PATIENCE).toBe(true);
      }
    });

    it.each(LATE)('%s: ends in the error event of the format, and nobody else is asked (%s)', async (story, fault, code) => {
      first(vendor).setFault(fault);
      const answer = await send(vendor, door, story);
      expect(`${answer.status} ${judged(door, answer)}`, answer.text).toBe('200 error');
      expect(answer.broken).toBe(false);
      expect(answer.text).toMatch(/one/);
      expect(answer.text).not.toMatch(/six/);
      expect([callsAt(first(vendor)), callsAt(second(vendor))]).toEqual([1, 0]);
      const record = await stage.record(answer.id);
      expect(record).toMatchObject({ outcome: code ?? expect.stringMatching(/^upstream_/), attempts: 1, streamed: true });
      expect(record.usage?.outputTokens).toBeGreaterThan(0);
      expect(eventTypes(record)).not.toContain('fallback');
      expect(await stage.target(`${vendor}-${door}-${story}`, vendor)).toMatchObject({ inFlight: 0, errorRate: 1, samples: 1 });
    });
  });
});
