import { describe, expect, it } from 'vitest';
import type { CacheMark, ChatRequest, Part, Turn } from '../../../../../../src/core/chat.ts';
import { userId } from '../../../../../../src/lanes/models/formats/_user-id.ts';
import { anthropicMessages } from '../../../../../../src/lanes/models/formats/anthropic-messages/anthropic-messages.ts';

const user: Turn = { role: 'user', parts: [{ type: 'text', text: 'hi' }] };
const answer: Turn = { role: 'assistant', parts: [{ type: 'text', text: 'ho' }] };
const say = (role: Turn['role'], ...parts: Part[]): Turn => ({ role, parts });
const text = (value: string, cache?: CacheMark): Part => ({ type: 'text', text: value, ...(cache && { cache }) });
const f = { name: 'f', parameters: { type: 'object', properties: { a: { type: 'string' } } } };

function write(more: Partial<ChatRequest> = {}, model = 'claude-opus-4-8') {
  const ask: ChatRequest = { model: 'asked', stream: false, system: [], turns: [user], tools: [], unread: [], ...more };
  return anthropicMessages.writeRequest(ask, { model, family: 'anthropic' });
}
const messages = (turns: readonly Turn[], model?: string) => write({ turns }, model).body['messages'];
const block = (part: Part) => (messages([say('user', part)]) as { content: unknown[] }[])[0]?.content[0];

describe('a request to Anthropic', () => {
  it('is the least that the API takes, with a limit of tokens for the model', () => {
    expect(write()).toEqual({
      body: { model: 'claude-opus-4-8', max_tokens: 64_000, messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }] },
      dropped: [],
    });
    expect(write({}, 'claude-3-haiku-20240307').body['max_tokens']).toBe(4096);
    expect(write({}, 'claude-3-5-sonnet-20241022').body['max_tokens']).toBe(8192);
    expect(write({ maxTokens: 5 }).body['max_tokens']).toBe(5);
  });

  it('leaves sampling out for new models and says so', () => {
    const { body, dropped } = write({ temperature: 0.2, topP: 0.5, topK: 3, seed: 1, frequencyPenalty: 1, presencePenalty: 0 });
    for (const name of ['temperature', 'top_p', 'top_k']) expect(body).not.toHaveProperty(name);
    expect(dropped).toEqual([
      'seed',
      'frequencyPenalty',
      'presencePenalty',
      'temperature (the model takes none)',
      'topP (the model takes none)',
      'topK (the model takes none)',
    ]);
  });

  it('keeps sampling for old models, up to 1, and not beside thinking', () => {
    const old = write({ temperature: 1.7, topK: 3 }, 'claude-sonnet-4-5');
    expect(old.body).toMatchObject({ temperature: 1, top_k: 3 });
    expect(old.dropped).toEqual(['temperature (above 1: 1)']);
    expect(write({ temperature: 0.3, topP: 0.5 }, 'claude-haiku-4-5').dropped).toEqual(['topP (not beside temperature)']);
    expect(write({ temperature: 0.3, topP: 0.5 }, 'claude-3-haiku-20240307').body).toMatchObject({ temperature: 0.3, top_p: 0.5 });
    const thinking = write({ temperature: 0.3, reasoning: { effort: 'low' } }, 'claude-sonnet-4-5');
    expect(thinking.body).not.toHaveProperty('temperature');
    expect(thinking.dropped).toEqual(['temperature (not while the model thinks)']);
  });

  it('joins turns of one role, answers of tools first, and leaves empty texts out', () => {
    const call = (id: string): Part => ({ type: 'call', id, name: 'f', arguments: '{"a":"b"}' });
    const result = (callId: string, ...parts: { type: 'text'; text: string }[]): Part => ({ type: 'result', callId, parts });
    expect(
      messages([
        user,
        say('assistant', text(''), text('I look.'), call('1')),
        say('assistant', call('2')),
        say('user', result('1', { type: 'text', text: 'one' })),
        say('user', text('By the way'), result('2', { type: 'text', text: '' })),
        say('user', text('')),
      ]),
    ).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'hi' }] },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'I look.' },
          { type: 'tool_use', id: '1', name: 'f', input: { a: 'b' } },
          { type: 'tool_use', id: '2', name: 'f', input: { a: 'b' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: '1', content: [{ type: 'text', text: 'one' }] },
          { type: 'tool_result', tool_use_id: '2' },
          { type: 'text', text: 'By the way' },
        ],
      },
    ]);
  });

  it('puts system turns where the model takes them', () => {
    const rule = say('system', text('Be brief.'));
    const system = { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] };
    const folded = (own: string) => ({
      role: 'user',
      content: [
        { type: 'text', text: 'Be brief.' },
        { type: 'text', text: own },
      ],
    });
    // First ones are the system prompt.
    expect(write({ system: [{ type: 'text', text: 'S' }], turns: [rule, user] }).body).toMatchObject({
      system: [
        { type: 'text', text: 'S' },
        { type: 'text', text: 'Be brief.' },
      ],
      messages: [{ role: 'user' }],
    });
    // After a user turn and before an answer, or last.
    expect(messages([user, rule, answer, user])).toMatchObject([{ role: 'user' }, system, { role: 'assistant' }, { role: 'user' }]);
    expect(messages([user, rule])).toMatchObject([{ role: 'user' }, system]);
    // Elsewhere, and for models that have none, it goes into the next user turn.
    expect(messages([user, answer, rule, user])).toMatchObject([{ role: 'user' }, { role: 'assistant' }, folded('hi')]);
    expect(messages([user, rule, answer, user], 'claude-sonnet-4-6')).toMatchObject([
      { role: 'user' },
      { role: 'assistant' },
      folded('hi'),
    ]);
    expect(messages([user, answer, rule], 'claude-sonnet-4-6')).toMatchObject([{}, {}, { role: 'user', content: [{ text: 'Be brief.' }] }]);
  });

  it('sends thinking back to its own family only, before the calls', () => {
    const thought = (family: string): Part => ({ type: 'reasoning', text: family, seal: { family, value: 'sig' } });
    const { body, dropped } = write({
      turns: [
        user,
        say('assistant', { type: 'call', id: 'c', name: 'f', arguments: '', seal: { family: 'gemini', value: 'x' } }, thought('anthropic')),
        say('assistant', thought('gemini'), thought('openai'), { type: 'reasoning', text: 'plain' }),
        say('assistant', { type: 'reasoning', text: '', hidden: true, seal: { family: 'anthropic', value: 'enc' } }),
      ],
    });
    expect(body['messages']).toMatchObject([
      { role: 'user' },
      {
        content: [
          { type: 'thinking', thinking: 'anthropic', signature: 'sig' },
          { type: 'redacted_thinking', data: 'enc' },
          { type: 'tool_use', id: 'c', input: {} },
        ],
      },
    ]);
    expect(dropped).toEqual(['reasoning of another model family', 'reasoning without a signature']);
  });

  it('writes images and documents', () => {
    const base64 = (mediaType: string, data: string) => ({ type: 'base64' as const, mediaType, data });
    expect(block({ type: 'image', source: base64('image/png', 'AAA=') })).toEqual({
      type: 'image',
      source: { type: 'base64', media_type: 'image/png', data: 'AAA=' },
    });
    expect(block({ type: 'image', source: { type: 'url', url: 'https://a' } })).toMatchObject({
      source: { type: 'url', url: 'https://a' },
    });
    expect(block({ type: 'document', name: 'N', source: { type: 'file', id: 'f1' } })).toEqual({
      type: 'document',
      title: 'N',
      source: { type: 'file', file_id: 'f1' },
    });
    expect(block({ type: 'document', source: base64('text/csv', Buffer.from('é,1').toString('base64')) })).toMatchObject({
      source: { type: 'text', media_type: 'text/plain', data: 'é,1' },
    });
    expect(write({ turns: [say('user', { type: 'image', source: { type: 'url', url: 'https://a' }, detail: 'low' })] }).dropped).toEqual([
      'turns[0].parts[0].detail',
    ]);
  });

  it('keeps four cache marks in the order of the prompt, with the times that exist', () => {
    const { body, dropped } = write({
      tools: [{ ...f, cache: { ttl: '30m' } }],
      system: [{ type: 'text', text: 's', cache: { ttl: '12h' } }],
      turns: [say('user', text('a', {}), text('b', { ttl: '5m' }), text('c', { ttl: '1h' }))],
    });
    expect(body).toMatchObject({
      tools: [{ cache_control: { type: 'ephemeral', ttl: '1h' } }],
      system: [{ cache_control: { type: 'ephemeral', ttl: '1h' } }],
      messages: [
        {
          content: [
            { type: 'text', text: 'a', cache_control: { type: 'ephemeral' } },
            { type: 'text', text: 'b', cache_control: { type: 'ephemeral', ttl: '5m' } },
            { type: 'text', text: 'c' },
          ],
        },
      ],
    });
    expect(JSON.stringify(body).match(/cache_control/g)).toHaveLength(4);
    expect(dropped).toEqual(['cache.ttl (12h: 1h)', 'cache (more than 4 breakpoints)']);
  });

  it('writes tools and the choice among them', () => {
    const tools = [{ name: 'bare' }, { ...f, description: 'D', strict: true }];
    expect(write({ tools }).body['tools']).toEqual([
      { name: 'bare', input_schema: { type: 'object' } },
      { name: 'f', description: 'D', strict: true, input_schema: f.parameters },
    ]);
    const choice = (more: Partial<ChatRequest>) => write({ tools, ...more }).body['tool_choice'];
    expect(choice({})).toBeUndefined();
    expect(choice({ toolChoice: { type: 'auto' } })).toEqual({ type: 'auto' });
    expect(choice({ toolChoice: { type: 'required' } })).toEqual({ type: 'any' });
    expect(choice({ toolChoice: { type: 'none' }, parallelTools: false })).toEqual({ type: 'none' });
    expect(choice({ parallelTools: false })).toEqual({ type: 'auto', disable_parallel_tool_use: true });
    expect(choice({ toolChoice: { type: 'tool', name: 'f' }, parallelTools: false })).toEqual({
      type: 'tool',
      name: 'f',
      disable_parallel_tool_use: true,
    });
    const allowed = write({ tools, toolChoice: { type: 'allowed', names: ['f'], required: true } }).body;
    expect(allowed).toMatchObject({ tools: [{ name: 'f' }], tool_choice: { type: 'any' } });
    expect(allowed['tools']).toHaveLength(1);
    // Without tools the API refuses a choice.
    expect(write({ toolChoice: { type: 'none' } }).body).not.toHaveProperty('tool_choice');
  });

  it('writes the output, the user, the tier and the stops', () => {
    const schema = { type: 'object' };
    expect(
      write({ output: { type: 'schema', name: 'N', schema }, user: 'u', serviceTier: 'fast', stop: ['a', ' \n', ''], stream: true }),
    ).toMatchObject({
      body: {
        output_config: { format: { type: 'json_schema', schema } },
        metadata: { user_id: userId('u') },
        speed: 'fast',
        stop_sequences: ['a'],
        stream: true,
      },
      dropped: ['stop (blank ones)'],
    });
    expect(write({ output: { type: 'json' }, serviceTier: 'flex' }).dropped).toEqual([
      'output (only a schema can be asked for)',
      'serviceTier (flex)',
    ]);
    expect(write({ serviceTier: 'default' }).body).toMatchObject({ service_tier: 'standard_only' });
  });

  it('makes ids legal, the same for a call and its answer, different for different ones', () => {
    const turns = (id: string) => [
      user,
      say('assistant', { type: 'call', id, name: 'f', arguments: '{}' }),
      say('user', { type: 'result', callId: id, parts: [] }),
    ];
    const ids = (id: string) => JSON.stringify(messages(turns(id))).match(/(?<="(?:id|tool_use_id)":")[^"]+/g);
    expect(ids('call_1-A')).toEqual(['call_1-A', 'call_1-A']);
    const [dot] = ids('call.1') ?? [];
    expect(dot).toMatch(/^[a-zA-Z0-9_-]+$/);
    expect(ids('call.1')).toEqual([dot, dot]);
    expect(ids('call:1')).not.toContain(dot);
    expect(ids('')?.[0]).toMatch(/^[a-zA-Z0-9_-]+$/);
  });

  it.each<[string, Partial<ChatRequest>, string]>([
    ['begins with the assistant', { turns: [answer, user] }, 'messages'],
    ['says nothing', { turns: [say('user', text(''))] }, 'messages'],
    ['has audio', { turns: [say('user', { type: 'audio', data: 'AA==', format: 'wav' })] }, 'turns[0].parts[0]'],
    [
      'has a document of another kind',
      { turns: [say('user', { type: 'document', source: { type: 'base64', mediaType: 'application/zip', data: '' } })] },
      'application/zip',
    ],
    [
      'has arguments that are no object',
      { turns: [user, say('assistant', { type: 'call', id: '1', name: 'f', arguments: '[1]' })] },
      'turns[1].parts[0].arguments',
    ],
    ['names a tool as the API forbids', { tools: [{ name: 'a.b' }] }, '"a.b"'],
    ['allows no tool that is there', { tools: [f], toolChoice: { type: 'allowed', names: ['g'], required: false } }, 'toolChoice'],
    [
      'has an image of the assistant',
      { turns: [user, say('assistant', { type: 'image', source: { type: 'url', url: 'u' } })] },
      'turns[1].parts[0]',
    ],
  ])('is refused when it %s', (_, more, place) => {
    expect(() => write(more)).toThrow(expect.objectContaining({ code: 'bad_request', message: expect.stringContaining(place) }));
  });
});

describe('how hard a model is asked to think', () => {
  const think = (model: string, reasoning: ChatRequest['reasoning'], maxTokens?: number) => {
    const { body, dropped } = write({ ...(reasoning && { reasoning }), ...(maxTokens !== undefined && { maxTokens }) }, model);
    return { thinking: body['thinking'], output: body['output_config'], max: body['max_tokens'], dropped };
  };

  it('is adaptive with an effort', () => {
    expect(think('claude-opus-4-8', { effort: 'xhigh', summary: true })).toMatchObject({
      thinking: { type: 'adaptive', display: 'summarized' },
      output: { effort: 'xhigh' },
      dropped: [],
    });
    expect(think('claude-opus-4-8', { effort: 'minimal' })).toMatchObject({ output: { effort: 'low' } });
    expect(think('claude-opus-4-8', {})).toMatchObject({ thinking: { type: 'adaptive' }, output: undefined });
    expect(think('claude-sonnet-4-6', { effort: 'xhigh' })).toMatchObject({
      thinking: { type: 'adaptive' },
      output: { effort: 'high' },
      dropped: ['reasoning.effort (xhigh: high)'],
    });
  });

  it('is a budget for older models', () => {
    expect(think('claude-sonnet-4-5', { effort: 'high' })).toMatchObject({
      thinking: { type: 'enabled', budget_tokens: 16_384 },
      output: undefined,
      dropped: [],
    });
    expect(think('claude-opus-4-5', { effort: 'low' })).toMatchObject({ thinking: { type: 'enabled' }, output: { effort: 'low' } });
    expect(think('claude-sonnet-4-6', { budgetTokens: 500 })).toMatchObject({ thinking: { type: 'enabled', budget_tokens: 1024 } });
    expect(think('claude-3-5-haiku-latest', { effort: 'high' }).dropped).toEqual(['reasoning (the model does not think)']);
    expect(think('claude-opus-5', { budgetTokens: 5000 })).toMatchObject({
      thinking: { type: 'adaptive' },
      dropped: ['reasoning.budgetTokens (the model sets its own budget)'],
    });
  });

  it('leaves room below the limit of tokens', () => {
    expect(think('claude-sonnet-4-5', { budgetTokens: 40_000 })).toMatchObject({ thinking: { budget_tokens: 40_000 }, max: 72_000 });
    expect(think('claude-sonnet-4-5', { budgetTokens: 9000 }, 4000)).toMatchObject({
      thinking: { budget_tokens: 3999 },
      max: 4000,
      dropped: ['reasoning.budgetTokens (cut below maxTokens)'],
    });
    expect(think('claude-sonnet-4-5', { effort: 'low' }, 1000)).toMatchObject({
      thinking: undefined,
      max: 1000,
      dropped: ['reasoning (maxTokens leaves no room for it)'],
    });
  });

  it('is not asked to while a tool must be called', () => {
    for (const toolChoice of [
      { type: 'required' },
      { type: 'tool', name: 'f' },
      { type: 'allowed', names: ['f'], required: true },
    ] as const) {
      for (const model of ['claude-opus-4-8', 'claude-sonnet-4-6', 'claude-sonnet-4-5']) {
        const { body, dropped } = write({ tools: [f], toolChoice, reasoning: { effort: 'low', summary: true }, temperature: 0 }, model);
        expect(body).toMatchObject({ thinking: { type: 'disabled' }, tool_choice: expect.anything() });
        expect(dropped).toContain('reasoning (not while a tool must be called)');
      }
    }
    const free = write({ tools: [f], toolChoice: { type: 'auto' }, reasoning: { effort: 'low' } });
    expect(free).toMatchObject({ body: { thinking: { type: 'adaptive' } }, dropped: [] });
    const always = write({ tools: [f], toolChoice: { type: 'required' }, reasoning: { effort: 'low' } }, 'claude-opus-5-5');
    expect(always.body).not.toHaveProperty('thinking');
  });

  it('is not asked to within a budget when what it thought before its calls is lost', () => {
    const call: Part = { type: 'call', id: 'c', name: 'f', arguments: '{}' };
    const thought: Part = { type: 'reasoning', text: 'hm', seal: { family: 'anthropic', value: 's' } };
    const result = say('user', { type: 'result', callId: 'c', parts: [{ type: 'text', text: '1' }] });
    const loop = (model: string, ...turns: Turn[]) =>
      write({ tools: [f], reasoning: { effort: 'low' }, turns: [user, ...turns, result] }, model);
    const lost = 'reasoning (the calls of the last turn came without theirs)';
    expect(loop('claude-sonnet-4-5', say('assistant', call))).toMatchObject({ body: { thinking: { type: 'disabled' } }, dropped: [lost] });
    const foreign: Part = { ...thought, seal: { family: 'gemini', value: 's' } };
    expect(loop('claude-sonnet-4-5', say('assistant', foreign, call)).dropped).toContain(lost);
    for (const turns of [[say('assistant', thought, call)], [say('assistant', thought), say('assistant', call)]])
      expect(loop('claude-sonnet-4-5', ...turns)).toMatchObject({ body: { thinking: { type: 'enabled' } }, dropped: [] });
    expect(loop('claude-opus-4-8', say('assistant', call))).toMatchObject({ body: { thinking: { type: 'adaptive' } }, dropped: [] });
    const over = write(
      { tools: [f], reasoning: { effort: 'low' }, turns: [user, say('assistant', call), result, answer, user] },
      'claude-sonnet-4-5',
    );
    expect(over.body).toMatchObject({ thinking: { type: 'enabled' } });
  });

  it('is switched off as the model wants it', () => {
    expect(think('claude-opus-4-8', { effort: 'none' })).toMatchObject({ thinking: { type: 'disabled' }, dropped: [] });
    expect(think('claude-sonnet-5-5', { effort: 'none' })).toMatchObject({ thinking: { type: 'between_tools' }, dropped: [] });
    expect(think('claude-3-haiku-20240307', { effort: 'none' })).toMatchObject({ thinking: undefined, dropped: [] });
    for (const model of ['claude-opus-5-5', 'claude-fable-5-2', 'claude-mythos-preview']) {
      expect(think(model, { effort: 'none' })).toMatchObject({
        thinking: undefined,
        output: { effort: 'low' },
        dropped: ['reasoning.effort (the model always thinks: low)'],
      });
    }
  });
});
