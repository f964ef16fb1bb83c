import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

interface Manifest {
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}
interface Lock {
  readonly packages: Record<string, { readonly license?: string; readonly resolved?: string; readonly link?: boolean }>;
}

/** Name and licence of each row below a heading of docs/dependencies.md; a row without a reason does not count. */
function documented(heading: string): Map<string, string> {
  const section = read('docs/dependencies.md').split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = section.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  return new Map(
    rows.filter(([, name, , reason]) => name?.startsWith('`') && reason).map(([, name = '', licence = '']) => [name.slice(1, -1), licence]),
  );
}

/** The same as the lock file says it, which needs nothing installed. */
function locked(folder: string, names: Record<string, string> = {}): Map<string, string> {
  const { packages } = JSON.parse(read(`${folder}package-lock.json`)) as Lock;
  return new Map(
    Object.keys(names).map((name) => {
      const entry = packages[`node_modules/${name}`];
      // A package of this repository is a link to where it is.
      const { license } = (entry?.link ? packages[entry.resolved ?? ''] : entry) ?? {};
      return [name, license ?? 'not in the lock file'];
    }),
  );
}

const sorted = (rows: Map<string, string>): string[][] => [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
const main = JSON.parse(read('package.json')) as Manifest;
const peers = JSON.parse(read('test/e2e/peers/package.json')) as Manifest;

describe('dependencies', () => {
  it.each([
    { heading: 'At run time', folder: '', names: main.dependencies },
    { heading: 'For development', folder: '', names: main.devDependencies },
    { heading: 'Test peers', folder: 'test/e2e/peers/', names: peers.dependencies },
  ])('docs/dependencies.md, $heading: every package with its licence and a reason', ({ heading, folder, names }) => {
    const rows = sorted(locked(folder, names));
    expect(rows.length).toBeGreaterThan(0);
    expect(sorted(documented(heading))).toEqual(rows);
  });

  it.each([main.dependencies, main.devDependencies, peers.dependencies])('versions are exact', (names = {}) => {
    expect(Object.entries(names).filter(([, version]) => !/^(?:npm:[\w@/-]+@)?\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))).toEqual([]);
  });

  it.each(['', 'test/e2e/peers/'])('%spackage-lock.json names no host', (folder) => {
    const { packages } = JSON.parse(read(`${folder}package-lock.json`)) as Lock;
    const addressed = Object.entries(packages).filter(([, { resolved, link }]) => resolved !== undefined && link !== true);
    expect(addressed.map(([path]) => path)).toEqual([]);
  });
});
