import type { JsonObject } from '../../../core/json.ts';
import { olderMaxTokens, openaiCompatible } from './_openai-compatible.ts';

/** https://api-docs.deepseek.com: while it thinks, reasoning has to come back with every assistant message. */
export default openaiCompatible({
  name: 'deepseek',
  baseUrl: 'https://api.deepseek.com/v1',
  quirks: { maxTokens: 'max_tokens', reasoning: 'always', plainText: true },
  adapt: (body) => thinkingOff(olderMaxTokens(body)),
});

/** It has a switch of its own in place of the effort `none`. */
function thinkingOff(body: JsonObject): JsonObject {
  const { reasoning_effort: effort, ...rest } = body;
  return effort === 'none' ? { thinking: { type: 'disabled' }, ...rest } : body;
}
