import type { Gauge } from './gauge.ts';

export interface HealthCheck {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Throws when the target is not well. The signal is aborted when the time is up, or when nobody wants to know any more. */
  readonly check: (signal: AbortSignal) => Promise<void>;
  readonly gauge: Pick<Gauge, 'checked'>;
}

/**
 * Asks a target again and again whether it is well and tells its gauge: soon, then each interval, give or take a tenth, so that many do not ask in
 * step. Returns the way to stop. Does not keep the process alive.
 */
export function startHealthCheck({ intervalMs, timeoutMs, check, gauge }: HealthCheck): () => void {
  let stopped = false;
  let running: AbortController | undefined;
  /** The one that runs has been counted. */
  let told = false;
  let timer: NodeJS.Timeout;

  const schedule = (ms: number): void => {
    timer = setTimeout(beat, ms).unref();
  };
  const beat = (): void => {
    schedule(intervalMs * (0.9 + 0.2 * Math.random()));
    // One that does not even heed its signal is not asked a second time meanwhile.
    if (running === undefined) void run();
    else if (told) gauge.checked(false);
  };
  const run = async (): Promise<void> => {
    const controller = (running = new AbortController());
    told = false;
    const tell = (ok: boolean): void => {
      if (!told && !stopped) gauge.checked(ok);
      told = true;
    };
    const late = setTimeout(() => {
      tell(false);
      controller.abort(new Error('The check took too long.'));
    }, timeoutMs).unref();
    try {
      await check(controller.signal);
      tell(true);
    } catch {
      tell(false);
    } finally {
      clearTimeout(late);
      running = undefined;
    }
  };

  schedule(intervalMs * 0.1 * Math.random());
  return () => {
    stopped = true;
    clearTimeout(timer);
    running?.abort(new Error('The check was stopped.'));
  };
}
