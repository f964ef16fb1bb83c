/** An argument that cannot be written where it belongs. The message is for the model that called. */
export class ArgumentFault extends Error {}

const UNRESERVED = /^[A-Za-z0-9\-._~]*$/;

/** Percent-encodes all but the unreserved characters of RFC 3986. */
export function encode(text: string): string {
  if (UNRESERVED.test(text)) return text;
  return wellFormed(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function wellFormed(text: string): string {
  return encodeURIComponent(text.isWellFormed() ? text : text.toWellFormed());
}

/** Keeps reserved characters, but those that would end or split a query. Escapes that are in the text are kept as well. */
export function encodeReserved(text: string): string {
  return (text.isWellFormed() ? text : text.toWellFormed()).replace(/[^A-Za-z0-9\-._~:/?@!$'()*,;=%]|%(?![0-9A-Fa-f]{2})/gu, (character) =>
    encodeURIComponent(character),
  );
}

/** Keeps what a segment can hold (RFC 3986, pchar): OpenAPI 3.2, Path Templating, forbids `/`, `?` and `#` in the value of a parameter. */
export function encodeReservedInPath(text: string): string {
  return (text.isWellFormed() ? text : text.toWellFormed()).replace(/[^A-Za-z0-9\-._~:@!$&'()*+,;=%]|%(?![0-9A-Fa-f]{2})/gu, (character) =>
    encodeURIComponent(character),
  );
}

/** As HTML forms do: a blank is `+`. */
export function encodeForm(text: string): string {
  return UNRESERVED.test(text) ? text : encode(text).replaceAll('%20', '+');
}

/** Text of a scalar; objects and arrays in the place of one are JSON. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return numberText(value);
  return typeof value === 'boolean' ? String(value) : value === null || value === undefined ? '' : JSON.stringify(value);
}

/** Never with an exponent. */
function numberText(value: number): string {
  const text = String(value);
  if (!text.includes('e')) return text;
  if (Number.isInteger(value)) return BigInt(value).toString();
  const [digits = '', exponent = '0'] = text.split('e');
  const places = -Number(exponent);
  const plain = digits.replace('-', '').replace('.', '');
  return `${value < 0 ? '-' : ''}0.${'0'.repeat(places - 1)}${plain}`;
}
