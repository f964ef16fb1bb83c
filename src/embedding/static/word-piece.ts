/** A word that no entries make up. */
const UNKNOWN = '[UNK]';
const LONGEST_WORD = 40;
/** What transformers.js reads of a text, by `model_max_length`. */
const MOST_PIECES = 512;

// As BertNormalizer has them: what separates words, and what is taken out. A tab or a line's end is a control character that separates.
const CONTROL = /[[\p{Cc}\p{Cf}\p{Co}\p{Cs}\uFFFD]--[\t\n\r]]/gv;
const MARKS = /\p{Mn}/gu;
const WORDS = /[a-z]+|[0-9]/g;
const PLAIN = /^[\t\n\r\x20-\x7E]*$/;

/**
 * The entries of the vocabulary that a text consists of, as the tokenizer.json of hubgate-static-en has it: lower case without accents, runs of a to z and
 * single digits, each cut from its start into the longest entries there are, later ones beginning with `##`.
 */
export function wordPieces(text: string, vocabulary: ReadonlyMap<string, number>): number[] {
  const pieces: number[] = [];
  for (const [word] of normalised(text).matchAll(WORDS)) {
    if (!addPieces(word, vocabulary, pieces)) pieces.push(vocabulary.get(UNKNOWN) ?? 0);
    if (pieces.length >= MOST_PIECES) return pieces.slice(0, MOST_PIECES);
  }
  return pieces;
}

function normalised(text: string): string {
  const lower = text.toLowerCase();
  return PLAIN.test(lower) ? lower : lower.replace(CONTROL, '').normalize('NFD').replace(MARKS, '');
}

/** False, and nothing is added, when the word cannot be made up. */
function addPieces(word: string, vocabulary: ReadonlyMap<string, number>, into: number[]): boolean {
  const before = into.length;
  let start = word.length > LONGEST_WORD ? -1 : 0;
  while (start >= 0 && start < word.length) {
    const end = addLongest(word, start, vocabulary, into);
    start = end;
  }
  if (start < 0) into.length = before;
  return start >= 0;
}

/** Where the longest entry ends that begins at `start`; -1 when there is none. */
function addLongest(word: string, start: number, vocabulary: ReadonlyMap<string, number>, into: number[]): number {
  for (let end = word.length; end > start; end--) {
    const part = word.slice(start, end);
    const piece = vocabulary.get(start === 0 ? part : `##${part}`);
    if (piece === undefined) continue;
    into.push(piece);
    return end;
  }
  return -1;
}
