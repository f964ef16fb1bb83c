import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, expect, it } from 'vitest';
import { contentToKeep, importDocument, type ImportProgress } from '../../../src/gateway/import-document.ts';

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
  expect(Object.keys(unzipSync(contentToKeep(files)))).toEqual(['shop.json', 'parts/things.json', 'openapi.json']);

  const zip = path.join(folder, 'packed.zip');
  await writeFile(zip, contentToKeep(files));
  const packed = await importDocument(zip, { name: 'shop' });
  expect(packed.report.tools).toEqual(files.report.tools);
  expect(Buffer.from(contentToKeep(packed))).toEqual(Buffer.from(contentToKeep(files)));
  expect(contentToKeep(await importDocument(path.join(folder, 'shop.json')))).toEqual(contentToKeep(files));
});

it('keeps a document in one file as it is', async () => {
  await writeFile(path.join(folder, 'one.json'), JSON.stringify({ ...root, paths: {} }));
  expect(await importDocument(path.join(folder, 'one.json'))).toMatchObject({ name: 'one', text: JSON.stringify({ ...root, paths: {} }) });
});

it.each([false, true])('says of each file that is not read why (one that is read beside them: %s)', async (beside) => {
  const place = path.join(folder, `reasons-${beside}`);
  await mkdir(place);
  const get = (reference: string): object => ({ get: { parameters: [{ $ref: reference }], responses: {} } });
  const paths = {
    '/missing': get('./missing.yaml'),
    '/outside': get('../shop.json'),
    '/notes': get('./notes.txt'),
    ...(beside && { '/beside': get('./beside.json') }),
  };
  await writeFile(path.join(place, 'api.json'), JSON.stringify({ ...root, paths }));
  await writeFile(path.join(place, 'notes.txt'), 'Notes.');
  await writeFile(path.join(place, 'beside.json'), '{"name":"a","in":"query","schema":{}}');
  const { report } = await importDocument(path.join(place, 'api.json'));
  const reasons = report.leftOut.map(({ message }) => message);
  expect(reasons).toEqual([
    expect.stringContaining('there is no such file.'),
    expect.stringContaining("leads out of the document's folder"),
    expect.stringContaining('only .json, .yaml and .yml files are.'),
  ]);
});

it('compiles a document once to name it after its title, and again only where that has to be read out of it', async () => {
  const bare = JSON.stringify({ ...root, paths: { '/a': { get: { responses: {} } } } });
  const overlay = { overlay: '1.0.0', info: { title: 'T', version: '1' }, actions: [{ target: '$.info', update: { title: 'Repaired' } }] };
  await writeFile(path.join(folder, '1.json'), bare);
  await writeFile(path.join(folder, '2.yaml'), `# In YAML.\n${bare}`);
  await writeFile(path.join(folder, '3.json'), JSON.stringify(overlay));
  const compiled = async (file: string, options: object = {}): Promise<[string, boolean, number]> => {
    let times = 0;
    const onProgress = (progress: ImportProgress): void => void ('done' in progress && progress.done === 0 && times++);
    const { name, report } = await importDocument(path.join(folder, file), { ...options, onProgress });
    return [name, report.ok, times];
  };
  expect(await compiled('1.json')).toEqual(['shop', true, 1]);
  expect(await compiled('2.yaml')).toEqual(['shop', true, 2]);
  expect(await compiled('1.json', { overlay: path.join(folder, '3.json') })).toEqual(['repaired', true, 2]);
});
