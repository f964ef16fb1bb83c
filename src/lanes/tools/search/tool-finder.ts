import { hash } from 'node:crypto';
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

/**
 * Finds tools in what a caller sees. An index is made of the visible tools alone, so that nothing of a hidden one is in a score, a count or a time;
 * callers who see the same share it, and those who see others share the vectors of what both see.
 */
export class ToolFinder {
  readonly #semantics: Semantics;
  /** By model and tools; the last used come last. */
  readonly #indexes = new Map<string, TextIndex>();
  readonly #ofView = new WeakMap<View, Map<string, TextIndex>>();
  #prepared: ReadonlySet<TextIndex> = new Set();
  readonly #numbers = new WeakMap<object, number>();
  #counted = 0;

  constructor(semantics: Semantics) {
    this.#semantics = semantics;
  }

  async find(view: View, query: string, top: number, model?: string): Promise<FoundTools> {
    const tools = [...view.tools.values()];
    const { hits, degraded, model: answered } = await this.#index(view, model ?? '').find(query, top);
    return {
      tools: hits.map((hit) => ({ ...hit, tool: tools[hit.index]! })),
      ...(degraded === undefined ? {} : { degraded }),
      ...(answered === undefined ? {} : { model: answered }),
    };
  }

  /** Begins the work that searches would have to wait for. These indexes are kept until others take their place. */
  prepare(lists: readonly ToolList[]): void {
    this.#prepared = new Set(lists.map(({ tools, model = '' }) => this.#shared(tools, model)));
  }

  #index(view: View, model: string): TextIndex {
    let own = this.#ofView.get(view);
    if (own === undefined) this.#ofView.set(view, (own = new Map()));
    let index = own.get(model);
    if (index === undefined) own.set(model, (index = this.#shared([...view.tools.values()], model)));
    return index;
  }

  #shared(tools: readonly ExposedTool[], model: string): TextIndex {
    const key = hash('sha256', `${model} ${tools.map((one) => this.#number(one)).join()}`, 'base64');
    let index = this.#indexes.get(key);
    this.#indexes.delete(key);
    index ??= this.#semantics.index(tools.map(findableOf), model === '' ? {} : { model });
    this.#indexes.set(key, index);
    let texts = [...this.#indexes.values()].reduce((sum, { size }) => sum + size, 0);
    for (const [old, one] of this.#indexes) {
      if (texts <= MOST_TEXTS || old === key) break;
      if (this.#prepared.has(one)) continue;
      this.#indexes.delete(old);
      texts -= one.size;
    }
    return index;
  }

  /** The same definition at the same place has the same number, whoever sees it. */
  #number({ tool: { definition } }: ExposedTool): number {
    let number = this.#numbers.get(definition);
    if (number === undefined) this.#numbers.set(definition, (number = ++this.#counted));
    return number;
  }
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
