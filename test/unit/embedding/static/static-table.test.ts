import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Host } from '../../../../src/core/contracts/extension.ts';
import bundled from '../../../../src/embedding/embedders/static.ts';
import { embedByTable, readStaticTable } from '../../../../src/embedding/static/static-table.ts';

const PACKAGE = join(import.meta.dirname, '../../../../packages/hubgate-static-en');
const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

function copied(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hubgate-static-'));
  folders.push(folder);
  cpSync(PACKAGE, folder, { recursive: true });
  return folder;
}

const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
const product = (one: Float32Array, other: Float32Array): number => one.reduce((sum, number, dim) => sum + number * other[dim]!, 0);

describe('the static model', async () => {
  const embedder = await bundled.create({}, {} as Host);
  const cosine = async (one: string, other: string): Promise<number> => {
    const [a, b] = await embedder.embed([one, other], 'query');
    return product(a!, b!);
  };

  it('is named, and gives unit vectors of 256 numbers', async () => {
    expect(bundled).toMatchObject({ kind: 'embedder', apiVersion: 1, name: 'hubgate-static-en' });
    expect(embedder).toMatchObject({ id: 'hubgate-static-en@2', dims: 256 });
    const [vector] = await embedder.embed(['send an email'], 'document');
    expect(vector).toHaveLength(256);
    expect(product(vector!, vector!)).toBeCloseTo(1, 5);
  });

  // The figures of embeddings.md section 2.
  it.each([
    ['send email', 'deliver mail message', 0.65],
    ['weather in Paris', 'forecast for a city', 0.34],
    ['cancel flight booking', 'delete airline reservation', 0.69],
    ['list pull requests', 'merge requests', 0.47],
    ['play music', 'start playback', 0.57],
    ['play music', 'delete invoice', 0],
  ])('%s – %s: %d', async (one, other, expected) => {
    expect(Math.abs((await cosine(one, other)) - expected)).toBeLessThan(0.01);
  });

  it('a text without a piece is like nothing', async () => {
    expect(await cosine('', 'send email')).toBe(0);
    expect(await cosine('日本語', 'send email')).toBe(0);
  });
});

describe('readStaticTable', () => {
  it('every file of the package is listed with its digest', () => {
    const sums = readFileSync(join(PACKAGE, 'SHA256SUMS'), 'utf8').trim().split('\n');
    expect(sums.map((line) => line.split('  ')[1])).toEqual([
      'LICENSE-Apache-2.0',
      'NOTICE',
      'README.md',
      'static.i8',
      'static.json',
      'static.scales.f32',
    ]);
    for (const line of sums) expect(`${sha256(join(PACKAGE, line.split('  ')[1]!))}  ${line.split('  ')[1]}`).toBe(line);
  });

  it('a file that is cut or changed is an error that names it', async () => {
    const cut = copied();
    truncateSync(join(cut, 'static.i8'), 1000);
    await expect(readStaticTable(cut)).rejects.toThrow(`${join(cut, 'static.i8')} is damaged`);
    const changed = copied();
    writeFileSync(join(changed, 'static.json'), '{}');
    await expect(readStaticTable(changed)).rejects.toThrow(`${join(changed, 'static.json')} is damaged`);
  });

  it('a file that is missing is an error that names it', async () => {
    const folder = copied();
    unlinkSync(join(folder, 'static.scales.f32'));
    await expect(readStaticTable(folder)).rejects.toThrow('static.scales.f32');
  });

  it.each([
    [{ version: 3 }, 'this is version 3'],
    [{ dims: 128 }, 'entries of 128 numbers'],
  ])('%j whose digest is right is refused', async (changes, message) => {
    const folder = copied();
    const file = join(folder, 'static.json');
    const before = sha256(file);
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), ...changes }));
    const sums = join(folder, 'SHA256SUMS');
    writeFileSync(sums, readFileSync(sums, 'utf8').replace(before, sha256(file)));
    await expect(readStaticTable(folder)).rejects.toThrow(message);
  });
});

describe('embedByTable', () => {
  it('is the mean of row times scale over the pieces, as a unit vector', () => {
    const table = {
      dims: 2,
      vocabulary: new Map([
        ['[UNK]', 0],
        ['north', 1],
        ['east', 2],
      ]),
      rows: Int8Array.from([0, 0, 0, 100, 30, 0]),
      scales: Float32Array.from([1, 0.03, 0.1]),
    };
    expect([...embedByTable(table, 'north')]).toEqual([0, 1]);
    const [x, y] = embedByTable(table, 'North-East');
    expect(x).toBeCloseTo(Math.SQRT1_2, 6);
    expect(y).toBeCloseTo(Math.SQRT1_2, 6);
    expect([...embedByTable(table, 'west')]).toEqual([0, 0]);
  });
});
