import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RetryBudget } from '../../../../src/upstreams/health/retry-budget.ts';

/** How many retries are there at once. */
function drain(budget: RetryBudget): number {
  let spent = 0;
  while (budget.spend()) spent += 1;
  return spent;
}

describe('the retry budget', () => {
  it('begins with three', () => {
    expect(drain(new RetryBudget())).toBe(3);
  });

  it('has three more for each twenty calls', () => {
    const budget = new RetryBudget();
    drain(budget);
    for (let call = 0; call < 6; call++) budget.first();
    expect(drain(budget)).toBe(0);
    budget.first();
    expect(drain(budget)).toBe(1);
    for (let call = 0; call < 33; call++) budget.first();
    expect(drain(budget)).toBe(5);
  });

  it('never holds more than ten', () => {
    const budget = new RetryBudget();
    for (let call = 0; call < 10_000; call++) budget.first();
    expect(drain(budget)).toBe(10);
  });

  it.each([60, 100, 1_000, 10_000])('keeps a storm of %i calls below 1.2 attempts a call', (calls) => {
    const budget = new RetryBudget();
    let attempts = 0;
    for (let call = 0; call < calls; call++) {
      budget.first();
      // Each call fails, and would try twice more.
      attempts += 1 + (budget.spend() ? 1 : 0) + (budget.spend() ? 1 : 0);
    }
    expect(attempts).toBeGreaterThan(calls * 1.1);
    expect(attempts).toBeLessThanOrEqual(calls * 1.2);
  });

  it('holds for any row of calls and retries', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 500 }), (row) => {
        const budget = new RetryBudget();
        let calls = 0;
        let retries = 0;
        for (const isCall of row) {
          if (isCall) {
            calls += 1;
            budget.first();
          } else if (budget.spend()) retries += 1;
          expect(retries).toBeLessThanOrEqual((calls * 3) / 20 + 3);
        }
      }),
    );
  });
});
