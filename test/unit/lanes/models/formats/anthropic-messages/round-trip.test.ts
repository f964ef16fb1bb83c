import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatRequest, Part, TextPart, Turn } from '../../../../../../src/core/chat.ts';
import { isObject, type JsonObject } from '../../../../../../src/core/json.ts';
import { userId } from '../../../../../../src/lanes/models/formats/_user-id.ts';
import { anthropicMessages } from '../../../../../../src/lanes/models/formats/anthropic-messages/anthropic-messages.ts';
import { CONTEXT, fixture } from './frames.ts';

describe("Claude Code's traffic", () => {
  const body = JSON.parse(fixture('claude-code-request.json')) as JsonObject;
  const metadata = { user_id: userId((body['metadata'] as { user_id: string }).user_id) };

  it('means the same after it was read and written', () => {
    const ask = anthropicMessages.readRequest(body);
    expect(ask.unread).toEqual([]);
    expect(anthropicMessages.writeRequest(ask, { model: 'claude-opus-4-8', family: 'anthropic' })).toEqual({
      body: { ...body, metadata },
      dropped: [],
    });
  });

  it('loses its own thinking, and nothing else, on the way to another family', () => {
    const { body: written, dropped } = anthropicMessages.writeRequest(anthropicMessages.readRequest(body), {
      model: 'claude-opus-4-8',
      family: 'other',
    });
    expect(dropped).toEqual(['reasoning of another model family']);
    const messages = (body['messages'] as { role: string; content: JsonObject[] }[]).map(({ role, content }) => ({
      role,
      content: content.filter((block) => !String(block['type']).includes('thinking')),
    }));
    expect(written).toEqual({ ...body, messages, metadata });
  });
});

const some = fc.string({ minLength: 1 });
const cache = fc.option(fc.constantFrom({}, { ttl: '5m' as const }, { ttl: '1h' as const }), { nil: undefined });
const id = fc.stringMatching(/^[a-zA-Z0-9_-]{1,20}$/);
const marked = <T extends object>(part: fc.Arbitrary<T>, marks: fc.Arbitrary<TextPart['cache']>) =>
  fc.tuple(part, marks).map(([value, mark]) => (mark ? { ...value, cache: mark } : value));

const source = fc.oneof(
  fc.record({ type: fc.constant('url' as const), url: fc.webUrl() }),
  fc.record({ type: fc.constant('file' as const), id }),
  fc.record({ type: fc.constant('base64' as const), mediaType: fc.constant('application/pdf'), data: fc.base64String() }),
);
const text = fc.record({ type: fc.constant('text' as const), text: some });
const image = fc.record({ type: fc.constant('image' as const), source });
const paper = fc.record({ type: fc.constant('document' as const), source, name: some });
const plain = some.map((value) => ({
  type: 'document' as const,
  source: { type: 'base64' as const, mediaType: 'text/plain', data: Buffer.from(value, 'utf8').toString('base64') },
}));
const media = fc.oneof(text, image, paper, plain);

/** A conversation as this format holds it: user and assistant by turns, every call answered in the turn after it. */
const conversation = fc
  .array(
    fc.record({
      said: fc.array(marked(media, fc.constant(undefined)), { minLength: 1, maxLength: 3 }),
      thoughts: fc.array(fc.record({ text: fc.string(), value: some, hidden: fc.boolean() }), { maxLength: 2 }),
      answer: fc.array(text, { minLength: 1, maxLength: 2 }),
      calls: fc.array(
        fc.record({
          name: id,
          input: fc.dictionary(some, fc.jsonValue()),
          parts: fc.array(media, { maxLength: 2 }),
          isError: fc.boolean(),
        }),
        {
          maxLength: 3,
        },
      ),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((rounds) => {
    const turns: Turn[] = [];
    let open: Part[] = [];
    for (const [round, { said, thoughts, answer, calls }] of rounds.entries()) {
      turns.push({ role: 'user', parts: [...open, ...said] });
      turns.push({
        role: 'assistant',
        parts: [
          ...thoughts.map(({ text, value, hidden }): Part => {
            const seal = { family: 'anthropic', value: `s${value}` };
            return hidden ? { type: 'reasoning', text: '', seal, hidden } : { type: 'reasoning', text, seal };
          }),
          ...answer,
          ...calls.map(({ name, input }, index): Part => ({
            type: 'call',
            id: `c${round}_${index}`,
            name,
            arguments: JSON.stringify(input),
          })),
        ],
      });
      open = calls.map(({ name, parts, isError }, index) => {
        const result: Part = { type: 'result', callId: `c${round}_${index}`, name, parts, ...(isError && { isError }) };
        return result;
      });
    }
    if (open.length > 0) turns.push({ role: 'user', parts: open });
    return turns;
  });

const request: fc.Arbitrary<ChatRequest> = fc
  .record(
    {
      stream: fc.boolean(),
      system: fc.array(marked(text, cache), { maxLength: 1 }),
      turns: conversation,
      tools: fc.array(
        marked(
          fc.record({
            name: id,
            description: fc.string(),
            parameters: fc.constant({ type: 'object', properties: {} }),
            strict: fc.boolean(),
          }),
          cache,
        ),
        { minLength: 1, maxLength: 2 },
      ),
      toolChoice: fc.oneof(
        fc.record({ type: fc.constantFrom('auto' as const, 'required' as const, 'none' as const) }),
        fc.record({ type: fc.constant('tool' as const), name: id }),
      ),
      maxTokens: fc.integer({ min: 2000, max: 64_000 }),
      stop: fc.array(fc.stringMatching(/^\S+$/), { minLength: 1, maxLength: 3 }),
      output: fc.record({ type: fc.constant('schema' as const), schema: fc.dictionary(some, fc.jsonValue()) }),
      reasoning: fc.record(
        {
          effort: fc.constantFrom('low' as const, 'medium' as const, 'high' as const, 'xhigh' as const, 'max' as const),
          summary: fc.boolean(),
        },
        // Thinking that is switched on is thinking that is read.
        { requiredKeys: ['summary'] },
      ),
      user: some,
      serviceTier: fc.constantFrom('auto', 'standard_only', 'fast'),
    },
    { requiredKeys: ['stream', 'system', 'turns', 'tools', 'maxTokens'] },
  )
  .map((fields) => ({ model: 'claude-opus-4-8', unread: [], ...fields }))
  // No model thinks when it has to call a tool.
  .filter(({ reasoning, toolChoice }) => !reasoning || !['required', 'tool'].includes(toolChoice?.type ?? ''));

/** Arguments are compared by what they mean. */
function meaning(ask: ChatRequest): unknown {
  const turns = ask.turns.map((turn) => ({
    ...turn,
    parts: turn.parts.map((part) => (part.type === 'call' ? { ...part, arguments: JSON.parse(part.arguments) as unknown } : part)),
  }));
  // JSON has no negative zero.
  return JSON.parse(JSON.stringify({ ...ask, turns })) as unknown;
}

describe('any request that the format can hold', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(request, (ask) => {
        const { body, dropped } = anthropicMessages.writeRequest(ask, { model: ask.model, family: 'anthropic' });
        expect(dropped).toEqual([]);
        expect(meaning(anthropicMessages.readRequest(JSON.parse(JSON.stringify(body)) as JsonObject))).toEqual(
          meaning({ ...ask, ...(ask.user !== undefined && { user: userId(ask.user) }) }),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('never breaks what the API demands of messages', () => {
    const loose = fc.array(
      fc.oneof(
        fc.record({
          role: fc.constant('user' as const),
          parts: fc.array(fc.record({ type: fc.constant('text' as const), text: fc.string() })),
        }),
        fc.record({
          role: fc.constant('system' as const),
          parts: fc.array(fc.record({ type: fc.constant('text' as const), text: fc.string() })),
        }),
        fc.record({
          role: fc.constant('assistant' as const),
          parts: fc.array(fc.record({ type: fc.constant('text' as const), text: fc.string() })),
        }),
      ),
    );
    fc.assert(
      fc.property(loose, fc.constantFrom('claude-opus-4-8', 'claude-sonnet-4-5', 'claude-mock'), (more, model) => {
        const first: Turn = { role: 'user', parts: [{ type: 'text', text: 'hi' }] };
        const ask: ChatRequest = { model, stream: false, system: [], turns: [first, ...more], tools: [], unread: [] };
        const messages = anthropicMessages.writeRequest(ask, { model, family: 'anthropic' }).body['messages'] as {
          role: string;
          content: unknown[];
        }[];
        const all = (turns: readonly Turn[]) =>
          turns.flatMap(({ parts }) => parts.map((part) => ('text' in part ? part.text : ''))).filter((t) => t !== '');
        expect(messages.flatMap(({ content }) => content.map((block) => (isObject(block) ? block['text'] : ''))).sort()).toEqual(
          all(ask.turns).sort(),
        );
        expect(messages[0]?.role).toBe('user');
        for (const [index, { role, content }] of messages.entries()) {
          expect(content.length).toBeGreaterThan(0);
          expect(messages[index + 1]?.role).not.toBe(role);
          if (role !== 'system') continue;
          expect(model).toBe('claude-opus-4-8');
          expect(messages[index - 1]?.role).toBe('user');
          expect([undefined, 'assistant']).toContain(messages[index + 1]?.role);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a whole reply', () => {
  const call = fc.record({
    type: fc.constant('call' as const),
    id,
    name: id,
    arguments: fc.dictionary(fc.string(), fc.jsonValue()).map((input) => JSON.stringify(input)),
  });
  const seal = fc.record({ family: fc.constantFrom('anthropic', 'gemini'), value: some });
  const part: fc.Arbitrary<Part> = fc.oneof(
    text,
    call,
    fc.tuple(call, seal).map(([value, of]) => ({ ...value, seal: of })),
    fc.record({ type: fc.constant('reasoning' as const), text: fc.string(), seal }),
    fc.record({ type: fc.constant('reasoning' as const), text: fc.constant(''), seal, hidden: fc.constant(true) }),
  );

  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.array(part), fc.constantFrom('length' as const, 'tool_calls' as const, 'refusal' as const), (parts, finish) => {
        const usage = {
          inputTokens: 120,
          outputTokens: 7,
          cacheReadTokens: 80,
          cacheWriteTokens: 30,
          cacheWriteLongTokens: 10,
          reasoningTokens: 2,
        };
        const reply = { id: 'r', model: 'm', parts, finish, usage };
        const body = anthropicMessages.writeReply(reply, CONTEXT);
        expect(body['usage']).toMatchObject({ input_tokens: 10 });
        const normal = (value: Part) => (value.type === 'call' ? { ...value, arguments: JSON.parse(value.arguments) as unknown } : value);
        const read = anthropicMessages.readReply(body, 'anthropic');
        expect({ ...read, parts: read.parts.map(normal) }).toEqual({ ...reply, parts: parts.map(normal) });
      }),
    );
  });
});
