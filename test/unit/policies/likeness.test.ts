import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scorePairs } from '../../../bench/semantic-cache.ts';
import { PLAIN } from '../../../src/embedding/models/known-models.ts';
import { likeness } from '../../../src/policies/_cache-likeness.ts';
import { wordingOf } from '../../../src/policies/_cache-wording.ts';
import { staticSemantics } from '../../support/static-semantics.ts';

const like = (a: string, b: string): string => likeness(wordingOf(a), wordingOf(b));

describe('two texts say the same', () => {
  it.each([
    ['How do I boil an egg?', 'Please tell me how to boil an egg.'],
    ['how can i boil an egg', 'How do I boil an egg?'],
    ["What's the capital of France?", 'what is the capital of France'],
    ['Can you tell me who wrote Dracula?', 'Who wrote Dracula?'],
    ['I would like to know what the weather does', 'I would like to know what the weather does.'],
    ['What does `git rebase` do?', 'what does `git rebase` do?'],
  ])('%s · %s', (a, b) => {
    expect([like(a, b), like(b, a)]).toEqual(['same', 'same']);
  });
});

describe('two texts may mean the same', () => {
  it.each([
    ['How do I boil an egg?', "What's the best way to boil an egg?"],
    ['How do I change the address?', 'So how do I actually change the address?'],
    ['Hello, is the pool open?', 'Is the pool open?'],
    ['Can you explain entropy?', 'Explain entropy'],
  ])('%s · %s', (a, b) => {
    expect([like(a, b), like(b, a)]).toEqual(['near', 'near']);
  });
});

describe('two texts say something else', () => {
  it.each([
    ['a number', 'What is 12 times 7?', 'What is 12 times 8?'],
    ['a number in words', 'List three uses of vinegar', 'List five uses of vinegar'],
    ['a sign', 'What is -5 plus 3?', 'What is 5 plus 3?'],
    ['a unit', 'How much is 5 MB?', 'How much is 5 GB?'],
    ['a currency', 'send $50', 'send €50'],
    ['a date', 'the weather today', 'the weather tomorrow'],
    ['an hour', 'open at 3 am?', 'open at 3?'],
    ['a name', 'How old is Tom Hanks?', 'How old is Tom Cruise?'],
    ['a name in small letters', 'the weather in paris', 'the weather in rome'],
    ['a capital', 'What is polish?', 'What is Polish?'],
    ['an abbreviation', 'Is IT fun?', 'Is it fun?'],
    ['a quotation', 'Is "their" right?', 'Is "there" right?'],
    ['code', 'What does `git rebase` do?', 'What does `git reset` do?'],
    ['an identifier', 'What does getUserName return?', 'What does setUserName return?'],
    ['an operator', 'a + b', 'a - b'],
    ['an address', 'Summarize https://example.com/a', 'Summarize https://example.com/b'],
    ['a no', 'My order has arrived', "My order hasn't arrived"],
    ['a without', 'a recipe with nuts', 'a recipe without nuts'],
    ['a prefix', 'Is it legal to park here?', 'Is it illegal to park here?'],
    ['an order', 'Convert EUR to USD', 'Convert USD to EUR'],
    ['an order of small words', 'how do i convert a string to a number', 'how do i convert a number to a string'],
    ['an opposite', 'turn on dark mode', 'turn off dark mode'],
    ['a thing', 'How do I boil an egg?', 'How do I fry an egg?'],
    ['something added', 'Write a letter to the bank', 'Write a formal letter to the bank'],
    ['a time', 'What is the deadline?', 'What was the deadline?'],
    ['a person', 'What is my salary?', 'What is your salary?'],
    ['a question', 'Is it there?', 'It is there'],
    ['how', 'Write a haiku', 'How do I write a haiku?'],
    ['words that matter themselves', 'Translate: the dog', 'Translate: a dog'],
    ['a word that is none', 'What does please mean?', 'What does kindly mean?'],
    ['who is to do it', 'How should I file taxes?', 'How can we file taxes?'],
    ['a sign of mathematics', 'What is n! for large values', 'What is n for large values'],
    ['a comma', '3,141', '3141'],
    ['what is possible', 'Is it possible to kill a goose', 'Can I kill a goose'],
    ['a step further in', 'Run\n if x:\n  a', 'Run\n if x:\n a'],
    ['an article', 'What is the matter?', 'What is matter?'],
    ['a phrase alone', 'The title', 'What is the title?'],
    ['a statement', 'You are sure.', 'You are sure?'],
    ['small letters', 'what is polish', 'What is Polish'],
    ['a hyphen', 'How do I recover a sofa?', 'How do I re-cover a sofa?'],
    ['another language', 'Schalte das Licht an', 'Schalte das Licht aus'],
    ['a language without spaces', '今天天气怎么样？', '明天天气怎么样？'],
  ])('%s: %s · %s', (_, a, b) => {
    expect([like(a, b), like(b, a)]).toEqual(['other', 'other']);
  });

  it('whatever number, code or quotation stands in the place of another', () => {
    const literal = fc.oneof(
      fc.integer().map(String),
      fc.string({ minLength: 1 }).map((text) => `\`${text.replaceAll('`', '')}\``),
      fc.stringMatching(/^[a-z]+_[a-z]+$/),
    );
    fc.assert(
      fc.property(literal, literal, (a, b) => {
        fc.pre(a !== b);
        expect(like(`How do I use ${a} here?`, `How can I use ${b} here?`)).toBe('other');
      }),
    );
  });

  it('whatever word stands in the place of another, is missing, or has another form, however much is around it', () => {
    const light =
      'what I my me it that there tell give show explain know need want like help a an the of is are be do does some any really well please kindly';
    const forms =
      'plan plane planes planned rate rat rates rats car care cars tape tap taped order orders ordering pin pine fish fishing work worked';
    const word = fc.constantFrom('', ...light.split(' '), ...forms.split(' '));
    const carrier = fc.constantFrom(
      ['How do I ', ' this now?'],
      ['What is the ', ' of it?'],
      ['Please tell me how to change ', ''],
      ['We are a small firm in Munich. The customers pay by bank transfer. The heating broke twice. Do I ', ' it?'],
    );
    fc.assert(
      fc.property(carrier, word, word, ([before, after], a, b) => {
        fc.pre(a !== b);
        expect(like(`${before}${a}${after}`, `${before}${b}${after}`)).toBe('other');
      }),
      { numRuns: 500 },
    );
  });

  it('and nothing of this depends on the order of the two, nor fails for any text', () => {
    const word = fc.constantFrom(
      'how',
      'do',
      'I',
      'the',
      'Paris',
      'paris',
      '3',
      'three',
      'not',
      '"a b"',
      '`x`',
      'eggs',
      'boil',
      '?',
      "can't",
      'A',
      '\uE000',
    );
    const text = fc.oneof(
      fc.array(word, { maxLength: 8 }).map((words) => words.join(' ')),
      fc.string({ unit: 'binary', maxLength: 60 }),
    );
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(like(a, b)).toBe(like(b, a));
        expect(['same', 'other']).toContain(like(a, a));
      }),
    );
  });
});

describe('pairs of questions, with the model that comes with the hub', () => {
  it('share answers as the page says: none that must not', async () => {
    const semantics = staticSemantics();
    await semantics.settled();
    const { count, at } = await scorePairs(async (texts) => (await semantics.embed(texts)).vectors);
    await semantics.close();
    expect(count).toEqual({ same: 199, different: 472 });
    expect(at(PLAIN.sameRequest)).toEqual({ same: 27, different: 0 });
    // By the rules alone: whatever the vectors say.
    expect(at(0)).toEqual({ same: 37, different: 0 });
    expect(at(0.9, false).different).toBeGreaterThan(100);
  });
});
