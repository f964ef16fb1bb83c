/** What a text says, in the plainest way to say it. Whatever is not known for another way to ask stands as it was written, to the letter. */
export interface Wording {
  /** The same for texts that ask the same. */
  readonly said: string;
  /** The same for texts that most likely ask the same: without what leads up to the question. */
  readonly gist: string;
  /** Whether the words themselves matter: they are to be translated, corrected, counted, stand after a colon, or in several lines. */
  readonly isLiteral: boolean;
}

const LITERAL =
  /[^\S ]| {2}|:\s+\S|\b(?:translat\w*|correct(?:ion)?|spell\w*|rhym\w*|letters?|plural|singular|syllables?|rewrite|rephrase|paraphrase|proofread|repeat|reply|pronounce|grammar|say|words?|sentences?|phrases?|texts?|synonyms?|antonyms?|acronym|anagram|titles?|songs?|lyrics|quotes?)\b/iu;

/** What is done step by step. Before others it matters which it is: `how do I look` is not `how can I look`, nor `how can I help` `how to help`. */
const DONE = `(?:${[
  'activate add apply archive assemble attach automate back bake block boil book build buy calculate cancel change charge check clean clear',
  'close combine compile compress configure connect contact convert cook copy create customize cut debug defrost delete deploy disable',
  'disconnect download edit enable encrypt enter export extract file filter find fix format freeze get grow hide import increase insert',
  'install integrate invite join learn link list load lose lower make measure merge migrate mount move open order pack paint parse pay peel plant',
  'prepare prevent print publish read rebase reduce refactor register reinstall remove rename renew repair replace report request reset',
  'resize restart restore return reverse revert roast rotate run save schedule search sell send serve set share sort split start stop store',
  'submit subscribe switch sync test tie track train transfer turn undo uninstall unlock unsubscribe update upgrade upload use verify wash write',
]
  .join(' ')
  .replaceAll(' ', '|')})`;

/** What begins a question, and does so in no other text. */
const BEGINS =
  '(?:how to|what (?:is|are) (?:the|a|an|my|your|our)|(?:where|why) (?:is|are)|(?:what|where|why) (?:do|does)|who (?:is|wrote|discovered|painted|invented|founded)) ';

/** A first word whose capital says nothing: it is no name. */
const FIRST =
  /^(?:How|What|Which|Where|Why|When|Who(?= (?:is|are|was|were|does|did|has|can|wrote|discovered|painted|invented|founded) )|Is|Are|Do|Does|Did|Can|Could|Should|Please|Tell|Show|Give|List|Write|Explain|Describe|Summarize|Convert|Compare|Recommend|Suggest|Book(?= (?:a|the) ))(?=(?:'s)? [\p{Ll}\p{N}I])/u;

/** Other ways to ask, and the plainest one, each at the beginning of a text. In this order. */
const TURNS: readonly (readonly [turn: RegExp, plain: string])[] = [
  [/^((?:how|what|where|why|when) )?(do|can|could|should|did|am) i(?= )/, '$1$2 I'],
  [/^what's (?=(?:the|a|an|my|your|our) )/, 'what is '],
  [/^(who|where)'s (?=(?:the|my|your|our) )/, '$1 is '],
  [/^please (?=(?:tell|give|show) me |(?:explain|describe|summarize|list|write|suggest|recommend|convert|compare|book) )/, ''],
  [new RegExp(`^(?:(?:can|could) you )?(?:please )?tell me (?=${BEGINS})`), ''],
  [new RegExp(`^I(?: would|'d| want)(?: like)? to know (?=${BEGINS})`), ''],
  [/^give (?:me )?a summary of (?=the )/, 'summarize '],
  [new RegExp(`^(?:how (?:do|can) I|what is the way to) (?=${DONE} )`), 'how to '],
];

/** Ways to ask that may say more: only with vectors that do not differ. */
const LOOSE: readonly (readonly [turn: RegExp, plain: string])[] = [
  [/^(?:(?:so|ok|okay|well),? |(?:hi|hello|hey)(?: there)?,? )(?=(?:how|what|where|why|who|can you|could you|please) )/i, ''],
  [/^(?:hi|hello|hey)(?: there)?, (?=(?:is|are|do|does) )/i, ''],
  [new RegExp(`^(how (?:do|can) i) (?:actually|basically) (?=${DONE} )`, 'i'), '$1 '],
  [/^(?:can|could) you (explain|tell me) ([^.?!;:]+)\?$/i, '$1 $2'],
  [/^which (?=\p{Ll}+(?: \p{Ll}+)? do (?:you|i) )/iu, 'what '],
];
const BEST = new RegExp(`^what is the (?:best|right|correct|proper) way to (?=${DONE} )`);

/** One sentence that asks, with a question mark or without. */
const ASKS =
  /^(?:how to|what (?:is|are) (?:the|a|an|my|your|our)|what (?:do|does|did|can|should)|(?:where|why|how) (?:is|are|do|does|did|can|should)|who (?:is|are|wrote|discovered|painted|invented|founded)|(?:is|are|does|did|could|should) (?:I|you|we|they|it|the|my|your|there|this)|(?:do|can) (?:I|you|we|they)) (?!.*[.?!;:…] )/;

/** Knows some turns of English. All else, of other languages and in the middle of a text, is as it is written. */
export function wordingOf(text: string): Wording {
  const written = text.trim();
  const loose = LOOSE.reduce((said, [turn, plain]) => said.replace(turn, plain), written);
  const gist = plainOf(loose).replace(BEST, 'how to ');
  return { said: plainOf(written), gist, isLiteral: LITERAL.test(written) };
}

function plainOf(text: string): string {
  let said = text.replace(/(?<=\p{L})’(?=\p{L})/gu, "'").replace(FIRST, (word) => word.toLowerCase());
  for (const [turn, plain] of TURNS) said = said.replace(turn, plain);
  // Where no mark is needed to tell that it is a question, none counts. That of a statement does.
  return ASKS.test(said) ? said.replace(/(?<=[\p{L}\p{N}])[.?]$/u, '') : said.replace(/(?<=\p{Ll}{2})\.$/u, '');
}
