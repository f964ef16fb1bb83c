import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallLog, CallQuery, CallRecord } from '../../src/core/contracts/call-log.ts';

/** One place that a log can be opened on. */
export interface CallLogPlace {
  open(): CallLog;
  remove(): Promise<void>;
}

const START = Date.UTC(2026, 10, 21);

/** A record of the models lane with everything in it, changed by `more`. */
export function sampleRecord(more: Partial<CallRecord> = {}): CallRecord {
  return {
    id: 'req-1',
    startedAt: START,
    lane: 'models',
    operation: 'chat',
    consumer: 'alice',
    route: 'support',
    asked: 'gpt-5-mini',
    target: 'openai/gpt-5-mini',
    provider: 'openai',
    modelServed: 'gpt-5-mini-2025-08-07',
    outcome: 'ok',
    status: 200,
    streamed: true,
    attempts: 2,
    durationMs: 1234.5,
    firstByteMs: 321,
    usage: {
      inputTokens: 1000,
      outputTokens: 200,
      totalTokens: 1200,
      cacheReadTokens: 300,
      cacheWriteTokens: 20,
      cacheWriteLongTokens: 10,
      reasoningTokens: 50,
      inputAudioTokens: 4,
      outputAudioTokens: 3,
      estimated: true,
      cost: 0.001_23,
    },
    events: [{ type: 'retried', at: 12, detail: 'openai/gpt-5-mini' }],
    ...more,
  };
}

/** A record of the tools lane with nothing in it that may be absent. */
export function bareRecord(more: Partial<CallRecord> = {}): CallRecord {
  return {
    id: 'req-2',
    startedAt: START,
    lane: 'tools',
    operation: 'tools/list',
    consumer: 'bob',
    route: 'pets',
    asked: '',
    outcome: 'ok',
    status: 200,
    streamed: false,
    attempts: 0,
    durationMs: 0,
    events: [],
    ...more,
  };
}

/** What every log of calls has to pass. One that does not `survive` close() is not asked for what only the disk can answer. */
export function examineCallLog(name: string, { survives }: { survives: boolean }, makePlace: () => Promise<CallLogPlace>): void {
  describe(`log of calls: ${name}`, () => {
    let place: CallLogPlace;
    let log: CallLog;
    beforeEach(async () => {
      place = await makePlace();
      log = place.open();
    });
    afterEach(async () => {
      await log.close();
      await place.remove();
    });

    const ids = async (query: CallQuery = {}): Promise<string[]> => (await log.list(query)).items.map(({ id }) => id);

    it('is empty at first', async () => {
      expect(await log.list({})).toEqual({ items: [] });
      expect(await log.usage({})).toEqual([]);
      expect(log.lost).toBe(0);
    });

    it('gives back every field, what is absent as absent, at once and after it was opened again', async () => {
      const records = [
        sampleRecord({ startedAt: START + 3 }),
        sampleRecord({ startedAt: START + 2, usage: { inputTokens: 0, cost: null } }),
        sampleRecord({ startedAt: START + 1, usage: { outputTokens: 7, cost: 0 }, asked: `'; drop table call; --\u{1F600}` }),
        bareRecord(),
      ];
      for (const record of records) log.add(record);
      expect((await log.list({})).items).toEqual(records);
      if (!survives) return;
      await log.close();
      log = place.open();
      expect((await log.list({})).items).toEqual(records);
    });

    it('has what was added last before it was closed', async () => {
      if (!survives) return;
      for (let n = 0; n < 5000; n += 1) log.add(bareRecord({ id: `r${n}`, startedAt: START + n }));
      await log.close();
      log = place.open();
      expect((await log.usage({}))[0]?.requests).toBe(5000);
      expect(await ids({ limit: 1 })).toEqual(['r4999']);
    });

    it('lists the newest first, 50 by default, whatever the order they ended in', async () => {
      for (const n of [3, 1, 2]) log.add(bareRecord({ id: `r${n}`, startedAt: START + n }));
      expect(await ids()).toEqual(['r3', 'r2', 'r1']);
      for (let n = 4; n < 100; n += 1) log.add(bareRecord({ id: `r${n}`, startedAt: START + n }));
      expect(await ids()).toHaveLength(50);
    });

    it('pages through everything once, also where calls began together, and while new ones come', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(5), { maxLength: 30 }), fc.integer({ min: 1, max: 7 }), async (starts, limit) => {
          const consumer = `c${Math.random()}`;
          for (const [at, start] of starts.entries()) log.add(bareRecord({ consumer, id: `r${at}`, startedAt: START + start }));
          const seen: CallRecord[] = [];
          let cursor: string | undefined;
          do {
            const page = await log.list({ consumer, limit, ...(cursor === undefined ? {} : { cursor }) });
            seen.push(...page.items);
            expect(page.items.length).toBeLessThanOrEqual(limit);
            cursor = page.next;
            log.add(bareRecord({ consumer, id: 'late', startedAt: START + 1000 }));
          } while (cursor !== undefined);
          expect(seen.map(({ id }) => id).toSorted()).toEqual(starts.map((_, at) => `r${at}`).toSorted());
          expect(seen.map(({ startedAt }) => startedAt)).toEqual(starts.map((start) => START + start).toSorted((a, b) => b - a));
        }),
        { numRuns: 25 },
      );
    });

    it('refuses a cursor that is none', async () => {
      for (const cursor of ['', 'x', Buffer.from('1.2; drop').toString('base64url'), Buffer.from('1').toString('base64url')])
        await expect(log.list({ cursor }), cursor).rejects.toMatchObject({ code: 'bad_request' });
    });

    it('lists what fits all that is asked', async () => {
      log.add(sampleRecord({ id: 'a' }));
      log.add(sampleRecord({ id: 'b', startedAt: START + 1, outcome: 'upstream_failed', status: 502, consumer: 'bob' }));
      log.add(bareRecord({ id: 'c', startedAt: START + 2, outcome: 'failed', asked: 'find_pets' }));
      log.add(bareRecord({ id: 'd', startedAt: START + 3 }));
      for (const [query, expected] of [
        [{}, ['d', 'c', 'b', 'a']],
        [{ id: 'b' }, ['b']],
        [{ id: 'b%' }, []],
        [{ id: 'b', consumer: 'alice' }, []],
        [{ consumer: 'bob' }, ['d', 'c', 'b']],
        [{ consumer: 'bob', lane: 'models' }, ['b']],
        [{ lane: 'tools' }, ['d', 'c']],
        [{ lane: 'agents' }, []],
        [{ route: 'support' }, ['b', 'a']],
        [{ provider: 'openai' }, ['b', 'a']],
        [{ asked: 'find_pets' }, ['c']],
        [{ outcome: 'ok' }, ['d', 'a']],
        [{ outcome: 'failed' }, ['c']],
        [{ outcome: 'error' }, ['c', 'b']],
        [{ from: START + 1 }, ['d', 'c', 'b']],
        [{ from: START + 1, to: START + 3 }, ['c', 'b']],
        [{ to: START }, []],
        [{ limit: 1 }, ['d']],
        [{ limit: 5000 }, ['d', 'c', 'b', 'a']],
      ] satisfies [CallQuery, string[]][])
        expect(await ids(query), JSON.stringify(query)).toEqual(expected);
    });

    it('sums by consumer, lane and the model that answered, or what was asked for', async () => {
      log.add(sampleRecord());
      log.add(sampleRecord({ startedAt: START + 10, usage: { inputTokens: 10, outputTokens: 5, cost: null } }));
      log.add(sampleRecord({ consumer: 'bob', modelServed: 'other', usage: { totalTokens: 9, cost: 2 } }));
      log.add(bareRecord({ asked: 'find_pets' }));
      const { modelServed: _, ...unanswered } = sampleRecord({ outcome: 'upstream_failed' });
      const { usage: __, ...unused } = unanswered;
      log.add(unused);
      const zero = { inputTokens: 0, outputTokens: 0, totalTokens: 0, usd: 0 };
      const alice = { consumer: 'alice', lane: 'models', model: 'gpt-5-mini-2025-08-07' };
      expect(await log.usage({})).toEqual([
        { ...zero, consumer: 'alice', lane: 'models', model: 'gpt-5-mini', requests: 1 },
        { ...alice, requests: 2, inputTokens: 1010, outputTokens: 205, totalTokens: 1215, usd: 0.001_23 },
        { ...zero, consumer: 'bob', lane: 'models', model: 'other', requests: 1, totalTokens: 9, usd: 2 },
        { ...zero, consumer: 'bob', lane: 'tools', model: 'find_pets', requests: 1 },
      ]);
      expect(await log.usage({ consumer: 'alice', from: START + 10 })).toEqual([
        { ...alice, requests: 1, inputTokens: 10, outputTokens: 5, totalTokens: 15, usd: 0 },
      ]);
      expect(await log.usage({ to: START })).toEqual([]);
    });

    it('takes nothing more once it is closed, and says what came too late', async () => {
      await log.close();
      log.add(bareRecord());
      expect(log.lost).toBe(1);
      await expect(log.list({})).rejects.toMatchObject({ code: 'unavailable' });
      await expect(log.usage({})).rejects.toMatchObject({ code: 'unavailable' });
      await log.close();
    });
  });
}
