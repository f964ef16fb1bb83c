import type { ChatRequest, ToolChoice, ToolSpec, Turn } from '../../../../../core/chat.ts';
import type { WriteOptions, WrittenRequest } from '../../../../../core/contracts/provider.ts';
import type { JsonObject } from '../../../../../core/json.ts';
import { wrong } from '../../_read.ts';
import { userId } from '../../_user-id.ts';
import { modelRules, type ModelRules } from './model-rules.ts';
import { cacheControl, type Draft } from './cache-marks.ts';
import { writeReasoning } from './reasoning.ts';
import { checkName, writeMessages, writeText } from './write-messages.ts';

/** A body of `/v1/messages` for the API version that the model's rules name. */
export function writeRequest(ask: ChatRequest, { model, family }: WriteOptions): WrittenRequest {
  const rules = modelRules(model);
  const draft: Draft = { dropped: new Set(), marks: 0 };
  const first = ask.turns.findIndex((turn) => turn.role !== 'system');
  const opening = first < 0 ? ask.turns : ask.turns.slice(0, first);
  const reasoning = writeReasoning(ask, family, rules, draft.dropped);
  const format = writeFormat(ask, draft);
  const stop = ask.stop?.filter((text) => text.trim() !== '');
  if (stop && stop.length < (ask.stop?.length ?? 0)) draft.dropped.add('stop (blank ones)');
  // Breakpoints count in the order in which the API reads a prompt: tools, system, messages.
  const tools = writeTools(ask, draft);
  const system = [...ask.system, ...opening.flatMap(texts)].flatMap((part) => writeText(part, draft));
  const messages = writeMessages(ask.turns.slice(opening.length), { systemTurns: rules.systemTurns, family }, draft);
  for (const name of ['seed', 'frequencyPenalty', 'presencePenalty'] as const) if (ask[name] !== undefined) draft.dropped.add(name);
  const body: JsonObject = {
    model,
    max_tokens: reasoning.maxTokens,
    ...(system.length > 0 && { system }),
    messages,
    ...tools,
    ...writeSampling(ask, rules, reasoning.thinking?.['type'] === 'enabled' || reasoning.thinking?.['type'] === 'adaptive', draft),
    ...(stop && stop.length > 0 && { stop_sequences: stop }),
    ...(reasoning.thinking && { thinking: reasoning.thinking }),
    ...((reasoning.effort !== undefined || format) && {
      output_config: { ...(reasoning.effort !== undefined && { effort: reasoning.effort }), ...(format && { format }) },
    }),
    ...(ask.user !== undefined && { metadata: { user_id: userId(ask.user) } }),
    ...writeTier(ask.serviceTier, draft),
    ...(ask.stream && { stream: true }),
  };
  return { body, dropped: [...draft.dropped] };
}

function texts(turn: Turn, index: number): { type: 'text'; text: string }[] {
  return turn.parts.map((part, at) => {
    if (part.type === 'text') return part;
    throw wrong(`turns[${index}].parts[${at}]`, `"${part.type}" does not stand in a system turn.`);
  });
}

function writeTools(ask: ChatRequest, draft: Draft): JsonObject {
  const { toolChoice: choice } = ask;
  const allowed = choice?.type === 'allowed' ? new Set(choice.names) : undefined;
  const kept = allowed ? ask.tools.filter((tool) => allowed.has(tool.name)) : ask.tools;
  if (kept.length === 0) {
    if (choice && choice.type !== 'auto' && choice.type !== 'none') throw wrong('toolChoice', 'there is no such tool in the request.');
    return {};
  }
  const written = writeChoice(choice, ask.parallelTools === false);
  return { tools: kept.map((tool, index) => writeTool(tool, index, draft)), ...(written && { tool_choice: written }) };
}

function writeTool({ name, description, parameters, strict, cache }: ToolSpec, index: number, draft: Draft): JsonObject {
  return {
    name: checkName(name, `tools[${index}]`),
    ...(description !== undefined && { description }),
    input_schema: { type: 'object', ...parameters },
    ...(strict !== undefined && { strict }),
    ...cacheControl(cache, draft),
  };
}

function writeChoice(choice: ToolChoice | undefined, single: boolean): JsonObject | undefined {
  if (choice?.type === 'none') return { type: 'none' };
  const type = choiceType(choice);
  if (type === 'auto' && !single && choice?.type !== 'auto') return undefined;
  return {
    type,
    ...(choice?.type === 'tool' && { name: choice.name }),
    ...(single && { disable_parallel_tool_use: true }),
  };
}

function choiceType(choice: ToolChoice | undefined): 'auto' | 'any' | 'tool' {
  if (choice?.type === 'tool') return 'tool';
  return choice?.type === 'required' || (choice?.type === 'allowed' && choice.required) ? 'any' : 'auto';
}

/** Temperature from 0 to 1, and nothing of it while the model thinks. */
function writeSampling(ask: ChatRequest, rules: ModelRules, thinks: boolean, { dropped }: Draft): JsonObject {
  const { temperature, topP, topK } = ask;
  const why = !rules.sampling ? 'the model takes none' : thinks ? 'not while the model thinks' : undefined;
  if (why !== undefined) {
    for (const name of ['temperature', 'topP', 'topK'] as const) if (ask[name] !== undefined) dropped.add(`${name} (${why})`);
    return {};
  }
  if (temperature !== undefined && temperature > 1) dropped.add('temperature (above 1: 1)');
  const clash = rules.oneSampler && temperature !== undefined && topP !== undefined;
  if (clash) dropped.add('topP (not beside temperature)');
  return {
    ...(temperature !== undefined && { temperature: Math.min(1, temperature) }),
    ...(topP !== undefined && !clash && { top_p: topP }),
    ...(topK !== undefined && { top_k: topK }),
  };
}

function writeFormat({ output }: ChatRequest, { dropped }: Draft): JsonObject | undefined {
  if (output?.type === 'json') dropped.add('output (only a schema can be asked for)');
  return output?.type === 'schema' ? { type: 'json_schema', schema: output.schema } : undefined;
}

const TIERS = new Map([
  ['auto', 'auto'],
  ['priority', 'auto'],
  ['default', 'standard_only'],
  ['standard_only', 'standard_only'],
]);

function writeTier(tier: string | undefined, { dropped }: Draft): JsonObject {
  if (tier === undefined) return {};
  if (tier === 'fast') return { speed: 'fast' };
  const written = TIERS.get(tier);
  if (written === undefined) dropped.add(`serviceTier (${tier})`);
  return written === undefined ? {} : { service_tier: written };
}
