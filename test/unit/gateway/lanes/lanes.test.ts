import { describe, expect, it, onTestFinished } from 'vitest';
import type { AgentConfig, MergedConfig } from '../../../../src/config/types.ts';
import { Lanes, type LanesHost } from '../../../../src/gateway/lanes/lanes.ts';
import type { ExtensionSet } from '../../../../src/gateway/extensions/extension-set.ts';
import { openStore } from '../../../../src/storage/open-store.ts';
import { Gauges } from '../../../../src/upstreams/health/gauges.ts';
import { createBalancer } from '../../lanes/models/doors/start-lane.ts';
import { SILENT } from '../../pipeline/live-calls.ts';

async function made() {
  const store = await openStore('sqlite::memory:', { dataDir: '/nowhere', secretKey: Buffer.alloc(32, 7) });
  const host = {
    store,
    secretKey: Buffer.alloc(32, 7),
    url: () => 'http://127.0.0.1:1/',
    publicUrl: () => undefined,
    isOpen: () => true,
    consumer: () => undefined,
    http: {
      send: () => Promise.reject(new Error('nothing is sent')),
      fetchDocument: () => Promise.reject(new Error('nothing is fetched')),
    },
    log: SILENT,
    gauges: new Gauges(),
    ledger: {},
    redact: (text: string) => text,
    addSecret: () => () => undefined,
  } as unknown as LanesHost;
  const lanes = new Lanes(host, () => expect.unreachable());
  onTestFinished(async () => {
    lanes.endStreams();
    await lanes.close();
    await store.close();
  });
  return lanes;
}
const source = {
  name: 'made',
  mode: 'session',
  snapshot: { version: '1', state: 'ready', tools: [], resources: [], resourceTemplates: [], prompts: [], features: {} },
  subscribe: () => () => undefined,
};
const merged = (agents: Readonly<Record<string, AgentConfig>>, servers: object = {}): MergedConfig =>
  ({
    config: { agents, servers },
    virtualServers: new Map(),
    documents: new Map(),
    overlays: new Map(),
    origin: () => 'file',
    locate: () => ({}),
    problems: [],
  }) as unknown as MergedConfig;
const lent = (disposed: () => void): ExtensionSet =>
  ({
    bind: async () => [],
    extensionVersion: () => '1',
    createBalancer,
    createProvider: () => expect.unreachable(),
    createSource: async () => ({ ...source, [Symbol.asyncDispose]: async () => disposed() }),
  }) as unknown as ExtensionSet;

describe('the three lanes', () => {
  it('answer each under their own paths, and on no path twice', async () => {
    const lanes = await made();
    const places = lanes.mounts.flatMap(({ path, methods }) => methods.map((method) => `${method} ${path}`));
    expect(new Set(places).size).toBe(places.length);
    for (const path of ['/mcp', '/v1/models', '/a2a']) expect(places).toContainEqual(expect.stringContaining(` ${path}`));
  });

  it('an agent is served as one, and its skills as tools; both are gauged', async () => {
    const lanes = await made();
    const generation = await lanes.build(
      merged({ echo: { card: 'demo:echo' } }),
      lent(() => expect.unreachable()),
      [],
    );
    lanes.adopt(generation);
    expect([[...generation.agents.agents.keys()], [...generation.tools.entries.keys()]]).toEqual([['echo'], ['echo']]);
    expect([...lanes.gaugeKeys()].toSorted()).toEqual(['agents/echo', 'tools/echo']);
    await lanes.release(generation);
  });

  it('lets go of the tools when the agents cannot be built', async () => {
    const lanes = await made();
    let disposed = 0;
    const building = lanes.build(
      merged({ echo: { card: 'not an address' } }, { one: { source: 'x' } }),
      lent(() => void (disposed += 1)),
      [],
    );
    await expect(building).rejects.toThrow('agents.echo: card is no address');
    expect(disposed).toBe(1);
  });
});
