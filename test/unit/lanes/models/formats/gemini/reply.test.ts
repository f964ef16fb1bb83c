import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatEvent, ChatReply, Finish } from '../../../../../../src/core/chat.ts';
import { GatewayError } from '../../../../../../src/core/errors.ts';
import type { JsonObject } from '../../../../../../src/core/json.ts';
import { partsOf } from '../../../../../../src/lanes/models/formats/gemini/events.ts';
import { gemini } from '../../../../../../src/lanes/models/formats/gemini/gemini.ts';

interface Transcript {
  readonly chunks: readonly JsonObject[];
  readonly events: readonly ChatEvent[];
}

function transcript(name: string): Transcript {
  return JSON.parse(readFileSync(new URL(`../../../../../fixtures/models/gemini/${name}.json`, import.meta.url), 'utf8')) as Transcript;
}

/** All steps of a stream, with those of its end. */
function stream(...chunks: readonly unknown[]): ChatEvent[] {
  const reader = gemini.streamReader('gemini');
  const events = chunks.flatMap((chunk) => reader.read({ data: JSON.stringify(chunk) }));
  return [...events, ...reader.close()];
}

function chunk(parts: readonly unknown[], more: JsonObject = {}): JsonObject {
  return { candidates: [{ content: { role: 'model', parts }, index: 0, ...more }], responseId: 'r' };
}

const finished = (finishReason: string, parts: readonly unknown[] = [{ text: 'a' }]): JsonObject => chunk(parts, { finishReason });
const types = (events: readonly ChatEvent[]): string[] => events.map(({ type }) => type);

describe('a stream of Gemini', () => {
  it.each(['tools-stream', 'text-stream'])('is read as the golden %s', (name) => {
    const { chunks, events } = transcript(name);
    expect(stream(...chunks)).toEqual(events);
  });

  it.each(['tools-stream', 'text-stream'])('%s that is cut at any place has no end', (name) => {
    const { chunks, events } = transcript(name);
    for (let count = 0; count < chunks.length; count++) {
      const seen = stream(...chunks.slice(0, count));
      expect(events.slice(0, seen.length)).toEqual(seen);
      expect(types(seen)).not.toContain('end');
    }
  });

  it('reports an error inside, and nothing after it', () => {
    const error = { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE', details: [] };
    expect(stream(chunk([{ text: 'a' }]), { error }, finished('STOP')).slice(2)).toEqual([
      { type: 'error', failure: { code: 'upstream_overloaded', vendor: { type: 'UNAVAILABLE' } } },
    ]);
  });

  it('of a blocked prompt is refused content, with what it cost', () => {
    const blocked = { promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 9 }, modelVersion: 'g' };
    expect(stream(blocked)).toEqual([
      { type: 'start', model: 'g' },
      { type: 'usage', usage: { inputTokens: 9 } },
      {
        type: 'error',
        failure: { code: 'content_refused', message: 'The provider refuses the prompt (SAFETY).', vendor: { type: 'SAFETY' } },
      },
    ]);
  });

  it('keeps the parts that come after a reason to finish', () => {
    expect(stream(finished('STOP', []), chunk([{ text: 'late' }]), finished('MAX_TOKENS', [])).slice(1)).toEqual([
      { type: 'text', text: 'late' },
      { type: 'finish', finish: 'length' },
      { type: 'end' },
    ]);
  });

  it('gives the ids of the vendor, and makes those that are missing of characters that all formats take', () => {
    const calls = [{ functionCall: { id: 'abc', name: 'f', args: {} } }, { functionCall: { name: 'f' } }];
    const events = stream({ ...chunk(calls), responseId: 'r/1+2' }, chunk([{ functionCall: { name: 'g', args: { a: 1 } } }]));
    expect(events.filter(({ type }) => type === 'call')).toMatchObject([
      { call: 0, id: 'abc' },
      { call: 1, id: 'call_r_1_2_1' },
      { call: 2, id: 'call_r_2' },
    ]);
    expect(events.filter(({ type }) => type === 'arguments')).toMatchObject([{ text: '{}' }, { text: '{}' }, { text: '{"a":1}' }]);
  });

  it.each([{ name: 'f', willContinue: true }, { name: 'f', partialArgs: [{ jsonPath: '$.a', stringValue: 'b' }] }, { args: {} }])(
    'with a call that is not whole cannot be read: %j',
    (functionCall) => {
      expect(() => stream(chunk([{ functionCall }]))).toThrow(expect.objectContaining({ code: 'upstream_failed' }));
    },
  );

  it.each(['', 'nonsense', '[]', '{"candidates":[{"content":{"parts":[{"te'])('cannot be read from %j', (data) => {
    expect(() => gemini.streamReader('gemini').read({ data })).toThrow(expect.objectContaining({ code: 'upstream_failed' }));
  });
});

describe('why an answer ended', () => {
  const table: [string, Finish][] = [
    ['STOP', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['SAFETY', 'filtered'],
    ['RECITATION', 'filtered'],
    ['BLOCKLIST', 'filtered'],
    ['PROHIBITED_CONTENT', 'filtered'],
    ['SPII', 'filtered'],
    ['IMAGE_SAFETY', 'filtered'],
    ['IMAGE_PROHIBITED_CONTENT', 'filtered'],
    ['IMAGE_RECITATION', 'filtered'],
    ['LANGUAGE', 'filtered'],
    ['OTHER', 'filtered'],
    ['CONTINUATION', 'pause'],
    ['SOMETHING_NEW', 'stop'],
    ['constructor', 'stop'],
  ];
  it.each(table)('%s is %s', (reason, finish) => {
    expect(gemini.readReply(finished(reason), 'gemini').finish).toBe(finish);
    expect(stream(finished(reason)).slice(-2)).toEqual([{ type: 'finish', finish }, { type: 'end' }]);
  });

  it('STOP after a call is tool_calls, and a cut is a cut all the same', () => {
    const call = [{ functionCall: { name: 'f', args: {} } }];
    expect(gemini.readReply(finished('STOP', call), 'gemini').finish).toBe('tool_calls');
    expect(gemini.readReply(finished('MAX_TOKENS', call), 'gemini').finish).toBe('length');
  });

  it.each(['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'TOO_MANY_TOOL_CALLS', 'MALFORMED_RESPONSE'])('%s is a failure', (reason) => {
    expect(() => gemini.readReply(finished(reason), 'gemini')).toThrow(
      expect.objectContaining({ code: 'upstream_failed', detail: reason }),
    );
    const events = stream({ ...finished(reason), usageMetadata: { promptTokenCount: 1 } });
    expect(types(events)).toEqual(['start', 'text', 'usage', 'error']);
    expect(events.at(-1)).toEqual({ type: 'error', failure: { code: 'upstream_failed', vendor: { type: reason } } });
  });
});

describe('a whole answer of Gemini', () => {
  it('is what its stream brings', () => {
    const { chunks } = transcript('tools-stream');
    const parts = chunks.flatMap((one) => (one['candidates'] as { content: { parts: unknown[] } }[])[0]?.content.parts);
    expect(gemini.readReply({ ...chunks.at(-1), ...finished('STOP', parts), responseId: 'aZ3_x-9' }, 'gemini')).toEqual({
      id: 'aZ3_x-9',
      model: 'gemini-3.5-flash',
      parts: [
        { type: 'reasoning', text: 'Two cities, two calls.' },
        { type: 'text', text: 'I look it up.' },
        {
          type: 'call',
          id: 'call_aZ3_x-9_0',
          name: 'weather',
          arguments: '{"city":"Köln","days":2}',
          seal: { family: 'gemini', value: 'c2lnLTE=' },
        },
        { type: 'call', id: 'call_aZ3_x-9_1', name: 'weather', arguments: '{"city":"Bonn"}' },
      ],
      finish: 'tool_calls',
      usage: { inputTokens: 40, outputTokens: 39, totalTokens: 79, reasoningTokens: 8, cacheReadTokens: 16 },
    } satisfies ChatReply);
  });

  it('goes back with each signature where it was', () => {
    const parts = [
      { text: 'hm', thought: true, thoughtSignature: 's1' },
      { text: 'yes', thoughtSignature: 's2' },
      { functionCall: { id: 'c1', name: 'f', args: { a: [1] } }, thoughtSignature: 's3' },
      { functionCall: { id: 'c2', name: 'f', args: {} } },
    ];
    const reply = gemini.readReply(finished('STOP', parts), 'gemini');
    const ask = {
      model: 'm',
      stream: false,
      system: [],
      turns: [{ role: 'assistant', parts: reply.parts } as const],
      tools: [],
      unread: [],
    };
    const { body, dropped } = gemini.writeRequest(ask, { model: 'gemini-3.5-flash', family: 'gemini' });
    expect(body['contents']).toEqual([{ role: 'model', parts }]);
    expect(dropped).toEqual([]);
  });

  it.each<[string, JsonObject, string]>([
    ['content_refused', { promptFeedback: { blockReason: 'OTHER', blockReasonMessage: 'No.' } }, 'No.'],
    ['upstream_failed', { usageMetadata: { promptTokenCount: 1 } }, 'The provider sent an answer without a candidate.'],
    ['model_refused', { error: { code: 400, message: 'Bad.' } }, 'Bad.'],
  ])('that is none is %s', (code, body, message) => {
    expect(() => gemini.readReply(body, 'gemini')).toThrow(expect.objectContaining({ code, message }));
  });
});

describe('usage', () => {
  it.each<[JsonObject, object | undefined]>([
    [
      { promptTokenCount: 10, toolUsePromptTokenCount: 5, candidatesTokenCount: 3, thoughtsTokenCount: 4, totalTokenCount: 22 },
      { inputTokens: 15, outputTokens: 7, totalTokens: 22, reasoningTokens: 4 },
    ],
    [{ promptTokenCount: 10 }, { inputTokens: 10 }],
    [
      { promptTokenCount: 10, cachedContentTokenCount: 0 },
      { inputTokens: 10, cacheReadTokens: 0 },
    ],
    [
      {
        promptTokenCount: 10,
        promptTokensDetails: [
          { modality: 'TEXT', tokenCount: 2 },
          { modality: 'AUDIO', tokenCount: 8 },
        ],
        candidatesTokenCount: 6,
        candidatesTokensDetails: [{ modality: 'AUDIO', tokenCount: 6 }],
      },
      { inputTokens: 10, inputAudioTokens: 8, outputTokens: 6, outputAudioTokens: 6 },
    ],
    [{ trafficType: 'ON_DEMAND' }, undefined],
  ])('of %j', (usageMetadata, usage) => {
    expect(gemini.readUsage({ usageMetadata, modelVersion: 'g' })).toEqual({ model: 'g', ...(usage && { usage }) });
  });
});

describe('whatever comes', () => {
  const words = fc.string({ minLength: 1, maxLength: 12 });
  const signature = fc.option(fc.base64String({ minLength: 4, maxLength: 8 }), { nil: undefined });
  const wirePart = fc.oneof(
    fc.record({ text: words, thought: fc.boolean() }),
    fc.record({ text: words, thought: fc.boolean(), thoughtSignature: signature }),
    fc.record({ functionCall: fc.record({ name: words, args: fc.dictionary(words, fc.jsonValue()) }), thoughtSignature: signature }),
    fc.record({ inlineData: fc.record({ mimeType: words, data: words }) }),
  );
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

  it('a stream brings the same parts as the whole, wherever the chunks are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(wirePart, fc.nat(12), fc.boolean()), { minLength: 1, maxLength: 8 }), (cuts) => {
        const whole = gemini.readReply(
          plain(
            finished(
              'STOP',
              cuts.map(([part]) => part),
            ),
          ) as JsonObject,
          'gemini',
        );
        // A text may come in two pieces, the signature with the second; parts may share a chunk.
        const pieces = cuts.flatMap(([part, at, alone]): { part: unknown; alone: boolean }[] => {
          if (!('text' in part)) return [{ part, alone }];
          const { text, thought } = part;
          const last = { part: { ...part, text: text.slice(at) }, alone };
          return at > 0 ? [{ part: { text: text.slice(0, at), thought }, alone }, last] : [last];
        });
        const chunks: unknown[][] = [];
        for (const { part, alone } of pieces) {
          const open = chunks.at(-1);
          if (alone || open === undefined) chunks.push([part]);
          else open.push(part);
        }
        const events = stream(...chunks.map((parts) => chunk(parts)), finished('STOP', []));
        expect(partsOf(events)).toEqual(whole.parts);
        expect(types(events).filter((type) => type === 'start' || type === 'end')).toEqual(['start', 'end']);
        expect(events.at(-1)?.type).toBe('end');
      }),
    );
  });

  it('a frame is read or refused as upstream_failed', () => {
    const odd = fc.oneof(
      fc.jsonValue(),
      fc.record({ candidates: fc.jsonValue(), usageMetadata: fc.jsonValue(), promptFeedback: fc.jsonValue() }),
      fc.record({ candidates: fc.array(fc.record({ content: fc.record({ parts: fc.array(fc.oneof(wirePart, fc.jsonValue())) }) })) }),
      fc.record({ error: fc.dictionary(fc.constantFrom('code', 'message', 'status', 'details'), fc.jsonValue()) }),
    );
    fc.assert(
      fc.property(fc.array(odd, { maxLength: 4 }), (frames) => {
        try {
          const ends = types(stream(...frames)).filter((type) => type === 'end' || type === 'error');
          expect(ends.length).toBeLessThanOrEqual(1);
        } catch (error) {
          expect(error).toBeInstanceOf(GatewayError);
          expect(error).toMatchObject({ code: 'upstream_failed' });
        }
      }),
    );
  });
});
