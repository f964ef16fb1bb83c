import { describe, expect, it } from 'vitest';
import { begins } from '../../../../../src/lanes/models/doors/begins.ts';
import { PassedChunk } from '../../../../../src/lanes/models/passing/passed.ts';

const passed = (text: string): PassedChunk => new PassedChunk(Buffer.from(text));
const role = { choices: [{ index: 0, delta: { role: 'assistant', content: '', refusal: null }, finish_reason: null }] };

describe('what begins a stream', () => {
  it.each([
    ['message_start', { event: 'message_start', data: { type: 'message_start' } }],
    ['ping', { event: 'ping', data: { type: 'ping' } }],
    ['response.created', { event: 'response.created', data: {} }],
    ['a role alone', { data: role }],
    ['the same, passed', passed(`data: ${JSON.stringify(role)}\n\n`)],
    ['events before the first text', passed('event: message_start\ndata: {}\n\nevent: ping\ndata: {}\n\n')],
  ])('not %s', (_, chunk) => expect(begins(chunk)).toBe(false));

  it.each([
    ['a block', { event: 'content_block_start', data: {} }],
    ['an item', { event: 'response.output_item.added', data: {} }],
    ['a text', { data: { choices: [{ index: 0, delta: { content: 'Hi' } }] } }],
    ['a role with a text', { data: { choices: [{ index: 0, delta: { role: 'assistant', content: 'Hi' } }] } }],
    ['a call of a tool', { data: { choices: [{ index: 0, delta: { role: 'assistant', content: null, tool_calls: [{}] } }] } }],
    ['an end without a text', { data: { choices: [{ index: 0, delta: { role: 'assistant' }, finish_reason: 'stop' }] } }],
    ['usage', { data: { choices: [], usage: {} } }],
    ['the mark of completeness', passed('data: [DONE]\n\n')],
    ['several events, one of them a text', passed('event: message_start\ndata: {}\n\nevent: content_block_delta\ndata: {}\n\n')],
    ['several events without names', passed(`data: ${JSON.stringify(role)}\n\ndata: {"choices":[{"delta":{"content":"Hi"}}]}\n\n`)],
  ])('%s', (_, chunk) => expect(begins(chunk)).toBe(true));
});
