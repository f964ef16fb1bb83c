import { expect, it } from 'vitest';
import type { MergedConfig } from '../../../../src/config/types.ts';
import { ANONYMOUS } from '../../../../src/core/consumer.ts';
import type { SourceSnapshot, ToolSource } from '../../../../src/core/contracts/tool-source.ts';
import type { BuildHost, ToolsHost } from '../../../../src/lanes/tools/host.ts';
import { ToolsLane } from '../../../../src/lanes/tools/lane.ts';
import { Gauges } from '../../../../src/upstreams/health/gauges.ts';
import { createBalancer } from '../models/doors/start-lane.ts';

const EMPTY: SourceSnapshot = {
  version: '1',
  state: 'loading',
  tools: [],
  resources: [],
  resourceTemplates: [],
  prompts: [],
  features: {},
};
const DEFINITION = { name: 'find', description: 'Finds.', inputSchema: { type: 'object' } } as const;

it('shows what a source got after its problems were looked at and before the generation served', async () => {
  let snapshot = EMPTY;
  const source: ToolSource = {
    name: 'late',
    mode: 'session',
    get snapshot() {
      return snapshot;
    },
    subscribe: () => () => undefined,
    call: () => Promise.reject(new Error('not here')),
  };
  const merged = {
    config: { servers: { late: { source: 'late' } } },
    virtualServers: new Map(),
    documents: new Map(),
    overlays: new Map(),
    origin: () => 'file',
    locate: () => ({}),
  } as unknown as MergedConfig;
  const lent: BuildHost = { bind: async () => [], createSource: async () => source, extensionVersion: () => '1', createBalancer };
  const agents = { mayCallAny: () => false };
  const host = { redact: (text: string) => text, consumer: () => ANONYMOUS, gauges: new Gauges(), agents };
  const lane = new ToolsLane(host as unknown as ToolsHost, () => {
    throw new Error('no call here');
  });
  const generation = await lane.build(merged, lent, [], () => expect.unreachable());
  lane.problems(generation);
  expect([...generation.doors.get('late')!.view(ANONYMOUS).tools.keys()]).toEqual([]);
  snapshot = { ...EMPTY, version: '2', state: 'ready', tools: [{ definition: DEFINITION, risk: 'read', tags: [] }] };
  lane.adopt(generation);
  expect([...generation.doors.get('late')!.view(ANONYMOUS).tools.keys()]).toEqual(['find']);
  lane.close();
});
