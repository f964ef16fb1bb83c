import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { addFiles, folderWith, PETSTORE } from './folder.ts';

const REFERRING = `${PETSTORE.replace('paths: {}', 'paths: { /pets: { $ref: "parts/pets.yaml" } }')}\n`;

it('reads the files that a document refers to, and tells when one of them changes, comes or goes', async () => {
  const folder = await folderWith({
    'hubgate.yaml': '{}',
    'openapi-specs/pets.yaml': REFERRING,
    'openapi-specs/alone.yaml': PETSTORE,
    'openapi-specs/parts/pets.yaml': 'get: { responses: { 200: { $ref: "more.json#/ok" } } }',
  });
  const options = { file: path.join(folder, 'hubgate.yaml'), env: {} };
  const first = await loadConfig(options);
  const part = path.join(folder, 'openapi-specs/parts/pets.yaml');
  const more = path.join(folder, 'openapi-specs/parts/more.json');
  const pets = (loaded: typeof first) => loaded.documents.find(({ service }) => service === 'pets')!;
  expect(first.documents.map(({ service, related }) => [service, related && [...related.files.keys()]])).toEqual([
    ['alone', undefined],
    ['pets', ['parts/pets.yaml']],
  ]);
  expect(pets(first).related?.unread).toEqual(new Map([['parts/more.json', 'there is no such file.']]));
  expect(first.files).toEqual(expect.arrayContaining([part, more]));

  const same = await loadConfig({ ...options, previous: first });
  expect(pets(same).related).toBe(pets(first).related);
  await addFiles(folder, { 'openapi-specs/parts/more.json': '{"ok":{"description":"ok"}}' });
  const grown = await loadConfig({ ...options, previous: same });
  expect([...(pets(grown).related?.files.keys() ?? [])]).toEqual(['parts/pets.yaml', 'parts/more.json']);
  await writeFile(part, 'get: { summary: changed, responses: {} }');
  const changed = await loadConfig({ ...options, previous: grown });
  await rm(part);
  const gone = await loadConfig({ ...options, previous: changed });
  expect(new Set([first, grown, changed, gone].map((loaded) => pets(loaded).hash)).size).toBe(4);
});

it('finds references in JSON and YAML as people and programs write them', async () => {
  const names = ['a.json', 'b.json', 'c.json', 'd.json', 'e f.json', 'g.json', 'h.yaml', 'i.json'];
  const lines = [
    'x1: { "$ref": "a.json" }',
    "x2: { '$ref' : 'b.json#/x' }",
    'x3: {$ref: c.json}',
    'x4:\n  $ref: d.json # why',
    'x5: { $ref: "e%20f.json" }',
    'x6: { "$ref": ".\\/g.json" }',
    'x7:\n  $ref:\n    ./h.yaml#/a',
    'x8: { $ref: "sub/../i.json?version=1" }',
    "x9: { $ref: '#/components/schemas/None' }",
    'x10: { $ref: { type: string } }',
  ];
  const folder = await folderWith({
    'hubgate.yaml': 'services: { pets: { spec: api/openapi.yaml } }',
    'api/openapi.yaml': `${PETSTORE}${lines.join('\n')}\n`,
    ...Object.fromEntries(names.map((name) => [`api/${name}`, '{}'])),
  });
  const { documents } = await loadConfig({ file: path.join(folder, 'hubgate.yaml'), env: {} });
  expect([...(documents[0]?.related?.files.keys() ?? [])].sort()).toEqual(names);
  expect(documents[0]?.related?.unread.size).toBe(0);
});

it('reads UTF-16, with and without a mark, and archives', async () => {
  const folder = await folderWith({ 'hubgate.yaml': '{}' });
  const little = Buffer.from(`\ufeff${PETSTORE}`, 'utf16le');
  await addFiles(folder, { 'openapi-specs/plain.yaml': PETSTORE });
  await writeFile(path.join(folder, 'openapi-specs/little.yaml'), little);
  await writeFile(path.join(folder, 'openapi-specs/big.yaml'), Buffer.from(little).swap16());
  await writeFile(path.join(folder, 'openapi-specs/unmarked.yaml'), little.subarray(2));
  await writeFile(path.join(folder, 'openapi-specs/zipped.zip'), 'PK');
  const { documents } = await loadConfig({ file: path.join(folder, 'hubgate.yaml'), env: {} });
  expect(Object.fromEntries(documents.map(({ service, text }) => [service, text]))).toEqual({
    plain: PETSTORE,
    little: PETSTORE,
    big: PETSTORE,
    unmarked: PETSTORE,
    zipped: 'data:application/zip;base64,UEs=',
  });
});
