import type { Profile } from '../../../core/tools.ts';

/** What a client takes of a tool. Constraints that no client of these keeps (bounds, patterns, defaults) are told in words. */
export interface Dialect {
  readonly name: RegExp;
  readonly longestName: number;
  /** Property keys, at every level. */
  readonly key: RegExp;
  /** Characters of a tool's description. */
  readonly description: number;
  /** `format` by type, where it may stand as a keyword: `string:date-time`. */
  readonly formats: ReadonlySet<string>;
  /** An empty text may be one of the values of an enum. */
  readonly emptyValues: boolean;
  /** `closed`: every property is required, what is optional takes null, and there are no others. */
  readonly objects: 'open' | 'closed';
  readonly nulls: 'branch' | 'flag' | 'none';
  /** How a choice is written. `alone`: nothing stands beside anyOf. `first`: only the richest form is shown. */
  readonly choices: 'anyOf' | 'alone' | 'first';
  readonly enums: 'any' | 'strings';
  /** How an object without known keys is written: as a text that holds JSON, or as an object that says nothing more. */
  readonly freeObjects: 'text' | 'object';
  readonly outputSchema: boolean;
}

const NAME = /^[A-Za-z0-9_-]+$/;

/** The profiles that rewrite schemas; sources in docs/profiles.md. */
export const DIALECTS: Readonly<Record<Exclude<Profile, 'default' | 'raw'>, Dialect>> = {
  openai: {
    name: NAME,
    longestName: 64,
    key: /^[A-Za-z0-9_.-]{1,64}$/,
    description: 1024,
    formats: new Set(),
    emptyValues: true,
    objects: 'closed',
    nulls: 'branch',
    choices: 'anyOf',
    enums: 'any',
    freeObjects: 'text',
    outputSchema: true,
  },
  gemini: {
    name: /^[A-Za-z_][A-Za-z0-9_-]*$/,
    longestName: 63,
    key: /^[A-Za-z_][A-Za-z0-9_]{0,63}$/,
    description: 1024,
    formats: new Set(['string:date-time', 'number:float', 'number:double', 'integer:int32', 'integer:int64']),
    emptyValues: false,
    objects: 'open',
    nulls: 'flag',
    choices: 'alone',
    enums: 'strings',
    freeObjects: 'text',
    outputSchema: true,
  },
  'copilot-studio': {
    name: NAME,
    longestName: 64,
    key: /^[A-Za-z_][A-Za-z0-9_]{0,63}$/,
    description: 1024,
    formats: new Set(),
    emptyValues: true,
    objects: 'open',
    nulls: 'none',
    choices: 'first',
    enums: 'strings',
    freeObjects: 'object',
    outputSchema: false,
  },
};
