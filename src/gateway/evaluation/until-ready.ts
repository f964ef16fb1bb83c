import { setTimeout } from 'node:timers/promises';
import type { Found, SemanticStatus } from '../../core/contracts/semantics.ts';
import { GatewayError } from '../../core/errors.ts';

/** Milliseconds that an answer may be waited for; whoever asks asks again, and says meanwhile what for. */
export const PATIENCE_MS = 2_000;
const PAUSE_MS = 50;

export interface Readiness {
  /** Resolves when no model is being loaded any more. */
  settled(): Promise<void>;
  status(): readonly SemanticStatus[];
}

/**
 * Resolves when what answers is what will go on answering: figures of a lower rung that only stands in would say nothing.
 * `ask` is asked until then. Throws GatewayError `unavailable` after a while.
 */
export async function untilReady(
  semantics: Readiness,
  ask: () => Promise<Pick<Found, 'degraded' | 'model'>>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const end = performance.now() + patienceMs;
  // The first question is what lets a model be loaded that nobody has asked for yet.
  let found = await ask();
  await Promise.race([semantics.settled(), setTimeout(patienceMs, undefined, { ref: false })]);
  for (;;) {
    const reason = waitsFor(found, semantics.status());
    if (reason === undefined) return;
    if (performance.now() > end) throw new GatewayError('unavailable', `The model is not ready. ${reason}`);
    await setTimeout(PAUSE_MS);
    found = await ask();
  }
}

/** What is still to come. One that cannot be had, and is told as such, is not waited for. */
function waitsFor({ degraded, model }: Pick<Found, 'degraded' | 'model'>, models: readonly SemanticStatus[]): string | undefined {
  if (degraded !== undefined) {
    const asked = models.find(({ requested }) => requested === degraded.requested);
    return asked === undefined || asked.degraded ? undefined : degraded.reason;
  }
  if (model === undefined || models.some((one) => one.model === model)) return undefined;
  return 'Its vectors are being made.';
}
