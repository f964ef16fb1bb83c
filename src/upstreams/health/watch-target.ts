import type { BreakerSettings } from './breaker.ts';
import type { Gauge } from './gauge.ts';
import { startHealthCheck } from './health-check.ts';

/** `health:` and `breaker:` of an upstream in the configuration. Times are milliseconds. */
export interface WatchSettings {
  readonly breaker?: Partial<BreakerSettings> | undefined;
  readonly health?:
    | { readonly interval?: number; readonly timeout?: number; readonly unhealthyAfter?: number; readonly healthyAfter?: number }
    | undefined;
}

const INTERVAL_MS = 30_000;
/** For one check. */
export const CHECK_TIMEOUT_MS = 5_000;

/**
 * Gives the gauges of one upstream their settings and, where it has `health`, asks again and again whether it is well and tells them. `check` throws when
 * it is not. Gives the way to stop.
 */
export function watchTarget(
  gauges: Iterable<Gauge>,
  { health, breaker }: WatchSettings,
  check: (signal: AbortSignal) => Promise<void>,
): () => void {
  const all = new Set(gauges);
  const checked = (ok: boolean): void => {
    for (const gauge of all) gauge.checked(ok);
  };
  for (const gauge of all) {
    gauge.configure({
      ...(breaker === undefined ? {} : { breaker }),
      ...(health?.unhealthyAfter === undefined ? {} : { unhealthyAfter: health.unhealthyAfter }),
      ...(health?.healthyAfter === undefined ? {} : { healthyAfter: health.healthyAfter }),
    });
  }
  if (health === undefined) {
    // What checks have said before counts no more: none would ever take it back.
    checked(true);
    return () => undefined;
  }
  const times = { intervalMs: health.interval ?? INTERVAL_MS, timeoutMs: health.timeout ?? CHECK_TIMEOUT_MS };
  return startHealthCheck({ ...times, check, gauge: { checked } });
}
