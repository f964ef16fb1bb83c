import type { Answers, Ask } from './answers.ts';
import { AnswerReader } from './answer-reader.ts';

/** Whole answers: each has status 200, the expected text and the id of its request. */
export class CallAnswers implements Answers {
  readonly #reader = new AnswerReader();
  readonly #expect: string;

  constructor(expect: string) {
    this.#expect = expect;
  }

  push(bytes: Buffer, { id }: Ask): readonly (string | undefined)[] {
    return this.#reader.push(bytes).map(({ status, body }) => {
      const text = body.toString('latin1');
      const isGood = status === 200 && text.includes(this.#expect) && (id === undefined || text.includes(id));
      return isGood ? undefined : `${status} ${text.slice(0, 200)}`;
    });
  }
}
