import { setTimeout as wait } from 'node:timers/promises';
import type { RestAnswerConfig, RestPollConfig } from '../../../../../config/types.ts';
import { GatewayError } from '../../../../../core/errors.ts';
import type { Logger } from '../../../../../core/logger.ts';
import type { AppWay, Polling } from '../exchange.ts';
import type { FilledRequest } from '../template/template.ts';
import type { LaterTurn } from '../turn.ts';
import { readAnswer, readBody, readRefusal, throwUnwell, type AppAnswer } from './app-answer.ts';

const INTERVAL_MS = 2_000;
const TIMEOUT_MS = 86_400_000;
/** Questions without an answer, one after the other, until the job is given up; the pauses between them grow up to a minute. */
const MOST_FAILURES = 20;
const LONGEST_PAUSE_MS = 60_000;

export interface Watching {
  readonly turn: LaterTurn;
  readonly job: string;
  /** Asked before every question: a job may outlive the configuration that began it, and its credentials. Throws GatewayError while there is none. */
  way(): AppWay;
  /** Fires when the task is canceled, and when the hub stops. */
  readonly signal: AbortSignal;
  /** Hears what the job says on the way. */
  progress(answer: AppAnswer): void;
  readonly log: Logger;
}

/** Questions as `poll:` has them. */
export function pollingOf(
  { interval = INTERVAL_MS, timeout = TIMEOUT_MS }: RestPollConfig,
  reading: RestAnswerConfig,
  request: (turn: LaterTurn, job: string) => FilledRequest,
): Polling {
  return {
    intervalMs: Math.max(10, interval),
    timeoutMs: timeout,
    async ask(turn, job, line) {
      const filled = request(turn, job);
      const response = await line.send({ ...filled, headers: { accept: 'application/json', ...filled.headers } });
      throwUnwell(response, Date.now());
      const value = readBody(response.body);
      if (response.status < 200 || response.status > 299) return readRefusal(reading, response.status, value);
      const answer = readAnswer(reading, value);
      return answer.state === 'unknown' ? { ...answer, state: 'working' } : answer;
    },
  };
}

/**
 * Asks about a job until it has ended, and gives its last answer: one that is still `working` when the configuration has no questions any more.
 * `first` is how the job began. Throws GatewayError when the watch is called off, when the job takes too long, or when the application cannot be
 * asked for a long time.
 */
export async function watchJob(first: Polling, { turn, job, way, signal, progress, log }: Watching): Promise<AppAnswer> {
  const begunAt = Date.now();
  let polling = first;
  let failures = 0;
  while (Date.now() - begunAt < polling.timeoutMs) {
    const { intervalMs } = polling;
    await wait(Math.min(intervalMs * 2 ** failures, Math.max(intervalMs, LONGEST_PAUSE_MS)), undefined, { signal });
    try {
      const now = way();
      const found = now.exchangeOf(turn.skill)?.polling;
      if (found === undefined) return { state: 'working', parts: [] };
      polling = found;
      const answer = await polling.ask(turn, job, now.line(signal));
      failures = 0;
      if (answer.state !== 'working') return answer;
      progress(answer);
    } catch (error) {
      failures += 1;
      if (signal.aborted || failures >= MOST_FAILURES) throw error;
      log.debug({ err: error, failures }, 'a job could not be asked about');
    }
  }
  throw new GatewayError('upstream_timeout');
}
