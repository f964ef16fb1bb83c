import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatRate, parseRate, periodAt, windowOf } from '../../../../src/core/units/rate.ts';

const utc = (text: string): number => Date.parse(`${text}Z`);

describe('rates', () => {
  it.each([
    ['600/min', 600, 'minute'],
    ['200k/minute', 200_000, 'minute'],
    ['4.1M/day', 4_100_000, 'day'],
    ['0.07/h', 0.07, 'hour'],
    ['1.005k/s', 1005, 'second'],
    ['3/second', 3, 'second'],
    ['1/hour', 1, 'hour'],
    ['5/week', 5, 'week'],
    ['50/month', 50, 'month'],
    ['0/min', 0, 'minute'],
  ])('%s is read', (text, amount, per) => {
    expect(parseRate(text)).toEqual({ amount, per });
  });

  it.each(['600', '/min', '600/', '600/mn', '-1/min', '1.5.5/min', '6 /min', '600/m', '1G/day', '1e3/min', '5/weeks', '5/constructor'])(
    '%j is none',
    (text) => {
      expect(parseRate(text)).toBeUndefined();
    },
  );

  it('come back as they were', () => {
    const spans = fc.constantFrom('second', 'minute', 'hour', 'day', 'week', 'month');
    fc.assert(
      fc.property(fc.nat(), fc.nat(99), spans, (whole, cents, per) => {
        const rate = { amount: Number(`${whole}.${cents}`), per };
        expect(parseRate(formatRate(rate))).toEqual(rate);
      }),
    );
  });

  it('slide up to a day', () => {
    expect((['second', 'minute', 'hour', 'day', 'week', 'month'] as const).map(windowOf)).toEqual([
      1000,
      60_000,
      3_600_000,
      86_400_000,
      undefined,
      undefined,
    ]);
  });
});

describe('periods of the calendar', () => {
  it.each([
    ['second', '2026-11-21T08:05:09.250', '2026-11-21T08:05:09', '2026-11-21T08:05:10'],
    ['minute', '2026-11-21T08:05:59.999', '2026-11-21T08:05', '2026-11-21T08:06'],
    ['hour', '2026-11-21T08:59:59.999', '2026-11-21T08:00', '2026-11-21T09:00'],
    ['day', '2026-12-31T23:59:59.999', '2026-12-31T00:00', '2027-01-01T00:00'],
    // A Sunday, and the Monday that begins a week.
    ['week', '2026-11-22T23:59:59.999', '2026-11-16T00:00', '2026-11-23T00:00'],
    ['week', '2026-11-23T00:00:00.000', '2026-11-23T00:00', '2026-11-30T00:00'],
    ['week', '2027-01-01T12:00:00.000', '2026-12-28T00:00', '2027-01-04T00:00'],
    ['month', '2028-02-29T23:59:59.999', '2028-02-01T00:00', '2028-03-01T00:00'],
    ['month', '2026-12-01T00:00:00.000', '2026-12-01T00:00', '2027-01-01T00:00'],
  ] as const)('the %s of %s', (span, at, from, until) => {
    expect(periodAt(span, utc(at))).toEqual({ from: utc(from), until: utc(until) });
  });

  it('follow each other without a gap', () => {
    const spans = fc.constantFrom('second', 'minute', 'hour', 'day', 'week', 'month');
    fc.assert(
      fc.property(spans, fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }), (span, date) => {
        const { from, until } = periodAt(span, date.getTime());
        expect(from).toBeLessThanOrEqual(date.getTime());
        expect(until).toBeGreaterThan(date.getTime());
        expect(periodAt(span, until).from).toBe(until);
        expect(periodAt(span, until - 1)).toEqual({ from, until });
      }),
    );
  });
});
