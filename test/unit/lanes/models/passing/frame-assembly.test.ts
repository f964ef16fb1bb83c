import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { Assembly } from '../../../../../src/lanes/models/calls/assemble.ts';
import { anthropicMessages } from '../../../../../src/lanes/models/formats/anthropic-messages/anthropic-messages.ts';
import { openaiChat } from '../../../../../src/lanes/models/formats/openai-chat/openai-chat.ts';
import { createFrameAssembly } from '../../../../../src/lanes/models/passing/frame-assembly.ts';
import { readFrame } from '../../../../../src/lanes/models/passing/passed.ts';
import { createEventStreamReader } from '../../../../../src/upstreams/event-stream.ts';
import { CODECS, NAMES, transcript } from './streams.ts';

const FIXTURES = `${import.meta.dirname}/../../../../fixtures/models`;
const framesOf = (bytes: Buffer): string[] => bytes.toString().split(/(?<=\n\n)/);
const assembled = (format: string, events: readonly JsonObject[]): JsonObject => {
  const assembly = createFrameAssembly(format);
  for (const event of events) assembly.add(event);
  return assembly.body;
};
const fromBytes = (format: string, bytes: Buffer): JsonObject => {
  const assembly = createFrameAssembly(format);
  for (const { event, data } of framesOf(bytes).map(readFrame)) assembly.add(data, event);
  return assembly.body;
};
const chunk = (...choices: readonly object[]): JsonObject => ({
  id: 'c',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices,
});
const delta = (more: object, index = 0): JsonObject => chunk({ index, delta: more, finish_reason: null });

describe.each(CODECS.flatMap((codec) => NAMES.map((name) => ({ codec, format: codec.format, name }))))(
  '$format, $name',
  ({ codec, format, name }) => {
    it('is the answer that its events mean', () => {
      const bytes = transcript(format, name);
      const neutral = new Assembly();
      const reader = codec.streamReader('any');
      for (const frame of createEventStreamReader().push(bytes)) for (const event of reader.read(frame)) neutral.add(event);
      const { parts, finish, id, model, usage } = codec.readReply(fromBytes(format, bytes), 'any');
      expect({ parts, finish, id, model }).toEqual({
        parts: neutral.reply.parts,
        finish: neutral.reply.finish,
        id: neutral.reply.id,
        model: neutral.reply.model,
      });
      expect(usage).toEqual(neutral.reply.usage);
    });
  },
);

describe('OpenAI chat', () => {
  it('has every choice, and every field of it', () => {
    const body = assembled('openai-chat', [
      delta({ role: 'assistant', content: '', refusal: null }),
      delta({ role: 'assistant', content: 'for' }, 1),
      delta({ content: 'fine' }),
      delta({ content: 'bidden', annotations: [{ type: 'url_citation', url_citation: { url: 'u', title: 't' } }] }, 1),
      delta({ refusal: 'I can' }),
      delta({ refusal: 'not' }),
      delta({ audio: { id: 'a', transcript: 'Hel', data: 'AA' } }),
      delta({ audio: { transcript: 'lo', data: 'BB', expires_at: 7 } }),
      delta({ function_call: { name: 'f', arguments: '{"a' } }),
      delta({ function_call: { arguments: '":1}' } }),
      delta({ word_of_tomorrow: 'new' }),
      delta({ word_of_tomorrow: 's' }),
      chunk({ index: 0, delta: {}, logprobs: { content: [{ token: 'fine', logprob: 0 }], refusal: null }, finish_reason: 'stop' }),
      chunk({ index: 1, delta: {}, logprobs: null, finish_reason: 'length' }),
      { ...chunk(), usage: { prompt_tokens: 1 } },
      {},
    ]);
    expect(body).toEqual({
      id: 'c',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      usage: { prompt_tokens: 1 },
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'fine',
            refusal: 'I cannot',
            audio: { id: 'a', transcript: 'Hello', data: 'AABB', expires_at: 7 },
            function_call: { name: 'f', arguments: '{"a":1}' },
            word_of_tomorrow: 'news',
          },
          logprobs: { content: [{ token: 'fine', logprob: 0 }], refusal: null },
          finish_reason: 'stop',
        },
        {
          index: 1,
          message: {
            role: 'assistant',
            content: 'forbidden',
            annotations: [{ type: 'url_citation', url_citation: { url: 'u', title: 't' } }],
          },
          logprobs: null,
          finish_reason: 'length',
        },
      ],
    });
  });

  it('keeps calls apart, whether servers number them well, all as 0, or not at all', () => {
    const call = (more: object): JsonObject => delta({ tool_calls: [more] });
    const calls = (...events: readonly JsonObject[]) =>
      openaiChat
        .readReply(assembled('openai-chat', events), 'any')
        .parts.map((part) => (part.type === 'call' ? [part.id, part.name, part.arguments] : part));
    const expected = [
      ['a', 'f', '{"x":1}'],
      ['b', 'g', '{}'],
    ];
    for (const [one, two] of [
      [{ index: 0 }, { index: 1 }],
      [{ index: 0 }, { index: 0 }],
      [{}, {}],
    ])
      expect(
        calls(
          call({ ...one, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }),
          call({ ...one, id: '', function: { arguments: '{"x"' } }),
          call({ ...one, function: { arguments: ':1}' } }),
          call({ ...two, id: 'b', type: 'function', function: { name: 'g', arguments: '{' } }),
          call({ ...two, function: { arguments: '}' } }),
        ),
      ).toEqual(expected);
  });

  it('joins what comes in lists, and a text after a list', () => {
    const thought = (text: string): JsonObject => delta({ content: [{ type: 'thinking', thinking: [{ type: 'text', text }] }] });
    const body = assembled('openai-chat', [thought('H'), thought('m'), delta({ content: 'for' }), delta({ content: 'bidden' })]);
    expect(body['choices']).toMatchObject([
      {
        message: {
          content: [
            { type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] },
            { type: 'text', text: 'forbidden' },
          ],
        },
      },
    ]);
  });

  it('has all texts, however they are cut, of all choices', () => {
    const piece = fc.record({
      index: fc.nat(2),
      field: fc.constantFrom('content', 'refusal', 'reasoning_content', 'x'),
      text: fc.string({ minLength: 1 }),
    });
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const body = assembled(
          'openai-chat',
          pieces.map(({ index, field, text }) => delta({ [field]: text }, index)),
        );
        const said: Record<string, string> = Object.fromEntries(pieces.map(({ index }) => [`${index}role`, 'assistant']));
        for (const { index, field, text } of pieces) said[`${index}${field}`] = (said[`${index}${field}`] ?? '') + text;
        const found = (body['choices'] as { index: number; message: object }[]).flatMap(({ index, message }) =>
          Object.entries(message).map(([field, text]) => [`${index}${field}`, text]),
        );
        expect(Object.fromEntries(found)).toEqual(said);
      }),
    );
  });

  it('takes a prototype for no field', () => {
    const evil = JSON.parse('{"__proto__":{"polluted":"yes"},"content":"a"}') as JsonObject;
    assembled('openai-chat', [delta(evil), JSON.parse('{"__proto__":{"polluted":"yes"}}') as JsonObject]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('Anthropic messages', () => {
  it('has blocks that no neutral form knows', () => {
    const body = fromBytes('anthropic-messages', readFileSync(`${FIXTURES}/anthropic-messages/server-tool.sse`));
    expect(body).toMatchObject({
      id: 'msg_02',
      type: 'message',
      role: 'assistant',
      stop_reason: 'end_turn',
      usage: { input_tokens: 10682, output_tokens: 510, server_tool_use: { web_search_requests: 1 } },
      content: [
        { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'weather' } },
        { type: 'web_search_tool_result', content: [{ type: 'web_search_result', url: 'https://example.com', title: 'Weather' }] },
        { type: 'text', text: 'Mild.', citations: [{ type: 'web_search_result_location', cited_text: 'mild' }] },
      ],
    });
  });

  it('has thoughts, signatures and calls', () => {
    const bytes = readFileSync(`${FIXTURES}/anthropic-messages/thinking-and-tools.sse`);
    const neutral = new Assembly();
    const reader = anthropicMessages.streamReader('anthropic');
    for (const frame of createEventStreamReader().push(bytes)) for (const event of reader.read(frame)) neutral.add(event);
    const { parts, finish } = anthropicMessages.readReply(fromBytes('anthropic-messages', bytes), 'anthropic');
    const tidy = (all: typeof parts) =>
      all.map((part) => (part.type === 'call' ? { ...part, arguments: JSON.parse(part.arguments || '{}') as unknown } : part));
    expect(tidy(parts)).toEqual(tidy(neutral.reply.parts));
    expect(finish).toBe(neutral.reply.finish);
  });

  it('hides no block behind a second one of the same index, nor one without a start, nor an input that is no JSON', () => {
    const start = (text: string): JsonObject => ({ type: 'content_block_start', index: 0, content_block: { type: 'text', text } });
    const body = assembled('anthropic-messages', [
      { type: 'message_start', message: { id: 'm', content: [], usage: { input_tokens: 3, cache_read_input_tokens: 5 } } },
      start('one'),
      start('two'),
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: '!' } },
      { type: 'content_block_delta', index: 4, delta: { type: 'text_delta', text: 'three' } },
      { type: 'content_block_delta', index: 5, delta: { type: 'input_json_delta', partial_json: '{"a' } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2, cache_read_input_tokens: null } },
    ]);
    expect(body['content']).toEqual([
      { type: 'text', text: 'one' },
      { type: 'text', text: 'two!' },
      { type: 'text', text: 'three' },
      { type: 'tool_use', input: '{"a' },
    ]);
    expect(body['usage']).toEqual({ input_tokens: 3, cache_read_input_tokens: 5, output_tokens: 2 });
  });
});

describe('OpenAI responses', () => {
  const ended = (output: readonly object[]): JsonObject => ({
    type: 'response.completed',
    response: { id: 'r', status: 'completed', output },
  });
  const item = { type: 'message', content: [{ type: 'output_text', text: 'Hi' }] };

  it('is the response of the last event', () => {
    expect(assembled('openai-responses', [{ type: 'response.created', response: { id: 'r', output: [] } }, ended([item])])).toEqual({
      id: 'r',
      status: 'completed',
      output: [item],
    });
  });

  it('is made of the items, or of the texts, where the last event leaves them out', () => {
    const done = { type: 'response.output_item.done', output_index: 0, item };
    const said = (delta: string, index: number): JsonObject => ({ type: 'response.output_text.delta', output_index: index, delta });
    expect(assembled('openai-responses', [said('H', 0), said('i', 0), done, said('Y', 1), said('o', 1), ended([])])['output']).toEqual([
      item,
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Yo' }] },
    ]);
  });
});
