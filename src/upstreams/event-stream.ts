import { StringDecoder } from 'node:string_decoder';
import type { WireFrame } from '../core/contracts/provider.ts';
import { GatewayError } from '../core/errors.ts';

/**
 * Cuts the bytes of a streamed answer into frames, wherever they are split. What came before a fault is always given: the error is thrown by the
 * call that has nothing else to give, at the latest by `close`. After a throw the reader is of no use.
 */
export interface FrameReader {
  push(bytes: Uint8Array): WireFrame[];
  /** The connection ended. */
  close(): WireFrame[];
}

const MAX_FRAME = 32_000_000;
const BOM = '\uFEFF';

/**
 * Server-sent events (WHATWG HTML, 9.2.6), but for two things: an event with empty data is none, and a last one without its blank line is given by
 * `close`: whether it is whole, its content says. `id` and `retry` are not read. `maxFrame` is in characters (default 8 million); more is a
 * GatewayError `upstream_too_large`.
 */
export function createEventStreamReader({ maxFrame = MAX_FRAME }: { readonly maxFrame?: number } = {}): FrameReader {
  return new EventStreamReader(maxFrame);
}

class EventStreamReader implements FrameReader {
  readonly #maxFrame: number;
  readonly #decoder = new StringDecoder('utf8');
  #frames: WireFrame[] = [];
  #atStart = true;
  /** The last text ended with CR: an LF that follows belongs to it. */
  #afterCr = false;
  /** The beginning of a line whose end has not come. */
  #line = '';
  #event = '';
  #data: string | undefined;
  #failure: GatewayError | undefined;

  constructor(maxFrame: number) {
    this.#maxFrame = maxFrame;
  }

  push(bytes: Uint8Array): WireFrame[] {
    if (this.#failure === undefined) this.#take(this.#decoder.write(bytes));
    return this.#give();
  }

  close(): WireFrame[] {
    if (this.#failure === undefined) {
      this.#take(this.#decoder.end());
      this.#endLine('');
      this.#endFrame();
    }
    return this.#give();
  }

  #give(): WireFrame[] {
    if (this.#frames.length === 0 && this.#failure !== undefined) throw this.#failure;
    const frames = this.#frames;
    this.#frames = [];
    return frames;
  }

  #take(text: string): void {
    if (text === '') return;
    let from = 0;
    if (this.#atStart && text.startsWith(BOM)) from = 1;
    this.#atStart = false;
    if (this.#afterCr && text.startsWith('\n')) from = 1;
    this.#afterCr = text.endsWith('\r');
    // Each mark is looked for again only when it has been passed, so that a text with one kind of line end is read once.
    let cr = text.indexOf('\r', from);
    let lf = text.indexOf('\n', from);
    while (cr >= 0 || lf >= 0) {
      const atCr = cr >= 0 && (lf < 0 || cr < lf);
      const end = atCr ? cr : lf;
      this.#endLine(text.slice(from, end));
      if (this.#failure !== undefined) return;
      from = atCr && lf === end + 1 ? end + 2 : end + 1;
      if (cr >= 0 && cr < from) cr = text.indexOf('\r', from);
      if (lf >= 0 && lf < from) lf = text.indexOf('\n', from);
    }
    this.#line += text.slice(from);
    this.#checkSize(this.#line.length);
  }

  #endLine(rest: string): void {
    const line = this.#line === '' ? rest : this.#line + rest;
    this.#line = '';
    if (line === '') this.#endFrame();
    else if (this.#checkSize(line.length)) this.#readField(line);
  }

  #readField(line: string): void {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    if (name !== 'data' && name !== 'event') return;
    const value = colon < 0 ? '' : line.slice(line.startsWith(' ', colon + 1) ? colon + 2 : colon + 1);
    if (name === 'event') this.#event = value;
    else this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
  }

  #endFrame(): void {
    const data = this.#data ?? '';
    if (data !== '') this.#frames.push(this.#event === '' ? { data } : { event: this.#event, data });
    this.#event = '';
    this.#data = undefined;
  }

  #checkSize(lineLength: number): boolean {
    if (lineLength + (this.#data?.length ?? 0) <= this.#maxFrame) return true;
    this.#failure = new GatewayError('upstream_too_large', 'The provider sent one event that is larger than the hub takes.');
    return false;
  }
}
