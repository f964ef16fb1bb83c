import { isDeepStrictEqual } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Door, SPEECHES, type Speech, speechName } from './client.ts';
import { type Fact, factFor } from './facts.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { SCENARIOS } from './scenarios/scenarios.ts';
import { AGENTS, type Stage } from './stage.ts';
import { startWebhook, type Webhook } from './webhook.ts';

const AT_ONCE = 16;
/** No cell may hang. */
const CELL_MS = 15_000;
/** Speaks all that there is: what its own callers see of it, callers of all others see through the hub. */
const MEASURE = 'both';

/** How one cell came out. */
export interface Outcome {
  readonly agent: string;
  readonly way: 'direct' | 'hub';
  readonly speech: Speech;
  readonly scenario: Scenario;
  /** What was seen, or the error; undefined: as it should be. */
  readonly other?: string;
  /** Why it may be, where that is what was seen. */
  readonly fact?: Fact;
}

interface Job extends Pick<Outcome, 'agent' | 'way' | 'speech' | 'scenario'> {
  readonly door: Door;
}

/**
 * Runs every scenario with every client against every agent, directly where it speaks so, and through the hub. `HUBGATE_CELLS` is a pattern that
 * picks some, of texts such as `v03-http | 1.0 JSONRPC | cancel`.
 */
export async function runMatrix(stage: Stage): Promise<readonly Outcome[]> {
  const only = new RegExp(process.env.HUBGATE_CELLS ?? '');
  const jobs = Object.keys(AGENTS).flatMap((agent) =>
    SPEECHES.flatMap((speech) =>
      SCENARIOS.filter((scenario) => scenario.only === undefined || scenario.only === speech.version)
        .filter(({ name }) => only.test(`${agent} | ${speechName(speech)} | ${name}`))
        .flatMap((scenario): Job[] => waysOf(stage, agent, speech).map(([way, door]) => ({ agent, way, speech, scenario, door }))),
    ),
  );
  const wanted = SPEECHES.flatMap((speech) =>
    SCENARIOS.filter((scenario) => jobs.some((job) => job.scenario === scenario && job.speech === speech)).map((scenario): Job => {
      return { agent: MEASURE, way: 'direct', speech, scenario, door: stage.direct(MEASURE)! };
    }),
  );
  const rest = jobs.filter(({ agent, way }) => agent !== MEASURE || way !== 'direct');
  const seen = await pool([...wanted, ...rest], AT_ONCE, see);
  const measures = seen.slice(0, wanted.length);
  return seen.map(({ job, got }): Outcome => {
    const { agent, way, speech, scenario } = job;
    const measure = measures.find((one) => one.job.speech === speech && one.job.scenario === scenario)!.got;
    // What the agent itself does wrong is no measure.
    const isSame = 'saw' in got && 'saw' in measure && isDeepStrictEqual(got.saw, measure.saw);
    const other = isSame ? undefined : 'error' in got ? got.error : `${JSON.stringify(got.saw)} in place of ${JSON.stringify(measure)}`;
    const known = factFor({ agent, way, speech, scenario: scenario.name });
    const fact = isSame || ('saw' in got && isDeepStrictEqual(got.saw, known?.sees[scenario.name])) ? known : undefined;
    return { agent, way, speech, scenario, ...(other !== undefined && { other }), ...(fact && { fact }) };
  });
}

function waysOf(stage: Stage, agent: string, speech: Speech): readonly (readonly [Outcome['way'], Door])[] {
  const speaks = AGENTS[agent];
  const direct = speaks?.versions.includes(speech.version) && speaks.bindings.includes(speech.binding) ? stage.direct(agent) : undefined;
  return [...(direct === undefined ? [] : [['direct', direct] as const]), ['hub', stage.through(agent)]];
}

interface Seen {
  readonly job: Job;
  readonly got: { readonly saw: unknown } | { readonly error: string };
}

async function see(job: Job): Promise<Seen> {
  const hooks: Webhook[] = [];
  const webhook = async (): Promise<Webhook> => {
    const hook = await startWebhook();
    hooks.push(hook);
    return hook;
  };
  const late = new AbortController();
  const run = async (): Promise<Seen['got']> => {
    try {
      const peer = await connect(job.door, job.speech);
      return { saw: JSON.parse(JSON.stringify(await job.scenario.run({ ...peer, webhook }))) };
    } catch (thrown) {
      return { error: thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown) };
    }
  };
  const got = await Promise.race([
    run(),
    sleep(CELL_MS, { error: `hung for ${CELL_MS} ms` }, { signal: late.signal }).catch(() => ({ error: '' })),
  ]);
  late.abort();
  for (const hook of hooks) hook.close();
  return { job, got };
}

async function pool<T, R>(items: readonly T[], size: number, run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const left = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of left) results[index] = await run(item);
  };
  await Promise.all(Array.from({ length: size }, worker));
  return results;
}
