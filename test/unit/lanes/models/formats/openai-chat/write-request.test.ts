import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatRequest, Part, Turn } from '../../../../../../src/core/chat.ts';
import { userId } from '../../../../../../src/lanes/models/formats/_user-id.ts';
import { openaiChat, openaiChatWith, type ChatQuirks } from '../../../../../../src/lanes/models/formats/openai-chat/openai-chat.ts';

const EMPTY: ChatRequest = { model: 'asked', stream: false, system: [], turns: [], tools: [], unread: [] };
const OPEN: ChatQuirks = {
  maxTokens: 'max_completion_tokens',
  reasoning: 'reasoning_content',
  seals: true,
  cache: 'prompt_cache_breakpoint',
  topK: true,
  allowedTools: true,
};
const PLAIN: ChatQuirks = { maxTokens: 'max_tokens', reasoning: 'none' };

const write = (ask: Partial<ChatRequest>, quirks: ChatQuirks = PLAIN, family = 'openai') =>
  openaiChatWith(quirks).writeRequest({ ...EMPTY, ...ask }, { model: 'm', family });
const user = (...parts: Part[]): Turn => ({ role: 'user', parts });
const assistant = (...parts: Part[]): Turn => ({ role: 'assistant', parts });
const text = (text: string): Part => ({ type: 'text', text });

// ---- everything that the format can hold survives ----------------------------------------------

const words = fc.string({ minLength: 1, maxLength: 12 });
const base64 = fc.base64String({ minLength: 4, maxLength: 16 });
const cache = fc.option(fc.constantFrom({}, { ttl: '30m' as const }, { ttl: '12h' as const }), { nil: undefined });
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const textPart = fc.record({ type: fc.constant('text' as const), text: words, cache });
const media = (...types: string[]) =>
  fc.record({ type: fc.constant('base64' as const), mediaType: fc.constantFrom(...types), data: base64 });
const imagePart = fc.record({
  type: fc.constant('image' as const),
  source: fc.oneof(media('image/png', 'image/jpeg'), fc.record({ type: fc.constant('url' as const), url: fc.webUrl() })),
  detail: optional(fc.constantFrom('low', 'original')),
  cache,
});
const documentPart = fc.record({
  type: fc.constant('document' as const),
  source: fc.oneof(media('application/pdf', 'text/plain'), fc.record({ type: fc.constant('file' as const), id: words })),
  name: words,
  cache,
});
const audioPart = fc.record({ type: fc.constant('audio' as const), data: base64, format: fc.constantFrom('wav', 'mp3') });
const seal = fc.record({ family: fc.constant('anthropic'), value: words });
const reasoning = fc.oneof(
  fc.record({ type: fc.constant('reasoning' as const), text: words, seal }),
  fc.record({ type: fc.constant('reasoning' as const), text: fc.constant(''), seal, hidden: fc.constant(true) }),
);
const call = fc.record({
  type: fc.constant('call' as const),
  id: fc.string({ minLength: 1, maxLength: 40 }),
  name: words,
  arguments: fc.json().filter((json) => json !== ''),
});
const result = fc.record({
  type: fc.constant('result' as const),
  callId: fc.string({ minLength: 1, maxLength: 40 }),
  parts: fc.array(textPart, { maxLength: 2 }),
});
/** A user's words and an assistant's answer, or calls, their answers and an assistant's word: so no two user turns follow each other. */
const exchange: fc.Arbitrary<Turn[]> = fc
  .tuple(
    fc.array(fc.oneof(textPart, imagePart, documentPart, audioPart), { minLength: 1, maxLength: 3 }),
    fc.array(reasoning, { maxLength: 2 }),
    fc.array(textPart, { maxLength: 2 }),
    fc.array(call, { maxLength: 2 }),
    fc.array(result, { minLength: 1, maxLength: 3 }),
  )
  .map(([asked, thought, said, calls, results]) => [
    user(...asked),
    assistant(...thought, ...said, ...calls),
    { role: 'user', parts: results },
    assistant(text('so')),
  ]);
const request = fc.record({
  model: fc.constant('m'),
  stream: fc.boolean(),
  system: fc.array(textPart, { maxLength: 2 }),
  turns: fc.array(exchange, { maxLength: 2 }).map((all) => all.flat()),
  tools: fc.uniqueArray(
    fc.record({ name: words, description: optional(words), parameters: fc.constant({ type: 'object' }), strict: optional(fc.boolean()) }),
    { minLength: 1, maxLength: 3, selector: ({ name }) => name },
  ),
  toolChoice: optional(
    fc.oneof(
      fc.record({ type: fc.constantFrom('auto' as const, 'none' as const, 'required' as const) }),
      fc.record({ type: fc.constant('tool' as const), name: words }),
      fc.record({ type: fc.constant('allowed' as const), names: fc.array(words, { minLength: 1 }), required: fc.boolean() }),
    ),
  ),
  parallelTools: optional(fc.boolean()),
  maxTokens: optional(fc.nat()),
  temperature: optional(fc.double({ min: 0, max: 2, noNaN: true })),
  topP: optional(fc.double({ min: 0, max: 1, noNaN: true })),
  topK: optional(fc.nat()),
  stop: optional(fc.array(words, { minLength: 1, maxLength: 4 })),
  seed: optional(fc.nat()),
  frequencyPenalty: optional(fc.constant(0.5)),
  presencePenalty: optional(fc.constant(-0.5)),
  output: optional(
    fc.oneof(
      fc.record({ type: fc.constantFrom('text' as const, 'json' as const) }),
      fc.record({
        type: fc.constant('schema' as const),
        name: words,
        schema: fc.constant({ type: 'object' }),
        strict: optional(fc.boolean()),
      }),
    ),
  ),
  reasoning: optional(fc.record({ effort: fc.constantFrom('none' as const, 'low' as const, 'max' as const) })),
  user: optional(words),
  serviceTier: optional(fc.constantFrom('auto', 'fast')),
  unread: fc.constant([]),
});

/** Without keys that hold undefined. */
const clean = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('writing a chat request', () => {
  it('keeps everything that the format can hold', () => {
    fc.assert(
      fc.property(request, (ask) => {
        const { body, dropped } = openaiChatWith(OPEN).writeRequest(ask, { model: 'm', family: 'anthropic' });
        expect(dropped).toEqual([]);
        expect(clean(openaiChat.readRequest(clean(body) as never))).toEqual(
          clean({ ...ask, user: ask.user === undefined ? undefined : userId(ask.user) }),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('asks for usage in a stream, and only there', () => {
    expect(write({ stream: true }).body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    expect(write({}).body).toEqual({ model: 'm', messages: [] });
    expect(write({ stream: true }, { ...PLAIN, streamOptions: false }).body).toEqual({ model: 'm', messages: [], stream: true });
  });

  it('names the limit as the vendor does', () => {
    expect(write({ maxTokens: 5 }).body).toMatchObject({ max_tokens: 5 });
    expect(openaiChat.writeRequest({ ...EMPTY, maxTokens: 5 }, { model: 'm', family: 'openai' }).body).toMatchObject({
      max_completion_tokens: 5,
    });
  });

  it('puts nothing between calls and their answers, and images of answers behind them', () => {
    const image = { type: 'image', source: { type: 'url', url: 'https://x.test/a.png' } } as const;
    const { body } = write({
      turns: [
        assistant({ type: 'call', id: 'a', name: 'f', arguments: '' }, { type: 'call', id: 'b', name: 'f', arguments: '{}' }),
        user({ type: 'result', callId: 'a', parts: [{ type: 'text', text: 'one' }, image], isError: true }),
        user(text('look'), { type: 'result', callId: 'b', parts: [] }),
      ],
    });
    expect(body['messages']).toEqual([
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } },
          { id: 'b', type: 'function', function: { name: 'f', arguments: '{}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'a', content: 'one' },
      { role: 'tool', tool_call_id: 'b', content: '' },
      { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://x.test/a.png' } }] },
      { role: 'user', content: 'look' },
    ]);
  });

  it('shortens ids beyond 40 characters the same way in call and answer', () => {
    const id = 'x'.repeat(60);
    const { body } = write({
      turns: [assistant({ type: 'call', id, name: 'f', arguments: '' }), user({ type: 'result', callId: id, parts: [] })],
    });
    const [asked, answered] = body['messages'] as [{ tool_calls: [{ id: string }] }, { tool_call_id: string }];
    expect(asked.tool_calls[0].id).toHaveLength(37);
    expect(answered.tool_call_id).toBe(asked.tool_calls[0].id);
  });

  it('leaves reasoning of another family out and says so once', () => {
    const foreign = { type: 'reasoning', text: 'hm', seal: { family: 'anthropic', value: 's' } } as const;
    const { body, dropped } = write({ turns: [assistant(foreign, foreign, text('a'))] }, OPEN, 'gemini');
    expect(body['messages']).toEqual([{ role: 'assistant', content: 'a' }]);
    expect(dropped).toEqual(['reasoning of another model family']);
  });

  it('sends plain reasoning back only where the vendor takes it', () => {
    const turns = [assistant({ type: 'reasoning', text: 'hm' }, text('a')), assistant(text('b'))];
    const none = write({ turns });
    expect(none.body['messages']).toEqual([
      { role: 'assistant', content: 'a' },
      { role: 'assistant', content: 'b' },
    ]);
    expect(none.dropped).toEqual(['reasoning of earlier turns (this provider takes none back)']);
    expect(write({ turns }, { ...PLAIN, reasoning: 'reasoning_content' })).toMatchObject({
      body: { messages: [{ reasoning_content: 'hm' }, { content: 'b' }] },
      dropped: [],
    });
    expect(write({ turns }, { ...PLAIN, reasoning: 'always' }).body['messages']).toEqual([
      { role: 'assistant', content: 'a', reasoning_content: 'hm' },
      { role: 'assistant', content: 'b', reasoning_content: ' ' },
    ]);
  });

  it("sends seals in the vendor's words, those of calls beside the call", () => {
    const turn = assistant(
      { type: 'reasoning', text: 'hm', seal: { family: 'gemini', value: 's' } },
      { type: 'call', id: 'a', name: 'f', arguments: '{}', seal: { family: 'gemini', value: 't' } },
    );
    expect(write({ turns: [turn] }, OPEN, 'gemini').body['messages']).toMatchObject([
      {
        reasoning_content: 'hm',
        reasoning_details: [
          { type: 'reasoning.text', text: 'hm', signature: 's', format: 'google-gemini-v1', index: 0 },
          { type: 'reasoning.encrypted', data: 't', id: 'a', format: 'google-gemini-v1', index: 1 },
        ],
      },
    ]);
    expect(write({ turns: [turn] }, PLAIN, 'gemini').body['messages']).toMatchObject([
      { tool_calls: [{ id: 'a', extra_content: { google: { thought_signature: 't' } } }] },
    ]);
  });

  it('cuts the list of tools where allowed_tools is not known', () => {
    const ask = { tools: [{ name: 'f' }, { name: 'g' }], toolChoice: { type: 'allowed', names: ['g'], required: true } } as const;
    expect(write(ask).body).toMatchObject({ tools: [{ function: { name: 'g' } }], tool_choice: 'required' });
    expect(write(ask, OPEN).body).toMatchObject({
      tools: [{ function: { name: 'f' } }, { function: { name: 'g' } }],
      tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'g' } }] } },
    });
  });

  it('says nothing about tools when there are none', () => {
    expect(write({ toolChoice: { type: 'auto' }, parallelTools: true }).body).toEqual({ model: 'm', messages: [] });
  });

  it('marks the cache as the vendor does, or says that it cannot', () => {
    const turns = [user({ type: 'text', text: 'a', cache: { ttl: '1h' } })];
    expect(write({ turns }, OPEN)).toMatchObject({
      body: { messages: [{ content: [{ prompt_cache_breakpoint: { mode: 'explicit', ttl: '30m' } }] }] },
      dropped: ['cache.ttl (1h becomes 30m)'],
    });
    expect(write({ turns }, { ...PLAIN, cache: 'cache_control' })).toMatchObject({
      body: { messages: [{ content: [{ cache_control: { type: 'ephemeral', ttl: '1h' } }] }] },
      dropped: [],
    });
    expect(write({ turns })).toMatchObject({ body: { messages: [{ content: 'a' }] }, dropped: ['cache (this provider takes no marks)'] });
  });

  it('says what it could not hold', () => {
    expect(write({ topK: 3, serviceTier: 'standard_only', reasoning: { summary: true } }).dropped).toEqual([
      'topK',
      'serviceTier (standard_only)',
      'reasoning.summary',
    ]);
  });

  it.each([
    [{ budgetTokens: 0 }, 'none'],
    [{ budgetTokens: 1024 }, 'low'],
    [{ budgetTokens: 4096 }, 'medium'],
    [{ budgetTokens: 16_384 }, 'high'],
    [{ budgetTokens: 99_999, effort: 'minimal' as const }, 'minimal'],
    [{ budgetTokens: -1 }, undefined],
  ])('reads %j as the effort %s', (reasoning, effort) => {
    expect(write({ reasoning }).body['reasoning_effort']).toBe(effort);
  });

  it.each([
    [{ type: 'image', source: { type: 'file', id: 'f' } }, 'image'],
    [{ type: 'document', source: { type: 'url', url: 'https://x.test/a.pdf' } }, 'link'],
  ] as const)('refuses what must not be lost: %j', (part, word) => {
    expect(() => write({ turns: [user(part)] })).toThrow(
      expect.objectContaining({ code: 'bad_request', message: expect.stringMatching(`^turns\\[0\\]\\.parts\\[0\\]: .*${word}`) }),
    );
  });

  it('joins texts for vendors that take no lists', () => {
    const ask = { system: [text('a'), text('b')] as never, turns: [assistant(text('c'), { type: 'refusal', text: 'd' })] };
    expect(write(ask, { ...PLAIN, plainText: true }).body['messages']).toEqual([
      { role: 'system', content: 'a\n\nb' },
      { role: 'assistant', content: 'c\n\nd' },
    ]);
  });
});
