import { setTimeout as sleep } from 'node:timers/promises';
import type { Door, Driver } from './ask.ts';
import { ANSWERS, type Case, type Cell } from './cases.ts';
import { aiAnthropic, aiCompatible } from './clients/ai-sdk.ts';
import { anthropic } from './clients/anthropic.ts';
import { langchain } from './clients/langchain.ts';
import { openaiChat } from './clients/openai-chat.ts';
import { openaiResponses } from './clients/openai-responses.ts';
import { FAILURES } from './failures.ts';
import { type Fact, PROVIDERS, type ProviderUnderTest } from './providers.ts';
import type { Stage } from './stage.ts';

export const DRIVERS: readonly Driver[] = [openaiChat, aiCompatible, langchain, openaiResponses, anthropic, aiAnthropic];
export const CASES: readonly Case[] = [...ANSWERS, ...FAILURES];

const AT_ONCE = 8;
/** Of cells that only wait. */
const WAITING_AT_ONCE = 64;
/** No cell may hang. */
const CELL_MS = 20_000;

/** How one cell came out. */
export interface Outcome {
  readonly provider: ProviderUnderTest;
  readonly driver: Driver;
  readonly case: Case;
  /** Absent: passed. */
  readonly error?: string;
  /** Why it may fail. */
  readonly fact?: Fact;
}

/**
 * Runs every case with every client against every provider. Cells that a client cannot express are left out.
 * `HUBGATE_CELLS` is a pattern that picks some, of texts such as `gemini | langchain | stream`.
 */
export async function runMatrix(stage: Stage): Promise<readonly Outcome[]> {
  const only = process.env.HUBGATE_CELLS === undefined ? undefined : new RegExp(process.env.HUBGATE_CELLS);
  const jobs = PROVIDERS.flatMap((provider) =>
    DRIVERS.flatMap((driver) => {
      const base = stage.base(provider, driver.door);
      return base === undefined
        ? []
        : CASES.filter((one) => can(driver, one) && (provider.only?.includes(one.name) ?? true)).map((one) => ({
            provider,
            driver,
            base,
            one,
          }));
    }),
  ).filter(({ provider, driver, one }) => !only || only.test(`${provider.name} | ${driver.name} | ${one.name}`));
  const run = (job: (typeof jobs)[number], number: number): Promise<Outcome> => outcome(stage, job, number);
  const numbered = jobs.map((job, number) => ({ job, number }));
  const [waiting, working] = [numbered.filter(({ job }) => job.one.waits), numbered.filter(({ job }) => !job.one.waits)];
  const outcomes = await Promise.all([
    pool(waiting, WAITING_AT_ONCE, ({ job, number }) => run(job, number)),
    pool(working, AT_ONCE, ({ job, number }) => run(job, number)),
  ]);
  return outcomes.flat();
}

export function can(driver: Driver, one: Case): boolean {
  return driver.cannot[one.name] === undefined && (one.needs === undefined || driver[one.needs] !== undefined);
}

interface Job {
  readonly provider: ProviderUnderTest;
  readonly driver: Driver;
  readonly base: string;
  readonly one: Case;
}

async function outcome(stage: Stage, { provider, driver, base, one }: Job, number: number): Promise<Outcome> {
  const mock = provider.mock && stage.mocks[provider.mock];
  const model = `${provider.model}-${number}`;
  const cell: Cell = {
    driver,
    base,
    provider,
    direct: stage.direct,
    model,
    recorded: () => mock?.requests.filter((request) => request.model === model) ?? [],
  };
  const late = new AbortController();
  const error = await Promise.race([
    one.run(cell).then(
      () => undefined,
      (thrown: unknown) => (thrown instanceof Error ? thrown.message : String(thrown)),
    ),
    sleep(CELL_MS, `hung for ${CELL_MS} ms`, { signal: late.signal }).catch(() => undefined),
  ]);
  late.abort();
  const fact = factFor(provider, driver, one.name);
  return { provider, driver, case: one, ...(error !== undefined && { error }), ...(fact && { fact }) };
}

function factFor(provider: ProviderUnderTest, { door, name }: { door: Door; name: string }, one: string): Fact | undefined {
  return provider.facts.find(
    ({ cases, doors, clients }) => cases.includes(one) && (!doors || doors.includes(door)) && (!clients || clients.includes(name)),
  );
}

async function pool<T, R>(items: readonly T[], size: number, run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) results.push(await run(item));
  };
  await Promise.all(Array.from({ length: size }, worker));
  return results;
}
