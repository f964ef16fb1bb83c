import { readdirSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, expect, it } from 'vitest';
import type { Embedder, EmbedderExtension } from '../../src/core/contracts/embedder.ts';
import type { Host } from '../../src/core/contracts/extension.ts';
import type { AskRoute } from '../../src/embedding/embedders/remote.ts';
import { fakeTransformers } from '../support/fake-transformers.ts';
import { silent } from '../support/static-semantics.ts';
import { examineEmbedder } from './embedder.ts';

const FOLDER = `${import.meta.dirname}/../../src/embedding/embedders`;
const files = readdirSync(FOLDER).filter((file) => !file.startsWith('_'));
const host = { log: silent } as Host;
const fake = await fakeTransformers();
afterAll(() => fake.remove());

/** A route whose vectors have any length, as vendors' have. */
const ask: AskRoute = async (_model, texts) => ({
  model: 'embed-3',
  vectors: texts.map((text) => [1, 2, 3].map((step) => 2 + Math.sin(step * (text.length + (text.codePointAt(0) ?? 0))))),
});

/** What each needs that it cannot find by itself. */
const OPTIONS: Readonly<Record<string, object>> = {
  'remote.ts': { model: 'embed', ask },
  'transformers.ts': { path: fake.model, folder: fake.folder, pooling: 'mean', queryPrefix: '', documentPrefix: 'passage: ' },
};

it('there are embedders', () => {
  expect(files).toEqual(expect.arrayContaining(['remote.ts', 'static.ts', 'transformers.ts']));
});

for (const file of files) {
  const { default: extension } = (await import(`${FOLDER}/${file}`)) as { default: EmbedderExtension };
  const options = OPTIONS[file] ?? {};
  it(`${file} is an extension, and says what it takes`, () => {
    expect(extension).toMatchObject({ kind: 'embedder', apiVersion: 1 });
    const check = new Ajv2020({ strict: true }).compile(extension.options);
    expect(check(options)).toBe(true);
    expect(check({ ...options, nonsense: 1 })).toBe(false);
  });
  examineEmbedder(file, async (): Promise<Embedder> => extension.create(options, host));
}
