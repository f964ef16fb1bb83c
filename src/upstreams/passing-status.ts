import type { ErrorCode } from '../core/errors.ts';

/** Of a server, or of something before it. */
const PASSING: ReadonlyMap<number, ErrorCode> = new Map([
  [429, 'upstream_limited'],
  [502, 'upstream_failed'],
  [503, 'upstream_overloaded'],
  [504, 'upstream_timeout'],
]);

/** The error that a status stands for which may pass; undefined for what is an answer. */
export function passingStatus(status: number): ErrorCode | undefined {
  return PASSING.get(status);
}
