import { describe, expect, it, onTestFinished } from 'vitest';
import type { AgentConfig } from '../../../../../src/config/types.ts';
import { GatewayError } from '../../../../../src/core/errors.ts';
import { buildAgents, gaugeKey, type AgentsGeneration } from '../../../../../src/lanes/agents/registry/build.ts';
import type { SourceHost } from '../../../../../src/lanes/agents/registry/create-source.ts';
import { letGo } from '../../../../../src/pipeline/source-uses.ts';
import { Gauges } from '../../../../../src/upstreams/health/gauges.ts';
import { SILENT } from '../../../pipeline/live-calls.ts';
import { ALICE, BOB, LENT, mergedOf, target } from '../start-agents.ts';

const gauges = new Gauges();
const host = {
  http: {},
  log: SILENT,
  gauges,
  redact: (text: string) => text,
  addSecret: () => () => undefined,
} as unknown as SourceHost & { readonly gauges: Gauges };

async function build(agents: Readonly<Record<string, AgentConfig>>, before?: AgentsGeneration, lent = LENT): Promise<AgentsGeneration> {
  const generation = await buildAgents(mergedOf(agents), host, lent, [], before);
  onTestFinished(async () => {
    await Promise.all([...generation.sources.values()].map(({ source }) => letGo(source, SILENT)));
  });
  return generation;
}
const CARD = 'http://travel.test';
const ids = ({ agents }: AgentsGeneration): string[] => agents.get('travel')!.instances.map(({ id }) => id);

describe('a generation of agents', () => {
  it('has the agents that are enabled, each with its access', async () => {
    const { agents } = await build({
      on: { card: CARD, access: [{ consumers: ['alice'], allow: ['*'] }] },
      off: { card: CARD, enabled: false },
    });
    expect([...agents.keys()]).toEqual(['on']);
    const { access } = agents.get('on')!;
    const question = { operation: 'message/send', skill: undefined, tags: [] } as const;
    expect([access.agent(ALICE, question).visible, access.agent(BOB, question).visible]).toEqual([true, false]);
    expect(access.explainAgent(ALICE, question)[0]).toMatchObject({ file: 'hubgate.yaml', line: '/agents/on/access/0/allow/0'.length });
  });

  it('one address is one instance under the name of the agent; several are named by where they are, in any order', async () => {
    expect(ids(await build({ travel: { card: CARD } }))).toEqual(['travel']);
    const [one, two] = ids(await build({ travel: { targets: [target('http://a.test'), target('http://b.test')] } }));
    expect([one, two]).toEqual([expect.stringMatching(/^travel#[A-Za-z0-9]{6}$/), expect.stringMatching(/^travel#[A-Za-z0-9]{6}$/)]);
    expect(one).not.toBe(two);
    expect(ids(await build({ travel: { targets: [target('http://b.test'), target('http://a.test', { weight: 5 })] } }))).toEqual([
      two,
      one,
    ]);
  });

  it('an instance has weight, condition and gauge, and a plan to itself', async () => {
    const { agents } = await build({
      travel: { targets: [target('http://a.test', { weight: 0, when: 'args.x == 1' }), target('http://b.test')] },
    });
    const [one, two] = agents.get('travel')!.instances;
    expect([one!.weight, one!.condition?.text, two!.weight, two!.condition]).toEqual([0, 'args.x == 1', 1, undefined]);
    expect(one!.plan.pools.map(({ choices }) => choices)).toEqual([[one]]);
    expect(one!.gauge).toBe(gauges.for(gaugeKey(one!.id)));
    expect(one!.target).toEqual({ name: one!.id, upstream: one!.id });
  });

  it('takes a balancer by name or with options, and tells where it stands', async () => {
    const asked: unknown[] = [];
    const lent = {
      ...LENT,
      createBalancer: (...what: Parameters<typeof LENT.createBalancer>) => (asked.push(what), LENT.createBalancer('weight', {}, '')),
    };
    await build(
      { a: { card: CARD }, b: { card: CARD, balance: 'latency' }, c: { card: CARD, balance: { mine: { x: 1 } } as never } },
      undefined,
      lent,
    );
    expect(asked).toEqual([
      ['weight', {}, 'agents/a/balance'],
      ['latency', {}, 'agents/b/balance'],
      ['mine', { x: 1 }, 'agents/c/balance'],
    ]);
    await expect(build({ a: { card: CARD, balance: {} as never } })).rejects.toThrow('agents/a: balance names no balancer.');
  });

  it('policies of the agent come after those of all lanes', async () => {
    const policy = (name: string) => ({ name, stage: 'limit', hooks: { onCall: () => undefined } }) as const;
    const places: string[] = [];
    const lent = { ...LENT, bind: async (_: unknown, place: string) => (places.push(place), [policy('own')]) };
    const { agents } = await buildAgents(
      mergedOf({ travel: { card: CARD } }),
      host,
      lent,
      [policy('shared'), { ...policy('tools'), lanes: ['tools'] }],
      undefined,
    );
    expect(agents.get('travel')!.chain.onCall.map(({ name }) => name)).toEqual(['shared', 'own']);
    expect(places).toEqual(['agents/travel']);
  });
});

describe('the next generation', () => {
  const source = (generation: AgentsGeneration) => generation.sources.get('travel')!.source;

  it('takes over the sources that did not change', async () => {
    const before = await build({ travel: { card: CARD } });
    const same: AgentConfig = { card: CARD, price: 1, access: [], publicCard: true, description: 'x', balance: 'latency' };
    expect(source(await build({ travel: same }, before))).toBe(source(before));
  });

  it.each<[string, AgentConfig]>([
    ['address', { card: 'http://other.test' }],
    ['timeouts', { card: CARD, timeouts: { total: 5 } as never }],
    ['bindings', { card: CARD, bindings: ['HTTP+JSON'] }],
    ['extensions', { card: CARD, extensions: ['x'] }],
    ['signatures', { card: CARD, signatures: { require: true } }],
    ['health', { card: CARD, health: { path: '/up' } as never }],
  ])('makes a new one for another %s', async (_, config) => {
    const before = await build({ travel: { card: CARD } });
    expect(source(await build({ travel: config }, before))).not.toBe(source(before));
  });

  it('an application made of a document is another one with another document', async () => {
    const rest: Record<string, AgentConfig> = { shop: { rest: { spec: 'shop.json' } } };
    const made = (key: string, before?: AgentsGeneration): Promise<AgentsGeneration> => {
      const skill = { id: key, name: key, description: key, tags: [], inputSchema: {} };
      const operations = { key, skills: [skill], upstream: 'agents/shop', addresses: [], subscribe: () => () => undefined };
      const lending = { ...host, operations: () => operations, hubTasks: () => ({}) } as unknown as typeof host;
      return buildAgents(mergedOf(rest), lending, LENT, [], before);
    };
    const shop = ({ sources }: AgentsGeneration) => sources.get('shop')!.source;
    const first = await made('one');
    expect(shop(await made('one', first))).toBe(shop(first));
    const edited = await made('two', first);
    expect(shop(edited).snapshot.card).toMatchObject({ skills: [{ id: 'two' }] });
    expect(shop(first).snapshot.card).toMatchObject({ skills: [{ id: 'one' }] });
  });

  it('lets go of what was made for nothing, and of nothing else, when the build fails', async () => {
    const before = await build({ travel: { card: CARD } });
    const kept = source(before);
    let disposed = 0;
    kept[Symbol.asyncDispose] = async () => void (disposed += 1);
    const failing = {
      ...LENT,
      createBalancer: async (name: string, ...rest: [unknown, string]) => {
        if (name === 'none') throw new GatewayError('bad_request', 'no such balancer');
        return LENT.createBalancer(name, ...rest);
      },
    };
    let stopped = 0;
    const operations = { skills: [], upstream: 'x', subscribe: () => () => (stopped += 1) };
    const lending = { ...host, operations: () => operations, hubTasks: () => ({ begin: () => undefined }) } as unknown as typeof host;
    const agents: Record<string, AgentConfig> = {
      travel: { card: CARD },
      made: { rest: { spec: 'x.json' } },
      other: { card: CARD, balance: 'none' },
    };
    await expect(buildAgents(mergedOf(agents), lending, failing, [], before)).rejects.toThrow('no such balancer');
    expect([disposed, stopped]).toEqual([0, 1]);
  });
});
