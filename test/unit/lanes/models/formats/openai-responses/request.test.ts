import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatRequest, Part, ResultPart, TextPart, Turn } from '../../../../../../src/core/chat.ts';
import type { JsonObject } from '../../../../../../src/core/json.ts';
import { userId } from '../../../../../../src/lanes/models/formats/_user-id.ts';
import { openaiResponses } from '../../../../../../src/lanes/models/formats/openai-responses/openai-responses.ts';
import { refuseState } from '../../../../../../src/lanes/models/formats/openai-responses/request/read-request.ts';

const read = (body: JsonObject): ChatRequest => openaiResponses.readRequest({ model: 'm', input: 'Hi', ...body });
const write = (ask: Partial<ChatRequest>, family = 'openai'): { body: JsonObject; dropped: readonly string[] } =>
  openaiResponses.writeRequest(
    { model: 'asked', stream: false, system: [], turns: [], tools: [], unread: [], ...ask },
    { model: 'm', family },
  );
const refusal = (message: string | RegExp): Error =>
  expect.objectContaining({ code: 'bad_request', message: expect.stringMatching(message) as string }) as Error;

describe('reading a request', () => {
  it('reads a text', () => {
    expect(read({ instructions: 'Be kind', stream: true })).toEqual({
      model: 'm',
      stream: true,
      system: [{ type: 'text', text: 'Be kind' }],
      turns: [{ role: 'user', parts: [{ type: 'text', text: 'Hi' }] }],
      tools: [],
      unread: [],
    });
  });

  it('reads items as turns: what a model did is one turn, what its tools gave another', () => {
    const { system, turns } = read({
      instructions: 'First',
      input: [
        { role: 'developer', content: 'Second' },
        { role: 'system', content: [{ type: 'input_text', text: 'Third' }] },
        { role: 'user', content: 'Weather?' },
        { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Ask' }], encrypted_content: 'gAAA' },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Let me see', annotations: [] }] },
        { type: 'function_call', id: 'fc_1', call_id: 'c1', name: 'weather', arguments: '{ "a" : 1.0 }' },
        { type: 'custom_tool_call', call_id: 'c2', name: 'run', input: 'ls' },
        { type: 'function_call_output', call_id: 'c1', output: 'sunny' },
        { type: 'custom_tool_call_output', call_id: 'c2', output: [{ type: 'input_image', image_url: 'data:image/png;base64,AAAA' }] },
        { role: 'developer', content: 'Now' },
        { role: 'assistant', content: [{ type: 'refusal', refusal: 'No' }] },
      ],
    });
    expect(system.map((part) => part.text)).toEqual(['First', 'Second', 'Third']);
    expect(turns).toEqual([
      { role: 'user', parts: [{ type: 'text', text: 'Weather?' }] },
      {
        role: 'assistant',
        parts: [
          { type: 'reasoning', text: 'Ask' },
          { type: 'reasoning', text: '', seal: { family: 'openai', value: 'gAAA' }, hidden: true },
          { type: 'text', text: 'Let me see' },
          { type: 'call', id: 'c1', name: 'weather', arguments: '{ "a" : 1.0 }' },
          { type: 'call', id: 'c2', name: 'run', arguments: '{"input":"ls"}' },
        ],
      },
      {
        role: 'user',
        parts: [
          { type: 'result', callId: 'c1', name: 'weather', parts: [{ type: 'text', text: 'sunny' }] },
          {
            type: 'result',
            callId: 'c2',
            name: 'run',
            parts: [{ type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'AAAA' } }],
          },
        ],
      },
      { role: 'system', parts: [{ type: 'text', text: 'Now' }] },
      { role: 'assistant', parts: [{ type: 'refusal', text: 'No' }] },
    ]);
  });

  it('reads images, files and cache marks', () => {
    const content = [
      { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'low' },
      { type: 'input_image', file_id: 'file-1' },
      { type: 'input_file', file_data: 'data:application/pdf;base64,JVBE', filename: 'a.pdf' },
      { type: 'input_file', file_url: 'https://example.com/a.pdf' },
      { type: 'input_text', text: 'All', prompt_cache_breakpoint: { mode: 'explicit', ttl: '12h' } },
    ];
    expect(read({ input: [{ role: 'user', content }] }).turns[0]?.parts).toEqual([
      { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' }, detail: 'low' },
      { type: 'image', source: { type: 'file', id: 'file-1' } },
      { type: 'document', source: { type: 'base64', mediaType: 'application/pdf', data: 'JVBE' }, name: 'a.pdf' },
      { type: 'document', source: { type: 'url', url: 'https://example.com/a.pdf' } },
      { type: 'text', text: 'All', cache: { ttl: '12h' } },
    ]);
  });

  it('reads what steers the model', () => {
    const ask = read({
      tools: [{ type: 'function', name: 'f', description: 'd', parameters: { type: 'object' }, strict: true }],
      tool_choice: { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'f' }] },
      parallel_tool_calls: false,
      max_output_tokens: 9,
      temperature: 0.5,
      top_p: 0.9,
      text: { format: { type: 'json_schema', name: 'a', schema: { type: 'object' }, strict: true } },
      reasoning: { effort: 'high', summary: 'detailed' },
      safety_identifier: 'u1',
      service_tier: 'flex',
      include: ['reasoning.encrypted_content'],
      store: false,
      background: false,
      truncation: 'disabled',
      metadata: { a: 'b' },
      previous_response_id: null,
    });
    expect(ask).toMatchObject({
      tools: [{ name: 'f', description: 'd', parameters: { type: 'object' }, strict: true }],
      toolChoice: { type: 'allowed', names: ['f'], required: true },
      parallelTools: false,
      maxTokens: 9,
      temperature: 0.5,
      topP: 0.9,
      output: { type: 'schema', name: 'a', schema: { type: 'object' }, strict: true },
      reasoning: { effort: 'high', summary: true },
      user: 'u1',
      serviceTier: 'flex',
      unread: [],
    });
    expect(read({ tool_choice: { type: 'function', name: 'f' } }).toolChoice).toEqual({ type: 'tool', name: 'f' });
    expect(read({ text: { format: { type: 'json_object' } } }).output).toEqual({ type: 'json' });
  });

  it('names what it could not place', () => {
    const { unread } = read({
      store: true,
      include: ['message.output_text.logprobs'],
      top_logprobs: 3,
      text: { verbosity: 'low' },
      reasoning: { effort: 'low', mode: 'pro' },
      truncation: 'auto',
      prompt_cache_key: 'k',
      new_field: 0,
      tools: [{ type: 'function', name: 'f', defer_loading: true, async: false }],
    });
    expect(unread.toSorted()).toEqual(
      [
        'store',
        'include',
        'top_logprobs',
        'text.verbosity',
        'reasoning.mode',
        'truncation',
        'prompt_cache_key',
        'new_field',
        'tools[0].defer_loading',
      ].toSorted(),
    );
  });

  it.each([
    [{ previous_response_id: 'resp_1' }, /^previous_response_id: .*input/],
    [{ conversation: 'conv_1' }, /^conversation: /],
    [{ conversation: { id: 'conv_1' } }, /^conversation: /],
    [{ background: true }, /^background: /],
    [{ prompt: { id: 'pmpt_1' } }, /^prompt: /],
  ])('refuses state: %j', (body, message) => {
    expect(() => refuseState(body)).toThrow(refusal(message));
    expect(() => read(body)).toThrow(refusal(message));
  });

  it.each([
    [{ tools: [{ type: 'web_search' }] }, /^tools\[0\]\.type: .*web_search/],
    [{ tools: [{ type: 'mcp', server_label: 'x' }] }, /^tools\[0\]\.type: .*mcp/],
    [{ tool_choice: { type: 'file_search' } }, /^tool_choice\.type: .*file_search/],
    [{ input: [{ type: 'item_reference', id: 'msg_1' }] }, /^input\[0\]: .*item_reference/],
    [{ input: [{ type: 'computer_call', id: 'x' }] }, /^input\[0\]\.type: .*computer_call/],
    [{ input: [{ role: 'user', content: [{ type: 'video' }] }] }, /^input\[0\]\.content\[0\]\.type: video/],
    [{ input: [{ role: 'user', content: [{ type: 'input_file', file_data: 'AAAA' }] }] }, /^input\[0\]\.content\[0\]\.file_data/],
    [{ input: [{ type: 'function_call', name: 'f', arguments: '{}' }] }, /^input\[0\]\.call_id/],
    [{ input: 7 }, /^input: /],
    [{ reasoning: { effort: 'enormous' } }, /^reasoning\.effort: /],
    [{ max_output_tokens: '9' }, /^max_output_tokens: /],
  ])('refuses %j and names the place', (body, message) => {
    expect(() => read(body as JsonObject)).toThrow(refusal(message));
  });
});

describe('writing a request', () => {
  it('asks for no memory, and for the reasoning that has to come back', () => {
    expect(write({ stream: true, turns: [{ role: 'user', parts: [{ type: 'text', text: 'Hi' }] }] }).body).toEqual({
      model: 'm',
      input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }],
      store: false,
      stream: true,
    });
    expect(write({ reasoning: { effort: 'low', summary: true } }).body).toMatchObject({
      reasoning: { effort: 'low', summary: 'auto' },
      include: ['reasoning.encrypted_content'],
    });
    expect(write({ reasoning: { effort: 'none' } }).body).not.toHaveProperty('include');
  });

  it('says of a tool that is not strict that it is not, since the vendor takes silence for yes', () => {
    expect(write({ tools: [{ name: 'f' }] }).body['tools']).toEqual([
      { type: 'function', name: 'f', parameters: { type: 'object', properties: {} }, strict: false },
    ]);
  });

  it('leaves out reasoning that the target cannot read, and says so once', () => {
    const seal = { family: 'anthropic', value: 's' };
    const parts: Part[] = [
      { type: 'reasoning', text: 'a', seal },
      { type: 'reasoning', text: 'b', seal },
      { type: 'reasoning', text: 'c' },
      { type: 'call', id: 'c', name: 'f', arguments: '', seal: { family: 'gemini', value: 'g' } },
    ];
    const { body, dropped } = write({ turns: [{ role: 'assistant', parts }] });
    expect(body['input']).toEqual([{ type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' }]);
    expect(dropped).toEqual(['reasoning of another model family', 'turns[0].parts[2] (reasoning without its seal)']);
  });

  it('names what the format does not hold', () => {
    const { body, dropped } = write({
      topK: 1,
      stop: ['x'],
      seed: 2,
      frequencyPenalty: 1,
      presencePenalty: 1,
      serviceTier: 'standard_only',
      reasoning: { budgetTokens: 1024 },
      turns: [{ role: 'user', parts: [{ type: 'result', callId: 'c', isError: true, parts: [{ type: 'text', text: 'no' }] }] }],
    });
    expect(dropped.map((name) => name.replace(/ \(.*/, '')).toSorted()).toEqual(
      ['topK', 'stop', 'seed', 'frequencyPenalty', 'presencePenalty', 'serviceTier', 'turns[0].parts[0].isError'].toSorted(),
    );
    expect(Object.keys(body).toSorted()).toEqual(['include', 'input', 'model', 'reasoning', 'store']);
    expect(body['reasoning']).toEqual({ effort: 'low' });
  });

  it('refuses audio', () => {
    const audio: Turn = { role: 'user', parts: [{ type: 'audio', data: 'AAAA', format: 'wav' }] };
    expect(() => write({ turns: [audio] })).toThrow(refusal(/audio/));
  });
});

const word = fc.string({ minLength: 1, maxLength: 8 });
const cache = fc.option(fc.constantFrom({}, { ttl: '30m' as const }, { ttl: '12h' as const }), { nil: undefined });
const base64 = fc.record({
  type: fc.constant('base64' as const),
  mediaType: fc.constantFrom('image/png', 'application/pdf'),
  data: fc.base64String(),
});
const source = fc.oneof(
  base64,
  fc.constant({ type: 'url' as const, url: 'https://example.com/x' }),
  fc.record({ type: fc.constant('file' as const), id: word }),
);
const clean = <T extends object>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
const textPart: fc.Arbitrary<TextPart> = fc.record({ type: fc.constant('text' as const), text: fc.string(), cache }).map(clean);
const asked = fc.oneof(
  textPart,
  fc.record({ type: fc.constant('image' as const), source, detail: fc.constantFrom(undefined, 'low'), cache }).map(clean),
  fc.record({ type: fc.constant('document' as const), source: base64, name: word, cache }).map(clean),
);
const result: fc.Arbitrary<ResultPart> = fc.record({
  type: fc.constant('result' as const),
  callId: word,
  parts: fc.array(asked, { minLength: 1, maxLength: 3 }),
});
const spoken = fc.oneof(
  fc.record({ type: fc.constantFrom('text' as const, 'refusal' as const), text: fc.string() }),
  fc.record({ type: fc.constant('call' as const), id: word, name: word, arguments: fc.json({ maxDepth: 1 }) }),
  fc.record({
    type: fc.constant('reasoning' as const),
    text: fc.constant(''),
    hidden: fc.constant(true),
    seal: fc.record({ family: fc.constant('openai'), value: word }),
  }),
);
const turn = (role: Turn['role'], part: fc.Arbitrary<Part>): fc.Arbitrary<Turn> =>
  fc.record({ role: fc.constant(role), parts: fc.array(part, { minLength: 1, maxLength: 4 }) });
const request: fc.Arbitrary<Partial<ChatRequest>> = fc.record(
  {
    stream: fc.boolean(),
    system: fc.array(textPart, { maxLength: 2 }),
    turns: fc.array(fc.oneof(turn('user', fc.oneof(asked, result)), turn('assistant', spoken)), { maxLength: 4 }),
    tools: fc.array(fc.record({ name: word, description: word, parameters: fc.constant({ type: 'object' }), strict: fc.boolean() }), {
      maxLength: 2,
    }),
    toolChoice: fc.oneof(
      fc.record({ type: fc.constantFrom('auto' as const, 'none' as const, 'required' as const) }),
      fc.record({ type: fc.constant('tool' as const), name: word }),
      fc.record({ type: fc.constant('allowed' as const), names: fc.array(word), required: fc.boolean() }),
    ),
    parallelTools: fc.boolean(),
    maxTokens: fc.nat(),
    temperature: fc.constantFrom(0, 0.5, 2),
    topP: fc.constantFrom(0, 1),
    output: fc.constantFrom<ChatRequest['output'] & object>(
      { type: 'text' },
      { type: 'json' },
      { type: 'schema', name: 'n', schema: { type: 'object' } },
    ),
    reasoning: fc.constantFrom({ effort: 'none' as const }, { effort: 'max' as const, summary: true }),
    user: word,
    serviceTier: fc.constantFrom('flex', 'fast'),
  },
  { requiredKeys: ['stream', 'system', 'turns', 'tools'] },
);

/** Which parts stand in one turn, and in which message, is not said by the format for all of them: only their order and side are. */
const flat = (turns: readonly Turn[]): unknown[] =>
  turns.flatMap(({ role, parts }) => parts.map((part) => ({ role, part: { ...part, name: undefined } })));

describe('a request', () => {
  it('keeps what the format holds when it is written and read', () => {
    fc.assert(
      fc.property(request, (ask) => {
        const { body, dropped } = write(ask);
        expect(dropped).toEqual([]);
        const back = openaiResponses.readRequest(clean(body));
        expect(back.unread).toEqual([]);
        expect(flat(back.turns)).toEqual(flat(ask.turns ?? []));
        expect({ ...back, turns: [] }).toEqual({
          ...ask,
          ...(ask.user !== undefined && { user: userId(ask.user) }),
          model: 'm',
          turns: [],
          unread: [],
        });
      }),
      { numRuns: 300 },
    );
  });

  it('carries seals of all families through an answer and back', () => {
    const parts: Part[] = [
      { type: 'reasoning', text: 'signed', seal: { family: 'anthropic', value: 'sig:1' } },
      { type: 'reasoning', text: '', seal: { family: 'anthropic', value: 'sig2' } },
      { type: 'reasoning', text: '', seal: { family: 'anthropic', value: 'redacted' }, hidden: true },
      { type: 'reasoning', text: 'summary' },
      { type: 'reasoning', text: '', seal: { family: 'openai', value: 'gAAA' }, hidden: true },
      { type: 'reasoning', text: 'plain' },
      { type: 'text', text: 'Hello' },
      { type: 'call', id: 'c', name: 'f', arguments: '{}', seal: { family: 'gemini', value: 'thought' } },
    ];
    const context = { id: 'x', created: 1, model: 'm', body: {}, estimatedInput: 0 };
    const body = openaiResponses.writeReply({ parts, finish: 'tool_calls' }, context);
    expect(read({ input: body['output'] as unknown[] }).turns).toEqual([{ role: 'assistant', parts }]);
    expect((body['output'] as JsonObject[])[3]).toMatchObject({ summary: [{ text: 'summary' }], encrypted_content: 'gAAA' });
  });
});
