/** What a text says, in the plainest way to say it. */
export interface Wording {
  /** In order. Plain words in lower case; what must be the same to the letter (numbers, code, quotations, abbreviations) begins with `=`. */
  readonly words: readonly string[];
  /** The words as one text. */
  readonly said: string;
  /** Those of the words that stand with a capital inside a sentence. */
  readonly names: ReadonlySet<string>;
  /** Whether its writer uses capitals: it begins with one. */
  readonly isCased: boolean;
  /** Whether the words themselves matter: they are to be translated, corrected, counted, or stand after a colon. */
  readonly isLiteral: boolean;
}

const LITERAL =
  /:\s+\S|\b(?:translat\w*|correct(?:ion)?|spell\w*|rhym\w*|letters?|plural|singular|syllables?|rewrite|rephrase|paraphrase|proofread|repeat|reply|pronounce|grammar|say|words?|sentences?|phrases?|texts?|synonyms?|antonyms?|acronym|anagram)\b/i;

/** Around what `keep` has taken out of a text. */
const MARK = '\uE000';
const ASKED = '(?:how|what|which|who|where|when|why)';

/** Other ways to ask, and the plainest one. In this order, over words in lower case. */
const TURNS: readonly (readonly [turn: RegExp, plain: string])[] = [
  [/\b(?:please|kindly)\b/g, ' '],
  [/ {2,}/g, ' '],
  [/^ | $/g, ''],
  [/^(?:hi|hello|hey)(?: there)? (?=.)/, ''],
  [/\bthank you\b/g, 'thanks'],
  [/^(?:can|could|would|will) you (?=(?:tell|explain|show|give|list|name|write|suggest|recommend|describe|summarize) )/, ''],
  [/^(?:i want to|i would like to|i need to) (?:know|understand) /, ''],
  [new RegExp(`^do you know (?=${ASKED} )`), ''],
  [/^(explain|describe) to me /, '$1 '],
  [/^(explain|describe) (.+?) to me\b/, '$1 $2'],
  [/^(give|show|write|suggest|recommend|tell) me /, '$1 '],
  [new RegExp(`^(?:tell|show|explain|describe) (?=${ASKED} )`), ''],
  [/^(?:compose|write) /, 'write '],
  [/^(?:recommend|suggest) /, 'suggest '],
  [/^name (?=\d|\uE000|two |three |four |five |six |seven |eight |nine |ten )/, 'list '],
  [/^give (?:a |the )?summary of /, 'summarize '],
  [/\b(?:what|which) is (?:the|a) (?:best |right |correct |proper )?way (?:to|of) /g, 'how '],
  [/\bhow (?:do|can|could|should|would) (?:i|we|one) /g, 'how '],
  [/\bhow to /g, 'how '],
  [/\bwhere (?:can|could) (?=i |we )/g, 'where do '],
  [/^is (?:it possible|there a way) to /, 'can i '],
  [/^what is (?:the )?(?:number|amount) of /, 'how many '],
  [/^(how many .+) (?:is|are) there$/, '$1'],
  [/^how (?:much|many) is (?=\d|\uE000)/, 'what is '],
  [/^how tall (?:is|are) /, 'what is the height of '],
  [/^how old (?:is|are) /, 'what is the age of '],
  [/^what is the reason (?:that|why) /, 'why '],
  [/^explain the difference\b/, 'what is the difference'],
  [/^(?:what (?:is|are) )?the /, ''],
  [/^(?:define|explain(?! (?:the|this|that|these|those|it|my|your)\b)) /, 'what is '],
  [/\bwhich\b/g, 'what'],
  [/\b(say|says|saying) that\b/g, '$1'],
  [/\bget in touch with\b/g, 'contact'],
  [/\b(?:turn|switch) on\b/g, 'enable'],
  [/\b(?:turn|switch) off\b/g, 'disable'],
  // These are no articles, and so keep a mark.
  [/\ba (?=few\b|little\b)/g, 'a- '],
  [/\b(vitamin|hepatitis|type|plan|class|grade|group|category|option|section|part|series|level|version|appendix|team|room) a\b/g, '$1 a-'],
];

const SHORT_FORMS: readonly (readonly [short: RegExp, long: string])[] = [
  [/\b(?:can't|cannot)\b/g, 'can not'],
  [/\bwon't\b/g, 'will not'],
  [/n't\b/g, ' not'],
  [/\b(what|who|where|when|why|how|that|there|here|it|he|she)'s\b/g, '$1 is'],
  [/\bi'm\b/g, 'i am'],
  [/'re\b/g, ' are'],
  [/'ve\b/g, ' have'],
  [/'ll\b/g, ' will'],
  [/\bi'd\b/g, 'i would'],
];

const SMALL =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen';
const NUMBERS = new Map<string, string>([
  ...SMALL.split(' ').map((word, number) => [word, `=${number}`] as const),
  ...'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ').map((word, index) => [word, `=${10 * (index + 2)}`] as const),
  ...'first second third fourth fifth sixth seventh eighth ninth tenth'.split(' ').map((word, index) => [word, `=#${index + 1}`] as const),
  ...'half quarter hundred thousand million billion dozen once twice double triple'.split(' ').map((word) => [word, `=${word}`] as const),
]);

/** Code and quotations are one word, whatever stands in them. */
const WHOLE = /```[\s\S]*?```|`[^`]*`|"[^"]*"|“[^”]*”|„[^“”]*[“”]|«[^»]*»|(?<![\p{L}\p{N}])'[^']*'(?![\p{L}\p{N}])/gu;
const WORD = /^\p{L}[\p{L}\p{M}]*(?:['-]\p{L}[\p{L}\p{M}]*)*$/u;

/** Knows the turns of English; of other languages only what is written in capitals, digits and signs. */
export function wordingOf(text: string): Wording {
  const exact: string[] = [];
  const names = new Set<string>();
  const keep = (what: string): string => `${MARK}${exact.push(`=${what}`) - 1}${MARK}`;
  const chunks = text
    .replaceAll(MARK, ' ')
    .replaceAll('’', "'")
    .replace(WHOLE, (whole) => ` ${keep(whole)} `)
    .split(/\s+/);
  const plain = simplify(readWords(chunks, names, keep).join(' '));
  const words = plain.split(' ').map((word) => {
    if (word.startsWith(MARK)) return exact[Number(word.slice(1, -1))] ?? word;
    return NUMBERS.get(word) ?? (word === 'a-' ? '=a' : word.replaceAll('-', ''));
  });
  return { words, said: words.join(' '), names, isCased: /^\P{L}*\p{Lu}/u.test(text), isLiteral: LITERAL.test(text) };
}

/** Words in lower case, what is no plain word kept whole. Adds to `names`. */
function readWords(chunks: readonly string[], names: Set<string>, keep: (what: string) => string): string[] {
  const isShouted = !chunks.some((chunk) => /\p{Ll}/u.test(chunk));
  let opens = true;
  let before = '';
  const read = (chunk: string): string => {
    if (chunk.startsWith(MARK)) return chunk;
    const word = bare(chunk);
    const [after, isFirst] = [before, opens];
    before = word;
    opens = /[.?!:]$/.test(chunk);
    if (!WORD.test(word)) return /^[—–]?$/.test(word) ? '' : keep(word.replace(/(?<=\d),(?=\d{3})/g, ''));
    // A name of code: its capitals count.
    if (/\p{Ll}\p{Lu}/u.test(word)) return keep(word);
    const small = word.toLowerCase();
    if (isShouted || word === small) return small;
    // World War I.
    if (word === 'I') return names.has(after.toLowerCase()) ? keep('I') : 'i';
    // IT, US, WHO; plan A.
    if (word === word.toUpperCase() && (word.length > 1 || !isFirst)) return keep(small);
    if (!isFirst) names.add(small.replaceAll('-', ''));
    return small;
  };
  return chunks.map(read).filter((word) => word !== '');
}

/** Without the marks of a sentence; those that may be part of code or a number stay. */
function bare(chunk: string): string {
  const inner = chunk.replace(/^[(¿¡]+/, '').replace(/[.,?;:…]+$/, '');
  const plain = inner.replace(/[!?)]+$/, '');
  return WORD.test(plain) ? plain : inner;
}

function simplify(text: string): string {
  let said = text;
  for (const [short, long] of SHORT_FORMS) said = said.replace(short, long);
  for (const [turn, plain] of TURNS) said = said.replace(turn, plain);
  return said;
}
