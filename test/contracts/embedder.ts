import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Embedder } from '../../src/core/contracts/embedder.ts';

export function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, at) => sum + value * b[at]!, 0);
}

/** Anything that a caller may write, in any language or none. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.constantFrom('', ' ', '\0', '\ud800', 'createPullRequest', 'a'.repeat(20_000), 'find the weather '.repeat(500)),
);

/** What every embedder has to pass. `make` gives a new instance. */
export function examineEmbedder(name: string, make: () => Promise<Embedder>): void {
  describe(`embedder: ${name}`, () => {
    let embedder: Embedder;
    beforeAll(async () => {
      embedder = await make();
    });
    afterAll(() => embedder[Symbol.asyncDispose]?.());

    it('says what it is: an id that names the vectors, their length, and how many texts it takes', () => {
      expect(embedder.id).toMatch(/^[\w.:/-]+@.+/);
      expect(embedder.dims).toBeGreaterThan(1);
      expect(embedder.batch).toBeGreaterThanOrEqual(1);
    });

    it('gives a unit vector for each text, in their order, whatever the texts', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(anyText, { maxLength: Math.min(8, embedder.batch) }),
          fc.constantFrom('query', 'document'),
          async (texts, as) => {
            const vectors = await embedder.embed(texts, as);
            expect(vectors).toHaveLength(texts.length);
            for (const vector of vectors) {
              expect(vector).toBeInstanceOf(Float32Array);
              expect(vector).toHaveLength(embedder.dims);
              const length = Math.sqrt(cosine(vector, vector));
              // A text without a word has nothing to point at.
              expect(length === 0 || Math.abs(length - 1) < 1e-3, `a vector of length ${length}`).toBe(true);
            }
          },
        ),
        { numRuns: 20 },
      );
    });

    it('gives the same text the same vector: alone, among others, at the same time', async () => {
      const texts = ['send an email', 'w', 'list all pull requests of a repository that are open', 'play music'];
      const [together, ...alone] = await Promise.all([
        embedder.embed(texts, 'query'),
        ...texts.map((text) => embedder.embed([text], 'query')),
      ]);
      for (const [at, [one]] of alone.entries()) expect(cosine(together![at]!, one!)).toBeGreaterThan(0.99);
    });

    it('embeds as many texts as it says', async () => {
      const texts = Array.from({ length: embedder.batch }, (_, at) => `number ${at} of many`);
      const vectors = await embedder.embed(texts, 'document');
      const [last] = await embedder.embed(texts.slice(-1), 'document');
      expect(vectors).toHaveLength(texts.length);
      expect(cosine(vectors.at(-1)!, last!)).toBeGreaterThan(0.99);
    });

    it('is called the same when it is made again, and its vectors are the same', async () => {
      const other = await make();
      try {
        expect([other.id, other.dims]).toEqual([embedder.id, embedder.dims]);
        const [[one], [same]] = await Promise.all([
          embedder.embed(['deliver a message'], 'query'),
          other.embed(['deliver a message'], 'query'),
        ]);
        expect(cosine(one!, same!)).toBeGreaterThan(0.999);
      } finally {
        await other[Symbol.asyncDispose]?.();
      }
    });
  });
}
