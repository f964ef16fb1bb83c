import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ChatReply } from '../../../../../../src/core/chat.ts';
import type { JsonObject } from '../../../../../../src/core/json.ts';
import { openaiChat } from '../../../../../../src/lanes/models/formats/openai-chat/openai-chat.ts';

const FIXTURES = `${import.meta.dirname}/../../../../../fixtures/models/openai-chat`;
const recorded = (name: string) => JSON.parse(readFileSync(`${FIXTURES}/${name}.json`, 'utf8')) as JsonObject;
const CONTEXT = { id: 'chatcmpl-ours', created: 7, model: 'asked', body: {}, estimatedInput: 1 };
const read = (message: JsonObject, more: JsonObject = {}) =>
  openaiChat.readReply({ id: 'chatcmpl-9', model: 'm', choices: [{ index: 0, message, finish_reason: 'stop', ...more }] }, 'openai');

describe('reading an answer', () => {
  it('as recorded', () => {
    expect(openaiChat.readReply(recorded('whole-tools'), 'openai')).toMatchObject({
      id: 'chatcmpl-mock',
      model: 'gpt-mock',
      parts: [{ type: 'call', id: 'call_mock_1', name: 'get_weather', arguments: '{"city":"sample"}' }],
      finish: 'tool_calls',
      usage: { inputTokens: 4, outputTokens: 2, totalTokens: 6 },
    });
    expect(openaiChat.readReply(recorded('whole-text'), 'openai')).toMatchObject({
      parts: [{ type: 'text', text: 'Echo: Hello there' }],
      finish: 'stop',
    });
  });

  it('with reasoning before the text, in any of its fields', () => {
    expect(read({ reasoning: 'hm', content: 'a' }).parts).toEqual([
      { type: 'reasoning', text: 'hm' },
      { type: 'text', text: 'a' },
    ]);
    const details = [
      { type: 'reasoning.text', signature: 's', format: 'anthropic-claude-v1' },
      { type: 'reasoning.encrypted', data: 'd', format: 'openai-responses-v1', id: 'rs_1' },
    ];
    expect(read({ reasoning: 'hm', reasoning_details: details, content: 'a' }).parts).toEqual([
      { type: 'reasoning', text: 'hm', seal: { family: 'anthropic', value: 's' } },
      { type: 'reasoning', text: '', seal: { family: 'openai', value: 'd' }, hidden: true },
      { type: 'text', text: 'a' },
    ]);
    expect(
      read({
        content: [
          { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
          { type: 'text', text: 'a' },
        ],
      }).parts,
    ).toEqual([
      { type: 'reasoning', text: 'hm' },
      { type: 'text', text: 'a' },
    ]);
  });

  it('with calls as servers vary them', () => {
    const reply = read({
      content: '',
      tool_calls: [{ function: { name: 'f', arguments: { x: 1 } } }, { id: 'b', function: { name: 'g', arguments: null } }],
      reasoning_details: [{ type: 'reasoning.encrypted', data: 'd', id: 'b', format: 'google-gemini-v1' }],
    });
    expect(reply).toMatchObject({ finish: 'tool_calls' });
    expect(reply.parts).toEqual([
      { type: 'call', id: 'call_chatcmpl9_0', name: 'f', arguments: '{"x":1}' },
      { type: 'call', id: 'b', name: 'g', arguments: '', seal: { family: 'gemini', value: 'd' } },
    ]);
  });

  it.each([
    ['stop', 'stop'],
    ['length', 'length'],
    ['model_length', 'context_length'],
    ['content_filter', 'filtered'],
    ['function_call', 'tool_calls'],
    ['eos', 'stop'],
    [null, 'stop'],
    ['constructor', 'stop'],
  ])('that ended with %s', (reason, finish) => {
    expect(read({ content: 'a' }, { finish_reason: reason }).finish).toBe(finish);
  });

  it('that is a refusal', () => {
    expect(read({ content: null, refusal: 'no' })).toMatchObject({ parts: [{ type: 'refusal', text: 'no' }], finish: 'refusal' });
  });

  it.each([
    [{ choices: [] }, 'upstream_failed'],
    [{}, 'upstream_failed'],
    [{ error: { code: 429, message: 'slow' } }, 'upstream_limited'],
    [{ object: 'error', message: 'maximum context length is 10', code: 400 }, 'context_too_long'],
    [{ choices: [{ message: { content: '' }, finish_reason: 'error' }] }, 'upstream_failed'],
  ])('that is none: %j', (body, code) => {
    expect(() => openaiChat.readReply(body, 'openai')).toThrow(expect.objectContaining({ code }));
  });
});

describe('writing an answer', () => {
  const reply: ChatReply = {
    id: 'msg_1',
    model: 'claude',
    parts: [
      { type: 'reasoning', text: 'hm', seal: { family: 'anthropic', value: 's' } },
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
      { type: 'call', id: 'c', name: 'f', arguments: '' },
    ],
    finish: 'tool_calls',
    usage: { inputTokens: 2, outputTokens: 3, reasoningTokens: 1 },
  };

  it('is exact', () => {
    expect(openaiChat.writeReply(reply, CONTEXT)).toEqual({
      id: 'msg_1',
      object: 'chat.completion',
      created: 7,
      model: 'claude',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'ab',
            refusal: null,
            reasoning_content: 'hm',
            reasoning_details: [{ type: 'reasoning.text', text: 'hm', signature: 's', format: 'anthropic', index: 0 }],
            tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
          },
          logprobs: null,
          finish_reason: 'tool_calls',
        },
      ],
      usage: { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5, completion_tokens_details: { reasoning_tokens: 1 } },
    });
  });

  it('has null for content that is not there, and no usage that nobody counted', () => {
    const written = openaiChat.writeReply({ parts: [{ type: 'refusal', text: 'no' }], finish: 'refusal' }, CONTEXT);
    expect(written).toMatchObject({
      id: 'chatcmpl-ours',
      model: 'asked',
      choices: [{ message: { content: null, refusal: 'no' }, finish_reason: 'content_filter' }],
    });
    expect(written).not.toHaveProperty('usage');
  });
});

describe('usage', () => {
  it.each([
    [
      {
        prompt_tokens: 9,
        completion_tokens: 5,
        total_tokens: 14,
        prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 2, audio_tokens: 1 },
        completion_tokens_details: { reasoning_tokens: 3, audio_tokens: 1 },
      },
      {
        inputTokens: 9,
        outputTokens: 5,
        totalTokens: 14,
        cacheReadTokens: 4,
        cacheWriteTokens: 2,
        reasoningTokens: 3,
        inputAudioTokens: 1,
        outputAudioTokens: 1,
      },
    ],
    [
      { prompt_tokens: 9, completion_tokens: 5, prompt_cache_hit_tokens: 4, prompt_cache_miss_tokens: 5 },
      { inputTokens: 9, outputTokens: 5, cacheReadTokens: 4 },
    ],
    // xAI: reasoning is beside the completion.
    [
      { prompt_tokens: 9, completion_tokens: 5, total_tokens: 17, completion_tokens_details: { reasoning_tokens: 3 } },
      { inputTokens: 9, outputTokens: 8, totalTokens: 17, reasoningTokens: 3 },
    ],
    [
      { prompt_tokens: 9, completion_tokens: 0, total_tokens: 9, completion_tokens_details: { reasoning_tokens: 0 } },
      { inputTokens: 9, outputTokens: 0, totalTokens: 9, reasoningTokens: 0 },
    ],
  ])('of %j', (usage, read) => {
    expect(openaiChat.readUsage({ model: 'm', usage })).toEqual({ model: 'm', usage: read });
  });

  it('is absent where it is null', () => {
    expect(openaiChat.readUsage({ model: '', usage: null })).toEqual({});
  });
});
