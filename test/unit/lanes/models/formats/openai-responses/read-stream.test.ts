import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ChatEvent } from '../../../../../../src/core/chat.ts';
import type { JsonObject } from '../../../../../../src/core/json.ts';
import { openaiResponses } from '../../../../../../src/lanes/models/formats/openai-responses/openai-responses.ts';
import { frameOf, replyOf } from './events.ts';

interface Frame {
  readonly event: string;
  readonly data: JsonObject;
}

const FIXTURES = `${import.meta.dirname}/../../../../../fixtures/models/openai-responses`;
const framesOf = (name: string): Frame[] => JSON.parse(readFileSync(`${FIXTURES}/${name}.json`, 'utf8')) as Frame[];

function read(frames: readonly Frame[]): ChatEvent[] {
  const reader = openaiResponses.streamReader('openai');
  return [...frames.flatMap((frame) => reader.read(frameOf(frame))), ...reader.close()];
}

const event = (type: string, fields: JsonObject = {}): Frame => ({ event: type, data: { type, ...fields } });
const USAGE = {
  type: 'usage',
  usage: {
    inputTokens: 12,
    outputTokens: 9,
    totalTokens: 21,
    cacheReadTokens: 8,
    cacheWriteTokens: 2,
    cacheWriteLongTokens: 1,
    reasoningTokens: 4,
  },
};
const WHOLE = [
  'reasoning-and-text',
  'calls',
  'calls-arguments-in-done',
  'calls-arguments-in-item',
  'calls-without-added',
  'calls-in-last-event',
  'calls-with-changing-ids',
  'refusal',
  'incomplete',
];

describe('reading a stream of responses', () => {
  it('gives reasoning, its seal and the text, each once', () => {
    expect(read(framesOf('reasoning-and-text'))).toEqual([
      { type: 'start', id: 'resp_up', model: 'gpt-mock' },
      { type: 'reasoning', text: 'Fir' },
      { type: 'reasoning', text: 'st.' },
      { type: 'reasoning', text: '\n\nThe' },
      { type: 'reasoning', text: 'n.' },
      { type: 'seal', seal: { family: 'openai', value: 'gAAA==' }, hidden: true },
      { type: 'text', text: 'Hel' },
      { type: 'text', text: 'lo' },
      USAGE,
      { type: 'finish', finish: 'stop' },
      { type: 'end' },
    ]);
  });

  it('gives the pieces of arguments as they come', () => {
    expect(read(framesOf('calls'))).toEqual([
      { type: 'start', id: 'resp_up', model: 'gpt-mock' },
      { type: 'call', call: 0, id: 'call_1', name: 'weather' },
      { type: 'arguments', call: 0, text: '{"city"' },
      { type: 'arguments', call: 0, text: ':"Köln"}' },
      { type: 'call', call: 1, id: 'call_2', name: 'time' },
      { type: 'arguments', call: 1, text: '{' },
      { type: 'arguments', call: 1, text: '}' },
      USAGE,
      { type: 'finish', finish: 'tool_calls' },
      { type: 'end' },
    ]);
  });

  it.each(WHOLE.filter((name) => name.startsWith('calls')))('%s: gives both calls whole, and nothing twice', (name) => {
    const reply = replyOf(read(framesOf(name)));
    expect(reply.parts).toEqual([
      { type: 'call', id: 'call_1', name: 'weather', arguments: '{"city":"Köln"}' },
      { type: 'call', id: 'call_2', name: 'time', arguments: '{}' },
    ]);
    expect(reply.finish).toBe('tool_calls');
  });

  it.each(WHOLE)('%s: gives what the whole answer gives', (name) => {
    const frames = framesOf(name);
    const whole = openaiResponses.readReply(frames.at(-1)?.data['response'] as JsonObject, 'openai');
    expect(replyOf(read(frames))).toEqual(whole);
  });

  it.each(WHOLE)('%s: a stream that is cut anywhere has no end', (name) => {
    const frames = framesOf(name);
    for (let length = 0; length < frames.length; length++) {
      expect(read(frames.slice(0, length)).filter((one) => one.type === 'end' || one.type === 'finish')).toEqual([]);
    }
    expect(read(frames).at(-1)).toEqual({ type: 'end' });
  });

  it('says how an answer ended', () => {
    expect(replyOf(read(framesOf('refusal')))).toMatchObject({ finish: 'refusal', parts: [{ type: 'refusal', text: 'I will not.' }] });
    expect(replyOf(read(framesOf('incomplete')))).toMatchObject({ finish: 'length', parts: [{ type: 'text', text: 'Hel' }] });
    const filtered = event('response.incomplete', { response: { output: [], incomplete_details: { reason: 'content_filter' } } });
    expect(replyOf(read([filtered])).finish).toBe('filtered');
  });

  it('takes text that comes whole only', () => {
    const at = { item_id: 'm', output_index: 0, content_index: 0 };
    expect(replyOf(read([event('response.output_text.done', { ...at, text: 'Hi' })])).parts).toEqual([{ type: 'text', text: 'Hi' }]);
    const item = { id: 'm', type: 'message', content: [{ type: 'output_text', text: 'Hi' }] };
    expect(replyOf(read([event('response.output_item.done', { output_index: 0, item })])).parts).toEqual([{ type: 'text', text: 'Hi' }]);
    expect(replyOf(read([event('response.completed', { response: { output: [item] } })])).parts).toEqual([{ type: 'text', text: 'Hi' }]);
  });

  it('takes plain reasoning and custom calls', () => {
    const item = { id: 'ctc', type: 'custom_tool_call', call_id: 'c', name: 'patch', input: 'a "b"' };
    const events = read([
      event('response.reasoning_text.delta', { item_id: 'r', output_index: 0, content_index: 0, delta: 'Hm' }),
      event('response.output_item.added', { output_index: 1, item: { ...item, input: '' } }),
      event('response.custom_tool_call_input.delta', { item_id: 'ctc', output_index: 1, delta: 'a "b"' }),
      event('response.output_item.done', { output_index: 1, item }),
    ]);
    expect(replyOf(events).parts).toEqual([
      { type: 'reasoning', text: 'Hm' },
      { type: 'call', id: 'c', name: 'patch', arguments: '{"input":"a \\"b\\""}' },
    ]);
  });

  it('passes over what it does not know, and over what follows the end', () => {
    const reader = openaiResponses.streamReader('openai');
    for (const frame of framesOf('calls')) reader.read(frameOf(frame));
    expect(reader.read({ data: '[DONE]' })).toEqual([]);
    expect(reader.read(frameOf(event('response.output_text.delta', { delta: 'late' })))).toEqual([]);
    const odd = [
      event('keepalive'),
      event('response.compaction.compacting', { output_index: 0 }),
      event('response.web_search_call.searching'),
    ];
    expect(read(odd)).toEqual([{ type: 'start' }]);
  });

  it('gives a failure, classified, and no end', () => {
    const failed = read(framesOf('failed'));
    expect(failed.at(-1)).toEqual({ type: 'error', failure: { code: 'upstream_limited', vendor: { code: 'rate_limit_exceeded' } } });
    const codeOf = (fields: JsonObject): unknown => {
      const last = read([event('error', fields)]).at(-1);
      return last?.type === 'error' ? last.failure : last;
    };
    expect(codeOf({ code: 'server_error', message: 'secret' })).toEqual({ code: 'upstream_failed', vendor: { code: 'server_error' } });
    expect(codeOf({ code: 'context_length_exceeded', message: 'Too long', param: 'input' })).toEqual({
      code: 'context_too_long',
      message: 'Too long',
      vendor: { code: 'context_length_exceeded', param: 'input' },
    });
    expect(codeOf({ code: 'invalid_prompt', message: 'Your prompt was flagged' })).toMatchObject({ code: 'content_refused' });
    expect(codeOf({ code: 'invalid_prompt', message: 'Bad prompt' })).toMatchObject({ code: 'model_refused', message: 'Bad prompt' });
    expect(codeOf({ code: 'bio_policy', message: 'No' })).toMatchObject({ code: 'content_refused', message: 'No' });
    expect(codeOf({ code: 'image_too_large', message: 'Large' })).toMatchObject({ code: 'model_refused' });
    expect(codeOf({ error: { type: 'invalid_request_error', message: 'Nested', code: null } })).toEqual({
      code: 'model_refused',
      message: 'Nested',
      vendor: { type: 'invalid_request_error' },
    });
  });

  it('throws for a frame that is no JSON', () => {
    expect(() => openaiResponses.streamReader('openai').read({ data: '{"type":"resp' })).toThrow(
      expect.objectContaining({ code: 'upstream_failed' }) as Error,
    );
  });

  it('finds usage and model in a passing event or body', () => {
    const last = framesOf('calls').at(-1)?.data as JsonObject;
    expect(openaiResponses.readUsage(last)).toEqual({ usage: USAGE.usage, model: 'gpt-mock' });
    expect(openaiResponses.readUsage(last['response'] as JsonObject)).toEqual({ usage: USAGE.usage, model: 'gpt-mock' });
    expect(openaiResponses.readUsage({ type: 'response.output_text.delta', delta: 'x' })).toEqual({});
  });
});

describe('reading a whole response', () => {
  it('throws the failure of one that has failed', () => {
    const error = { code: 'model_not_found', message: 'No model x' };
    expect(() => openaiResponses.readReply({ status: 'failed', error, output: [] }, 'openai')).toThrow(
      expect.objectContaining({ code: 'model_unknown' }) as Error,
    );
  });

  it('throws for what is no finished response', () => {
    for (const body of [{}, { output: 'x' }, { status: 'queued', output: [] }, { status: 'cancelled', output: [] }]) {
      expect(() => openaiResponses.readReply(body, 'openai')).toThrow(expect.objectContaining({ code: 'upstream_failed' }) as Error);
    }
  });
});
