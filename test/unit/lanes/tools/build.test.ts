import { describe, expect, it, onTestFinished } from 'vitest';
import { compileAccess } from '../../../../src/access/permit.ts';
import type { AgentConfig, DocumentPlace, MergedConfig } from '../../../../src/config/types.ts';
import type { ToolSource } from '../../../../src/core/contracts/tool-source.ts';
import { buildTools, type ToolsGeneration } from '../../../../src/lanes/tools/build.ts';
import type { BuildHost, ToolsHost } from '../../../../src/lanes/tools/host.ts';
import { Gauges } from '../../../../src/upstreams/health/gauges.ts';
import { SILENT } from '../../pipeline/live-calls.ts';
import { createBalancer } from '../models/doors/start-lane.ts';

const EMPTY = { version: '1', state: 'ready', tools: [], resources: [], resourceTemplates: [], prompts: [], features: {} } as const;
const named = (name: string): ToolSource => ({
  name,
  mode: 'session',
  snapshot: EMPTY,
  subscribe: () => () => undefined,
  call: () => expect.unreachable(),
});
const DOCUMENT = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'Shop', version: '1' },
  servers: [{ url: 'http://shop.test' }],
  paths: { '/pets': { get: { operationId: 'findPets', responses: { 200: { description: 'ok' } } } } },
});
const host = {
  http: {},
  log: SILENT,
  gauges: new Gauges(),
  toolNames: { get: async () => new Map(), put: async () => undefined },
  redact: (text: string) => text,
  addSecret: () => () => undefined,
} as unknown as ToolsHost;

interface Parts {
  readonly agents: Readonly<Record<string, AgentConfig>>;
  readonly servers?: object;
  readonly virtual?: readonly string[];
  readonly documents?: Readonly<Record<string, DocumentPlace>>;
  readonly before?: ToolsGeneration;
}

async function build({ agents, servers = {}, virtual = [], documents = {}, before }: Parts) {
  const asked: string[] = [];
  const places: string[] = [];
  const merged = {
    config: { agents, servers },
    virtualServers: new Map(virtual.map((name) => [name, { tools: [] }])),
    documents: new Map(Object.entries(documents)),
    overlays: new Map(),
    origin: (kind: string, name: string) => (kind === 'agents' && name === 'stored' ? 'store' : 'file'),
    locate: () => ({}),
  } as unknown as MergedConfig;
  const lent: BuildHost = {
    bind: async (uses, place) => (uses !== undefined && places.push(place), []),
    createSource: async (_, name) => named(name),
    extensionVersion: () => '1',
    createBalancer,
  };
  const access = compileAccess([]);
  const fromAgent = (agent: string) => (asked.push(agent), { source: named(agent), access });
  const generation = await buildTools({ merged, host, lent, shared: [], fromAgent, before });
  onTestFinished(async () => {
    for (const { source } of generation.sources.values()) await source[Symbol.asyncDispose]?.();
  });
  return { generation, asked, places, access };
}
const CARD: AgentConfig = { card: 'http://travel.test' };

describe('agents as sources of tools', () => {
  it('are at /mcp under their name, with the access that the agent has and what the configuration says of them', async () => {
    const icons = [{ src: 'https://x.example/i.png' }];
    const { generation, access, places } = await build({
      agents: {
        travel: { ...CARD, description: 'Plans.', icons, policies: [{ name: 'access-log', options: {} }] },
        off: { ...CARD, enabled: false },
      },
    });
    expect([...generation.entries.keys()]).toEqual(['travel']);
    const entry = generation.entries.get('travel')!;
    expect(entry).toMatchObject({ kind: 'agent', origin: 'file', description: 'Plans.', icons, sessions: 'required' });
    expect(entry.access).toBe(access);
    expect(generation.doors.has('travel')).toBe(true);
    // Those of the agent hold where its messages are sent: asked here as well, they would count twice.
    expect(places).toEqual([]);
  });

  it.each<[string, Omit<Parts, 'agents'>]>([
    ['a server', { servers: { travel: { source: 'x' } } }],
    ['a virtual server', { virtual: ['travel'] }],
  ])('one that shares its name with %s is none: that has the address', async (_, other) => {
    const { generation, asked } = await build({ agents: { travel: CARD }, ...other });
    expect(asked).toEqual([]);
    expect(generation.entries.get('travel')?.kind).not.toBe('agent');
    expect(generation.doors.has('travel')).toBe(true);
  });

  it('stay the same source, whatever changes about the agent', async () => {
    const { generation: before } = await build({ agents: { travel: CARD } });
    const { generation } = await build({ agents: { travel: { card: 'http://other.test' } }, before });
    expect(generation.sources.get('travel')!.source).toBe(before.sources.get('travel')!.source);
  });

  it('an agent does not become what bore its name before', async () => {
    const { generation: before } = await build({ agents: {}, servers: { travel: { source: 'x' } } });
    const { generation } = await build({ agents: { travel: CARD }, before });
    expect(generation.sources.get('travel')!.source).not.toBe(before.sources.get('travel')!.source);
  });
});

describe('the document of an agent', () => {
  const documents: Record<string, DocumentPlace> = { 'agents/shop': { from: 'file', text: DOCUMENT, hash: '1', display: 'shop.json' } };
  const shop: AgentConfig = { rest: { spec: 'shop.json' } };

  it('is compiled, and there is no door to it', async () => {
    const { generation } = await build({ agents: { shop }, documents });
    const { source } = generation.sources.get('agents/shop')!;
    await expect.poll(() => source.snapshot.tools.map(({ definition }) => definition.name)).toEqual(['findPets']);
    expect([[...generation.entries.keys()], [...generation.doors.keys()].toSorted()]).toEqual([['shop'], ['', 'shop']]);
  });

  it('is there also where the agent itself is no source of tools', async () => {
    const { generation } = await build({ agents: { shop }, documents, servers: { shop: { source: 'x' } } });
    expect([...generation.sources.keys()].toSorted()).toEqual(['agents/shop', 'shop']);
  });

  it('is compiled once for as long as it is the same', async () => {
    const { generation: before } = await build({ agents: { shop }, documents });
    const same = await build({ agents: { shop: { ...shop, description: 'x' } }, documents, before });
    const sourceIn = ({ sources }: ToolsGeneration) => sources.get('agents/shop')!.source;
    expect(sourceIn(same.generation)).toBe(sourceIn(before));
    const moved = await build({ agents: { shop: { rest: { spec: 'shop.json', url: 'http://other.test' } } }, documents, before });
    expect(sourceIn(moved.generation)).not.toBe(sourceIn(before));
  });

  it.each<AgentConfig['auth']>(['oauth', { forward: {} } as never])(
    'takes no credential of a caller: %j',
    async (auth) =>
      await expect(build({ agents: { shop: { ...shop, ...(auth === undefined ? {} : { auth }) } }, documents })).rejects.toThrow(
        'agents.shop.auth: an HTTP API takes bearer, basic, header, query, oauth2 or schemes.',
      ),
  );
});
