import { describe, expect, it, onTestFinished } from 'vitest';
import type { Consumer } from '../../../src/core/consumer.ts';
import type { Logger } from '../../../src/core/logger.ts';
import type { Mount } from '../../../src/http/mount.ts';
import { createEdge } from '../../../src/http/server.ts';

const ALICE: Consumer = { name: 'alice', groups: [], anonymous: false };
const log: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
const RULES = { allowedHosts: [], allowedOrigins: [] };

/** Status and caller of one GET; `open` is that of the mount. */
async function start(open: NonNullable<Mount['open']>) {
  const identify = ({ headers }: { readonly headers: { readonly authorization?: string | undefined } }): Consumer | undefined =>
    headers.authorization === 'Bearer good' ? ALICE : undefined;
  const mounts: Mount[] = [
    { path: '/cards/:name', methods: ['GET'], open, handle: ({ res, consumer }) => void res.end(`${consumer.name} ${consumer.anonymous}`) },
  ];
  const edge = createEdge({ rules: () => RULES, identify, mounts, log });
  onTestFinished(() => edge.close({ graceMs: 0 }));
  const { url } = await edge.listen({ host: '127.0.0.1', port: 0 });
  return async (name: string, key?: string, method = 'GET'): Promise<[number, string]> => {
    const answer = await fetch(`${url}/cards/${name}`, { method, headers: key === undefined ? {} : { authorization: `Bearer ${key}` } });
    const text = await answer.text();
    return [answer.status, answer.status === 200 ? text : ''];
  };
}

describe('a mount that is open for some', () => {
  const some: NonNullable<Mount['open']> = ({ name }) => name === 'shown';

  it('asks nobody there; whoever says who he is is known, and a wrong key is none', async () => {
    const get = await start(some);
    expect(await get('shown')).toEqual([200, 'anonymous true']);
    expect(await get('shown', 'good')).toEqual([200, 'alice false']);
    expect(await get('shown', 'bad')).toEqual([200, 'anonymous true']);
  });

  it('asks everybody elsewhere', async () => {
    const get = await start(some);
    expect([await get('other'), await get('other', 'bad'), await get('other', 'good')]).toEqual([
      [401, ''],
      [401, ''],
      [200, 'alice false'],
    ]);
  });

  it('is asked at each request, also on a path whose route is known', async () => {
    const opened = new Set(['a']);
    const get = await start(({ name = '' }) => opened.has(name));
    expect([(await get('a'))[0], (await get('b'))[0]]).toEqual([200, 401]);
    opened.add('b');
    opened.delete('a');
    expect([(await get('a'))[0], (await get('b'))[0]]).toEqual([401, 200]);
  });

  it('tells nobody without a key which methods it takes', async () => {
    const get = await start(some);
    expect([(await get('shown', undefined, 'PUT'))[0], (await get('shown', 'good', 'PUT'))[0]]).toEqual([401, 405]);
  });
});

it('a mount that is always open knows nobody', async () => {
  const get = await start(true);
  expect(await get('x', 'good')).toEqual([200, 'anonymous true']);
});
