import { describe, expect, it } from 'vitest';
import type { ChatReply } from '../../../../../../src/core/chat.ts';
import type { JsonObject } from '../../../../../../src/core/json.ts';
import { anthropicMessages } from '../../../../../../src/lanes/models/formats/anthropic-messages/anthropic-messages.ts';
import { accumulate } from './accumulate.ts';
import { CONTEXT } from './frames.ts';

const MESSAGE: JsonObject = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-opus-5-5',
  content: [
    { type: 'thinking', thinking: 'hm', signature: 'sig' },
    { type: 'server_tool_use', id: 's', name: 'web_search', input: { query: 'q' } },
    { type: 'web_search_tool_result', tool_use_id: 's', content: [] },
    { type: 'text', text: 'Mild.', citations: [{ type: 'web_search_result_location', url: 'https://a' }] },
    { type: 'tool_use', id: 't', name: 'f', input: { a: { b: [1] } } },
  ],
  stop_reason: 'tool_use',
  stop_sequence: null,
  usage: {
    input_tokens: 5,
    cache_creation_input_tokens: null,
    cache_read_input_tokens: 7,
    output_tokens: 9,
    output_tokens_details: { thinking_tokens: 4 },
  },
};

describe('an answer of Anthropic', () => {
  it('is read without the tools of the vendor', () => {
    expect(anthropicMessages.readReply(MESSAGE, 'anthropic')).toEqual<ChatReply>({
      id: 'msg_1',
      model: 'claude-opus-5-5',
      parts: [
        { type: 'reasoning', text: 'hm', seal: { family: 'anthropic', value: 'sig' } },
        { type: 'text', text: 'Mild.' },
        { type: 'call', id: 't', name: 'f', arguments: '{"a":{"b":[1]}}' },
      ],
      finish: 'tool_calls',
      usage: { inputTokens: 12, outputTokens: 9, cacheReadTokens: 7, reasoningTokens: 4 },
    });
  });

  it('says why the model refused', () => {
    const body = { ...MESSAGE, content: [], stop_reason: 'refusal', stop_details: { type: 'refusal', category: null, explanation: 'No.' } };
    expect(anthropicMessages.readReply(body, 'anthropic')).toMatchObject({ finish: 'refusal', parts: [{ type: 'refusal', text: 'No.' }] });
  });

  it('has no usage when none was said', () => {
    expect(anthropicMessages.readReply({ content: [] }, 'anthropic')).toEqual({ parts: [], finish: 'stop' });
  });

  it('is refused when it is none', () => {
    for (const body of [{}, { content: 'x' }, { error: {} }]) {
      expect(() => anthropicMessages.readReply(body, 'anthropic')).toThrow(expect.objectContaining({ code: 'upstream_failed' }));
    }
  });
});

describe('an answer for a caller who speaks Anthropic', () => {
  it('says what it has to though nobody counted', () => {
    expect(anthropicMessages.writeReply({ parts: [{ type: 'text', text: 'a' }], finish: 'stop' }, CONTEXT)).toEqual({
      id: 'msg_hub',
      type: 'message',
      role: 'assistant',
      model: 'support',
      content: [{ type: 'text', text: 'a' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      stop_details: null,
      usage: { input_tokens: 42, cache_creation_input_tokens: null, cache_read_input_tokens: null, output_tokens: 0 },
    });
  });

  it('shows a refusal as text', () => {
    expect(anthropicMessages.writeReply({ parts: [{ type: 'refusal', text: 'No.' }], finish: 'filtered' }, CONTEXT)).toMatchObject({
      content: [{ type: 'text', text: 'No.' }],
      stop_reason: 'refusal',
      stop_details: { type: 'refusal', category: null, explanation: null },
    });
  });

  it('never makes up arguments: a call cut at the limit is left out, a broken one fails', () => {
    const parts: ChatReply['parts'] = [
      { type: 'text', text: 'a' },
      { type: 'call', id: '1', name: 'f', arguments: '{"x":' },
    ];
    expect(anthropicMessages.writeReply({ parts, finish: 'length' }, CONTEXT)).toMatchObject({
      content: [{ type: 'text', text: 'a' }],
      stop_reason: 'max_tokens',
    });
    expect(() => anthropicMessages.writeReply({ parts, finish: 'tool_calls' }, CONTEXT)).toThrow(
      expect.objectContaining({ code: 'upstream_failed' }),
    );
  });
});

describe('a kept answer, played again', () => {
  it('is a legal stream of the same message, blocks of the vendor included', () => {
    const chunks = anthropicMessages.replay(MESSAGE, CONTEXT);
    const { content, ...rest } = MESSAGE;
    // The check knows input of tools of callers alone.
    const plain = { ...rest, content: (content as JsonObject[]).filter((block) => block['type'] !== 'server_tool_use') };
    expect(accumulate(anthropicMessages.replay(plain, CONTEXT))).toEqual({
      ...plain,
      usage: { ...(plain as { usage?: object }).usage, output_tokens: 9 },
    });
    expect(chunks.map(({ event }) => event).filter((event) => event === 'content_block_start')).toHaveLength(5);
    expect(chunks[0]?.data).toMatchObject({
      message: { id: 'msg_1', content: [], stop_reason: null, usage: { input_tokens: 5, output_tokens: 1 } },
    });
    expect(chunks.at(-1)).toEqual({ event: 'message_stop', data: { type: 'message_stop' }, reply: { body: MESSAGE } });
  });
});
