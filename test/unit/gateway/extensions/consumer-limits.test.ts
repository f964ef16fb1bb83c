import { expect, it } from 'vitest';
import type { ConsumerConfig } from '../../../../src/config/types.ts';
import { consumerLimits } from '../../../../src/gateway/extensions/consumer-limits.ts';

const limits = { requests: { amount: 600, per: 'minute' } } as const;
const budget = { usd: { amount: 50, per: 'month' } } as const;
const consumer = (name: string, more: object = {}): ConsumerConfig => ({ name, ...more }) as ConsumerConfig;

it('the limits and budgets of consumers are one use of each policy, by name', () => {
  const consumers = [consumer('alice', { limits, budget }), consumer('bob', { limits }), consumer('carol')];
  expect(consumerLimits(consumers)).toEqual([
    { name: 'rate-limit', options: { consumers: { alice: limits, bob: limits } } },
    { name: 'budget', options: { consumers: { alice: budget } } },
  ]);
});

it('none are no use', () => {
  expect(consumerLimits(undefined)).toEqual([]);
  expect(consumerLimits([consumer('alice')])).toEqual([]);
  expect(consumerLimits([consumer('alice', { budget })]).map(({ name }) => name)).toEqual(['budget']);
});

it('a consumer may have any name', () => {
  const [use] = consumerLimits([consumer('__proto__', { limits })]);
  expect(Object.entries((use!.options as { consumers: object }).consumers)).toEqual([['__proto__', limits]]);
});
