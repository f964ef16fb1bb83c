import { effortOf } from '../../_effort.ts';
import type { ChatRequest, TextPart } from '../../../../../core/chat.ts';
import type { WriteOptions, WrittenRequest } from '../../../../../core/contracts/provider.ts';
import type { JsonObject } from '../../../../../core/json.ts';
import { userId } from '../../_user-id.ts';
import { writeFormat, writeTool, writeToolChoice } from './tools.ts';
import { type Writing, writeTurn, writeText } from './write-turns.ts';

const TIERS: readonly string[] = ['auto', 'default', 'flex', 'scale', 'priority', 'fast', 'ultrafast'];
const UNKNOWN = ['topK', 'stop', 'seed', 'frequencyPenalty', 'presencePenalty'] as const;

/** A conversation as a request of the Responses API that leaves nothing at the vendor (`store: false`). */
export function writeRequest(ask: ChatRequest, options: WriteOptions): WrittenRequest {
  const writing: Writing = { family: options.family, items: [], dropped: new Set(UNKNOWN.filter((field) => ask[field] !== undefined)) };
  const instructions = writeSystem(ask.system, writing);
  for (const [index, turn] of ask.turns.entries()) writeTurn(turn, `turns[${index}]`, writing);
  for (const [index, tool] of ask.tools.entries()) if (tool.cache) writing.dropped.add(`tools[${index}].cache`);
  const body = {
    model: options.model,
    ...(instructions !== undefined && { instructions }),
    input: writing.items,
    ...(ask.tools.length > 0 && { tools: ask.tools.map(writeTool) }),
    ...(ask.toolChoice && { tool_choice: writeToolChoice(ask.toolChoice) }),
    ...(ask.parallelTools !== undefined && { parallel_tool_calls: ask.parallelTools }),
    ...(ask.maxTokens !== undefined && { max_output_tokens: ask.maxTokens }),
    ...(ask.temperature !== undefined && { temperature: ask.temperature }),
    ...(ask.topP !== undefined && { top_p: ask.topP }),
    ...(ask.output && { text: { format: writeFormat(ask.output) } }),
    ...writeReasoning(ask),
    ...(ask.user !== undefined && { safety_identifier: userId(ask.user) }),
    ...writeTier(ask, writing),
    store: false,
    ...(ask.stream && { stream: true }),
  };
  return { body, dropped: [...writing.dropped] };
}

/** One text is `instructions`; several, or one with a cache mark, need parts, which only a message has. */
function writeSystem(system: readonly TextPart[], writing: Writing): string | undefined {
  const [first, ...rest] = system;
  if (first && rest.length === 0 && !first.cache) return first.text;
  if (first) writing.items.push({ type: 'message', role: 'system', content: system.map((part) => writeText(part, writing)) });
  return undefined;
}

function writeReasoning({ reasoning }: ChatRequest): JsonObject {
  if (!reasoning) return {};
  const { summary } = reasoning;
  const effort = effortOf(reasoning);
  const written = { ...(effort !== undefined && { effort }), ...(summary === true && { summary: 'auto' }) };
  return {
    ...(Object.keys(written).length > 0 && { reasoning: written }),
    // What is not stored there has to come back from here for the model to go on thinking where it was.
    ...(effort !== 'none' && { include: ['reasoning.encrypted_content'] }),
  };
}

function writeTier({ serviceTier }: ChatRequest, writing: Writing): JsonObject {
  if (serviceTier === undefined) return {};
  if (TIERS.includes(serviceTier)) return { service_tier: serviceTier };
  writing.dropped.add('serviceTier (not a tier of OpenAI)');
  return {};
}
