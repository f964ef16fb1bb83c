import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { watchConfig } from '../../../src/config/watch.ts';
import type { ConfigWatch } from '../../../src/config/watch.ts';
import { folderWith } from './folder.ts';

const LATEST = 2000;
const QUIET = 300;
/** As long as a file keeps its size before it is told of, less what timers are early. */
const STILL = 35;
const open: ConfigWatch[] = [];
afterEach(() => Promise.all(open.splice(0).map((watch) => watch.close())));

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function watched(files: Readonly<Record<string, string>>, prepare?: (folder: string) => void) {
  const folder = await folderWith(files);
  prepare?.(folder);
  const told: string[] = [];
  const watch = watchConfig({
    file: path.join(folder, 'hubgate.yaml'),
    onChange: (paths) => told.push(...paths.map((file) => path.relative(folder, file))),
  });
  open.push(watch);
  await pause(QUIET);
  /** What is told after an act; fails when nothing comes. */
  const after = async (act: (at: (name: string) => string) => void): Promise<string[]> => {
    told.length = 0;
    act((name) => path.join(folder, name));
    const end = Date.now() + LATEST;
    while (told.length === 0 && Date.now() < end) await pause(10);
    await pause(100);
    return told.toSorted();
  };
  return { folder, watch, after, told };
}

describe('watchConfig', () => {
  it('sees hubgate.yaml written, replaced, deleted and made again', async () => {
    const { after } = await watched({ 'hubgate.yaml': '{}' });
    expect(await after((at) => writeFileSync(at('hubgate.yaml'), '{ a: 1 }'))).toEqual(['hubgate.yaml']);
    for (const text of ['{ b: 1 }', '{ c: 1 }']) {
      const replaced = await after((at) => {
        writeFileSync(at('hubgate.yaml.tmp'), text);
        renameSync(at('hubgate.yaml.tmp'), at('hubgate.yaml'));
      });
      expect(new Set(replaced)).toEqual(new Set(['hubgate.yaml']));
    }
    expect(await after((at) => rmSync(at('hubgate.yaml')))).toEqual(['hubgate.yaml']);
    expect(await after((at) => writeFileSync(at('hubgate.yaml'), '{}'))).toEqual(['hubgate.yaml']);
  });

  it('sees folders that come, change and go, and nothing beside them', async () => {
    const { after, told } = await watched({ 'hubgate.yaml': '{}', 'node_modules/x/index.js': '' });
    const made = await after((at) => {
      mkdirSync(at('virtual-servers'));
      writeFileSync(at('virtual-servers/a.yaml'), 'tools: []');
    });
    expect(made).toContain(path.join('virtual-servers', 'a.yaml'));
    expect(await after((at) => writeFileSync(at('virtual-servers/a.yaml'), 'tools: [] '))).toEqual([
      path.join('virtual-servers', 'a.yaml'),
    ]);
    expect(await after((at) => rmSync(at('virtual-servers'), { recursive: true }))).toContain(path.join('virtual-servers', 'a.yaml'));
    told.length = 0;
    const { folder } = await watched({});
    writeFileSync(path.join(folder, 'other.txt'), 'x');
    await pause(QUIET);
    expect(told).toEqual([]);
  });

  it('tells of a document when it is whole', async () => {
    const { folder, told } = await watched({ 'hubgate.yaml': '{}', 'openapi-specs/a.json': '{}' });
    // Where the machine stalls the writer, the file is still for a moment, and may well be told of.
    let pauses = 0;
    let written = performance.now();
    for (let size = 1; size <= 40; size++) {
      writeFileSync(path.join(folder, 'openapi-specs/a.json'), ' '.repeat(size * 10));
      await pause(20);
      if (performance.now() - written > STILL) pauses += 1;
      written = performance.now();
    }
    await pause(QUIET);
    // Telling while it grows would be once in 200 ms, at least four times.
    expect(told.length).toBeGreaterThan(0);
    expect(told.length).toBeLessThanOrEqual(2 + pauses);
  });

  it('follows files and folders elsewhere, and lets them go', async () => {
    const elsewhere = await folderWith({ token: 'a' });
    const { folder, watch, after } = await watched({ 'hubgate.yaml': '{}' });
    const token = path.join(elsewhere, 'token');
    const own = path.join(folder, 'hubgate.yaml');
    watch.follow([own, token, path.join(elsewhere, 'code')]);
    await pause(QUIET);
    expect(await after(() => writeFileSync(token, 'b'))).toEqual([path.relative(folder, token)]);
    const code = await after(() => {
      mkdirSync(path.join(elsewhere, 'code'));
      writeFileSync(path.join(elsewhere, 'code/a.ts'), 'x');
    });
    expect(code).toContain(path.relative(folder, path.join(elsewhere, 'code/a.ts')));
    watch.follow([own]);
    await pause(QUIET);
    expect(
      await after((at) => {
        writeFileSync(token, 'c');
        writeFileSync(at('hubgate.yaml'), '{ x: 1 }');
      }),
    ).toEqual(['hubgate.yaml']);
    watch.follow([own, token]);
    await pause(QUIET);
    expect(await after(() => writeFileSync(token, 'd'))).toEqual([path.relative(folder, token)]);
  });

  it('sees a mounted volume swap', async () => {
    const { after } = await watched({ '..v1/hubgate.yaml': '{ a: 1 }', '..v2/hubgate.yaml': '{ a: 2 }' }, (folder) => {
      symlinkSync('..v1', path.join(folder, '..data'));
      symlinkSync(path.join('..data', 'hubgate.yaml'), path.join(folder, 'hubgate.yaml'));
    });
    const swapped = await after((at) => {
      symlinkSync('..v2', at('..next'));
      renameSync(at('..next'), at('..data'));
    });
    expect(swapped.length).toBeGreaterThan(0);
  });
});
