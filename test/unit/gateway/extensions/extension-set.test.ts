import { describe, expect, it } from 'vitest';
import type { PolicyUse } from '../../../../src/config/types.ts';
import { defineBalancer } from '../../../../src/core/contracts/balancer.ts';
import type { Host } from '../../../../src/core/contracts/extension.ts';
import { GatewayError } from '../../../../src/core/errors.ts';
import { ExtensionFailure, ExtensionSet, loadBuiltins } from '../../../../src/gateway/extensions/extension-set.ts';
import { definePolicy } from '../../../../src/policy.ts';

const placed: string[] = [];
const counting = definePolicy({
  name: 'counting',
  stage: 'limit',
  options: { type: 'object' },
  create(_, host) {
    placed.push(host.place);
    return {};
  },
});
const mine = defineBalancer<{ readonly first?: boolean }>({
  name: 'mine',
  options: { type: 'object', additionalProperties: false, properties: { first: { type: 'boolean' } } },
  create({ first = true }, { place }) {
    if (place.includes('broken')) throw new Error('a fault of its own');
    return { pick: (targets) => (first ? 0 : targets.length - 1), figure: () => place };
  },
});
const set = (): ExtensionSet =>
  new ExtensionSet([counting, mine], (_, place) => ({ place }) as Host, { folder: '/nowhere', isStored: () => false, addSecret: () => {} });
const use = (more: Partial<PolicyUse> = {}): PolicyUse => ({ name: 'counting', options: {}, ...more });

/** The places at which uses count, in the order given. */
async function placesOf(uses: readonly PolicyUse[], place = ''): Promise<readonly string[]> {
  placed.length = 0;
  await set().bind(uses, place);
  return [...placed];
}

describe('where a use of a policy counts', () => {
  const gold = use({ match: { group: 'gold' } });
  const tin = use({ match: { group: 'tin' } });
  const late = use({ when: 'call.size > 5.0' });

  it('is its place in the configuration', async () => {
    expect(await placesOf([use()])).toEqual(['']);
    expect(await placesOf([use()], 'models/support')).toEqual(['models/support']);
  });

  it('is apart for each of several at one place, and the same whatever stands beside it and in which order', async () => {
    const [first, second, third, fourth] = await placesOf([use(), gold, tin, late]);
    expect(new Set([first, second, third, fourth]).size).toBe(4);
    expect(await placesOf([late, tin, use()])).toEqual([fourth, third, first]);
    expect(await placesOf([gold])).toEqual([second]);
    expect(await placesOf([{ ...gold, options: { other: true } }])).toEqual([second]);
    const [there] = await placesOf([gold], 'models/support');
    expect(there).not.toBe(second);
  });

  it('is numbered for equals', async () => {
    const places = await placesOf([use(), use(), gold, gold]);
    expect(new Set(places).size).toBe(4);
    expect([places[0], places[1], places[2]]).toEqual(['', '#2', (await placesOf([gold]))[0]]);
  });
});

describe('a balancer', () => {
  it('is made with its options, for its place', async () => {
    const targets = [{}, {}, {}] as never;
    const last = await set().createBalancer('mine', { first: false }, '/models/0/balance');
    expect([last.pick(targets, {} as never), last.figure({} as never)]).toEqual([2, '/models/0/balance']);
    expect((await set().createBalancer('mine', {}, '')).pick(targets, {} as never)).toBe(0);
  });

  it('that is none, or whose options are wrong, is told with its place', async () => {
    await expect(set().createBalancer('none', {}, '')).rejects.toThrow(
      expect.objectContaining({ code: 'bad_request', message: 'There is no balancer named "none". Known: mine.' }),
    );
    const wrong = set().createBalancer('mine', { frist: true }, '/models/0/balance');
    await expect(wrong).rejects.toBeInstanceOf(GatewayError);
    await expect(wrong).rejects.toThrow(/^\/models\/0\/balance: /);
    await expect(set().createBalancer('mine', {}, '/broken')).rejects.toBeInstanceOf(ExtensionFailure);
  });
});

it('the hub has its own: balancers, policies and providers, each name once', async () => {
  const builtins = await loadBuiltins();
  const named = (kind: string): string[] => builtins.filter((one) => one.kind === kind).map(({ name }) => name);
  expect(named('balancer').toSorted()).toEqual(['cost', 'error-rate', 'latency', 'least-busy', 'round-robin', 'weight']);
  expect(named('policy')).toEqual(expect.arrayContaining(['access-log', 'budget', 'cache', 'rate-limit']));
  for (const kind of ['balancer', 'policy', 'provider']) expect(new Set(named(kind)).size).toBe(named(kind).length);
});
