import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ChatEvent, ChatReply } from '../../../../../src/core/chat.ts';
import type { ChatCodec, DoorCodec, WireFrame } from '../../../../../src/core/contracts/provider.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { Assembly } from '../../../../../src/lanes/models/calls/assemble.ts';
import { anthropicMessages } from '../../../../../src/lanes/models/formats/anthropic-messages/anthropic-messages.ts';
import { bedrockConverse } from '../../../../../src/lanes/models/formats/bedrock-converse/bedrock-converse.ts';
import { gemini } from '../../../../../src/lanes/models/formats/gemini/gemini.ts';
import { openaiChat } from '../../../../../src/lanes/models/formats/openai-chat/openai-chat.ts';
import { openaiResponses } from '../../../../../src/lanes/models/formats/openai-responses/openai-responses.ts';
import { createAwsEventStreamReader } from '../../../../../src/upstreams/aws-event-stream.ts';
import { createEventStreamReader } from '../../../../../src/upstreams/event-stream.ts';
import { NAMES, transcript } from '../doors/streams.ts';

const FIXTURES = `${import.meta.dirname}/../../../../fixtures/models`;
const CODECS: readonly ChatCodec[] = [openaiChat, openaiResponses, anthropicMessages, gemini, bedrockConverse];
const DOORS: readonly DoorCodec[] = [openaiChat, openaiResponses, anthropicMessages];
const CONTEXT = { id: 'one', created: 7, model: 'asked', body: { stream_options: { include_usage: true } }, estimatedInput: 1 };

function assembled(events: Iterable<ChatEvent>): ChatReply {
  const assembly = new Assembly();
  for (const event of events) assembly.add(event);
  return assembly.reply;
}

function* eventsOf(codec: ChatCodec, frames: readonly WireFrame[]): Generator<ChatEvent> {
  const reader = codec.streamReader('anthropic');
  for (const frame of frames) yield* reader.read(frame);
  yield* reader.close();
}

function framesOf({ framing }: ChatCodec, bytes: Buffer): WireFrame[] {
  const reader = framing === 'sse' ? createEventStreamReader() : createAwsEventStreamReader();
  return [...reader.push(bytes), ...reader.close()];
}

const pairs = CODECS.flatMap((codec) => NAMES.map((name) => ({ codec, format: codec.format, name })));

describe.each(pairs)('the events of $format, $name', ({ codec, format, name }) => {
  const reply = assembled(eventsOf(codec, framesOf(codec, transcript(format, name))));

  it.each(DOORS)('make the answer that $format writes whole, and that streamed again is the same', (door) => {
    const written = door.writeReply(reply, CONTEXT);
    const whole = door.readReply(written, 'anthropic');
    const frames = door.replay(written, CONTEXT).map(({ event, data }) => ({
      ...(event === undefined ? {} : { event }),
      data: Object.keys(data).length === 0 ? '[DONE]' : JSON.stringify(data),
    }));
    const again = assembled(eventsOf(door, frames));
    expect(again.parts).toEqual(whole.parts);
    expect(again.finish).toBe(whole.finish);
    const counts = ({ usage }: ChatReply) => [usage?.inputTokens, usage?.outputTokens];
    expect(counts(again)).toEqual(counts(whole));
    const said = (one: ChatReply): string => one.parts.map((part) => ('text' in part && !('seal' in part) ? part.text : '')).join('');
    expect(said({ ...whole, parts: whole.parts.filter(({ type }) => type === 'text') })).toBe(
      said({ ...reply, parts: reply.parts.filter(({ type }) => type === 'text') }),
    );
    const calls = (one: ChatReply) =>
      one.parts.flatMap((part) => (part.type === 'call' ? [[part.id, part.name, JSON.parse(part.arguments || '{}')]] : []));
    expect(calls(whole)).toEqual(calls(reply));
  });
});

describe('the answer to the same question', () => {
  it.each(['text', 'length', 'reasoning-and-calls'])('of Bedrock is the same whole and streamed: %s', (name) => {
    const bytes = readFileSync(`${FIXTURES}/bedrock/${name}.bin`);
    const whole = JSON.parse(readFileSync(`${FIXTURES}/bedrock/${name}.reply.json`, 'utf8')) as JsonObject;
    const { model: _, id: __, ...reply } = assembled(eventsOf(bedrockConverse, framesOf(bedrockConverse, bytes)));
    expect(reply).toEqual(bedrockConverse.readReply(whole, 'anthropic'));
  });
});

describe('parts', () => {
  const seal = { family: 'anthropic', value: 'SIG' };

  it('are joined by kind, in order', () => {
    const reply = assembled([
      { type: 'start', id: 'i', model: 'm' },
      { type: 'reasoning', text: 'a' },
      { type: 'reasoning', text: 'b' },
      { type: 'seal', seal },
      { type: 'reasoning', text: 'c' },
      { type: 'seal', seal, hidden: true },
      { type: 'text', text: 'd' },
      { type: 'call', call: 0, id: 'x', name: 'f' },
      { type: 'call', call: 1, id: 'y', name: 'g', seal },
      { type: 'arguments', call: 1, text: '{"b"' },
      { type: 'arguments', call: 0, text: '{"a":1}' },
      { type: 'arguments', call: 1, text: ':2}' },
      { type: 'text', text: 'e' },
      { type: 'refusal', text: 'no' },
      { type: 'usage', usage: { inputTokens: 1 } },
      { type: 'usage', usage: { outputTokens: 2 } },
      { type: 'finish', finish: 'stop_sequence', stopSequence: '##' },
      { type: 'end' },
    ]);
    expect(reply).toEqual({
      id: 'i',
      model: 'm',
      parts: [
        { type: 'reasoning', text: 'ab', seal },
        { type: 'reasoning', text: 'c' },
        { type: 'reasoning', text: '', seal, hidden: true },
        { type: 'text', text: 'd' },
        { type: 'call', id: 'x', name: 'f', arguments: '{"a":1}' },
        { type: 'call', id: 'y', name: 'g', arguments: '{"b":2}', seal },
        { type: 'text', text: 'e' },
        { type: 'refusal', text: 'no' },
      ],
      finish: 'stop_sequence',
      stopSequence: '##',
      usage: { inputTokens: 1, outputTokens: 2 },
    });
  });
});
