import type { CallPart, ChatReply, Finish, Part, Seal } from '../../../../core/chat.ts';
import type { WriteContext } from '../../../../core/contracts/provider.ts';
import { GatewayError } from '../../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../../core/json.ts';
import { maybe } from '../_read.ts';
import { readError } from './failures.ts';
import { given } from '../_given.ts';
import { callSeals, readCallSeal, readReasoning, writeCallSeal, writeReasoning } from './reasoning.ts';
import { readUsage, writeUsage } from './usage.ts';

/** The first choice of a whole answer. Throws GatewayError `upstream_failed`, or what an error in the place of an answer says. */
export function readReply(body: JsonObject, family: string): ChatReply {
  const choice = firstChoice(body);
  if (choice === undefined || choice['finish_reason'] === 'error' || isError(body)) {
    if (!isError(body)) throw new GatewayError('upstream_failed', 'The provider gave no answer.');
    const { code, message } = readError(body);
    throw new GatewayError(code, message);
  }
  const message = maybe.object(choice['message']);
  const id = maybe.text(body['id']) || undefined;
  const calls = readCalls(message, id ?? '', callSeals(message, family));
  const spoken = readSpoken(message['content']);
  const refusal = maybe.text(message['refusal']) ?? '';
  const { usage, model } = readUsage(body);
  return given({
    id,
    model,
    parts: [
      ...readReasoning(message, family, new Set(calls.map((call) => call.id))),
      ...spoken,
      ...(refusal === '' ? [] : [{ type: 'refusal', text: refusal } as const]),
      ...calls,
    ],
    finish: readFinish(choice['finish_reason'], { calls: calls.length > 0, refused: refusal !== '' && spoken.length === 0 }),
    usage,
  });
}

/** Choice 0; some servers leave its index out. */
export function firstChoice(body: JsonObject): JsonObject | undefined {
  return maybe
    .list(body['choices'])
    .filter(isObject)
    .find((choice) => (choice['index'] ?? 0) === 0);
}

/** An error in the place of an answer or an event: OpenAI's and OpenRouter's `error`, vLLM's `{object: "error"}`. */
export function isError(body: JsonObject): boolean {
  return Boolean(body['error']) || body['object'] === 'error';
}

/** Content is a text; Mistral's reasoning models give a list with `thinking` parts in it. */
export function readSpoken(content: unknown): Part[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  return maybe
    .list(content)
    .filter(isObject)
    .flatMap((part): Part[] => {
      if (part['type'] === 'thinking') {
        const inside = maybe.list(part['thinking']).filter(isObject);
        return [{ type: 'reasoning', text: inside.map((one) => maybe.text(one['text']) ?? '').join('') }];
      }
      const text = maybe.text(part['text']);
      return text ? [{ type: 'text', text }] : [];
    });
}

function readCalls(message: JsonObject, id: string, seals: ReadonlyMap<string, Seal>): CallPart[] {
  return maybe
    .list(message['tool_calls'])
    .filter(isObject)
    .map((call, at) => {
      const named = maybe.object(call['function'] ?? call['custom']);
      const callId = maybe.text(call['id']) || madeCallId(id, at);
      return given({
        type: 'call',
        id: callId,
        name: maybe.text(named['name']) ?? '',
        arguments: argumentsText(named['arguments'] ?? named['input']),
        seal: readCallSeal(call) ?? seals.get(callId),
      });
    });
}

/** Some servers give an object, or null for none. */
export function argumentsText(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}

/** For servers that give calls no id: one that no other answer has. */
export function madeCallId(answer: string, call: number): string {
  return `call_${answer.replaceAll(/[^a-zA-Z0-9]/g, '').slice(-24)}_${call}`;
}

const FINISHES: Readonly<Partial<Record<string, Finish>>> = {
  stop: 'stop',
  length: 'length',
  model_length: 'context_length',
  tool_calls: 'tool_calls',
  function_call: 'tool_calls',
  content_filter: 'filtered',
};

/** Calls count more than the word: forced calls end with `stop`. */
export function readFinish(reason: unknown, seen: { readonly calls: boolean; readonly refused: boolean }): Finish {
  const finish = typeof reason === 'string' && Object.hasOwn(FINISHES, reason) ? (FINISHES[reason] ?? 'stop') : 'stop';
  if (finish !== 'stop') return finish;
  if (seen.calls) return 'tool_calls';
  return seen.refused ? 'refusal' : 'stop';
}

const REASONS: Readonly<Record<Finish, string>> = {
  stop: 'stop',
  stop_sequence: 'stop',
  length: 'length',
  context_length: 'length',
  tool_calls: 'tool_calls',
  refusal: 'content_filter',
  filtered: 'content_filter',
  pause: 'stop',
};

export function writeFinish(finish: Finish): string {
  return REASONS[finish];
}

export function writeReply(reply: ChatReply, context: WriteContext): JsonObject {
  const joined = (type: 'text' | 'refusal'): string => reply.parts.map((part) => (part.type === type ? part.text : '')).join('');
  const text = joined('text');
  const calls = reply.parts.filter((part) => part.type === 'call');
  const message = {
    role: 'assistant',
    content: text === '' && (calls.length > 0 || joined('refusal') !== '') ? null : text,
    refusal: joined('refusal') || null,
    ...writeReasoning(reply.parts, (family) => family),
    ...(calls.length > 0 && { tool_calls: calls.map(writeCall) }),
  };
  return given({
    id: reply.id ?? context.id,
    object: 'chat.completion',
    created: context.created,
    model: reply.model ?? context.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: writeFinish(reply.finish) }],
    usage: reply.usage && writeUsage(reply.usage),
  });
}

function writeCall(call: CallPart): JsonObject {
  return {
    id: call.id,
    type: 'function',
    function: { name: call.name, arguments: call.arguments === '' ? '{}' : call.arguments },
    ...writeCallSeal(call.seal),
  };
}
