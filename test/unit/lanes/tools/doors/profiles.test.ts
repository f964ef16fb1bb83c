import type { JsonObject } from '../../../../../src/core/json.ts';
import { describe, expect, it } from 'vitest';
import { compileAccess } from '../../../../../src/access/permit.ts';
import type { AccessRule, VirtualServerConfig } from '../../../../../src/config/types.ts';
import { ANONYMOUS } from '../../../../../src/core/consumer.ts';
import type { SourceSnapshot, StatelessToolSource } from '../../../../../src/core/contracts/tool-source.ts';
import { PROFILES, type SourceTool, type ToolDefinition } from '../../../../../src/core/tools.ts';
import { sourceDoor, virtualDoor, type Door } from '../../../../../src/lanes/tools/doors/catalog.ts';
import type { SourceEntry } from '../../../../../src/lanes/tools/doors/source-entry.ts';
import { composeChain } from '../../../../../src/pipeline/chain.ts';
import { RetryBudget } from '../../../../../src/upstreams/health/retry-budget.ts';

const CHAIN = composeChain([], 'tools');
/** Nothing is called here. */
const PLAN = { pools: [], retries: 0, budget: new RetryBudget() };
const body = (more: JsonObject = {}): JsonObject => ({
  type: 'object',
  properties: { '@id': { type: 'string' }, note: { type: 'string' }, secret: { type: 'string' }, ...more },
  required: ['@id'],
});
const tools: SourceTool[] = [
  {
    definition: { name: 'files.read', description: 'Reads.', inputSchema: body() },
    risk: 'read',
    tags: [],
    whole: () => ({
      description: 'Reads, at length.',
      inputSchema: body({ deep: { type: 'object', properties: { x: { type: 'string' } } } }),
    }),
  },
  { definition: { name: 'write', description: 'Writes.', inputSchema: body() }, risk: 'write', tags: [] },
];

function entryOf(more: Partial<SourceEntry> = {}, resources: JsonObject[] = []): SourceEntry {
  const snapshot: SourceSnapshot = { version: '1', state: 'ready', tools, resources, resourceTemplates: [], prompts: [], features: {} };
  const source: StatelessToolSource = {
    mode: 'stateless',
    name: 'disk',
    snapshot,
    subscribe: () => () => {},
    prepare: () => ({ reply: {} }),
  };
  return { name: 'disk', kind: 'server', origin: 'file', source, access: compileAccess(undefined), chain: CHAIN, plan: PLAN, breaker: undefined, price: undefined, description: undefined, icons: undefined, sessions: 'required', settings: undefined, ...more }; // prettier-ignore
}

function doorOf(config: Partial<VirtualServerConfig> = {}, access: AccessRule[] | undefined = undefined): Door {
  return virtualDoor('desk', { tools: [{ from: 'disk' }], ...config }, compileAccess(access), new Map([['disk', entryOf()]]), CHAIN);
}

const wholeOf = (door: Door, uri: string): ToolDefinition | undefined => {
  const [content] = (door.view(ANONYMOUS).toolInFull(uri)?.['contents'] ?? []) as { text: string }[];
  return content === undefined ? undefined : (JSON.parse(content.text) as ToolDefinition);
};

describe('a profile', () => {
  it('changes the form of tools and never which there are', () => {
    const access: AccessRule[] = [{ allow: ['files*'] }];
    const seen = PROFILES.map((profile) =>
      [...doorOf({ profile }, access).view(ANONYMOUS).tools.values()].map(({ tool }) => tool.sourceName),
    );
    expect(seen).toEqual(PROFILES.map(() => ['files.read']));
  });

  it('that replaces a name leaves the own one callable, in the same form', () => {
    const view = doorOf({ profile: 'gemini' }).view(ANONYMOUS);
    const [shown] = [...view.tools.keys()];
    expect(shown).toMatch(/^files_read_/);
    expect(view.tool('files.read')).toBe(view.tool(shown!));
    expect(view.tool('files.write')).toBeUndefined();
    expect(view.tool(shown!)!.input!({ id: '1' })).toEqual({ '@id': '1' });
    expect(view.tool(shown!)!.tool.name).toBe('files.read');
  });

  it('of the server goes before the client, and what the client says is kept apart', () => {
    const open = doorOf();
    expect(open.view(ANONYMOUS, 'gemini-cli-mcp-client')).toBe(open.view(ANONYMOUS, 'gemini-cli-mcp-client'));
    expect(open.view(ANONYMOUS, 'gemini-cli-mcp-client').versions.tools).not.toBe(open.view(ANONYMOUS, 'claude-ai').versions.tools);
    const fixed = doorOf({ profile: 'openai' });
    expect(fixed.view(ANONYMOUS, 'gemini-cli-mcp-client')).toBe(fixed.view(ANONYMOUS));
    fixed.invalidate();
    expect(fixed.view(ANONYMOUS).tools.size).toBe(2);
  });

  it('undoes its form before overrides are applied', () => {
    const overrides = { 'disk.write': { arguments: { note: { name: 'remark' }, secret: { value: 's' } } } };
    const tool = doorOf({ profile: 'openai', overrides }).view(ANONYMOUS).tool('write')!;
    expect(Object.keys(tool.shown.inputSchema['properties'] as JsonObject)).toEqual(['id', 'remark']);
    expect(tool.input!({ id: '1', remark: null })).toEqual({ '@id': '1', secret: 's' });
    expect(tool.input!({ id: '1', remark: 'r' })).toEqual({ '@id': '1', note: 'r', secret: 's' });
  });
});

describe('a tool in full', () => {
  it('is a resource where the list leaves something out', () => {
    expect(wholeOf(doorOf(), 'hubgate://tools/files.read')).toMatchObject({
      name: 'files.read',
      description: 'Reads, at length.',
      inputSchema: { properties: { deep: {} } },
    });
    expect(wholeOf(doorOf(), 'hubgate://tools/write')).toBeUndefined();
    expect(wholeOf(doorOf({ profile: 'raw' }), 'hubgate://tools/files.read')).toBeUndefined();
    expect(doorOf({ profile: 'raw' }).view(ANONYMOUS).tool('files.read')!.shown.description).toBe('Reads, at length.');
  });

  it('hides what an override hides, and has its description', () => {
    const overrides = { 'disk.files.read': { description: 'Ours.', arguments: { secret: { hide: true }, note: { name: 'remark' } } } };
    const whole = wholeOf(doorOf({ overrides }), 'hubgate://tools/files.read')!;
    expect(whole.description).toBe('Ours.');
    expect(Object.keys(whole.inputSchema['properties'] as JsonObject)).toEqual(['@id', 'remark', 'deep']);
  });

  it('has the description that the operator gave the tool at its source', () => {
    const door = sourceDoor(entryOf({ settings: { 'files*': { description: 'Set.' } } }));
    expect(wholeOf(door, 'hubgate://tools/files.read')!.description).toBe('Set.');
  });

  it('gives way to a resource of the source under the same URI', () => {
    const uri = 'hubgate://tools/files.read';
    const door = sourceDoor(entryOf({}, [{ uri, name: 'theirs' }]));
    expect(door.view(ANONYMOUS).page('resources/list', undefined)).toEqual({ resources: [{ uri, name: 'theirs' }] });
    expect(door.view(ANONYMOUS).toolInFull(uri)).toBeUndefined();
    expect(door.view(ANONYMOUS).resource(uri)?.sourceName).toBe(uri);
  });

  it('is not there for who may not see the tool', () => {
    const door = doorOf({}, [{ allow: ['write'] }]);
    expect(door.view(ANONYMOUS).toolInFull('hubgate://tools/files.read')).toBeUndefined();
    expect(door.view(ANONYMOUS).page('resources/list', undefined)).toEqual({ resources: [] });
  });
});
