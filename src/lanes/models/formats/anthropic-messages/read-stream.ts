import type { ChatEvent, Seal } from '../../../../core/chat.ts';
import type { ChatStreamReader, WireFrame } from '../../../../core/contracts/provider.ts';
import type { JsonObject } from '../../../../core/json.ts';
import { frameJson, maybe } from '../_read.ts';
import { readSeal } from '../_seals.ts';
import { callSeal } from './block-seals.ts';
import { readFinish } from './finish.ts';
import { readError } from './read-error.ts';
import { readRefusal } from './read-reply.ts';
import { joinUsage, readUsage } from './usage.ts';

/** The block that is open. `other` is one without a place in the neutral form: its deltas are passed over. */
type Block =
  | { readonly kind: 'text' | 'other' }
  | { readonly kind: 'thinking'; signature: string }
  | { readonly kind: 'call'; readonly call: number; readonly input: JsonObject; told: boolean };

interface State {
  readonly family: string;
  readonly blocks: Map<unknown, Block>;
  calls: number;
  usage: JsonObject;
  /** Of the next call. */
  seal: Seal | undefined;
  finished: boolean;
}

/** A reader of one stream. Events that are not known and `ping` mean nothing; only `message_stop` is an end. */
export function streamReader(family: string): ChatStreamReader {
  const state: State = { family, blocks: new Map(), calls: 0, usage: {}, seal: undefined, finished: false };
  return {
    read: (frame) => readFrame(frame, state),
    close: () => [],
  };
}

function readFrame(frame: WireFrame, state: State): readonly ChatEvent[] {
  const data = frameJson(frame.data);
  switch (data['type'] ?? frame.event) {
    case 'message_start':
      return readStart(maybe.object(data['message']), state);
    case 'content_block_start':
      return openBlock(data['index'], maybe.object(data['content_block']), state);
    case 'content_block_delta':
      return readDelta(state.blocks.get(data['index']), maybe.object(data['delta']));
    case 'content_block_stop':
      return closeBlock(data['index'], state);
    case 'message_delta':
      return readMessageDelta(data, state);
    case 'message_stop':
      return [...(state.finished ? [] : [finish(undefined, state)]), { type: 'end' }];
    case 'error':
      return [{ type: 'error', failure: readError(maybe.object(data['error'])) }];
    default:
      return [];
  }
}

function readStart(message: JsonObject, state: State): ChatEvent[] {
  const id = maybe.text(message['id']);
  const model = maybe.text(message['model']);
  return [
    { type: 'start', ...(id !== undefined && { id }), ...(model !== undefined && { model }) },
    ...usageEvents(maybe.object(message['usage']), state),
  ];
}

function usageEvents(said: JsonObject, state: State): ChatEvent[] {
  state.usage = joinUsage(state.usage, said);
  const usage = readUsage(state.usage);
  return usage ? [{ type: 'usage', usage }] : [];
}

function openBlock(index: unknown, block: JsonObject, state: State): ChatEvent[] {
  switch (block['type']) {
    case 'text':
      state.blocks.set(index, { kind: 'text' });
      return some('text', block['text']);
    case 'thinking':
      state.blocks.set(index, { kind: 'thinking', signature: maybe.text(block['signature']) ?? '' });
      return some('reasoning', block['thinking']);
    case 'redacted_thinking':
      state.blocks.set(index, { kind: 'other' });
      return readHidden(maybe.text(block['data']) ?? '', state);
    case 'tool_use':
      return openCall(index, block, state);
    default:
      state.blocks.set(index, { kind: 'other' });
      return [];
  }
}

function readHidden(data: string, state: State): ChatEvent[] {
  const seal = readSeal(data, state.family);
  const ofCall = callSeal(seal);
  if (!ofCall) return [{ type: 'seal', seal, hidden: true }];
  state.seal = ofCall;
  return [];
}

function openCall(index: unknown, block: JsonObject, state: State): ChatEvent[] {
  const { seal, calls: call } = state;
  state.calls += 1;
  state.seal = undefined;
  state.blocks.set(index, { kind: 'call', call, input: maybe.object(block['input']), told: false });
  return [{ type: 'call', call, id: maybe.text(block['id']) ?? '', name: maybe.text(block['name']) ?? '', ...(seal && { seal }) }];
}

function readDelta(block: Block | undefined, delta: JsonObject): ChatEvent[] {
  // Some vendors send no start for a block of text.
  if (!block || block.kind === 'text') return some('text', delta['text']);
  if (block.kind === 'thinking') {
    block.signature = maybe.text(delta['signature']) ?? block.signature;
    return some('reasoning', delta['thinking']);
  }
  const text = maybe.text(delta['partial_json']);
  if (block.kind !== 'call' || !text) return [];
  block.told = true;
  return [{ type: 'arguments', call: block.call, text }];
}

function closeBlock(index: unknown, { blocks, family }: State): ChatEvent[] {
  const block = blocks.get(index);
  blocks.delete(index);
  if (block?.kind === 'thinking' && block.signature !== '') return [{ type: 'seal', seal: readSeal(block.signature, family) }];
  // Some vendors give the whole input with the start.
  if (block?.kind === 'call' && !block.told && Object.keys(block.input).length > 0) {
    return [{ type: 'arguments', call: block.call, text: JSON.stringify(block.input) }];
  }
  return [];
}

function readMessageDelta(data: JsonObject, state: State): ChatEvent[] {
  const delta = maybe.object(data['delta']);
  const events = usageEvents(maybe.object(data['usage']), state);
  const refusal = readRefusal(delta['stop_details']);
  if (refusal) events.push({ type: 'refusal', text: refusal });
  if (maybe.text(delta['stop_reason']) !== undefined && !state.finished) events.push(finish(delta, state));
  return events;
}

function finish(delta: JsonObject | undefined, state: State): ChatEvent {
  state.finished = true;
  const stopSequence = maybe.text(delta?.['stop_sequence']);
  return {
    type: 'finish',
    finish: readFinish(maybe.text(delta?.['stop_reason']), state.calls > 0),
    ...(stopSequence !== undefined && { stopSequence }),
  };
}

function some(type: 'text' | 'reasoning', value: unknown): ChatEvent[] {
  const text = maybe.text(value);
  return text ? [{ type, text }] : [];
}
