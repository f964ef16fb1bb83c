import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../../src/storage/open-store.ts';

const secretKey = Buffer.alloc(32, 1);
const source = new URL('../../../src/storage/open-store.ts', import.meta.url).href;

const children: ChildProcess[] = [];
let dataDir: string;
let file: string;
beforeEach(async () => {
  dataDir = join(await mkdtemp(join(tmpdir(), 'hubgate-store-')), 'made', 'here');
  file = join(dataDir, 'hubgate.db');
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(join(dataDir, '..', '..'), { recursive: true });
});

const open = (): ReturnType<typeof openStore> => openStore('sqlite:', { dataDir, secretKey });

/** Runs a module in a process of its own, with `openStore`, `dataDir` and `secretKey` in place. */
function run(code: string): ChildProcess & { stdout: Readable } {
  const script = `const { openStore } = await import(${JSON.stringify(source)});
    const dataDir = ${JSON.stringify(dataDir)}, secretKey = Buffer.alloc(32, 1);
    ${code}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

describe('openStore', () => {
  it('makes the folder and files that only their owner reads', async () => {
    const store = await open();
    await store.keyValue('x').set('a', 1);
    for (const name of ['hubgate.db', 'hubgate.db-wal', 'hubgate.db-shm'])
      expect((await stat(join(dataDir, name))).mode & 0o777, name).toBe(0o600);
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    await store.close();
  });

  it('opens the file that the address names', async () => {
    const store = await openStore(`sqlite:${join(dataDir, 'other.db')}`, { dataDir: '/nowhere', secretKey });
    await store.close();
    expect((await stat(join(dataDir, 'other.db'))).size).toBeGreaterThan(0);
  });

  it.each([
    ['postgres://user:hunter2@db/hub', /PostgreSQL is not built yet/],
    ['postgresql://user:hunter2@db/hub', /PostgreSQL is not built yet/],
    ['mysql://user:hunter2@db/hub', /sqlite: or sqlite:PATH/],
    ['sqlite', /sqlite: or sqlite:PATH/],
    ['', /sqlite: or sqlite:PATH/],
  ])('refuses %s without showing it', async (url, message) => {
    const error: Error = await openStore(url, { dataDir, secretKey }).then(
      () => expect.unreachable(),
      (thrown: Error) => thrown,
    );
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('hunter2');
  });

  it('says what is wrong with a file that is no store', async () => {
    await (await open()).close();
    await writeFile(file, 'this is not a database, but it is long enough to look like a file that somebody needs'.repeat(20));
    await expect(open()).rejects.toThrow(/hubgate\.db cannot be opened: .*not a database/);
    await expect(openStore(`sqlite:${file}/deeper/x.db`, { dataDir, secretKey })).rejects.toThrow(/cannot be opened/);
    await expect(openStore('sqlite:', { dataDir, secretKey: Buffer.alloc(16) })).rejects.toThrow(/HUBGATE_SECRET_KEY: 64 hex digits/);
  });

  it('refuses a store of a newer version and leaves it as it is', async () => {
    await (await open()).close();
    const database = new Sqlite(file);
    database.prepare('insert into migration values (?)').run('2031-01-01 flying');
    database.close();
    await expect(open()).rejects.toThrow(/written by a newer Hubgate .*2031-01-01 flying/);
  });

  it('does not open a secret that was moved to another entry', async () => {
    const store = await open();
    await store.resources.put('services', 'a', { config: {}, secrets: new Map([['/auth', 'tok-a']]) });
    await store.resources.put('services', 'b', { config: {} });
    const database = new Sqlite(file);
    database.exec(`update resource set secrets = (select secrets from resource where name = 'a') where name = 'b'`);
    await expect(store.resources.all()).rejects.toThrow(/secret \/auth of services "b" cannot be decrypted.*HUBGATE_SECRET_KEY/);
    database.close();
    await store.close();
  });

  it('leaves nothing of a write that fails half-way', async () => {
    const store = await open();
    await store.resources.put('services', 'a', { config: { n: 1 }, document: 'one' });
    const database = new Sqlite(file);
    database.exec(`create trigger full before insert on resource_document begin select raise(abort, 'no more'); end`);
    await expect(store.resources.put('services', 'a', { config: { n: 2 }, document: 'two' })).rejects.toThrow(/no more/);
    expect((await store.resources.all())[0]?.config).toEqual({ n: 1 });
    expect(await store.resources.document('services', 'a')).toBe('one');
    database.exec('drop trigger full');
    database.close();
    await store.resources.put('services', 'a', { config: { n: 3 } });
    await store.close();
  });

  it('refuses writes while another process holds the file and goes on afterwards', async () => {
    const store = await open();
    const fill = 'x'.repeat(100_000);
    await store.keyValue('x').set('before', 1);
    const child = run(`const { default: Sqlite } = await import(${JSON.stringify(import.meta.resolve('better-sqlite3'))});
      const database = (globalThis.held = new Sqlite(${JSON.stringify(file)})); database.exec('begin exclusive'); console.log('locked'); setInterval(() => {}, 1000);`);
    await once(child.stdout, 'data');
    await expect(store.resources.put('services', 'a', { config: fill })).rejects.toMatchObject({ code: 'unavailable', retryable: true });
    child.kill('SIGKILL');
    await once(child, 'exit');
    await store.resources.put('services', 'a', { config: fill });
    expect(await store.keyValue('x').get('before')).toBe(1);
    await store.close();
  }, 20_000);

  it('keeps no process alive that has nothing else to do, and answers one that waits', async () => {
    const child = run(
      `const store = await openStore('sqlite:', { dataDir, secretKey }); await store.keyValue('x').set('a', 1); console.log('done');`,
    );
    const [[text], [code]] = await Promise.all([once(child.stdout, 'data'), once(child, 'exit')]);
    expect(String(text)).toBe('done\n');
    expect(code).toBe(0);
  });

  it('lets two processes make and use one store at a time', async () => {
    const writers = ['a', 'b', 'c'].map((name) =>
      run(`const store = await openStore('sqlite:', { dataDir, secretKey });
        for (let n = 0; n < 20; n++) await store.keyValue('x').set('${name}' + n, store.pepper().toString('hex'));`),
    );
    const codes = await Promise.all(writers.map(async (child) => (await once(child, 'exit'))[0] as number));
    expect(codes).toEqual([0, 0, 0]);
    const store = await open();
    const pepper = store.pepper().toString('hex');
    for (const name of ['a', 'b', 'c']) for (let n = 0; n < 20; n++) expect(await store.keyValue('x').get(`${name}${n}`)).toBe(pepper);
    await store.close();
  }, 20_000);

  it('loses no acknowledged write when the process is killed', async () => {
    let acknowledged = 0;
    for (let kill = 0; kill < 4; kill++) {
      const child = run(`const store = await openStore('sqlite:', { dataDir, secretKey });
        for (let n = ${acknowledged}; ; n++) {
          await store.resources.put('services', 's' + n, { config: { n }, secrets: new Map([['/k', 'v' + n]]), document: 'd' + n });
          console.log(n);
        }`);
      let seen = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        acknowledged = Number(line) + 1;
        if (++seen === 60 + kill * 17) child.kill('SIGKILL');
      }
    }
    const store = await open();
    const all = new Map((await store.resources.all()).map((one) => [one.name, one]));
    expect(acknowledged).toBeGreaterThan(300);
    for (let n = 0; n < acknowledged; n++) {
      expect(all.get(`s${n}`)).toMatchObject({ config: { n }, secrets: new Map([['/k', `v${n}`]]) });
      expect(await store.resources.document('services', `s${n}`)).toBe(`d${n}`);
    }
    await store.close();
    const database = new Sqlite(file);
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
    database.close();
  }, 30_000);
});
