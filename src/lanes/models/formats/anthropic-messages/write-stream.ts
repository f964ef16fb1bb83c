import type { ChatEvent } from '../../../../core/chat.ts';
import type { ChatStreamWriter, WriteContext } from '../../../../core/contracts/provider.ts';
import { GatewayError } from '../../../../core/errors.ts';
import type { JsonObject } from '../../../../core/json.ts';
import type { ModelsChunk } from '../../../../core/models.ts';
import type { Usage } from '../../../../core/usage.ts';
import { writeSeal } from '../_seals.ts';
import { callSealBlock, NATIVE } from './block-seals.ts';
import { writeFinish } from './finish.ts';
import { frame } from './replay.ts';
import { writeUsage } from './usage.ts';

type Event<T extends ChatEvent['type']> = Extract<ChatEvent, { type: T }>;

/** A call that has begun; `pieces` are those that wait for the calls before it. */
interface Call {
  readonly step: Event<'call'>;
  readonly pieces: string[];
  state: 'waiting' | 'open' | 'closed';
}

interface State {
  readonly context: WriteContext;
  started: boolean;
  id: string;
  model: string;
  /** Tokens, as the start said them. */
  input: number;
  /** Of the next block. */
  index: number;
  open: 'text' | 'thinking' | Call | undefined;
  /** All of them, in order. */
  readonly calls: Map<number, Call>;
  usage: Usage | undefined;
  finish: Event<'finish'> | undefined;
}

/**
 * A writer of one stream: one block at a time with rising index. Of calls whose steps are mixed, the later ones wait until another part or the
 * finish ends the one that is open. `message_delta` waits for `end`, because usage may come after the finish.
 */
export function streamWriter(context: WriteContext): ChatStreamWriter {
  const state: State = {
    context,
    started: false,
    id: context.id,
    model: context.model,
    input: 0,
    index: 0,
    open: undefined,
    calls: new Map(),
    usage: undefined,
    finish: undefined,
  };
  return { write: (event) => write(event, state) };
}

function write(event: ChatEvent, state: State): ModelsChunk[] {
  switch (event.type) {
    case 'start':
      state.id = event.id ?? state.id;
      state.model = event.model ?? state.model;
      return start(state);
    case 'text':
    case 'refusal':
      return event.text === '' ? [] : [...start(state), ...writeText(event.text, state)];
    case 'reasoning':
      return event.text === '' ? [] : [...start(state), ...writeThinking(event.text, state)];
    case 'seal':
      return [...start(state), ...writeSealStep(event, state)];
    case 'call':
      return [...start(state), ...beginCall(event, state)];
    case 'arguments':
      return addArguments(event, state);
    case 'usage':
      state.usage = { ...state.usage, ...event.usage };
      return [];
    case 'finish':
      state.finish = event;
      return endBlocks(state);
    case 'error':
      // Who reads throws it.
      return [];
    case 'end':
      return [...start(state), ...endBlocks(state), ...complete(state)];
  }
}

function start(state: State): ModelsChunk[] {
  if (state.started) return [];
  state.started = true;
  // Clients show the input at once and take 0 for a fault. Asked for once: counting is dear.
  state.input = Math.max(1, state.context.estimatedInput);
  const usage = { input_tokens: state.input, output_tokens: 1 };
  const message = { id: state.id, type: 'message', role: 'assistant', model: state.model, content: [] };
  return [frame('message_start', { message: { ...message, stop_reason: null, stop_sequence: null, usage } }), frame('ping')];
}

function openBlock(block: JsonObject, state: State): ModelsChunk {
  return frame('content_block_start', { index: state.index, content_block: block });
}

function delta(fields: JsonObject, state: State): ModelsChunk {
  return frame('content_block_delta', { index: state.index, delta: fields });
}

function stop(state: State): ModelsChunk {
  state.open = undefined;
  state.index += 1;
  return frame('content_block_stop', { index: state.index - 1 });
}

function writeText(text: string, state: State): ModelsChunk[] {
  const piece = { type: 'text_delta', text };
  if (state.open === 'text') return [delta(piece, state)];
  const before = endBlocks(state);
  state.open = 'text';
  return [...before, openBlock({ type: 'text', text: '' }, state), delta(piece, state)];
}

function writeThinking(text: string, state: State): ModelsChunk[] {
  const piece = { type: 'thinking_delta', thinking: text };
  const before = state.open === 'thinking' ? [] : openThinking(state);
  return [...before, delta(piece, state)];
}

function openThinking(state: State): ModelsChunk[] {
  const before = endBlocks(state);
  state.open = 'thinking';
  return [...before, openBlock({ type: 'thinking', thinking: '', signature: '' }, state)];
}

function writeSealStep({ seal, hidden }: Event<'seal'>, state: State): ModelsChunk[] {
  const value = writeSeal(seal, NATIVE);
  if (hidden) {
    const before = endBlocks(state);
    return [...before, openBlock({ type: 'redacted_thinking', data: value }, state), stop(state)];
  }
  const before = state.open === 'thinking' ? [] : openThinking(state);
  return [...before, delta({ type: 'signature_delta', signature: value }, state), stop(state)];
}

function beginCall(step: Event<'call'>, state: State): ModelsChunk[] {
  const call: Call = { step, pieces: [], state: 'waiting' };
  state.calls.set(step.call, call);
  return typeof state.open === 'object' ? [] : [...endBlocks(state), ...openCall(call, state)];
}

function openCall(call: Call, state: State): ModelsChunk[] {
  const { id, name, seal } = call.step;
  const frames = seal ? [openBlock(callSealBlock(seal), state), stop(state)] : [];
  call.state = 'open';
  state.open = call;
  return [...frames, openBlock({ type: 'tool_use', id, name, input: {} }, state)];
}

function closeCall(call: Call, state: State): ModelsChunk {
  call.state = 'closed';
  return stop(state);
}

function addArguments({ call: number, text }: Event<'arguments'>, state: State): ModelsChunk[] {
  const call = state.calls.get(number);
  if (!call) throw new GatewayError('upstream_failed', 'The provider sent arguments of a call that has not begun.');
  if (text === '') return [];
  if (call.state === 'closed') {
    if (text.trim() === '') return [];
    // A block cannot be opened again, and a tool must never run with half of its input.
    throw new GatewayError('upstream_failed', `The provider sent arguments of the call of "${call.step.name}" after its end.`);
  }
  if (call.state === 'open') return [argumentsDelta(text, state)];
  call.pieces.push(text);
  return [];
}

function argumentsDelta(text: string, state: State): ModelsChunk {
  return delta({ type: 'input_json_delta', partial_json: text }, state);
}

/** Closes the open block, and writes the calls that waited for it. */
function endBlocks(state: State): ModelsChunk[] {
  const { open } = state;
  if (open === undefined) return [];
  // Clients that saw no signature at all do not send the block back.
  if (open === 'thinking') return [delta({ type: 'signature_delta', signature: '' }, state), stop(state)];
  if (open === 'text') return [stop(state)];
  const frames = [closeCall(open, state)];
  for (const call of state.calls.values()) {
    if (call.state !== 'waiting') continue;
    frames.push(...openCall(call, state));
    if (call.pieces.length > 0) frames.push(argumentsDelta(call.pieces.join(''), state));
    frames.push(closeCall(call, state));
  }
  return frames;
}

function complete(state: State): ModelsChunk[] {
  const { finish, stopSequence } = state.finish ?? { finish: 'stop' };
  const ending = writeFinish(finish, stopSequence, state.calls.size > 0);
  const usage = writeUsage(state.usage, () => state.input);
  return [frame('message_delta', { delta: ending, usage }), frame('message_stop')];
}
