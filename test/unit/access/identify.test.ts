import { createHash } from 'node:crypto';
import { request as httpRequest, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DirectoryOptions } from '../../../src/access/consumers.ts';
import { ConsumerDirectory } from '../../../src/access/consumers.ts';
import { identify } from '../../../src/access/identify.ts';
import { createKey, keyDigest, pepperedDigest } from '../../../src/access/keys.ts';
import { ANONYMOUS } from '../../../src/core/consumer.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const pepper = Buffer.alloc(32, 3);
const KEY = 'sk-alice-1';

function directory(extra: Partial<DirectoryOptions> = {}): ConsumerDirectory {
  return new ConsumerDirectory({
    consumers: [
      {
        name: 'alice',
        groups: ['support'],
        keys: [{ sha256: sha256(KEY) }, { sha256: sha256('sk-old'), expires: '2026-11-20T00:00:00Z' }],
      },
      { name: 'bob', keys: [{ sha256: sha256('sk-bob') }] },
      { name: 'carol' },
    ],
    now: () => Date.parse('2026-11-21T00:00:00Z'),
    ...extra,
  });
}

describe('keys', () => {
  it('are hg_ and 32 random bytes', () => {
    const keys = new Set(Array.from({ length: 100 }, createKey));
    expect(keys.size).toBe(100);
    for (const key of keys) expect(Buffer.from(key.slice(3), 'base64url')).toHaveLength(32);
    expect([...keys][0]).toMatch(/^hg_[A-Za-z0-9_-]{43}$/);
    expect(keyDigest(KEY)).toBe(sha256(KEY));
    expect(pepperedDigest(KEY, pepper)).not.toBe(pepperedDigest(KEY, Buffer.alloc(32, 4)));
  });
});

describe('ConsumerDirectory', () => {
  it('finds consumers by name and by key', () => {
    const known = directory();
    expect(known.open).toBe(false);
    expect(known.problems).toEqual([]);
    expect(known.get('alice')).toEqual({ name: 'alice', groups: ['support'], anonymous: false });
    expect(known.find(KEY)).toBe(known.get('alice'));
    expect(known.find('sk-bob')?.name).toBe('bob');
    expect(known.get('dave')).toBeUndefined();
  });

  it('takes no hash, no expired key and nothing else for a key', () => {
    const known = directory();
    const hostile = [
      sha256(KEY),
      KEY.toUpperCase(),
      `${KEY} `,
      KEY.slice(0, -1),
      `${KEY}x`,
      'sk-old',
      '',
      '__proto__',
      'constructor',
      "' or 1=1 --",
      'null',
      'undefined',
    ];
    for (const key of hostile) expect(known.find(key), key).toBeUndefined();
    fc.assert(fc.property(fc.string(), (key) => key === KEY || key === 'sk-bob' || known.find(key) === undefined));
  });

  it('ends a key at its time', () => {
    let time = 0;
    const until = Date.parse('2026-11-21T00:00:00Z');
    const known = directory({
      consumers: [{ name: 'a', keys: [{ sha256: sha256(KEY), expires: '2026-11-21T00:00:00Z' }] }],
      now: () => time,
    });
    time = until - 1;
    expect(known.find(KEY)?.name).toBe('a');
    time = until;
    expect(known.find(KEY)).toBeUndefined();
  });

  it('finds keys that the hub made, again and again, until they expire', () => {
    let time = 0;
    const [key, other, orphan] = [createKey(), createKey(), createKey()];
    const stored = (consumer: string, made: string, expiresAt?: number) => ({
      id: made.slice(-4),
      consumer,
      digest: pepperedDigest(made, pepper),
      createdAt: 0,
      ...(expiresAt === undefined ? {} : { expiresAt }),
    });
    const keys = [stored('carol', key, 1000), stored('bob', other), stored('gone', orphan)];
    const known = directory({ keys, pepper, now: () => time });
    for (let n = 0; n < 3; n++) {
      expect(known.find(key)?.name).toBe('carol');
      expect(known.find(other)?.name).toBe('bob');
      expect(known.find(orphan)).toBeUndefined();
      expect(known.find(createKey())).toBeUndefined();
      expect(known.find(pepperedDigest(key, pepper))).toBeUndefined();
    }
    time = 1000;
    expect(known.find(key)).toBeUndefined();
    expect(known.find(other)?.name).toBe('bob');
    expect(directory({ keys, pepper: Buffer.alloc(32, 9) }).find(other)).toBeUndefined();
  });

  it('reports a key of two consumers and lets nobody in by it', () => {
    const twice = [{ sha256: sha256(KEY) }];
    const known = directory({
      consumers: [
        { name: 'a', keys: [...twice, ...twice] },
        { name: 'b', keys: [{ sha256: sha256('x') }, ...twice] },
        { name: 'c', keys: twice },
      ],
    });
    expect(known.problems).toMatchObject([
      { code: 'key_shared', severity: 'error', message: expect.stringContaining('"a" and "b"') as string, pointer: '/consumers/1/keys/1' },
      { code: 'key_shared', pointer: '/consumers/2/keys/0' },
    ]);
    expect(JSON.stringify(known.problems)).not.toContain(sha256(KEY));
    expect(known.find(KEY)).toBeUndefined();
    expect(known.find('x')?.name).toBe('b');
  });

  it('reports a name that comes twice', () => {
    const known = directory({ consumers: [{ name: 'a' }, { name: 'a', keys: [{ sha256: sha256(KEY) }] }] });
    expect(known.problems).toMatchObject([{ code: 'consumer_twice', severity: 'error', pointer: '/consumers/1' }]);
    expect(known.find(KEY)).toBeUndefined();
  });

  it('costs a microsecond or two', () => {
    const key = createKey();
    const known = directory({ keys: [{ id: '1', consumer: 'bob', digest: pepperedDigest(key, pepper), createdAt: 0 }], pepper });
    const rawHeaders = [
      'Host',
      'x',
      'Accept',
      '*/*',
      'Content-Type',
      'application/json',
      'Authorization',
      `Bearer ${key}`,
      'Content-Length',
      '12',
    ];
    const run = (): number => {
      const began = performance.now();
      for (let n = 0; n < 20_000; n++) identify({ rawHeaders }, known);
      return ((performance.now() - began) * 1000) / 20_000;
    };
    run();
    // The best of five, with room for a busy machine; 1.3 µs alone.
    expect(Math.min(...Array.from({ length: 5 }, run))).toBeLessThan(8);
  });
});

describe('identify', () => {
  const known = directory();
  const who = (...rawHeaders: string[]): string | undefined => identify({ rawHeaders }, known)?.name;

  it.each([
    [['Authorization', `Bearer ${KEY}`], 'alice'],
    [['authorization', `bearer   ${KEY}  `], 'alice'],
    [['AUTHORIZATION', `BEARER ${KEY}`], 'alice'],
    [['x-api-key', KEY], 'alice'],
    [['Api-Key', KEY], 'alice'],
    [['Authorization', `Bearer ${KEY}`, 'x-api-key', KEY], 'alice'],
    [['Authorization', 'Basic dXNlcjpwYXNz', 'x-api-key', 'sk-bob'], 'bob'],
    [[], undefined],
    [['Authorization', KEY], undefined],
    [['Authorization', `Bearer${KEY}`], undefined],
    [['Authorization', 'Bearer '], undefined],
    [['Authorization', 'Bearer'], undefined],
    [['Authorization', `Basic ${KEY}`], undefined],
    [['Authorization', `Bearer ${sha256(KEY)}`], undefined],
    [['Authorization', `Bearer ${KEY}, Bearer ${KEY}`], undefined],
    // Two keys, or one header twice: refused, even when one of them is right.
    [['Authorization', `Bearer ${KEY}`, 'x-api-key', 'sk-bob'], undefined],
    [['Authorization', `Bearer ${KEY}`, 'api-key', 'wrong'], undefined],
    [['Authorization', `Bearer ${KEY}`, 'authorization', 'Bearer sk-bob'], undefined],
    [['Authorization', `Bearer ${KEY}`, 'Authorization', `Bearer ${KEY}`], undefined],
    [['x-api-key', KEY, 'X-Api-Key', KEY], undefined],
    [['Authorization', '', 'authorization', `Bearer ${KEY}`], undefined],
    // Nothing else in a request says who calls.
    [['x-consumer', 'alice', 'x-hubgate-consumer', 'alice', 'remote-user', 'alice', 'cookie', `key=${KEY}`], undefined],
    [['x_api_key', KEY], undefined],
    [['__proto__', KEY], undefined],
  ])('%j is %s', (headers, name) => {
    expect(who(...headers)).toBe(name);
  });

  it('makes everybody anonymous in open mode', () => {
    const open = directory({ consumers: [] });
    expect(identify({ rawHeaders: [] }, open)).toBe(ANONYMOUS);
    expect(identify({ rawHeaders: ['Authorization', 'Bearer anything'] }, open)).toBe(ANONYMOUS);
  });

  it('reads what node reads from a socket, any text included', async () => {
    const spoken = directory({ consumers: [{ name: 'ü', keys: [{ sha256: sha256('ключ-é') }] }] });
    const server = createServer((req, res) => res.end(JSON.stringify(identify(req, spoken)?.name ?? null))).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const ask = (headers: string[]): Promise<unknown> =>
      new Promise((resolve, reject) => {
        httpRequest({ port, host: '127.0.0.1', headers: ['Host', 'x', ...headers] as never }, (res) => {
          let text = '';
          res.on('data', (chunk) => (text += String(chunk)));
          res.on('end', () => resolve(JSON.parse(text)));
        })
          .on('error', reject)
          .end();
      });
    const sent = Buffer.from('ключ-é').toString('latin1');
    expect(await ask(['Authorization', `Bearer ${sent}`])).toBe('ü');
    expect(await ask(['Authorization', 'Bearer x', 'Authorization', `Bearer ${sent}`])).toBeNull();
    expect(await ask(['Authorization', `Bearer ${sent}`, 'Authorization', 'Bearer x'])).toBeNull();
    server.close();
  });
});
