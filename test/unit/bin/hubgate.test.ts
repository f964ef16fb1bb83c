import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const BIN = join(import.meta.dirname, '../../../bin/hubgate.js');

describe('bin/hubgate.js', () => {
  let root = '';
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'hubgate-bin-'));
    await cp(BIN, join(root, 'bin/hubgate.js'));
    await writeFile(join(root, 'package.json'), '{ "type": "module" }');
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it('runs src/main.ts of a clone with the arguments and keeps its exit code', async () => {
    await addMain('src/main.ts', "const code: number = 3; console.log('clone', ...process.argv.slice(2)); process.exitCode = code;");
    await addMain('dist/main.js', "console.log('package');");
    expect(await start('import', 'a b')).toEqual({ code: 3, stdout: 'clone import a b\n', stderr: '' });
  });

  it('runs dist/main.js of a package', async () => {
    await addMain('dist/main.js', "console.log('package');");
    expect(await start()).toEqual({ code: 0, stdout: 'package\n', stderr: '' });
  });

  it('says what is missing on standard error only', async () => {
    const { code, stdout, stderr } = await start('stdio');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('npm run build');
  });

  it('hands over to the pinned Node when this one is too old', async () => {
    await addMain('src/main.ts', "console.log('never on an old Node');");
    await addMain(
      'node_modules/node/bin/node',
      `#!${process.execPath}\nconsole.log('pinned', process.argv.slice(3).join(' ')); process.exitCode = 5;`,
      0o755,
    );
    expect(await startAsOld('stdio', 'x')).toEqual({ code: 5, stdout: 'pinned stdio x\n', stderr: '' });
  });

  it('asks for a newer Node when there is no pinned one', async () => {
    await addMain('src/main.ts', "console.log('never on an old Node');");
    const { code, stdout, stderr } = await startAsOld();
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/needs Node 24 or newer; this is v20\.0\.0/);
  });

  async function addMain(path: string, text: string, mode = 0o644): Promise<void> {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), text, { mode });
  }

  const start = (...args: string[]): ReturnType<typeof run> => run([join(root, 'bin/hubgate.js'), ...args]);

  /** Makes this Node say that it is version 20 before the file under test is read. */
  async function startAsOld(...args: string[]): ReturnType<typeof run> {
    const old =
      "Object.defineProperties(process, { version: { value: 'v20.0.0' }, versions: { value: { ...process.versions, node: '20.0.0' } } });";
    return run(['--import', `data:text/javascript,${encodeURIComponent(old)}`, join(root, 'bin/hubgate.js'), ...args]);
  }
});

async function run(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, args)) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}
