import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatEvent, Part, Seal } from '../../../../../../src/core/chat.ts';
import type { ModelsChunk } from '../../../../../../src/core/models.ts';
import { anthropicMessages } from '../../../../../../src/lanes/models/formats/anthropic-messages/anthropic-messages.ts';
import { accumulate } from './accumulate.ts';
import { CONTEXT, eventsOf, fixture, framesOf, wire } from './frames.ts';

function written(events: readonly ChatEvent[]): ModelsChunk[] {
  const writer = anthropicMessages.streamWriter(CONTEXT);
  return events.flatMap((event) => writer.write(event));
}

const names = (chunks: readonly ModelsChunk[]) => chunks.map(({ event }) => event);
const content = (events: readonly ChatEvent[]) => accumulate(written(events))['content'];
const CLOSE: ChatEvent[] = [{ type: 'finish', finish: 'stop' }, { type: 'end' }];

describe('a stream for a caller who speaks Anthropic', () => {
  it('starts with the first step, with an input that is not 0, and a ping', () => {
    const writer = anthropicMessages.streamWriter(CONTEXT);
    expect(writer.write({ type: 'start', id: 'chatcmpl-1', model: 'gpt-5' })).toEqual([
      {
        event: 'message_start',
        data: {
          type: 'message_start',
          message: {
            id: 'chatcmpl-1',
            type: 'message',
            role: 'assistant',
            model: 'gpt-5',
            content: [],
            stop_reason: null,
            stop_sequence: null,
            usage: { input_tokens: 42, output_tokens: 1 },
          },
        },
      },
      { event: 'ping', data: { type: 'ping' } },
    ]);
    expect(writer.write({ type: 'text', text: '' })).toEqual([]);
    expect(names(writer.write({ type: 'text', text: 'a' }))).toEqual(['content_block_start', 'content_block_delta']);
  });

  it('says 1 token of input when nothing was counted', () => {
    const [start] = anthropicMessages.streamWriter({ ...CONTEXT, estimatedInput: 0 }).write({ type: 'start' });
    expect(start?.data).toMatchObject({ message: { id: 'msg_hub', model: 'support', usage: { input_tokens: 1 } } });
  });

  it('waits with the finish for usage that comes after it', () => {
    const writer = anthropicMessages.streamWriter(CONTEXT);
    writer.write({ type: 'start' });
    writer.write({ type: 'text', text: 'a' });
    expect(names(writer.write({ type: 'finish', finish: 'length' }))).toEqual(['content_block_stop']);
    expect(
      writer.write({
        type: 'usage',
        usage: { inputTokens: 130, cacheReadTokens: 100, cacheWriteTokens: 20, outputTokens: 5, reasoningTokens: 2 },
      }),
    ).toEqual([]);
    const [delta, stop] = writer.write({ type: 'end' });
    expect(delta).toEqual({
      event: 'message_delta',
      data: {
        type: 'message_delta',
        delta: { stop_reason: 'max_tokens', stop_sequence: null, stop_details: null },
        usage: {
          input_tokens: 10,
          cache_creation_input_tokens: 20,
          cache_read_input_tokens: 100,
          output_tokens: 5,
          output_tokens_details: { thinking_tokens: 2 },
        },
      },
    });
    expect(stop).toEqual({ event: 'message_stop', data: { type: 'message_stop' } });
  });

  it('brings calls whose steps are mixed one after the other', () => {
    expect(
      content([
        { type: 'start' },
        { type: 'call', call: 0, id: 'a', name: 'f' },
        { type: 'call', call: 1, id: 'b', name: 'g' },
        { type: 'arguments', call: 1, text: '{"y":' },
        { type: 'arguments', call: 0, text: '{"x":1}' },
        { type: 'arguments', call: 1, text: '2}' },
        { type: 'text', text: 'done' },
        { type: 'call', call: 2, id: 'c', name: 'h' },
        ...CLOSE,
      ]),
    ).toEqual([
      { type: 'tool_use', id: 'a', name: 'f', input: { x: 1 } },
      { type: 'tool_use', id: 'b', name: 'g', input: { y: 2 } },
      { type: 'text', text: 'done' },
      { type: 'tool_use', id: 'c', name: 'h', input: {} },
    ]);
  });

  it('streams the first call piece by piece', () => {
    const writer = anthropicMessages.streamWriter(CONTEXT);
    writer.write({ type: 'start' });
    writer.write({ type: 'call', call: 0, id: 'a', name: 'f' });
    const pieces = ['{"', 'x":"caf', 'é"}'].flatMap((text) => writer.write({ type: 'arguments', call: 0, text }));
    expect(pieces.map(({ data }) => (data['delta'] as { partial_json: string }).partial_json)).toEqual(['{"', 'x":"caf', 'é"}']);
  });

  it('never lets a tool run with half of its input', () => {
    const writer = anthropicMessages.streamWriter(CONTEXT);
    const steps: ChatEvent[] = [{ type: 'start' }, { type: 'call', call: 0, id: 'a', name: 'f' }, { type: 'text', text: 't' }];
    for (const step of steps) writer.write(step);
    expect(writer.write({ type: 'arguments', call: 0, text: ' \n' })).toEqual([]);
    expect(() => writer.write({ type: 'arguments', call: 0, text: '{}' })).toThrow(expect.objectContaining({ code: 'upstream_failed' }));
    expect(() => writer.write({ type: 'arguments', call: 9, text: '{}' })).toThrow(expect.objectContaining({ code: 'upstream_failed' }));
  });

  it('passes broken arguments on as they are', () => {
    const chunks = written([
      { type: 'start' },
      { type: 'call', call: 0, id: 'a', name: 'f' },
      { type: 'arguments', call: 0, text: '{"x":' },
      { type: 'finish', finish: 'tool_calls' },
      { type: 'end' },
    ]);
    expect(chunks.find(({ event }) => event === 'content_block_delta')?.data).toMatchObject({ delta: { partial_json: '{"x":' } });
    expect(chunks.at(-1)).toEqual({ event: 'message_stop', data: { type: 'message_stop' } });
  });

  it('carries seals: its own bare, those of others with their family, those of calls before the call', () => {
    expect(
      content([
        { type: 'start' },
        { type: 'reasoning', text: 'hm' },
        { type: 'seal', seal: { family: 'anthropic', value: 'sig' } },
        { type: 'seal', seal: { family: 'openai', value: 'enc' }, hidden: true },
        { type: 'seal', seal: { family: 'gemini', value: 'g' } },
        { type: 'reasoning', text: 'unsealed' },
        { type: 'call', call: 0, id: 'a', name: 'f', seal: { family: 'gemini', value: 'ts' } },
        ...CLOSE,
      ]),
    ).toEqual([
      { type: 'thinking', thinking: 'hm', signature: 'sig' },
      { type: 'redacted_thinking', data: 'hubgate:openai:enc' },
      { type: 'thinking', thinking: '', signature: 'hubgate:gemini:g' },
      { type: 'thinking', thinking: 'unsealed', signature: '' },
      { type: 'redacted_thinking', data: 'hubgate:gemini+call:ts' },
      { type: 'tool_use', id: 'a', name: 'f', input: {} },
    ]);
  });

  it.each([
    ['stop', 'end_turn'],
    ['stop_sequence', 'stop_sequence'],
    ['length', 'max_tokens'],
    ['context_length', 'model_context_window_exceeded'],
    ['tool_calls', 'tool_use'],
    ['refusal', 'refusal'],
    ['filtered', 'refusal'],
    ['pause', 'pause_turn'],
  ] as const)('ends for %s with %s', (finish, reason) => {
    const message = accumulate(written([{ type: 'start' }, { type: 'finish', finish, stopSequence: 'END' }, { type: 'end' }]));
    expect(message).toMatchObject({ stop_reason: reason, stop_sequence: 'END' });
  });

  it('ends with tool_use when there are calls, whatever the vendor says', () => {
    const message = accumulate(written([{ type: 'start' }, { type: 'call', call: 0, id: 'a', name: 'f' }, ...CLOSE]));
    expect(message).toMatchObject({ stop_reason: 'tool_use' });
  });

  it('has the prompt counted once', () => {
    let counts = 0;
    const writer = anthropicMessages.streamWriter({
      ...CONTEXT,
      get estimatedInput() {
        counts += 1;
        return 42;
      },
    });
    const chunks = [{ type: 'text', text: 'a' } as const, ...CLOSE].flatMap((event) => writer.write(event));
    expect(accumulate(chunks)['usage']).toMatchObject({ input_tokens: 42 });
    expect(counts).toBe(1);
  });

  it('gives back what a stream of Anthropic said', () => {
    const read = eventsOf(framesOf(fixture('thinking-and-tools.sse')));
    expect(eventsOf(wire(written(read))).filter(({ type }) => type !== 'usage')).toEqual(read.filter(({ type }) => type !== 'usage'));
    expect(accumulate(written(read))['usage']).toMatchObject({ input_tokens: 12, output_tokens: 89, cache_read_input_tokens: 2000 });
  });
});

const seal: fc.Arbitrary<Seal> = fc.record({
  family: fc.constantFrom('anthropic', 'gemini', 'openai'),
  value: fc.string({ minLength: 1 }),
});
const pieces = fc.array(fc.string(), { minLength: 1, maxLength: 4 });

/** Parts as a vendor streams them: the steps of calls that follow each other may be mixed. */
const parts = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('text' as const), pieces }),
    fc.record({ kind: fc.constant('reasoning' as const), pieces, seal: fc.option(seal, { nil: undefined }) }),
    fc.record({ kind: fc.constant('hidden' as const), seal }),
    fc.record({
      kind: fc.constant('calls' as const),
      inputs: fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { minLength: 1, maxLength: 3 }),
      empty: fc.boolean(),
      seal: fc.option(seal, { nil: undefined }),
      order: fc.array(fc.nat(2), { maxLength: 12 }),
    }),
  ),
  { maxLength: 6 },
);
type Made = (typeof parts extends fc.Arbitrary<infer T> ? T : never)[number];

function callSteps(made: Made & { kind: 'calls' }, first: number): { events: ChatEvent[]; parts: Part[] } {
  const calls = made.inputs.map((input, index) => {
    const text = made.empty ? '' : JSON.stringify(input);
    const half = Math.floor(text.length / 2);
    const call = first + index;
    const begin: ChatEvent = { type: 'call', call, id: `c${call}`, name: 'f', ...(made.seal && { seal: made.seal }) };
    const steps: ChatEvent[] = [
      begin,
      ...[text.slice(0, half), text.slice(half)].map((piece): ChatEvent => ({ type: 'arguments', call, text: piece })),
    ];
    return {
      steps,
      part: { type: 'call', id: `c${call}`, name: 'f', arguments: text || '{}', ...(made.seal && { seal: made.seal }) } as Part,
    };
  });
  const events: ChatEvent[] = [];
  const queues = calls.map(({ steps }) => [...steps]);
  // Calls begin in order; their arguments come in any.
  for (const queue of queues) events.push(queue.shift() as ChatEvent);
  for (const pick of [...made.order, ...queues.flatMap((queue, index) => queue.map(() => index))]) {
    const step = queues[pick % queues.length]?.shift();
    if (step) events.push(step);
  }
  return { events, parts: calls.map(({ part }) => part) };
}

function steps(all: readonly Made[]): { events: ChatEvent[]; parts: Part[] } {
  const events: ChatEvent[] = [];
  const expected: Part[] = [];
  let calls = 0;
  let joins = false;
  for (const made of all) {
    if (made.kind === 'calls') {
      const more = callSteps(made, calls);
      calls += made.inputs.length;
      events.push(...more.events);
      expected.push(...more.parts);
      joins = false;
    } else if (made.kind === 'hidden') {
      events.push({ type: 'seal', seal: made.seal, hidden: true });
      expected.push({ type: 'reasoning', text: '', seal: made.seal, hidden: true });
      joins = false;
    } else {
      events.push(...made.pieces.map((text): ChatEvent => ({ type: made.kind, text })));
      const text = made.pieces.join('');
      const last = expected.at(-1);
      const sealed = made.kind === 'reasoning' ? made.seal : undefined;
      if (sealed) events.push({ type: 'seal', seal: sealed });
      if (text !== '' || sealed) {
        const before = joins && last?.type === made.kind ? last.text : undefined;
        const part: Part = { type: made.kind, text: (before ?? '') + text, ...(sealed && { seal: sealed }) };
        expected.splice(before === undefined ? expected.length : expected.length - 1, 1, part);
        joins = !sealed;
      }
    }
  }
  return { events, parts: expected };
}

describe('any sequence of steps', () => {
  it('is a legal stream from which a caller rebuilds the same parts', () => {
    fc.assert(
      fc.property(parts, (all) => {
        const { events, parts: expected } = steps(all);
        const chunks = written([{ type: 'start' }, ...events, { type: 'finish', finish: 'stop' }, { type: 'end' }]);
        const message = accumulate(chunks);
        const read = anthropicMessages.readReply(message, 'anthropic').parts;
        const normal = (part: Part) => (part.type === 'call' ? { ...part, arguments: JSON.parse(part.arguments) as unknown } : part);
        expect(read.map(normal)).toEqual(expected.map(normal));
      }),
      { numRuns: 500 },
    );
  });
});
