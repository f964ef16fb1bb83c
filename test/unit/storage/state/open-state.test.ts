import { describe, expect, it } from 'vitest';
import { MemoryState } from '../../../../src/storage/state/memory-state.ts';
import { openState } from '../../../../src/storage/state/open-state.ts';
import { fakeLog } from './fake-log.ts';
import { FakeStore } from './fake-store.ts';

const options = { store: new FakeStore(), log: fakeLog().log };

describe('openState', () => {
  it('opens memory', async () => {
    expect(await openState('memory:', options)).toBeInstanceOf(MemoryState);
  });

  it.each([
    ['redis://user:hunter2@cache:6379', /Redis is not built yet.*memory:/],
    ['rediss://user:hunter2@cache:6379', /Redis is not built yet.*memory:/],
    ['memory:hunter2', /the state is memory:/],
    ['valkey://user:hunter2@cache', /the state is memory:/],
    ['memory', /the state is memory:/],
    ['', /the state is memory:/],
  ])('refuses %s without showing it', async (url, message) => {
    const error: Error = await openState(url, options).then(
      () => expect.unreachable(),
      (thrown: Error) => thrown,
    );
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^HUBGATE_STATE: /);
    expect(error.message).not.toContain('hunter2');
  });
});
