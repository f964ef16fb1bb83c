import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyRing } from '../../../../src/upstreams/health/key-ring.ts';

const START = Date.UTC(2026, 10, 21);
const THREE = [{ label: 'one' }, { label: 'two' }, { label: 'three' }];

/** How often each key is picked in a row of picks. */
function counts(ring: KeyRing, picks: number, now = START, exclude?: ReadonlySet<number>): Record<string, number> {
  const picked: Record<string, number> = {};
  for (let pick = 0; pick < picks; pick++) {
    const index = String(ring.pick(now, exclude));
    picked[index] = (picked[index] ?? 0) + 1;
  }
  return picked;
}

describe('taking keys in turn', () => {
  it('gives each its share', () => {
    const ring = new KeyRing(THREE);
    expect(Array.from({ length: 9 }, () => ring.pick(START))).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2]);
    const weighted = new KeyRing([{ label: 'a', weight: 7 }, { label: 'b', weight: 2 }, { label: 'c' }]);
    expect(counts(weighted, 1_000)).toEqual({ 0: 700, 1: 200, 2: 100 });
  });

  it('passes over those of weight 0, and those that this call has tried', () => {
    const ring = new KeyRing([{ label: 'off', weight: 0 }, ...THREE]);
    expect(counts(ring, 30)).toEqual({ 1: 10, 2: 10, 3: 10 });
    expect(counts(ring, 30, START, new Set([2]))).toEqual({ 1: 15, 3: 15 });
    expect(ring.pick(START, new Set([1, 2, 3]))).toBeUndefined();
  });

  it('keeps the shares when the keys that are free change from pick to pick', () => {
    const weights = [5, 3, 2];
    const ring = new KeyRing(weights.map((weight) => ({ label: String(weight), weight })));
    const due = [0, 0, 0];
    const got = [0, 0, 0];
    for (let pick = 0; pick < 3_000; pick++) {
      const out = pick % 4;
      const free = weights.reduce((sum, weight, index) => (index === out ? sum : sum + weight), 0);
      for (const [index, weight] of weights.entries()) if (index !== out) due[index]! += weight / free;
      got[ring.pick(START, new Set([out]))!]! += 1;
    }
    for (const [index, count] of got.entries()) expect(Math.abs(count - due[index]!)).toBeLessThan(2);
  });

  it('has nothing to choose with one key', () => {
    const ring = new KeyRing([{ label: 'only' }]);
    expect(counts(ring, 10)).toEqual({ 0: 10 });
    expect(ring.pick(START, new Set([0]))).toBeUndefined();
    expect(ring.retryAt(START)).toBe(START);
  });
});

describe('keys that fail', () => {
  it.each(['upstream_unauthorized', 'upstream_no_credit'] as const)('%s: one dead key of three rests, the others go on', (code) => {
    const ring = new KeyRing(THREE);
    ring.failed(1, START, code);
    expect(counts(ring, 10)).toEqual({ 0: 5, 2: 5 });
    expect(ring.status(START)).toEqual([
      { label: 'one', state: 'ok' },
      { label: 'two', state: 'resting', until: START + 30_000 },
      { label: 'three', state: 'ok' },
    ]);
    expect(counts(ring, 30, START + 29_999)).not.toHaveProperty('1');
    expect(counts(ring, 30, START + 30_000)).toHaveProperty('1');
  });

  it('a refused key rests twice as long each time, up to ten minutes, until it is taken', () => {
    const ring = new KeyRing(THREE);
    const restOf = (now: number): number => (ring.status(now)[0]!.until ?? now) - now;
    let now = START;
    for (const seconds of [30, 60, 120, 240, 480, 600, 600]) {
      ring.failed(0, now, 'upstream_unauthorized');
      expect(restOf(now)).toBe(seconds * 1_000);
      now += seconds * 1_000;
    }
    ring.ok(0);
    ring.failed(0, now, 'upstream_unauthorized');
    expect(restOf(now)).toBe(30_000);
  });

  it('calls that are refused together are one refusal', () => {
    const ring = new KeyRing(THREE);
    for (let call = 0; call < 10; call++) ring.failed(0, START + call, 'upstream_unauthorized');
    expect(ring.status(START)[0]).toEqual({ label: 'one', state: 'resting', until: START + 30_000 });
  });

  it.each([
    [undefined, 5_000],
    [1_500, 1_500],
    [3_600_000, 60_000],
  ])('a limited key that asks for %s ms rests for %d', (asked, ms) => {
    const ring = new KeyRing(THREE);
    ring.failed(2, START, 'upstream_limited', asked);
    expect(ring.status(START)[2]).toEqual({ label: 'three', state: 'resting', until: START + ms });
    expect(counts(ring, 9, START + ms)).toEqual({ 0: 3, 1: 3, 2: 3 });
  });

  it('a limit outlasts the success of a call that set out before', () => {
    const ring = new KeyRing(THREE);
    ring.failed(0, START, 'upstream_limited', 10_000);
    ring.ok(0);
    expect(ring.status(START + 1)[0]).toMatchObject({ state: 'resting' });
  });

  it('other failures are not the fault of a key', () => {
    const ring = new KeyRing(THREE);
    ring.failed(0, START, 'upstream_failed', 1_000);
    ring.failed(0, START, 'model_refused');
    expect(counts(ring, 9)).toEqual({ 0: 3, 1: 3, 2: 3 });
  });

  it('are all of them at rest: none is picked until the first may', () => {
    const ring = new KeyRing(THREE);
    for (const [index, ms] of [9_000, 4_000, 20_000].entries()) ring.failed(index, START, 'upstream_limited', ms);
    expect(ring.pick(START)).toBeUndefined();
    expect(ring.retryAt(START)).toBe(START + 4_000);
    expect(ring.pick(START + 3_999)).toBeUndefined();
    expect(ring.pick(START + 4_000)).toBe(1);
  });

  it('refused all: one call a second still tries, the one that may soonest', () => {
    const ring = new KeyRing(THREE);
    for (const index of [0, 1, 2]) ring.failed(index, START + index, 'upstream_unauthorized');
    expect(ring.pick(START + 2)).toBeUndefined();
    expect(ring.retryAt(START + 2)).toBe(START + 1_002);
    expect(ring.pick(START + 1_001)).toBeUndefined();
    expect(ring.pick(START + 1_002)).toBe(0);
    expect(ring.pick(START + 1_002)).toBeUndefined();
    // Not a second one in the same call.
    ring.failed(0, START + 1_100, 'upstream_unauthorized');
    expect(ring.pick(START + 5_000, new Set([0]))).toBeUndefined();
    // Trying does not make the rest longer; a success ends it.
    expect(ring.status(START + 5_000)[0]).toMatchObject({ until: START + 30_000 });
    expect(ring.pick(START + 5_000)).toBe(0);
    ring.ok(0);
    expect(counts(ring, 5, START + 5_000)).toEqual({ 0: 5 });
  });

  it('refused and limited: the limited one is left alone', () => {
    const ring = new KeyRing(THREE.slice(0, 2));
    ring.failed(0, START, 'upstream_limited', 20_000);
    ring.failed(1, START, 'upstream_no_credit');
    expect(counts(ring, 2, START + 1_000)).toEqual({ undefined: 2 });
    ring.failed(1, START + 1_000, 'upstream_limited', 60_000);
    expect(ring.retryAt(START + 2_000)).toBe(START + 20_000);
    expect(ring.pick(START + 2_000)).toBeUndefined();
  });
});

it('can be picked from exactly when it says so', () => {
  const step = fc.record({
    wait: fc.integer({ min: 0, max: 20_000 }),
    index: fc.nat(2),
    code: fc.constantFrom('ok', 'upstream_unauthorized', 'upstream_limited'),
    ms: fc.option(fc.nat(90_000), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const ring = new KeyRing(THREE);
      let now = START;
      for (const { wait, index, code, ms } of steps) {
        now += wait;
        if (code === 'ok') ring.ok(index);
        else ring.failed(index, now, code as 'upstream_limited', ms);
        const at = ring.retryAt(now);
        if (at > now) {
          expect(ring.pick(now)).toBeUndefined();
          expect(ring.pick(at - 1)).toBeUndefined();
        }
        expect(ring.pick(at)).toBeTypeOf('number');
        now = at;
      }
    }),
  );
});

it('tells rests after limits from rests after refusals', () => {
  const ring = new KeyRing([{ label: 'off', weight: 0 }, ...THREE]);
  for (const index of [1, 2, 3]) ring.failed(index, START, 'upstream_unauthorized');
  expect(ring.limited(START)).toBe(false);
  for (const index of [0, 1]) ring.failed(index, START, 'upstream_limited', 60_000);
  expect(ring.limited(START)).toBe(false);
  ring.ok(1);
  expect(ring.limited(START)).toBe(true);
  expect(ring.limited(START + 60_000)).toBe(false);
});

it('shows labels and nothing else of a key', () => {
  const ring = new KeyRing([{ label: 'main', weight: 2, value: 'sk-secret' } as never]);
  expect(JSON.stringify(ring.status(START))).toBe('[{"label":"main","state":"ok"}]');
  expect(JSON.stringify(ring)).not.toContain('sk-secret');
});
