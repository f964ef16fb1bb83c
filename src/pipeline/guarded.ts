import type { Call, Lane } from '../core/call.ts';
import type { Awaitable } from '../core/contracts/extension.ts';
import { GatewayError } from '../core/errors.ts';
import type { Step } from './chain.ts';

/**
 * One hook under the rules of its stage. Returns at once what is not a promise: an `await` on every hook costs more than the hooks.
 * An observer's refusals, and its changes of the input, are undone.
 */
export function guarded<L extends Lane, T>(step: Step, call: Call<L>, hook: () => Awaitable<T>): Awaitable<T | undefined> {
  const input = call.input;
  try {
    const result = hook();
    if (!(result instanceof Promise)) {
      if (step.observes) call.input = input;
      return result;
    }
    const timed = step.timeoutMs === undefined ? result : inTime(step, result, step.timeoutMs);
    return timed.then(
      (value) => {
        if (step.observes) call.input = input;
        return value;
      },
      (error: unknown) => failed(step, call, input, error),
    );
  } catch (error) {
    return failed(step, call, input, error);
  }
}

function failed<L extends Lane>(step: Step, call: Call<L>, input: Call<L>['input'], error: unknown): undefined {
  if (step.observes) call.input = input;
  tolerate(step, call, error);
}

/** Throws what refuses the call when a hook has thrown `error`; logs what may be passed over. */
export function tolerate<L extends Lane>(step: Step, call: Call<L>, error: unknown): void {
  if (!step.observes) {
    if (error instanceof GatewayError && !(error instanceof LatePolicy)) throw error;
    if (step.refusesOnFailure) {
      call.log.error({ call: call.id, policy: step.name, stage: step.stage, err: error }, 'policy failed, so the call is refused');
      throw new GatewayError('internal', `The policy ${step.name} failed, so the call is refused.`, { cause: error });
    }
  }
  call.log.error({ call: call.id, policy: step.name, stage: step.stage, err: error }, 'policy failed and was skipped');
}

export class LatePolicy extends GatewayError {
  constructor({ name, timeoutMs }: Step) {
    super('internal', `The policy ${name} took longer than ${timeoutMs} ms.`);
  }
}

function inTime<T>(step: Step, result: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LatePolicy(step)), timeoutMs);
  });
  return Promise.race([result, late]).finally(() => clearTimeout(timer));
}
