import type { ConsumerConfig, PolicyUse } from '../../config/types.ts';

/** What consumers may use and spend, as uses of the policies that see to it. */
export function consumerLimits(consumers: readonly ConsumerConfig[] = []): PolicyUse[] {
  const uses: PolicyUse[] = [];
  const add = (name: string, options: Record<string, object>): void => {
    if (Object.keys(options).length > 0) uses.push({ name, options: { consumers: options } });
  };
  add('rate-limit', Object.fromEntries(consumers.flatMap(({ name, limits }) => (limits === undefined ? [] : [[name, limits]]))));
  add('budget', Object.fromEntries(consumers.flatMap(({ name, budget }) => (budget === undefined ? [] : [[name, budget]]))));
  return uses;
}
