import type { ErrorCode } from '../../core/errors.ts';

/**
 * What the failure of an attempt means for the call and for its target.
 * - `passing`: another try at the same target may succeed; the target has failed.
 * - `slow`: so has it, but whoever waited that long does not wait again.
 * - `limited`: the target wants rest, and is well.
 * - `key`: the vendor does not take this key; another may do.
 * - `elsewhere`: this target cannot do it, another may; nothing is wrong with it.
 * All else is the caller's: no target would answer otherwise.
 */
export type FailureKind = 'passing' | 'slow' | 'limited' | 'key' | 'elsewhere';

const KINDS: Partial<Record<ErrorCode, FailureKind>> = {
  upstream_unreachable: 'passing',
  upstream_failed: 'passing',
  upstream_overloaded: 'passing',
  upstream_cut: 'passing',
  upstream_timeout: 'slow',
  upstream_limited: 'limited',
  upstream_unauthorized: 'key',
  upstream_no_credit: 'key',
  upstream_too_large: 'elsewhere',
  egress_refused: 'elsewhere',
  model_unknown: 'elsewhere',
  not_implemented: 'elsewhere',
};

export function failureKind(code: ErrorCode): FailureKind | undefined {
  return KINDS[code];
}
