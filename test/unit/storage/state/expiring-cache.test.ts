import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExpiringCache } from '../../../../src/storage/state/expiring-cache.ts';

/** What an entry with a key of one character and a text of so many takes. */
const bytesOf = (characters: number): number => 2 * (1 + characters) + 200;

describe('ExpiringCache', () => {
  it('lets go what was not asked for longest', () => {
    const cache = new ExpiringCache(10 * bytesOf(20));
    for (const key of 'abcdefghij') cache.set(key, key.repeat(20), 1000, 0);
    expect(cache.get('a', 0)).toBe('a'.repeat(20));
    cache.set('k', 'k'.repeat(20), 1000, 0);
    cache.set('l', 'l'.repeat(20), 1000, 0);
    expect([...'abcdefghijkl'].filter((key) => cache.get(key, 0) !== undefined).join('')).toBe('adefghijkl');
    expect(cache.bytes).toBe(10 * bytesOf(20));
  });

  it('keeps no entry larger than an eighth of the room, and not the one before it either', () => {
    const cache = new ExpiringCache(8 * bytesOf(1000));
    cache.set('a', 'x'.repeat(1000), 1000, 0);
    expect(cache.get('a', 0)).toHaveLength(1000);
    cache.set('a', 'x'.repeat(1001), 1000, 0);
    expect(cache.get('a', 0)).toBeUndefined();
    expect(cache.bytes).toBe(0);
  });

  it('gives the room of what has ended back when it is asked for', () => {
    const cache = new ExpiringCache(10_000);
    cache.set('a', 'x', 1000, 0);
    expect(cache.get('a', 1000)).toBeUndefined();
    expect(cache.bytes).toBe(0);
  });

  it('never takes more than its room and never gives what it was not given', () => {
    const room = 4000;
    const command = fc.record({
      do: fc.constantFrom('set', 'set', 'get', 'delete'),
      key: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz'),
      size: fc.nat(300),
      ttlMs: fc.integer({ min: -1, max: 50 }),
      waitMs: fc.nat(5),
    });
    fc.assert(
      fc.property(fc.array(command, { maxLength: 200, size: 'max' }), (commands) => {
        const cache = new ExpiringCache(room);
        const last = new Map<string, { value: string; until: number }>();
        let at = 0;
        for (const { do: what, key, size, ttlMs, waitMs } of commands) {
          at += waitMs;
          if (what === 'set') {
            const value = `${last.size}`.padEnd(size, 'x');
            cache.set(key, value, ttlMs, at);
            last.set(key, { value, until: at + ttlMs });
            if (ttlMs > 0 && bytesOf(value.length) <= room / 8) expect(cache.get(key, at)).toBe(value);
          } else if (what === 'delete') {
            cache.delete(key);
            last.delete(key);
          }
          const found = cache.get(key, at);
          if (found !== undefined) {
            expect(found).toBe(last.get(key)?.value);
            expect(at).toBeLessThan(last.get(key)!.until);
          }
          expect(cache.bytes).toBeLessThanOrEqual(room);
        }
        for (const key of last.keys()) cache.delete(key);
        expect(cache.bytes).toBe(0);
      }),
    );
  });
});
