import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CASES, DRIVERS, type Outcome, runMatrix } from './matrix.ts';
import { matrixPage } from './matrix-page.ts';
import { PROVIDERS } from './providers.ts';
import { type Stage, startStage } from './stage.ts';

/** The page is about all cells, and about a hub. */
const PARTIAL = process.env.HUBGATE_DIRECT === '1' || process.env.HUBGATE_CELLS !== undefined;
const PAGE = fileURLToPath(new URL('../../../../docs/models-matrix.md', import.meta.url));
/** For all cells together. */
const TABLE_MS = 240_000;

describe('official clients get from every provider what it can do, through every door', () => {
  let stage: Stage;
  let outcomes: readonly Outcome[] = [];
  beforeAll(async () => {
    stage = await startStage();
    outcomes = await runMatrix(stage);
  }, TABLE_MS);
  afterAll(() => stage?.stop());

  it.each(PROVIDERS.flatMap((provider) => DRIVERS.map((driver) => ({ provider, driver }))))(
    '$provider.name with $driver.name',
    ({ provider, driver }) => {
      const cells = outcomes.filter((outcome) => outcome.provider === provider && outcome.driver === driver);
      const failed = cells.filter(({ error, fact }) => error !== undefined && !fact);
      expect(failed.map((cell) => `${cell.case.name}: ${cell.error}`)).toEqual([]);
    },
  );

  it('every fact of a provider still shows', () => {
    const shown = outcomes.filter(({ fact, error }) => fact && error === undefined);
    const passing = shown.map(({ provider, driver, case: one }) => `${provider.name}, ${driver.name}, ${one.name} passes`);
    expect(stage.direct ? [] : passing).toEqual([]);
  });

  it.skipIf(PARTIAL)('docs/models-matrix.md says what the run saw', async () => {
    const page = matrixPage(outcomes);
    if (process.env.HUBGATE_WRITE_MATRIX === '1') await writeFile(PAGE, page);
    expect(await readFile(PAGE, 'utf8')).toBe(page);
  });

  it('the table is as large as it says', () => {
    expect(CASES.length).toBeGreaterThanOrEqual(30);
    expect(new Set(CASES.map((one) => one.name)).size).toBe(CASES.length);
  });
});
