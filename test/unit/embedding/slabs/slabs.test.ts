import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Slabs } from '../../../../src/embedding/slabs/slabs.ts';

const plain = (one: Float32Array, other: Float32Array): number => one.reduce((sum, number, dim) => sum + number * other[dim]!, 0);
const vectorOf = (dims: number) => fc.float32Array({ minLength: dims, maxLength: dims, min: -1, max: 1, noNaN: true });

describe('Slabs', () => {
  it.each([1, 15, 16, 17, 256, 384, 5000])('products of vectors of %d numbers are what a loop gives', (dims) => {
    const slabs = new Slabs(dims);
    const random = (seed: number): Float32Array => Float32Array.from({ length: dims }, (_, dim) => Math.sin(seed * 1000 + dim * 7));
    const vectors = Array.from({ length: dims > 1000 ? 40 : 2100 }, (_, number) => random(number));
    const rows = Int32Array.from(vectors.map((vector, number) => slabs.add(`${number}`, vector))).toReversed();
    const queries = [random(-1), random(-2)];
    const products = queries.map(() => new Float32Array(rows.length));
    for (let from = 0; from < rows.length; from += slabs.blockRows) {
      slabs.products(rows, from, Math.min(from + slabs.blockRows, rows.length), queries, products);
    }
    for (const at of [0, 1, 17, 39, rows.length - 1]) {
      const vector = vectors[rows.length - 1 - at]!;
      expect(products.map((one) => one[at]!)).toEqual(queries.map((query) => expect.closeTo(plain(vector, query), 2) as number));
    }
  });

  it('a row keeps its vector whatever comes and goes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(30), fc.boolean(), vectorOf(8)), { maxLength: 60 }), (steps) => {
        const slabs = new Slabs(8);
        const held = new Map<string, { row: number; vector: Float32Array; times: number }>();
        for (const [number, adds, vector] of steps) {
          const hash = `${number}`;
          const before = held.get(hash);
          if (adds && before === undefined) held.set(hash, { row: slabs.add(hash, vector), vector, times: 1 });
          else if (adds) {
            expect(slabs.hold(hash)).toBe(before!.row);
            before!.times += 1;
          } else if (before !== undefined) {
            slabs.letGo(before.row);
            before.times -= 1;
            if (before.times === 0) held.delete(hash);
          } else expect(slabs.hold(hash)).toBeUndefined();
        }
        expect(slabs.size).toBe(held.size);
        const query = new Float32Array(8).fill(1);
        for (const { row, vector } of held.values()) {
          const product = new Float32Array(1);
          slabs.products(Int32Array.of(row), 0, 1, [query], [product]);
          expect(product[0]).toBeCloseTo(plain(vector, query), 4);
        }
      }),
    );
  });
});
