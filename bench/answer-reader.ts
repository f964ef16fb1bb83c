import { readHead } from './answer-head.ts';

/** One whole HTTP/1.1 answer. */
export interface Answer {
  readonly status: number;
  /** Shares memory with what was read when it came in one piece: to be looked at before the next read. */
  readonly body: Buffer;
}

const LINE_END = Buffer.from('\r\n');
const NONE: readonly Answer[] = [];
const EMPTY = Buffer.alloc(0);

/**
 * Cuts the bytes of one connection into answers. Knows what servers in a bench send: a length or chunks, 1xx, 204 and 304 without a body.
 * Throws an Error on anything else, after which the connection is of no use.
 */
export class AnswerReader {
  #held: Buffer = EMPTY;

  /** Whether an answer has begun and not ended. */
  get isInside(): boolean {
    return this.#held.length > 0;
  }

  /** The answers that end in these bytes. */
  push(bytes: Buffer): readonly Answer[] {
    let rest = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    let answers: Answer[] | undefined;
    for (;;) {
      const read = readAnswer(rest);
      if (read === undefined) break;
      if (read.answer.status >= 200) (answers ??= []).push(read.answer);
      if (read.length === rest.length) {
        rest = EMPTY;
        break;
      }
      rest = rest.subarray(read.length);
    }
    this.#held = rest;
    return answers ?? NONE;
  }
}

interface Read {
  readonly answer: Answer;
  /** Bytes that it takes, head included. */
  readonly length: number;
}

/** The answer at the start of the bytes; undefined while it is not all there. */
function readAnswer(bytes: Buffer): Read | undefined {
  const head = readHead(bytes);
  if (head === undefined) return undefined;
  const { status, bytes: start, body } = head;
  if (body === 'chunked') return readChunks(bytes, start, status);
  const end = start + body;
  return end > bytes.length ? undefined : { answer: { status, body: bytes.subarray(start, end) }, length: end };
}

function readChunks(bytes: Buffer, start: number, status: number): Read | undefined {
  const parts: Buffer[] = [];
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf(LINE_END, at);
    if (lineEnd < 0) return undefined;
    const line = bytes.toString('latin1', at, lineEnd);
    const size = /^[\da-f]+/i.exec(line)?.[0];
    if (size === undefined) throw new Error(`no size of a chunk: ${line.slice(0, 80)}`);
    at = lineEnd + LINE_END.length;
    const end = at + Number.parseInt(size, 16);
    if (end === at) {
      const trailersEnd = endOfTrailers(bytes, at);
      return trailersEnd === undefined ? undefined : { answer: { status, body: Buffer.concat(parts) }, length: trailersEnd };
    }
    if (end + LINE_END.length > bytes.length) return undefined;
    if (bytes.toString('latin1', end, end + LINE_END.length) !== '\r\n') throw new Error('a chunk is longer than it says');
    parts.push(bytes.subarray(at, end));
    at = end + LINE_END.length;
  }
}

function endOfTrailers(bytes: Buffer, start: number): number | undefined {
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf(LINE_END, at);
    if (lineEnd < 0) return undefined;
    if (lineEnd === at) return lineEnd + LINE_END.length;
    at = lineEnd + LINE_END.length;
  }
}
