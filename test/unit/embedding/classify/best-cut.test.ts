import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bestCut, type Outcome } from '../../../../src/embedding/classify/best-cut.ts';

const of = (isRight: boolean | undefined, ...scores: number[]): Outcome[] => scores.map((score) => ({ score, isRight }));

describe('where to cut', () => {
  it('in the middle of the gap between texts of a class and texts of none', () => {
    expect(bestCut([...of(true, 0.8, 0.9, 0.7), ...of(undefined, 0.1, 0.3)])).toBeCloseTo(0.5);
  });

  it('wrong classes are worth nothing above it', () => {
    expect(bestCut([...of(true, 0.8, 0.9), ...of(false, 0.4), ...of(undefined, 0.5)])).toBeCloseTo(0.65);
  });

  it('with nothing out of scope a tenth may fall', () => {
    expect(bestCut(of(true, 0.1, 0.5, 0.52, 0.55, 0.6, 0.7, 0.8, 0.9, 0.92, 0.95))).toBe(0.5);
    expect(bestCut([])).toBe(0);
  });

  it('parts at least as well as any score does', () => {
    const outcome = fc.record({
      score: fc.integer({ min: 0, max: 100 }).map((score) => score / 100),
      isRight: fc.constantFrom(true, false, undefined),
    });
    fc.assert(
      fc.property(fc.array(outcome, { minLength: 2 }), (outcomes) => {
        const outside = outcomes.filter(({ isRight }) => isRight === undefined);
        fc.pre(outside.length > 0 && outside.length < outcomes.length);
        const value = (cut: number): number =>
          outcomes.filter(({ isRight, score }) => isRight && score >= cut).length / (outcomes.length - outside.length) +
          (0.75 * outside.filter(({ score }) => score < cut).length) / outside.length;
        const found = value(bestCut(outcomes));
        for (const { score } of outcomes) expect(found).toBeGreaterThanOrEqual(value(score) - 1e-9);
      }),
    );
  });
});
