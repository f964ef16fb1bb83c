import { inspect } from 'node:util';

/** A value that must not be shown. It prints, logs and serialises as a mask; only `reveal` gives the text. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): { set: true } {
    return { set: true };
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
