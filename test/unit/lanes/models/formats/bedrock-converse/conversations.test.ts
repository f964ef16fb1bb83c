import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Part, TextPart, Turn } from '../../../../../../src/core/chat.ts';
import { bedrockConverse } from '../../../../../../src/lanes/models/formats/bedrock-converse/bedrock-converse.ts';

interface Message {
  readonly role: string;
  readonly content: readonly Readonly<Record<string, { readonly toolUseId?: string }>>[];
}

const maybeCache = fc.constantFrom({}, { cache: {} }, { cache: { ttl: '1h' as const } });
const text: fc.Arbitrary<TextPart> = fc
  .tuple(fc.constantFrom('a', 'hello', '', '  ', 'é😀'), maybeCache)
  .map(([value, cache]) => ({ type: 'text', text: value, ...cache }));
const reasoning: fc.Arbitrary<Part> = fc.constantFrom<Part[]>(
  { type: 'reasoning', text: 'hm' },
  { type: 'reasoning', text: 'hm', seal: { family: 'anthropic', value: 's' } },
  { type: 'reasoning', text: 'hm', seal: { family: 'gemini', value: 's' } },
);
const talk: fc.Arbitrary<Turn[]> = fc
  .record({ role: fc.constantFrom('user', 'assistant', 'system'), parts: fc.array(text, { maxLength: 3 }) })
  .map((turn) => [turn] as Turn[]);

/** Calls, split over turns as callers do, and their results, in any order and split as well, with talk between them. */
const callsAndResults: fc.Arbitrary<Turn[]> = fc
  .record({
    ids: fc.uniqueArray(fc.oneof(fc.string({ maxLength: 80 }), fc.constantFrom('call_1', 'call|1', 'call/1')), {
      minLength: 1,
      maxLength: 4,
    }),
    before: fc.array(fc.oneof(text, reasoning), { maxLength: 2 }),
    said: fc.array(text, { maxLength: 2 }),
    apart: fc.boolean(),
    reversed: fc.boolean(),
  })
  .map(({ ids, before, said, apart, reversed }) => {
    const calls = ids.map((id): Part => ({ type: 'call', id, name: 'f', arguments: '{"a":1}' }));
    const results = (reversed ? ids.toReversed() : ids).map((callId): Part => ({ type: 'result', callId, parts: said }));
    const split = (role: Turn['role'], parts: readonly Part[]): Turn[] =>
      apart ? parts.map((part) => ({ role, parts: [part] })) : [{ role, parts }];
    return [...split('assistant', [...before, ...calls]), { role: 'system', parts: said }, ...split('user', [...said, ...results])];
  });
const conversation = fc.array(fc.oneof(talk, callsAndResults), { maxLength: 8 }).map((turns) => turns.flat());

function write(turns: readonly Turn[]): Message[] {
  const ask = { model: 'm', stream: false, system: [], turns, tools: [{ name: 'f' }], unread: [] };
  return bedrockConverse.writeRequest(ask, { model: 'anthropic.claude', family: 'anthropic' }).body['messages'] as Message[];
}
const ids = (message: Message | undefined, kind: string): string[] =>
  (message?.content ?? []).flatMap((block) => (block[kind]?.toolUseId === undefined ? [] : [block[kind].toolUseId]));

describe('any conversation', () => {
  it('alternates, begins with the user, and has each result right after its call', () => {
    fc.assert(
      fc.property(conversation, (turns) => {
        const messages = write(turns);
        for (const [i, message] of messages.entries()) {
          expect(message.role).toBe(i % 2 === 0 ? 'user' : 'assistant');
          expect(message.content.length).toBeGreaterThan(0);
          expect(ids(message, 'toolResult').toSorted()).toEqual(ids(messages[i - 1], 'toolUse').toSorted());
          const kinds = message.content.map((block) => Object.keys(block)[0]).filter((kind) => kind !== 'cachePoint');
          expect(kinds.lastIndexOf('toolResult')).toBe(kinds.filter((kind) => kind === 'toolResult').length - 1);
          expect(message.content[0]).not.toHaveProperty('cachePoint');
        }
        const count = (type: string): number => turns.flatMap(({ parts }) => parts).filter((part) => part.type === type).length;
        expect(messages.flatMap((message) => ids(message, 'toolUse'))).toHaveLength(count('call'));
        expect(messages.flatMap((message) => ids(message, 'toolResult'))).toHaveLength(count('result'));
      }),
    );
  });

  it('is not changed by writing it', () => {
    fc.assert(
      fc.property(conversation, (turns) => {
        const before = structuredClone(turns);
        write(turns);
        expect(turns).toEqual(before);
      }),
    );
  });
});
