import { hash } from 'node:crypto';
import type { Findable } from '../../core/contracts/semantics.ts';
import { splitIdentifiers } from './split-identifiers.ts';
import { wordsOf } from './words-of.ts';

/** What is read of a text for its words: enough for the longest description of a tool with all its parameters. */
const LONGEST = 20_000;
/** What is embedded of a text: what comes later in a description mostly says something else, and would thin out what it is about. */
const LONGEST_EMBEDDED = 600;

/** What an index needs of a text, worked out once for all indexes that have it. */
export interface Analysis {
  /** Its words in their stems, each as often as it occurs, between spaces. */
  readonly words: string;
  /** The SHA-256 in hex of what is embedded: name and description, then each example. */
  readonly hashes: readonly string[];
}

const known = new WeakMap<Findable, Analysis>();

/** Of the same object the same analysis: a findable never changes. */
export function analyse(text: Findable): Analysis {
  const before = known.get(text);
  if (before !== undefined) return before;
  const analysis = { words: wordsOf(matchedText(text)).join(' '), hashes: embeddedTexts(text).map((one) => hash('sha256', one)) };
  known.set(text, analysis);
  return analysis;
}

/** What is embedded of a text: name and description in one, then each example. Parameters would thin its meaning out. */
export function embeddedTexts({ name, description, examples = [] }: Findable): string[] {
  return [`${name}. ${description}`, ...examples].map((text) => splitIdentifiers(text.slice(0, LONGEST_EMBEDDED)).trim());
}

/** The name counts twice: it says what a thing is, the rest what it has to do with. */
function matchedText({ name, description, words = [], examples = [] }: Findable): string {
  return [name, name, description, ...words, ...examples].join('\n').slice(0, LONGEST);
}
