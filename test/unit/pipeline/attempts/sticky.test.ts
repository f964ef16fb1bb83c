import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BalancedTarget } from '../../../../src/core/contracts/balancer.ts';
import { stickyIndex } from '../../../../src/pipeline/attempts/sticky.ts';
import { choiceOf } from '../plans.ts';

const SESSIONS = Array.from({ length: 10_000 }, (_, n) => `session-${n}`);
const targetsOf = (weights: Readonly<Record<string, number>>): BalancedTarget[] =>
  Object.entries(weights).map(([name, weight]) => choiceOf(name, { weight }));
const armOf = (targets: readonly BalancedTarget[], session: string): string => targets[stickyIndex(targets, session)]!.target.name;

function shares(weights: Readonly<Record<string, number>>): Record<string, number> {
  const targets = targetsOf(weights);
  const counts = Object.fromEntries(Object.keys(weights).map((name) => [name, 0]));
  for (const session of SESSIONS) counts[armOf(targets, session)]! += 1;
  return counts;
}

describe('the target of a session', () => {
  it.each([[{ a: 90, b: 10 }], [{ a: 1, b: 1 }], [{ a: 0.5, b: 0.25, c: 0.25 }], [{ a: 1, b: 2, c: 3, d: 4 }], [{ a: 999_999, b: 1 }]])(
    'follows the weights %j within 1 %% over 10,000 sessions',
    (weights) => {
      const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
      const found = shares(weights);
      for (const [name, weight] of Object.entries(weights))
        expect(Math.abs(found[name]! / SESSIONS.length - weight / total), name).toBeLessThan(0.01);
    },
  );

  it('is another only where its own is gone: the sessions of all others stay', () => {
    const before = targetsOf({ a: 5, b: 3, c: 2, d: 1 });
    for (const gone of ['a', 'b', 'c', 'd']) {
      const after = before.filter(({ target }) => target.name !== gone);
      for (const session of SESSIONS.slice(0, 2_000)) {
        const own = armOf(before, session);
        if (own === gone) expect(armOf(after, session)).not.toBe(gone);
        else expect(armOf(after, session)).toBe(own);
      }
    }
  });

  it('moves to one that comes or that weighs more, and nowhere else', () => {
    const before = targetsOf({ a: 1, b: 1 });
    const added = targetsOf({ a: 1, b: 1, c: 1 });
    const heavier = targetsOf({ a: 3, b: 1 });
    for (const session of SESSIONS.slice(0, 2_000)) {
      const own = armOf(before, session);
      expect([own, 'c']).toContain(armOf(added, session));
      expect([own, 'a']).toContain(armOf(heavier, session));
    }
  });

  it('is the same whatever the order, and on every node', () => {
    const weights = fc.dictionary(fc.string({ minLength: 1 }), fc.double({ min: 1e-6, max: 1e6, noNaN: true }), { minKeys: 1, maxKeys: 6 });
    fc.assert(
      fc.property(weights, fc.string(), fc.nat(), (given, session, turn) => {
        const targets = targetsOf(given);
        const turned = targets.map((_, index) => targets[(index + turn) % targets.length]!);
        const index = stickyIndex(targets, session);
        expect(index).toBeGreaterThanOrEqual(0);
        expect(index).toBeLessThan(targets.length);
        expect(armOf(turned, session)).toBe(armOf(targets, session));
        expect(stickyIndex(targetsOf(given), session)).toBe(index);
      }),
    );
    // What it is must not change with a release: sessions would lose the caches of their vendors.
    const pinned = targetsOf({ 'openai/gpt-5': 90, 'local/qwen3': 10 });
    expect(['s-1', 's-17', 's-20'].map((session) => armOf(pinned, session))).toEqual(['openai/gpt-5', 'local/qwen3', 'openai/gpt-5']);
  });
});
