import type { JsonObject } from '../../../src/core/json.ts';
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Awaitable } from '../../../src/core/contracts/extension.ts';
import { type Channel, SourceError } from '../../../src/core/contracts/tool-source.ts';
import type { ToolDefinition, ToolsReply } from '../../../src/core/tools.ts';

/** What a tool or prompt of the conformance source works with. Those that ask the client run once per round. */
export interface Context {
  readonly arguments: JsonObject;
  /** The client's answers of this round by key; empty in the first. */
  readonly answers: JsonObject;
  /** The state that the tool gave out in the round before, proved to be its own. */
  readonly state: JsonObject | undefined;
  readonly channel: Channel;
  /** Sends a log message, if the client wants this level. */
  log(text: string): void;
}

export type Run = (context: Context) => Awaitable<ToolsReply>;

export interface ConformanceTool {
  readonly definition: ToolDefinition;
  readonly run: Run;
}

export function tool(name: string, description: string, run: Run, inputSchema: JsonObject = { type: 'object' }): ConformanceTool {
  return { definition: { name, description, inputSchema }, run };
}

export const FIRST_STATELESS_REVISION = '2026-07-28';
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
export const IMAGE = { type: 'image', data: PNG, mimeType: 'image/png' } as const;
const WAV = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAAAAA==';
export const AUDIO = { type: 'audio', data: WAV, mimeType: 'audio/wav' } as const;

export function text(value: string): ToolsReply {
  return { content: [{ type: 'text', text: value }] };
}

export function userText(value: string): JsonObject {
  return { role: 'user', content: { type: 'text', text: value } };
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function needInput(inputRequests: JsonObject, state?: JsonObject): ToolsReply {
  return { resultType: 'input_required', inputRequests, ...(state && { requestState: seal(state) }) };
}

export function elicit(message: string, properties: JsonObject, required: readonly string[] = Object.keys(properties)): JsonObject {
  return { method: 'elicitation/create', params: { mode: 'form', message, requestedSchema: { type: 'object', properties, required } } };
}

export function sample(prompt: string, maxTokens = 100): JsonObject {
  return { method: 'sampling/createMessage', params: { messages: [userText(prompt)], maxTokens } };
}

export const LIST_ROOTS: JsonObject = { method: 'roots/list', params: {} };

/** The answer to `elicit`, whatever the user did with it. */
export function elicited({ answers }: Context, key: string): { action: string; content: JsonObject } | undefined {
  const answer = answers[key];
  if (!isObject(answer) || typeof answer.action !== 'string') return undefined;
  return { action: answer.action, content: isObject(answer.content) ? answer.content : {} };
}

/** A text that the user filled in and sent. */
export function acceptedText(context: Context, key: string, field: string): string | undefined {
  const answer = elicited(context, key);
  const value = answer?.action === 'accept' ? answer.content[field] : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** The text of the answer to `sample`. */
export function sampled({ answers }: Context, key: string): string | undefined {
  const answer = answers[key];
  const content = isObject(answer) ? answer.content : undefined;
  return isObject(content) && typeof content.text === 'string' ? content.text : undefined;
}

/** The answer to LIST_ROOTS. */
export function listedRoots({ answers }: Context, key: string): readonly JsonObject[] | undefined {
  const answer = answers[key];
  return isObject(answer) && Array.isArray(answer.roots) ? answer.roots.filter(isObject) : undefined;
}

const sealKey = randomBytes(32);

function mac(body: string): Buffer {
  return createHmac('sha256', sealKey).update(body).digest();
}

function seal(state: JsonObject): string {
  const body = Buffer.from(JSON.stringify(state)).toString('base64url');
  return `${body}.${mac(body).toString('base64url')}`;
}

/** The state inside a token; a token that is not ours is the protocol's "invalid params". */
export function unseal(token: unknown): JsonObject | undefined {
  if (token === undefined) return undefined;
  const [body = '', signature = ''] = String(token).split('.');
  const given = Buffer.from(signature, 'base64url');
  const expected = mac(body);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw new SourceError(-32_602, 'Invalid requestState');
  return JSON.parse(Buffer.from(body, 'base64url').toString()) as JsonObject;
}
