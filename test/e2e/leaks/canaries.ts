import { randomBytes } from 'node:crypto';

/** Digits of a canary that are looked for by themselves, so that a part that was cut off is found as well. */
const PIECE = 8;

export interface Leak {
  readonly canary: string;
  readonly where: string;
  /** What stands around it. */
  readonly around: string;
}

/**
 * Made-up secrets, and the search for them. The heart of each is random hex, which no spelling changes but base64; around it stand characters
 * that every spelling changes.
 */
export class Canaries {
  readonly #needles: { readonly canary: string; readonly plain: readonly string[]; readonly base64: readonly string[] }[] = [];

  /** A new secret. */
  make(name: string, { head = 'cnry ', tail = '/+"&=\'<' } = {}): string {
    const heart = randomBytes(12).toString('hex');
    this.#add(name, heart);
    return `${head}${heart}${tail}`;
  }

  /** One that may stand in a token or a URL as it is. */
  makeToken(name: string): string {
    return this.make(name, { head: 'cnry-', tail: '/+==' });
  }

  /** 64 hex digits, upper case. */
  makeHexKey(name: string): string {
    const heart = randomBytes(32).toString('hex');
    this.#add(name, heart);
    return heart.toUpperCase();
  }

  /** Looks for a secret that somebody else made: for each piece of it. */
  know(name: string, value: string): void {
    this.#add(name, value.toLowerCase(), value);
  }

  find(where: string, text: string): Leak[] {
    const lower = text.toLowerCase();
    return this.#needles.flatMap(({ canary, plain, base64 }) => {
      const at = [...plain.map((piece) => lower.indexOf(piece)), ...base64.map((piece) => text.indexOf(piece))].filter(
        (place) => place !== -1,
      );
      return at.length === 0 ? [] : [{ canary, where, around: text.slice(Math.max(0, Math.min(...at) - 100), Math.min(...at) + 60) }];
    });
  }

  #add(canary: string, heart: string, written = heart.toUpperCase()): void {
    const plain = Array.from({ length: Math.floor(heart.length / PIECE) }, (_, index) => heart.slice(index * PIECE, (index + 1) * PIECE));
    this.#needles.push({ canary, plain, base64: [heart, written].flatMap((text) => [0, 1, 2].map((shift) => base64Core(text, shift))) });
  }
}

/** What of the base64 of a longer text depends on `text` alone when `shift` bytes of a group of three stand before it. */
function base64Core(text: string, shift: number): string {
  const digits = Buffer.from(`${'x'.repeat(shift)}${text}`).toString('base64');
  return digits.slice(shift === 0 ? 0 : 4, Math.floor((shift + text.length) / 3) * 4);
}
