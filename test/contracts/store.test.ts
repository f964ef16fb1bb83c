import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../src/storage/open-store.ts';
import { examineStore } from './store.ts';

examineStore('sqlite in the data folder', { survives: true }, async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'hubgate-store-'));
  return {
    open: (options) => openStore('sqlite:', { dataDir, ...options }),
    atRest: async () => Buffer.concat(await Promise.all((await readdir(dataDir)).map((file) => readFile(join(dataDir, file))))),
    remove: () => rm(dataDir, { recursive: true }),
  };
});

examineStore('sqlite in memory', { survives: false }, async () => ({
  open: (options) => openStore('sqlite::memory:', { dataDir: '/nowhere', ...options }),
  atRest: async () => Buffer.alloc(0),
  remove: async () => {},
}));
