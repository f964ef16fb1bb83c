import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anthropicMessages } from '../../../../../src/lanes/models/formats/anthropic-messages/anthropic-messages.ts';
import { openaiChat } from '../../../../../src/lanes/models/formats/openai-chat/openai-chat.ts';
import { openaiResponses } from '../../../../../src/lanes/models/formats/openai-responses/openai-responses.ts';
import { scanReply } from '../../../../../src/lanes/models/passing/scan-reply.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';
import type { ChatCodec } from '../../../../../src/core/contracts/provider.ts';

const COUNTS = { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 };
const USAGE = { inputTokens: 5, outputTokens: 7, totalTokens: 12 };
const chat = (message: object, more: object = {}): object => ({
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-9',
  choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: 'stop' }],
  usage: COUNTS,
  ...more,
});
const message = (content: readonly object[], more: object = {}): object => ({
  id: 'msg',
  type: 'message',
  role: 'assistant',
  model: 'claude-9',
  content,
  stop_reason: 'end_turn',
  usage: { input_tokens: 5, output_tokens: 7 },
  ...more,
});
const scan = (body: unknown, codec: ChatCodec = openaiChat) => {
  const { usage, model } = scanReply(codec, Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
  return { usage, model };
};
/** What the same bytes say when they are read whole. */
const truth = (body: object, codec: ChatCodec = openaiChat) => {
  const { usage, model } = codec.readUsage(body as never);
  return { usage, model };
};

describe('usage and model of an answer that passes', () => {
  it.each([
    ['plain', chat({ content: 'hi' })],
    ['a text that is the word', chat({ content: 'usage' })],
    ['a text with JSON in it', chat({ content: '{"usage":{"prompt_tokens":999,"completion_tokens":999},"model":"evil"}' })],
    ['arguments with JSON in them', chat({ tool_calls: [{ function: { name: 'usage', arguments: '{"usage":{"prompt_tokens":9}}' } }] })],
    ['texts of all languages', chat({ content: 'Zürich 🌧️ 東京 \u2028 \\ " }' })],
    ['usage before the choices', { usage: COUNTS, model: 'gpt-9', choices: chat({}) && [{ message: { content: 'usage' } }] }],
    ['no usage', chat({ content: 'x' }, { usage: undefined })],
    ['usage null', chat({ content: 'x' }, { usage: null })],
  ])('%s', (_, body) => {
    expect(scan(body)).toEqual(truth(JSON.parse(JSON.stringify(body))));
    expect(scan(JSON.stringify(body, null, 2))).toEqual(truth(JSON.parse(JSON.stringify(body))));
    expect(scan(`\n ${JSON.stringify(body)} \r\n`)).toEqual(truth(JSON.parse(JSON.stringify(body))));
  });

  it.each([
    [
      'after',
      message([{ type: 'tool_use', id: 't', name: 'f', input: { usage: { input_tokens: 999, output_tokens: 999 }, model: 'evil' } }]),
    ],
    [
      'before',
      {
        usage: { input_tokens: 5, output_tokens: 7 },
        model: 'claude-9',
        content: [{ type: 'tool_use', id: 't', name: 'f', input: { usage: { input_tokens: 999, output_tokens: 999 } } }],
      },
    ],
    [
      'before, without counts',
      { usage: { input_tokens: 5, output_tokens: 7 }, content: [{ type: 'tool_use', input: { usage: { disk: 1 } } }] },
    ],
  ])('usage is that of the vendor, and not that in the arguments of a tool that stand %s it', (_, body) => {
    expect(scan(body, anthropicMessages)).toEqual(truth(body, anthropicMessages));
    expect(scan(JSON.stringify(body, null, 1), anthropicMessages).usage).toMatchObject({ inputTokens: 5, outputTokens: 7 });
  });

  it('the model is that of the vendor, and not one in the arguments of a tool that stand before it', () => {
    const content = [{ type: 'tool_use', id: 't', name: 'f', input: { model: 'evil', deep: [{ model: '{"model":"worse"}' }] } }];
    const body = { content, model: 'claude-9', usage: { input_tokens: 5, output_tokens: 7 } };
    for (const space of [undefined, 2])
      expect(scan(JSON.stringify(body, null, space), anthropicMessages)).toEqual({
        model: 'claude-9',
        usage: { inputTokens: 5, outputTokens: 7 },
      });
    expect(scan({ content, usage: body.usage }, anthropicMessages).model).toBeUndefined();
  });

  it('bytes that end like an answer and are none are no trap', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('"', '\\', '{', '}', '[', ']', ':', ',', 'model', '"model"', 'x')), (junk) => {
        const text = `{${junk.join('')},"usage":{"input_tokens":5,"output_tokens":7}}`;
        expect(scan(text, anthropicMessages).usage).toMatchObject({ inputTokens: 5 });
      }),
    );
  });

  it('usage is found in an answer that repeats tools and their schemas behind it', () => {
    const body = {
      id: 'r',
      object: 'response',
      model: 'gpt-9',
      output: [],
      usage: { input_tokens: 5, output_tokens: 7, total_tokens: 12 },
      tools: [{ type: 'function', name: 'f', parameters: { properties: { usage: { type: 'string' } }, required: ['usage'] } }],
    };
    expect(scan(body, openaiResponses)).toEqual(truth(body, openaiResponses));
  });

  it.each(['a"b', 'a\\b', 'ünïcode', 'tab\there', 'org/model:latest', ''])('the model %j is read as it is called', (model) => {
    expect(scan(chat({ content: 'x' }, { model })).model).toBe(model === '' ? undefined : model);
  });

  it('the model is read when its letters are escaped', () => {
    expect(scan(JSON.stringify(chat({ content: 'x' })).replace('gpt-9', '\\u0067pt-9')).model).toBe('gpt-9');
  });

  it('any answer gives what reading it whole gives', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('usage', '"usage":{"prompt_tokens":1}', 'model', '}', '{', '"'));
    fc.assert(
      fc.property(text, text, fc.nat(), fc.option(fc.nat()), fc.boolean(), (content, given, input, output, pretty) => {
        const usage = { prompt_tokens: input, ...(output === null ? {} : { completion_tokens: output }), note: given };
        const body = JSON.parse(JSON.stringify(chat({ content, tool_calls: [{ function: { arguments: given } }] }, { usage }))) as object;
        expect(scan(JSON.stringify(body, null, pretty ? 1 : undefined))).toEqual(truth(body));
      }),
    );
  });

  it('the recorded answers say the same', () => {
    for (const name of ['whole-text', 'whole-tools']) {
      const recorded = readFileSync(`${import.meta.dirname}/../../../../fixtures/models/openai-chat/${name}.json`);
      expect(scan(recorded.toString())).toEqual(truth(JSON.parse(recorded.toString())));
    }
  });
});

describe('what is no answer', () => {
  const whole = JSON.stringify(chat({ content: 'hello' }));

  it('a cut one, wherever it was cut', () => {
    for (let at = 0; at < whole.length; at++)
      expect(() => scan(whole.slice(0, at)), whole.slice(0, at)).toThrow(/not JSON|without a choice/);
    const noUsage = JSON.stringify(chat({ content: 'hello' }, { usage: undefined }));
    for (let at = 0; at < noUsage.length; at++) expect(() => scan(noUsage.slice(0, at))).toThrow(/not JSON|without a choice/);
  });

  it.each(['', '   ', '[]', '"text"', '<html>', 'null', '{"choices":[]}', '{ "choices" : [ ] , "usage" : {"prompt_tokens":1} }'])(
    '%j',
    (body) => {
      expect(() => scan(body)).toThrow(expect.objectContaining({ code: 'upstream_failed' }));
    },
  );

  it('an error with the status of success is classified as the codec classifies it', () => {
    const thrown = (call: () => unknown): unknown => {
      try {
        return call();
      } catch (error) {
        return { code: (error as { code: unknown }).code, message: (error as Error).message };
      }
    };
    const errors: [ChatCodec, object][] = [
      [openaiChat, { error: { message: 'slow', type: 'requests', code: 'rate_limit_exceeded' } }],
      [openaiChat, { error: { message: 'slow', code: 'rate_limit_exceeded' }, choices: [{ index: 0, message: {} }] }],
      [openaiChat, { object: 'error', message: 'too long', code: 400 }],
      [anthropicMessages, { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }],
      [openaiResponses, { error: { message: 'slow', type: 'requests', code: 'rate_limit_exceeded' } }],
      [openaiResponses, { id: 'r', status: 'failed', output: [], usage: null, error: { code: 'rate_limit_exceeded', message: 'slow' } }],
    ];
    for (const [codec, body] of errors) {
      const told = thrown(() => codec.readReply(JSON.parse(JSON.stringify(body)) as JsonObject, 'any'));
      expect(told).toMatchObject({ code: expect.any(String) });
      expect(thrown(() => scan(body, codec))).toEqual(told);
    }
    expect(thrown(() => scan(errors[0]![1]))).toMatchObject({ code: 'upstream_limited' });
  });

  it('a response that is not done yet passes', () => {
    expect(scan({ id: 'r', status: 'queued', model: 'gpt', output: [], usage: null, error: null }, openaiResponses)).toEqual({
      model: 'gpt',
    });
  });

  it('an error without words', () => {
    expect(() => scan({ error: { message: 'Provider returned error', code: 502 } })).toThrow(
      expect.objectContaining({ code: 'upstream_failed' }),
    );
  });
});

it('USAGE is what the counts mean', () => {
  expect(scan(chat({ content: 'x' })).usage).toEqual(USAGE);
});
