import { isObject, type JsonObject } from '../../../core/json.ts';
import type { FrameAssembly } from './frame-assembly.ts';
import { mergeDelta, type Fields } from './merge-deltas.ts';

/** Of a block that some vendors send no start for. */
const TYPES: Readonly<Record<string, string>> = { text_delta: 'text', thinking_delta: 'thinking', input_json_delta: 'tool_use' };

interface Block {
  readonly block: Fields;
  /** Pieces of the JSON of its input. */
  input: string;
}

/** The message that the events of a stream add up to, with blocks of every type. */
export class MessagesAssembly implements FrameAssembly {
  #message: Fields = {};
  readonly #blocks: Block[] = [];
  /** The block that each index means now. */
  readonly #open = new Map<unknown, Block>();

  add(data: JsonObject, event?: string): void {
    const { type: _type, index, content_block: start, delta, message, ...rest } = data;
    switch (data['type'] ?? event) {
      case 'message_start':
        if (isObject(message)) this.#message = { ...this.#message, ...message };
        break;
      case 'content_block_start':
        this.#start(index, isObject(start) ? start : {});
        break;
      case 'content_block_delta':
        if (isObject(delta)) this.#grow(index, delta);
        break;
      case 'message_delta':
        this.#end(isObject(delta) ? { ...rest, ...delta } : rest);
    }
  }

  get body(): JsonObject {
    const { content, ...message } = this.#message;
    const given = Array.isArray(content) ? (content as readonly unknown[]) : [];
    return {
      ...message,
      content: [...given, ...this.#blocks.map(({ block, input }) => (input === '' ? block : { ...block, input: parsed(input) }))],
    };
  }

  #start(index: unknown, start: JsonObject): Block {
    const block = { block: structuredClone(start) as Fields, input: '' };
    this.#blocks.push(block);
    this.#open.set(index, block);
    return block;
  }

  #grow(index: unknown, { type, partial_json: json, citation, signature, ...pieces }: JsonObject): void {
    const open = this.#open.get(index) ?? this.#start(index, { type: TYPES[String(type)] ?? String(type) });
    if (typeof json === 'string') open.input += json;
    if (citation !== undefined) mergeDelta(open.block, { citations: [citation] });
    if (typeof signature === 'string') open.block['signature'] = signature;
    mergeDelta(open.block, pieces);
  }

  /** `usage` repeats counts of the start, leaves them out, or says null. */
  #end(fields: JsonObject): void {
    for (const [key, value] of Object.entries(fields)) {
      const before = this.#message[key];
      if (key === 'usage' && isObject(value) && isObject(before)) {
        this.#message[key] = { ...before, ...Object.fromEntries(Object.entries(value).filter(([, count]) => count !== null)) };
      } else if (value !== null || before === undefined) this.#message[key] = value;
    }
  }
}

/** What is no JSON is an input nevertheless: it goes out as it is. */
function parsed(input: string): unknown {
  try {
    return JSON.parse(input);
  } catch {
    return input;
  }
}
