import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SPEECHES, speechName } from './client.ts';
import { FACTS } from './facts.ts';
import { type Outcome, runMatrix } from './matrix.ts';
import { matrixPage } from './matrix-page.ts';
import { SCENARIOS } from './scenarios/scenarios.ts';
import { AGENTS, type Stage, startStage } from './stage.ts';

/** The page is about all cells. */
const PARTIAL = process.env.HUBGATE_CELLS !== undefined;
const PAGE = fileURLToPath(new URL('../../../../docs/agents-matrix.md', import.meta.url));
/** For all cells together. */
const TABLE_MS = 180_000;

const placeOf = ({ agent, way, speech, scenario }: Outcome): string => `${agent} | ${way} | ${speechName(speech)} | ${scenario.name}`;

describe('the official client gets the same through the hub as from the agent, whatever both of them speak', () => {
  let stage: Stage;
  let outcomes: readonly Outcome[] = [];
  beforeAll(async () => {
    stage = await startStage();
    outcomes = await runMatrix(stage);
  }, TABLE_MS);
  afterAll(() => stage?.stop());

  it.each(Object.keys(AGENTS).flatMap((agent) => SPEECHES.map((speech) => ({ agent, speech, name: speechName(speech) }))))(
    '$agent with a client of $name',
    ({ agent, speech }) => {
      const cells = outcomes.filter((outcome) => outcome.agent === agent && outcome.speech === speech);
      const failed = cells.filter(({ other, fact }) => other !== undefined && !fact);
      expect(failed.map((outcome) => `${placeOf(outcome)}: ${outcome.other}`)).toEqual([]);
    },
  );

  it('every fact still shows, wherever it is said to', () => {
    expect(outcomes.filter(({ fact, other }) => fact && other === undefined).map(placeOf)).toEqual([]);
    const shown = new Set(outcomes.map(({ fact }) => fact));
    expect(PARTIAL ? [] : FACTS.filter((fact) => !shown.has(fact))).toEqual([]);
  });

  it.skipIf(PARTIAL)('docs/agents-matrix.md says what the run saw', async () => {
    const page = matrixPage(outcomes);
    if (process.env.HUBGATE_WRITE_MATRIX === '1') await writeFile(PAGE, page);
    expect(await readFile(PAGE, 'utf8')).toBe(page);
  });

  it('the table is as large as it says', () => {
    expect(SCENARIOS.length).toBeGreaterThanOrEqual(35);
    expect(new Set(SCENARIOS.map(({ name }) => name)).size).toBe(SCENARIOS.length);
  });

  it('nothing went wrong inside the hub', () => {
    expect(stage.hub.stderr().match(/TypeError|RangeError|ReferenceError|unhandled/gi) ?? []).toEqual([]);
  });
});
