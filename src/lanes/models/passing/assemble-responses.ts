import { isObject, type JsonObject } from '../../../core/json.ts';
import type { FrameAssembly } from './frame-assembly.ts';

/** The response that a stream ends with, which repeats all that came before. Some vendors leave its output out: then what came makes it. */
export class ResponsesAssembly implements FrameAssembly {
  #response: JsonObject = {};
  readonly #items = new Map<unknown, unknown>();
  /** Texts that came in pieces, by the item they belong to. */
  readonly #texts = new Map<unknown, string>();

  add(data: JsonObject): void {
    const { response, item, delta, output_index: index } = data;
    if (isObject(response)) this.#response = response;
    if (data['type'] === 'response.output_item.done') this.#items.set(index, item);
    if (typeof delta === 'string') this.#texts.set(index, (this.#texts.get(index) ?? '') + delta);
  }

  get body(): JsonObject {
    const { output } = this.#response;
    if (Array.isArray(output) && output.length > 0) return this.#response;
    const spoken = [...this.#texts].filter(([index]) => !this.#items.has(index));
    const messages = spoken.map(([, text]) => ({ type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] }));
    return { ...this.#response, output: [...this.#items.values(), ...messages] };
  }
}
