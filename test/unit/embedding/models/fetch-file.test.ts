import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fetchFile } from '../../../../src/embedding/models/pull/fetch-file.ts';
import type { ModelSource, Opened } from '../../../../src/embedding/models/pull/model-source.ts';

const KILOBYTE = new Uint8Array(1000);
const MOST = 10_000;
let folder: string;
/** Kilobytes that were taken of the source. */
let taken: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hubgate-fetch-'));
  taken = 0;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function* endless(): AsyncGenerator<Uint8Array> {
  for (; taken < 1000; taken++) yield KILOBYTE;
}
/** A source that never ends by itself; goes on where it is asked to. */
const sourceOf = (told: Partial<Opened>): ModelSource => ({
  shown: 'the source',
  open: async (_file, resume) => ({ from: resume?.from ?? 0, ...told, body: endless(), close: () => undefined }),
});
const fetched = (told: Partial<Opened>): Promise<string> =>
  fetchFile('a.bin', { source: sourceOf(told), folder, partial: join(folder, 'partial/a.bin'), most: MOST, pauseMs: 1 }).then(
    () => 'it did not fail',
    (error: unknown) => (error as Error).message,
  );

it.each<[string, Partial<Opened>, number]>([
  ['than its source says', { size: 5000 }, 6],
  ['than it can have where nothing is said', {}, 11],
])('a file that is larger %s is stopped there, and removed', async (_, told, pieces) => {
  expect(await fetched(told)).toMatch(/^a\.bin of the source is larger than it may be: it goes on after \d+ bytes\./);
  // The stream has read ahead by some.
  expect(taken).toBeLessThan(pieces + 30);
  expect(await readdir(join(folder, 'partial'))).toEqual([]);
  expect(existsSync(join(folder, 'a.bin'))).toBe(false);
});

it('a file is not begun when its source tells of more than it can have', async () => {
  expect(await fetched({ size: 11_000 })).toContain('larger than it may be: it says 0.0 MB');
  expect(taken).toBe(0);
});

it('the bytes that were here already count, and are given up once', async () => {
  await fetched({ size: 11_000 });
  await writeFile(join(folder, 'partial/a.bin'), new Uint8Array(8000));
  await writeFile(join(folder, 'partial/a.bin.json'), '{"etag":"\\"one\\""}');
  expect(await fetched({ etag: '"one"' })).toContain('goes on after 10000 bytes');
  expect(taken).toBeGreaterThan(10);
  expect(await readdir(join(folder, 'partial'))).toEqual([]);
});
