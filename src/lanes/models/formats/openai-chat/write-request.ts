import { effortOf } from '../_effort.ts';
import type { ChatRequest, OutputFormat, ToolChoice, ToolSpec } from '../../../../core/chat.ts';
import type { WriteOptions, WrittenRequest } from '../../../../core/contracts/provider.ts';
import type { JsonObject } from '../../../../core/json.ts';
import { given } from '../_given.ts';
import { userId } from '../_user-id.ts';
import { writeMessages, type ChatQuirks } from './write-messages.ts';

const SERVICE_TIERS = new Set(['auto', 'default', 'flex', 'scale', 'priority', 'fast']);

/** Throws GatewayError `bad_request` for content that the format cannot hold. */
export function writeRequest(ask: ChatRequest, options: WriteOptions, quirks: ChatQuirks): WrittenRequest {
  const dropped = new Set<string>();
  const lost = (what: string): void => void dropped.add(what);
  const messages = writeMessages(ask, options, quirks, lost);
  if (ask.topK !== undefined && quirks.topK !== true) lost('topK');
  const tier = ask.serviceTier !== undefined && SERVICE_TIERS.has(ask.serviceTier) ? ask.serviceTier : undefined;
  if (ask.serviceTier !== undefined && tier === undefined) lost(`serviceTier (${ask.serviceTier})`);
  if (ask.reasoning?.summary === true && quirks.reasoning === 'none') lost('reasoning.summary');
  const body = given({
    model: options.model,
    messages,
    stream: ask.stream ? true : undefined,
    stream_options: ask.stream && quirks.streamOptions !== false ? { include_usage: true } : undefined,
    ...writeTools(ask, quirks, lost),
    [quirks.maxTokens]: ask.maxTokens,
    temperature: ask.temperature,
    top_p: ask.topP,
    top_k: quirks.topK === true ? ask.topK : undefined,
    stop: ask.stop,
    seed: ask.seed,
    frequency_penalty: ask.frequencyPenalty,
    presence_penalty: ask.presencePenalty,
    response_format: ask.output && writeOutput(ask.output),
    reasoning_effort: ask.reasoning && effortOf(ask.reasoning),
    user: ask.user === undefined ? undefined : userId(ask.user),
    service_tier: tier,
  });
  return { body, dropped: [...dropped] };
}

/** Without tools OpenAI refuses the fields about them. */
function writeTools(ask: ChatRequest, quirks: ChatQuirks, lost: (what: string) => void): JsonObject {
  const { toolChoice: choice } = ask;
  const cut = choice?.type === 'allowed' && quirks.allowedTools !== true;
  const tools = cut ? ask.tools.filter(({ name }) => choice.names.includes(name)) : ask.tools;
  if (tools.length === 0) return {};
  if (tools.some(({ cache }) => cache !== undefined)) lost('cache (tools take no marks)');
  return given({
    tools: tools.map(writeTool),
    tool_choice: choice && writeToolChoice(choice, cut),
    parallel_tool_calls: ask.parallelTools,
  });
}

function writeTool({ name, description, parameters, strict }: ToolSpec): JsonObject {
  return { type: 'function', function: given({ name, description, parameters, strict }) };
}

function writeToolChoice(choice: ToolChoice, cut: boolean): unknown {
  if (choice.type === 'tool') return { type: 'function', function: { name: choice.name } };
  if (choice.type !== 'allowed') return choice.type;
  const mode = choice.required ? 'required' : 'auto';
  if (cut) return mode;
  return { type: 'allowed_tools', allowed_tools: { mode, tools: choice.names.map((name) => ({ type: 'function', function: { name } })) } };
}

function writeOutput(output: OutputFormat): JsonObject {
  if (output.type === 'text') return { type: 'text' };
  if (output.type === 'json') return { type: 'json_object' };
  const { name = 'answer', description, schema, strict } = output;
  return { type: 'json_schema', json_schema: given({ name, description, schema, strict }) };
}
