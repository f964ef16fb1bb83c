import type { ChatEvent, ModelFailure, Part } from '../../../../core/chat.ts';
import type { ChatStreamWriter, WriteContext } from '../../../../core/contracts/provider.ts';
import { ERRORS, GatewayError } from '../../../../core/errors.ts';
import type { JsonObject } from '../../../../core/json.ts';
import type { ModelsChunk } from '../../../../core/models.ts';
import type { Usage } from '../../../../core/usage.ts';
import { writeSeal } from '../_seals.ts';
import { callSealBlock, NATIVE } from './block-seals.ts';
import { anthropicErrorType } from './error-type.ts';
import { writeFinish } from './finish.ts';
import { frame } from './replay.ts';
import { writeUsage } from './usage.ts';
import { writeReply } from './write-reply.ts';

type Event<T extends ChatEvent['type']> = Extract<ChatEvent, { type: T }>;

/** A call that has begun; `pieces` wait for the calls before it. */
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
  /** Of the next block. */
  index: number;
  open: 'text' | 'thinking' | Call | undefined;
  /** All of them, in order. */
  readonly calls: Map<number, Call>;
  /** What was written, for the whole reply. */
  readonly parts: Part[];
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
    index: 0,
    open: undefined,
    calls: new Map(),
    parts: [],
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
      return [writeError(event.failure)];
    case 'end':
      return [...start(state), ...endBlocks(state), ...complete(state)];
  }
}

function start(state: State): ModelsChunk[] {
  if (state.started) return [];
  state.started = true;
  // Clients show the input at once and take 0 for a fault.
  const usage = { input_tokens: Math.max(1, state.context.estimatedInput), output_tokens: 1 };
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
  const last = state.parts.at(-1);
  if (state.open === 'text' && last?.type === 'text') {
    state.parts[state.parts.length - 1] = { type: 'text', text: last.text + text };
    return [delta(piece, state)];
  }
  const before = endBlocks(state);
  state.open = 'text';
  state.parts.push({ type: 'text', text });
  return [...before, openBlock({ type: 'text', text: '' }, state), delta(piece, state)];
}

function writeThinking(text: string, state: State): ModelsChunk[] {
  const piece = { type: 'thinking_delta', thinking: text };
  const last = state.parts.at(-1);
  if (state.open === 'thinking' && last?.type === 'reasoning') {
    state.parts[state.parts.length - 1] = { type: 'reasoning', text: last.text + text };
    return [delta(piece, state)];
  }
  return [...openThinking(text, state), delta(piece, state)];
}

function openThinking(text: string, state: State): ModelsChunk[] {
  const before = endBlocks(state);
  state.open = 'thinking';
  state.parts.push({ type: 'reasoning', text });
  return [...before, openBlock({ type: 'thinking', thinking: '', signature: '' }, state)];
}

function writeSealStep({ seal, hidden }: Event<'seal'>, state: State): ModelsChunk[] {
  const value = writeSeal(seal, NATIVE);
  if (hidden) {
    const before = endBlocks(state);
    state.parts.push({ type: 'reasoning', text: '', seal, hidden: true });
    return [...before, openBlock({ type: 'redacted_thinking', data: value }, state), stop(state)];
  }
  const before = state.open === 'thinking' ? [] : openThinking('', state);
  const last = state.parts.at(-1);
  state.parts[state.parts.length - 1] = { type: 'reasoning', text: last?.type === 'reasoning' ? last.text : '', seal };
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
  const { id, name, seal } = call.step;
  call.state = 'closed';
  state.parts.push({ type: 'call', id, name, arguments: call.pieces.join(''), ...(seal && { seal }) });
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
  call.pieces.push(text);
  return call.state === 'open' ? [argumentsDelta(text, state)] : [];
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
  const usage = writeUsage(state.usage, Math.max(1, state.context.estimatedInput));
  const reply = whole(state, finish, stopSequence);
  return [frame('message_delta', { delta: ending, usage }), { ...frame('message_stop'), ...(reply && { reply: { body: reply } }) }];
}

/** The answer in one piece; undefined when arguments are broken, which a stream passes on as they are. */
function whole(state: State, finish: Event<'finish'>['finish'], stopSequence: string | undefined): JsonObject | undefined {
  const { id, model, parts, usage, context } = state;
  const reply = { id, model, parts, finish, ...(stopSequence !== undefined && { stopSequence }), ...(usage && { usage }) };
  try {
    return writeReply(reply, context);
  } catch (error) {
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}

function writeError({ code, message }: ModelFailure): ModelsChunk {
  return frame('error', { error: { type: anthropicErrorType(code), message: message ?? ERRORS[code].message } });
}
