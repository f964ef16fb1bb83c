import { expect, it } from 'vitest';
import type { ModelRouteConfig } from '../../../../../src/config/types.ts';
import { buildModels } from '../../../../../src/lanes/models/routes/build.ts';
import { planFor } from '../../../../../src/lanes/models/routes/plan-for.ts';
import { buildHost, LENT, merge } from '../doors/start-lane.ts';
import { VENDORS } from '../doors/streams.ts';

const providers = { claude: VENDORS['anthropic-messages'], gpt: VENDORS['openai-chat'] };
async function routeOf(config: ModelRouteConfig) {
  const built = await buildModels(merge(providers, [{ name: 'm', ...config }]), buildHost(), LENT, [], undefined);
  return built.apis.get('v1')!.routes[0]!;
}
const upstreams = ({ pools }: ReturnType<typeof planFor>): string[][] =>
  pools.map(({ choices }) => choices.map(({ target }) => target.upstream));

it('embeddings go to those who make some, in the same order and under the same budget; all else goes to all', async () => {
  const route = await routeOf({
    targets: [{ provider: 'claude' }, { provider: 'gpt' }],
    fallback: [{ provider: 'claude' }, { provider: 'gpt' }],
  });
  for (const operation of ['chat', 'messages', 'responses', 'count_tokens'] as const) expect(planFor(route, operation)).toBe(route.plan);
  const plan = planFor(route, 'embeddings');
  expect(upstreams(plan)).toEqual([['gpt'], ['gpt']]);
  expect([plan.budget === route.plan.budget, planFor(route, 'embeddings') === plan]).toEqual([true, true]);
});

it('embeddings go to all where nobody makes any: they say so', async () => {
  const route = await routeOf({ targets: [{ provider: 'claude' }] });
  expect(planFor(route, 'embeddings')).toBe(route.plan);
});
