import { createHash } from 'node:crypto';
import type { ParameterPlace } from '../types.ts';

const LEGAL = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
const LONGEST = 64;
const ORDER: readonly ParameterPlace[] = ['path', 'query', 'querystring', 'header', 'cookie'];

/**
 * Names of arguments: `[A-Za-z_][A-Za-z0-9_]{0,63}`, unique also without case. A wire name that is legal stays, the first by place (path, query,
 * header, cookie) when several are alike; others are cleaned, and get their place as a suffix when that collides. `taken` are names that are
 * not free. The result is in the order of `parameters`.
 */
export function argumentKeys(
  parameters: readonly { readonly name: string; readonly place: ParameterPlace }[],
  taken: readonly string[],
): string[] {
  if (parameters.every(({ name }) => LEGAL.test(name) && name !== '__proto__')) {
    const names = parameters.map(({ name }) => name);
    if (new Set([...names, ...taken].map((name) => name.toLowerCase())).size === names.length + taken.length) return names;
  }
  const keys: string[] = [];
  const used = new Set(taken.map((name) => name.toLowerCase()));
  const claim = (index: number, key: string): void => {
    keys[index] = key;
    used.add(key.toLowerCase());
  };
  const ordered = [...parameters.entries()].sort(([, a], [, b]) => ORDER.indexOf(a.place) - ORDER.indexOf(b.place));
  for (const [index, { name }] of ordered) {
    if (LEGAL.test(name) && name !== '__proto__' && !used.has(name.toLowerCase())) claim(index, name);
  }
  for (const [index, { name, place }] of ordered) {
    if (keys[index] !== undefined) continue;
    const plain = cleaned(name);
    if (plain !== '' && !used.has(plain.toLowerCase())) {
      claim(index, plain);
      continue;
    }
    const base = cut(plain, `_${place}`) || place;
    let key = plain === '' ? place : `${base}_${place}`;
    for (let number = 2; used.has(key.toLowerCase()); number += 1) key = `${base}_${place}_${number}`;
    claim(index, key);
  }
  return keys;
}

function cleaned(name: string): string {
  let result = name.normalize('NFKD').replace(/\p{M}+/gu, '').replace(/[^A-Za-z0-9_]+/g, '_'); // prettier-ignore
  if (result !== name) result = result.replace(/^_+|_+$/g, '');
  if (name === '__proto__') result = 'proto';
  if (/^\d/.test(result)) result = `_${result}`;
  if (result.length <= LONGEST) return result;
  return `${result.slice(0, LONGEST - 7).replace(/_+$/, '')}_${createHash('sha256').update(name).digest('hex').slice(0, 6)}`;
}

function cut(plain: string, suffix: string): string {
  return plain.slice(0, LONGEST - suffix.length - 4);
}
