import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ChatEvent } from '../../../../../../src/core/chat.ts';
import type { WriteContext } from '../../../../../../src/core/contracts/provider.ts';
import type { JsonObject } from '../../../../../../src/core/json.ts';
import { DONE, openaiChat } from '../../../../../../src/lanes/models/formats/openai-chat/openai-chat.ts';

const FIXTURES = `${import.meta.dirname}/../../../../../fixtures/models/openai-chat`;
const recorded = (name: string) => JSON.parse(readFileSync(`${FIXTURES}/${name}.json`, 'utf8')) as unknown;
const CONTEXT: WriteContext = { id: 'chatcmpl-ours', created: 7, model: 'asked', body: {}, estimatedInput: 1 };
const ASKED: WriteContext = { ...CONTEXT, body: { stream: true, stream_options: { include_usage: true } } };

function written(events: readonly ChatEvent[], context = CONTEXT) {
  const writer = openaiChat.streamWriter(context);
  return events.flatMap((event) => writer.write(event));
}
const deltas = (events: readonly ChatEvent[]) =>
  written(events).flatMap(({ data }) => (data['choices'] as { delta: JsonObject }[] | undefined)?.map(({ delta }) => delta) ?? []);
const START = { type: 'start', id: 'msg_1', model: 'claude' } as const;
const END: ChatEvent[] = [{ type: 'finish', finish: 'stop' }, { type: 'end' }];
const usage = { type: 'usage', usage: { inputTokens: 2, outputTokens: 3, cacheReadTokens: 1 } } as const;

describe('writing a stream', () => {
  it('is exact', () => {
    const chunk = (delta: JsonObject, finish: string | null = null) => ({
      data: {
        id: 'msg_1',
        created: 7,
        model: 'claude',
        object: 'chat.completion.chunk',
        choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
        usage: null,
      },
    });
    const events: ChatEvent[] = [
      START,
      usage,
      { type: 'text', text: 'Hi' },
      { type: 'call', call: 0, id: 'a', name: 'f' },
      { type: 'arguments', call: 0, text: '{"x":1}' },
      { type: 'finish', finish: 'tool_calls' },
      { type: 'end' },
    ];
    const chunks = written(events, ASKED);
    expect(chunks).toEqual([
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'Hi' }),
      chunk({ tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: '{"x":1}' } }] }),
      chunk({}, 'tool_calls'),
      {
        data: {
          id: 'msg_1',
          created: 7,
          model: 'claude',
          object: 'chat.completion.chunk',
          choices: [],
          usage: { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5, prompt_tokens_details: { cached_tokens: 1 } },
        },
      },
      DONE,
    ]);
    expect(chunks.at(-1)).toBe(DONE);
  });

  it('has usage only for who asked', () => {
    expect(written([START, usage, ...END]).some(({ data }) => 'usage' in data)).toBe(false);
  });

  it('orders finish, usage, [DONE] however they come', () => {
    const kinds = written([START, { type: 'finish', finish: 'stop' }, usage, { type: 'end' }], ASKED).map((chunk) =>
      chunk === DONE
        ? 'done'
        : ((chunk.data['choices'] as { finish_reason: string }[])[0]?.finish_reason ?? (chunk.data['usage'] ? 'usage' : 'delta')),
    );
    expect(kinds).toEqual(['delta', 'stop', 'usage', 'done']);
  });

  it('begins with the role even when nothing says start, under the id and name it was lent', () => {
    const [first, second] = written([{ type: 'text', text: 'a' }]);
    expect(first?.data).toMatchObject({
      id: 'chatcmpl-ours',
      model: 'asked',
      created: 7,
      choices: [{ delta: { role: 'assistant', content: '' } }],
    });
    expect(second?.data).toMatchObject({ id: 'chatcmpl-ours', choices: [{ delta: { content: 'a' } }] });
  });

  it('gives calls without arguments an empty object', () => {
    expect(deltas([{ type: 'call', call: 0, id: 'a', name: 'f' }, ...END])).toContainEqual({
      tool_calls: [{ index: 0, function: { arguments: '{}' } }],
    });
  });

  it('carries reasoning, its seals and those of calls', () => {
    expect(
      deltas([
        { type: 'reasoning', text: 'h' },
        { type: 'reasoning', text: 'm' },
        { type: 'seal', seal: { family: 'anthropic', value: 's' } },
        { type: 'seal', seal: { family: 'anthropic', value: 'd' }, hidden: true },
        { type: 'call', call: 0, id: 'a', name: 'f', seal: { family: 'gemini', value: 't' } },
      ]).slice(1),
    ).toEqual([
      { reasoning_content: 'h' },
      { reasoning_content: 'm' },
      { reasoning_details: [{ type: 'reasoning.text', text: 'hm', signature: 's', format: 'anthropic', index: 0 }] },
      { reasoning_details: [{ type: 'reasoning.encrypted', data: 'd', format: 'anthropic', index: 1 }] },
      {
        tool_calls: [
          {
            index: 0,
            id: 'a',
            type: 'function',
            function: { name: 'f', arguments: '' },
            extra_content: { google: { thought_signature: 't' } },
          },
        ],
      },
    ]);
  });

  it.each([
    ['stop_sequence', 'stop'],
    ['length', 'length'],
    ['context_length', 'length'],
    ['refusal', 'content_filter'],
    ['filtered', 'content_filter'],
    ['pause', 'stop'],
  ] as const)('ends %s as %s', (finish, reason) => {
    expect(written([{ type: 'finish', finish }, { type: 'end' }]).at(-2)?.data).toMatchObject({
      choices: [{ delta: {}, finish_reason: reason }],
    });
  });

  it('is read back as it was', () => {
    const events: ChatEvent[] = [
      START,
      { type: 'reasoning', text: 'hm' },
      { type: 'seal', seal: { family: 'anthropic', value: 's' } },
      { type: 'text', text: 'a' },
      { type: 'call', call: 0, id: 'a', name: 'f' },
      { type: 'call', call: 1, id: 'b', name: 'g', seal: { family: 'gemini', value: 't' } },
      { type: 'arguments', call: 1, text: '{' },
      { type: 'arguments', call: 0, text: '{}' },
      { type: 'arguments', call: 1, text: '}' },
      { type: 'finish', finish: 'tool_calls' },
      { type: 'usage', usage: { inputTokens: 2, outputTokens: 3, totalTokens: 5, reasoningTokens: 1 } },
      { type: 'end' },
    ];
    const reader = openaiChat.streamReader('anthropic');
    const read = written(events, ASKED).flatMap((chunk) => reader.read({ data: chunk === DONE ? '[DONE]' : JSON.stringify(chunk.data) }));
    expect(read).toEqual(events);
  });
});

describe('replaying a whole answer', () => {
  const frames = (name: string) =>
    (recorded(name) as string[]).map((data) => (data === '[DONE]' ? DONE : { data: JSON.parse(data) as JsonObject }));

  it('brings what the stream would have brought', () => {
    const whole = recorded('whole-tools') as JsonObject;
    const chunks = openaiChat.replay(whole, ASKED);
    const heads = (all: readonly { data: JsonObject }[]) =>
      all.slice(0, -1).map(({ data }) => Object.fromEntries(Object.entries(data).filter(([key]) => key !== 'choices' && key !== 'usage')));
    const [head] = heads(frames('stream-tools'));
    for (const one of heads(chunks)) expect(one).toEqual(head);
    const read = (all: readonly { data: JsonObject }[]) => {
      const reader = openaiChat.streamReader('openai');
      const events = all.flatMap((chunk) => reader.read({ data: chunk.data === DONE.data ? '[DONE]' : JSON.stringify(chunk.data) }));
      const text = events.map((event) => (event.type === 'arguments' ? event.text : '')).join('');
      return [...events.filter(({ type }) => type !== 'arguments'), text];
    };
    expect(read(chunks)).toEqual(read(frames('stream-tools')));
  });

  it('keeps every choice and every field of the message', () => {
    const choice = (index: number) => ({
      index,
      message: { role: 'assistant', content: `t${index}`, refusal: null, reasoning_content: 'r', annotations: [1] },
      finish_reason: 'stop',
    });
    const chunks = openaiChat.replay({ id: 'x', choices: [choice(0), choice(1)], usage: { prompt_tokens: 1 } }, CONTEXT);
    expect(chunks.map(({ data }) => (data['choices'] as JsonObject[] | undefined)?.[0])).toEqual([
      ...[0, 1].flatMap((index) => [
        { index, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null },
        { index, delta: { reasoning_content: 'r', annotations: [1], content: `t${index}` }, logprobs: null, finish_reason: null },
        { index, delta: {}, logprobs: null, finish_reason: 'stop' },
      ]),
      undefined,
    ]);
    expect(chunks.some(({ data }) => 'usage' in data)).toBe(false);
  });

  it('ends with the answer itself, for who wants to look at it again', () => {
    const body = { id: 'x', choices: [] };
    for (const context of [CONTEXT, ASKED]) {
      const last = openaiChat.replay(body, context).at(-1);
      expect(last?.data).toBe(DONE.data);
      expect(last?.reply?.body).toBe(body);
    }
  });
});
