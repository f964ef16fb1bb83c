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
export function embeddedTexts(text: Findable): string[] {
  const { name, description, examples } = readable(text);
  return [`${name}. ${description}`, ...examples].map((part) => splitIdentifiers(part.slice(0, LONGEST_EMBEDDED)).trim());
}

/** The name counts twice: it says what a thing is, the rest what it has to do with. */
function matchedText(text: Findable): string {
  const { name, description, words, examples } = readable(text);
  return [name, name, description, ...words, ...examples].join('\n').slice(0, LONGEST);
}

/** Texts come from extensions, servers and callers: what is no text in one of them is absent, so that the others are found all the same. */
function readable({ name, description, words, examples }: Findable): Required<Findable> {
  return { name: textIn(name), description: textIn(description), words: textsIn(words), examples: textsIn(examples) };
}

function textIn(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
