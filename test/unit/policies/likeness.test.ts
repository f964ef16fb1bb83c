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
    ["What's the capital of France?", 'the capital of france'],
    ['I can’t log in', 'I cannot log in!'],
    ['book a table for two at seven', 'Book a table for 2 at 7, please'],
    ['What does `git rebase` do?', 'what does `git rebase` do'],
    ['Convert 1,000 USD to EUR', 'convert 1000 USD to EUR'],
    ['Is the Wi-Fi free', 'is the wifi free?'],
  ])('%s · %s', (a, b) => {
    expect([like(a, b), like(b, a)]).toEqual(['same', 'same']);
  });
});

describe('two texts may mean the same', () => {
  it.each([
    ['What does HTTP 404 mean?', 'What is the meaning of HTTP 404?'],
    ['How do I write a unit test in Go?', 'How can I write unit tests in Go?'],
    ['How do I change the address?', 'So how do I actually change my address?'],
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
    expect(count).toEqual({ same: 199, different: 406 });
    expect(at(PLAIN.sameRequest)).toEqual({ same: 75, different: 0 });
    expect(at(0.9, false).different).toBeGreaterThan(100);
  });
});
