import { GatewayError } from '../../../core/errors.ts';
import type { ModelsChunk, ModelsReply } from '../../../core/models.ts';
import type { FrameWatch } from './frame-watch.ts';
import type { Mask } from './mask.ts';
import { PassedChunk, SeenChunk } from './passed.ts';

/** Bytes of one frame; a picture in base64 fits. Each piece of a longer one costs a copy of what came before. */
const LARGEST_FRAME = 8_000_000;
const LF = 0x0a;
const CR = 0x0d;

export interface RelayOptions {
  readonly watch: FrameWatch;
  /** Every frame is a chunk of its own: policies look at them. */
  readonly split: boolean;
  readonly mask: Mask;
  /** The whole answer, for the chunk that completes it; only with `split`. */
  reply?(frame: Buffer): (() => ModelsReply) | undefined;
}

/**
 * Passes a stream on byte for byte, whole frames only: what was cut in the middle of one never reaches the caller, who then reads an error event in
 * its place. Throws GatewayError `upstream_cut` when the stream ends without the vendor's mark of completeness.
 */
export async function* relay(body: AsyncIterable<Buffer>, { watch, split, mask, reply }: RelayOptions): AsyncGenerator<ModelsChunk> {
  const seen = (frame: Buffer): SeenChunk => {
    const masked = mask.bytes(frame);
    return new SeenChunk(masked, reply?.(masked));
  };
  let tail: Buffer | undefined;
  for await (const piece of body) {
    const bytes: Buffer = tail === undefined ? piece : Buffer.concat([tail, piece]);
    // The end of a frame may have begun in the last two bytes.
    const searched = Math.max(0, (tail?.length ?? 0) - 2);
    tail = undefined;
    let from = 0;
    let kept = 0;
    for (let end = frameEnd(bytes, searched); end > 0; end = frameEnd(bytes, from)) {
      const frame = bytes.subarray(from, end);
      const { frames } = watch;
      let passes: boolean;
      try {
        passes = watch.look(frame);
      } catch (error) {
        // What stands before it has been said.
        if (!split && from > kept) yield new PassedChunk(mask.bytes(bytes.subarray(kept, from)));
        throw error;
      }
      if (passes) {
        // Comments are nothing that a policy could read.
        // Before the first event it would send the status, which a failure may still need.
        if (watch.frames === 0) kept = end;
        if (split && watch.frames > frames) yield seen(frame);
      } else {
        // This one is left out; what stands before it goes.
        if (!split && from > kept) yield new PassedChunk(mask.bytes(bytes.subarray(kept, from)));
        kept = end;
      }
      from = end;
    }
    if (!split && from > kept) yield new PassedChunk(mask.bytes(bytes.subarray(kept, from)));
    if (watch.complete) return;
    if (from < bytes.length) tail = bytes.subarray(from);
    if (tail !== undefined && tail.length > LARGEST_FRAME) throw new GatewayError('upstream_too_large');
  }
  const last = tail && watch.lastFrame(tail);
  if (last === undefined) throw new GatewayError('upstream_cut');
  watch.look(last);
  yield split ? seen(last) : new PassedChunk(mask.bytes(last));
}

/** Where the frame that begins at `from` ends, its blank line included; 0 when it has not ended. */
function frameEnd(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  return 0;
}
