import { ProviderError } from '../../../../../src/lanes/models/provider-error.ts';
import { describe, expect, it } from 'vitest';
import { anthropicMessages } from '../../../../../src/lanes/models/formats/anthropic-messages/anthropic-messages.ts';
import { openaiResponses } from '../../../../../src/lanes/models/formats/openai-responses/openai-responses.ts';
import { NO_MASK, chat, CODECS, cutAt, DONE, NAMES, relayed, said, transcript } from './streams.ts';

const cases = CODECS.flatMap((codec) => NAMES.map((name) => ({ codec, format: codec.format, name })));
const framesOf = (text: string): string[] => text.split(/(?<=\n\n)/);
const crlf = (bytes: Buffer): Buffer => Buffer.from(bytes.toString().replaceAll('\n', '\r\n'));

describe.each(cases)('$format, $name', ({ codec, format, name }) => {
  const bytes = transcript(format, name);
  const isChat = format === 'openai-chat';
  const isUsage = (frame: string): boolean => isChat && frame.includes('"choices":[]') && frame.includes('"usage":{');
  const shown = framesOf(bytes.toString())
    .filter((frame) => !isUsage(frame))
    .join('');

  it('passes the same bytes wherever the pieces are cut', async () => {
    for (let at = 1; at < bytes.length; at++) {
      const { text, error } = await relayed(cutAt(bytes, at), { codec });
      if (text !== bytes.toString() || error !== undefined) expect({ at, text, error }).toEqual({ at, text: bytes.toString() });
    }
    const byBytes = await relayed(
      [...bytes].map((byte) => Buffer.from([byte])),
      { codec },
    );
    expect(byBytes.text).toBe(bytes.toString());
  });

  it('hides the frame of usage and nothing else, wherever the pieces are cut', async () => {
    for (let at = 1; at < bytes.length; at += 5) {
      const { text, error } = await relayed(cutAt(bytes, at), { codec, hidesUsage: true });
      if (text !== shown || error !== undefined) expect({ at, text, error }).toEqual({ at, text: shown });
    }
    const whole = await relayed([bytes], { codec, hidesUsage: true });
    expect(whole.text).toBe(shown);
  });

  it('passes line ends as they come', async () => {
    const ends = crlf(bytes);
    for (let at = 1; at < ends.length; at += 2) {
      const { text, error } = await relayed(cutAt(ends, at), { codec });
      if (text !== ends.toString() || error !== undefined) expect({ at, text, error }).toEqual({ at, text: ends.toString() });
    }
    const shownEnds = crlf(Buffer.from(shown)).toString();
    expect((await relayed([ends], { codec, hidesUsage: true })).text).toBe(shownEnds);
  });

  it('says what was used, as the same frames read whole say it', async () => {
    const reader = codec.streamReader('any');
    const used = {};
    for (const frame of framesOf(bytes.toString())) {
      const event = /^event: (.*)$/m.exec(frame)?.[1];
      const data = /^data: (.*)$/m.exec(frame)?.[1] ?? '';
      for (const step of reader.read(event === undefined ? { data } : { event, data }))
        if (step.type === 'usage') Object.assign(used, step.usage);
    }
    const { watch } = await relayed([bytes], { codec, hidesUsage: true });
    expect(watch.complete).toBe(true);
    const { usage, model } = watch.usage;
    expect(usage ?? {}).toMatchObject(used);
    expect(Object.keys(usage ?? {}).toSorted()).toEqual(Object.keys(used).length === 0 ? [] : expect.arrayContaining(Object.keys(used)));
    expect(model).toMatch(/mock/);
  });

  it('is an upstream_cut when it stops anywhere before its mark, and no half frame passes', async () => {
    const last = framesOf(bytes.toString()).filter((frame) => frame !== '');
    const markAt = bytes.length - Buffer.byteLength(last.at(-1)!);
    expect(markAt).toBeGreaterThan(0);
    for (let at = 0; at <= markAt; at += 3) {
      const { text, error } = await relayed([bytes.subarray(0, at)], { codec });
      const isWhole = text === '' || (text.endsWith('\n\n') && bytes.toString().startsWith(text));
      if (error?.code !== 'upstream_cut' || !isWhole) expect({ at, text, error: error?.code }).toEqual({ at, error: 'upstream_cut' });
    }
  });

  it('is split into frames, one to a chunk, for policies', async () => {
    for (const at of [1, 7, Math.floor(bytes.length / 2), bytes.length - 1]) {
      const { chunks, text } = await relayed(cutAt(bytes, at), { codec, hidesUsage: true }, true);
      expect(text).toBe(shown);
      expect(chunks).toEqual(framesOf(shown).filter((frame) => frame !== ''));
    }
  });
});

describe('the mark of completeness', () => {
  it('is no text of an answer', async () => {
    const { error, watch } = await relayed([said('[DONE]'), said('data: [DONE]\n\n'), said('ends with ]', 'stop')]);
    expect(error?.code).toBe('upstream_cut');
    expect(watch.complete).toBe(false);
    const text = (words: string): string =>
      `event: content_block_delta\ndata: ${JSON.stringify({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: words } })}\n\n`;
    const anthropic = await relayed([text('event: message_stop\n'), text('"type":"message_stop"')], { codec: anthropicMessages });
    expect(anthropic.error?.code).toBe('upstream_cut');
  });

  it('ends the stream: what comes after it is not read', async () => {
    const { text, error } = await relayed([said('hi', 'stop'), DONE, said('more')]);
    expect(error).toBeUndefined();
    expect(text).toBe(said('hi', 'stop') + DONE);
  });

  it('without any reason to finish is a failure, not an answer', async () => {
    const { error } = await relayed([chat({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 0 } }), DONE]);
    expect(error?.code).toBe('upstream_failed');
  });

  it('may lack its last blank line', async () => {
    for (const end of ['data: [DONE]', 'data: [DONE]\n', 'data: [DONE]\r\n']) {
      const { text, error, watch } = await relayed([said('hi', 'stop'), end]);
      expect(error).toBeUndefined();
      expect(watch.complete).toBe(true);
      expect(text).toBe(said('hi', 'stop') + DONE);
    }
    const stop = 'event: message_stop\ndata: {"type":"message_stop"}';
    expect((await relayed([stop], { codec: anthropicMessages })).text).toBe(`${stop}\n\n`);
    expect((await relayed([stop.slice(0, -1)], { codec: anthropicMessages })).error?.code).toBe('upstream_cut');
  });
});

describe('the mark of completeness, oddly written', () => {
  it.each(['data:  [DONE] \n\n', 'data:[DONE]\n\n', 'data: [DONE]   \r\n\r\n', 'event: done\ndata: [DONE]\n\n', 'data:  [DONE]  '])(
    'counts: %j',
    async (mark) => {
      const { text, error, watch } = await relayed([said('hi', 'stop'), mark, said('more')].slice(0, mark.endsWith('\n') ? 3 : 2));
      expect(error).toBeUndefined();
      expect(watch.complete).toBe(true);
      expect(text.trimEnd()).toBe(said('hi', 'stop') + mark.trimEnd());
    },
  );

  it('needs a reason to finish that says something', async () => {
    expect((await relayed([said('hi', ''), DONE])).error?.code).toBe('upstream_failed');
    expect((await relayed([said('hi', ''), said('', 'stop'), DONE])).error).toBeUndefined();
  });
});

describe('a frame that cannot pass', () => {
  const error = 'data: {"error":{"message":"boom","type":"server_error","code":null}}\n\n';

  it.each([
    ['of broken JSON', 'data: {"id":"c","choi\n\n', 'upstream_failed'],
    ['of text', 'data: Internal Server Error\n\n', 'upstream_failed'],
    ['with an error', error, 'upstream_failed'],
    [
      'with an error beside usage',
      chat({ error: { message: 'x', code: 502 }, choices: [{ index: 0, delta: {}, finish_reason: 'error' }], usage: { prompt_tokens: 1 } }),
      'upstream_failed',
    ],
    ['with a limit', 'data: {"error":{"message":"slow","type":"requests","code":"rate_limit_exceeded"}}\n\n', 'upstream_limited'],
  ])('one %s ends the stream after what came before it, wherever the pieces are cut', async (_, bad, code) => {
    const bytes = Buffer.from(said('one') + said('two') + bad + DONE);
    for (const pieces of [[bytes], cutAt(bytes, 10), cutAt(bytes, said('one').length), [...bytes].map((byte) => Buffer.from([byte]))]) {
      const relay = await relayed(pieces);
      expect(relay.text).toBe(said('one') + said('two'));
      expect(relay.error?.code).toBe(code);
    }
  });

  it('errors of named formats are classified', async () => {
    const anthropic = 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n';
    expect((await relayed([anthropic], { codec: anthropicMessages })).error?.code).toBe('upstream_overloaded');
    const failed = `event: response.failed\ndata: ${JSON.stringify({
      type: 'response.failed',
      sequence_number: 3,
      response: { id: 'r', status: 'failed', error: { code: 'rate_limit_exceeded', message: 'slow down' } },
    })}\n\n`;
    expect((await relayed([failed], { codec: openaiResponses })).error?.code).toBe('upstream_limited');
  });

  it('the words error and usage in an answer are neither', async () => {
    const frames = ['error', 'usage', '"error": {"message": "x"}', '"usage":{"prompt_tokens":1}', '"choices":[]'].map((word) => said(word));
    const text = [...frames, said('', 'stop'), DONE].join('');
    const passed = await relayed([text], { hidesUsage: true });
    expect(passed.error).toBeUndefined();
    expect(passed.text).toBe(text);
    expect(passed.watch.usage).toEqual({ model: 'm' });
  });
});

describe('usage', () => {
  const counts = { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 };

  it('in a frame with choices passes, though nobody asked for it, and counts', async () => {
    const text = chat({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: counts }) + DONE;
    const { text: passed, watch } = await relayed([text], { hidesUsage: true });
    expect(passed).toBe(text);
    expect(watch.usage.usage).toMatchObject({ inputTokens: 5, outputTokens: 7 });
  });

  it('on every frame counts once, by the last', async () => {
    const at = (n: number): string =>
      chat({
        choices: [{ index: 0, delta: { content: 'a' }, finish_reason: n === 3 ? 'stop' : null }],
        usage: { ...counts, completion_tokens: n, total_tokens: 5 + n },
      });
    const { watch } = await relayed([at(1), at(2), at(3), DONE]);
    expect(watch.usage.usage).toMatchObject({ inputTokens: 5, outputTokens: 3, totalTokens: 8 });
  });

  it('is what makes a frame without choices hidden: what Azure says of the prompt passes', async () => {
    const filtered = chat({ choices: [], prompt_filter_results: [{ prompt_index: 0 }], usage: null });
    expect((await relayed([filtered, said('a', 'stop'), DONE], { hidesUsage: true })).text).toBe(filtered + said('a', 'stop') + DONE);
  });

  it('is hidden from servers that write JSON with spaces, too', async () => {
    const spaced = `data: {"id": "c", "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 7}}\n\n`;
    const { text, watch } = await relayed([said('a', 'stop'), spaced, DONE], { hidesUsage: true });
    expect(text).toBe(said('a', 'stop') + DONE);
    expect(watch.usage.usage).toMatchObject({ inputTokens: 5, outputTokens: 7 });
  });

  it('is found behind a text that is the word itself', async () => {
    const completed = `event: response.completed\ndata: ${JSON.stringify({
      type: 'response.completed',
      sequence_number: 1,
      response: {
        id: 'r',
        status: 'completed',
        model: 'gpt',
        output: [{ type: 'message', content: [{ type: 'output_text', text: 'usage' }] }],
        tools: [{ type: 'function', name: 'f', parameters: { required: ['usage'] } }],
        usage: { input_tokens: 5, output_tokens: 7, total_tokens: 12 },
      },
    })}\n\n`;
    const { watch } = await relayed([completed], { codec: openaiResponses });
    expect(watch.usage.usage).toMatchObject({ inputTokens: 5, outputTokens: 7 });
  });

  it('of a message is joined from its start and its end', async () => {
    const event = (type: string, more: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
    const { watch } = await relayed(
      [
        event('message_start', {
          message: {
            model: 'claude',
            usage: { input_tokens: 10, cache_read_input_tokens: 90, cache_creation_input_tokens: 0, output_tokens: 1 },
          },
        }),
        event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 25 } }),
        event('message_stop', {}),
      ],
      { codec: anthropicMessages },
    );
    expect(watch.usage).toEqual({
      model: 'claude',
      usage: { inputTokens: 100, cacheReadTokens: 90, cacheWriteTokens: 0, outputTokens: 25, totalTokens: 125 },
    });
  });
});

describe('usage in several events', () => {
  const event = (type: string, more: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
  const start = { input_tokens: 10, cache_read_input_tokens: 100_000, cache_creation_input_tokens: null, output_tokens: 1 };

  it.each([
    ['null', { input_tokens: 10, cache_read_input_tokens: null, cache_creation_input_tokens: null, output_tokens: 25 }],
    ['absent', { input_tokens: 10, output_tokens: 25 }],
  ])('keeps the cached input where the end repeats the input and the cache is %s', async (_, usage) => {
    const { watch } = await relayed(
      [
        event('message_start', { message: { model: 'claude', usage: start } }),
        event('message_delta', { delta: { stop_reason: 'end_turn' }, usage }),
        event('message_stop', {}),
      ],
      { codec: anthropicMessages },
    );
    expect(watch.usage).toEqual({
      model: 'claude',
      usage: { inputTokens: 100_010, cacheReadTokens: 100_000, outputTokens: 25, totalTokens: 100_035 },
    });
  });
});

describe('line ends of CR alone', () => {
  it.each(cases)('pass as they come, wherever the pieces are cut: $format, $name', async ({ codec, format, name }) => {
    const bytes = Buffer.from(transcript(format, name).toString().replaceAll('\n', '\r'));
    for (let at = 1; at < bytes.length; at += 7) {
      const { text, error } = await relayed(cutAt(bytes, at), { codec });
      if (text !== bytes.toString() || error !== undefined) expect({ at, text, error }).toEqual({ at, text: bytes.toString() });
    }
    const byBytes = await relayed(
      [...bytes].map((byte) => Buffer.from([byte])),
      { codec },
      true,
    );
    expect(byBytes.text).toBe(bytes.toString());
    expect(byBytes.chunks).toHaveLength(transcript(format, name).toString().trimEnd().split('\n\n').length);
    const usage = (await relayed([transcript(format, name)], { codec })).watch.usage;
    expect(byBytes.watch.usage).toEqual(usage);
  });
});

describe('what was generated', () => {
  it('is nothing where the first event is a failure', async () => {
    const overloaded = 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n';
    const first = await relayed([`: ping\n\n${overloaded}`], { codec: anthropicMessages });
    expect(first.error?.code).toBe('upstream_overloaded');
    expect(first.watch.refused).toBe(true);
    const later = await relayed([`event: message_start\ndata: {"type":"message_start","message":{}}\n\n${overloaded}`], {
      codec: anthropicMessages,
    });
    expect(later.error?.code).toBe('upstream_overloaded');
    expect(later.watch.refused).toBe(false);
    expect((await relayed([])).watch.refused).toBe(false);
  });
});

describe('other lines of a stream', () => {
  it('comments pass between frames, and are no frames; before the first they would send the status of an answer that may yet fail', async () => {
    const early = ': OPENROUTER PROCESSING\n\n';
    const text = `${said('a')}: OPENROUTER PROCESSING\n\n${said('', 'stop')}${DONE}`;
    expect((await relayed([early])).text).toBe('');
    const { text: passed, watch, error } = await relayed([early, early + text]);
    expect(error).toBeUndefined();
    expect(passed).toBe(text);
    expect(watch.frames).toBe(3);
  });

  it('comments are no chunks for policies', async () => {
    const { chunks } = await relayed([`: PROCESSING\n\n${said('a')}: PROCESSING\n\n${said('', 'stop')}${DONE}`], {}, true);
    expect(chunks).toEqual([said('a'), said('', 'stop'), DONE]);
  });

  it('a comment before the data of the same frame hides nothing', async () => {
    const { watch, error } = await relayed([`: ping\n${said('', 'stop')}: ping\n${DONE}`]);
    expect(error).toBeUndefined();
    expect(watch.complete).toBe(true);
  });

  it('fields after the data, or without data, are legal', async () => {
    const text = `${said('a')}retry: 3000\n\n${said('', 'stop').trimEnd()}\nid: 7\n\n${DONE}`;
    const { text: passed, error } = await relayed([text]);
    expect(error).toBeUndefined();
    expect(passed).toBe(text);
  });

  it('a name may stand behind other fields', async () => {
    const text = 'id: 1\nevent: message_stop\ndata: {"type":"message_stop"}\n\n';
    const { watch } = await relayed([text], { codec: anthropicMessages });
    expect(watch.complete).toBe(true);
  });
});

describe('large frames', () => {
  it('pass whole', async () => {
    const large = said('x'.repeat(3_000_000));
    const bytes = Buffer.from(large + said('', 'stop') + DONE);
    const pieces = Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, at) => bytes.subarray(at * 65_536, (at + 1) * 65_536));
    const { text, error } = await relayed(pieces);
    expect(error).toBeUndefined();
    expect(text).toBe(bytes.toString());
  });

  it('pass whole in many small pieces, between others, in time that grows with their size', async () => {
    const bytes = Buffer.from(said('one') + said('x'.repeat(8_000_000)) + said('two') + said('', 'stop') + DONE);
    const pieces = Array.from({ length: Math.ceil(bytes.length / 4096) }, (_, at) => bytes.subarray(at * 4096, (at + 1) * 4096));
    const from = performance.now();
    const { text, error } = await relayed(pieces);
    // A copy of all for each of 1,954 pieces would be 8 GB.
    expect(performance.now() - from).toBeLessThan(1500);
    expect(error).toBeUndefined();
    expect(text === bytes.toString()).toBe(true);
  });

  it('without an end are refused', async () => {
    const pieces = Array.from({ length: 33 }, () => Buffer.alloc(1_000_000, 'x'));
    const { text, error } = await relayed(pieces);
    expect(error?.code).toBe('upstream_too_large');
    expect(text).toBe('');
  });
});

it('a reader who leaves ends the source', async () => {
  const { FrameWatch } = await import('../../../../../src/lanes/models/passing/frame-watch.ts');
  const { relay } = await import('../../../../../src/lanes/models/passing/relay.ts');
  let left = false;
  const source = (async function* (): AsyncGenerator<Buffer> {
    try {
      for (;;) yield Buffer.from(said('a'));
    } finally {
      left = true;
    }
  })();
  const watch = new FrameWatch({
    codec: CODECS[0]!,
    family: 'openai',
    hidesUsage: false,
    failure: (failure) => new ProviderError(failure, 'in its stream'),
  });
  for await (const _ of relay(source, { watch, split: false, mask: NO_MASK, settle: () => {} })) break;
  expect(left).toBe(true);
});
