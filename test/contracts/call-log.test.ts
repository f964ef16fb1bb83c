import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCallLog } from '../../src/storage/calls/open-call-log.ts';
import { examineCallLog } from './call-log.ts';

const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };

examineCallLog('sqlite in the data folder', { survives: true }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hubgate-calls-'));
  return {
    open: () => openCallLog({ path: join(folder, 'calls.db'), log }),
    remove: () => rm(folder, { recursive: true }),
  };
});

examineCallLog('sqlite in memory', { survives: false }, async () => ({
  open: () => openCallLog({ path: ':memory:', log }),
  remove: async () => {},
}));
