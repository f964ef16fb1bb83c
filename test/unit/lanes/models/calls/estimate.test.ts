import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { estimateInput, expectedUsage } from '../../../../../src/lanes/models/calls/estimate.ts';

const messages = [{ role: 'user', content: 'x'.repeat(400) }];

describe('what a request may use', () => {
  it('is what it says, in the words of each format, for each of its answers', () => {
    const output = (more: JsonObject): number | undefined => expectedUsage({ messages, ...more }, 'chat').outputTokens;
    expect(output({ max_tokens: 50 })).toBe(50);
    expect(output({ max_completion_tokens: 70, max_tokens: 50 })).toBe(70);
    expect(expectedUsage({ input: 'x', max_output_tokens: 80 }, 'responses').outputTokens).toBe(80);
    expect(output({ max_tokens: 50, n: 3 })).toBe(150);
    expect(output({ max_tokens: 0 })).toBe(0);
  });

  it('is a usual answer where it says nothing, or nothing that makes sense', () => {
    const usual = expectedUsage({ messages }, 'chat');
    expect(usual).toEqual({
      inputTokens: estimateInput({ messages }),
      outputTokens: 2_048,
      totalTokens: estimateInput({ messages }) + 2_048,
      estimated: true,
    });
    for (const max_tokens of ['50', null, {}, true]) expect(expectedUsage({ messages, max_tokens }, 'chat')).toEqual(usual);
    for (const n of [0, -3, '2', null]) expect(expectedUsage({ messages, n }, 'chat')).toEqual(usual);
  });

  it('has no output where none is asked for', () => {
    const { inputTokens, totalTokens, outputTokens } = expectedUsage({ input: 'x'.repeat(400), max_tokens: 5 }, 'embeddings');
    expect([inputTokens, totalTokens, outputTokens]).toEqual([100, 100, 0]);
  });

  it('is a whole number that can be reserved, whatever a caller writes', () => {
    // JSON has no NaN, but it has 1e999.
    const wild = fc.oneof(fc.double({ noNaN: true }), fc.constantFrom(Infinity, -Infinity, 1e300, 0, 0.1, -5), fc.jsonValue());
    const body = fc.dictionary(fc.constantFrom('max_tokens', 'max_completion_tokens', 'max_output_tokens', 'n', 'input', 'messages'), wild);
    fc.assert(
      fc.property(body, fc.constantFrom('chat', 'messages', 'responses', 'embeddings'), (given, operation) => {
        const { inputTokens, outputTokens, totalTokens } = expectedUsage(given as JsonObject, operation);
        for (const count of [inputTokens, outputTokens, totalTokens]) {
          expect(Number.isSafeInteger(count)).toBe(true);
          expect(count).toBeGreaterThanOrEqual(0);
        }
        expect(totalTokens).toBe(inputTokens! + outputTokens!);
      }),
    );
    expect(expectedUsage(JSON.parse('{"messages":[],"max_tokens":0,"n":1e999}') as JsonObject, 'chat').outputTokens).toBe(0);
    expect(expectedUsage(JSON.parse('{"messages":[],"max_tokens":1e999,"n":1e999}') as JsonObject, 'chat').outputTokens).toBe(32_768);
  });
});
