import { describe, expect, it } from 'vitest';
import { routingFigures, type RouteResult } from '../../../../src/gateway/evaluation/classification.ts';

const result = (expected: string | null, given: string | null, scores: RouteResult['scores'] = []): RouteResult => ({
  text: 't',
  expected,
  given,
  scores,
});

describe('routingFigures', () => {
  it('are those that one works out by hand', () => {
    const score = { name: 'billing', score: 0.3, threshold: 0.4 };
    const figures = routingFigures(
      [
        result('billing', 'billing', [score]),
        result('billing', 'refunds'),
        result('billing', null),
        result('refunds', 'refunds'),
        result(null, null),
        result(null, 'refunds'),
        result('billing', 'refunds'),
      ],
      ['billing', 'refunds', 'hours'],
    );
    expect(figures).toEqual({
      texts: 7,
      accuracy: 3 / 7,
      inScope: 2 / 5,
      none: 1 / 2,
      classes: [
        { name: 'billing', texts: 4, precision: 1, recall: 1 / 4, threshold: 0.4 },
        { name: 'hours', texts: 0 },
        { name: 'refunds', texts: 1, precision: 1 / 4, recall: 1 },
      ],
      confused: [
        { expected: 'billing', given: 'refunds', count: 2 },
        { expected: 'billing', given: null, count: 1 },
        { expected: null, given: 'refunds', count: 1 },
      ],
    });
  });

  it('tell intents from none where only one of them was asked about', () => {
    expect(routingFigures([result('a', 'a')], ['a'])).not.toHaveProperty('none');
    expect(routingFigures([result(null, null)], ['a'])).not.toHaveProperty('inScope');
    expect(routingFigures([], [])).toEqual({ texts: 0, accuracy: 0, classes: [], confused: [] });
  });

  it('show an intent that there is not', () => {
    expect(routingFigures([result('bilings', 'billing')], ['billing']).classes.map(({ name }) => name)).toEqual(['bilings', 'billing']);
  });
});
