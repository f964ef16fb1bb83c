import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { corpusDocuments } from './documents.ts';
import { missedGoals } from './goals.ts';
import { judgeDocument, type Verdict } from './judge.ts';
import { referees } from './referees/all.ts';
import { tableOf } from './table.ts';

/** The same calls for everybody. */
const SEED = 20_261_121;
/** Characters. */
const PRISM_UP_TO = 600_000;

/**
 * `npm run test:corpus`: all documents; prints the table and writes it to result.md. With a part of an id (`npm run test:corpus -- real/stripe`)
 * only what begins so. Fails when a goal is missed.
 */
async function main(pattern: string | undefined): Promise<void> {
  const documents = corpusDocuments((id) => id.startsWith(pattern ?? ''));
  if (documents === undefined) {
    console.log('No corpus beside the repository (../shared/openapi-corpus): nothing was compared.');
    if (process.env['HUBGATE_CI'] !== undefined) process.exitCode = 1;
    return;
  }
  const judges = referees();
  const verdicts: Verdict[] = [];
  for (const document of documents) {
    const verdict = await judgeDocument(document, judges, { seed: SEED, prismUpTo: PRISM_UP_TO });
    verdicts.push(verdict);
    for (const fault of verdict.faults) console.error(`${verdict.id}: ${fault}`);
  }
  const table = tableOf(verdicts, SEED);
  console.log(table);
  for (const line of missedGoals(verdicts, pattern !== undefined)) {
    console.error(`Missed: ${line}`);
    process.exitCode = 1;
  }
  if (pattern === undefined) await writeFile(join(import.meta.dirname, 'result.md'), table);
}

await main(process.argv[2]);
