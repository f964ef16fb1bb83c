import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, expect, it } from 'vitest';
import { importDocument } from '../../../src/gateway/import-document.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hubgate-import-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const root = { openapi: '3.1.0', info: { title: 'Shop', version: '1' }, paths: { '/things': { $ref: 'parts/things.json' } } };
// Another description that is only referred to, under the name that archives look for first.
const other = { openapi: '3.1.0', get: { operationId: 'listThings', responses: {} } };

it('packs a document in several files, and reads the package as the files', async () => {
  await mkdir(path.join(folder, 'parts'));
  await writeFile(path.join(folder, 'shop.json'), JSON.stringify(root));
  await writeFile(path.join(folder, 'parts/things.json'), '{"$ref":"../openapi.json"}');
  await writeFile(path.join(folder, 'openapi.json'), JSON.stringify(other));
  const files = await importDocument(path.join(folder, 'shop.json'));
  expect(files.report.error).toBeUndefined();
  expect(files.report.leftOut).toEqual([]);
  expect(files).toMatchObject({ name: 'shop', report: { ok: true, tools: [expect.anything()] } });
  expect(Object.keys(unzipSync(files.archive!))).toEqual(['shop.json', 'parts/things.json', 'openapi.json']);

  const zip = path.join(folder, 'packed.zip');
  await writeFile(zip, files.archive!);
  const packed = await importDocument(zip, { name: 'shop' });
  expect(packed.report.tools).toEqual(files.report.tools);
  expect(Buffer.from(packed.archive!)).toEqual(Buffer.from(files.archive!));
  expect((await importDocument(path.join(folder, 'shop.json'))).archive).toEqual(files.archive);
});

it('keeps a document in one file as it is', async () => {
  await writeFile(path.join(folder, 'one.json'), JSON.stringify({ ...root, paths: {} }));
  expect(await importDocument(path.join(folder, 'one.json'))).toMatchObject({ name: 'one', text: JSON.stringify({ ...root, paths: {} }) });
});
