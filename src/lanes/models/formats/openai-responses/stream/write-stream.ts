import type { ChatEvent, Finish, Seal } from '../../../../../core/chat.ts';
import type { ChatStreamWriter, WriteContext } from '../../../../../core/contracts/provider.ts';
import type { JsonObject } from '../../../../../core/json.ts';
import type { ModelsChunk } from '../../../../../core/models.ts';
import type { Usage } from '../../../../../core/usage.ts';
import { NATIVE } from '../seals.ts';
import { callItem, callSeal, ending, itemId, messageItem, reasoningItem, responseOf } from '../write-reply.ts';
import { type At, Frames, OpenPart, type PartType } from './frames.ts';

interface OpenCall {
  readonly at: At;
  readonly callId: string;
  readonly name: string;
  given: string;
}

/** The message or the reasoning that is being said. */
interface Spoken {
  readonly type: 'message' | 'reasoning';
  readonly at: At;
  readonly content: JsonObject[];
  part: OpenPart | undefined;
}

/**
 * Writes the events of a streamed response. One message or reasoning is open at a time; calls stay open until the end, since pieces of several may
 * be mixed, each with its own `output_index`.
 */
export function streamWriter(context: WriteContext): ChatStreamWriter {
  const stream = new ResponseWriter(context);
  return { write: (event) => stream.write(event) };
}

class ResponseWriter {
  readonly #context: WriteContext;
  readonly #frames = new Frames();
  /** Finished items by their index; a hole is an item that is still open. */
  readonly #output: JsonObject[] = [];
  readonly #calls = new Map<number, OpenCall>();
  #chunks: ModelsChunk[] = [];
  #items = 0;
  #spoken: Spoken | undefined;
  #served: { readonly id?: string; readonly model?: string } = {};
  #usage: Usage | undefined;
  #finish: Finish = 'stop';
  #began = false;
  #ended = false;

  constructor(context: WriteContext) {
    this.#context = context;
  }

  write(event: ChatEvent): readonly ModelsChunk[] {
    if (this.#ended) return [];
    this.#chunks = [];
    this.#step(event);
    return this.#chunks;
  }

  #step(event: ChatEvent): void {
    switch (event.type) {
      case 'usage':
        this.#usage = { ...this.#usage, ...event.usage };
        return;
      case 'finish':
        this.#finish = event.finish;
        return;
      case 'error':
        // Who reads throws it.
        return;
      case 'start':
        return this.#begin(event);
      default:
    }
    this.#begin({});
    switch (event.type) {
      case 'text':
        return this.#say('message', 'output_text', event.text);
      case 'refusal':
        return this.#say('message', 'refusal', event.text);
      case 'reasoning':
        return this.#say('reasoning', 'summary_text', event.text);
      case 'seal':
        return this.#seal(event.seal, event.hidden === true);
      case 'call':
        return this.#call(event);
      case 'arguments':
        return this.#arguments(event.call, event.text);
      case 'end':
        return this.#end();
      default:
    }
  }

  #emit(type: string, fields: JsonObject): void {
    this.#chunks.push(this.#frames.make(type, fields));
  }

  #begin(served: { readonly id?: string; readonly model?: string }): void {
    if (this.#began) return;
    this.#began = true;
    this.#served = served;
    const response = responseOf(this.#context, served, { status: 'in_progress', incomplete_details: null, output: [], usage: undefined });
    this.#emit('response.created', { response });
    this.#emit('response.in_progress', { response });
  }

  #add(kind: string, item: (id: string) => JsonObject): At {
    const at = { item_id: itemId(kind, this.#items, this.#context), output_index: this.#items++ };
    this.#emit('response.output_item.added', { output_index: at.output_index, item: item(at.item_id) });
    return at;
  }

  #done(at: At, item: JsonObject): void {
    this.#output[at.output_index] = item;
    this.#emit('response.output_item.done', { output_index: at.output_index, item });
  }

  #open(type: Spoken['type']): Spoken {
    if (this.#spoken?.type === type) return this.#spoken;
    this.#close();
    const at =
      type === 'message'
        ? this.#add('msg', (id) => messageItem(id, [], 'in_progress'))
        : this.#add('rs', (id) => reasoningItem(id, undefined, undefined));
    return (this.#spoken = { type, at, content: [], part: undefined });
  }

  #say(type: Spoken['type'], sort: PartType, text: string): void {
    if (text === '') return;
    const spoken = this.#open(type);
    if (spoken.part?.type !== sort) this.#openPart(spoken, sort);
    if (spoken.part) this.#chunks.push(spoken.part.piece(text));
  }

  #openPart(spoken: Spoken, sort: PartType): void {
    this.#closePart(spoken);
    spoken.part = new OpenPart(this.#frames, sort, spoken.at, spoken.content.length);
    this.#chunks.push(spoken.part.open());
  }

  #closePart(spoken: Spoken): void {
    if (!spoken.part) return;
    spoken.content.push(spoken.part.part);
    this.#chunks.push(...spoken.part.close());
    spoken.part = undefined;
  }

  /** Finishes what is being said. */
  #close(seal?: Seal, status?: 'completed' | 'incomplete'): void {
    const spoken = this.#spoken;
    if (!spoken) return;
    this.#closePart(spoken);
    this.#spoken = undefined;
    const { at, content } = spoken;
    if (spoken.type === 'message') return this.#done(at, messageItem(at.item_id, content, status));
    this.#done(at, { ...reasoningItem(at.item_id, undefined, seal), summary: content });
  }

  /** A native seal holds the reasoning whose summary came before it; a hidden one of another family is an item of its own. */
  #seal(seal: Seal, hidden: boolean): void {
    if (this.#spoken?.type !== 'reasoning' || (hidden && seal.family !== NATIVE)) {
      this.#close();
      const spoken = this.#open('reasoning');
      // The empty text says that the seal is a signature, and not the reasoning itself.
      if (!hidden) this.#openPart(spoken, 'summary_text');
    }
    this.#close(seal);
  }

  #call({ call, id, name, seal }: ChatEvent & { type: 'call' }): void {
    if (this.#calls.has(call)) return;
    this.#close();
    if (seal) this.#seal(callSeal(seal), true);
    const at = this.#add('fc', (own) => callItem(own, id, name, '', 'in_progress'));
    this.#calls.set(call, { at, callId: id, name, given: '' });
  }

  #arguments(call: number, text: string): void {
    const open = this.#calls.get(call);
    if (!open || text === '') return;
    open.given += text;
    this.#emit('response.function_call_arguments.delta', { ...open.at, delta: text });
  }

  #closeCall(call: OpenCall, status: 'completed' | 'incomplete'): void {
    const item = callItem(call.at.item_id, call.callId, call.name, call.given, status);
    if (call.given === '') this.#emit('response.function_call_arguments.delta', { ...call.at, delta: item['arguments'] });
    this.#emit('response.function_call_arguments.done', { ...call.at, name: call.name, arguments: item['arguments'] });
    this.#done(call.at, item);
  }

  #end(): void {
    const end = ending(this.#finish);
    // What cut the answer short cut its last item.
    const statusOf = (at: At): 'completed' | 'incomplete' =>
      end.status === 'incomplete' && at.output_index === this.#items - 1 ? 'incomplete' : 'completed';
    for (const call of this.#calls.values()) this.#closeCall(call, statusOf(call.at));
    if (this.#spoken) this.#close(undefined, statusOf(this.#spoken.at));
    const response = responseOf(this.#context, this.#served, { ...end, output: this.#output, usage: this.#usage });
    this.#emit(`response.${end.status}`, { response });
    this.#ended = true;
  }
}
