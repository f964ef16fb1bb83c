import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { makeFolder, PETSTORE, PETSTORE_SPEC, runCli, runHere } from './run-cli.ts';

let folders: string[] = [];
const folder = async (files?: Record<string, string>): Promise<string> => {
  const made = await makeFolder(files);
  folders.push(made);
  return made;
};
const hub = (more = ''): Promise<string> => folder({ 'hubgate.yaml': `${PETSTORE}${more}`, 'petstore.yaml': PETSTORE_SPEC });
const ALICE = 'consumers:\n  - name: alice\n';

afterEach(async () => {
  for (const one of folders) await rm(one, { recursive: true, force: true });
  folders = [];
});

describe('usage', { timeout: 20_000 }, () => {
  it('is what the process ends with', async () => {
    expect(await runCli(await folder(), ['serv'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('Did you mean serve?'),
    });
    expect(await runCli(await folder(), ['tools', 'list'])).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no file') });
    expect(await runCli(await folder(), ['check'])).toMatchObject({ code: 0 });
  });

  it.each([
    [['--help'], 0, 'Examples:'],
    [['serve', '--help'], 0, 'HUBGATE_PORT'],
    [['tools', 'call', '--help'], 0, '--args'],
    [['--version'], 0, /^\d+\.\d+\.\d+\n$/],
  ])('%j helps', async (args, code, text) => {
    const result = await runHere(await folder(), args as string[]);
    expect(result).toMatchObject({ code, stderr: '' });
    expect(result.stdout).toMatch(text);
  });

  it.each([
    [['serv'], 'Did you mean serve?'],
    [['rockets', 'list'], 'unknown command'],
    [['import'], 'missing required argument'],
    [['serve', '--port', '70000'], 'A port is a number'],
    [['check', '--jsn'], 'Did you mean --json?'],
    [['import', '--name', 'x', 'a.yaml', 'b.yaml'], '--name names one document'],
    [['import', '--name', 'Not A Name', 'a.yaml'], 'cannot name a service'],
    [['tools', 'call', 'x', '--args', '[1]'], '--args takes a JSON object'],
    [['connect', 'emacs'], 'is not a client'],
    [['stdio', 'No Such'], 'is not the name of a server'],
  ])('%j ends with 2', async (args, text) => {
    const { code, stdout, stderr } = await runHere(await folder(), args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(text);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

describe('check', { timeout: 20_000 }, () => {
  it('passes what is right, makes no data folder, and needs no hubgate.yaml', async () => {
    const cwd = await hub();
    expect(await runHere(cwd, ['check'])).toMatchObject({ code: 0, stdout: expect.stringContaining('all is well') });
    expect(existsSync(join(cwd, 'data'))).toBe(false);
    expect(await runHere(cwd, ['check', '--config', 'other.yaml'])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('There is no file'),
    });
  });

  it('tells every error with its place, those of documents too', async () => {
    const cwd = await hub('bogus: 1\n');
    const { code, stdout } = await runHere(cwd, ['check']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^hubgate\.yaml:5:1 There is no key "bogus"/m);
    const bad = await folder({ 'hubgate.yaml': '{}', 'openapi-specs/bad.yaml': 'openapi: 3.1.0\npaths: {}}\n' });
    const report = await runHere(bad, ['check', '--json']);
    expect(report.code).toBe(1);
    expect(JSON.parse(report.stdout)).toMatchObject({
      ok: false,
      problems: [{ file: 'openapi-specs/bad.yaml', line: expect.any(Number), message: expect.any(String) }],
    });
  });

  it('warns of operations that are left out of a document that is served', async () => {
    const responses = {};
    const paths = { '/a': { get: { parameters: [{ $ref: '#/components/parameters/none' }], responses } }, '/b': { get: { responses } } };
    const document = JSON.stringify({ openapi: '3.1.0', info: { title: 'T', version: '1' }, paths });
    const cwd = await folder({ 'hubgate.yaml': '{}', 'openapi-specs/partly.json': document });
    const { code, stdout } = await runHere(cwd, ['check']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^openapi-specs\/partly\.json warning: 1 operation is left out: GET \/a: .*#\/components\/parameters\/none/m);
  });
});

describe('in this process, without a running hub', { timeout: 30_000 }, () => {
  it('lists, calls and explains tools', async () => {
    const cwd = await hub();
    const list = await runHere(cwd, ['tools', 'list', '--server', 'petstore']);
    expect(list).toMatchObject({ code: 0, stderr: '' });
    expect(list.stdout).toMatch(/^listPets +List pets\./m);
    expect(JSON.parse((await runHere(cwd, ['tools', 'list', '--json'])).stdout)).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: 'petstore_listPets' })]),
    );
    const called = await runHere(cwd, ['tools', 'call', 'listPets', '--server', 'petstore', '--args', '{"limit":1}', '--json']);
    expect(called.code, called.stderr).toBe(0);
    expect(JSON.parse(called.stdout)).toMatchObject({ content: [{ type: 'text', text: expect.stringContaining('Rex') }] });
    expect(await runHere(cwd, ['tools', 'call', 'nothing'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('nothing'),
    });
    const explained = await runHere(cwd, ['explain', 'tool', '/mcp', 'petstore_deletePet']);
    expect(explained.stdout).toMatch(/^petstore_deletePet on \/mcp for the anonymous consumer: visible, callable\n {2}info /);
    expect(await runHere(cwd, ['explain', 'tool', 'nowhere', 'x', '--json'])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('"visible": false'),
      stderr: expect.stringContaining('There is no server "nowhere"'),
    });
  });

  it('acts as a consumer, and asks for one as soon as there are any', async () => {
    const cwd = await hub(`${ALICE}`);
    for (const args of [
      ['tools', 'list'],
      ['tools', 'call', 'petstore_listPets'],
      ['explain', 'tool', 'petstore', 'listPets'],
    ]) {
      expect(await runHere(cwd, args), args.join(' ')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('--as CONSUMER. There are alice.'),
      });
    }
    expect(await runHere(cwd, ['tools', 'call', 'petstore_listPets', '--as', 'alice'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Rex'),
    });
    expect(await runHere(cwd, ['tools', 'list', '--as', 'bob'])).toMatchObject({
      code: 1,
      stderr: 'hubgate: There is no consumer "bob". There are alice.\n',
    });
  });

  it('makes, lists and deletes keys', async () => {
    const cwd = await hub(ALICE);
    const made = await runHere(cwd, ['keys', 'create', 'alice', '--label', 'laptop', '--expires', '2099-01-31']);
    expect(made.stdout).toMatch(/^hg_[\w-]{43}\n$/);
    expect(made.stderr).not.toContain(made.stdout.trim());
    const list = await runHere(cwd, ['keys', 'list', 'alice', '--json']);
    const [key] = JSON.parse(list.stdout) as { id: string }[];
    expect(key).toMatchObject({ label: 'laptop', expiresAt: '2099-01-31T00:00:00.000Z' });
    expect(list.stdout).not.toContain('hg_');
    expect((await runHere(cwd, ['keys', 'delete', 'alice', key?.id ?? ''])).code).toBe(0);
    expect(await runHere(cwd, ['keys', 'delete', 'alice', key?.id ?? ''])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no key of that id'),
    });
    expect(await runHere(cwd, ['keys', 'create', 'nobody'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('There is no consumer "nobody"'),
    });
    for (const [time, message] of [
      ['tomorrow', 'Write a date or a time with its zone: 2027-01-31, 2027-01-31T12:00:00Z.'],
      ['2020-01-01', 'This time is past.'],
    ] as const) {
      const refused = { code: 1, stdout: '', stderr: `hubgate: --expires ${time}: ${message}\n` };
      expect(await runHere(cwd, ['keys', 'create', 'alice', '--expires', time])).toEqual(refused);
    }
  });

  it('says what is wrong with the configuration', async () => {
    expect(await runHere(await hub('bogus: 1\n'), ['tools', 'list'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('hubgate.yaml:5:1'),
    });
    expect(await runHere(await folder(), ['serve'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('There is no file'),
    });
  });

  it('connects a client, with a key when it cannot know that none is needed', async () => {
    const open = await runHere(await hub(), ['connect', 'claude-code', 'petstore']);
    expect(open).toMatchObject({ code: 0, stdout: expect.stringContaining('http://127.0.0.1:8700/mcp/petstore') });
    expect(open.stdout).not.toContain('HUBGATE_KEY');
    expect((await runHere(await hub(ALICE), ['connect', 'claude-code'])).stdout).toContain('HUBGATE_KEY');
    const far = await runHere(await folder(), ['connect', 'cursor'], { HUBGATE_URL: 'https://hub.example.com' });
    expect(far.stdout).toContain('https://hub.example.com/mcp');
  });

  it('warns of a server that nothing declares, and still says how', async () => {
    const cwd = await hub();
    const misspelt = await runHere(cwd, ['connect', 'claude-code', 'petstor']);
    expect(misspelt).toMatchObject({ code: 0, stdout: expect.stringMatching(/mcp\/petstor$/m) });
    expect(misspelt.stderr).toMatch(/^Warning: There is no server "petstor"\. Did you mean "petstore"\?/);
    for (const [folderOf, server, env] of [
      [cwd, ['petstore'], {}],
      [cwd, [], {}],
      [cwd, ['petstor'], { HUBGATE_URL: 'https://hub.example.com' }],
      [await folder({ 'hubgate.yaml': 'bogus: 1\n' }), ['petstor'], {}],
      [await folder({ 'hubgate.yaml': '{}', 'virtual-servers/pets.yaml': 'tools: []' }), ['pets'], {}],
      [await folder({ 'hubgate.yaml': '{}', 'openapi-specs/pets.yaml': PETSTORE_SPEC }), ['pets'], {}],
    ] as const) {
      expect((await runHere(folderOf, ['connect', 'cursor', ...server], env)).stderr, server.join(' ')).toBe('');
    }
  });

  it('says which of --as and HUBGATE_KEY counts', async () => {
    const cwd = await hub(ALICE);
    const called = await runHere(cwd, ['tools', 'call', 'petstore_listPets', '--as', 'alice'], { HUBGATE_KEY: 'hg_of-somebody' });
    expect(called).toMatchObject({ code: 0, stderr: expect.stringContaining('made here as alice; HUBGATE_KEY is not used') });
  });
});
