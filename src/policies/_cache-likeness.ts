import type { Wording } from './_cache-wording.ts';

const wordsOf = (lists: readonly string[]): ReadonlySet<string> => new Set(lists.flatMap((list) => list.split(' ')));

/** Words that say much in little: a text that has one of them says something else than one that has not. */
const DECISIVE = wordsOf([
  'not no never without none nor neither nobody nothing nowhere except but unless if only just still again already too also even',
  'all every each both either more most less least few many much enough other another same',
  'before after during until till since while ago within by from to into onto at in for with about out on off up down over under above below between against through across',
  'who whom whose where when why how whether',
  'was were did had been will would should must may might could can',
  'mine we us our you your he him his she her they them their its this these those',
  'today tomorrow yesterday tonight now later soon morning noon afternoon evening night midnight',
  'monday tuesday wednesday thursday friday saturday sunday weekend',
  'january february march april may june july august september october november december spring summer autumn fall winter',
  'second seconds minute minutes hour hours day days week weeks month months year years century decade last next previous',
  'north south east west left right top bottom front back first',
  'or and versus vs instead than',
  'few little am pm',
]);

/** Words that ask: with or without them, here or there, the matter is the same. */
const LIGHT = wordsOf([
  'what i my me it that there tell give show explain know need want like help',
  'a an the of is are be do does some any yet',
  'really actually exactly currently basically maybe so ok okay well',
]);

/** How like each other two texts are by their words: `same` for two ways to ask one thing; `near` when nothing in the words forbids that vectors decide. */
export function likeness(a: Wording, b: Wording): 'same' | 'near' | 'other' {
  if (a.isLiteral || b.isLiteral || !areSameNames(a, b)) return 'other';
  if (a.said === b.said) return 'same';
  if (isYesNo(a) !== isYesNo(b)) return 'other';
  const [onlyA, onlyB] = [without(a.words, b.words), without(b.words, a.words)];
  const isFact = (word: string): boolean => word.startsWith('=') || a.names.has(word) || b.names.has(word) || DECISIVE.has(word);
  if (onlyA.some(isFact) || onlyB.some(isFact) || areArticlesSwapped(onlyA, onlyB)) return 'other';
  const forms = (words: readonly string[]): string => words.filter(weighs).map(stem).toSorted().join(' ');
  const inCommon = (words: readonly string[], only: readonly string[]): string => without(words, only).filter(weighs).join(' ');
  return forms(onlyA) === forms(onlyB) && inCommon(a.words, onlyA) === inCommon(b.words, onlyB) ? 'near' : 'other';
}

/** Polish is not polish, for those who use capitals at all. */
function areSameNames(a: Wording, b: Wording): boolean {
  return !a.isCased || !b.isCased || (a.names.size === b.names.size && a.names.isSubsetOf(b.names));
}

/** `Is it there` asks; `it is there` does not. */
function isYesNo({ words: [first = ''] }: Wording): boolean {
  return /^(?:is|are|do|does)$/.test(first);
}

/** A room is not the room; it may be missing altogether. */
function areArticlesSwapped(onlyA: readonly string[], onlyB: readonly string[]): boolean {
  const isAny = (words: readonly string[]): boolean => words.includes('a') || words.includes('an');
  return (isAny(onlyA) && onlyB.includes('the')) || (isAny(onlyB) && onlyA.includes('the'));
}

const weighs = (word: string): boolean => !LIGHT.has(word);

/** The first list less the second, each word as often as it is there. */
function without(words: readonly string[], taken: readonly string[]): string[] {
  const left = [...taken];
  return words.filter((word) => {
    const at = left.indexOf(word);
    if (at < 0) return true;
    left.splice(at, 1);
    return false;
  });
}

/** Without the ending of English that makes another form of a word, and no other word. */
function stem(word: string): string {
  return word.length < 4 ? word : word.replace(/(?:'s|s|es|d|ed|ing)$/, '').replace(/e$/, '');
}
