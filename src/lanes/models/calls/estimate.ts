import type { JsonObject } from '../../../core/json.ts';
import type { ModelsOperation } from '../../../core/models.ts';
import { tokensOf } from '../../../core/units/tokens.ts';
import type { Usage } from '../../../core/usage.ts';

/** Tokens of a request in any format, from its texts and keys. */
export function estimateInput(body: JsonObject): number {
  const read = Object.entries(body).filter(([key, value]) => typeof value === 'object' || PROMPTS.has(key));
  return tokensOf(read.map(([, value]) => value));
}

/** Top-level texts that are part of the prompt. */
const PROMPTS = new Set(['input', 'instructions', 'system']);

/**
 * What a call is to be charged with. A vendor that said all of it is taken at its word; where it did not, or the answer broke off before its
 * last count, the tokens that came are counted roughly, and the usage says so.
 */
export function settledUsage(body: JsonObject, reported: Usage | undefined, outputTokens: number, isComplete: boolean): Usage {
  if (isComplete && reported?.outputTokens !== undefined) return reported;
  const input = reported?.inputTokens ?? estimateInput(body);
  const output = Math.max(reported?.outputTokens ?? 0, outputTokens);
  return { ...reported, inputTokens: input, outputTokens: output, totalTokens: input + output, estimated: true };
}

/** What an answer may have without a limit in its request. */
const USUAL_OUTPUT = 2_048;
/** What is reserved for one answer at most: by what they write, callers must not hold all that others may use. */
const LARGEST_OUTPUT = 32_768;

/** What a request may use at most, roughly: what is reserved for it. */
export function expectedUsage(body: JsonObject, operation: ModelsOperation): Usage {
  const input = estimateInput(body);
  const output = operation === 'embeddings' ? 0 : mostOutput(body);
  return { inputTokens: input, outputTokens: output, totalTokens: input + output, estimated: true };
}

function mostOutput(body: JsonObject): number {
  const given = [body['max_completion_tokens'], body['max_output_tokens'], body['max_tokens']].find((one) => typeof one === 'number');
  const answers = typeof body['n'] === 'number' ? Math.max(1, body['n']) : 1;
  return Math.ceil(bounded(bounded(given ?? USUAL_OUTPUT) * bounded(answers)));
}

function bounded(tokens: number): number {
  return Math.min(LARGEST_OUTPUT, Math.max(0, tokens));
}
