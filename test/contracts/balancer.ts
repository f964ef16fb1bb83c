import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnyCall } from '../../src/core/call.ts';
import type { BalancedTarget, Balancer, BalancerExtension, TargetFigures } from '../../src/core/contracts/balancer.ts';

/** A target that is known well, changed by `more`. */
export function sampleTarget(name: string, more: Partial<Omit<BalancedTarget, 'figures'>> & Partial<TargetFigures> = {}): BalancedTarget {
  const { inFlight = 0, samples = 100, latencyMs = 200, firstChunkMs = 50, failureRate = 0, ...rest } = more;
  const figures = { inFlight, samples, latencyMs, firstChunkMs, failureRate };
  return { target: { name, upstream: name }, weight: 1, figures, ...rest };
}

/** What a balancer may look at of a call. */
export const CALLS = {
  whole: { lane: 'models', operation: 'chat', input: { model: 'm', stream: false, body: {} } },
  stream: { lane: 'models', operation: 'messages', input: { model: 'm', stream: true, body: {} } },
  tool: { lane: 'tools', operation: 'tools/call', input: { name: 't', arguments: {}, params: {} } },
  agent: { lane: 'agents', operation: 'message/stream', input: { agent: 'a', params: {} } },
} as unknown as Readonly<Record<'whole' | 'stream' | 'tool' | 'agent', AnyCall>>;

/** The names of those that a row of picks chooses, and how often. `targets` is asked for each pick. */
export function picked(
  balancer: Balancer,
  picks: number,
  targets: readonly BalancedTarget[] | ((pick: number) => readonly BalancedTarget[]),
  call: AnyCall = CALLS.whole,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let pick = 0; pick < picks; pick++) {
    const now = typeof targets === 'function' ? targets(pick) : targets;
    const { name } = now[balancer.pick(now, call)]!.target;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

/** Anything that may be known of a target, the ends of each scale included. */
const anyTargets = fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 2 }).chain((names) =>
  fc.tuple(
    ...names.map((name) =>
      fc
        .record(
          {
            weight: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.constantFrom(1e-6, 0.5, 1e9)),
            price: fc.oneof(fc.double({ min: 0, max: 100, noNaN: true }), fc.constant(0)),
            inFlight: fc.nat(500),
            samples: fc.nat(20),
            latencyMs: fc.double({ min: 0, max: 600_000, noNaN: true }),
            firstChunkMs: fc.double({ min: 0, max: 600_000, noNaN: true }),
            failureRate: fc.double({ min: 0, max: 1, noNaN: true }),
          },
          { requiredKeys: ['weight', 'inFlight', 'samples', 'failureRate'] },
        )
        .map(({ weight, price, ...figures }): BalancedTarget => {
          const target = { target: { name, upstream: name }, weight, figures: Object.freeze(figures) };
          return Object.freeze(price === undefined ? target : { ...target, price });
        }),
    ),
  ),
);
const anyCall = fc.constantFrom(...Object.values(CALLS));

/** What every balancer has to pass. `options` are some that it takes. */
export function examineBalancer(file: string, extension: BalancerExtension, options: object = {}): void {
  describe(`balancer: ${file}`, () => {
    const make = (): Balancer => {
      const made = extension.create(options, undefined as never);
      if (made instanceof Promise) throw new Error('A balancer has nothing to wait for.');
      return made;
    };

    it('is named like its file and says what it takes', () => {
      expect(extension).toMatchObject({ kind: 'balancer', apiVersion: 1, name: file.replace(/\.ts$/, '') });
      expect(extension.options).toMatchObject({ type: 'object', additionalProperties: false });
      const check = new Ajv2020({ strict: true }).compile(extension.options);
      expect(check(options)).toBe(true);
      expect(check({ nonsense: 1 })).toBe(false);
    });

    it('picks one of those that are there, whatever is known of them, and changes nothing', () => {
      fc.assert(
        fc.property(fc.array(fc.tuple(anyTargets, anyCall), { minLength: 1, maxLength: 30 }), (rounds) => {
          const balancer = make();
          for (const [targets, call] of rounds) {
            const index = balancer.pick(Object.freeze(targets), Object.freeze(call));
            expect(Number.isInteger(index) && index >= 0 && index < targets.length, `picked ${index} of ${targets.length}`).toBe(true);
          }
        }),
      );
    });

    it.each(Object.entries(CALLS))('gives each of several equal ones its part of the calls: %s', (_, call) => {
      const targets = NAMES.slice(0, 4).map((name) => sampleTarget(name));
      const counts = picked(make(), 4_000, targets, call);
      for (const name of NAMES.slice(0, 4)) expect(counts[name]).toBeGreaterThan(800);
    });

    it('gives new ones, of which nothing is known, their part at once', () => {
      const targets = NAMES.slice(0, 4).map((name): BalancedTarget => {
        return { target: { name, upstream: name }, weight: 1, figures: { inFlight: 0, samples: 0, failureRate: 0 } };
      });
      expect(picked(make(), 40, targets)).toEqual({ a: 10, b: 10, c: 10, d: 10 });
    });

    it('goes on when targets come and go, and does not pour calls on one that comes back', () => {
      const balancer = make();
      const all = NAMES.slice(0, 3).map((name) => sampleTarget(name));
      picked(balancer, 1_000, all.slice(0, 2));
      const back = picked(balancer, 30, all);
      expect(back['c'] ?? 0).toBeLessThan(25);
      expect(Object.keys(picked(balancer, 1_000, all.slice(1))).sort()).toEqual(['b', 'c']);
    });

    it('keeps instances apart', () => {
      const targets = [sampleTarget('a', { weight: 3 }), sampleTarget('b', { weight: 2, latencyMs: 900, failureRate: 0.5 })];
      const row = (balancer: Balancer): number[] => Array.from({ length: 200 }, () => balancer.pick(targets, CALLS.whole));
      const [alone, other, between] = [make(), make(), make()];
      const expected = row(alone);
      const seen = Array.from({ length: 200 }, () => {
        between.pick(targets, CALLS.whole);
        return other.pick(targets, CALLS.whole);
      });
      expect(seen).toEqual(expected);
    });

    it('says what it goes by, for people', () => {
      fc.assert(
        fc.property(anyTargets, fc.option(anyCall, { nil: undefined }), (targets, call) => {
          const balancer = make();
          for (const target of targets) {
            const figure = balancer.figure(target, call);
            expect(figure).toMatch(/^\S.{1,39}$/);
            expect(figure).not.toMatch(/undefined|NaN|Infinity|null|object/);
          }
        }),
      );
    });
  });
}
