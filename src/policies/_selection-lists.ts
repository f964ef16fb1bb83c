import { createHash } from 'node:crypto';
import type { Findable, Semantics, TextIndex } from '../core/contracts/semantics.ts';
import { findableOf, type OwnTool } from './_selection-tools.ts';

/** Tools of all lists together that are kept: some 10 kB each with index and vectors. */
const MOST_TOOLS = 10_000;
/** Characters of all lists together that are kept: MOST_TOOLS have as many when they are described at length. */
const MOST_CHARACTERS = 5_000_000;

/** What is known of one list of tools that applications send with each request. */
export interface ToolList {
  /** Of `names`, in their order. */
  readonly index: TextIndex;
  /** Each once. */
  readonly names: readonly string[];
}

interface Kept {
  readonly list: ToolList;
  readonly characters: number;
}

/** The lists that were sent last, by what of them is read. */
export class ToolLists {
  /** Least recently used first. */
  readonly #lists = new Map<string, Kept>();
  #tools = 0;
  #characters = 0;

  /** Throws what `index` throws. */
  get(tools: readonly OwnTool[], semantics: Semantics, model: string | undefined): ToolList {
    const texts = new Map<string, Findable>();
    for (const tool of tools) if (!texts.has(tool.name)) texts.set(tool.name, findableOf(tool));
    const { key, characters } = digest(texts.values());
    const before = this.#lists.get(key);
    const kept = before ?? {
      list: { index: semantics.index([...texts.values()], { model, passing: true }), names: [...texts.keys()] },
      characters,
    };
    this.#lists.delete(key);
    this.#lists.set(key, kept);
    if (before === undefined) {
      this.#tools += texts.size;
      this.#characters += characters;
      this.#forget();
    }
    return kept.list;
  }

  #forget(): void {
    for (const [key, { list, characters }] of this.#lists) {
      if ((this.#tools <= MOST_TOOLS && this.#characters <= MOST_CHARACTERS) || this.#lists.size === 1) return;
      this.#lists.delete(key);
      this.#tools -= list.names.length;
      this.#characters -= characters;
    }
  }
}

/** Of the parts that are read: what else the definitions hold may be long, and comes with each request. */
function digest(texts: Iterable<Findable>): { readonly key: string; readonly characters: number } {
  const sum = createHash('sha256');
  let characters = 0;
  for (const text of texts) {
    const json = JSON.stringify(text);
    sum.update(json);
    characters += json.length;
  }
  return { key: sum.digest('base64url'), characters };
}
