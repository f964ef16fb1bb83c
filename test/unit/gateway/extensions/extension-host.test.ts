import { expect, it } from 'vitest';
import type { KeyValueStore } from '../../../../src/core/contracts/extension.ts';
import { createHostFactory, type Lenders } from '../../../../src/gateway/extensions/extension-host.ts';
import { MemoryState } from '../../../../src/storage/state/memory-state.ts';
import { SILENT } from '../../pipeline/live-calls.ts';

function hosts() {
  const values = new Map<string, unknown>();
  const keyValue = (namespace: string): KeyValueStore => ({
    get: async (key) => values.get(`${namespace} ${key}`),
    set: async (key, value) => void values.set(`${namespace} ${key}`, value),
    delete: async (key) => void values.delete(`${namespace} ${key}`),
  });
  const state = new MemoryState({ store: keyValue('state'), log: SILENT });
  return createHostFactory({ store: { keyValue }, state, log: SILENT, http: {} } as unknown as Lenders);
}

it('what an extension counts at one place, nobody counts elsewhere', async () => {
  const hostOf = hosts();
  const meter = { key: 'a:b', limit: 1, kind: 'sliding', windowMs: 1_000 } as const;
  const taken = async (extension: string, place?: string): Promise<boolean> =>
    'ticket' in (await hostOf(extension, place).state.take([{ meter, amount: 1 }]));
  expect(await taken('policy:limit', 'models/a')).toBe(true);
  expect(await taken('policy:limit', 'models/a'), 'another generation').toBe(false);
  for (const [extension, place] of [
    ['policy:limit', 'models/b'],
    ['policy:limit', ''],
    ['policy:other', 'models/a'],
    ['policy:limit@models/a', ''],
  ] as const)
    expect([extension, place, await taken(extension, place)]).toEqual([extension, place, true]);
});

it('entries, the store and values that outlive reloads are an extension’s own', async () => {
  const hostOf = hosts();
  const [one, again, other] = [hostOf('policy:one'), hostOf('policy:one', 'models/a'), hostOf('policy:other')];
  expect([one.place, again.place]).toEqual(['', 'models/a']);
  await one.store.set('key', 1);
  expect([await again.store.get('key'), await other.store.get('key')]).toEqual([1, undefined]);
  one.state.set('key', 'kept', 1_000);
  expect([await one.state.get('key'), await again.state.get('key')]).toEqual(['kept', undefined]);
  const made = one.shared('list', () => ['one']);
  expect([again.shared('list', () => ['two']) === made, other.shared('list', () => ['three'])]).toEqual([true, ['three']]);
  await one.state.close();
});
