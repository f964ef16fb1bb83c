import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { Host } from '../../../../src/core/contracts/extension.ts';
import { createClassifier } from '../../../../src/embedding/classify/create-classifier.ts';
import transformers from '../../../../src/embedding/embedders/transformers.ts';
import type { Rung } from '../../../../src/embedding/rung.ts';
import { silent } from '../../../support/static-semantics.ts';

interface Cut {
  readonly classes: readonly { readonly name: string; readonly examples: readonly string[]; readonly test: readonly string[] }[];
  readonly outOfScope: readonly string[];
}
const CUT = JSON.parse(readFileSync(join(import.meta.dirname, '../../../fixtures/intents/clinc150-cut.json'), 'utf8')) as Cut;
const PATH = join(import.meta.dirname, '../../../../../shared/models/all-MiniLM-L6-v2');

it('all-MiniLM-L6-v2 finds the intents of a cut of CLINC150, and what has none', async () => {
  const plain = { pooling: 'mean', queryPrefix: '', documentPrefix: '' } as const;
  const embedder = await transformers.create({ path: PATH, folder: join(import.meta.dirname, '..'), ...plain }, { log: silent } as Host);
  onTestFinished(() => embedder[Symbol.asyncDispose]?.());
  const rung: Rung = { name: 'transformers', embedder, traits: { ...plain, weight: 0.7, sameRequest: 0.96 } };
  const classifier = createClassifier(CUT.classes, undefined, {
    requested: 'auto',
    rungs: [rung],
    settled: () => Promise.resolve(),
    onChange: () => () => undefined,
    failed: (_, error) => expect.unreachable(String(error)),
    degraded: () => undefined,
  });
  await classifier.ready();
  const asked = CUT.classes.flatMap(({ name, test }) => test.map((text) => ({ name, text })));
  const inside = await Promise.all(asked.map(async ({ name, text }) => ({ name, verdict: (await classifier.classify(text))! })));
  const outside = await Promise.all(CUT.outOfScope.map((text) => classifier.classify(text)));
  expect(inside.filter(({ name, verdict }) => verdict.scores[0]!.name === name).length / inside.length).toBeGreaterThan(0.96);
  expect(inside.filter(({ name, verdict }) => verdict.name === name).length / inside.length).toBeGreaterThan(0.85);
  expect(outside.filter((verdict) => verdict!.name === undefined).length / outside.length).toBeGreaterThan(0.88);
});
