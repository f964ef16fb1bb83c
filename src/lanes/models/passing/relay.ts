import { GatewayError } from '../../../core/errors.ts';
import type { ModelsChunk, ModelsReply } from '../../../core/models.ts';
import type { FrameWatch } from './frame-watch.ts';
import type { Mask } from './mask.ts';
import { PassedChunk, SeenChunk } from './passed.ts';

/** Bytes of one frame; a picture in base64 fits. */
const LARGEST_FRAME = 32_000_000;
/** Bytes of a frame that has not ended from which on room for more is kept: a copy for each piece of a long one would be dear. */
const LONG_FRAME = 65_536;
const LF = 0x0a;
const CR = 0x0d;

export interface RelayOptions {
  readonly watch: FrameWatch;
  /** Every frame is a chunk of its own: policies look at them. */
  readonly split: boolean;
  readonly mask: Mask;
  /** Told when the stream is over, however it ended. */
  settle(): void;
  /** The whole answer, for the chunk that completes it; only with `split`. */
  reply?(frame: Buffer): (() => ModelsReply) | undefined;
}

type Step = IteratorResult<ModelsChunk, undefined>;
const DONE: Step = { done: true, value: undefined };

/**
 * Passes a stream on byte for byte, whole frames only: what was cut in the middle of one never reaches the caller, who then reads an error event in
 * its place. Throws GatewayError `upstream_cut` when the stream ends without the vendor's mark of completeness.
 */
export function relay(body: AsyncIterable<Buffer>, options: RelayOptions): AsyncIterableIterator<ModelsChunk, undefined> {
  return new Relay(body, options);
}

/** Written by hand: an async generator takes three promises for each piece where this takes one. */
class Relay implements AsyncIterableIterator<ModelsChunk, undefined> {
  readonly #options: RelayOptions;
  readonly #source: AsyncIterator<Buffer>;
  /** Whole, and not yet taken. */
  readonly #ready: ModelsChunk[] = [];
  /** The beginning of a frame. */
  #tail: Buffer | undefined;
  /** What the tail is the beginning of; undefined while the tail is part of a piece as it came. */
  #room: Buffer | undefined;
  /** The stream ends its lines with CR alone. Undefined until its first line end. */
  #byCr: boolean | undefined;
  /** What follows when all that is ready has been taken; undefined while the stream goes on. */
  #last: { readonly error?: unknown } | undefined;
  #settled = false;

  constructor(body: AsyncIterable<Buffer>, options: RelayOptions) {
    this.#source = body[Symbol.asyncIterator]();
    this.#options = options;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step> {
    if (this.#ready.length > 0 || this.#last !== undefined) return Promise.try(this.#give);
    return this.#source.next().then(this.#took, this.#broke);
  }

  async return(): Promise<Step> {
    this.#ready.length = 0;
    this.#last ??= {};
    await this.#leave();
    return DONE;
  }

  readonly #took = (step: IteratorResult<Buffer>): Step | Promise<Step> => {
    try {
      if (step.done === true) this.#finish();
      else this.#take(step.value);
    } catch (error) {
      this.#last = { error };
    }
    if (this.#last !== undefined) void this.#leave();
    return this.#ready.length > 0 || this.#last !== undefined ? this.#give() : this.next();
  };

  readonly #broke = (error: unknown): Step => {
    this.#last = { error };
    return this.#give();
  };

  readonly #give = (): Step => {
    const value = this.#ready.shift();
    if (value !== undefined) return { done: false, value };
    this.#settle();
    const last = this.#last;
    // Said once: who asks again gets the end.
    this.#last = {};
    if (last !== undefined && 'error' in last) throw last.error;
    return DONE;
  };

  /** Cuts a piece into frames and looks at each. Throws for one that is broken; what stood before it is ready. */
  #take(piece: Buffer): void {
    const { watch, split } = this.#options;
    const bytes = this.#tail === undefined ? piece : this.#joined(this.#tail, piece);
    // The end of a frame may have begun in the last two bytes.
    const searched = Math.max(0, (this.#tail?.length ?? 0) - 2);
    this.#tail = undefined;
    this.#byCr ??= endsByCr(bytes);
    const frameEnd = this.#byCr === true ? frameEndByCr : frameEndByLf;
    let from = 0;
    let kept = 0;
    const keep = (to: number): void => {
      if (!split && to > kept) this.#ready.push(this.#chunk(bytes.subarray(kept, to)));
    };
    for (let end = frameEnd(bytes, searched); end > 0; end = frameEnd(bytes, from)) {
      const frame = bytes.subarray(from, end);
      const { frames } = watch;
      let passes = false;
      try {
        passes = watch.look(frame);
      } finally {
        // Left out, or the last: what stands before it goes.
        if (!passes) keep(from);
      }
      // What is kept from the caller is part of the whole answer all the same.
      if (!passes && split && watch.frames > frames) this.#options.reply?.(this.#options.mask.bytes(frame));
      // Before the first event a comment would send the status, which a failure may still need.
      if (!passes || watch.frames === 0) kept = end;
      // Comments are nothing that a policy could read.
      else if (split && watch.frames > frames) this.#ready.push(this.#chunk(frame));
      from = end;
    }
    keep(from);
    // Frames that go out are part of it: nothing may be written there again.
    if (from > 0) this.#room = undefined;
    if (watch.complete) this.#last = {};
    else if (from < bytes.length) this.#tail = bytes.subarray(from);
    if (this.#tail !== undefined && this.#tail.length > LARGEST_FRAME) throw new GatewayError('upstream_too_large');
  }

  /** The tail and what follows it. Room is doubled, so that each byte of a long frame is copied twice, however many pieces it comes in. */
  #joined(tail: Buffer, piece: Buffer): Buffer {
    const size = tail.length + piece.length;
    if (this.#room === undefined || this.#room.length < size) {
      this.#room = Buffer.allocUnsafe(size < LONG_FRAME ? size : size * 2);
      tail.copy(this.#room);
    }
    piece.copy(this.#room, tail.length);
    return this.#room.subarray(0, size);
  }

  /** The connection has ended as HTTP has it. */
  #finish(): void {
    const { watch } = this.#options;
    const last = this.#tail && watch.lastFrame(this.#tail);
    if (last === undefined) throw new GatewayError('upstream_cut');
    watch.look(last);
    this.#ready.push(this.#chunk(last));
    this.#last = {};
  }

  #chunk(frames: Buffer): ModelsChunk {
    const { mask, split, reply } = this.#options;
    const masked = mask.bytes(frames);
    return split ? new SeenChunk(masked, reply?.(masked)) : new PassedChunk(masked);
  }

  async #leave(): Promise<void> {
    this.#settle();
    await this.#source.return?.();
  }

  #settle(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#options.settle();
  }
}

/** Where the frame that begins at `from` ends, its blank line included; 0 when it has not ended. */
function frameEndByLf(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  return 0;
}

function frameEndByCr(bytes: Buffer, from: number): number {
  const at = bytes.indexOf('\r\r', from);
  return at < 0 ? 0 : at + 2;
}

/** Undefined where no line ends, or what follows a CR is yet to come. */
function endsByCr(bytes: Buffer): boolean | undefined {
  const cr = bytes.indexOf(CR);
  const lf = bytes.indexOf(LF);
  if (cr < 0 || (lf >= 0 && lf < cr)) return lf < 0 ? undefined : false;
  return cr + 1 === bytes.length ? undefined : lf !== cr + 1;
}
