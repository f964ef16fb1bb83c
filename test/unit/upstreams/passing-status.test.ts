import { expect, it } from 'vitest';
import { passingStatus } from '../../../src/upstreams/passing-status.ts';

it.each([
  [429, 'upstream_limited'],
  [502, 'upstream_failed'],
  [503, 'upstream_overloaded'],
  [504, 'upstream_timeout'],
  [200, undefined],
  [404, undefined],
  [500, undefined],
])('%i stands for %s', (status, code) => {
  expect(passingStatus(status)).toBe(code);
});
