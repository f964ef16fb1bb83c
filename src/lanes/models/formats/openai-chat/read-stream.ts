import { GatewayError } from '../../../../core/errors.ts';
import type { ChatEvent, ModelFailure, Seal } from '../../../../core/chat.ts';
import type { ChatStreamReader } from '../../../../core/contracts/provider.ts';
import { isObject, type JsonObject } from '../../../../core/json.ts';
import { frameJson, maybe } from '../_read.ts';
import { readError } from './failures.ts';
import { given } from '../_given.ts';
import { plainReasoning, readCallSeal, readDetails } from './reasoning.ts';
import { argumentsText, firstChoice, isError, madeCallId, readFinish, readSpoken } from './reply.ts';
import { readUsage } from './usage.ts';

/** One call as its pieces come in. */
interface OpenCall {
  readonly call: number;
  /** As the vendor gave it; absent until it does. */
  id?: string;
  /** Whether `call` has gone out: it waits for the name. */
  told: boolean;
  /** Pieces of arguments that came before the name. */
  held: string;
}

/** Reads choice 0 of a stream of `chat.completion.chunk`, with all the deviations that servers of this format are known for. */
export function streamReader(family: string): ChatStreamReader {
  const reader = new Reader(family);
  return { read: (frame) => reader.read(frame.data, frame.event), close: () => [] };
}

class Reader {
  readonly #family: string;
  readonly #byIndex = new Map<unknown, OpenCall>();
  readonly #seals = new Map<string, Seal>();
  #out: ChatEvent[] = [];
  #id = '';
  #calls = 0;
  /** Calls that wait for their name. */
  #nameless = 0;
  #started = false;
  #finished = false;
  #ended = false;
  #spoke = false;
  #refused = false;
  /** Reasoning has come as plain text: details repeat it. */
  #plain = false;

  constructor(family: string) {
    this.#family = family;
  }

  read(data: string, event: string | undefined): readonly ChatEvent[] {
    if (this.#ended || data === '') return [];
    this.#out = [];
    if (data.trim() === '[DONE]') this.#end();
    else this.#readBody(frameJson(data), event);
    return this.#out;
  }

  #readBody(body: JsonObject, event: string | undefined): void {
    if (event === 'error' || isError(body)) return this.#fail(readError(body));
    const { usage, model } = readUsage(body);
    const id = maybe.text(body['id']) ?? '';
    // Azure's first event has neither.
    if (id !== '' || model !== undefined) this.#start(id, model);
    const choice = firstChoice(body);
    if (choice !== undefined) this.#readChoice(choice);
    if (usage !== undefined && !this.#ended) this.#out.push({ type: 'usage', usage });
  }

  #readChoice(choice: JsonObject): void {
    const delta = maybe.object(choice['delta']);
    this.#readReasoning(delta);
    for (const part of readSpoken(delta['content'])) {
      if (part.type === 'text') this.#spoke = true;
      if (part.type === 'text' || part.type === 'reasoning') this.#push({ type: part.type, text: part.text });
    }
    const refusal = maybe.text(delta['refusal']);
    if (refusal) {
      this.#refused = true;
      this.#push({ type: 'refusal', text: refusal });
    }
    for (const call of maybe.list(delta['tool_calls']).filter(isObject)) this.#readCall(call);
    const reason = choice['finish_reason'];
    if (reason === 'error' || reason === 'insufficient_system_resource') {
      this.#fail({ code: reason === 'error' ? 'upstream_failed' : 'upstream_overloaded' });
    } else if (typeof reason === 'string' && reason !== '') this.#finish(reason);
  }

  #readReasoning(delta: JsonObject): void {
    const plain = plainReasoning(delta);
    if (plain !== '') {
      this.#plain = true;
      this.#push({ type: 'reasoning', text: plain });
    }
    for (const { text, seal, hidden, id } of readDetails(delta, this.#family)) {
      if (text !== '' && !this.#plain) this.#push({ type: 'reasoning', text });
      if (seal === undefined) continue;
      // OpenRouter brings the seal of a Gemini call before the call.
      if (id !== undefined && seal.family === 'gemini') this.#seals.set(id, seal);
      else this.#push(given({ type: 'seal', seal, hidden }));
    }
  }

  #readCall(delta: JsonObject): void {
    const named = maybe.object(delta['function'] ?? delta['custom']);
    const id = maybe.text(delta['id']) || undefined;
    const name = maybe.text(named['name']) || undefined;
    const open = this.#callOf(delta['index'], id);
    const text = argumentsText(named['arguments'] ?? named['input']);
    if (open.told) {
      if (text !== '') this.#push({ type: 'arguments', call: open.call, text });
      return;
    }
    open.held += text;
    if (name === undefined) return;
    open.told = true;
    this.#nameless -= 1;
    const callId = open.id ?? madeCallId(this.#id, open.call);
    const seal = readCallSeal(delta) ?? this.#seals.get(callId);
    this.#seals.delete(callId);
    this.#push(given({ type: 'call', call: open.call, id: callId, name, seal }));
    if (open.held !== '') this.#push({ type: 'arguments', call: open.call, text: open.held });
  }

  /** A new id at the same index is a new call: some servers give every call index 0, some none at all. */
  #callOf(index: unknown, id: string | undefined): OpenCall {
    const key = typeof index === 'number' ? index : (id ?? LAST);
    const open = this.#byIndex.get(key);
    if (open !== undefined && (id === undefined || open.id === undefined || open.id === id)) {
      if (id !== undefined) open.id = id;
      return open;
    }
    const made: OpenCall = given({ call: this.#calls++, id, told: false, held: '' });
    this.#nameless += 1;
    this.#byIndex.set(key, made);
    this.#byIndex.set(LAST, made);
    return made;
  }

  #start(id: string, model: string | undefined): void {
    if (this.#started) return;
    this.#started = true;
    this.#id = id;
    this.#out.push(given({ type: 'start', id: id === '' ? undefined : id, model }));
  }

  #push(event: ChatEvent): void {
    this.#start('', undefined);
    this.#out.push(event);
  }

  #finish(reason: string): void {
    if (this.#finished) return;
    this.#finished = true;
    for (const seal of this.#seals.values()) this.#push({ type: 'seal', seal, hidden: true });
    const finish = readFinish(reason, { calls: this.#calls > 0, refused: this.#refused && !this.#spoke });
    // One that the limit of tokens cut is only left out.
    if (finish === 'tool_calls' && this.#nameless > 0)
      throw new GatewayError('upstream_failed', 'The provider called a tool without saying which.');
    this.#push({ type: 'finish', finish });
  }

  #fail(failure: ModelFailure): void {
    this.#ended = true;
    this.#out.push({ type: 'error', failure });
  }

  #end(): void {
    // Without a reason to finish there was no answer, however well the stream ends.
    if (!this.#finished) throw new GatewayError('upstream_failed', 'The provider answered without a choice.');
    this.#out.push({ type: 'end' });
    this.#ended = true;
  }
}

/** Where pieces without index and id belong. */
const LAST = Symbol('last');
