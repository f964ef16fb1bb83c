import type { AgentsLane } from './agents.ts';
import type { Consumer } from './consumer.ts';
import type { GatewayError } from './errors.ts';
import type { Logger } from './logger.ts';
import type { ModelsLane } from './models.ts';
import type { ToolsLane } from './tools.ts';
import type { Usage } from './usage.ts';

/** What each lane moves: the operations it knows, what a caller sends, what comes back whole and what comes back in parts. */
export interface Lanes {
  models: ModelsLane;
  tools: ToolsLane;
  agents: AgentsLane;
}

export type Lane = keyof Lanes;
export type Input<L extends Lane = Lane> = Lanes[L]['input'];
export type Reply<L extends Lane = Lane> = Lanes[L]['reply'];
export type Chunk<L extends Lane = Lane> = Lanes[L]['chunk'];

/** Whatever carries text: an input, a whole reply, or one chunk of a stream. */
export type Payload = { [L in Lane]: Lanes[L]['input' | 'reply' | 'chunk'] }[Lane];

/** One text inside a payload. `path` is a JSON pointer into the payload, good for a message to a person. */
export interface Segment {
  readonly text: string;
  readonly path: string;
  readonly origin: 'system' | 'user' | 'assistant' | 'tool' | 'arguments' | 'result';
}

/** The request that a call came in. */
export interface CallRequest {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly ip: string;
  /** Bytes of the body. */
  readonly size: number;
}

/** One call of one consumer through one door. A policy replaces `input` by assignment and never edits it in place. */
export interface Call<L extends Lane = Lane> {
  readonly id: string;
  readonly lane: L;
  readonly operation: Lanes[L]['operation'];
  /** The configured place that the call came through: a route, a virtual server or source, an agent. */
  readonly route: string;
  readonly consumer: Consumer;
  readonly request: CallRequest;
  /** Milliseconds since the epoch at which the call was read. */
  readonly startedAt: number;
  /** Aborted when the caller goes away (as far as its protocol says that this cancels) or the deadline passes. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  input: Input<L>;
  /** The texts of the input, or of the reply or chunk that is given. */
  segments(of?: Payload): Iterable<Segment>;
  /** A copy of `of` with its texts changed. */
  mapText<T extends Payload>(of: T, edit: (segment: Segment) => string): T;
  /** `mapText` applied to the input. */
  rewriteText(edit: (segment: Segment) => string): void;
  /** What the call may use, roughly: known before anything is sent. Tokens come with `estimated`; `cost` is null where no price is known. */
  estimate(): Usage;
  /** Keeps for the record what a rule did. No texts of the call. */
  note(type: CallEvent['type'], detail?: string, figures?: CallEvent['figures']): void;
}

/** A call of any lane; narrows on `call.lane`. */
export type AnyCall = { [L in Lane]: Call<L> }[Lane];

/** A choice that a route can make: one upstream with model, key and weight. */
export interface Target {
  readonly name: string;
  readonly upstream: string;
  /** The vendor's wire format, for a target of the models lane: `openai`, `bedrock`. */
  readonly provider?: string;
  readonly model?: string;
  readonly weight?: number;
}

/** One try at one target. `number` counts from 1 over all targets of the call. */
export interface Attempt {
  readonly number: number;
  readonly target: Target;
}

/** Something worth knowing that happened on the way of a call. */
export interface CallEvent {
  readonly type:
    | 'retried'
    | 'fallback'
    | 'refused'
    | 'answered'
    | 'throttled'
    | 'dropped'
    | 'estimated'
    | 'unpriced'
    | 'failed'
    | 'cached'
    | 'routed'
    | 'selected'
    | 'searched'
    | 'intent'
    | 'task';
  /** Milliseconds since the call was read. */
  readonly at: number;
  /** For a person: which policy, which fields, which target. No texts of the call. */
  readonly detail?: string;
  /**
   * For sums. Of `selected` and `searched`: `full`, the tokens of the definitions of all tools that there were, and `offered`, of those that went on;
   * both by `tokensOf`.
   */
  readonly figures?: Readonly<Record<string, number>>;
}

/** How a call ended, for those who watch. */
export interface Outcome {
  readonly ok: boolean;
  readonly error?: GatewayError;
  /** The tool or agent reported a failure of its own, inside an answer that is well formed. */
  readonly failed?: boolean;
  /** Milliseconds from `startedAt` to the end of the call. */
  readonly durationMs: number;
  readonly attempts: number;
  readonly streamed: boolean;
  /** The last that was tried. */
  readonly target?: Target;
  /** The model that answered, as the vendor names it. */
  readonly modelServed?: string;
  /** Milliseconds from `startedAt` to the first byte of the upstream's answer. */
  readonly firstByteMs?: number;
  readonly usage?: Usage;
  readonly events: readonly CallEvent[];
}

/** What runs after the policies let a call through: a whole reply, or a stream whose last chunk completes it. */
export type Handled<L extends Lane> = { readonly reply: Reply<L> } | { readonly stream: AsyncIterable<Chunk<L>> };
