import { openStore } from '../../src/storage/open-store.ts';
import { openState } from '../../src/storage/state/open-state.ts';
import { examineState } from './state.ts';

const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };

examineState('memory', async () => {
  const store = await openStore('sqlite::memory:', { dataDir: '/nowhere', secretKey: Buffer.alloc(32, 7) });
  return {
    open: ({ now }) => openState('memory:', { store: store.keyValue('state'), log, now }),
    remove: () => store.close(),
  };
});
