import type { Chunk, Lane } from '../../core/call.ts';
import type { Step } from '../chain.ts';
import { LatePolicy, tolerate } from '../guarded.ts';
import type { LiveCall } from '../live-call.ts';

/**
 * Passes a stream through the `onStream` of one policy under the rules of its stage: where it fails or is late, the call is refused or the stream
 * goes on without it, beginning with what it took and did not give. A failure after the chunk that completes the reply only goes to the log.
 */
export async function* throughStep<L extends Lane>(
  step: Step,
  call: LiveCall<L>,
  completes: (chunk: Chunk<L>) => boolean,
  source: AsyncIterable<Chunk<L>>,
): AsyncGenerator<Chunk<L>> {
  const input = source[Symbol.asyncIterator]();
  const patience = new Patience(step);
  const taken: Chunk<L>[] = [];
  let broken: { readonly error: unknown } | undefined;
  let complete = false;
  const feed = (async function* (): AsyncGenerator<Chunk<L>> {
    for (;;) {
      patience.pause();
      const next = await input.next().catch((error: unknown) => {
        broken = { error };
        throw error;
      });
      patience.resume();
      if (next.done === true) return;
      taken.push(next.value);
      yield next.value;
    }
  })();
  let output: AsyncIterator<Chunk<L>> | undefined;
  try {
    const steps = (step.hooks.onStream!(call as never, feed as never) as AsyncIterable<Chunk<L>>)[Symbol.asyncIterator]();
    output = steps;
    for (;;) {
      const next = await patience.wait(() => steps.next());
      if (next.done === true) return;
      taken.shift();
      complete ||= completes(next.value);
      yield next.value;
    }
  } catch (error) {
    if (broken !== undefined) throw broken.error;
    tolerate(complete ? { ...step, refusesOnFailure: false } : step, call, error);
    if (complete) return;
    yield* taken;
    for (let next = await input.next(); next.done !== true; next = await input.next()) yield next.value;
  } finally {
    // Not waited for: a policy that hangs never ends.
    for (const one of [output, input]) one?.return?.().catch(() => undefined);
  }
}

/** The time that a policy has for each step. It stands still while the policy waits for the next chunk. */
class Patience {
  readonly #step: Step;
  #timer: NodeJS.Timeout | undefined;
  #giveUp: ((reason: LatePolicy) => void) | undefined;

  constructor(step: Step) {
    this.#step = step;
  }

  async wait<T>(work: () => Promise<T>): Promise<T> {
    if (this.#step.timeoutMs === undefined) return work();
    const late = new Promise<never>((_, reject) => (this.#giveUp = reject));
    this.resume();
    try {
      return await Promise.race([work(), late]);
    } finally {
      this.pause();
      this.#giveUp = undefined;
    }
  }

  pause(): void {
    clearTimeout(this.#timer);
  }

  resume(): void {
    const giveUp = this.#giveUp;
    if (giveUp === undefined) return;
    this.pause();
    this.#timer = setTimeout(() => giveUp(new LatePolicy(this.#step)), this.#step.timeoutMs);
  }
}
