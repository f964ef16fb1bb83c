import type { AgentsChunk } from '../../../../core/agents.ts';
import type { WireFrame } from '../../../../core/contracts/provider.ts';
import { GatewayError } from '../../../../core/errors.ts';
import { createEventStreamReader, type FrameReader } from '../../../../upstreams/event-stream.ts';
import type { Wire } from '../../wires/wire.ts';
import { parsed } from './read-answer.ts';

/** Characters of one event: files are in it as base64. */
const LARGEST_EVENT = 64_000_000;

type Step = IteratorResult<AgentsChunk, undefined>;
const DONE: Step = { done: true, value: undefined };

/**
 * The events of an agent's stream, each as soon as it is whole. Leaving closes the connection. Throws AgentError for the event that says so, and
 * GatewayError: `upstream_cut` when the stream breaks off or ends before its first event, `upstream_failed` for what is no event of A2A.
 *
 * @param masked makes of an error what callers may see
 */
export function readEvents(
  body: AsyncIterable<Buffer>,
  wire: Wire,
  masked: (error: unknown) => unknown,
): AsyncIterableIterator<AgentsChunk, undefined> {
  return new AgentEvents(body, wire, masked);
}

/** Written by hand: an async generator cannot be left while it waits for an event, and streams of agents are silent for long. */
class AgentEvents implements AsyncIterableIterator<AgentsChunk, undefined> {
  readonly #source: AsyncIterator<Buffer>;
  readonly #wire: Wire;
  readonly #masked: (error: unknown) => unknown;
  readonly #reader: FrameReader = createEventStreamReader({ maxFrame: LARGEST_EVENT });
  #frames: WireFrame[] = [];
  /** Frames were given. */
  #begun = false;
  /** The connection has ended as HTTP has it; a frame that is left then may be cut. */
  #ended = false;
  #left = false;

  constructor(body: AsyncIterable<Buffer>, wire: Wire, masked: (error: unknown) => unknown) {
    this.#source = body[Symbol.asyncIterator]();
    this.#wire = wire;
    this.#masked = masked;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<Step> {
    try {
      while (!this.#left && this.#frames.length === 0 && !this.#ended) await this.#take();
      if (this.#left) return DONE;
      const frame = this.#frames.shift();
      if (frame !== undefined) return { done: false, value: this.#chunk(frame) };
      if (!this.#begun) throw new GatewayError('upstream_cut', 'The stream of the agent ended before its first event.');
      this.#left = true;
      return DONE;
    } catch (error) {
      // Who has left hears nothing of what became of the connection.
      if (this.#left) return DONE;
      await this.return();
      throw this.#masked(error);
    }
  }

  async return(): Promise<Step> {
    this.#left = true;
    this.#frames = [];
    await this.#source.return?.();
    return DONE;
  }

  async #take(): Promise<void> {
    const step = await this.#source.next().catch(broken);
    this.#ended = step.done === true;
    this.#frames = step.done === true ? this.#reader.close() : this.#reader.push(step.value);
  }

  #chunk({ data }: WireFrame): AgentsChunk {
    const value = parsed(data);
    if (value === undefined) {
      // What is left at the end has no blank line behind it.
      if (this.#ended) throw cut();
      throw new GatewayError('upstream_failed', 'The agent sent an event that is no JSON.', { detail: data.slice(0, 300) });
    }
    this.#begun = true;
    return { event: this.#wire.readEvent(value) };
  }
}

/** A connection that broke in the middle of an answer; silence and callers who leave keep their own names. */
function broken(error: unknown): never {
  if (error instanceof GatewayError && error.code === 'upstream_failed') throw cut(error);
  throw error;
}

function cut(cause?: GatewayError): GatewayError {
  const detail = cause?.detail ?? cause?.message;
  return new GatewayError('upstream_cut', 'The stream of the agent broke off.', detail === undefined ? {} : { detail });
}
