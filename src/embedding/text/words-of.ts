import { splitIdentifiers } from './split-identifiers.ts';
import { stem } from './stem.ts';

// Scripts without spaces between words: a character is a word.
const WORDS = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]|[\p{L}\p{M}]+|\p{N}+/gu;
const LONGEST = 64;

/** Words that nearly every text has and that say nothing of what it is for. */
const STOP = new Set(
  'a an and are as at be been by can could did do does for from had has have how i if in into is it its may me my of on or our please should so some that the their them then there these they this to us want was we were what when where which who whose will with would you your'.split(
    ' ',
  ),
);

/** The words of a text in their stems, in its order; identifiers are taken apart. */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (const [word] of splitIdentifiers(text).toLowerCase().normalize('NFC').matchAll(WORDS)) {
    if (!STOP.has(word)) words.push(stem(word).slice(0, LONGEST));
  }
  return words;
}
