import type { ChatRequest, Effort, Reasoning } from '../../../../../core/chat.ts';
import { isObject, type JsonObject } from '../../../../../core/json.ts';
import { flag, list, number, object, optional, text, wrong } from '../../_read.ts';
import { readInput } from './read-input.ts';
import { readFormat, readToolChoice, readTools } from './tools.ts';

/** Fields that ask the vendor to remember, each with the reason why a target of another format cannot take it. */
const STATE: readonly (readonly [field: string, reason: string])[] = [
  ['previous_response_id', 'the model that answers keeps no earlier responses. Send the whole conversation in input.'],
  ['conversation', 'the model that answers keeps no conversations. Send the whole conversation in input.'],
  ['prompt', 'stored prompt templates are known to OpenAI only. Send the text in instructions and input.'],
  ['background', 'the model that answers keeps no responses to be fetched later. Ask without it, or with stream.'],
];

/** Read, or without effect on an answer that is not kept. `metadata` is repeated in the answer, `stream_options` asks for no padding. */
const READ = new Set(
  `model input instructions stream stream_options tools tool_choice parallel_tool_calls max_output_tokens temperature top_p text reasoning user
  safety_identifier service_tier metadata`.split(/\s+/),
);
const EFFORTS: readonly string[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] satisfies Effort[];
const ENCRYPTED = 'reasoning.encrypted_content';

/** Refuses what needs the vendor's memory. Throws GatewayError `bad_request` that names the field and the way around it. */
export function refuseState(body: JsonObject): void {
  for (const [field, reason] of STATE) {
    const value = body[field];
    if (value !== undefined && value !== null && value !== false) throw wrong(field, reason);
  }
}

/** A request of the Responses API as a conversation. Throws GatewayError `bad_request` for state, hosted tools and what is malformed. */
export function readRequest(body: JsonObject): ChatRequest {
  refuseState(body);
  const unread = unreadFields(body);
  if (body['input'] === undefined || body['input'] === null) throw wrong('input', 'is needed: a text, or a list of items.');
  const { system, turns } = readInput(body['input'], unread);
  const instructions = optional(body['instructions'], 'instructions', text);
  const given = {
    toolChoice: optional(body['tool_choice'], 'tool_choice', readToolChoice),
    parallelTools: optional(body['parallel_tool_calls'], 'parallel_tool_calls', flag),
    maxTokens: optional(body['max_output_tokens'], 'max_output_tokens', number),
    temperature: optional(body['temperature'], 'temperature', number),
    topP: optional(body['top_p'], 'top_p', number),
    output: optional(optional(body['text'], 'text', object)?.['format'], 'text.format', readFormat),
    reasoning: optional(body['reasoning'], 'reasoning', readReasoning),
    user: optional(body['safety_identifier'], 'safety_identifier', text) ?? optional(body['user'], 'user', text),
    serviceTier: optional(body['service_tier'], 'service_tier', text),
  };
  return {
    model: text(body['model'], 'model'),
    stream: optional(body['stream'], 'stream', flag) ?? false,
    system: instructions === undefined ? system : [{ type: 'text', text: instructions }, ...system],
    turns,
    tools: readTools(body['tools'], unread),
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    unread,
  };
}

/** Fields that have no place in the neutral form, by the caller's names. What says nothing (null, a default) is not among them. */
function unreadFields(body: JsonObject): string[] {
  const idle = (field: string, value: unknown): boolean =>
    value === null || value === undefined || value === false || (field === 'truncation' && value === 'disabled');
  const unread = Object.keys(body).filter((field) => field !== 'include' && !READ.has(field) && !idle(field, body[field]));
  const include = optional(body['include'], 'include', list) ?? [];
  if (include.some((name) => name !== ENCRYPTED)) unread.push('include');
  if (body['user'] && body['safety_identifier'] && body['user'] !== body['safety_identifier']) unread.push('user');
  unread.push(...extraFields(body['text'], 'text', ['format']));
  unread.push(...extraFields(body['reasoning'], 'reasoning', ['effort', 'summary', 'generate_summary']));
  return unread;
}

function readReasoning(value: unknown): Reasoning {
  const reasoning = object(value, 'reasoning');
  const effort = optional(reasoning['effort'], 'reasoning.effort', text);
  if (effort !== undefined && !EFFORTS.includes(effort)) throw wrong('reasoning.effort', `must be one of ${EFFORTS.join(', ')}.`);
  const summary = optional(reasoning['summary'] ?? reasoning['generate_summary'], 'reasoning.summary', text);
  return { ...(effort !== undefined && { effort: effort as Effort }), ...(summary !== undefined && { summary: true }) };
}

/** Fields of an object beyond the known ones that say something. */
function extraFields(value: unknown, place: string, known: readonly string[]): string[] {
  if (!isObject(value)) return [];
  const extra = Object.keys(value).filter((field) => !known.includes(field) && value[field] !== null && value[field] !== undefined);
  return extra.map((field) => `${place}.${field}`);
}
