import { describe, expect, it } from 'vitest';
import { openaiResponses } from '../../../../../../src/lanes/models/formats/openai-responses/openai-responses.ts';
import { checkChatStream, checkMessagesStream, checkResponsesStream, type SeenFrame } from '../../../../../support/legal-streams.ts';
import { CONTEXT } from './events.ts';

/** Each frame that can be left out, or swapped with the next, without the checker seeing it. */
function unseen(frames: readonly SeenFrame[], check: (frames: readonly SeenFrame[]) => string[]): string[] {
  return frames.flatMap((_, at) => {
    const swapped = frames.with(at, frames[at + 1] ?? frames[at]!).with(Math.min(at + 1, frames.length - 1), frames[at]!);
    return [
      ...(check(frames.toSpliced(at, 1)).length === 0 ? [`without ${at}`] : []),
      ...(at + 1 < frames.length && check(swapped).length === 0 ? [`swapped ${at}`] : []),
    ];
  });
}

const named = (event: string, fields: object = {}): SeenFrame => ({ event, data: { type: event, ...fields } });

describe('the checkers of streams', () => {
  it('see every frame of a response that is missing or out of place', () => {
    const frames = openaiResponses.replay(
      openaiResponses.writeReply(
        {
          parts: [
            { type: 'reasoning', text: 'Hm' },
            { type: 'text', text: 'Hi' },
            { type: 'refusal', text: 'No' },
            { type: 'call', id: 'c', name: 'f', arguments: '{"a":1}' },
          ],
          finish: 'tool_calls',
        },
        CONTEXT,
      ),
      CONTEXT,
    );
    expect(checkResponsesStream(frames)).toEqual([]);
    expect(unseen(frames, checkResponsesStream)).toEqual([]);
  });

  it('see frames of messages that are missing or out of place', () => {
    const frames = [
      named('message_start', { message: { usage: {} } }),
      named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
      named('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'a' } }),
      named('content_block_stop', { index: 0 }),
      named('content_block_start', { index: 1, content_block: { type: 'tool_use', id: 't', name: 'f', input: {} } }),
      named('content_block_delta', { index: 1, delta: { type: 'input_json_delta', partial_json: '{"a"' } }),
      named('content_block_delta', { index: 1, delta: { type: 'input_json_delta', partial_json: ':1}' } }),
      named('content_block_stop', { index: 1 }),
      named('message_delta', { delta: { stop_reason: 'tool_use' }, usage: {} }),
      named('message_stop'),
    ];
    expect(checkMessagesStream(frames)).toEqual([]);
    // A text is not said twice in this format, so that a lost piece of it is not seen.
    expect(unseen(frames, checkMessagesStream)).toEqual(['without 2']);
    expect(checkMessagesStream(frames.map(({ data }) => ({ data })))).not.toEqual([]);
  });

  it('see what is wrong with a chat stream', () => {
    const chunk = (delta: object, finish: string | null = null): SeenFrame => ({
      data: { object: 'chat.completion.chunk', id: 'x', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] },
    });
    const call = { index: 0, id: 'c', function: { name: 'f', arguments: '' } };
    const frames: SeenFrame[] = [
      chunk({ role: 'assistant', tool_calls: [call] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: '{}' } }] }),
      chunk({}, 'tool_calls'),
      { data: '[DONE]' },
    ];
    expect(checkChatStream(frames)).toEqual([]);
    expect(unseen(frames, checkChatStream)).toEqual(['without 1']);
    expect(checkChatStream([chunk({ tool_calls: [call] }), ...frames])).not.toEqual([]);
    expect(checkChatStream([{ data: { ...(frames[0]?.data as object), id: 'y' } }, ...frames.slice(1)])).not.toEqual([]);
  });
});
