import { readHead } from './answer-head.ts';

/** What a stream reader tells of: one event of a stream, or the end of an answer with what it had besides whole events. */
export type StreamPart =
  | { readonly kind: 'event'; readonly text: string }
  | { readonly kind: 'end'; readonly status: number; readonly rest: string };

const LINE_END = Buffer.from('\r\n');
const EMPTY = Buffer.alloc(0);
/** An event ends with an empty line. */
const EVENT_END = /\r?\n\r?\n/g;

/**
 * Cuts the bytes of one connection into the events of server-sent streams, as they come. An answer that is no stream has all its text in
 * the `rest` of its end. Throws an Error on what no server in a bench sends, after which the connection is of no use.
 */
export class StreamReader {
  #held: Buffer = EMPTY;
  #phase: 'head' | 'length' | 'size' | 'data' | 'data-end' | 'trailers' = 'head';
  #status = 0;
  /** Bytes of the body, or of the chunk, that are still to come. */
  #left = 0;
  #text = '';

  /** What these bytes complete, in order. Events are cut from chunked answers only. */
  push(bytes: Buffer): StreamPart[] {
    const parts: StreamPart[] = [];
    let rest = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    for (;;) {
      const taken = this.#step(rest, parts);
      if (taken === undefined) break;
      rest = rest.subarray(taken);
    }
    this.#held = rest;
    return parts;
  }

  /** Reads one piece; the bytes that it takes, undefined while it is not all there. */
  #step(bytes: Buffer, parts: StreamPart[]): number | undefined {
    switch (this.#phase) {
      case 'head':
        return this.#head(bytes);
      case 'size':
        return this.#size(bytes);
      case 'length':
      case 'data':
        return this.#body(bytes, parts);
      case 'data-end':
        if (bytes.length < LINE_END.length) return undefined;
        if (!bytes.subarray(0, LINE_END.length).equals(LINE_END)) throw new Error('a chunk is longer than it says');
        this.#phase = 'size';
        return LINE_END.length;
      case 'trailers': {
        const end = bytes.indexOf(LINE_END);
        if (end < 0) return undefined;
        if (end === 0) this.#end(parts);
        return end + LINE_END.length;
      }
    }
  }

  #head(bytes: Buffer): number | undefined {
    const head = readHead(bytes);
    if (head === undefined) return undefined;
    if (head.status >= 200) {
      this.#status = head.status;
      this.#phase = head.body === 'chunked' ? 'size' : 'length';
      this.#left = head.body === 'chunked' ? 0 : head.body;
    }
    return head.bytes;
  }

  #size(bytes: Buffer): number | undefined {
    const end = bytes.indexOf(LINE_END);
    if (end < 0) return undefined;
    const line = bytes.toString('latin1', 0, end);
    const size = /^[\da-f]+/i.exec(line)?.[0];
    if (size === undefined) throw new Error(`no size of a chunk: ${line.slice(0, 80)}`);
    this.#left = Number.parseInt(size, 16);
    this.#phase = this.#left === 0 ? 'trailers' : 'data';
    return end + LINE_END.length;
  }

  #body(bytes: Buffer, parts: StreamPart[]): number | undefined {
    if (bytes.length === 0 && this.#left > 0) return undefined;
    const taken = Math.min(bytes.length, this.#left);
    this.#text += bytes.toString('latin1', 0, taken);
    this.#left -= taken;
    if (this.#phase === 'data') {
      this.#cut(parts);
      if (this.#left === 0) this.#phase = 'data-end';
    } else if (this.#left === 0) this.#end(parts);
    return taken;
  }

  #cut(parts: StreamPart[]): void {
    let from = 0;
    for (const { index, 0: end } of this.#text.matchAll(EVENT_END)) {
      parts.push({ kind: 'event', text: this.#text.slice(from, index) });
      from = index + end.length;
    }
    this.#text = this.#text.slice(from);
  }

  #end(parts: StreamPart[]): void {
    parts.push({ kind: 'end', status: this.#status, rest: this.#text });
    this.#text = '';
    this.#phase = 'head';
  }
}
