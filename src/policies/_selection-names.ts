import { isObject, type JsonObject } from '../core/json.ts';

/** Names of tools that the request would be broken without: those that it asks for, and those that its conversation has used. */
export function neededNames(body: JsonObject): ReadonlySet<string> {
  const names = new Set<string>();
  addChosen(body['tool_choice'], names);
  for (const turns of [body['messages'], body['input']]) if (Array.isArray(turns)) for (const turn of turns) addUsed(turn, names, 0);
  return names;
}

/**
 * `{type: 'tool', name}` of Anthropic; of OpenAI `{type: 'function', name}` or `{type: 'function', function: {name}}`, the same with `custom`, and
 * `allowed_tools` with a list of these.
 */
function addChosen(choice: unknown, names: Set<string>): void {
  if (!isObject(choice)) return;
  addName(choice['name'], names);
  for (const key of ['function', 'custom']) if (isObject(choice[key])) addName(choice[key]['name'], names);
  const allowed = isObject(choice['allowed_tools']) ? choice['allowed_tools']['tools'] : choice['tools'];
  if (Array.isArray(allowed)) for (const one of allowed) addChosen(one, names);
}

/** Items and blocks that are the call of a tool. */
const CALLS = new Set<unknown>(['function_call', 'custom_tool_call', 'tool_use']);
/** Blocks of a message, and in a result of a search for tools what it has found. */
const DEEPEST = 2;
/** Roles of messages that are the result of one. */
const RESULTS = new Set<unknown>(['tool', 'function']);

function addUsed(turn: unknown, names: Set<string>, depth: number): void {
  if (!isObject(turn)) return;
  const { type, role, name, content, tool_calls: calls, function_call: call } = turn;
  if (CALLS.has(type) || RESULTS.has(role)) addName(name, names);
  if (type === 'tool_reference') addName(turn['tool_name'], names);
  if (Array.isArray(calls)) for (const one of calls) addChosen(one, names);
  if (isObject(call)) addName(call['name'], names);
  if (Array.isArray(content) && depth < DEEPEST) for (const block of content) addUsed(block, names, depth + 1);
}

function addName(name: unknown, names: Set<string>): void {
  if (typeof name === 'string') names.add(name);
}
