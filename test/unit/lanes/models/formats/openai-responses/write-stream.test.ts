import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatEvent } from '../../../../../../src/core/chat.ts';
import type { ModelsChunk } from '../../../../../../src/core/models.ts';
import { openaiResponses } from '../../../../../../src/lanes/models/formats/openai-responses/openai-responses.ts';
import { checkResponsesStream } from '../../../../../support/legal-streams.ts';
import { CONTEXT, frameOf, replyOf, runs } from './events.ts';

function written(events: readonly ChatEvent[]): ModelsChunk[] {
  const writer = openaiResponses.streamWriter(CONTEXT);
  return events.flatMap((event) => writer.write(event));
}

describe('a stream in the Responses format', () => {
  it('names every event of a text in order and repeats the whole', () => {
    const chunks = written([
      { type: 'start', id: 'abc', model: 'served' },
      { type: 'text', text: 'Hel' },
      { type: 'text', text: 'lo' },
      { type: 'finish', finish: 'stop' },
      { type: 'usage', usage: { inputTokens: 7, outputTokens: 2, cacheReadTokens: 3 } },
      { type: 'end' },
    ]);
    expect(chunks.map((chunk) => chunk.event)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
    expect(chunks.map((chunk) => chunk.data['sequence_number'])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(chunks.at(-1)?.data['response']).toEqual({
      id: 'resp_abc',
      object: 'response',
      created_at: 1_767_225_600,
      status: 'completed',
      background: false,
      error: null,
      incomplete_details: null,
      instructions: 'Be kind',
      max_output_tokens: null,
      model: 'served',
      output: [
        {
          id: 'msg_1_0',
          type: 'message',
          status: 'completed',
          role: 'assistant',
          content: [{ type: 'output_text', text: 'Hello', annotations: [], logprobs: [] }],
        },
      ],
      parallel_tool_calls: true,
      previous_response_id: null,
      reasoning: { effort: null, summary: null },
      store: false,
      temperature: 0.5,
      text: { format: { type: 'text' } },
      tool_choice: 'auto',
      tools: [],
      top_p: null,
      truncation: 'disabled',
      usage: {
        input_tokens: 7,
        input_tokens_details: { cached_tokens: 3, cache_write_tokens: 0 },
        output_tokens: 2,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 9,
      },
      user: null,
      metadata: { a: 'b' },
    });
  });

  it('keeps pieces of calls that are mixed apart, and gives a call without arguments an empty object', () => {
    const chunks = written([
      { type: 'call', call: 0, id: 'a', name: 'one' },
      { type: 'call', call: 1, id: 'b', name: 'two' },
      { type: 'arguments', call: 1, text: '{"x"' },
      { type: 'call', call: 2, id: 'c', name: 'three' },
      { type: 'arguments', call: 0, text: '{"y":2}' },
      { type: 'arguments', call: 1, text: ':1}' },
      { type: 'finish', finish: 'tool_calls' },
      { type: 'end' },
    ]);
    expect(checkResponsesStream(chunks)).toEqual([]);
    const whole = chunks.filter((chunk) => chunk.event === 'response.function_call_arguments.done').map((chunk) => chunk.data);
    expect(whole).toMatchObject([
      { item_id: 'fc_1_0', output_index: 0, name: 'one', arguments: '{"y":2}' },
      { item_id: 'fc_1_1', output_index: 1, name: 'two', arguments: '{"x":1}' },
      { item_id: 'fc_1_2', output_index: 2, name: 'three', arguments: '{}' },
    ]);
  });

  it('says of an answer that was cut that it is incomplete, and its last item too', () => {
    const last = written([{ type: 'text', text: 'a' }, { type: 'finish', finish: 'length' }, { type: 'end' }]).at(-1);
    expect(last).toMatchObject({
      event: 'response.incomplete',
      data: { response: { incomplete_details: { reason: 'max_output_tokens' }, output: [{ status: 'incomplete' }] } },
    });
    const filtered = written([{ type: 'text', text: 'a' }, { type: 'finish', finish: 'filtered' }, { type: 'end' }]).at(-1);
    expect(filtered?.data['response']).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'content_filter' } });
  });

  it('is legal for any steps, and holds what a whole answer of the same steps holds', () => {
    fc.assert(
      fc.property(runs, (events) => {
        const chunks = written(events);
        expect(checkResponsesStream(chunks)).toEqual([]);
        expect(chunks.at(-1)?.data['response']).toEqual(openaiResponses.writeReply(replyOf(events), CONTEXT));
      }),
      { numRuns: 500 },
    );
  });

  it('is read again by the reader of the format', () => {
    fc.assert(
      fc.property(runs, (events) => {
        const reader = openaiResponses.streamReader('openai');
        const read = written(events).flatMap((chunk) => reader.read(frameOf(chunk)));
        const given = (type: string, list: readonly ChatEvent[]): string =>
          list.map((event) => (event.type === type && 'text' in event ? event.text : '')).join('');
        expect(given('text', read)).toBe(given('text', events));
        expect(given('refusal', read)).toBe(given('refusal', events));
        const calls = replyOf(events).parts.filter((part) => part.type === 'call');
        expect(replyOf(read).parts.flatMap((part) => (part.type === 'call' ? [[part.id, part.name, part.arguments]] : []))).toEqual(
          calls.map((part) => [part.id, part.name, part.arguments || '{}']),
        );
        expect(read.at(-1)).toEqual({ type: 'end' });
      }),
    );
  });

  it('is made again from the whole answer', () => {
    fc.assert(
      fc.property(runs, (events) => {
        const body = openaiResponses.writeReply(replyOf(events), CONTEXT);
        const chunks = openaiResponses.replay(body, CONTEXT);
        expect(checkResponsesStream(chunks)).toEqual([]);
        expect(chunks.at(-1)?.reply?.body).toEqual(body);
      }),
    );
  });

  it('replays items that it does not know whole', () => {
    const search = { id: 'ws_1', type: 'web_search_call', status: 'completed', action: { type: 'search', query: 'x' } };
    const note = { type: 'url_citation', url: 'https://example.com' };
    const said = { type: 'output_text', text: 'Found', annotations: [note] };
    const message = { id: 'msg_1', type: 'message', status: 'completed', role: 'assistant', content: [said] };
    const custom = { id: 'ctc_1', type: 'custom_tool_call', call_id: 'c', name: 'patch', input: '*** Begin' };
    const thought = { id: 'rs_1', type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'Hm' }] };
    const body = { id: 'resp_9', status: 'completed', output: [thought, search, message, custom] };
    const chunks = openaiResponses.replay(body, CONTEXT);
    expect(checkResponsesStream(chunks)).toEqual([]);
    expect(chunks.find((chunk) => chunk.event === 'response.content_part.done' && chunk.data['item_id'] === 'msg_1')?.data['part']).toEqual(
      said,
    );
    expect(chunks.at(-1)?.data['response']).toEqual(body);
  });
});
