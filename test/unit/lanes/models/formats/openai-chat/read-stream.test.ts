import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatEvent } from '../../../../../../src/core/chat.ts';
import type { JsonObject } from '../../../../../../src/core/json.ts';
import { openaiChat } from '../../../../../../src/lanes/models/formats/openai-chat/openai-chat.ts';

const FIXTURES = `${import.meta.dirname}/../../../../../fixtures/models/openai-chat`;
const recorded = (name: string) => JSON.parse(readFileSync(`${FIXTURES}/${name}.json`, 'utf8')) as string[];

function events(frames: readonly (string | JsonObject)[], family = 'openai'): ChatEvent[] {
  const reader = openaiChat.streamReader(family);
  const read = frames.flatMap((frame) => reader.read({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) }));
  return [...read, ...reader.close()];
}
const HEAD = { id: 'c1', model: 'm1' };
const START = { type: 'start', id: 'c1', model: 'm1' };
const delta = (delta: JsonObject, more: JsonObject = {}): JsonObject => ({
  ...HEAD,
  choices: [{ index: 0, delta, finish_reason: null, ...more }],
});
const call = (...calls: JsonObject[]) => delta({ tool_calls: calls });
const finish = (reason: string) => delta({}, { finish_reason: reason });
/** Without the frame around them. */
const inner = (...frames: (string | JsonObject)[]) => events(frames).filter(({ type }) => type !== 'start');

describe('recorded streams', () => {
  const usage = (inputTokens: number, outputTokens: number) => ({
    type: 'usage',
    usage: expect.objectContaining({
      inputTokens,
      outputTokens,
      totalTokens: inputTokens + outputTokens,
      cacheReadTokens: 0,
      reasoningTokens: 0,
    }),
  });

  it('of text', () => {
    expect(events(recorded('stream-text'))).toEqual([
      { type: 'start', id: 'chatcmpl-mock', model: 'gpt-mock' },
      { type: 'text', text: 'Echo:' },
      { type: 'text', text: ' Hello' },
      { type: 'text', text: ' there' },
      { type: 'finish', finish: 'stop' },
      usage(2, 3),
      { type: 'end' },
    ]);
  });

  it('of a tool call', () => {
    expect(events(recorded('stream-tools'))).toEqual([
      { type: 'start', id: 'chatcmpl-mock', model: 'gpt-mock' },
      { type: 'call', call: 0, id: 'call_mock_1', name: 'get_weather' },
      { type: 'arguments', call: 0, text: '{"city":"' },
      { type: 'arguments', call: 0, text: 'sample"}' },
      { type: 'finish', finish: 'tool_calls' },
      usage(4, 2),
      { type: 'end' },
    ]);
  });

  it('of Azure, whose first event has no choices, id or model', () => {
    expect(events(recorded('stream-azure'))).toEqual(events(recorded('stream-text')));
  });
});

describe('what servers do otherwise', () => {
  it('a new id at index 0 is a new call', () => {
    const a = { index: 0, id: 'a', function: { name: 'f', arguments: '{"x":' } };
    const b = { index: 0, id: 'b', function: { name: 'f', arguments: '{}' } };
    expect(inner(call(a), call({ index: 0, function: { arguments: '1}' } }), call(b), finish('tool_calls'), '[DONE]')).toEqual([
      { type: 'call', call: 0, id: 'a', name: 'f' },
      { type: 'arguments', call: 0, text: '{"x":' },
      { type: 'arguments', call: 0, text: '1}' },
      { type: 'call', call: 1, id: 'b', name: 'f' },
      { type: 'arguments', call: 1, text: '{}' },
      { type: 'finish', finish: 'tool_calls' },
      { type: 'end' },
    ]);
  });

  it('whole calls in one event, mixed indexes, no index at all', () => {
    const whole = call(
      { index: 1, id: 'b', function: { name: 'g', arguments: '{}' } },
      { index: 0, id: 'a', function: { name: 'f', arguments: '{}' } },
    );
    expect(inner(whole)).toMatchObject([
      { call: 0, id: 'b', name: 'g' },
      { call: 0, text: '{}' },
      { call: 1, id: 'a' },
      { call: 1, text: '{}' },
    ]);
    expect(
      inner(
        call({ id: 'a', function: { name: 'f', arguments: '{' } }),
        call({ function: { arguments: '}' } }),
        call({ id: 'b', function: { name: 'g' } }),
      ),
    ).toMatchObject([
      { call: 0, id: 'a' },
      { call: 0, text: '{' },
      { call: 0, text: '}' },
      { call: 1, id: 'b' },
    ]);
  });

  it('a repeated id is the same call', () => {
    const piece = (text: string) => call({ index: 0, id: 'a', function: { name: 'f', arguments: text } });
    expect(inner(piece('{'), piece('}'))).toEqual([
      { type: 'call', call: 0, id: 'a', name: 'f' },
      { type: 'arguments', call: 0, text: '{' },
      { type: 'arguments', call: 0, text: '}' },
    ]);
  });

  it('arguments are null or an object', () => {
    expect(inner(call({ index: 0, id: 'a', function: { name: 'f', arguments: null } }))).toEqual([
      { type: 'call', call: 0, id: 'a', name: 'f' },
    ]);
    expect(inner(call({ index: 0, id: 'a', function: { name: 'f', arguments: { x: 1 } } })).at(-1)).toEqual({
      type: 'arguments',
      call: 0,
      text: '{"x":1}',
    });
  });

  it('a name that comes late, an id that never comes', () => {
    expect(
      inner(
        call({ index: 0, id: 'a' }),
        call({ index: 0, function: { arguments: '{' } }),
        call({ index: 0, function: { name: 'f', arguments: '}' } }),
      ),
    ).toEqual([
      { type: 'call', call: 0, id: 'a', name: 'f' },
      { type: 'arguments', call: 0, text: '{}' },
    ]);
    expect(inner(call({ index: 0, function: { name: 'f' } }), call({ index: 1, function: { name: 'f' } }))).toEqual([
      { type: 'call', call: 0, id: 'call_c1_0', name: 'f' },
      { type: 'call', call: 1, id: 'call_c1_1', name: 'f' },
    ]);
  });

  it('a name that never comes is a failure, unless the answer was cut short', () => {
    const nameless = call({ index: 0, id: 'a', function: { arguments: '{"x":1}' } });
    const named = call({ index: 0, id: 'b', function: { name: 'f', arguments: '{}' } });
    for (const reason of ['tool_calls', 'stop'])
      for (const pieces of [[nameless], [nameless, named]])
        expect(() => inner(...pieces, finish(reason))).toThrow(expect.objectContaining({ code: 'upstream_failed' }));
    expect(inner(delta({ content: 'x' }), nameless, finish('length'))).toEqual([
      { type: 'text', text: 'x' },
      { type: 'finish', finish: 'length' },
    ]);
  });

  it('an empty list of calls, empty choices, events about something else', () => {
    expect(inner(delta({ tool_calls: [] }), { ...HEAD, choices: [] }, { moderation: { flagged: false } }, '')).toEqual([]);
  });

  it('only choice 0 is read', () => {
    expect(
      inner({
        ...HEAD,
        choices: [
          { index: 1, delta: { content: 'no' } },
          { index: 0, delta: { content: 'yes' } },
        ],
      }),
    ).toEqual([{ type: 'text', text: 'yes' }]);
  });

  it('calls that end with stop are calls, and a refusal is a refusal', () => {
    expect(inner(call({ index: 0, id: 'a', function: { name: 'f' } }), finish('stop')).at(-1)).toEqual({
      type: 'finish',
      finish: 'tool_calls',
    });
    expect(inner(delta({ refusal: 'no' }), finish('stop'))).toEqual([
      { type: 'refusal', text: 'no' },
      { type: 'finish', finish: 'refusal' },
    ]);
  });

  it('usage in the last event of content, in every event, in x_groq, in the choice', () => {
    const counts = { prompt_tokens: 3, completion_tokens: 4 };
    const usage = { type: 'usage', usage: { inputTokens: 3, outputTokens: 4 } };
    expect(inner({ ...finish('stop'), usage: counts })).toEqual([{ type: 'finish', finish: 'stop' }, usage]);
    expect(inner({ ...delta({ content: 'a' }), usage: counts }, { ...delta({ content: 'b' }), usage: counts })).toEqual([
      { type: 'text', text: 'a' },
      usage,
      { type: 'text', text: 'b' },
      usage,
    ]);
    expect(inner({ ...finish('stop'), x_groq: { usage: counts } }).at(-1)).toEqual(usage);
    expect(inner(delta({}, { usage: counts }))).toEqual([usage]);
    expect(inner({ ...delta({ role: '' }), usage: { total_tokens: 0, total_characters: 0 } })).toEqual([]);
  });

  it('no id and no model anywhere', () => {
    expect(events([{ choices: [{ delta: { content: 'a' } }] }])).toEqual([{ type: 'start' }, { type: 'text', text: 'a' }]);
  });

  it('a list as content, with thinking in it', () => {
    const content = [
      { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
      { type: 'text', text: 'so' },
    ];
    expect(inner(delta({ content }))).toEqual([
      { type: 'reasoning', text: 'hm' },
      { type: 'text', text: 'so' },
    ]);
  });

  it('[DONE] completes what has a finish, the end of the connection completes nothing', () => {
    expect(events([delta({ content: 'a' }), finish('stop'), '[DONE]', delta({ content: 'late' })])).toEqual([
      START,
      { type: 'text', text: 'a' },
      { type: 'finish', finish: 'stop' },
      { type: 'end' },
    ]);
    for (const frames of [[delta({ content: 'a' }), '[DONE]'], ['[DONE]']])
      expect(() => events(frames)).toThrow(expect.objectContaining({ code: 'upstream_failed' }));
    expect(inner(delta({ content: 'a' }), finish('stop'))).toEqual([
      { type: 'text', text: 'a' },
      { type: 'finish', finish: 'stop' },
    ]);
  });

  it('an event that is no JSON', () => {
    expect(() => events(['{"id":"c1","choices":[{"delta":{"content":"oo'])).toThrow(expect.objectContaining({ code: 'upstream_failed' }));
  });
});

describe('reasoning in a stream', () => {
  it.each(['reasoning_content', 'reasoning'])('in the field %s', (field) => {
    expect(inner(delta({ [field]: 'hm', content: null }))).toEqual([{ type: 'reasoning', text: 'hm' }]);
  });

  it('said twice by OpenRouter is read once, with its seal', () => {
    const detail = (more: JsonObject) => ({ type: 'reasoning.text', format: 'anthropic-claude-v1', index: 0, ...more });
    expect(
      inner(
        delta({ reasoning: 'hm', reasoning_details: [detail({ text: 'hm' })] }),
        delta({ reasoning_details: [detail({ signature: 's' })] }),
      ),
    ).toEqual([
      { type: 'reasoning', text: 'hm' },
      { type: 'seal', seal: { family: 'anthropic', value: 's' } },
    ]);
  });

  it('in details only, encrypted, of an unnamed family', () => {
    expect(
      inner(
        delta({
          reasoning_details: [
            { type: 'reasoning.summary', summary: 'hm' },
            { type: 'reasoning.encrypted', data: 'd', format: 'unknown' },
          ],
        }),
      ),
    ).toEqual([
      { type: 'reasoning', text: 'hm' },
      { type: 'seal', seal: { family: 'openai', value: 'd' }, hidden: true },
    ]);
  });

  it('the seal of a call, beside it or before it; one that finds no call is not lost', () => {
    expect(
      inner(call({ index: 0, id: 'a', function: { name: 'f' }, extra_content: { google: { thought_signature: 's' } } })),
    ).toMatchObject([{ seal: { family: 'gemini', value: 's' } }]);
    const detail = { type: 'reasoning.encrypted', data: 'd', id: 'a', format: 'google-gemini-v1' };
    expect(inner(delta({ reasoning_details: [detail] }), call({ index: 0, id: 'a', function: { name: 'f' } }), finish('stop'))).toEqual([
      { type: 'call', call: 0, id: 'a', name: 'f', seal: { family: 'gemini', value: 'd' } },
      { type: 'finish', finish: 'tool_calls' },
    ]);
    expect(inner(delta({ reasoning_details: [detail] }), finish('stop'))).toEqual([
      { type: 'seal', seal: { family: 'gemini', value: 'd' }, hidden: true },
      { type: 'finish', finish: 'stop' },
    ]);
  });
});

describe('errors in a stream', () => {
  it.each([
    [
      'OpenAI',
      { error: { message: 'boom', type: 'server_error', param: null, code: null } },
      { code: 'upstream_failed', vendor: { type: 'server_error' } },
    ],
    [
      'vLLM',
      { object: 'error', message: 'bad', type: 'BadRequestError', code: 400 },
      { code: 'model_refused', message: 'bad', vendor: { type: 'BadRequestError', code: '400' } },
    ],
    [
      'OpenRouter',
      { ...HEAD, error: { code: 502, message: 'x' }, choices: [{ index: 0, delta: { content: '' }, finish_reason: 'error' }] },
      { code: 'upstream_failed', vendor: { code: '502' } },
    ],
    ['OpenRouter, limited', { error: { code: 429, message: 'slow' } }, { code: 'upstream_limited', vendor: { code: '429' } }],
    ['only the word', { choices: [{ index: 0, delta: {}, finish_reason: 'error' }] }, { code: 'upstream_failed' }],
    ['DeepSeek', { choices: [{ index: 0, delta: {}, finish_reason: 'insufficient_system_resource' }] }, { code: 'upstream_overloaded' }],
  ])('of %s end it', (_, frame, failure) => {
    expect(inner(delta({ content: 'a' }), frame, delta({ content: 'b' }), '[DONE]')).toEqual([
      { type: 'text', text: 'a' },
      { type: 'error', failure },
    ]);
  });

  it('by the name of the event', () => {
    const [event] = openaiChat.streamReader('openai').read({ event: 'error', data: '{"message":"x","code":"rate_limit_exceeded"}' });
    expect(event).toEqual({ type: 'error', failure: { code: 'upstream_limited', vendor: { code: 'rate_limit_exceeded' } } });
  });
});

describe('a stream cut anywhere', () => {
  const joined = (all: readonly ChatEvent[]) =>
    all.reduce<ChatEvent[]>((into, event) => {
      const last = into.at(-1);
      const same =
        last?.type === event.type &&
        'text' in last &&
        'text' in event &&
        ('call' in last ? last.call : -1) === ('call' in event ? event.call : -1);
      if (same) into[into.length - 1] = { ...last, text: last.text + event.text } as ChatEvent;
      else into.push(event);
      return into;
    }, []);
  const pieces = (text: string, cuts: readonly number[]): string[] => {
    const at = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
    return at.slice(1).map((end, i) => text.slice(at[i], end));
  };

  it('says the same', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.json(), fc.array(fc.nat(), { maxLength: 6 }), (thought, said, json, cuts) => {
        const frames = (cut: readonly number[]) => [
          ...pieces(thought, cut).map((piece) => delta({ reasoning_content: piece })),
          ...pieces(said, cut).map((piece) => delta({ content: piece })),
          call({ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }),
          ...pieces(json, cut).map((piece) => call({ index: 0, function: { arguments: piece } })),
          finish('tool_calls'),
          '[DONE]',
        ];
        expect(joined(events(frames(cuts)))).toEqual(joined(events(frames([]))));
      }),
    );
  });
});
