import { createHash } from 'node:crypto';
import type { Dialect } from './dialects.ts';

const LONGEST = 64;

/** The keys of one object as a client takes them: those that are legal stay, the others are cleaned and numbered on a clash. */
export function legalKeys(names: readonly string[], { key }: Pick<Dialect, 'key'>): Map<string, string> {
  const taken = new Set(names.filter((name) => key.test(name)));
  return new Map(
    names.map((name) => {
      if (key.test(name)) return [name, name];
      const cleaned = clean(name).slice(0, LONGEST - 4);
      const plain = /^[A-Za-z_]/.test(cleaned) ? cleaned : `_${cleaned}`;
      let legal = plain;
      for (let number = 2; taken.has(legal); number += 1) legal = `${plain}_${number}`;
      taken.add(legal);
      return [name, legal];
    }),
  );
}

/** The name of a tool as a client takes it; a changed one ends in a hash of the whole. */
export function legalName(name: string, { name: pattern, longestName }: Pick<Dialect, 'name' | 'longestName'>): string {
  if (name.length <= longestName && pattern.test(name)) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 6);
  const cleaned = clean(name).slice(0, longestName - 8);
  return `${/^[A-Za-z]/.test(cleaned) ? cleaned : `t${cleaned}`}_${hash}`;
}

function clean(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9_]+/g, '_')
    .replace(/^_+(?=.)|_+$/g, '');
}
