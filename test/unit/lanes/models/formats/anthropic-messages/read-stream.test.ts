import { describe, expect, it } from 'vitest';
import type { ChatEvent } from '../../../../../../src/core/chat.ts';
import { usageOf } from '../../../../../../src/lanes/models/formats/anthropic-messages/usage.ts';
import { eventsOf, fixture, framesOf } from './frames.ts';

const event = (type: string, data: object = {}) => ({ event: type, data: JSON.stringify({ type, ...data }) });

describe('a stream of Anthropic', () => {
  it('becomes steps in order: reasoning with its seals, text, calls, totals, the end', () => {
    const events = eventsOf(framesOf(fixture('thinking-and-tools.sse')));
    const start = { inputTokens: 2112, outputTokens: 3, cacheReadTokens: 2000, cacheWriteTokens: 100, cacheWriteLongTokens: 40 };
    expect(events).toEqual<ChatEvent[]>([
      { type: 'start', id: 'msg_01AbC', model: 'claude-sonnet-4-6' },
      { type: 'usage', usage: start },
      { type: 'reasoning', text: 'Two files ' },
      { type: 'reasoning', text: 'to read.' },
      { type: 'seal', seal: { family: 'anthropic', value: 'EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pk=' } },
      { type: 'seal', seal: { family: 'anthropic', value: 'EmwKAhgBEgy3va3pzix' }, hidden: true },
      { type: 'text', text: 'I read ' },
      { type: 'text', text: 'both.' },
      { type: 'call', call: 0, id: 'toolu_01A', name: 'Read' },
      { type: 'arguments', call: 0, text: '{"file_path": "/a' },
      { type: 'arguments', call: 0, text: '.ts"}' },
      { type: 'call', call: 1, id: 'toolu_01B', name: 'ListTodos' },
      // Null in message_delta does not undo what message_start said.
      { type: 'usage', usage: { ...start, outputTokens: 89, reasoningTokens: 21 } },
      { type: 'finish', finish: 'tool_calls' },
      { type: 'end' },
    ]);
  });

  it('passes over tools of the vendor and events of tomorrow, and keeps the text after them', () => {
    const events = eventsOf(framesOf(fixture('server-tool.sse')));
    expect(events.filter(({ type }) => type !== 'usage')).toEqual([
      { type: 'start', id: 'msg_02', model: 'claude-opus-5-5' },
      { type: 'text', text: 'Mild.' },
      { type: 'finish', finish: 'stop' },
      { type: 'end' },
    ]);
    expect(events.findLast(({ type }) => type === 'usage')).toMatchObject({ usage: { inputTokens: 10_682, outputTokens: 510 } });
  });

  it('has no end when it was cut', () => {
    const frames = framesOf(fixture('thinking-and-tools.sse'));
    for (let length = 0; length < frames.length; length += 1) {
      expect(eventsOf(frames.slice(0, length)).some(({ type }) => type === 'end')).toBe(false);
    }
  });

  it('reads what other vendors make of it: input with the start, no start of a text, no reason to stop', () => {
    const events = eventsOf([
      event('message_start', { message: { id: 'x', model: 'm' } }),
      event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'hm' } }),
      event('content_block_start', { index: 1, content_block: { type: 'tool_use', id: 'c1', name: 'f', input: { a: 1 } } }),
      event('content_block_stop', { index: 1 }),
      event('message_stop'),
    ]);
    expect(events).toEqual([
      { type: 'start', id: 'x', model: 'm' },
      { type: 'text', text: 'hm' },
      { type: 'call', call: 0, id: 'c1', name: 'f' },
      { type: 'arguments', call: 0, text: '{"a":1}' },
      { type: 'finish', finish: 'tool_calls' },
      { type: 'end' },
    ]);
  });

  it('says why the model refused', () => {
    const details = { type: 'refusal', category: 'cyber', explanation: 'Not this.' };
    const events = eventsOf([
      event('message_delta', { delta: { stop_reason: 'refusal', stop_details: details }, usage: { output_tokens: 4 } }),
    ]);
    expect(events).toEqual([
      { type: 'usage', usage: { outputTokens: 4 } },
      { type: 'refusal', text: 'Not this.' },
      { type: 'finish', finish: 'refusal' },
    ]);
  });

  it('names the stop sequence', () => {
    const delta = { stop_reason: 'stop_sequence', stop_sequence: 'END' };
    expect(eventsOf([event('message_delta', { delta })])).toEqual([{ type: 'finish', finish: 'stop_sequence', stopSequence: 'END' }]);
  });

  it('puts the seal of a call on the call', () => {
    const events = eventsOf([
      event('content_block_start', { index: 0, content_block: { type: 'redacted_thinking', data: 'hubgate:gemini+call:sig' } }),
      event('content_block_start', { index: 1, content_block: { type: 'tool_use', id: 'c1', name: 'f', input: {} } }),
    ]);
    expect(events).toEqual([{ type: 'call', call: 0, id: 'c1', name: 'f', seal: { family: 'gemini', value: 'sig' } }]);
  });

  it('reports the failure that the vendor reports, without words about the account', () => {
    const failure = (type: string, message: string) => eventsOf([event('error', { error: { type, message } })])[0];
    expect(failure('overloaded_error', 'Overloaded')).toEqual({
      type: 'error',
      failure: { code: 'upstream_overloaded', vendor: { type: 'overloaded_error' } },
    });
    expect(failure('invalid_request_error', 'prompt is too long: 208310 tokens > 200000 maximum')).toMatchObject({
      failure: { code: 'context_too_long', message: 'prompt is too long: 208310 tokens > 200000 maximum' },
    });
    expect(failure('authentication_error', 'invalid x-api-key')).not.toHaveProperty('failure.message');
  });

  it('refuses frames that are no JSON object', () => {
    for (const data of ['{"type":"content_block_del', '[1]', '']) {
      expect(() => eventsOf([{ event: 'content_block_delta', data }])).toThrow(expect.objectContaining({ code: 'upstream_failed' }));
    }
  });
});

describe('usage of what passes unread', () => {
  it('is read from a message, from its start and from its delta', () => {
    const usage = { input_tokens: 1, cache_read_input_tokens: 10, cache_creation_input_tokens: 100, output_tokens: 7 };
    const read = { inputTokens: 111, outputTokens: 7, cacheReadTokens: 10, cacheWriteTokens: 100 };
    expect(usageOf({ type: 'message', model: 'm', usage })).toEqual({ model: 'm', usage: read });
    expect(usageOf({ type: 'message_start', message: { model: 'm', usage } })).toEqual({ model: 'm', usage: read });
    expect(usageOf({ type: 'message_delta', delta: {}, usage: { output_tokens: 7 } })).toEqual({ usage: { outputTokens: 7 } });
    expect(usageOf({ type: 'content_block_stop', index: 0 })).toEqual({});
  });
});
