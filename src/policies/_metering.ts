import type { AnyCall, Outcome } from '../core/call.ts';
import type { Awaitable, Host } from '../core/contracts/extension.ts';
import type { PolicyHooks, Question, RuleValue } from '../core/contracts/policy.ts';
import type { NotTaken, State, Taken, Ticket, Use } from '../core/contracts/state.ts';
import { GatewayError } from '../core/errors.ts';
import { appliesTo, concerns, isUsedUp, used, type Cap } from './_caps.ts';
import type { Counter, CounterTable } from './_counters.ts';
import { Place, Waiting } from './_waiting.ts';
import { limitWords } from './_words.ts';

/** What did not fit. */
export interface Refused extends NotTaken {
  readonly counter: Counter;
}

/** What is a policy's own in a limit. */
export interface Metered {
  /** Of the policy. */
  readonly name: string;
  readonly tables: readonly CounterTable[];
  /** What to reserve; undefined when it is not known. May throw to refuse the call. */
  expected(counter: Counter, call: AnyCall): number | undefined;
  refusal(refused: Refused): GatewayError;
  /** What a counter stands at, in words. */
  standing(cap: Cap, value: number): string;
  /** Told when something may have been counted. */
  settled?(counters: readonly Counter[]): void;
}

/** What one call holds, from the moment it asks. */
interface Reservation {
  readonly counters: readonly Counter[];
  /** What it asks for. It may have been given less. */
  readonly uses: readonly Use[];
  /** Absent until the state has given it. */
  ticket?: Ticket;
  /** What to settle with, when the call ended before that. */
  amounts?: readonly number[];
}

/**
 * The hooks of a policy that limits: they reserve from all its counters in one step, and settle when the call has ended. What is only reserved by others
 * is waited for, and an estimate refuses nothing: a limit is full when it is used up.
 */
export class Metering implements Required<Pick<PolicyHooks, 'onCall' | 'onEnd' | 'explain'>> {
  readonly #state: State;
  readonly #now: () => number;
  readonly #metered: Metered;
  readonly #reservations = new WeakMap<AnyCall, Reservation>();
  readonly #waiting: Waiting;

  constructor({ state, now, place, shared }: Pick<Host, 'state' | 'now' | 'place' | 'shared'>, metered: Metered) {
    this.#state = state;
    this.#now = now;
    this.#metered = metered;
    // Over a reload, calls wait for those of the generation before.
    this.#waiting = shared(`waiting/${place}`, () => new Waiting());
  }

  /** Throws what `refusal` gives, and `client_closed` for a call that ended while it waited. */
  readonly onCall = (call: AnyCall): Awaitable<void> => {
    const reservation = this.#plan(call);
    if (reservation.uses.length === 0) return;
    this.#reservations.set(call, reservation);
    const notTaken = this.#take(reservation);
    if (notTaken instanceof Promise) return notTaken.then((answer) => this.#wait(call, reservation, answer));
    if (notTaken !== undefined) return this.#wait(call, reservation, notTaken);
  };

  /** Nothing happens for calls that reserved nothing. */
  readonly onEnd = (call: AnyCall, outcome: Outcome): void => {
    const reservation = this.#reservations.get(call);
    if (reservation === undefined) return;
    this.#reservations.delete(call);
    const { counters, uses, ticket } = reservation;
    const amounts: number[] = [];
    for (let index = 0; index < uses.length; index++) {
      const { cap, follows } = counters[index]!;
      // It stands right behind the one that it follows.
      amounts.push(follows ? amounts[index - 1]! : used(cap.unit, outcome, uses[index]!.amount));
    }
    if (ticket === undefined) reservation.amounts = amounts;
    else this.#settle(reservation, ticket, amounts);
  };

  readonly explain = (question: Question): Awaitable<readonly RuleValue[]> => {
    const { tables, standing } = this.#metered;
    const at = this.#now();
    const concerned = ({ unit }: Cap): boolean => appliesTo(unit, question.lane);
    const counters = tables
      .flatMap((table) => table.rows(question, at))
      .flatMap((row) => row.counters)
      .filter(({ cap, follows }) => !follows && concerned(cap));
    const unnamed = tables.flatMap(({ needsRequest, caps, by }) =>
      needsRequest && question.request === undefined
        ? caps.filter(concerned).map((cap) => ({ rule: this.#rule(cap, by), value: 'depends on the request' }))
        : [],
    );
    const tell = (values: readonly number[]): RuleValue[] => [
      ...counters.map(({ cap, subject }, index) => ({ rule: this.#rule(cap, subject.words), value: standing(cap, values[index] ?? 0) })),
      ...unnamed,
    ];
    const values = this.#state.read(counters.map(({ meter }) => meter));
    return values instanceof Promise ? values.then(tell) : tell(values);
  };

  #plan(call: AnyCall): Reservation {
    const { tables, expected } = this.#metered;
    const at = this.#now();
    const counters: Counter[] = [];
    const uses: Use[] = [];
    for (const table of tables) {
      for (const row of table.rows(call, at)) {
        for (const counter of row.counters) {
          if (!concerns(counter.cap.unit, call)) continue;
          // What weighs nothing is never in the way.
          const estimate = (counter.follows ? undefined : expected(counter, call)) ?? 0;
          // What is larger than the limit has room when nothing else does.
          const amount = Math.min(estimate, counter.cap.limit);
          counters.push(counter);
          uses.push(estimate === 0 ? counter.idle : amount === 1 ? counter.one : { meter: counter.meter, amount });
        }
      }
    }
    return { counters, uses };
  }

  /** Undefined when all of it was reserved. */
  #take(reservation: Reservation, uses = reservation.uses): Awaitable<NotTaken | undefined> {
    const taken = this.#state.take(uses);
    return taken instanceof Promise
      ? taken.then((answer) => this.#accept(reservation, uses, answer))
      : this.#accept(reservation, uses, taken);
  }

  #accept(reservation: Reservation, uses: readonly Use[], taken: Taken): Awaitable<NotTaken | undefined> {
    if ('refused' in taken) {
      const { index, value, reserved } = taken.refused;
      const { unit, limit } = reservation.counters[index]!.cap;
      if (!isUsedUp(unit) || reserved > 0 || value >= limit) return taken.refused;
      // Nobody else is under way: it passes with what is left.
      return this.#take(reservation, uses.with(index, { meter: uses[index]!.meter, amount: limit - value }));
    }
    if (reservation.amounts === undefined) reservation.ticket = taken.ticket;
    else this.#settle(reservation, taken.ticket, reservation.amounts);
    return undefined;
  }

  /** Returns at once where there is nothing to wait for. */
  #wait(call: AnyCall, reservation: Reservation, notTaken: NotTaken | undefined): Awaitable<void> {
    if (notTaken === undefined) return;
    return isReserved(reservation, notTaken) ? this.#asked(call, reservation, notTaken) : this.#refuse(call, reservation, notTaken);
  }

  async #asked(call: AnyCall, reservation: Reservation, first: NotTaken): Promise<void> {
    const place = new Place(this.#waiting, call.signal);
    const since = performance.now();
    let notTaken = first;
    try {
      do {
        const { meter, amount } = reservation.uses[notTaken.index]!;
        await place.turn(meter.key, amount, meter.limit - notTaken.value);
        if (call.signal.aborted || reservation.amounts !== undefined) throw new GatewayError('client_closed');
        const answer = await this.#take(reservation);
        if (answer === undefined) return this.#note(call, reservation, notTaken, `, waited ${Math.ceil(performance.now() - since)} ms`);
        notTaken = answer;
      } while (isReserved(reservation, notTaken) && !place.isOver);
    } finally {
      place.end();
    }
    this.#refuse(call, reservation, notTaken);
  }

  #refuse(call: AnyCall, reservation: Reservation, notTaken: NotTaken): never {
    this.#reservations.delete(call);
    this.#note(call, reservation, notTaken);
    // A process may have died between counting and telling.
    this.#metered.settled?.(reservation.counters);
    throw this.#metered.refusal({ ...notTaken, counter: reservation.counters[notTaken.index]! });
  }

  /** Records hold no headers and no addresses: what is counted by, and no values. */
  #note(call: AnyCall, { counters }: Reservation, { index }: NotTaken, more = ''): void {
    const { cap, subject } = counters[index]!;
    call.note('throttled', this.#rule(cap, subject.by) + more);
  }

  #settle({ counters, uses }: Reservation, ticket: Ticket, amounts: readonly number[]): void {
    this.#state.settle(ticket, amounts);
    for (let index = 0; index < uses.length; index++) if (isUsedUp(counters[index]!.cap.unit)) this.#waiting.next(uses[index]!.meter.key);
    this.#metered.settled?.(counters);
  }

  #rule({ unit, limit, per }: Cap, whose: string): string {
    return `${this.#metered.name}: ${limitWords(unit, limit, per)}${whose}`;
  }
}

/** It is not used up: others have reserved what is missing, and may not use it. */
function isReserved({ counters }: Reservation, { index, value, reserved }: NotTaken): boolean {
  const { unit, limit } = counters[index]!.cap;
  return isUsedUp(unit) && reserved > 0 && value - reserved < limit;
}
