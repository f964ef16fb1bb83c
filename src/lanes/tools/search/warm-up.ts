import { ANONYMOUS } from '../../../core/consumer.ts';
import type { Logger } from '../../../core/logger.ts';
import type { Door } from '../doors/catalog.ts';
import { isSearched } from '../doors/search-settings.ts';
import type { ToolFinder, ToolList } from './tool-finder.ts';

/** Milliseconds of quiet: documents come one after the other, and each changes what there is. */
const QUIET_MS = 100;

/** Indexes what doors with search offer before somebody searches: then all vectors are there, whoever sees how much of it. */
export class WarmUp {
  readonly #finder: ToolFinder;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;

  constructor(finder: ToolFinder, log: Logger) {
    this.#finder = finder;
    this.#log = log;
  }

  /** To be called after every swap of a generation and every change of a source. */
  follow(doors: readonly Door[]): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#finder
        .prepare(listsOf(doors))
        .catch((err: unknown) => this.#log.warn({ err }, 'tools could not be indexed ahead; the first search does it'));
    }, QUIET_MS).unref();
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}

/** Asked for one at a time: what a door offers is worked out when it is its turn. */
function* listsOf(doors: readonly Door[]): Generator<ToolList> {
  for (const door of doors) {
    // How a door searches is the same for all, but for agents.
    const search = door.facts.search?.(ANONYMOUS);
    if (search === undefined || search.mode === 'off') continue;
    const { tools } = door.offer;
    if (isSearched(search, tools.length)) yield { tools, model: search.model };
  }
}
