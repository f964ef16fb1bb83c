import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { Findable, Found, Hit, Semantics, TextIndex } from '../../../core/contracts/semantics.ts';
import { toolFindable } from '../../../core/tool-findable.ts';
import type { Tool, ToolDefinition } from '../../../core/tools.ts';
import type { View, ViewTool } from '../doors/view.ts';
import type { ExposedTool } from '../doors/virtual-server.ts';

export interface FoundTools extends Pick<Found, 'degraded' | 'model'> {
  readonly tools: readonly (Hit & { readonly tool: ViewTool })[];
}

/** What is searched as one. */
export interface ToolList {
  readonly tools: readonly ExposedTool[];
  readonly model: string | undefined;
}

/** Texts of all indexes that are kept, about: a hundred megabytes of words. */
const MOST_TEXTS = 300_000;
/** Tools that are numbered in one turn of the event loop: about a millisecond. */
const AT_ONCE = 1000;

/**
 * Finds tools in what a caller sees. An index is made of the visible tools alone, so that nothing of a hidden one is in a score, a count or a time;
 * callers who see the same share it, and those who see others share the vectors of what both see.
 */
export class ToolFinder {
  readonly #semantics: Semantics;
  /** By model and tools; the last used come last. */
  readonly #indexes = new Map<string, TextIndex>();
  /** The tools of a view, and which they are. Not the index: what is kept of those is decided by use. */
  readonly #seen = new WeakMap<View, Promise<Seen>>();
  #prepared: ReadonlySet<TextIndex> = new Set();
  #preparing = 0;
  readonly #numbers = new WeakMap<object, number>();
  #counted = 0;

  constructor(semantics: Semantics) {
    this.#semantics = semantics;
  }

  /** `signal` ends the wait for a model that answers from elsewhere. */
  async find(view: View, query: string, top: number, { model, signal }: FindOptions = {}): Promise<FoundTools> {
    let seen = this.#seen.get(view);
    if (seen === undefined) this.#seen.set(view, (seen = this.#look([...view.tools.values()])));
    const { tools, key } = await seen;
    const { hits, degraded, model: answered } = await this.#index(key, tools, model).find(query, top, signal);
    return {
      tools: hits.map((hit) => ({ ...hit, tool: tools[hit.index] as ViewTool })),
      ...(degraded === undefined ? {} : { degraded }),
      ...(answered === undefined ? {} : { model: answered }),
    };
  }

  /** Begins the work that searches would have to wait for, a list after the other. These indexes are kept until others take their place. */
  async prepare(lists: Iterable<ToolList>): Promise<void> {
    const number = ++this.#preparing;
    const prepared = new Set<TextIndex>();
    for (const { tools, model } of lists) {
      const { key } = await this.#look(tools);
      if (number !== this.#preparing) return;
      prepared.add(this.#index(key, tools, model));
      await turn();
    }
    this.#prepared = prepared;
  }

  #index(key: string, tools: readonly ExposedTool[], model = ''): TextIndex {
    const name = `${model} ${key}`;
    let index = this.#indexes.get(name);
    this.#indexes.delete(name);
    index ??= this.#semantics.index(tools.map(findableOf), model === '' ? {} : { model });
    this.#indexes.set(name, index);
    let texts = [...this.#indexes.values()].reduce((sum, { size }) => sum + size, 0);
    for (const [old, one] of this.#indexes) {
      if (texts <= MOST_TEXTS || old === name) break;
      if (this.#prepared.has(one)) continue;
      this.#indexes.delete(old);
      texts -= one.size;
    }
    return index;
  }

  /** The same key for the same tools, whoever sees them. Findables are made on the way, so that an index has them at once. */
  async #look(tools: readonly ExposedTool[]): Promise<Seen> {
    const digest = createHash('sha256');
    for (let from = 0; from < tools.length; from += AT_ONCE) {
      if (from > 0) await turn();
      const some = tools.slice(from, from + AT_ONCE);
      digest.update(`${some.map((one) => this.#number(one)).join()},`);
      for (const one of some) findableOf(one);
    }
    return { tools, key: digest.digest('base64') };
  }

  /** The same definition at the same place has the same number, whoever sees it. */
  #number({ tool: { definition } }: ExposedTool): number {
    let number = this.#numbers.get(definition);
    if (number === undefined) this.#numbers.set(definition, (number = ++this.#counted));
    return number;
  }
}

interface Seen {
  readonly tools: readonly ExposedTool[];
  readonly key: string;
}

export interface FindOptions {
  /** As `embedding.model` takes it; that one when absent. */
  readonly model?: string | undefined;
  readonly signal?: AbortSignal;
}

const findables = new WeakMap<ToolDefinition, Findable>();

/** The same one for the same definition: what is worked out for one index is there for the next. */
function findableOf({ tool }: ExposedTool): Findable {
  let findable = findables.get(tool.definition);
  if (findable === undefined) findables.set(tool.definition, (findable = lazyFindable(tool)));
  return findable;
}

/** Schemas are read when the index comes to them: all at once would hold up everybody. */
function lazyFindable(tool: Tool): Findable {
  let made: Findable | undefined;
  const whole = (): Findable => (made ??= toolFindable(tool.definition, { tags: tool.tags, path: tool.operation?.path }));
  return {
    name: tool.definition.name,
    ...(tool.examples === undefined ? {} : { examples: tool.examples }),
    get description() {
      return whole().description;
    },
    get words() {
      return whole().words ?? [];
    },
  };
}
