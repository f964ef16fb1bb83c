import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyse, embeddedTexts } from '../../../../src/embedding/text/analysis.ts';
import { splitIdentifiers } from '../../../../src/embedding/text/split-identifiers.ts';
import { stem } from '../../../../src/embedding/text/stem.ts';
import { subQueries } from '../../../../src/embedding/text/sub-queries.ts';
import { wordsOf } from '../../../../src/embedding/text/words-of.ts';

describe('splitIdentifiers', () => {
  it.each([
    ['createPullRequest', 'create Pull Request'],
    ['XMLHttpRequest', 'XML Http Request'],
    ['tmdb.GET_movie-movie_id', 'tmdb GET movie movie id'],
    ['Sentences stay. See docs/a_b.', 'Sentences stay. See docs a b.'],
    ['page2Size', 'page2 Size'],
    ['plain words, as they are', 'plain words, as they are'],
  ])('%s', (text, expected) => {
    expect(splitIdentifiers(text)).toBe(expected);
  });
});

describe('stem', () => {
  it.each([
    [['create', 'creates', 'created', 'creating'], 'creat'],
    [['issue', 'issues'], 'issu'],
    [['repository', 'repositories', 'repositorys'], 'repositori'],
    [['search', 'searches', 'searching'], 'search'],
    [['run', 'running'], 'run'],
    [['movie', 'movies'], 'movi'],
    [['status'], 'status'],
    [['address', 'addresses'], 'address'],
    [['string'], 'string'],
  ])('%j have one stem', (words, expected) => {
    expect(new Set(words.map(stem))).toEqual(new Set([expected]));
  });
});

describe('wordsOf', () => {
  it('takes identifiers apart and leaves out what says nothing', () => {
    expect(wordsOf('Please give me the openIssues of repo_name, v2')).toEqual(['giv', 'open', 'issu', 'repo', 'nam', 'v', '2']);
  });

  it('a character of a script without spaces is a word', () => {
    expect(wordsOf('天気を search')).toEqual(['天', '気', 'を', 'search']);
  });

  it('never throws, gives no word with a space, and two texts side by side have the words of both', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        expect(wordsOf(text).filter((word) => word === '' || /\s/u.test(word))).toEqual([]);
      }),
    );
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), fc.string({ maxLength: 80 }), (one, other) => {
        expect(wordsOf(`${one}\n${other}`)).toEqual([...wordsOf(one), ...wordsOf(other)]);
      }),
    );
  });
});

describe('subQueries', () => {
  it.each([
    ['What is the weather in Paris?', []],
    ['Get the weather in Paris and then book a table', ['Get the weather in Paris', 'book a table']],
    ['First list all orders. Finally, cancel the last order!', ['First list all orders', 'Finally, cancel the last order']],
    ['salt and pepper', []],
    ['one two three  and   four five six', ['one two three', 'four five six']],
    ['one two three\nfour five six', ['one two three', 'four five six']],
    ['', []],
  ])('%s', (query, parts) => {
    expect(subQueries(query)).toEqual(parts);
  });

  it('are at most twelve, each a piece of the query', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('get it', 'and', 'then', '.', 'list all of them', '\n', 'also'), { maxLength: 80 }),
        (pieces) => {
          const query = pieces.join(' ');
          const parts = subQueries(query);
          expect(parts.length).toBeLessThanOrEqual(12);
          for (const part of parts) expect(query).toContain(part);
        },
      ),
    );
  });
});

describe('analyse', () => {
  const tool = { name: 'findPets', description: 'Pets by tag', words: ['tagName', '/pets'], examples: ['which dogs are there'] };

  it('words come from everything, what is embedded from name, description and examples', () => {
    const { words, hashes } = analyse(tool);
    expect(words.split(' ')).toEqual(['find', 'pet', 'find', 'pet', 'pet', 'tag', 'tag', 'nam', 'pet', 'dog']);
    expect(embeddedTexts(tool)).toEqual(['find Pets. Pets by tag', 'which dogs are there']);
    expect(hashes.map((hash) => hash.length)).toEqual([64, 64]);
  });

  it('is made once for an object, and by content for another', () => {
    expect(analyse(tool)).toBe(analyse(tool));
    expect(analyse({ ...tool })).toEqual(analyse(tool));
    expect(analyse({ ...tool, words: [] }).hashes).toEqual(analyse(tool).hashes);
    expect(analyse({ ...tool, description: 'Pets' }).hashes[0]).not.toBe(analyse(tool).hashes[0]);
  });
});
