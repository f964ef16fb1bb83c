import type { Chunk, Handled, Lane, Target } from '../core/call.ts';
import type { BalancedTarget, Balancer } from '../core/contracts/balancer.ts';
import type { Awaitable } from '../core/contracts/extension.ts';
import { GatewayError, type ErrorCode } from '../core/errors.ts';
import type { Gauge, GaugeRun } from '../upstreams/health/gauge.ts';
import type { KeyRing } from '../upstreams/health/key-ring.ts';
import type { RetryBudget } from '../upstreams/health/retry-budget.ts';
import { AttemptClock, pause } from './attempts/attempt-clock.ts';
import { begun } from './attempts/begun-stream.ts';
import { failureKind, type FailureKind } from './attempts/failures.ts';
import type { LiveCall } from './live-call.ts';
import { stickyIndex } from './attempts/sticky.ts';

/** A target as a call may try it. */
export interface Choice extends BalancedTarget {
  /** What is seen of it, by all routes that have it. */
  readonly gauge: Gauge;
  /** Absent for what is called without a key of the hub's. */
  readonly keys?: KeyRing;
}

/** Choices of equal rank: the balancer chooses among those that can be tried. */
export interface Pool<C extends Choice = Choice> {
  readonly choices: readonly C[];
  readonly balancer: Balancer;
  /** What it goes by changes from call to call, so that the record says what it was. */
  readonly measures?: boolean;
}

/** Where the calls of a route may go. */
export interface Plan<C extends Choice = Choice> {
  /** The next is asked when none of one can answer. */
  readonly pools: readonly Pool<C>[];
  /** Further tries at the last target of a pool, for failures that pass. */
  readonly retries: number;
  /** Bounds what calls may add to the load of an upstream that fails. */
  readonly budget: RetryBudget;
  /** Milliseconds for all attempts of a call, its stream included. */
  readonly totalMs?: number;
  /** Answers of a target that are the caller's fault, and after which another is tried all the same. */
  readonly fallbackOn?: ReadonlySet<ErrorCode>;
}

/** How one call goes its way through a plan. */
export interface Way<L extends Lane> {
  /** Calls of one session go to one target as long as it can be tried. */
  readonly session?: string | undefined;
  /** Milliseconds to the first chunk of a stream, for each attempt. */
  readonly firstChunkMs?: number | undefined;
  /** In place of the plan's. */
  readonly retries?: number;
  /** What an upstream may have carried out is not tried a second time, there or elsewhere. */
  readonly once?: boolean;
  /** Waits for the first chunk of a stream before the call is bound to its target. */
  readonly peeks: boolean;
  /** False for chunks before anything was generated; without it the first is the first. */
  readonly begins?: (chunk: Chunk<L>) => boolean;
}

/** Tries one choice; `key` is the index of the key in its ring. Throws GatewayError. */
export type Attempting<L extends Lane, C extends Choice> = (choice: C, key: number) => Awaitable<Handled<L>>;

/** Milliseconds of the first pause before the same target is tried again; doubled each time, with jitter. */
const BACKOFF_MS = 100;
/** What an upstream may ask us to wait while the caller waits too. */
const LONGEST_PAUSE_MS = 2_000;

/**
 * Carries out a call at one of the targets of its route: the one place for balancing, retries, fallback, breaking and timeouts. A failure leads to
 * another key, to a target beside it, to the same again, and to the next pool, in this order; streams change target until their first chunk is
 * there. What the caller did wrong is thrown at once. Throws GatewayError: the last failure, or `unavailable` when no target can be tried.
 */
export function forward<L extends Lane, C extends Choice>(
  call: LiveCall<L>,
  plan: Plan<C>,
  way: Way<L>,
  attempting: Attempting<L, C>,
): Promise<Handled<L>> {
  return new Forwarding(call, plan, way, attempting).carryOut();
}

class Forwarding<L extends Lane, C extends Choice> {
  readonly #call: LiveCall<L>;
  readonly #plan: Plan<C>;
  readonly #way: Way<L>;
  readonly #attempting: Attempting<L, C>;
  readonly #clock: AttemptClock<L> | undefined;
  /** Those that are not asked again, but by a retry. */
  readonly #over: C[] = [];
  /** Of all attempts. */
  readonly #upstreams = new Set<string>();
  #pool = 0;
  #retries: number;
  /** Of the target that is tried, in this call. */
  #keysTried: Set<number> | undefined;

  constructor(call: LiveCall<L>, plan: Plan<C>, way: Way<L>, attempting: Attempting<L, C>) {
    this.#call = call;
    this.#plan = plan;
    this.#way = way;
    this.#attempting = attempting;
    this.#retries = way.retries ?? plan.retries;
    if (way.firstChunkMs !== undefined || plan.totalMs !== undefined) this.#clock = new AttemptClock(call, way.firstChunkMs, plan.totalMs);
  }

  async carryOut(): Promise<Handled<L>> {
    const now = Date.now();
    this.#plan.budget.first();
    let choice = this.#pick(now);
    let key = choice === undefined ? undefined : this.#claim(choice, now);
    if (choice === undefined || key === undefined) throw this.#nothingToTry(now);
    for (;;) {
      const run = this.#begin(choice);
      let failure: GatewayError;
      try {
        const attempt = this.#attempting(choice, key);
        const handled = attempt instanceof Promise ? await attempt : attempt;
        if ('stream' in handled) return await this.#bind(choice, key, run, handled.stream);
        this.#answered(choice, key, run);
        return handled;
      } catch (error) {
        failure = GatewayError.from(error);
        // Who has a price for each try has not earned it.
        if (failure.unsent) this.#call.usage = undefined;
      }
      this.#clock?.stop();
      const kind = kindOf(failure);
      run.ended(Date.now(), outcomeOf(kind));
      if (this.#call.cancellation.aborted || this.#clock?.isOver === true) throw failure;
      if (kind === undefined && this.#plan.fallbackOn?.has(failure.code) !== true) throw failure;
      if (this.#way.once === true && mayBeDone(failure, kind)) throw failure;
      const another = this.#learn(choice, key, failure, kind);
      if (another !== undefined) {
        this.#call.note('retried', `${choice.target.name} with another key after ${failure.code}`);
        key = another;
        continue;
      }
      this.#keysTried = undefined;
      const next = await this.#afterFailure(choice, failure, kind);
      if (next === undefined) throw failure;
      // From the choice on nothing waits: other calls may have taken the one place of a target that is probed, or its last key.
      [choice, key] = this.#settleOn(next) ?? this.#giveUp(failure);
    }
  }

  #settleOn(next: C): [C, number] | undefined {
    const now = Date.now();
    for (let choice: C | undefined = next; choice !== undefined; choice = this.#pick(now)) {
      const key = choice.gauge.available(now) ? this.#claim(choice, now) : undefined;
      if (key !== undefined) return [choice, key];
      this.#over.push(choice);
    }
    return undefined;
  }

  #giveUp(failure: GatewayError): never {
    throw failure;
  }

  /** The key to use; undefined when there is none now. */
  #claim({ keys }: C, now: number): number | undefined {
    if (keys === undefined) return 0;
    return keys.pick(now) ?? (keys.size === 1 && !this.#hasOthers ? 0 : undefined);
  }

  #begin(choice: C): GaugeRun {
    const call = this.#call;
    call.attempts += 1;
    call.target = choice.target;
    this.#upstreams.add(choice.target.upstream);
    if (call.attempts > 1) {
      call.usage = undefined;
      call.streamed = false;
      call.modelServed = undefined;
      call.firstByteAt = undefined;
    }
    this.#clock?.start();
    return choice.gauge.begin(Date.now());
  }

  #answered(choice: C, key: number, run: GaugeRun): void {
    this.#clock?.stop();
    const { answeredHere } = this.#call;
    run.ended(Date.now(), answeredHere ? 'neutral' : 'ok');
    if (!answeredHere) choice.keys?.ok(key);
  }

  /** The target answers: the first chunk of its stream is there. */
  async #bind(choice: C, key: number, run: GaugeRun, chunks: AsyncIterable<Chunk<L>>): Promise<Handled<L>> {
    this.#call.streamed = true;
    const stream = this.#way.peeks ? await begun(chunks, this.#way.begins) : chunks;
    if (this.#way.peeks) run.firstChunk(Date.now());
    this.#clock?.firstChunk();
    choice.keys?.ok(key);
    this.#call.settled = (error) => {
      this.#clock?.stop();
      run.ended(Date.now(), error === undefined ? 'ok' : outcomeOf(kindOf(error)));
    };
    return { stream };
  }

  /** The choice to try next; undefined when the failure is what the caller gets. */
  async #afterFailure(choice: C, failure: GatewayError, kind: FailureKind | undefined): Promise<C | undefined> {
    if (!this.#over.includes(choice)) this.#over.push(choice);
    const beside = this.#pickFrom(this.#pool, Date.now());
    if (beside !== undefined && this.#mayAsk(beside, kind)) return this.#fallBack(choice, beside, failure);
    if (kind === 'passing' && (await this.#mayRepeat(choice, failure))) return choice;
    this.#pool += 1;
    const next = this.#pick(Date.now());
    if (next !== undefined && this.#mayAsk(next, kind)) return this.#fallBack(choice, next, failure);
    // Nobody else can do it, and the wait is short.
    if (kind === 'limited' && failure.retryAfterMs !== undefined && (await this.#mayRepeat(choice, failure))) return choice;
    return undefined;
  }

  /** Another upstream is free; one that this call has failed at already gets no more than the retry budget allows. */
  #mayAsk({ target }: C, kind: FailureKind | undefined): boolean {
    const burdens = (kind === 'passing' || kind === 'slow') && this.#upstreams.has(target.upstream);
    return !burdens || this.#spend(target);
  }

  #spend({ name }: Target): boolean {
    if (this.#plan.budget.spend()) return true;
    this.#call.note('refused', `no other try at ${name}: the retry budget of the route is used up`);
    return false;
  }

  /** Keeps what the failure says of key and target. Gives another key to try. */
  #learn({ keys, gauge }: C, key: number, { code, retryAfterMs }: GatewayError, kind: FailureKind | undefined): number | undefined {
    if (kind !== 'key' && kind !== 'limited') return undefined;
    const now = Date.now();
    // Alone it is called all the same: its own answer tells more than ours, and what it refuses one call it may take from the next.
    const hasOthers = this.#hasOthers;
    if (keys === undefined || (kind === 'limited' && keys.size === 1)) {
      if (hasOthers && kind === 'limited') gauge.rest(now, retryAfterMs);
      return undefined;
    }
    if (!hasOthers && keys.size === 1) return undefined;
    keys.failed(key, now, code, retryAfterMs);
    return keys.pick(now, (this.#keysTried ??= new Set()).add(key));
  }

  #fallBack(from: C, to: C, { code }: GatewayError): C {
    this.#call.note('fallback', `${from.target.name} → ${to.target.name} after ${code}`);
    return to;
  }

  /** Pauses before the same target is tried again; false when it is not to be. */
  async #mayRepeat({ gauge, target }: C, { code, retryAfterMs: waitMs = this.#backoff() }: GatewayError): Promise<boolean> {
    const isLate = waitMs > LONGEST_PAUSE_MS || (this.#clock?.left ?? Infinity) <= waitMs;
    if (this.#retries <= 0 || isLate) return false;
    if (!this.#spend(target)) return false;
    this.#retries -= 1;
    await pause(waitMs, this.#call.cancellation);
    if (this.#call.cancellation.aborted) throw new GatewayError('client_closed');
    // Others may have found out meanwhile that it is down.
    if (!gauge.available(Date.now())) return false;
    this.#call.note('retried', `${target.name} after ${code}, ${Math.round(waitMs)} ms later`);
    return true;
  }

  #backoff(): number {
    const base = BACKOFF_MS * 2 ** Math.min(this.#call.attempts - 1, 5);
    return Math.round(Math.min(base, LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2));
  }

  #pick(now: number): C | undefined {
    for (; this.#pool < this.#plan.pools.length; this.#pool += 1) {
      const choice = this.#pickFrom(this.#pool, now);
      if (choice !== undefined) return choice;
    }
    return undefined;
  }

  #pickFrom(index: number, now: number): C | undefined {
    const pool = this.#plan.pools[index];
    if (pool === undefined) return undefined;
    const { choices, balancer } = pool;
    if (choices.length === 1) return this.#canTry(choices[0]!, now) ? choices[0] : undefined;
    const open = choices.filter((choice) => this.#canTry(choice, now));
    if (open.length <= 1) return open[0];
    const { session } = this.#way;
    const call = this.#call;
    const chosen = open[session === undefined ? balancer.pick(open, call as never) : stickyIndex(open, session)]!;
    if (session !== undefined) call.note('routed', `${chosen.target.name}, that of the session`);
    else if (pool.measures === true) call.note('routed', `${chosen.target.name}: ${balancer.figure(chosen, call as never)}`);
    return chosen;
  }

  #canTry(choice: C, now: number): boolean {
    const { gauge, keys } = choice;
    if (this.#over.includes(choice) || !gauge.available(now)) return false;
    // What other routes found out about the only key of the only target: it may be good for this one.
    return keys === undefined || keys.retryAt(now) <= now || (keys.size === 1 && !this.#hasOthers);
  }

  get #hasOthers(): boolean {
    return this.#plan.pools.length > 1 || this.#plan.pools[0]!.choices.length > 1;
  }

  #nothingToTry(now: number): GatewayError {
    const choices = this.#plan.pools.flatMap((pool) => pool.choices);
    const waits = choices.map(({ gauge, keys }) => Math.max(gauge.retryAt(now), keys?.retryAt(now) ?? 0) - now);
    const soonest = Math.min(...waits);
    const wait = Number.isFinite(soonest) ? { retryAfterMs: Math.max(1, soonest) } : {};
    const names = choices.map(({ target }) => target.name).join(', ');
    this.#call.note('refused', `no target can be tried now: ${names}`);
    const isLimited = choices.every(({ gauge, keys }) =>
      gauge.available(now) ? keys?.limited(now) : gauge.status(now).health === 'resting',
    );
    return new GatewayError(
      isLimited ? 'upstream_limited' : 'unavailable',
      `No target of this route can be tried now: all of them rest after ${isLimited ? 'limits' : 'failures'}.`,
      { ...wait, detail: names },
    );
  }
}

/** Who says no in the words of a protocol is there, and well. */
function kindOf({ code, cause }: GatewayError): FailureKind | undefined {
  return cause instanceof Error && 'outcome' in cause ? undefined : failureKind(code);
}

/** A 503 says that nothing was done. */
function mayBeDone({ code, unsent }: GatewayError, kind: FailureKind | undefined): boolean {
  return (kind === 'passing' || kind === 'slow') && !unsent && code !== 'upstream_overloaded';
}

function outcomeOf(kind: FailureKind | undefined): 'failed' | 'neutral' {
  return kind === 'passing' || kind === 'slow' ? 'failed' : 'neutral';
}
