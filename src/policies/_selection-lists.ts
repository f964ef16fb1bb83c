import { hash } from 'node:crypto';
import type { Semantics, TextIndex } from '../core/contracts/semantics.ts';
import { tokensOf } from '../core/units/tokens.ts';
import { findableOf, type OwnTool } from './_selection-tools.ts';

/** Tools of all lists together that are kept: some 10 kB each with index and vectors. */
const MOST_TOOLS = 10_000;

/** What is known of one list of tools that applications send with each request. */
export interface ToolList {
  /** Of `names`, in their order. */
  readonly index: TextIndex;
  /** Each once. */
  readonly names: readonly string[];
  /** By name: of all definitions that have it. Counted when it is asked first: after the search, so that reading and counting are two steps. */
  readonly tokens: ReadonlyMap<string, number>;
}

/** The lists that were sent last, by their content. */
export class ToolLists {
  /** Least recently used first. */
  readonly #lists = new Map<string, ToolList>();
  #tools = 0;

  /** Throws what `index` throws. */
  get(tools: readonly OwnTool[], semantics: Semantics, model: string | undefined): ToolList {
    const key = hash('sha256', JSON.stringify(tools), 'base64url');
    const kept = this.#lists.get(key);
    const list = kept ?? makeList(tools, semantics, model);
    this.#lists.delete(key);
    this.#lists.set(key, list);
    if (kept === undefined) {
      this.#tools += list.names.length;
      this.#forget();
    }
    return list;
  }

  #forget(): void {
    for (const [key, { names }] of this.#lists) {
      if (this.#tools <= MOST_TOOLS || this.#lists.size === 1) return;
      this.#lists.delete(key);
      this.#tools -= names.length;
    }
  }
}

function makeList(tools: readonly OwnTool[], semantics: Semantics, model: string | undefined): ToolList {
  const first = new Map<string, OwnTool>();
  for (const tool of tools) if (!first.has(tool.name)) first.set(tool.name, tool);
  const index = semantics.index([...first.values()].map(findableOf), { model, passing: true });
  let counted: readonly OwnTool[] | undefined = tools;
  let tokens: ReadonlyMap<string, number> | undefined;
  return {
    index,
    names: [...first.keys()],
    get tokens() {
      tokens ??= tokensByName(counted ?? []);
      counted = undefined;
      return tokens;
    },
  };
}

function tokensByName(tools: readonly OwnTool[]): ReadonlyMap<string, number> {
  const tokens = new Map<string, number>();
  for (const { name, definition } of tools) tokens.set(name, (tokens.get(name) ?? 0) + tokensOf(definition));
  return tokens;
}
