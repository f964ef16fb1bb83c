import { createHash } from 'node:crypto';
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

/** Tells whether two configurations are the same, secrets included: a rotated credential is a change. Of any JSON with Secrets in it. */
export function fingerprint(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(revealed(value)) ?? '')
    .digest('base64url');
}

function revealed(value: unknown): unknown {
  if (value instanceof Secret) return { secret: value.reveal() };
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revealed(item)]));
}
