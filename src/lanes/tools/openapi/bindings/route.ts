import type { ParameterStyle } from '../types.ts';

/** A path key taken apart. */
export interface PathKey {
  /** Literal text and `{name}` places in turn; with the query behind `?` when there are places in it. */
  readonly parts: readonly (string | PathPlace)[];
  /** What follows `?` in the key, sent with every call; empty when it is among `parts`. */
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

/** RFC 6570, 3.2.8 and 3.2.9: the query of the names inside, which their parameters write. */
const QUERY_EXPANSION = /\{[?&][^{}]*\}/g;

/**
 * Reads a key of `paths`. A fragment tells operations apart and is never sent. `queryNames`: parameters of the query, which replace what the key
 * has under their names.
 */
export function readPathKey(key: string, queryNames: ReadonlySet<string> = new Set()): PathKey {
  const hash = outside(key, '#');
  const whole = (hash < 0 ? key : key.slice(0, hash)).replace(QUERY_EXPANSION, '');
  const mark = outside(whole, '?');
  const path = mark < 0 ? whole : whole.slice(0, mark);
  const parts = partsOf(path.startsWith('/') ? path : `/${path}`, OUTSIDE_PATH);
  if (mark < 0) return { parts, query: '' };
  const query = whole.slice(mark + 1);
  if (!query.includes('{')) return { parts, query: encodeLiteral(query, OUTSIDE_QUERY) };
  const pairs = query.split('&').filter((pair) => !isParameter(pair, queryNames));
  const rest = partsOf(pairs.join('&'), OUTSIDE_QUERY);
  const isFixed = rest.every((part) => typeof part === 'string');
  return isFixed ? { parts, query: rest.join('') } : { parts: [...parts, '?', ...rest], query: '' };
}

/** `name={name}` of a parameter. */
function isParameter(pair: string, names: ReadonlySet<string>): boolean {
  const [, name = '', place = ''] = /^([^=]*)=\{([^{}]+)\}$/.exec(pair) ?? [];
  return names.has(name) || names.has(place);
}

function partsOf(text: string, outsideOf: RegExp): (string | PathPlace)[] {
  const parts: (string | PathPlace)[] = [];
  let from = 0;
  for (const match of text.matchAll(/\{([^{}/]+)\}/g)) {
    if (match.index > from) parts.push(encodeLiteral(text.slice(from, match.index), outsideOf));
    parts.push(placeOf(match[1] ?? ''));
    from = match.index + match[0].length;
  }
  if (from < text.length) parts.push(encodeLiteral(text.slice(from), outsideOf));
  return parts;
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
