import type { AnyCall, Call, Lane, Outcome } from '../../../src/core/call.ts';
import type { Host, KeyValueStore } from '../../../src/core/contracts/extension.ts';
import type { Policy, PolicyHooks } from '../../../src/core/contracts/policy.ts';
import type { Meter, State, Use } from '../../../src/core/contracts/state.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import type { Usage } from '../../../src/core/usage.ts';
import { MemoryState } from '../../../src/storage/state/memory-state.ts';

/** Saturday, 2026-11-21 08:00:00 UTC. */
export const START = Date.UTC(2026, 10, 21, 8);

export const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => silent };

/** A store as a process leaves it behind: JSON, and nothing is forgotten. */
export class FakeStore implements KeyValueStore {
  readonly values = new Map<string, string>();
  failing = false;

  async get(key: string): Promise<unknown> {
    this.#check();
    const text = this.values.get(key);
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  }

  async set(key: string, value: unknown): Promise<void> {
    this.#check();
    this.values.set(key, JSON.stringify(value));
  }

  async delete(key: string): Promise<void> {
    this.#check();
    this.values.delete(key);
  }

  #check(): void {
    if (this.failing) throw new Error('the disk is full');
  }
}

export interface FakeHost extends Host {
  /** Set by tests. */
  clock: number;
  readonly state: State;
  readonly store: FakeStore;
  /** Keys of all meters that were taken from. */
  readonly keys: Set<string>;
}

export interface HostParts {
  readonly store?: FakeStore;
  readonly state?: State;
  readonly fetch?: Host['fetch'];
  readonly at?: number;
  readonly place?: string;
  /** Values that the places of one process share. */
  readonly shared?: Map<string, unknown>;
  readonly warn?: (fields: object, message: string) => void;
}

/** A process of its own: its memory is new, its store may be an old one. */
export function fakeHost(parts: HostParts = {}): FakeHost {
  const { store = new FakeStore(), state, fetch, at = START, place = '', shared = new Map<string, unknown>(), warn } = parts;
  const keys = new Set<string>();
  const host = { clock: at, store, keys } as FakeHost;
  const memory = state ?? new MemoryState({ store: new FakeStore(), log: silent, now: () => host.clock });
  return Object.assign(host, {
    place,
    log: warn === undefined ? silent : { ...silent, warn },
    fetch: fetch ?? (() => Promise.reject(new Error('nothing may be fetched'))),
    now: () => host.clock,
    state: watched(memory, keys),
    embed: () => Promise.reject(new Error('not here')),
    load: () => Promise.reject(new Error('not here')),
    shared: <T>(key: string, create: () => T): T => {
      if (!shared.has(key)) shared.set(key, create());
      return shared.get(key) as T;
    },
  });
}

function watched(state: State, keys: Set<string>): State {
  return {
    take: (uses) => {
      for (const { meter } of uses) keys.add(meter.key);
      return state.take(uses);
    },
    settle: (ticket, amounts) => state.settle(ticket, amounts),
    read: (meters) => state.read(meters),
    get: (key) => state.get(key),
    set: (key, value, ttlMs) => state.set(key, value, ttlMs),
    delete: (key) => state.delete(key),
    publish: (topic, message) => state.publish(topic, message),
    subscribe: (topic, listener) => state.subscribe(topic, listener),
    close: () => state.close(),
  };
}

/** A state that answers later, as one over the network does. `answer` lets all questions that wait be answered. */
export function lateState(inner: State): { readonly state: State; answer(): Promise<void> } {
  let waiting: (() => void)[] = [];
  const later = <T>(ask: () => T): Promise<Awaited<T>> =>
    new Promise((resolve) => {
      waiting.push(() => resolve(ask() as Awaited<T>));
    });
  const state: State = {
    ...inner,
    take: (uses: readonly Use[]) => later(() => inner.take(uses)),
    settle: (ticket, amounts) => inner.settle(ticket, amounts),
    read: (meters: readonly Meter[]) => inner.read(meters),
  };
  return {
    state,
    async answer() {
      const now = waiting;
      waiting = [];
      for (const go of now) go();
      await settled();
    },
  };
}

/** Lets promises that are ready run, and those that get ready by that. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export interface CallParts {
  readonly consumer?: string;
  readonly groups?: readonly string[];
  readonly route?: string;
  readonly model?: string;
  readonly stream?: boolean;
  readonly operation?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly ip?: string;
  readonly estimate?: Usage;
  readonly signal?: AbortSignal;
}

export interface Noted {
  readonly notes: string[];
}

function callOf<L extends Lane>(lane: L, parts: CallParts, rest: { operation: string; input: unknown }): Call<L> & Noted {
  const { consumer = 'alice', groups = [], route = 'fast', headers = {}, ip = '192.0.2.1', estimate = {} } = parts;
  const { signal = new AbortController().signal } = parts;
  const notes: string[] = [];
  return {
    id: 'id',
    lane,
    route,
    notes,
    consumer: { name: consumer, groups, anonymous: false },
    request: { headers, ip, size: 0 },
    startedAt: START,
    signal,
    log: silent,
    estimate: () => estimate,
    note: (type: string, detail: string) => notes.push(`${type}: ${detail}`),
    ...rest,
  } as unknown as Call<L> & Noted;
}

export function chat(parts: CallParts = {}): Call<'models'> & Noted {
  const { model = 'gpt-5', stream = false, operation = 'chat' } = parts;
  return callOf('models', parts, { operation, input: { model, stream, body: {} } });
}

export function toolCall(name: string, parts: CallParts & { readonly source?: string } = {}): Call<'tools'> & Noted {
  const { source, operation = 'tools/call' } = parts;
  const tool = source === undefined ? undefined : { name, source, sourceName: 'issues_list' };
  return callOf('tools', parts, { operation, input: { name, arguments: {}, params: {}, ...(tool && { tool }) } });
}

export function message(agent: string, parts: CallParts = {}): Call<'agents'> & Noted {
  return callOf('agents', parts, { operation: parts.operation ?? 'message/send', input: { agent, params: {} } });
}

/** How a call ended: well, with one attempt, unless said otherwise. */
export function outcome(parts: Partial<Outcome> = {}): Outcome {
  return { ok: true, durationMs: 1, attempts: 1, streamed: false, events: [], ...parts };
}

export async function created<O>(policy: Policy<O>, options: O, host: Host): Promise<PolicyHooks> {
  const hooks = await policy.create(options, host);
  hooks.onServe?.();
  return hooks;
}

/** The refusal; undefined when the call may pass. */
export async function refusalOf(hooks: PolicyHooks, call: AnyCall): Promise<GatewayError | undefined> {
  try {
    await hooks.onCall!(call);
    return undefined;
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
}

/** What became of calls, so far: what waits is none of the two. */
export interface Begun<C extends AnyCall> {
  readonly passed: C[];
  readonly refused: GatewayError[];
}

/** Begins all calls at once. What it gives grows when those that wait get their turn. */
export async function begun<C extends AnyCall>(hooks: PolicyHooks, calls: readonly C[]): Promise<Begun<C>> {
  const passed: C[] = [];
  const refused: GatewayError[] = [];
  for (const call of calls) void refusalOf(hooks, call).then((error) => (error === undefined ? passed.push(call) : refused.push(error)));
  await settled();
  return { passed, refused };
}

/** How many of the calls, all begun at once, pass at once. */
export async function passing(hooks: PolicyHooks, calls: readonly AnyCall[]): Promise<number> {
  return (await begun(hooks, calls)).passed.length;
}

/**
 * Begins all calls at once, and ends those that pass one after the other: `order` says which next. No time goes by, so that whoever waits has to be
 * woken. Gives what became of them all, and how many were under way at once.
 */
export async function runAll<C extends AnyCall>(
  hooks: PolicyHooks,
  calls: readonly C[],
  order: readonly number[],
  endOf: (call: C) => Partial<Outcome>,
): Promise<Begun<C> & { readonly most: number }> {
  const all = await begun(hooks, calls);
  let most = all.passed.length;
  const ended = new Set<C>();
  for (let turn = 0; ended.size < all.passed.length; turn++) {
    const running = all.passed.filter((call) => !ended.has(call));
    most = Math.max(most, running.length);
    const call = running[(order[turn % order.length] ?? 0) % running.length]!;
    ended.add(call);
    await hooks.onEnd!(call, outcome(endOf(call)));
    await settled();
  }
  const decided = all.passed.length + all.refused.length;
  if (decided < calls.length) throw new Error(`${calls.length - decided} calls wait, and nobody is under way`);
  return { ...all, most };
}
