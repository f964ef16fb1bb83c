import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Meter, State, Taken, Ticket, Use } from '../../src/core/contracts/state.ts';

/** One place that states can be opened on, one after the other. `now` is the clock that the state is to use. */
export interface StatePlace {
  open(options: { now: () => number }): Promise<State>;
  remove(): Promise<void>;
}

const MINUTE = 60_000;
/** What a sliding window may count longer than it must, as a part of its length. */
const SLACK = 1 / 50;
/** Keys that break careless code: patterns, separators, prototypes, empty, long, no ASCII. */
const HOSTILE = ['', '*', '?', '{a}', 'a:b', 'a b', '__proto__', 'constructor', 'é\u{1F600}', '\r\n', '\0', 'a'.repeat(10_000)];

const sliding = (key: string, limit: number, windowMs = MINUTE): Meter => ({ kind: 'sliding', key, limit, windowMs });
const held = (key: string, limit: number): Meter => ({ kind: 'held', key, limit });
const use = (meter: Meter, amount = 1): Use => ({ meter, amount });

/** What every state has to pass. */
export function examineState(name: string, makePlace: () => Promise<StatePlace>): void {
  describe(`state: ${name}`, () => {
    let place: StatePlace;
    let state: State;
    let time: number;
    const now = (): number => time;
    const period = (key: string, limit: number, leftMs = 86_400_000): Meter => ({ kind: 'period', key, limit, until: time + leftMs });
    const refusal = async (...uses: Use[]): Promise<Extract<Taken, { refused: object }>['refused']> => {
      const taken = await state.take(uses);
      return 'refused' in taken ? taken.refused : expect.unreachable('it was taken');
    };
    const ticketOf = async (...uses: Use[]): Promise<Ticket> => {
      const taken = await state.take(uses);
      return 'ticket' in taken ? taken.ticket : expect.unreachable(`it was refused: ${JSON.stringify(taken.refused)}`);
    };
    const valueOf = async (meter: Meter): Promise<number> => (await state.read([meter]))[0]!;

    beforeEach(async () => {
      time = Date.UTC(2026, 10, 21);
      place = await makePlace();
      state = await place.open({ now });
    });
    afterEach(async () => {
      await state.close();
      await place.remove();
    });

    describe('reservations', () => {
      it('fill a window to its limit and say how full it is and when it is free', async () => {
        const meter = sliding('a', 5);
        await ticketOf(use(meter, 2));
        time += 10_000;
        await ticketOf(use(meter, 3));
        time += 10_000;
        expect(await valueOf(meter)).toBe(5);
        const { index, value, retryAfterMs } = await refusal(use(meter, 2));
        expect({ index, value }).toEqual({ index: 0, value: 5 });
        expect(retryAfterMs).toBeGreaterThanOrEqual(40_000);
        expect(retryAfterMs).toBeLessThanOrEqual(40_000 + MINUTE * SLACK);
        time += retryAfterMs!;
        await ticketOf(use(meter, 2));
        expect(await valueOf(meter)).toBe(5);
      });

      it('fill a period and say when it ends', async () => {
        const meter = period('a', 50);
        await ticketOf(use(meter, 50));
        time += 1000;
        expect(await refusal(use(meter))).toEqual({ index: 0, value: 50, reserved: 50, retryAfterMs: 86_399_000 });
      });

      it('name no time for what never fits, and for what others hold', async () => {
        expect(await refusal(use(sliding('a', 5), 6))).toEqual({ index: 0, value: 0, reserved: 0 });
        expect(await refusal(use(period('a', 5), 6))).toEqual({ index: 0, value: 0, reserved: 0 });
        expect(await refusal(use(held('a', 5), 6))).toEqual({ index: 0, value: 0, reserved: 0 });
        await ticketOf(use(held('a', 5), 5));
        expect(await refusal(use(held('a', 5)))).toEqual({ index: 0, value: 5, reserved: 5 });
      });

      it('take from all meters or from none', async () => {
        const meters = [sliding('a', 5), period('b', 5), held('c', 5), sliding('d', 1)];
        await ticketOf(use(meters[3]!));
        expect(await refusal(...meters.map((meter) => use(meter)))).toMatchObject({ index: 3, value: 1 });
        expect(await state.read(meters)).toEqual([0, 0, 0, 1]);
        await ticketOf(...meters.slice(0, 3).map((meter) => use(meter, 5)));
        expect(await state.read(meters)).toEqual([5, 5, 5, 1]);
      });

      it('add up the uses of one meter', async () => {
        for (const meter of [sliding('a', 5), period('b', 5), held('c', 5)]) {
          expect(await refusal(use(meter, 3), use({ ...meter }, 3))).toMatchObject({ index: 1, value: 0 });
          await ticketOf(use(meter, 3), use({ ...meter }, 2));
          expect(await valueOf(meter)).toBe(5);
        }
      });

      it('of 0 ask whether anything is left', async () => {
        for (const meter of [sliding('a', 2), period('b', 2), held('c', 2)]) {
          await ticketOf(use(meter, 0));
          await ticketOf(use(meter, 1));
          await ticketOf(use(meter, 0));
          expect(await valueOf(meter)).toBe(1);
          await ticketOf(use(meter, 1));
          expect(await refusal(use(meter, 0))).toMatchObject({ index: 0, value: 2 });
        }
        time += 1000;
        expect((await refusal(use(sliding('a', 2), 0))).retryAfterMs).toBeGreaterThanOrEqual(MINUTE - 1000);
        expect(await refusal(use(sliding('shut', 0), 0))).toEqual({ index: 0, value: 0, reserved: 0 });
      });

      it('of nothing at all are made', async () => {
        const ticket = await ticketOf();
        state.settle(ticket, []);
        expect(ticket.uses).toEqual([]);
      });

      it('refuse amounts that are none, and count nothing then', async () => {
        for (const amount of [-1, Number.NaN, Infinity, -Infinity]) {
          await expect((async () => state.take([use(sliding('a', 5)), use(sliding('b', 5), amount)]))()).rejects.toThrow(RangeError);
        }
        expect(await state.read([sliding('a', 5), sliding('b', 5)])).toEqual([0, 0]);
      });

      it('made at once pass exactly as many as fit', async () => {
        for (const meters of [[sliding('a', 50)], [period('b', 50)], [held('c', 50)], [sliding('d', 70), period('e', 50), held('f', 60)]]) {
          const tries = await Promise.all(Array.from({ length: 200 }, async () => state.take(meters.map((meter) => use(meter)))));
          expect(tries.filter((taken) => 'ticket' in taken)).toHaveLength(50);
          expect(await state.read(meters)).toEqual(meters.map(() => 50));
        }
      });

      it('count under the key, the kind and the window', async () => {
        const meters = HOSTILE.flatMap((key) => [
          sliding(key, 1e9),
          sliding(key, 1e9, 2 * MINUTE),
          period(key, 1e9),
          held(key, 1e9),
          sliding(`${key} `, 1e9),
        ]);
        for (const [index, meter] of meters.entries()) await ticketOf(use(meter, index + 1));
        expect(await state.read(meters)).toEqual(meters.map((_, index) => index + 1));
        expect(await refusal(use({ ...meters[0]!, limit: 1 }))).toMatchObject({ value: 1 });
      });

      it('keep sums of billionths exact', async () => {
        const budget = period('usd', 50_000_000_000);
        for (let n = 0; n < 1000; n++) state.settle(await ticketOf(use(budget, 7_000_001)), [3_000_001]);
        expect(await valueOf(budget)).toBe(3_000_001_000);
      });
    });

    describe('settling', () => {
      it('gives back what was not used and counts what was used beyond', async () => {
        const meters = [sliding('a', 10), period('b', 10), sliding('c', 10)];
        const ticket = await ticketOf(use(meters[0]!, 8), use(meters[1]!, 8), use(meters[2]!, 8));
        state.settle(ticket, [3, 12, 0]);
        expect(await state.read(meters)).toEqual([3, 12, 0]);
        expect(await refusal(use(meters[1]!, 0))).toMatchObject({ value: 12 });
      });

      it('tells what is used from what is only reserved', async () => {
        for (const meter of [sliding('a', 10), period('b', 10)]) {
          const tickets = [await ticketOf(use(meter, 4)), await ticketOf(use(meter, 4)), await ticketOf(use(meter, 2))];
          expect(await refusal(use(meter))).toMatchObject({ value: 10, reserved: 10 });
          state.settle(tickets[0]!, [4]);
          expect(await refusal(use(meter))).toMatchObject({ value: 10, reserved: 6 });
          state.settle(tickets[1]!, [1]);
          expect(await refusal(use(meter, 4))).toMatchObject({ value: 7, reserved: 2 });
          state.settle(tickets[2]!, []);
          state.settle(tickets[2]!, []);
          expect(await refusal(use(meter, 4))).toMatchObject({ value: 7, reserved: 0 });
        }
      });

      it('of what has left its window leaves no reservation behind', async () => {
        const meter = sliding('a', 10);
        const ticket = await ticketOf(use(meter, 10));
        time += 2 * MINUTE;
        await ticketOf(use(meter, 3));
        expect(await refusal(use(meter, 8))).toMatchObject({ value: 3, reserved: 3 });
        state.settle(ticket, [14]);
        expect(await refusal(use(meter, 8))).toMatchObject({ value: 7, reserved: 3 });
      });

      it('happens once', async () => {
        const meters = [sliding('a', 10), period('b', 10), held('c', 10)];
        const ticket = await ticketOf(...meters.map((meter) => use(meter, 4)));
        state.settle(ticket, [1, 1, 1]);
        state.settle(ticket, [9, 9, 9]);
        expect(await state.read(meters)).toEqual([1, 1, 0]);
      });

      it('leaves what was reserved where it is told no amount', async () => {
        const meters = [sliding('a', 10), period('b', 10), sliding('c', 10), period('d', 10)];
        const ticket = await ticketOf(...meters.map((meter) => use(meter, 4)));
        state.settle(ticket, [Number.NaN, -3, Infinity]);
        expect(await state.read(meters)).toEqual([4, 4, 4, 4]);
      });

      it('gives back what was held, however late, and only then', async () => {
        const meter = held('a', 2);
        const [first, second] = [await ticketOf(use(meter)), await ticketOf(use(meter))];
        time += 86_400_000;
        expect(await refusal(use(meter))).toEqual({ index: 0, value: 2, reserved: 2 });
        state.settle(first, [1]);
        await ticketOf(use(meter));
        state.settle(second, []);
        expect(await valueOf(meter)).toBe(1);
      });

      it('counts in the window in which it was reserved', async () => {
        const meter = sliding('a', 100);
        const ticket = await ticketOf(use(meter, 10));
        time += 50_000;
        state.settle(ticket, [30]);
        expect(await valueOf(meter)).toBe(30);
        time += 10_000 + MINUTE * SLACK;
        expect(await valueOf(meter)).toBe(0);
      });

      it('of a reservation that has left its window counts what was used beyond now', async () => {
        const meter = sliding('a', 100);
        const [more, less] = [await ticketOf(use(meter, 10)), await ticketOf(use(meter, 10))];
        time += 2 * MINUTE;
        state.settle(more, [30]);
        state.settle(less, [5]);
        expect(await valueOf(meter)).toBe(20);
        time += 50_000;
        expect(await valueOf(meter)).toBe(20);
        time += 10_000 + MINUTE * SLACK;
        expect(await valueOf(meter)).toBe(0);
      });

      it('counts now where nothing was reserved', async () => {
        const meter = sliding('a', 100);
        const ticket = await ticketOf(use(meter, 0));
        time += 30_000;
        state.settle(ticket, [40]);
        time += 50_000;
        expect(await valueOf(meter)).toBe(40);
      });
    });

    it('holds every window to its limit, and lets in what fits', async () => {
      let run = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), async (steps) => {
          const meters = LIMITS.map(({ limit, windowMs }, index) => sliding(`${run} ${index}`, limit, windowMs));
          run++;
          const model = new EveryEvent(meters);
          for (const one of steps) {
            time += one.waitMs;
            if ('settle' in one) {
              const ticket = model.open[one.settle % Math.max(1, model.open.length)];
              if (ticket === undefined) continue;
              const amounts = ticket.uses.map(({ amount }, index) => (one.parts[index]! * amount) / 4);
              state.settle(ticket, amounts);
              model.settle(ticket, amounts, time);
            } else {
              const uses = one.take.map(({ meter, amount }) => use(meters[meter]!, amount));
              const before = await state.read(meters);
              let taken = await state.take(uses);
              if ('refused' in taken) {
                model.mustRefuse(uses, taken.refused, time);
                expect(await state.read(meters)).toEqual(before);
                const { index, retryAfterMs } = taken.refused;
                // The time that it names is one at which it fits, beside the uses before it.
                if (retryAfterMs !== undefined && one.again) {
                  time += retryAfterMs;
                  taken = await state.take(uses);
                  if ('refused' in taken) expect(taken.refused.index).not.toBe(index);
                }
              }
              if ('ticket' in taken) model.take(taken.ticket, uses, time);
            }
            model.mustRead(await state.read(meters), time);
          }
        }),
        { numRuns: 150 },
      );
    });

    describe('periods', () => {
      it('go on after a restart with what was settled, and without what was only reserved', async () => {
        const meter = period('spend', 100);
        state.settle(await ticketOf(use(meter, 50)), [30]);
        await ticketOf(use(meter, 5));
        state.settle(await ticketOf(use(meter, 0)), [5]);
        expect(await valueOf(meter)).toBe(40);
        await state.close();
        state = await place.open({ now });
        expect(await valueOf(meter)).toBe(35);
        expect(await refusal(use(meter, 66))).toMatchObject({ value: 35, reserved: 0 });
        state.settle(await ticketOf(use(meter, 65)), []);
        await state.close();
        state = await place.open({ now });
        expect(await valueOf(meter)).toBe(100);
      });

      it('touched at once after a restart are counted once', async () => {
        const meter = period('spend', 100);
        state.settle(await ticketOf(use(meter, 60)), []);
        await state.close();
        state = await place.open({ now });
        const tries = await Promise.all([
          ...Array.from({ length: 50 }, async () => state.take([use(meter), use(sliding('a', 1000))])),
          ...Array.from({ length: 50 }, async () => state.take([use(meter)])),
          state.read([meter]),
        ]);
        expect(tries.filter((taken) => 'ticket' in taken)).toHaveLength(40);
        expect(await valueOf(meter)).toBe(100);
      });

      it('are settled long after the reservation', async () => {
        const meter = period('spend', 100);
        const ticket = await ticketOf(use(meter, 60));
        time += 3_600_000;
        state.settle(ticket, [20]);
        expect(await valueOf(meter)).toBe(20);
      });
    });

    describe('entries', () => {
      it('are kept for their time', async () => {
        state.set('a', 'one', 1000);
        state.set('b', '', 2000);
        expect([await state.get('a'), await state.get('b'), await state.get('c')]).toEqual(['one', '', undefined]);
        time += 999;
        expect(await state.get('a')).toBe('one');
        time += 1;
        expect([await state.get('a'), await state.get('b')]).toEqual([undefined, '']);
        state.set('b', 'two', 5000);
        time += 4999;
        expect(await state.get('b')).toBe('two');
        state.delete('b');
        state.delete('b');
        expect(await state.get('b')).toBeUndefined();
      });

      it('without a time are not kept', async () => {
        for (const ttlMs of [0, -1, Number.NaN]) {
          state.set('a', 'one', 1000);
          state.set('a', 'two', ttlMs);
          expect(await state.get('a')).toBeUndefined();
        }
      });

      it('are kept apart, from counters too', async () => {
        for (const key of HOSTILE) state.set(key, `v ${key}`, 1000);
        for (const key of HOSTILE) await ticketOf(use(sliding(key, 1)), use(period(key, 1)), use(held(key, 1)));
        for (const key of HOSTILE) expect(await state.get(key)).toBe(`v ${key}`);
        expect(await state.get('toString')).toBeUndefined();
      });

      it('hold any text', async () => {
        const text = `${'ü'.repeat(200_000)}\0"\u{1F600}`;
        state.set('a', text, 1000);
        expect((await state.get('a')) === text).toBe(true);
      });
    });

    it('does not hear its own news', async () => {
      const heard: string[] = [];
      const stop = state.subscribe('topic', (message) => void heard.push(message));
      state.publish('topic', 'news');
      await new Promise((resolve) => setImmediate(resolve));
      stop();
      stop();
      state.publish('topic', 'more');
      expect(heard).toEqual([]);
    });
  });
}

const LIMITS = [
  { limit: 5, windowMs: 1000 },
  { limit: 40, windowMs: MINUTE },
  { limit: 100, windowMs: MINUTE },
];

const waitMs = fc.oneof(fc.constant(0), fc.nat(20), fc.nat(1100), fc.nat(5000), fc.nat(70_000));
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      waitMs,
      again: fc.boolean(),
      take: fc.array(
        fc.record({
          meter: fc.nat(LIMITS.length - 1),
          amount: fc.oneof(
            fc.constantFrom(0, 1),
            fc.integer({ min: 0, max: 12 }).map((n) => n * 4),
          ),
        }),
        { minLength: 1, maxLength: 4 },
      ),
    }),
  },
  // Quarters of what was reserved, up to twice as much.
  { weight: 1, arbitrary: fc.record({ waitMs, settle: fc.nat(20), parts: fc.array(fc.nat(8), { minLength: 4, maxLength: 4 }) }) },
);

interface Event {
  readonly meter: Meter;
  readonly at: number;
  amount: number;
}

/** Keeps every event: what sliding windows must count, and what they may count at most. */
class EveryEvent {
  readonly open: Ticket[] = [];
  readonly #meters: readonly Meter[];
  readonly #must: Event[] = [];
  readonly #may: Event[] = [];
  readonly #events = new Map<Ticket, [must: Event, may: Event][]>();

  constructor(meters: readonly Meter[]) {
    this.#meters = meters;
  }

  take(ticket: Ticket, uses: readonly Use[], at: number): void {
    for (const [index, { meter, amount }] of uses.entries()) {
      const before = uses.slice(0, index).reduce((sum, other) => (other.meter === meter ? sum + other.amount : sum), 0);
      const value = this.#count(this.#must, meter, at, 1) + before;
      if (amount > 0) expect(value + amount, 'more was taken than the limit').toBeLessThanOrEqual(meter.limit);
      else expect(value, 'nothing was left').toBeLessThan(meter.limit);
    }
    this.open.push(ticket);
    this.#events.set(
      ticket,
      uses.map(({ meter, amount }) => [this.#add(this.#must, meter, amount, at), this.#add(this.#may, meter, amount, at)]),
    );
  }

  settle(ticket: Ticket, amounts: readonly number[], at: number): void {
    this.open.splice(this.open.indexOf(ticket), 1);
    for (const [index, [must, may]] of this.#events.get(ticket)!.entries()) {
      const { meter, amount } = must;
      const used = amounts[index]!;
      const windowMs = (meter as { windowMs: number }).windowMs;
      const age = at - must.at;
      if (used <= amount || (age < windowMs && amount > 0)) must.amount = may.amount = used;
      else {
        // Between the two, a window may have let it go or not.
        if (amount === 0 || age >= windowMs * (1 + SLACK)) this.#add(this.#must, meter, used - amount, at);
        this.#add(this.#may, meter, used - amount, at);
      }
    }
  }

  mustRefuse(
    uses: readonly Use[],
    { index, value, reserved, retryAfterMs }: { index: number; value: number; reserved: number; retryAfterMs?: number },
    at: number,
  ): void {
    const { meter, amount } = uses[index]!;
    const before = uses.slice(0, index).reduce((sum, other) => (other.meter === meter ? sum + other.amount : sum), 0);
    const most = this.#count(this.#may, meter, at, 1 + SLACK);
    expect(value).toBeGreaterThanOrEqual(this.#count(this.#must, meter, at, 1));
    expect(value).toBeLessThanOrEqual(most);
    expect(reserved).toBeGreaterThanOrEqual(this.#reserved(meter, at, 1));
    expect(reserved).toBeLessThanOrEqual(this.#reserved(meter, at, 1 + SLACK));
    if (amount > 0) expect(most + before + amount, 'it fitted').toBeGreaterThan(meter.limit);
    else expect(most + before, 'something was left').toBeGreaterThanOrEqual(meter.limit);
    const never = amount > 0 ? before + amount > meter.limit : before >= meter.limit;
    expect(retryAfterMs === undefined).toBe(never);
  }

  mustRead(values: readonly number[], at: number): void {
    for (const [index, meter] of this.#meters.entries()) {
      expect(values[index]).toBeGreaterThanOrEqual(this.#count(this.#must, meter, at, 1));
      expect(values[index]).toBeLessThanOrEqual(this.#count(this.#may, meter, at, 1 + SLACK));
    }
  }

  #add(events: Event[], meter: Meter, amount: number, at: number): Event {
    const event = { meter, at, amount };
    events.push(event);
    return event;
  }

  #reserved(meter: Meter, at: number, windows: number): number {
    const events = this.open.flatMap((ticket) => this.#events.get(ticket)!.map(([must]) => must));
    return this.#count(events, meter, at, windows);
  }

  #count(events: readonly Event[], meter: Meter, at: number, windows: number): number {
    const from = at - (meter as { windowMs: number }).windowMs * windows;
    return events.reduce((sum, event) => (event.meter === meter && event.at > from ? sum + event.amount : sum), 0);
  }
}
