import { EventStreamCodec } from '@smithy/eventstream-codec';
import type { WireFrame } from '../core/contracts/provider.ts';
import { GatewayError } from '../core/errors.ts';
import type { FrameReader } from './event-stream.ts';

const MAX_MESSAGE = 16_000_000;
/** Two lengths and two checksums. */
const MIN_MESSAGE = 16;
const LENGTH_BYTES = 4;

const text = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
const codec = new EventStreamCodec(
  (input) => (typeof input === 'string' ? input : text(input)),
  (input) => Buffer.from(input),
);

/**
 * Event streams of AWS (`application/vnd.amazon.eventstream`). A frame's event is `:event-type`, `!` with `:exception-type` or `!` with
 * `:error-code`; its data is the payload. Throws GatewayError `upstream_failed` for a wrong checksum or a length above 16 MB, and on `close`
 * `upstream_cut` when a message is not whole.
 */
export function createAwsEventStreamReader(): FrameReader {
  /** The beginning of a message whose end has not come. */
  let held: Uint8Array[] = [];
  let size = 0;
  let needed = LENGTH_BYTES;
  let failure: unknown;

  function hold(bytes: Uint8Array, total: number): void {
    held = bytes.length === 0 ? [] : [bytes];
    size = bytes.length;
    needed = total;
  }

  /** Whole messages become frames; the rest is held. */
  function cut(bytes: Uint8Array, frames: WireFrame[]): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let from = 0;
    let total = LENGTH_BYTES;
    while (bytes.length - from >= LENGTH_BYTES) {
      total = view.getUint32(from);
      if (total < MIN_MESSAGE || total > MAX_MESSAGE) throw unreadable();
      if (bytes.length - from < total) break;
      frames.push(readMessage(bytes.subarray(from, from + total)));
      from += total;
      total = LENGTH_BYTES;
    }
    hold(bytes.subarray(from), total);
  }

  return {
    push(bytes) {
      if (failure !== undefined) throw failure;
      held.push(bytes);
      size += bytes.length;
      if (size < needed) return [];
      const frames: WireFrame[] = [];
      try {
        cut(held.length === 1 ? bytes : Buffer.concat(held, size), frames);
      } catch (thrown) {
        failure = thrown;
        if (frames.length === 0) throw thrown;
      }
      return frames;
    },
    close() {
      if (failure !== undefined) throw failure;
      if (size > 0) throw new GatewayError('upstream_cut');
      return [];
    },
  };
}

function readMessage(bytes: Uint8Array): WireFrame {
  const { headers, body } = decode(bytes);
  const header = (name: string): string | undefined => {
    const value = headers[name];
    return value?.type === 'string' ? value.value : undefined;
  };
  const data = text(body);
  const kind = header(':message-type');
  if (kind === 'exception') return { event: `!${header(':exception-type') ?? ''}`, data };
  if (kind !== 'error') return { event: header(':event-type') ?? '', data };
  // An error has no payload: its words stand in a header.
  return { event: `!${header(':error-code') ?? ''}`, data: data || JSON.stringify({ message: header(':error-message') ?? '' }) };
}

function decode(bytes: Uint8Array): ReturnType<EventStreamCodec['decode']> {
  try {
    return codec.decode(bytes);
  } catch (cause) {
    throw unreadable(cause);
  }
}

function unreadable(cause?: unknown): GatewayError {
  return new GatewayError('upstream_failed', 'The provider sent an event that is damaged.', { cause });
}
