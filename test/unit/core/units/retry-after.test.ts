import fc from 'fast-check';
import { expect, it } from 'vitest';
import { retryAfterMs } from '../../../../src/core/units/retry-after.ts';

const NOW = Date.UTC(2026, 9, 21, 7, 28);

it.each([
  ['0', 0],
  ['120', 120_000],
  [' 1.5 ', 1_500],
  ['9999999999', 9_999_999_999_000],
  ['Wed, 21 Oct 2026 07:29:00 GMT', 60_000],
  ['Wednesday, 21-Oct-26 07:28:30 GMT', 30_000],
  ['Wed, 21 Oct 2026 07:27:00 GMT', 0],
])('%j is %i ms', (header, ms) => expect(retryAfterMs(header, NOW)).toBe(ms));

it.each([
  undefined,
  null,
  7,
  '',
  ' ',
  '-5',
  '+5',
  '1e3',
  '0x10',
  'Infinity',
  'NaN',
  '9'.repeat(400),
  'soon',
  'try in 5',
  'May 5',
  'Wed',
  ['5', '6'],
])('%j is nothing', (header) => expect(retryAfterMs(header, NOW)).toBeUndefined());

it('is a time that can be waited for, or nothing', () => {
  const date = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-01-01') }).map((one) => one.toUTCString());
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.float().map(String), date, fc.nat().map(String)), (header) => {
      const ms = retryAfterMs(header, NOW) ?? 0;
      expect(Number.isFinite(ms)).toBe(true);
      expect(ms).toBeGreaterThanOrEqual(0);
    }),
  );
  fc.assert(
    fc.property(date, (header) => {
      expect(retryAfterMs(header, NOW)).toBe(Math.max(0, Date.parse(header) - NOW));
    }),
  );
});
