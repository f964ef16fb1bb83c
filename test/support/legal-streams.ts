import { isObject, type JsonObject } from '../../src/core/json.ts';

/** One frame of a streamed answer as a client sees it. The mark `[DONE]` is the text. */
export interface SeenFrame {
  readonly event?: string | undefined;
  readonly data: JsonObject | '[DONE]';
}

const objectOf = (value: unknown): JsonObject => (isObject(value) ? value : {});
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What is wrong with a stream of OpenAI's chat completions; nothing for a legal one. An error frame may end it in place of `[DONE]`. */
export function checkChatStream(frames: readonly SeenFrame[]): string[] {
  const faults: string[] = [];
  const heads = new Set<string>();
  const tools = new Map<string, { id: unknown; name: unknown }>();
  const finished = new Set<unknown>();
  let ended = false;
  for (const [at, { event, data }] of frames.entries()) {
    const fault = (what: string): number => faults.push(`frame ${at}: ${what}`);
    if (ended) fault('comes after the end');
    if (event !== undefined) fault('has a name');
    if (data === '[DONE]' || data['error']) {
      ended = true;
      continue;
    }
    if (data['object'] !== 'chat.completion.chunk') fault('is no chat.completion.chunk');
    heads.add(JSON.stringify([data['id'], data['created'], data['model']]));
    for (const value of listOf(data['choices'])) {
      const choice = objectOf(value);
      const delta = objectOf(choice['delta']);
      if (finished.has(choice['index'])) fault('goes on with a choice that is finished');
      for (const call of listOf(delta['tool_calls'])) chatCall(objectOf(call), choice['index'], tools, fault);
      if (choice['finish_reason']) {
        finished.add(choice['index']);
        const known = ['stop', 'length', 'tool_calls', 'content_filter', 'function_call'];
        if (!known.includes(String(choice['finish_reason']))) fault(`ends with the reason ${String(choice['finish_reason'])}`);
      }
    }
  }
  if (heads.size > 1) faults.push('id, created or model change on the way');
  if (!ended) faults.push('there is no end');
  if (frames.at(-1)?.data === '[DONE]' && finished.size === 0) faults.push('no choice has a finish_reason');
  return faults;
}

function chatCall(
  call: JsonObject,
  choice: unknown,
  tools: Map<string, { id: unknown; name: unknown }>,
  fault: (what: string) => unknown,
): void {
  if (typeof call['index'] !== 'number') fault('has a tool call without an index');
  const key = `${String(choice)}/${String(call['index'])}`;
  const body = objectOf(call['function'] ?? call['custom']);
  const known = tools.get(key);
  if (!known) {
    if (typeof call['id'] !== 'string' || typeof body['name'] !== 'string') fault('opens a tool call without id or name');
    if ([...tools.values()].some((other) => other.id === call['id'])) fault('uses the id of another call');
    tools.set(key, { id: call['id'], name: body['name'] });
  } else if (call['id'] !== undefined || body['name'] !== undefined) fault('says id or name of a call again');
  const pieces = body['arguments'] ?? body['input'];
  if (pieces !== undefined && typeof pieces !== 'string') fault('has arguments that are no text');
}

/** What is wrong with a stream of Anthropic's messages; nothing for a legal one. An `error` event may end it anywhere. */
export function checkMessagesStream(frames: readonly SeenFrame[]): string[] {
  const faults: string[] = [];
  let state: 'new' | 'open' | 'told' | 'ended' = 'new';
  let next = 0;
  let open: { type: unknown; json: string } | undefined;
  const deltas = new Map<unknown, readonly unknown[]>([
    ['text_delta', ['text']],
    ['citations_delta', ['text']],
    ['input_json_delta', ['tool_use', 'server_tool_use', 'mcp_tool_use']],
    ['thinking_delta', ['thinking']],
    ['signature_delta', ['thinking']],
  ]);
  for (const [at, { event, data }] of frames.entries()) {
    const fault = (what: string): number => faults.push(`frame ${at}: ${what}`);
    if (data === '[DONE]') {
      fault('is [DONE]');
      continue;
    }
    const { type } = data;
    if (event === undefined || event !== type) fault(`is named ${String(event)}, and its type is ${String(type)}`);
    if (state === 'ended') fault('comes after the end');
    if (type === 'ping') continue;
    if (type === 'error') {
      state = 'ended';
      continue;
    }
    if ((state === 'new') !== (type === 'message_start')) fault(`${String(type)} is out of order`);
    if (state === 'told' && type !== 'message_delta' && type !== 'message_stop') fault(`${String(type)} comes after message_delta`);
    switch (type) {
      case 'message_start':
        state = 'open';
        if (!isObject(objectOf(data['message'])['usage'])) fault('message_start has no usage');
        break;
      case 'content_block_start':
        if (open) fault('opens a block while one is open');
        if (data['index'] !== next) fault(`opens block ${String(data['index'])} in place of ${next}`);
        open = { type: objectOf(data['content_block'])['type'], json: '' };
        break;
      case 'content_block_delta': {
        const delta = objectOf(data['delta']);
        if (!open || data['index'] !== next) fault('adds to a block that is not open');
        else if (!deltas.get(delta['type'])?.includes(open.type)) fault(`adds ${String(delta['type'])} to ${String(open.type)}`);
        else if (delta['type'] === 'input_json_delta') open.json += String(delta['partial_json']);
        break;
      }
      case 'content_block_stop':
        if (!open || data['index'] !== next) fault('closes a block that is not open');
        else if (!isJson(open.json)) fault('closes a call whose input is no JSON object');
        open = undefined;
        next++;
        break;
      case 'message_delta':
        if (open) fault('ends while a block is open');
        if (typeof objectOf(data['delta'])['stop_reason'] !== 'string') fault('message_delta has no stop_reason');
        if (!isObject(data['usage'])) fault('message_delta has no usage');
        state = 'told';
        break;
      case 'message_stop':
        if (state !== 'told') fault('stops without message_delta');
        state = 'ended';
        break;
      default:
        fault(`has the unknown type ${String(type)}`);
    }
  }
  if (state !== 'ended') faults.push('there is no end');
  return faults;
}

/** An answer that was cut by its length may hold half a call; that is for the caller of a checker to allow. */
function isJson(text: string): boolean {
  if (text === '') return true;
  try {
    return isObject(JSON.parse(text));
  } catch {
    return false;
  }
}

interface SeenItem {
  readonly id: unknown;
  readonly type: unknown;
  readonly parts: JsonObject[];
  /** The part that is open: its kind, its text so far, and whether its text was repeated. */
  open: { kind: string; text: string; repeated: boolean } | undefined;
  given: string;
  givenWhole: boolean;
  done: JsonObject | undefined;
}

const TERMINALS = ['response.completed', 'response.incomplete', 'response.failed', 'error'];
const PART = /^response\.(content_part|reasoning_summary_part)\.(added|done)$/;
const TEXT = /^response\.(output_text|refusal|reasoning_text|reasoning_summary_text)\.(delta|done)$/;
const GIVEN = /^response\.(function_call_arguments|custom_tool_call_input)\.(delta|done)$/;

/** What is wrong with a stream of OpenAI's Responses API; nothing for a legal one. An `error` event may end it anywhere. */
export function checkResponsesStream(frames: readonly SeenFrame[]): string[] {
  const faults: string[] = [];
  const items: SeenItem[] = [];
  let sequence = -1;
  let response: unknown;
  let ended = false;
  for (const [at, { event, data }] of frames.entries()) {
    const fault = (what: string): number => faults.push(`frame ${at}: ${what}`);
    if (data === '[DONE]') {
      fault('is [DONE]');
      continue;
    }
    const type = String(data['type']);
    const number = data['sequence_number'];
    if (event !== type) fault(`is named ${String(event)}, and its type is ${type}`);
    if (ended) fault('comes after the end');
    if (typeof number !== 'number' || number <= sequence) fault(`has the number ${String(number)} after ${sequence}`);
    if (at === 0 && number !== 0) fault('does not start with the number 0');
    sequence = Number(number);
    if (at === 0 && type !== 'response.created' && type !== 'error') fault('does not start with response.created');
    if (at === 1 && !['response.in_progress', 'response.queued', 'error'].includes(type)) fault('is not response.in_progress');
    if (isObject(data['response'])) {
      response ??= data['response']['id'];
      if (data['response']['id'] !== response) fault('changes the id of the response');
    }
    ended ||= TERMINALS.includes(type);
    if (type === 'error' && (typeof data['message'] !== 'string' || !('code' in data) || !('param' in data))) fault('is half an error');
    responsesItem(type, data, items, fault);
    if (type === 'response.completed' || type === 'response.incomplete') responsesEnd(objectOf(data['response']), items, fault);
  }
  if (!ended) faults.push('there is no end');
  return faults;
}

function responsesItem(type: string, data: JsonObject, items: SeenItem[], fault: (what: string) => unknown): void {
  const wire = objectOf(data['item']);
  const index = Number(data['output_index']);
  if (type === 'response.output_item.added') {
    if (index !== items.length) fault(`adds item ${index} in place of ${items.length}`);
    if (typeof wire['id'] !== 'string' || items.some((item) => item.id === wire['id'])) fault('adds an item without an id of its own');
    items[index] = { id: wire['id'], type: wire['type'], parts: [], open: undefined, given: '', givenWhole: false, done: undefined };
    return;
  }
  if (data['output_index'] === undefined) return;
  const item = items[index];
  if (!item) return void fault(`${type} is about item ${index}, which was not added`);
  if (item.done) fault(`${type} is about item ${index}, which is done`);
  if ((data['item_id'] ?? wire['id']) !== item.id) fault(`${type} names another id than item ${index} has`);
  if (type === 'response.output_item.done') itemDone(item, wire, fault);
  else if (PART.test(type)) itemPart(type, item, data, fault);
  else if (TEXT.test(type)) itemText(type, item, data, fault);
  else if (GIVEN.test(type)) itemGiven(type, item, data, fault);
}

const positionOf = (data: JsonObject): unknown => data['content_index'] ?? data['summary_index'];

function itemPart(type: string, item: SeenItem, data: JsonObject, fault: (what: string) => unknown): void {
  const part = objectOf(data['part']);
  const summaries = item.parts.filter((one) => one['type'] === 'summary_text').length;
  const position = part['type'] === 'summary_text' ? summaries : item.parts.length - summaries;
  if (positionOf(data) !== position) fault(`${type} is about part ${String(positionOf(data))} in place of ${position}`);
  const { open } = item;
  if (type.endsWith('.added')) {
    if (open) fault('adds a part while one is open');
    item.open = { kind: String(part['type']), text: '', repeated: false };
    return;
  }
  if (!open?.repeated) return void fault('ends a part that is not open, or whose text was not repeated');
  if ((part['text'] ?? part['refusal']) !== open.text) fault('ends a part with another text than its pieces');
  item.parts.push(part);
  item.open = undefined;
}

function itemText(type: string, item: SeenItem, data: JsonObject, fault: (what: string) => unknown): void {
  const kind = TEXT.exec(type)?.[1] === 'reasoning_summary_text' ? 'summary_text' : TEXT.exec(type)?.[1];
  const { open } = item;
  if (!open || open.kind !== kind || open.repeated) return void fault(`${type} has no open part`);
  if (type.endsWith('.delta')) open.text += String(data['delta']);
  else {
    if ((data['text'] ?? data['refusal']) !== open.text) fault(`${type} repeats another text than the pieces gave`);
    open.repeated = true;
  }
}

function itemGiven(type: string, item: SeenItem, data: JsonObject, fault: (what: string) => unknown): void {
  const custom = type.includes('custom');
  if (item.type !== (custom ? 'custom_tool_call' : 'function_call')) fault(`${type} is about an item of type ${String(item.type)}`);
  if (item.givenWhole) fault(`${type} comes after the whole`);
  if (type.endsWith('.delta')) item.given += String(data['delta']);
  else {
    if ((custom ? data['input'] : data['arguments']) !== item.given) fault(`${type} repeats other arguments than the pieces gave`);
    item.givenWhole = true;
  }
}

function itemDone(item: SeenItem, wire: JsonObject, fault: (what: string) => unknown): void {
  item.done = wire;
  if (item.open) fault('ends an item while a part is open');
  if (wire['type'] !== item.type) fault('ends an item as one of another type');
  if (wire['status'] === 'in_progress') fault('ends an item that is in progress');
  const parts = item.type === 'reasoning' ? [...listOf(wire['summary']), ...listOf(wire['content'])] : listOf(wire['content']);
  if ((item.type === 'message' || item.type === 'reasoning') && !same(parts, item.parts)) fault('ends an item with other parts than came');
  const call = item.type === 'function_call' || item.type === 'custom_tool_call';
  if (call && (!item.givenWhole || (wire['arguments'] ?? wire['input']) !== item.given))
    fault('ends a call with other arguments than came');
}

function responsesEnd(response: JsonObject, items: readonly SeenItem[], fault: (what: string) => unknown): void {
  if (items.some((item) => !item.done)) fault('ends while an item is open');
  const done = items.map((item) => item.done);
  if (!same(response['output'], done)) fault('ends with other items than came');
}
