import { createHash } from 'node:crypto';
import { isObject, type JsonObject } from '../../../core/json.ts';
import { olderMaxTokens, openaiCompatible } from './_openai-compatible.ts';

/** https://docs.mistral.ai/api: unknown fields are refused (422 `extra_forbidden`), and usage comes unasked. */
export default openaiCompatible({
  name: 'mistral',
  baseUrl: 'https://api.mistral.ai/v1',
  quirks: { maxTokens: 'max_tokens', reasoning: 'none', streamOptions: false },
  adapt: (body) => shortIds(ownNames(olderMaxTokens(body))),
  refuses: [
    'logit_bias',
    'logprobs',
    'top_logprobs',
    'service_tier',
    'store',
    'user',
    'safety_identifier',
    'prompt_cache_key',
    'verbosity',
  ],
  embeddings: true,
});

function ownNames(body: JsonObject): JsonObject {
  if (body['seed'] === undefined && body['stream_options'] === undefined) return body;
  const { seed, stream_options: _, ...rest } = body;
  return seed === undefined ? rest : { random_seed: seed, ...rest };
}

/** Ids of calls must be nine letters and digits: those that other vendors made are replaced, in call and answer alike. */
function shortIds(body: JsonObject): JsonObject {
  const { messages } = body;
  if (!Array.isArray(messages) || !messages.some(hasLongId)) return body;
  return { ...body, messages: messages.map((message: unknown) => (isObject(message) ? withShortIds(message) : message)) };
}

function hasLongId(message: unknown): boolean {
  if (!isObject(message)) return false;
  return [message['tool_call_id'], ...callsOf(message).map((call) => call['id'])].some(
    (id) => typeof id === 'string' && shortId(id) !== id,
  );
}

function withShortIds(message: JsonObject): JsonObject {
  const { tool_call_id: answered } = message;
  const calls = callsOf(message).map((call) => (typeof call['id'] === 'string' ? { ...call, id: shortId(call['id']) } : call));
  return {
    ...message,
    ...(typeof answered === 'string' && { tool_call_id: shortId(answered) }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

function callsOf(message: JsonObject): JsonObject[] {
  return Array.isArray(message['tool_calls']) ? message['tool_calls'].filter(isObject) : [];
}

function shortId(id: string): string {
  return /^[a-zA-Z0-9]{9}$/.test(id) ? id : createHash('sha256').update(id).digest('hex').slice(0, 9);
}
