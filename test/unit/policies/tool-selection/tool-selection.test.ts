import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { Consumer } from '../../../../src/core/consumer.ts';
import type { Hit } from '../../../../src/core/contracts/semantics.ts';
import type { JsonObject } from '../../../../src/core/json.ts';
import { tokensOf } from '../../../../src/core/units/tokens.ts';
import { nameOf, NAMES, namesOf, request, select, selecting, toolOf, toolsOf, type Format } from './selecting.ts';

const FORMATS = ['chat', 'responses', 'messages'] as const;
const five = (subject: string): string[] => NAMES.filter((name) => name.endsWith(`_${subject}`));
const asked = 'show me the song about something';

describe.each(FORMATS)('tools in the format of %s', (format) => {
  it('are cut to those that fit, as they came and in their order', async () => {
    const policy = await selecting({ top: 5 });
    const body = request(format, asked, { temperature: 0.5, metadata: { a: 1 } });
    const before = structuredClone(body);
    const tools = body['tools'] as unknown[];
    const call = await select(policy, format, body);
    expect(namesOf(call)).toEqual(five('song'));
    for (const tool of call.input.body['tools'] as unknown[]) expect(tools).toContain(tool);
    expect(body).toEqual(before);
    expect({ ...call.input.body, tools: 0 }).toEqual({ ...body, tools: 0 });
    expect(Object.keys(call.input.body)).toEqual(Object.keys(body));
  });

  it('are recorded with their tokens', async () => {
    const call = await select(await selecting({ top: 5 }), format, request(format, asked));
    const definition = (tool: JsonObject): unknown => tool['function'] ?? tool;
    const tokens = (tools: JsonObject[]): number => tools.reduce((sum, tool) => sum + tokensOf(definition(tool)), 0);
    const full = tokens(toolsOf(format));
    expect(call.events).toMatchObject([
      {
        type: 'selected',
        detail: '5 of 50 tools by words@1',
        figures: { full, offered: tokens(toolsOf(format).filter((tool) => five('song').includes(nameOf(tool) as string))) },
      },
    ]);
  });

  it('all go on in a dry run, which is recorded', async () => {
    const body = request(format, asked);
    const call = await select(await selecting({ top: 5, dryRun: true }), format, body);
    expect(call.input.body).toBe(body);
    const [event] = call.events;
    expect(event?.detail).toBe('dry run: 5 of 50 tools by words@1');
    expect(event?.figures?.['offered']).toBe(event?.figures?.['full']);
    expect(event?.figures?.['would']).toBeLessThan(event?.figures?.['full'] ?? 0);
  });

  it('are left alone when they are few', async () => {
    const body = request(format, asked, { tools: toolsOf(format).slice(0, 40) });
    const policy = await selecting();
    const call = await select(policy, format, body);
    expect([call.input.body, call.events, policy.indexed]).toEqual([body, [], []]);
    expect(call.input.body).toBe(body);
  });

  it('go on when the request names them', async () => {
    const choices: Record<Format, readonly unknown[]> = {
      chat: [
        { type: 'function', function: { name: 'get_lamp' } },
        { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'get_lamp' } }] } },
      ],
      responses: [
        { type: 'function', name: 'get_lamp' },
        { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'get_lamp' }] },
      ],
      messages: [{ type: 'tool', name: 'get_lamp', disable_parallel_tool_use: true }],
    };
    for (const tool_choice of choices[format]) {
      const call = await select(await selecting({ top: 5 }), format, request(format, asked, { tool_choice }));
      expect(namesOf(call)).toEqual([...five('song'), 'get_lamp']);
    }
  });

  it('go on when the conversation has used them, and the results of tools are not what is searched for', async () => {
    const turns: Record<Format, readonly unknown[]> = {
      chat: [
        { role: 'user', content: asked },
        { role: 'assistant', tool_calls: [{ id: '1', type: 'function', function: { name: 'get_lamp', arguments: '{}' } }] },
        { role: 'tool', tool_call_id: '1', content: 'a pet, a flight' },
      ],
      responses: [
        { role: 'user', content: [{ type: 'input_text', text: asked }] },
        { type: 'function_call', call_id: '1', name: 'get_lamp', arguments: '{}' },
        { type: 'function_call_output', call_id: '1', output: 'a pet, a flight' },
      ],
      messages: [
        { role: 'user', content: [{ type: 'text', text: asked }] },
        { role: 'assistant', content: [{ type: 'tool_use', id: '1', name: 'get_lamp', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: '1', content: [{ type: 'text', text: 'a pet, a flight' }] }] },
      ],
    };
    const policy = await selecting({ top: 5 });
    const field = format === 'responses' ? 'input' : 'messages';
    const call = await select(policy, format, request(format, '', { [field]: turns[format] }));
    expect(namesOf(call)).toEqual([...five('song'), 'get_lamp']);
    expect(policy.queries).toEqual([asked]);
  });

  it('that the provider carries out, and those that it shows when they are searched for, go on', async () => {
    const others: Record<Format, readonly JsonObject[]> = {
      chat: [
        { type: 'custom', custom: { name: 'free' } },
        { type: 'something_new', name: 'x' },
        toolOf('chat', 'later', { defer_loading: true }),
      ],
      responses: [
        { type: 'web_search' },
        { type: 'mcp', server_label: 'a', server_url: 'https://example.com' },
        { type: 'code_interpreter', container: { type: 'auto' } },
        { type: 'custom', name: 'free', format: { type: 'text' } },
        toolOf('responses', 'later', { defer_loading: true }),
      ],
      messages: [
        { type: 'bash_20250124', name: 'bash' },
        { type: 'web_search_20250305', name: 'web_search', max_uses: 3 },
        { type: 'tool_search_tool_bm25_20251119', name: 'tool_search_tool_bm25' },
        { type: 'mcp_toolset', mcp_server_name: 'a' },
        toolOf('messages', 'later', { defer_loading: true }),
      ],
    };
    const tools = [...others[format], ...toolsOf(format)];
    const call = await select(await selecting({ top: 5 }), format, request(format, asked, { tools }));
    expect((call.input.body['tools'] as unknown[]).slice(0, others[format].length)).toEqual(others[format]);
    expect(namesOf(call).slice(others[format].length)).toEqual(five('song'));
  });
});

it('counts tokens of the tools that would be sent, and offers them to nobody', async () => {
  const call = await select(await selecting({ top: 5 }), 'count_tokens', request('messages', asked));
  expect(namesOf(call)).toEqual(five('song'));
  expect(call.events).toMatchObject([{ type: 'selected', detail: '5 of 50 tools by words@1' }]);
  expect(call.events[0]).not.toHaveProperty('figures');
});

it('looks at nothing but tools', async () => {
  const policy = await selecting();
  for (const tools of [undefined, null, {}, 'x', [], [null, 1, 'x', ...Array.from({ length: 60 }, () => ({}))]]) {
    const body = request('chat', asked, { tools });
    expect((await select(policy, 'chat', body)).input.body).toBe(body);
  }
  const body = request('chat', asked);
  expect((await select(policy, 'embeddings', body)).input.body).toBe(body);
  expect(policy.indexed).toEqual([]);
});

it('fills up to as many as there is room for, in their order', async () => {
  const wish = request('chat', 'a song, quickly');
  expect(namesOf(await select(await selecting({ top: 12 }), 'chat', wish))).toEqual([...NAMES.slice(0, 7), ...five('song')]);
  expect(namesOf(await select(await selecting({ top: 12, threshold: 0.01 }), 'chat', wish))).toEqual(five('song'));
});

it('keeps the tools whose names match', async () => {
  const call = await select(await selecting({ top: 1, keep: ['*_pet', 'get_lamp'] }), 'chat', request('chat', asked));
  expect(namesOf(call)).toEqual([...five('pet'), 'list_song', 'get_lamp']);
});

it('leaves out none but those whose names match, and counts only these', async () => {
  const policy = await selecting({ top: 1, above: 4, only: ['*_pet', '*_song'], keep: ['get_pet'] });
  const call = await select(policy, 'chat', request('chat', asked));
  expect(namesOf(call)).toEqual(NAMES.filter((name) => !/_(?:pet|song)$/.test(name) || ['get_pet', 'list_song'].includes(name)));
  const { full = 0, offered = 0 } = call.events[0]?.figures ?? {};
  expect(offered).toBeGreaterThan(full / 2);
  const few = await select(
    await selecting({ top: 1, above: 9, only: ['*_pet', '*_song'], keep: ['get_pet'] }),
    'chat',
    request('chat', asked),
  );
  expect(few.events).toEqual([]);
});

it('keeps all tools of a name, and none of another', async () => {
  const twice = [...toolsOf('chat'), toolOf('chat', 'get_song'), toolOf('chat', 'get_lamp')];
  const policy = await selecting({ top: 5 });
  const call = await select(policy, 'chat', request('chat', asked, { tools: twice }));
  expect(namesOf(call)).toEqual([...five('song'), 'get_song']);
  expect(policy.indexed[0]).toHaveLength(50);
});

it('makes one index of a list that comes again', async () => {
  const policy = await selecting({ top: 5 });
  for (const text of [asked, 'what is a lamp for', asked]) await select(policy, 'chat', request('chat', text));
  expect(policy.indexed).toHaveLength(1);
  await select(policy, 'chat', request('chat', asked, { tools: toolsOf('chat').slice(1) }));
  expect(policy.indexed).toHaveLength(2);
});

it('forgets the lists that came longest ago, when there are too many tools', async () => {
  const policy = await selecting();
  const ask = (list: string) => {
    const tools = Array.from({ length: 4000 }, (_, at) => ({ name: `${list}_${at}`, description: 'a song', input_schema: {} }));
    return select(policy, 'messages', request('messages', asked, { tools }));
  };
  for (const list of ['a', 'b', 'a', 'c', 'a']) await ask(list);
  expect(policy.indexed).toHaveLength(3);
  await ask('b');
  expect(policy.indexed).toHaveLength(4);
});

it('forgets them too when their texts are too long, and keeps nothing of a text that is not read', async () => {
  const policy = await selecting();
  const ask = (list: string, length: number) => {
    const tools = Array.from({ length: 1000 }, (_, at) => ({
      name: `${list}_${at}`,
      description: `a song ${'x'.repeat(length)}`,
      input_schema: { properties: { id: { description: 'y'.repeat(length) } } },
    }));
    return select(policy, 'messages', request('messages', asked, { tools }));
  };
  // Of a tool 2,000 characters and 4,000 of its parameters are read: two such lists are too much, one never is.
  for (const list of ['a', 'b', 'a']) await ask(list, 10_000);
  expect(policy.indexed).toHaveLength(3);
  expect(policy.indexed.flat().every(({ description, words = [] }) => description.length + words.join('').length <= 6_100)).toBe(true);
  for (const list of ['c', 'd', 'c']) await ask(list, 10);
  expect(policy.indexed).toHaveLength(5);
});

it('knows a list again by what of it is read', async () => {
  const policy = await selecting({ top: 5 });
  const tools = toolsOf('messages');
  const more = tools.map((tool) => ({ ...tool, input_examples: [{ id: '1'.repeat(400) }] }));
  const figures: number[] = [];
  for (const sent of [tools, more]) {
    const call = await select(policy, 'messages', request('messages', asked, { tools: sent }));
    figures.push(call.events[0]!.figures!['full']!);
  }
  expect(policy.indexed).toHaveLength(1);
  // What each costs is counted, whatever is read of it.
  expect(figures[1]).toBeGreaterThan(figures[0]! + 50 * 100);
});

describe('when little is known', () => {
  const hit = (index: number, more: Partial<Hit> = {}): Hit => ({
    index,
    score: 1 - index / 100,
    words: [],
    lexical: 0,
    cosine: 0.1,
    ...more,
  });
  const hits = (count: number, more?: Partial<Hit>): Hit[] => Array.from({ length: count }, (_, index) => hit(index, more));

  it.each([
    ['nothing in common', async () => ({ hits: [] }), 50, 'all 50 tools: the request does not tell which'],
    ['a poor likeness', async () => ({ hits: hits(20) }), 50, 'all 50 tools: the request does not tell which'],
    ['a fair likeness', async () => ({ hits: hits(40, { cosine: 0.5 }), model: 'm@1' }), 20, '20 of 50 tools by m@1'],
    ['a word in common', async () => ({ hits: hits(40, { words: ['song'] }) }), 20, '20 of 50 tools by words alone'],
    [
      'a lower rung',
      async () => ({
        hits: hits(20, { words: ['song'] }),
        degraded: { requested: 'remote', active: 'bm25', reason: 'the provider is away' },
      }),
      20,
      '20 of 50 tools by words alone: the provider is away',
    ],
    ['a search that fails', () => Promise.reject(new Error('broken')), 50, 'all 50 tools: the search failed'],
  ] as const)('%s', async (_name, find, kept, detail) => {
    const policy = await selecting({}, find as never);
    const call = await select(policy, 'chat', request('chat', 'qwertz'));
    expect(namesOf(call)).toHaveLength(kept);
    expect(call.events.map((event) => event.detail)).toEqual([detail]);
    expect(policy.warned).toHaveLength(detail.includes('failed') ? 1 : 0);
    const { full = 0, offered = 0 } = call.events[0]?.figures ?? {};
    expect(offered).toBe(kept === 50 ? full : offered);
    expect(full).toBeGreaterThan(500);
  });

  it('no message to go by', async () => {
    const policy = await selecting();
    const call = await select(
      policy,
      'responses',
      request('responses', '', { input: [{ type: 'function_call_output', output: 'a song' }] }),
    );
    expect(namesOf(call)).toHaveLength(50);
    expect(call.events[0]?.detail).toBe('all 50 tools: the request does not tell which');
    expect(policy.queries).toEqual([]);
  });

  it('has a bound where one is given: the best first, then in the order they came', async () => {
    const find = async () => ({ hits: [hit(49), hit(48)] });
    const call = await select(await selecting({ unsure: 4 }, find), 'chat', request('chat', asked));
    expect(namesOf(call)).toEqual([NAMES[0], NAMES[1], NAMES[48], NAMES[49]]);
    expect(call.events[0]?.detail).toBe('4 of 50 tools: the request does not tell which');
  });

  it('does not wait for a search that takes too long', async () => {
    vi.useFakeTimers();
    try {
      const policy = await selecting({}, () => new Promise(() => {}));
      const selected = select(policy, 'chat', request('chat', asked));
      await vi.advanceTimersByTimeAsync(2000);
      expect(namesOf(await selected)).toHaveLength(50);
      expect(policy.warned).toHaveLength(1);
    } finally {
      vi.useRealTimers();
    }
  });

  it('leaves out what falls below a share of the best score', async () => {
    const find = async () => ({ hits: [hit(0, { cosine: 0.6 }), hit(7, { score: 0.5 }), hit(9, { score: 0.4 })] });
    const call = await select(await selecting({ threshold: 0.5 }, find), 'chat', request('chat', asked));
    expect(namesOf(call)).toEqual([NAMES[0], NAMES[7]]);
  });
});

it('tells its rule', async () => {
  const policy = await selecting({ top: 8, above: 10 });
  const consumer: Consumer = { name: 'alice', groups: [], anonymous: false };
  const ask = (lane: 'models' | 'tools') => policy.hooks.explain!({ consumer, lane, route: 'support' });
  expect(ask('models')).toEqual([{ rule: 'tool-selection: 8 of more than 10 tools', value: 'by the model of embedding' }]);
  await select(policy, 'chat', request('chat', asked));
  expect(ask('models')).toEqual([{ rule: 'tool-selection: 8 of more than 10 tools', value: 'words@1' }]);
  expect(ask('tools')).toEqual([]);
  const strict = await selecting({ threshold: 0.5 });
  expect(strict.hooks.explain!({ consumer, lane: 'models', route: 'support' })).toMatchObject([
    { rule: 'tool-selection: at most 20 of more than 40 tools' },
  ]);
});

it('never takes a tool that is needed, never empties a list and never changes the order', async () => {
  const kinds = fc.constantFrom('own', 'vendor', 'deferred');
  const anyTool = fc.record({ kind: kinds, name: fc.constantFrom(...NAMES), marked: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...FORMATS),
      fc.array(anyTool, { minLength: 1, maxLength: 60 }),
      fc.constantFrom(...NAMES),
      fc.integer({ min: 1, max: 12 }),
      async (format, described, forced, top) => {
        const tools = described.map(({ kind, name, marked }) => {
          const mark = marked ? { cache_control: { type: 'ephemeral' } } : {};
          if (kind === 'vendor') return { type: `new_${name}`, ...mark };
          return toolOf(format, name, kind === 'deferred' ? { defer_loading: true } : mark);
        });
        const policy = await selecting({ top, above: 1 });
        const call = await select(policy, format, request(format, asked, { tools, tool_choice: { type: 'tool', name: forced } }));
        const kept = call.input.body['tools'] as JsonObject[];
        const bare = (tool: JsonObject): string => JSON.stringify({ ...tool, cache_control: undefined });
        let at = 0;
        for (const tool of tools) if (at < kept.length && bare(tool) === bare(kept[at]!)) at += 1;
        expect(at).toBe(kept.length);
        expect(kept.length).toBeGreaterThan(0);
        const must = tools.filter((_, place) => described[place]!.kind !== 'own' || described[place]!.name === forced);
        expect(must.map(bare).filter((one) => !kept.map(bare).includes(one))).toEqual([]);
        const marks = (all: readonly JsonObject[]): number => all.filter((tool) => tool['cache_control'] !== undefined).length;
        expect(marks(kept)).toBeLessThanOrEqual(marks(tools));
      },
    ),
    { numRuns: 200 },
  );
});
