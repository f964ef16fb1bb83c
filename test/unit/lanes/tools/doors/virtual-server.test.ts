import type { JsonObject } from '../../../../../src/core/json.ts';
import { describe, expect, it } from 'vitest';
import { compileAccess } from '../../../../../src/access/permit.ts';
import type { AccessRule, VirtualServerConfig } from '../../../../../src/config/types.ts';
import { ANONYMOUS, type Consumer } from '../../../../../src/core/consumer.ts';
import type { SourceSnapshot, StatelessToolSource } from '../../../../../src/core/contracts/tool-source.ts';
import type { Risk, SourceTool } from '../../../../../src/core/tools.ts';
import { rootDoor, sourceDoor, virtualDoor } from '../../../../../src/lanes/tools/doors/catalog.ts';
import type { SourceEntry } from '../../../../../src/lanes/tools/doors/source-entry.ts';
import { composeChain } from '../../../../../src/pipeline/chain.ts';
import { RetryBudget } from '../../../../../src/upstreams/health/retry-budget.ts';

const NO_POLICIES = composeChain([], 'tools');
const NO_CALLS = { pools: [], retries: 0, budget: new RetryBudget() };

function tool(
  name: string,
  risk: Risk,
  more: { method?: string; path?: string; tags?: string[]; properties?: JsonObject; required?: string[] } = {},
): SourceTool {
  const { method = 'GET', path = `/${name}`, tags = [], properties = {}, required } = more;
  return {
    definition: {
      name,
      description: `does ${name}`,
      inputSchema: { type: 'object', properties, ...(required === undefined ? {} : { required }) },
    },
    risk,
    tags,
    operation: { method, path },
  };
}

function entryOf(name: string, tools: SourceTool[], more: Partial<SourceEntry> & { access?: SourceEntry['access'] } = {}): SourceEntry {
  const snapshot: SourceSnapshot = { version: '1', state: 'ready', tools, resources: [], resourceTemplates: [], prompts: [], features: {} };
  const source: StatelessToolSource = {
    mode: 'stateless',
    name,
    snapshot,
    subscribe: () => () => {},
    prepare: () => ({ reply: {} }),
  };
  return {
    name,
    kind: 'service',
    origin: 'file',
    source,
    access: compileAccess(undefined),
    chain: NO_POLICIES,
    plan: NO_CALLS,
    breaker: undefined,
    price: undefined,
    description: undefined,
    icons: undefined,
    sessions: 'required',
    settings: undefined,
    ...more,
  };
}

const pets = entryOf('pets', [
  tool('find', 'read', { tags: ['animals'] }),
  tool('get', 'read', {
    path: '/pets/{id}',
    properties: { id: { type: 'integer' }, owner: { type: 'string' } },
    required: ['id', 'owner'],
  }),
  tool('add', 'write', { method: 'POST' }),
  tool('drop', 'destructive', { method: 'DELETE' }),
]);
const people = entryOf('people', [tool('find', 'read'), tool('hire', 'write', { method: 'POST' })]);
const sources = new Map([
  ['pets', pets],
  ['people', people],
]);

function serverOf(config: VirtualServerConfig) {
  return virtualDoor('desk', config, compileAccess(config.access), sources, NO_POLICIES);
}
const namesOf = (config: VirtualServerConfig, consumer: Consumer = ANONYMOUS): string[] => [
  ...serverOf(config).view(consumer).tools.keys(),
];

describe('a virtual server selects', () => {
  it.each<[string, VirtualServerConfig['tools'], string[]]>([
    ['everything of a source without include', [{ from: 'people' }], ['find', 'hire']],
    ['by name', [{ from: 'pets', include: ['get'] }], ['get']],
    ['by glob', [{ from: 'pets', include: ['*d*'] }], ['find', 'add', 'drop']],
    ['by tag', [{ from: 'pets', include: [{ tag: 'animals' }] }], ['find']],
    ['by method, in any case', [{ from: 'pets', include: [{ method: 'post' }] }], ['add']],
    ['by path', [{ from: 'pets', include: [{ path: '/pets/*' }] }], ['get']],
    ['by risk, and all below', [{ from: 'pets', include: [{ risk: 'write' }] }], ['find', 'get', 'add']],
    ['by all keys of one pattern', [{ from: 'pets', include: [{ risk: 'read', tool: 'g*' }] }], ['get']],
    ['less what exclude drops, a risk and all above', [{ from: 'pets', exclude: [{ risk: 'write' }] }], ['find', 'get']],
    [
      'the same tool once',
      [
        { from: 'pets', include: ['get'] },
        { from: 'pets', include: ['g*'] },
      ],
      ['get'],
    ],
  ])('%s', (_, tools, expected) => {
    expect(namesOf({ tools })).toEqual(expected);
  });

  it('keeps the plain name for the first and puts the source before a later one', () => {
    expect(namesOf({ tools: [{ from: 'people' }, { from: 'pets', include: ['find'] }] })).toEqual(['find', 'hire', 'pets_find']);
  });

  it('leaves out a tool whose name is taken twice, and says so', () => {
    const door = serverOf({
      tools: [{ from: 'pets', include: ['find', 'get', 'add'] }],
      overrides: { 'pets.get': { name: 'find' }, 'pets.add': { name: 'find' } },
    });
    expect(door.problems).toMatchObject([{ code: 'name_taken', pointer: '/virtual-servers/desk/overrides/pets.add' }]);
    expect(door.offer.tools.map((one) => one.tool.name)).toEqual(['find', 'pets_find']);
  });

  it('reports what is not there and serves the rest', () => {
    const door = serverOf({ tools: [{ from: 'pets', include: ['gone', 'get'] }], overrides: { 'pets.nothing': { title: 'x' } } });
    expect(door.problems).toMatchObject([
      { code: 'unknown_tool', severity: 'warning', pointer: '/virtual-servers/desk/tools/0/include/0' },
      { code: 'unused_override', severity: 'warning' },
    ]);
    expect(door.offer.tools).toHaveLength(1);
  });
});

describe('overrides', () => {
  const door = serverOf({
    tools: [{ from: 'pets', include: ['get', 'find'] }],
    overrides: {
      'pets.get': {
        name: 'one_pet',
        title: 'One pet',
        description: 'Tells all about one pet',
        risk: 'write',
        arguments: { id: { name: 'number', description: 'its number' }, owner: { value: 'acme' } },
        select: ['name', 'tags.label'],
      },
      'pets.find': { enabled: false },
    },
  });
  const exposed = door.view(ANONYMOUS).tools.get('one_pet')!;

  it('change what the model sees, and only on this server', () => {
    expect(exposed.tool.definition).toMatchObject({ name: 'one_pet', title: 'One pet', description: 'Tells all about one pet' });
    expect(exposed.tool).toMatchObject({ risk: 'write', source: 'pets', sourceName: 'get' });
    expect(exposed.tool.definition.inputSchema).toEqual({
      type: 'object',
      properties: { number: { type: 'integer', description: 'its number' } },
      required: ['number'],
    });
    expect(sourceDoor(pets).view(ANONYMOUS).tools.get('get')!.tool.definition.description).toBe('does get');
  });

  it('disable a tool', () => {
    expect([...door.view(ANONYMOUS).tools.keys()]).toEqual(['one_pet']);
  });

  it('translate arguments, and let nobody around a fixed value', () => {
    expect(exposed.input!({ number: 7 })).toEqual({ id: 7, owner: 'acme' });
    expect(exposed.input!({ number: 7, owner: 'evil', id: 8, extra: true })).toEqual({ id: 7, owner: 'acme', extra: true });
  });

  it('keep the selected fields of a JSON answer, through arrays, and leave failures whole', () => {
    const answer = { name: 'Rex', age: 3, tags: [{ label: 'dog', id: 1 }] };
    const reply = exposed.output!({ content: [{ type: 'text', text: JSON.stringify(answer) }], structuredContent: answer });
    const kept = { name: 'Rex', tags: [{ label: 'dog' }] };
    expect(JSON.parse((reply.content![0] as { text: string }).text)).toEqual(kept);
    expect(reply.structuredContent).toEqual(kept);
    const failure = { content: [{ type: 'text', text: '{"a":1}' }], isError: true } as const;
    expect(exposed.output!(failure)).toBe(failure);
  });

  it('keep them in an answer that stands under result, and every digit of a number', () => {
    const list = entryOf('lists', [{ ...tool('all', 'read'), wrapped: true }]);
    const config: VirtualServerConfig = { tools: [{ from: 'lists' }], overrides: { 'lists.all': { select: ['id'] } } };
    const listing = virtualDoor('desk', config, compileAccess(undefined), new Map([['lists', list]]), NO_POLICIES);
    const { output } = listing.view(ANONYMOUS).tools.get('all')!;
    const text = '[{"id":12345678901234567890,"secret":1},{"id":1.0}]';
    const reply = output!({ content: [{ type: 'text', text }], structuredContent: { result: [{ id: 7, secret: 1 }, { secret: 2 }] } });
    expect(reply.content).toEqual([{ type: 'text', text: '[{"id":12345678901234567890},{"id":1.0}]' }]);
    expect(reply.structuredContent).toEqual({ result: [{ id: 7 }] });
    const scalar = { content: [{ type: 'text', text: '12345678901234567890' }], structuredContent: { result: 12 } } as const;
    expect(output!(scalar)).toEqual({ content: scalar.content, structuredContent: {} });
  });

  it('take back the output schema of another server when they select, for it may require what is left out', () => {
    const outputSchema = { type: 'object', required: ['secret'] };
    const made = tool('made', 'read');
    const { operation: _, ...foreign } = tool('theirs', 'read');
    const both = [made, foreign].map((one) => ({ ...one, definition: { ...one.definition, outputSchema } }));
    const config: VirtualServerConfig = {
      tools: [{ from: 'mixed' }],
      overrides: { 'mixed.made': { select: ['id'] }, 'mixed.theirs': { select: ['id'] } },
    };
    const door = virtualDoor('desk', config, compileAccess(undefined), new Map([['mixed', entryOf('mixed', both)]]), NO_POLICIES);
    const schemas = [...door.view(ANONYMOUS).tools.values()].map((one) => [one.shown.name, one.shown.outputSchema]);
    expect(schemas).toEqual([
      ['made', outputSchema],
      ['theirs', undefined],
    ]);
  });

  it('of an argument that the tool does not have are an error that names those it has', () => {
    const wrong = serverOf({ tools: [{ from: 'pets' }], overrides: { 'pets.get': { arguments: { ID: { hide: true } } } } });
    expect(wrong.problems).toMatchObject([
      { code: 'unknown_argument', severity: 'error', message: expect.stringContaining('id, owner') as string },
    ]);
  });

  it('hide an argument, or give it a default that the model may change', () => {
    const hidden = serverOf({
      tools: [{ from: 'pets', include: ['get'] }],
      overrides: { 'pets.get': { arguments: { owner: { hide: true, default: 'acme' }, id: { default: 1 } } } },
    });
    const { tool: shown, input } = hidden.view(ANONYMOUS).tools.get('get')!;
    expect(shown.definition.inputSchema).toEqual({ type: 'object', properties: { id: { type: 'integer', default: 1 } } });
    expect(input!({})).toEqual({ id: 1, owner: 'acme' });
    expect(input!({ id: 9, owner: 'evil' })).toEqual({ id: 9, owner: 'acme' });
  });
});

describe('access decides the view', () => {
  const access: AccessRule[] = [
    { groups: ['support'], allow: ['*'], deny: [{ risk: 'destructive' }] },
    { groups: ['interns'], allow: ['find*'] },
  ];
  const alice: Consumer = { name: 'alice', groups: ['support'], anonymous: false };
  const ivo: Consumer = { name: 'ivo', groups: ['interns'], anonymous: false };

  it('per consumer, on a virtual server by its own list alone', () => {
    const config = { tools: [{ from: 'pets' }], access };
    expect(namesOf(config, alice)).toEqual(['find', 'get', 'add']);
    expect(namesOf(config, ivo)).toEqual(['find']);
    expect(namesOf(config)).toEqual([]);
  });

  it('on the door of all sources by the list of each source, globs without the prefix', () => {
    const guarded = entryOf('pets', [...pets.source.snapshot.tools], { access: compileAccess(access) });
    const door = rootDoor([guarded, people], NO_POLICIES, undefined, () => false);
    expect([...door.view(ivo).tools.keys()]).toEqual(['pets_find', 'people_find', 'people_hire']);
  });

  it('lists exactly what can be called, and changes the version with the list', () => {
    const door = serverOf({ tools: [{ from: 'pets' }], access });
    const view = door.view(alice);
    expect((view.page('tools/list', undefined)!['tools'] as { name: string }[]).map((one) => one.name)).toEqual([...view.tools.keys()]);
    expect(view.versions.tools).not.toBe(door.view(ivo).versions.tools);
    expect(view.page('tools/list', 'nonsense')).toBeUndefined();
  });
});

describe('settings of a source', () => {
  it('switch tools off everywhere and describe them, the first matching key first', () => {
    const entry = entryOf('pets', [...pets.source.snapshot.tools], {
      settings: {
        drop: { enabled: false },
        'f*': { description: 'looks around', risk: 'write' },
        '*': { description: 'anything', icons: [{ src: 'https://x.test/i.png' }] },
      },
    });
    const view = sourceDoor(entry).view(ANONYMOUS);
    expect(view.tools.has('drop')).toBe(false);
    expect(view.tools.get('find')!.tool).toMatchObject({
      risk: 'write',
      definition: { description: 'looks around', icons: [{ src: 'https://x.test/i.png' }] },
    });
    expect(view.tools.get('get')!.tool.definition.description).toBe('anything');
  });
});
