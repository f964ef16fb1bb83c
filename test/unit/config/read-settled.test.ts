import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readSettled } from '../../../src/config/reading/read-settled.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hubgate-settled-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('a file that is just being written is read when it is whole', async () => {
  const file = join(folder, 'half.yaml');
  await writeFile(file, 'tools: [{ from: shop }]\naccess: []\n');
  const writer = await open(file, 'w');
  await writer.write('tools: [{ from: shop }]\n');
  const reading = readSettled(file);
  await writer.write('access: [{ groups: [support], allow: ["*"] }]\n');
  await writer.close();
  expect(await reading).toBe('tools: [{ from: shop }]\naccess: [{ groups: [support], allow: ["*"] }]\n');
});

it('a file that is always being written is read all the same, and one that is not there is an error', async () => {
  const file = join(folder, 'busy.yaml');
  await writeFile(file, 'x');
  const timer = setInterval(() => void writeFile(file, 'x'), 5);
  try {
    expect(await readSettled(file)).toMatch(/^x?$/);
  } finally {
    clearInterval(timer);
  }
  await expect(readSettled(join(folder, 'none.yaml'))).rejects.toThrow('ENOENT');
});
