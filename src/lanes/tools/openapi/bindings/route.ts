import type { ParameterStyle } from '../types.ts';

/** A path key taken apart. */
export interface PathKey {
  /** Literal text and `{name}` places in turn. */
  readonly parts: readonly (string | PathPlace)[];
  /** What follows `?` in the key: sent with every call. */
  readonly query: string;
}

export interface PathPlace {
  readonly name: string;
  /** When the key itself says it, as in `{;id*}`. */
  readonly style?: ParameterStyle;
  readonly explode?: boolean;
}

/** Characters that stand for themselves in a path (RFC 3986 pchar and `/`), and escapes that are there already. */
const OUTSIDE_PATH = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]|%(?![0-9A-Fa-f]{2})/gu;
const OUTSIDE_QUERY = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%]|%(?![0-9A-Fa-f]{2})/gu;

/** Reads a key of `paths`. A fragment tells operations apart and is never sent. */
export function readPathKey(key: string): PathKey {
  const hash = outside(key, '#');
  const whole = hash < 0 ? key : key.slice(0, hash);
  const mark = outside(whole, '?');
  const path = mark < 0 ? whole : whole.slice(0, mark);
  const parts: (string | PathPlace)[] = [];
  let literal = path.startsWith('/') ? '' : '/';
  let from = 0;
  for (const match of path.matchAll(/\{([^{}/]+)\}/g)) {
    literal += path.slice(from, match.index);
    if (literal !== '') parts.push(encodeLiteral(literal, OUTSIDE_PATH));
    literal = '';
    parts.push(placeOf(match[1] ?? ''));
    from = match.index + match[0].length;
  }
  literal += path.slice(from);
  if (literal !== '') parts.push(encodeLiteral(literal, OUTSIDE_PATH));
  return { parts, query: mark < 0 ? '' : encodeLiteral(whole.slice(mark + 1), OUTSIDE_QUERY) };
}

/** The first `character` that is not inside braces. */
function outside(text: string, character: string): number {
  const first = text.indexOf(character);
  if (first < 0 || !text.includes('{')) return first;
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '{') depth += 1;
    else if (text[index] === '}') depth = Math.max(0, depth - 1);
    else if (depth === 0 && text[index] === character) return index;
  }
  return -1;
}

function placeOf(text: string): PathPlace {
  const [, mark, name = text, star] = /^([;.+/])?(.*?)(\*)?$/.exec(text) ?? [];
  const style = mark === ';' ? 'matrix' : mark === '.' ? 'label' : undefined;
  return { name, ...(style !== undefined && { style }), ...(star !== undefined && { explode: true }) };
}

function encodeLiteral(text: string, outsideOf: RegExp): string {
  return text.isWellFormed()
    ? text.replace(outsideOf, (character) => encodeURIComponent(character))
    : encodeURIComponent(text.toWellFormed());
}
