import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { demoModel } from '../../../src/demo/model.ts';
import { openaiChat } from '../../../src/lanes/models/formats/openai-chat/openai-chat.ts';
import { createEventStreamReader } from '../../../src/upstreams/event-stream.ts';
import { Assembly } from '../../../src/lanes/models/calls/assemble.ts';
import { checkChatStream, type SeenFrame } from '../../support/legal-streams.ts';

async function ask(path: string, body?: object, method = 'POST'): Promise<{ status: number; text: string }> {
  const answer = await demoModel({
    method,
    origin: 'demo:model',
    path,
    headers: {},
    trust: 'operator',
    ...(body && { body: JSON.stringify(body) }),
  });
  const pieces: Buffer[] = [];
  if (Buffer.isBuffer(answer.body)) pieces.push(answer.body);
  else for await (const piece of answer.body) pieces.push(piece);
  return { status: answer.status, text: Buffer.concat(pieces).toString() };
}
const chat = async (body: object) => {
  const { status, text } = await ask('/v1/chat/completions', { model: 'demo', ...body });
  return { status, json: JSON.parse(text) as JsonObject };
};
const user = (content: unknown) => ({ messages: [{ role: 'user', content }] });
const firstMessage = ({ json }: { json: JsonObject }) => (json['choices'] as { message: JsonObject; finish_reason: string }[])[0]!;
const tool = (name: string, parameters: object) => ({ type: 'function', function: { name, parameters } });

describe('the demo model', () => {
  it('repeats what it is told, and counts', async () => {
    const answer = await chat(user('Hello there'));
    expect(firstMessage(answer)).toMatchObject({
      message: { role: 'assistant', content: expect.stringMatching(/^You said: "Hello there"\./) },
      finish_reason: 'stop',
    });
    expect(openaiChat.readUsage(answer.json)).toMatchObject({ model: 'demo', usage: { inputTokens: 2 } });
    expect(
      firstMessage(
        await chat(
          user([
            { type: 'text', text: 'Look' },
            { type: 'image_url', image_url: { url: 'x' } },
          ]),
        ),
      ).message['content'],
    ).toContain('a picture');
  });

  it('calls the tool that is named, forced or first, with arguments that fit, and tells its answer', async () => {
    const tools = [
      tool('first', { type: 'object', properties: {} }),
      tool('second', {
        type: 'object',
        properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 3 }, unit: { enum: ['c', 'f'] } },
      }),
    ];
    const called = async (more: object, text = 'Hi') => firstMessage(await chat({ ...user(text), tools, ...more }));
    const second = await called({}, 'use second please');
    expect(second).toMatchObject({
      finish_reason: 'tool_calls',
      message: { content: null, tool_calls: [{ type: 'function', function: { name: 'second' } }] },
    });
    const [call] = second.message['tool_calls'] as { id: string; function: { arguments: string } }[];
    expect(JSON.parse(call!.function.arguments)).toEqual({ city: 'demo', days: 3, unit: 'c' });
    expect(await called({})).toMatchObject({ message: { tool_calls: [{ function: { name: 'first' } }] } });
    expect(await called({ tool_choice: { type: 'function', function: { name: 'second' } } })).toMatchObject({
      message: { tool_calls: [{ function: { name: 'second' } }] },
    });
    expect((await called({ tool_choice: 'none' })).finish_reason).toBe('stop');
    const told = await chat({ tools, messages: [...user('Hi').messages, { role: 'tool', tool_call_id: call!.id, content: 'It rains' }] });
    expect(firstMessage(told)).toMatchObject({ finish_reason: 'stop', message: { content: 'The tool says: It rains' } });
  });

  it('fills in a schema', async () => {
    const schema = {
      type: 'object',
      properties: { name: { type: 'string' }, tags: { type: 'array', items: { type: 'boolean' } }, none: { type: ['null', 'string'] } },
    };
    const { message } = firstMessage(
      await chat({ ...user('x'), response_format: { type: 'json_schema', json_schema: { name: 'n', schema } } }),
    );
    expect(JSON.parse(String(message['content']))).toEqual({ name: 'demo', tags: [true], none: null });
  });

  it.each([
    ['a text', user('Hello there')],
    ['a call', { ...user('Hello'), tools: [tool('f', { type: 'object', properties: { a: {} } })] }],
  ])('streams the same as it says at once: %s', async (_, body) => {
    for (const usage of [false, true]) {
      const { text } = await ask('/v1/chat/completions', {
        model: 'demo',
        ...body,
        stream: true,
        ...(usage && { stream_options: { include_usage: true } }),
      });
      const frames = createEventStreamReader().push(Buffer.from(text));
      const seen: SeenFrame[] = frames.map(({ event, data }) => ({
        event,
        data: data === '[DONE]' ? data : (JSON.parse(data) as JsonObject),
      }));
      expect(checkChatStream(seen)).toEqual([]);
      const reader = openaiChat.streamReader('demo');
      const assembly = new Assembly();
      for (const frame of frames) for (const event of reader.read(frame)) assembly.add(event);
      const whole = openaiChat.readReply((await chat(body)).json, 'demo');
      const { usage: counted, ...streamed } = assembly.reply;
      const { usage: expected, ...said } = whole;
      expect(streamed).toEqual(said);
      expect(counted).toEqual(usage ? expected : undefined);
    }
  });

  it('leaves off when nobody listens', async () => {
    const answer = await demoModel({
      method: 'POST',
      origin: 'demo:model',
      path: '/v1/chat/completions',
      headers: {},
      trust: 'operator',
      body: JSON.stringify({ ...user('a b c d e f'), stream: true }),
    });
    let pieces = 0;
    for await (const _ of answer.body as AsyncIterable<Buffer>) if (++pieces === 2) break;
    expect((await (answer.body as AsyncGenerator<Buffer>).next()).done).toBe(true);
  });

  it('embeds: texts with the same words are near each other, in both encodings', async () => {
    const embed = async (more: object = {}) => {
      const { text } = await ask('/v1/embeddings', { model: 'demo', input: ['the red dog', 'a red dog', 'quantum tax law'], ...more });
      return (JSON.parse(text) as { data: { embedding: never; index: number }[] }).data;
    };
    const [a, b, c] = (await embed()).map(({ embedding }) => embedding as number[]);
    const near = (x: number[], y: number[]): number => x.reduce((sum, value, at) => sum + value * y[at]!, 0);
    expect(near(a!, b!)).toBeGreaterThan(near(a!, c!));
    expect(near(a!, a!)).toBeCloseTo(1);
    const [packed] = await embed({ encoding_format: 'base64' });
    const bytes = Buffer.from(packed!.embedding as string, 'base64');
    expect(Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4))).toEqual(a);
  });

  it('says what it has, and refuses what it cannot read', async () => {
    expect(JSON.parse((await ask('/v1/models', undefined, 'GET')).text)).toMatchObject({
      object: 'list',
      data: [{ id: 'demo', object: 'model' }],
    });
    expect((await ask('/v1/other', {})).status).toBe(404);
    for (const body of [{}, { messages: [] }, { messages: 'x' }]) expect((await ask('/v1/chat/completions', body)).status).toBe(400);
  });
});
