import { expect, it } from 'vitest';
import { ERRORS, type ErrorCode } from '../../../../src/core/errors.ts';
import { failureKind } from '../../../../src/pipeline/attempts/failures.ts';

it('every error of an upstream is of a kind, but for those that are an answer to the caller', () => {
  const upstream = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => code.startsWith('upstream_'));
  expect(upstream.length).toBeGreaterThan(5);
  expect(upstream.filter((code) => failureKind(code) === undefined)).toEqual([]);
});

it('what the caller did, and what the hub itself refuses, is of none', () => {
  const codes: ErrorCode[] = [
    'bad_request',
    'unauthenticated',
    'forbidden',
    'limit_exceeded',
    'rule_refused',
    'client_closed',
    'internal',
    'unavailable',
    'model_refused',
    'context_too_long',
    'content_refused',
    'tool_unknown',
  ];
  expect(codes.filter((code) => failureKind(code) !== undefined)).toEqual([]);
});

it('what may be tried again at the same target is retryable for callers too', () => {
  const passing = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => ['passing', 'slow', 'limited'].includes(failureKind(code)!));
  expect(passing.filter((code) => !ERRORS[code].retryable)).toEqual([]);
});
