import { setTimeout } from 'node:timers/promises';
import { AdminProblem } from '../admin/client.ts';
import type { AdminAccess } from './admin-access.ts';
import { EvalProgress } from './eval-progress.ts';
import { CommandError } from './settings.ts';

/** So many examples are asked about at once: the answer of a slow model comes in time, and progress shows. */
const BATCH = 50;
const PAUSE_MS = 200;
/** Milliseconds that a model may take until it answers, each time it is not ready: ten minutes. */
const LONGEST_WAIT_MS = 600_000;

/** Asks about all examples, some at a time, and waits for a model that is not ready. Throws AdminProblem, and CommandError when it does not get ready. */
export async function askInBatches<E, A>(
  { ask }: AdminAccess,
  path: string,
  examples: readonly E[],
  bodyOf: (some: readonly E[]) => object,
): Promise<A[]> {
  const progress = new EvalProgress();
  // Of the wait that goes on; minutes of answers are none.
  let end: number | undefined;
  const answers: A[] = [];
  try {
    while (answers.length * BATCH < examples.length) {
      const done = answers.length * BATCH;
      progress.tell(`${done} of ${examples.length}`);
      try {
        answers.push((await ask('POST', path, { body: bodyOf(examples.slice(done, done + BATCH)) })) as A);
        end = undefined;
      } catch (error) {
        if (!(error instanceof AdminProblem) || error.status !== 503) throw error;
        end ??= performance.now() + LONGEST_WAIT_MS;
        if (performance.now() > end) throw new CommandError(error.message);
        progress.tell(error.message);
        await setTimeout(PAUSE_MS);
      }
    }
    return answers;
  } finally {
    progress.end();
  }
}
