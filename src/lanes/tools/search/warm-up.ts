import { ANONYMOUS } from '../../../core/consumer.ts';
import type { Door } from '../doors/catalog.ts';
import { isSearched } from '../doors/search-settings.ts';
import type { ToolFinder, ToolList } from './tool-finder.ts';

/** Milliseconds of quiet: documents come one after the other, and each changes what there is. */
const QUIET_MS = 100;

/** Indexes what doors with search offer before somebody searches: then all vectors are there, whoever sees how much of it. */
export class WarmUp {
  readonly #finder: ToolFinder;
  #timer: NodeJS.Timeout | undefined;

  constructor(finder: ToolFinder) {
    this.#finder = finder;
  }

  /** To be called after every swap of a generation and every change of a source. */
  follow(doors: readonly Door[]): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const lists: ToolList[] = [];
      for (const { facts, offer } of doors) {
        // How a door searches is the same for all, but for agents.
        const search = facts.search?.(ANONYMOUS);
        if (search !== undefined && isSearched(search, offer.tools.length)) lists.push({ tools: offer.tools, model: search.model });
      }
      this.#finder.prepare(lists);
    }, QUIET_MS).unref();
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
