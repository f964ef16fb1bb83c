import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { askedText } from '../../../src/core/models.ts';

const asked = (body: JsonObject): string => askedText(body, { enough: 20, most: 2 });
const LONG = 'Why was my card charged two times?';

describe('what the user wants', () => {
  it.each<[string, JsonObject, string]>([
    [
      'the last message of the user',
      {
        messages: [
          { role: 'system', content: 'Be kind.' },
          { role: 'user', content: 'hello' },
          { role: 'assistant', content: 'Hi' },
          { role: 'user', content: LONG },
        ],
      },
      LONG,
    ],
    [
      'with the one before when it is short',
      {
        messages: [
          { role: 'user', content: LONG },
          { role: 'assistant', content: 'Shall I look?' },
          { role: 'user', content: 'yes please' },
        ],
      },
      `yes please\n${LONG}`,
    ],
    [
      'in parts, without pictures',
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'What is' },
              { type: 'image_url', image_url: { url: 'data:x' } },
              { type: 'text', text: 'on this invoice?' },
            ],
          },
        ],
      },
      'What is\non this invoice?',
    ],
    [
      'not the result of a tool (Anthropic)',
      {
        messages: [
          { role: 'user', content: LONG },
          { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 't', input: {} }] },
          { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: 'a result of some length' }] },
        ],
      },
      LONG,
    ],
    [
      'not the result of a tool (OpenAI)',
      {
        messages: [
          { role: 'user', content: LONG },
          { role: 'tool', tool_call_id: 'a', content: 'a result of some length' },
        ],
      },
      LONG,
    ],
    [
      'not what a coding agent reminds of',
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: '<system-reminder>Be kind.</system-reminder>' },
              { type: 'text', text: LONG },
            ],
          },
        ],
      },
      LONG,
    ],
    [
      'what stands behind a reminder',
      { messages: [{ role: 'user', content: `<system-reminder>Be kind.</system-reminder>\n${LONG}` }] },
      LONG,
    ],
    [
      'what stands before and beside what an agent inserts',
      {
        input: [
          {
            role: 'user',
            content: [
              { type: 'input_text', text: '<environment_context>\n<cwd>/src</cwd>\n</environment_context>' },
              { type: 'input_text', text: `${LONG} <user_instructions>Be kind.</user_instructions>` },
            ],
          },
        ],
      },
      LONG,
    ],
    ['no data', { input: `${LONG} data:image/png;base64,QUJD` }, LONG],
    [
      'the one before a message of reminders alone',
      {
        messages: [
          { role: 'user', content: LONG },
          { role: 'user', content: '<system-reminder>x</system-reminder>' },
        ],
      },
      LONG,
    ],
    ['of the Responses API, as text', { input: LONG, instructions: 'Be kind.' }, LONG],
    [
      'of the Responses API, as items',
      {
        input: [
          { role: 'user', content: [{ type: 'input_text', text: LONG }] },
          { type: 'function_call_output', call_id: 'a', output: 'a result' },
        ],
      },
      LONG,
    ],
    ['nothing where the user says nothing', { messages: [{ role: 'system', content: 'Be kind.' }] }, ''],
    ['nothing of what cannot be read', { messages: 7, input: null }, ''],
  ])('%s', (_, body, text) => expect(asked(body)).toBe(text));

  it('has a thousand characters at most, whatever comes', () => {
    const message = fc.oneof(
      fc.record({
        role: fc.constantFrom('user', 'assistant', 'tool', 7),
        content: fc.oneof(fc.string(), fc.string({ minLength: 900, maxLength: 1500 }), fc.jsonValue()),
      }),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(fc.array(message), (messages) => void expect(asked({ messages } as JsonObject).length).toBeLessThanOrEqual(1_000)),
      { numRuns: 50 },
    );
  });
});
