type RawJson = (text: string) => unknown;
type Reviver = (key: string, value: unknown, context?: { readonly source?: string }) => unknown;

/** ECMAScript 2025 "JSON.parse source text access"; the types of the language do not know it yet. */
const { rawJSON, isRawJSON } = JSON as unknown as { rawJSON: RawJson; isRawJSON(value: unknown): boolean };
const parse = JSON.parse as (text: string, reviver: Reviver) => unknown;

/** Looking at each value takes six times as long; in what is larger, numbers are as JavaScript has them. Characters. */
const EXACT_UP_TO = 4_000_000;

/** Parses so that JSON.stringify writes every number as it came: beyond 2^53 a JavaScript number loses digits. Throws SyntaxError. */
export function parseExact(text: string): unknown {
  if (text.length > EXACT_UP_TO || !/[:[,\s]-?\d(?:[\d.]{15}|[\d.]{0,40}[eE])/.test(text)) return JSON.parse(text) as unknown;
  return parse(text, (_, value, context) =>
    typeof value === 'number' && context?.source !== undefined && String(value) !== context.source ? rawJSON(context.source) : value,
  );
}

/** A number that `parseExact` left as it was written. */
export function isExact(value: unknown): boolean {
  return isRawJSON(value);
}

/**
 * JSON without the blanks between its parts. Works on the text, because numbers beyond 2^53 do not survive parsing; in one pass whatever the
 * text is, where a regular expression overflows or takes the square of the time.
 */
export function minified(text: string): string {
  // Texts in which nothing looks like layout are taken as they are.
  if (!/[\n\r\t]|": |, "/.test(text)) return text;
  let out = '';
  let kept = 0;
  let at = 0;
  for (;;) {
    const quote = text.indexOf('"', at);
    const end = quote === -1 ? text.length : quote;
    for (let index = at; index < end; index += 1) {
      if (!isBlank(text.charCodeAt(index))) continue;
      if (index > kept) out += text.slice(kept, index);
      kept = index + 1;
    }
    at = quote === -1 ? 0 : stringEnd(text, quote + 1);
    if (at === 0) return out + text.slice(kept);
  }
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** Right after the quote that ends the string; 0 when none does. */
function stringEnd(text: string, from: number): number {
  let quote = text.indexOf('"', from);
  while (quote !== -1) {
    let before = quote - 1;
    while (text.charCodeAt(before) === 0x5c) before -= 1;
    if ((quote - before) % 2 === 1) return quote + 1;
    quote = text.indexOf('"', quote + 1);
  }
  return 0;
}
