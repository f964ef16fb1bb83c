import type { Attempt, Call, CallRequest, Chunk, Lane, Outcome, Reply } from '../call.ts';
import type { Consumer } from '../consumer.ts';
import type { Awaitable, Extension } from './extension.ts';

/** A call passes the stages left to right, its reply right to left; inside a stage, the order of the configuration holds. */
export const STAGES = ['observe', 'limit', 'guard', 'transform', 'cache'] as const;
export type Stage = (typeof STAGES)[number];

/** The call of one lane, or of any lane for a policy that names none. */
export type CallOf<L extends Lane> = { [K in L]: Call<K> }[L];

/** A call that nobody makes: what a rule would ask it about. */
export interface Question {
  readonly consumer: Consumer;
  readonly lane: Lane;
  readonly route: string;
  /** As the caller would ask for it. */
  readonly model?: string;
  /** `SOURCE.TOOL`, both as the source has them. */
  readonly tool?: string;
  readonly agent?: string;
  readonly skill?: string;
  /** Where something is known of the request; an empty address is an unknown one. */
  readonly request?: CallRequest;
}

/** What one rule would have to say now: `rate-limit: 600 requests a minute for consumer alice` and `12 used, 588 left`. */
export interface RuleValue {
  readonly rule: string;
  readonly value: string;
}

/** Return nothing to let it pass, return a value to put it in its place, throw a GatewayError to refuse. All hooks are optional. */
export interface PolicyHooks<L extends Lane = Lane> {
  /** Once per call, before any attempt. A returned reply answers the call. */
  onCall?(call: CallOf<L>): Awaitable<Reply<L> | void>;
  /** Before each try at a target. */
  onAttempt?(call: CallOf<L>, attempt: Attempt): Awaitable<void>;
  /** Wraps a streamed answer: window, mask, cut off, count. */
  onStream?(call: CallOf<L>, chunks: AsyncIterable<Chunk<L>>): AsyncIterable<Chunk<L>>;
  /** Sees a whole reply. Without `onStream`, streams are held for it and replayed. */
  onReply?(call: CallOf<L>, reply: Reply<L>): Awaitable<Reply<L> | void>;
  /** After everything; cannot change anything. */
  onEnd?(call: CallOf<L>, outcome: Outcome): Awaitable<void>;
  /** The rules that such a call would meet, with their present values. Nothing is counted. */
  explain?(question: Question): Awaitable<readonly RuleValue[]>;
  /** Once, when the generation begins to serve. A change that is refused makes instances too: what acts by itself begins here, not in `create`. */
  onServe?(): void;
  [Symbol.asyncDispose]?(): Promise<void>;
}

export interface Policy<Options = unknown, L extends Lane = Lane> extends Extension<'policy', Options, PolicyHooks<L>> {
  readonly stage: Stage;
  /** The lanes it works on; all three when absent. */
  readonly lanes?: readonly L[];
}

/** Gives a policy its types; adds what is the same in all of them. */
export function definePolicy<Options, L extends Lane = Lane>(policy: Omit<Policy<Options, L>, 'kind' | 'apiVersion'>): Policy<Options, L> {
  return { kind: 'policy', apiVersion: 1, ...policy };
}
