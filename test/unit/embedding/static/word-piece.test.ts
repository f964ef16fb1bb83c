import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wordPieces } from '../../../../src/embedding/static/word-piece.ts';

const { vocab } = createRequire(import.meta.url)('hubgate-static-en/static.json') as { vocab: string[] };
const vocabulary = new Map(vocab.map((entry, index) => [entry, index]));
const pieces = (text: string): string[] => wordPieces(text, vocabulary).map((piece) => vocab[piece]!);

describe('wordPieces', () => {
  it.each([
    ['Create a Pull-Request, now!', ['create', 'a', 'pull', 'request', 'now']],
    ['unaffable authentication', ['una', '##ffa', '##ble', 'authentication']],
    ['Café naïve São', ['cafe', 'naive', 'sao']],
    ['INVITE', ['invite']],
    ['İstanbul', ['istanbul']],
    ['v2 2026', ['v', '2', '2', '0', '2', '6']],
    ['e\u00ADmail bell\u0007s', ['email', 'bells']],
    ['tab\tnew\nline', ['tab', 'new', 'line']],
    ['日本 привет', []],
    ['', []],
    ['a'.repeat(41), ['[UNK]']],
  ])('%s', (text, expected) => {
    expect(pieces(text)).toEqual(expected);
  });

  it('reads no more than 512 pieces', () => {
    expect(wordPieces('word '.repeat(600), vocabulary)).toHaveLength(512);
    expect(wordPieces('unaffable '.repeat(400), vocabulary)).toHaveLength(512);
  });

  it('puts any word of letters together again, and never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const piece of wordPieces(text, vocabulary)) expect(vocab[piece]).toBeDefined();
      }),
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{1,40}$/), (word) => {
        const found = pieces(word);
        expect(found.map((piece, at) => (at === 0 ? piece : piece.slice(2))).join('')).toBe(word);
        expect(found.slice(1).every((piece) => piece.startsWith('##'))).toBe(true);
      }),
    );
  });

  it('two texts side by side have the pieces of both', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.string({ unit: 'grapheme', maxLength: 60 }), (one, other) => {
        expect(pieces(`${one} ${other}`)).toEqual([...pieces(one), ...pieces(other)]);
      }),
    );
  });
});
