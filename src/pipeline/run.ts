import type { Chunk, Handled, Lane, Outcome, Reply } from '../core/call.ts';
import { GatewayError } from '../core/errors.ts';
import type { Awaitable } from '../core/contracts/extension.ts';
import type { Chain } from './chain.ts';
import { guarded } from './guarded.ts';
import type { LiveCall } from './live-call.ts';
import { throughPolicies, type StreamShape } from './streams/stream.ts';

/** What the pipeline has to know of a lane's replies. */
export interface LaneReplies<L extends Lane> extends StreamShape<L> {
  /** True for a well-formed reply in which the tool or agent reports its own failure. */
  failed(reply: Reply<L>): boolean;
}

/**
 * Moves one call through the policies and back: `onCall` by stage, then `handle`, then `onReply` or `onStream` last stage first, then `onEnd`.
 * A reply from `onCall` ends the walk there and unwinds through the policies that it has passed; `admit` throws where the caller may not have one, as
 * `handle` would. Throws what `handle` threw, or a GatewayError.
 */
export async function run<L extends Lane>(
  call: LiveCall<L>,
  chain: Chain,
  replies: LaneReplies<L>,
  handle: () => Awaitable<Handled<L>>,
  admit?: () => void,
): Promise<Handled<L>> {
  try {
    let passed = Infinity;
    let handled: Handled<L> | undefined;
    for (const step of chain.onCall) {
      if (!call.concerns(step)) continue;
      const hook = guarded(step, call, () => step.hooks.onCall!(call as never));
      const reply = (hook instanceof Promise ? await hook : hook) as Reply<L> | undefined;
      if (reply === undefined || step.observes) continue;
      admit?.();
      handled = { reply };
      passed = step.place;
      call.note('answered', step.name);
      break;
    }
    handled ??= await handle();
    if ('stream' in handled) {
      const stream = throughPolicies(call, chain, replies, handled.stream, passed);
      return { stream: new EndingStream(call, chain, replies, stream) };
    }
    const reply = chain.onReply.length === 0 ? handled.reply : await unwind(call, chain, handled.reply, passed);
    end(call, chain, { ok: true, failed: replies.failed(reply), streamed: false });
    return reply === handled.reply ? handled : { reply };
  } catch (error) {
    end(call, chain, { ok: false, error: GatewayError.from(error), streamed: call.streamed });
    throw error;
  }
}

async function unwind<L extends Lane>(call: LiveCall<L>, chain: Chain, first: Reply<L>, passed: number): Promise<Reply<L>> {
  let reply = first;
  for (const step of chain.onReply) {
    if (step.place >= passed || !call.concerns(step)) continue;
    const hook = guarded(step, call, () => step.hooks.onReply!(call as never, reply as never));
    const changed = (hook instanceof Promise ? await hook : hook) as Reply<L> | undefined;
    if (changed !== undefined && !step.observes) reply = changed;
  }
  return reply;
}

type End = Pick<Outcome, 'ok' | 'error' | 'failed' | 'streamed'>;

/**
 * Passes the chunks on and ends the call after the last, after a failure, or when the reader leaves. Written by hand: an async generator takes three
 * promises for each chunk where this takes one.
 */
class EndingStream<L extends Lane> implements AsyncIterableIterator<Chunk<L>, undefined> {
  readonly #call: LiveCall<L>;
  readonly #chain: Chain;
  readonly #replies: LaneReplies<L>;
  readonly #source: AsyncIterator<Chunk<L>>;
  /** How it has ended; undefined as long as a reader who leaves would miss something. */
  #outcome: End | undefined;
  #ended = false;

  constructor(call: LiveCall<L>, chain: Chain, replies: LaneReplies<L>, source: AsyncIterable<Chunk<L>>) {
    this.#call = call;
    this.#chain = chain;
    this.#replies = replies;
    this.#source = source[Symbol.asyncIterator]();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Chunk<L>, undefined>> {
    return this.#source.next().then(this.#pass, this.#fail);
  }

  async return(): Promise<IteratorResult<Chunk<L>, undefined>> {
    try {
      await this.#source.return?.();
    } finally {
      this.#end();
    }
    return { done: true, value: undefined };
  }

  readonly #pass = (step: IteratorResult<Chunk<L>>): IteratorResult<Chunk<L>, undefined> => {
    if (step.done === true) {
      this.#outcome ??= { ok: true, failed: false, streamed: true };
      this.#end();
      return { done: true, value: undefined };
    }
    const reply = this.#replies.completed(step.value);
    if (reply !== undefined) this.#outcome = { ok: true, failed: this.#replies.failed(reply), streamed: true };
    return step;
  };

  readonly #fail = (error: unknown): never => {
    this.#outcome = { ok: false, error: GatewayError.from(error), streamed: true };
    this.#end();
    throw error;
  };

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    end(this.#call, this.#chain, this.#outcome ?? { ok: false, error: new GatewayError('client_closed'), streamed: true });
  }
}

function end<L extends Lane>(call: LiveCall<L>, chain: Chain, how: End): void {
  call.settled?.(how.error);
  if (chain.onEnd.length === 0 && call.ledger === undefined) return;
  const outcome = outcomeOf(call, how);
  call.ledger?.record(call as never, outcome);
  for (const step of chain.onEnd) {
    if (!call.concerns(step)) continue;
    const failed = (error: unknown): void => call.log.error({ policy: step.name, err: error }, 'onEnd failed');
    try {
      const ended: unknown = step.hooks.onEnd!(call as never, outcome);
      if (ended instanceof Promise) ended.catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}

/** Field by field: a spread for each that may be absent costs more than the rest of the end of a call. */
function outcomeOf<L extends Lane>(call: LiveCall<L>, { ok, streamed, error, failed }: End): Outcome {
  const { startedAt, attempts, target, modelServed, usage, firstByteAt, events, ledger } = call;
  const outcome: { -readonly [K in keyof Outcome]: Outcome[K] } = { ok, streamed, durationMs: Date.now() - startedAt, attempts, events };
  if (error !== undefined) outcome.error = error;
  if (failed !== undefined) outcome.failed = failed;
  if (target !== undefined) outcome.target = target;
  if (modelServed !== undefined) outcome.modelServed = modelServed;
  if (firstByteAt !== undefined) outcome.firstByteMs = firstByteAt - startedAt;
  if (usage !== undefined) outcome.usage = ledger?.priced(usage, outcome) ?? usage;
  return outcome;
}
