import { isObject, type JsonObject } from '../../../core/json.ts';
import { mergeDelta, takeOver, type Fields } from './merge-deltas.ts';
import type { FrameAssembly } from './frame-assembly.ts';

/** The `chat.completion` that a stream of `chat.completion.chunk` adds up to, with all its choices. */
export class ChatAssembly implements FrameAssembly {
  readonly #top: Fields = {};
  readonly #choices = new Map<unknown, Fields>();

  add({ choices, ...top }: JsonObject): void {
    takeOver(this.#top, top);
    if (Array.isArray(choices)) for (const choice of choices) if (isObject(choice)) this.#choose(choice);
  }

  get body(): JsonObject {
    const choices = [...this.#choices.values()].toSorted((a, b) => Number(a['index']) - Number(b['index']));
    return { ...this.#top, object: 'chat.completion', choices };
  }

  #choose({ delta, message, logprobs, ...rest }: JsonObject): void {
    const index = rest['index'] ?? 0;
    const choice = this.#choices.get(index) ?? { index, message: { role: 'assistant' }, logprobs: null };
    this.#choices.set(index, choice);
    takeOver(choice, rest);
    for (const said of [delta, message]) if (isObject(said)) mergeDelta(choice['message'] as Fields, said);
    if (isObject(logprobs)) mergeDelta((choice['logprobs'] ??= {}) as Fields, logprobs);
  }
}
