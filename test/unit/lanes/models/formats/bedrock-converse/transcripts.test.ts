import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ChatEvent } from '../../../../../../src/core/chat.ts';
import type { JsonObject } from '../../../../../../src/core/json.ts';
import { bedrockConverse } from '../../../../../../src/lanes/models/formats/bedrock-converse/bedrock-converse.ts';
import { createAwsEventStreamReader } from '../../../../../../src/upstreams/aws-event-stream.ts';

/** Streams as the mock of Bedrock sent them, the steps they are, and what it answers when asked for the same in one piece. */
const folder = `${import.meta.dirname}/../../../../../fixtures/models/bedrock`;
const json = (name: string): unknown => JSON.parse(readFileSync(`${folder}/${name}.json`, 'utf8'));

function replay(name: string, pieceLength: number): { events: ChatEvent[]; cut: boolean } {
  const bytes = readFileSync(`${folder}/${name}.bin`);
  const frames = createAwsEventStreamReader();
  const reader = bedrockConverse.streamReader('anthropic');
  const events: ChatEvent[] = [];
  for (let at = 0; at < bytes.length; at += pieceLength) {
    for (const frame of frames.push(bytes.subarray(at, at + pieceLength))) events.push(...reader.read(frame));
  }
  try {
    frames.close();
    events.push(...reader.close());
    return { events, cut: false };
  } catch {
    return { events, cut: true };
  }
}

describe('streams of Bedrock', () => {
  it.each(['text', 'length', 'reasoning-and-calls', 'no-usage', 'exception'])('%s: gives the recorded steps, in any pieces', (name) => {
    const expected = json(`${name}.events`);
    for (const length of [1, 7, 100, 1_000_000]) expect(replay(name, length)).toEqual({ events: expected, cut: false });
  });

  it('cut: has no end, and is known as cut', () => {
    const { events } = replay('cut', 1_000_000);
    expect(events).toEqual(json('cut.events'));
    expect(events.map(({ type }) => type)).not.toContain('end');
  });

  it.each(['text', 'length', 'reasoning-and-calls'])('%s: says the same as the whole answer', (name) => {
    const reply = bedrockConverse.readReply(json(`${name}.reply`) as JsonObject, 'anthropic');
    const { events } = replay(name, 64);
    const said = (type: 'text' | 'reasoning'): string => events.map((event) => (event.type === type ? event.text : '')).join('');
    const whole = (type: 'text' | 'reasoning'): string => reply.parts.map((part) => (part.type === type ? part.text : '')).join('');
    expect(said('text')).toBe(whole('text'));
    expect(said('reasoning')).toBe(whole('reasoning'));
    const calls = events.flatMap((event) => (event.type === 'call' ? [event] : []));
    expect(
      calls.map(({ id, name: tool, call }) => ({
        type: 'call',
        id,
        name: tool,
        arguments: events.map((event) => (event.type === 'arguments' && event.call === call ? event.text : '')).join(''),
      })),
    ).toEqual(reply.parts.filter(({ type }) => type === 'call'));
    expect(events.find(({ type }) => type === 'seal')).toEqual(
      reply.parts.flatMap((part) => (part.type === 'reasoning' ? [{ type: 'seal', seal: part.seal }] : []))[0],
    );
    expect(events.find(({ type }) => type === 'usage')).toEqual({ type: 'usage', usage: reply.usage });
    expect(events.at(-2)).toEqual({ type: 'finish', finish: reply.finish });
  });
});
