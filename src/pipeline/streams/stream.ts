import type { Chunk, Lane, Reply } from '../../core/call.ts';
import { Backlog } from './backlog.ts';
import type { Chain, Step } from '../chain.ts';
import type { LiveCall } from '../live-call.ts';
import { guarded, tolerate } from '../guarded.ts';
import { throughStep } from './stream-step.ts';

/** Milliseconds that the end of a stream waits for an observer, so that it has seen all before its `onEnd`. */
const OBSERVER_GRACE_MS = 100;

/** How a lane's chunks relate to its replies. */
export interface StreamShape<L extends Lane> {
  /** The whole reply, if `chunk` is the one that completes it. */
  completed(chunk: Chunk<L>): Reply<L> | undefined;
  /** The chunks that take the place of `held`, which were kept back until the reply was complete, when a policy has given another reply. */
  replay(reply: Reply<L>, held: readonly Chunk<L>[]): readonly Chunk<L>[];
  /** True for chunks that cannot wait while a stream is held, because the other side waits for an answer to them. */
  urgent(chunk: Chunk<L>): boolean;
}

/**
 * Wraps a stream in the policies that it passes on its way back. A policy with `onReply` and no `onStream` holds the chunks until the reply is
 * complete, so an output guardrail cannot miss a stream. Observers see a copy: what they yield goes nowhere.
 */
export function throughPolicies<L extends Lane>(
  call: LiveCall<L>,
  chain: Chain,
  shape: StreamShape<L>,
  source: AsyncIterable<Chunk<L>>,
  passed: number,
): AsyncIterable<Chunk<L>> {
  let stream = source;
  for (const step of chain.onStream) {
    if (step.place >= passed || !call.concerns(step)) continue;
    if (step.observes)
      stream = step.hooks.onStream === undefined ? tapReply(step, call, shape, stream) : tapChunks(step, call, shape, stream);
    else if (step.hooks.onStream !== undefined) stream = throughStep(step, call, (chunk) => shape.completed(chunk) !== undefined, stream);
    else stream = hold(step, call, shape, stream);
  }
  return stream;
}

async function* hold<L extends Lane>(
  step: Step,
  call: LiveCall<L>,
  shape: StreamShape<L>,
  source: AsyncIterable<Chunk<L>>,
): AsyncGenerator<Chunk<L>> {
  const held: Chunk<L>[] = [];
  let looked = false;
  for await (const chunk of source) {
    const reply = shape.completed(chunk);
    if (reply !== undefined) {
      looked = true;
      const changed = (await guarded(step, call, () => step.hooks.onReply!(call as never, reply as never))) as Reply<L> | undefined;
      if (changed === undefined) held.push(chunk);
      else held.splice(0, Infinity, ...shape.replay(changed, held));
    } else if (shape.urgent(chunk)) yield chunk;
    else held.push(chunk);
  }
  // Another policy may have kept the end for itself: what nobody has looked at does not go out where that refuses.
  if (!looked && held.length > 0) tolerate(step, call, new Error('the stream ended without a reply to look at'));
  yield* held;
}

async function* tapReply<L extends Lane>(
  step: Step,
  call: LiveCall<L>,
  shape: StreamShape<L>,
  source: AsyncIterable<Chunk<L>>,
): AsyncGenerator<Chunk<L>> {
  for await (const chunk of source) {
    const reply = shape.completed(chunk);
    if (reply !== undefined) await guarded(step, call, () => step.hooks.onReply!(call as never, reply as never));
    yield chunk;
  }
}

/** Feeds an observer's generator chunk by chunk and passes the chunks on as they came, whatever it does; one that is far behind misses some. */
async function* tapChunks<L extends Lane>(
  step: Step,
  call: LiveCall<L>,
  shape: StreamShape<L>,
  source: AsyncIterable<Chunk<L>>,
): AsyncGenerator<Chunk<L>> {
  const copy = new Backlog<Chunk<L>>(() =>
    call.log.warn({ policy: step.name }, 'an observer is too slow for the stream and misses chunks'),
  );
  const watching = (async () => {
    for await (const _ of step.hooks.onStream!(call as never, copy.read() as never));
  })().catch((error: unknown) => call.log.error({ policy: step.name, err: error }, 'onStream of an observer failed'));
  try {
    for await (const chunk of source) {
      copy.push(chunk, shape.completed(chunk) !== undefined);
      yield chunk;
    }
  } finally {
    copy.end();
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise<void>((resolve) => (timer = setTimeout(resolve, OBSERVER_GRACE_MS)));
    await Promise.race([watching, enough]);
    clearTimeout(timer);
  }
}
