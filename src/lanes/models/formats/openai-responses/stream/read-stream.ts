import type { ChatEvent } from '../../../../../core/chat.ts';
import type { ChatStreamReader, WireFrame } from '../../../../../core/contracts/provider.ts';
import { isObject, type JsonObject } from '../../../../../core/json.ts';
import { frameJson, maybe } from '../../_read.ts';
import { readFailure } from '../failure.ts';
import { argumentsOf, callOf, readFinish, reasoningText, sealOf } from '../read-reply.ts';
import { readResponseUsage } from '../usage.ts';

/** What has been said of one item of the output. Vendors send its text in pieces, whole at the end, or both: it is passed on once. */
interface Item {
  /** Index among the calls, once the call is known by name. */
  call: number | undefined;
  /** Pieces that came before the name. */
  held: string;
  /** Places of the item (`text:0`, `summary:1`, `arguments`) that gave something in pieces. */
  readonly said: Set<string>;
  done: boolean;
}

/** Reads the events of a streamed response. Only `response.completed` and `response.incomplete` make it complete. */
export function streamReader(family: string): ChatStreamReader {
  const stream = new ResponseReader(family);
  return { read: (frame) => stream.read(frame), close: () => [] };
}

class ResponseReader {
  readonly #family: string;
  readonly #items = new Map<string, Item>();
  /** Calls by the ids that results will name. */
  readonly #opened = new Map<string, Item>();
  #events: ChatEvent[] = [];
  #started = false;
  #ended = false;
  #calls = 0;
  #refused = false;
  #spoke = false;
  #thought = false;

  constructor(family: string) {
    this.#family = family;
  }

  read(frame: WireFrame): readonly ChatEvent[] {
    // Some vendors end with the mark of the older interface; what follows the end is nothing to anybody.
    if (this.#ended || frame.data === '[DONE]') return [];
    const data = frameJson(frame.data);
    this.#events = [];
    this.#event(maybe.text(data['type']) ?? frame.event ?? '', data);
    return this.#events;
  }

  #event(type: string, data: JsonObject): void {
    const response = maybe.object(data['response']);
    if (type === 'error' || isObject(data['error'])) return this.#fail(data);
    if (type === 'response.failed') return this.#fail(response);
    if (!type.startsWith('response.')) return;
    this.#start(response);
    const item = maybe.object(data['item']);
    switch (type) {
      case 'response.completed':
      case 'response.incomplete':
        return this.#complete(response);
      case 'response.output_item.added':
        return this.#openCall(this.#item(data), item);
      case 'response.output_item.done':
        return this.#itemDone(this.#item(data), item);
      case 'response.function_call_arguments.delta':
        return this.#argumentsPiece(this.#item(data), maybe.text(data['delta']));
      case 'response.function_call_arguments.done':
        return this.#argumentsWhole(this.#item(data), data);
      default:
        return this.#content(type, data);
    }
  }

  /** Pieces and wholes of what is said and thought. */
  #content(type: string, data: JsonObject): void {
    const delta = maybe.text(data['delta']);
    const content = maybe.number(data['content_index']) ?? 0;
    const summary = maybe.number(data['summary_index']) ?? 0;
    const item = this.#item(data);
    switch (type) {
      case 'response.output_text.delta':
        return this.#say(item, 'text', `text:${content}`, delta);
      case 'response.output_text.done':
        return this.#sayWhole(item, 'text', `text:${content}`, maybe.text(data['text']));
      case 'response.refusal.delta':
        return this.#say(item, 'refusal', `text:${content}`, delta);
      case 'response.refusal.done':
        return this.#sayWhole(item, 'refusal', `text:${content}`, maybe.text(data['refusal']));
      case 'response.reasoning_summary_text.delta':
        return this.#think(item, `summary:${summary}`, delta);
      case 'response.reasoning_summary_text.done':
        return this.#thinkWhole(item, `summary:${summary}`, maybe.text(data['text']));
      case 'response.reasoning_text.delta':
        return this.#think(item, `reasoning:${content}`, delta);
      case 'response.reasoning_text.done':
        return this.#thinkWhole(item, `reasoning:${content}`, maybe.text(data['text']));
      default:
    }
  }

  #start(response: JsonObject): void {
    if (this.#started) return;
    this.#started = true;
    const id = maybe.text(response['id']);
    const model = maybe.text(response['model']);
    this.#events.push({ type: 'start', ...(id !== undefined && { id }), ...(model !== undefined && { model }) });
  }

  /** The item that an event is about: by its place, since some vendors change ids on the way, else by its id. */
  #item(data: JsonObject): Item {
    const index = maybe.number(data['output_index']);
    const key = index === undefined ? (maybe.text(data['item_id']) ?? maybe.text(maybe.object(data['item'])['id']) ?? '') : `#${index}`;
    const known = this.#items.get(key);
    if (known) return known;
    const item: Item = { call: undefined, held: '', said: new Set(), done: false };
    this.#items.set(key, item);
    return item;
  }

  #say(item: Item, type: 'text' | 'refusal', place: string, text: string | undefined): void {
    if (!text) return;
    item.said.add(place);
    this.#spoke = true;
    if (type === 'refusal') this.#refused = true;
    this.#events.push({ type, text });
  }

  #sayWhole(item: Item, type: 'text' | 'refusal', place: string, text: string | undefined): void {
    if (!item.said.has(place)) this.#say(item, type, place, text);
  }

  #think(item: Item, place: string, text: string | undefined): void {
    if (!text) return;
    const apart = item.said.size > 0 && !item.said.has(place);
    item.said.add(place);
    this.#thought = true;
    this.#events.push({ type: 'reasoning', text: apart ? `\n\n${text}` : text });
  }

  #thinkWhole(item: Item, place: string, text: string | undefined): void {
    if (!item.said.has(place)) this.#think(item, place, text);
  }

  #openCall(item: Item, wire: JsonObject): void {
    if (item.call !== undefined || (wire['type'] !== 'function_call' && wire['type'] !== 'custom_tool_call')) return;
    const { id = '', name } = callOf(wire);
    // A name that is still empty comes with the whole item.
    if (!name) return;
    item.call = this.#calls++;
    this.#opened.set(id, item);
    this.#events.push({ type: 'call', call: item.call, id, name });
    const { held } = item;
    item.held = '';
    this.#argumentsPiece(item, held);
  }

  #argumentsPiece(item: Item, text: string | undefined): void {
    if (!text) return;
    item.said.add('arguments');
    if (item.call === undefined) item.held += text;
    else this.#events.push({ type: 'arguments', call: item.call, text });
  }

  #argumentsWhole(item: Item, wire: JsonObject): void {
    if (!item.said.has('arguments')) this.#argumentsPiece(item, argumentsOf(wire));
  }

  #itemDone(item: Item, wire: JsonObject): void {
    if (item.done) return;
    item.done = true;
    switch (wire['type']) {
      case 'message':
        for (const [index, value] of maybe.list(wire['content']).entries()) {
          const part = maybe.object(value);
          if (part['type'] === 'output_text') this.#sayWhole(item, 'text', `text:${index}`, maybe.text(part['text']));
          if (part['type'] === 'refusal') this.#sayWhole(item, 'refusal', `text:${index}`, maybe.text(part['refusal']));
        }
        return;
      case 'function_call':
      case 'custom_tool_call':
        this.#openCall(item, wire);
        return this.#argumentsWhole(item, wire);
      case 'reasoning': {
        if (item.said.size === 0) this.#think(item, 'whole', reasoningText(wire));
        const seal = sealOf(wire, this.#family);
        if (!seal) return;
        this.#thought = true;
        this.#events.push({ type: 'seal', seal, hidden: true });
        return;
      }
      default:
    }
  }

  /** The last event repeats all items: what no event before it brought is taken from there. */
  #complete(response: JsonObject): void {
    const [spoke, thought] = [this.#spoke, this.#thought];
    for (const [index, value] of maybe.list(response['output']).entries()) {
      const wire = maybe.object(value);
      const { type } = wire;
      if ((type === 'message' && spoke) || (type === 'reasoning' && thought)) continue;
      const called = this.#opened.get(callOf(wire).id ?? '');
      // Not by its place: some vendors count the items of the last event anew.
      this.#itemDone(called ?? this.#item({ item_id: `last:${index}` }), wire);
    }
    const usage = readResponseUsage(response);
    if (usage) this.#events.push({ type: 'usage', usage });
    this.#events.push(
      { type: 'finish', finish: readFinish(response, { called: this.#calls > 0, refused: this.#refused }) },
      { type: 'end' },
    );
    this.#ended = true;
  }

  #fail(data: JsonObject): void {
    const usage = readResponseUsage(data);
    if (usage) this.#events.push({ type: 'usage', usage });
    this.#events.push({ type: 'error', failure: readFailure(data) });
    this.#ended = true;
  }
}
