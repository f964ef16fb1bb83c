import { expect, it } from 'vitest';
import { RecentMap } from '../../../../src/storage/state/recent-map.ts';

it('forgets what was not asked for between two turns', () => {
  const map = new RecentMap<number>(10, () => expect.unreachable());
  map.set('asked', 1, 0);
  map.set('idle', 2, 0);
  map.turnAfter(1000, 0);
  expect(map.get('asked', 500)).toBe(1);
  expect(map.peek('idle')).toBe(2);
  map.turnAfter(1000, 999);
  expect(map.peek('idle')).toBe(2);
  map.turnAfter(1000, 1000);
  expect([map.get('asked', 1000), map.get('idle', 1000), map.size]).toEqual([1, undefined, 2]);
  map.turnAfter(1000, 2000);
  map.turnAfter(1000, 3000);
  expect([map.get('asked', 3000), map.size]).toEqual([undefined, 0]);
});

it('holds at most twice what it may, and says when it forgets early', () => {
  let forgot = 0;
  const map = new RecentMap<number>(10, () => forgot++);
  map.turnAfter(1000, 0);
  for (let n = 0; n < 20; n++) map.set(`${n}`, n, 500);
  expect([map.size, forgot]).toEqual([20, 0]);
  map.set('more', 1, 500);
  expect([map.size, forgot]).toEqual([11, 1]);
  for (let n = 0; n < 1000; n++) {
    map.set(`other ${n}`, n, 600);
    expect(map.get('more', 600)).toBe(1);
    expect(map.size).toBeLessThanOrEqual(20);
  }
});

it('counts the time from a turn before its time', () => {
  const map = new RecentMap<number>(2, () => {});
  map.turnAfter(1000, 0);
  for (const key of ['a', 'b', 'c']) map.set(key, 1, 900);
  map.turnAfter(1000, 1899);
  expect(map.peek('a')).toBe(1);
  map.turnAfter(1000, 1900);
  expect(map.peek('a')).toBeUndefined();
  expect(map.peek('c')).toBe(1);
});
