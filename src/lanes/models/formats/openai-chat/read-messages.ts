import type { CallPart, Part, ResultPart, Seal, TextPart, Turn } from '../../../../core/chat.ts';
import { isObject, type JsonObject } from '../../../../core/json.ts';
import { list, object, optional, text, wrong } from '../_read.ts';
import { given } from '../_given.ts';
import { readCache, readContent } from './parts.ts';
import { callSeals, readCallSeal, readReasoning } from './reasoning.ts';

interface ReadMessages {
  readonly system: readonly TextPart[];
  readonly turns: readonly Turn[];
  /** Paths of what has no place in a turn. */
  readonly unread: readonly string[];
}

/** Whose seals are in a message of a caller that does not say so: nobody's, so that they go to no vendor. */
const UNKNOWN_FAMILY = 'unknown';

/** Throws GatewayError `bad_request`. System and developer messages before all others are the system text, later ones turns of their own. */
export function readMessages(value: unknown): ReadMessages {
  const system: TextPart[] = [];
  const turns: Turn[] = [];
  const unread: string[] = [];
  let results: ResultPart[] | undefined;
  for (const [at, entry] of list(value, 'messages').entries()) {
    const place = `messages[${at}]`;
    const message = object(entry, place);
    const { role } = message;
    if (role === 'tool') {
      // Answers to one turn of calls belong together, and other formats insist on it.
      if (results === undefined) turns.push({ role: 'user', parts: (results = []) });
      results.push(readResult(message, place));
      continue;
    }
    results = undefined;
    if (typeof message['name'] === 'string') unread.push(`${place}.name`);
    if (role === 'system' || role === 'developer') {
      const parts = textsOnly(message['content'], `${place}.content`);
      if (turns.length === 0) system.push(...parts);
      else turns.push({ role: 'system', parts });
    } else if (role === 'user') {
      turns.push({ role: 'user', parts: readContent(message['content'], `${place}.content`) });
    } else if (role === 'assistant') {
      if (isObject(message['audio'])) unread.push(`${place}.audio`);
      turns.push({ role: 'assistant', parts: readAssistant(message, place) });
    } else {
      throw wrong(`${place}.role`, role === 'function' ? 'function messages are not taken; use tools.' : `must be ${ROLES}.`);
    }
  }
  return { system, turns, unread };
}

const ROLES = 'system, developer, user, assistant or tool';

function textsOnly(value: unknown, place: string): TextPart[] {
  return readContent(value, place).map((part) => {
    if (part.type !== 'text') throw wrong(place, 'must be text.');
    return part;
  });
}

function readResult(message: JsonObject, place: string): ResultPart {
  const parts = readContent(message['content'], `${place}.content`).map((part) => {
    if (part.type === 'audio' || part.type === 'refusal') throw wrong(`${place}.content`, 'must be text, images or files.');
    return part;
  });
  return given({
    type: 'result',
    callId: text(message['tool_call_id'], `${place}.tool_call_id`),
    name: optional(message['name'], `${place}.name`, text),
    parts,
    cache: readCache(message),
  });
}

function readAssistant(message: JsonObject, place: string): Part[] {
  if (message['function_call'] !== undefined && message['function_call'] !== null) {
    throw wrong(`${place}.function_call`, 'function calls are not taken; use tool_calls.');
  }
  const calls = (optional(message['tool_calls'], `${place}.tool_calls`, list) ?? []).map((call, at) =>
    readCall(object(call, `${place}.tool_calls[${at}]`), `${place}.tool_calls[${at}]`),
  );
  const refusal = optional(message['refusal'], `${place}.refusal`, text);
  const seals = callSeals(message, UNKNOWN_FAMILY);
  return [
    ...readReasoning(message, UNKNOWN_FAMILY, new Set(calls.map(({ id }) => id))),
    ...readContent(message['content'], `${place}.content`),
    ...(refusal ? [{ type: 'refusal', text: refusal } as const] : []),
    ...calls.map((call) => sealed(call, seals)),
  ];
}

function sealed(call: CallPart, seals: ReadonlyMap<string, Seal>): CallPart {
  const seal = call.seal ?? seals.get(call.id);
  return seal === undefined ? call : { ...call, seal };
}

function readCall(call: JsonObject, place: string): CallPart {
  const id = text(call['id'], `${place}.id`);
  if (isObject(call['custom'])) {
    // The input of a custom tool is free text; other formats know arguments by name only.
    const input = text(call['custom']['input'], `${place}.custom.input`);
    return { type: 'call', id, name: text(call['custom']['name'], `${place}.custom.name`), arguments: JSON.stringify({ input }) };
  }
  const named = object(call['function'], `${place}.function`);
  const wanted = named['arguments'];
  return given({
    type: 'call',
    id,
    name: text(named['name'], `${place}.function.name`),
    arguments: isObject(wanted) ? JSON.stringify(wanted) : (optional(wanted, `${place}.function.arguments`, text) ?? ''),
    seal: readCallSeal(call),
    cache: readCache(call),
  });
}
