import { GatewayError } from '../../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../../core/json.ts';
import type { Usage } from '../../../../core/usage.ts';
import { maybe } from '../_read.ts';
import { given } from '../_given.ts';

/**
 * Usage and served model of a whole answer or of one chunk of a stream; each chunk's numbers are totals so far. What tools brought in counts beside
 * the prompt and thoughts beside the candidates; the cached part is inside the prompt.
 */
export function readUsage(body: JsonObject): { readonly usage?: Usage; readonly model?: string } {
  return given({ usage: usageOf(body['usageMetadata']), model: maybe.text(body['modelVersion']) });
}

export function usageOf(metadata: unknown): Usage | undefined {
  if (!isObject(metadata)) return undefined;
  const thoughts = maybe.number(metadata['thoughtsTokenCount']);
  const usage: Usage = given({
    inputTokens: sum(maybe.number(metadata['promptTokenCount']), maybe.number(metadata['toolUsePromptTokenCount'])),
    outputTokens: sum(maybe.number(metadata['candidatesTokenCount']), thoughts),
    totalTokens: maybe.number(metadata['totalTokenCount']),
    cacheReadTokens: maybe.number(metadata['cachedContentTokenCount']),
    reasoningTokens: thoughts,
    inputAudioTokens: audioIn(metadata['promptTokensDetails']),
    outputAudioTokens: audioIn(metadata['candidatesTokensDetails']),
  });
  return Object.keys(usage).length === 0 ? undefined : usage;
}

/** The answer of countTokens. Throws GatewayError `upstream_failed`. */
export function readCount(body: JsonObject): number {
  const { totalTokens } = body;
  if (typeof totalTokens !== 'number') throw new GatewayError('upstream_failed', 'The provider did not say how many tokens there are.');
  return totalTokens;
}

function sum(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined ? other : one + (other ?? 0);
}

function audioIn(details: unknown): number | undefined {
  const audio = maybe.list(details).find((one) => isObject(one) && one['modality'] === 'AUDIO');
  return maybe.number(maybe.object(audio)['tokenCount']);
}
