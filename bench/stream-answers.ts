import type { Answers, Ask } from './answers.ts';
import { clockMs } from './clock.ts';
import { StreamReader } from './stream-reader.ts';

/** Hears of the chunks that the model wrote its clock into, in milliseconds. */
export interface ChunkListener {
  /** How long a chunk was on its way. */
  onChunk(transit: number): void;
  /** How much longer than the model itself the first one took, from the request on. */
  onFirst(added: number): void;
}

interface Seen {
  chunks: number;
  hasExpected: boolean;
  isDone: boolean;
}

const nothing = (): Seen => ({ chunks: 0, hasExpected: false, isDone: false });

/** Streams of chat chunks: each is whole when it has all its chunks, the expected text in an event, and `[DONE]` as its last. */
export class StreamAnswers implements Answers {
  readonly #reader = new StreamReader();
  readonly #expect: string;
  readonly #chunks: number;
  readonly #listener: ChunkListener;
  #seen = nothing();

  constructor(expect: string, chunks: number, listener: ChunkListener) {
    this.#expect = expect;
    this.#chunks = chunks;
    this.#listener = listener;
  }

  push(bytes: Buffer, { at }: Ask): readonly (string | undefined)[] {
    const now = clockMs();
    const problems: (string | undefined)[] = [];
    for (const part of this.#reader.push(bytes)) {
      if (part.kind === 'event') this.#event(part.text, now, at);
      else {
        problems.push(this.#problem(part.status, part.rest));
        this.#seen = nothing();
      }
    }
    return problems;
  }

  #event(text: string, now: number, asked: number): void {
    const seen = this.#seen;
    seen.isDone = text === 'data: [DONE]';
    seen.hasExpected ||= text.includes(this.#expect);
    const written = micros(text, ' ts=');
    if (written === undefined) return;
    if (seen.chunks++ === 0) {
      const waited = micros(text, ' waited=');
      if (waited !== undefined) this.#listener.onFirst(now - asked - waited / 1000);
    }
    this.#listener.onChunk(now - written / 1000);
  }

  #problem(status: number, rest: string): string | undefined {
    const { chunks, hasExpected, isDone } = this.#seen;
    if (status !== 200 || rest !== '') return `${status} ${rest.slice(0, 200)}`;
    if (chunks !== this.#chunks) return `a stream of ${chunks} chunks, not ${this.#chunks}`;
    if (!hasExpected) return `a stream without ${this.#expect}`;
    return isDone ? undefined : 'a stream without [DONE] at its end';
  }
}

/** The digits that follow a mark, as a number. */
function micros(text: string, mark: string): number | undefined {
  const at = text.indexOf(mark);
  return at < 0 ? undefined : Number.parseInt(text.slice(at + mark.length, at + mark.length + 20), 10);
}
