/** Shorter values would mask ordinary words. */
const SHORTEST = 6;
const MASK = '[redacted]';
const HTML_NAMES = new Map([
  ['"', 'quot'],
  ['&', 'amp'],
  ["'", 'apos'],
  ['<', 'lt'],
  ['>', 'gt'],
]);

/**
 * Masks every known secret in a text, as it stands and as it looks when it was put into JSON, a URL, HTML, several of them, or base64, there also
 * as a part of something longer such as `user:password`.
 */
export class Redactor {
  /** How often each was added. */
  readonly #values = new Map<string, number>();
  #pattern: RegExp | undefined;

  /** Gives the way to forget the value again, for one that is used no longer: the more are known, the longer masking takes. */
  add(value: string): () => void {
    if (value.length < SHORTEST) return () => {};
    const count = this.#values.get(value) ?? 0;
    this.#values.set(value, count + 1);
    if (count === 0) this.#pattern = undefined;
    let known = true;
    return () => {
      if (known) this.#forget(value);
      known = false;
    };
  }

  redact(text: string): string {
    if (this.#values.size === 0) return text;
    // The longest first: a secret may begin with another.
    this.#pattern ??= new RegExp([...this.#values.keys()].sort((a, b) => b.length - a.length).flatMap(patternsOf).join('|'), 'g'); // prettier-ignore
    return text.replace(this.#pattern, MASK);
  }

  #forget(value: string): void {
    const count = this.#values.get(value) ?? 0;
    if (count > 1) this.#values.set(value, count - 1);
    else this.#values.delete(value);
    this.#pattern = undefined;
  }
}

function patternsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const plain = value.match(/\\+|[^\\]/gsu) ?? [];
  return [plain.map(spellings).join(''), ...[0, 1, 2].map((shift) => base64Core(bytes, shift))];
}

/** JSON puts these before characters, again for each time that it stands in JSON. Bounded, for a text may be made of them. */
const BACKSLASH = String.raw`(?:\\|%(?:25)*5[cC]|&#92;)`;
const ESCAPES = `${BACKSLASH}{0,8}`;

/** One character, or a run of backslashes, as text, JSON, URLs and HTML write it. */
function spellings(char: string): string {
  if (/^\w$/.test(char)) return char;
  if (char.startsWith('\\')) return `${BACKSLASH}{${char.length},${8 * char.length}}`;
  const units = Array.from({ length: char.length }, (_, at) => char.charCodeAt(at).toString(16).padStart(4, '0'));
  const point = char.codePointAt(0) as number;
  const name = HTML_NAMES.get(char);
  const ways = [
    RegExp.escape(char),
    units.map((unit) => `${ESCAPES}u${anyCase(unit)}`).join(''),
    [...Buffer.from(char)].map((byte) => `%(?:25)*${anyCase(byte.toString(16).padStart(2, '0'))}`).join(''),
    `&(?:amp;)*#(?:0*${point}|[xX]0*${anyCase(point.toString(16))});`,
  ];
  if (name !== undefined) ways.push(`&(?:amp;)*${name};`);
  if (char === ' ') ways.push(String.raw`\+`);
  // Control characters that JSON has a letter for.
  const short = JSON.stringify(char)[2];
  if (point < 0x20 && short !== 'u') ways.push(String(short));
  return `${ESCAPES}(?:${ways.join('|')})`;
}

function anyCase(hex: string): string {
  return hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}

/** What base64 makes of the bytes when `shift` bytes of a group of three stand before them: the digits that hold bits of nothing else. */
function base64Core(bytes: Buffer, shift: number): string {
  const digits = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
  const core = digits.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
  return core.replace(/[+/]/g, (digit) => (digit === '+' ? '(?:[+-]|%2[bB])' : String.raw`(?:\\*\/|_|%2[fF])`));
}
