import { describe, expect, it } from 'vitest';
import type { ChatEvent } from '../../../../../../src/core/chat.ts';
import type { JsonObject } from '../../../../../../src/core/json.ts';
import { bedrockConverse } from '../../../../../../src/lanes/models/formats/bedrock-converse/bedrock-converse.ts';

const USAGE = { inputTokens: 10, outputTokens: 5, totalTokens: 15 };
const text = [{ text: 'hi' }];
const call = [{ toolUse: { toolUseId: 't1', name: 'f', input: { a: 1 } } }];

function reply(content: unknown, stopReason = 'end_turn', usage: unknown = USAGE) {
  return bedrockConverse.readReply({ output: { message: { role: 'assistant', content } }, stopReason, usage }, 'anthropic');
}

/** The steps of a stream of `[event, body]`; `closed` ends the connection as HTTP has it. */
function stream(frames: readonly (readonly [string, unknown])[], closed = true): ChatEvent[] {
  const reader = bedrockConverse.streamReader('anthropic');
  const events = frames.flatMap(([event, body]) => reader.read({ event, data: JSON.stringify(body) }));
  return closed ? [...events, ...reader.close()] : events;
}
const delta = (contentBlockIndex: number, body: unknown) => ['contentBlockDelta', { contentBlockIndex, delta: body }] as const;
const stop = (stopReason: string) => ['messageStop', { stopReason }] as const;
const start = ['messageStart', { role: 'assistant' }] as const;
const metadata = ['metadata', { usage: USAGE, metrics: { latencyMs: 1 } }] as const;

const FINISHES = [
  ['end_turn', text, 'stop'],
  ['tool_use', call, 'tool_calls'],
  ['max_tokens', text, 'length'],
  ['stop_sequence', text, 'stop_sequence'],
  ['guardrail_intervened', text, 'filtered'],
  ['content_filtered', text, 'filtered'],
  ['model_context_window_exceeded', text, 'context_length'],
  ['something_new', text, 'stop'],
  ['something_new', call, 'tool_calls'],
  ['constructor', text, 'stop'],
] as const;

describe('readReply', () => {
  it.each(FINISHES)('reads stopReason %s', (stopReason, content, finish) => {
    expect(reply(content, stopReason).finish).toBe(finish);
  });

  it('reads texts, calls, reasoning and hidden reasoning in order', () => {
    const content = [
      { reasoningContent: { reasoningText: { text: 'hm', signature: 'sig' } } },
      { reasoningContent: { redactedContent: 'AAEC' } },
      { reasoningContent: { reasoningText: { text: 'open' } } },
      { text: 'hi' },
      { text: '' },
      { citationsContent: { content: [{ text: 'quoted' }], citations: [] } },
      { toolUse: { toolUseId: 't1', name: 'f', input: { a: 1 } } },
      { toolUse: { toolUseId: 't2', name: 'g' } },
      { unheardOf: {} },
    ];
    expect(reply(content, 'tool_use').parts).toEqual([
      { type: 'reasoning', text: 'hm', seal: { family: 'anthropic', value: 'sig' } },
      { type: 'reasoning', text: '', hidden: true, seal: { family: 'anthropic', value: 'AAEC' } },
      { type: 'reasoning', text: 'open' },
      { type: 'text', text: 'hi' },
      { type: 'text', text: 'quoted' },
      { type: 'call', id: 't1', name: 'f', arguments: '{"a":1}' },
      { type: 'call', id: 't2', name: 'g', arguments: '{}' },
    ]);
  });

  it.each<[JsonObject, string]>([
    [{}, 'no output'],
    [{ output: {}, stopReason: 'end_turn' }, 'no message'],
    [{ output: { message: { content: text } } }, 'no stopReason'],
    [{ output: { message: { content: text } }, stopReason: 'malformed_tool_use' }, 'a call that is malformed'],
    [{ output: { message: { content: [{ toolUse: {} }] } }, stopReason: 'tool_use' }, 'a call without a name'],
  ])('does not take %j: %s', (body) => {
    expect(() => bedrockConverse.readReply(body, 'anthropic')).toThrow(expect.objectContaining({ code: 'upstream_failed' }));
  });
});

describe('usage', () => {
  it.each([
    ['none', undefined, undefined],
    ['plain', USAGE, USAGE],
    [
      'what the cache read and wrote is part of the input',
      {
        ...USAGE,
        cacheReadInputTokens: 100,
        cacheWriteInputTokens: 30,
        cacheDetails: [
          { ttl: '1h', inputTokens: 20 },
          { ttl: '5m', inputTokens: 10 },
        ],
      },
      { inputTokens: 140, outputTokens: 5, totalTokens: 145, cacheReadTokens: 100, cacheWriteTokens: 30, cacheWriteLongTokens: 20 },
    ],
    ['absent stays absent', { outputTokens: 3 }, { outputTokens: 3 }],
  ])('%s', (_what, usage, expected) => {
    expect(bedrockConverse.readUsage({ usage })).toEqual(expected === undefined ? {} : { usage: expected });
    expect(bedrockConverse.readReply({ output: { message: { content: text } }, stopReason: 'end_turn', usage }, 'x').usage).toEqual(
      expected,
    );
  });
});

describe('streamReader', () => {
  it.each(FINISHES)('reads stopReason %s', (stopReason, content, finish) => {
    const block =
      content === call ? [['contentBlockStart', { contentBlockIndex: 0, start: { toolUse: { toolUseId: 't', name: 'f' } } }] as const] : [];
    expect(stream([start, ...block, stop(stopReason), metadata])).toContainEqual({ type: 'finish', finish });
  });

  it('holds the finish until the metadata, and needs no start of text blocks', () => {
    const frames = [start, delta(0, { text: 'a' }), ['contentBlockStop', { contentBlockIndex: 0 }], stop('end_turn')] as const;
    expect(stream(frames, false)).toEqual([{ type: 'start' }, { type: 'text', text: 'a' }]);
    expect(stream([...frames, metadata], false).slice(2)).toEqual([
      { type: 'usage', usage: USAGE },
      { type: 'finish', finish: 'stop' },
      { type: 'end' },
    ]);
  });

  it('ends without metadata when the connection closes after the stop, and not before it', () => {
    expect(stream([start, stop('end_turn')])).toEqual([{ type: 'start' }, { type: 'finish', finish: 'stop' }, { type: 'end' }]);
    expect(stream([start, delta(0, { text: 'a' })])).toEqual([{ type: 'start' }, { type: 'text', text: 'a' }]);
    expect(stream([start, metadata])).toEqual([{ type: 'start' }, { type: 'usage', usage: USAGE }]);
    expect(stream([])).toEqual([]);
  });

  it('gives start once, also when its frame is missing, and end once', () => {
    expect(stream([delta(0, { text: 'a' }), start, stop('end_turn'), metadata, metadata]).map(({ type }) => type)).toEqual([
      'start',
      'text',
      'usage',
      'finish',
      'end',
    ]);
  });

  it('joins the pieces of a signature, and gives it before what follows', () => {
    const events = stream([
      start,
      delta(0, { reasoningContent: { text: 'hm' } }),
      delta(0, { reasoningContent: { signature: 'si' } }),
      delta(0, { reasoningContent: { signature: 'g' } }),
      ['contentBlockStop', { contentBlockIndex: 0 }],
      delta(1, { reasoningContent: { redactedContent: 'AAEC' } }),
      ['contentBlockStop', { contentBlockIndex: 1 }],
      delta(2, { text: 'a' }),
    ]);
    expect(events.slice(1)).toEqual([
      { type: 'reasoning', text: 'hm' },
      { type: 'seal', seal: { family: 'anthropic', value: 'sig' } },
      { type: 'seal', hidden: true, seal: { family: 'anthropic', value: 'AAEC' } },
      { type: 'text', text: 'a' },
    ]);
  });

  it('counts calls apart from blocks', () => {
    const begin = (contentBlockIndex: number, toolUseId: string) =>
      ['contentBlockStart', { contentBlockIndex, start: { toolUse: { toolUseId, name: 'f' } } }] as const;
    expect(
      stream([
        start,
        delta(0, { text: 'a' }),
        begin(1, 't1'),
        begin(2, 't2'),
        delta(2, { toolUse: { input: '{"b"' } }),
        delta(1, { toolUse: { input: '{}' } }),
        delta(2, { toolUse: { input: ':1}' } }),
      ]).slice(2),
    ).toEqual([
      { type: 'call', call: 0, id: 't1', name: 'f' },
      { type: 'call', call: 1, id: 't2', name: 'f' },
      { type: 'arguments', call: 1, text: '{"b"' },
      { type: 'arguments', call: 0, text: '{}' },
      { type: 'arguments', call: 1, text: ':1}' },
    ]);
  });

  it.each([
    ['throttlingException', 'slow down', { code: 'upstream_limited', vendor: { type: 'ThrottlingException' } }],
    ['modelStreamErrorException', 'x', { code: 'upstream_failed', vendor: { type: 'ModelStreamErrorException' } }],
    ['internalServerException', 'x', { code: 'upstream_failed', vendor: { type: 'InternalServerException' } }],
    ['serviceUnavailableException', 'x', { code: 'upstream_overloaded', vendor: { type: 'ServiceUnavailableException' } }],
    ['validationException', 'Bad thing.', { code: 'model_refused', message: 'Bad thing.', vendor: { type: 'ValidationException' } }],
    ['somethingNew', 'x', { code: 'upstream_failed', vendor: { type: 'somethingNew' } }],
    ['__proto__', 'x', { code: 'upstream_failed', vendor: { type: '__proto__' } }],
  ])('makes an error of the exception %s, after which nothing comes', (type, message, failure) => {
    expect(stream([start, stop('end_turn'), [`!${type}`, { message }], metadata])).toEqual([{ type: 'start' }, { type: 'error', failure }]);
  });

  it('makes an error of an exception whose payload is no JSON', () => {
    expect(bedrockConverse.streamReader('x').read({ event: '!throttlingException', data: 'no' })).toEqual([
      { type: 'error', failure: { code: 'upstream_limited', vendor: { type: 'ThrottlingException' } } },
    ]);
  });

  it('makes an error of an answer that Bedrock could not read, after its usage', () => {
    expect(stream([start, stop('malformed_model_output'), metadata]).slice(1)).toEqual([
      { type: 'usage', usage: USAGE },
      { type: 'error', failure: { code: 'upstream_failed', vendor: { type: 'malformed_model_output' } } },
    ]);
  });

  it.each([
    [{ event: 'contentBlockDelta', data: 'no' }, 'no JSON'],
    [{ event: 'contentBlockDelta', data: '[]' }, 'no object'],
    [{ event: 'contentBlockDelta', data: '{"contentBlockIndex":3,"delta":{"toolUse":{"input":"{}"}}}' }, 'arguments of no call'],
    [{ event: 'contentBlockStart', data: '{"contentBlockIndex":3,"start":{"toolUse":{"name":"f"}}}' }, 'a call without an id'],
  ])('cannot read %j: %s', (frame) => {
    expect(() => bedrockConverse.streamReader('x').read(frame)).toThrow(expect.objectContaining({ code: 'upstream_failed' }));
  });

  it('skips events that it does not know', () => {
    expect(
      stream([['newEvent', {}], start, ['contentBlockStart', { contentBlockIndex: 0, start: { image: {} } }], delta(0, { citation: {} })]),
    ).toEqual([{ type: 'start' }]);
  });
});
