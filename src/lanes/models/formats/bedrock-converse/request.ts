import type { ChatRequest, OutputFormat } from '../../../../core/chat.ts';
import type { WriteOptions, WrittenRequest } from '../../../../core/contracts/provider.ts';
import type { JsonObject } from '../../../../core/json.ts';
import { userId } from '../_user-id.ts';
import { Blocks } from './blocks.ts';
import { writeReasoning } from './reasoning.ts';
import { writeToolConfig } from './tools.ts';
import { writeMessages } from './messages.ts';

/** Of InferenceConfiguration. */
const HOTTEST = 1;
const TIERS: ReadonlyMap<string, string | undefined> = new Map([
  ['auto', undefined],
  ['default', 'default'],
  ['standard_only', 'default'],
  ['flex', 'flex'],
  ['priority', 'priority'],
  ['fast', 'priority'],
  ['reserved', 'reserved'],
]);

/**
 * `ConverseRequest` without its model. Throws GatewayError `bad_request` for links and files that nobody fetched, media that Bedrock has no format for,
 * arguments that are no JSON object, tool names against its rule, and calls and results that do not match.
 */
export function writeRequest(ask: ChatRequest, { model, family }: WriteOptions): WrittenRequest {
  const dropped = new Set<string>();
  const blocks = new Blocks(family, dropped);
  const system = blocks.system(ask.system);
  const messages = writeMessages(ask.turns, blocks);
  const toolConfig = writeToolConfig(ask, dropped);
  const reasoning = writeReasoning(ask, model, family, dropped);
  const inferenceConfig = writeInference(ask, reasoning.forbids, dropped);
  const extra = { ...reasoning.fields, ...writeTopK(ask, family, reasoning.forbids, dropped) };
  const textFormat = writeTextFormat(ask.output, dropped);
  const outputConfig = {
    ...(reasoning.effort === undefined ? {} : { effort: reasoning.effort }),
    ...(textFormat === undefined ? {} : { textFormat }),
  };
  const tier = writeTier(ask.serviceTier, dropped);
  const body = {
    messages,
    ...(system.length === 0 ? {} : { system }),
    ...(toolConfig === undefined ? {} : { toolConfig }),
    ...unlessEmpty('inferenceConfig', inferenceConfig),
    ...unlessEmpty('outputConfig', outputConfig),
    ...unlessEmpty('additionalModelRequestFields', extra),
    ...(ask.user === undefined ? {} : { requestMetadata: { user: userId(ask.user) } }),
    ...(tier === undefined ? {} : { serviceTier: { type: tier } }),
  };
  for (const name of ['seed', 'frequencyPenalty', 'presencePenalty'] as const) if (ask[name] !== undefined) dropped.add(name);
  return { body, dropped: [...dropped] };
}

function unlessEmpty(name: string, value: JsonObject): JsonObject {
  return Object.keys(value).length === 0 ? {} : { [name]: value };
}

function writeInference(ask: ChatRequest, forbids: ReadonlySet<string>, dropped: Set<string>): JsonObject {
  const { maxTokens, topP } = ask;
  let { temperature } = ask;
  const stopSequences = ask.stop?.filter((text) => text.trim() !== '') ?? [];
  if (temperature !== undefined && forbids.has('temperature')) {
    dropped.add('temperature (not with this model or its reasoning)');
    temperature = undefined;
  } else if (temperature !== undefined && temperature > HOTTEST) {
    dropped.add(`temperature (${HOTTEST} at most)`);
    temperature = HOTTEST;
  }
  if (topP !== undefined && forbids.has('topP')) dropped.add('topP (not with this model or its reasoning)');
  return {
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined || forbids.has('topP') ? {} : { topP }),
    ...(stopSequences.length === 0 ? {} : { stopSequences }),
  };
}

function writeTopK({ topK }: ChatRequest, family: string, forbids: ReadonlySet<string>, dropped: Set<string>): JsonObject {
  if (topK === undefined) return {};
  if (family === 'anthropic' && !forbids.has('topK')) return { top_k: topK };
  dropped.add('topK (not with this model or its reasoning)');
  return {};
}

function writeTextFormat(output: OutputFormat | undefined, dropped: Set<string>): JsonObject | undefined {
  if (output === undefined || output.type === 'text') return undefined;
  if (output.type === 'json') {
    dropped.add('output (JSON needs a schema here)');
    return undefined;
  }
  const { name, description, schema } = output;
  const jsonSchema = {
    schema: JSON.stringify(schema),
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
  };
  return { type: 'json_schema', structure: { jsonSchema } };
}

function writeTier(tier: string | undefined, dropped: Set<string>): string | undefined {
  if (tier !== undefined && !TIERS.has(tier)) dropped.add('serviceTier');
  return tier === undefined ? undefined : TIERS.get(tier);
}
