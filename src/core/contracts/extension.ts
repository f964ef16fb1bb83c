import type { Logger } from '../logger.ts';
import type { Semantics } from './semantics.ts';
import type { State } from './state.ts';

export type Awaitable<T> = T | Promise<T>;

/** One shape for everything pluggable. `options` is a JSON Schema; it is checked before `create`. */
export interface Extension<Kind extends string, Options, Instance> {
  readonly kind: Kind;
  readonly apiVersion: 1;
  readonly name: string;
  readonly options: object;
  /** Called once per generation, never per call. */
  create(options: Options, host: Host): Awaitable<Instance>;
}

/** A small persistent map, private to one extension. Values are JSON; `ttlMs` forgets them. */
export interface KeyValueStore {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown, options?: { readonly ttlMs?: number }): Promise<void>;
  delete(key: string): Promise<void>;
}

/** Powers are lent, not imported: this is what makes an extension testable. */
export interface Host {
  /**
   * Where the instance stands in the configuration, such as `models/support`; empty at root. What tells it from others of its name there follows after
   * `#`. The same over reloads.
   */
  readonly place: string;
  readonly log: Logger;
  /** Checked by the egress rules. */
  readonly fetch: typeof fetch;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly store: KeyValueStore;
  /** What nodes share: counters, cached answers, news. Keys and topics are those of this extension at this place. */
  readonly state: State;
  /** Vectors of the model that `embedding` names, computed in the process unless the operator chose otherwise. */
  embed(texts: readonly string[]): Promise<readonly Float32Array[]>;
  /** Search, classes and vectors, by any model of the hub. */
  readonly semantics: Semantics;
  /** A nested extension, such as a guardrail's detector. */
  load<T>(kind: string, name: string, options: unknown): Promise<T>;
  /** A value that outlives reloads and is freed when no generation uses it. */
  shared<T>(key: string, create: () => T): T;
}
