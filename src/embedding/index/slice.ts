/** Milliseconds of work between two turns of the event loop. */
const LONGEST = 4;

type Urgency = 'search' | 'background';

const waiting: Record<Urgency, (() => void)[]> = { search: [], background: [] };

/**
 * Long work in slices. In one turn of the event loop a single slice runs, however many works there are: searches first, then in the order in which they paused.
 *
 *     const slice = new Slice('background');
 *     for (…) { …; if (slice.isOver) await slice.next(); }
 */
export class Slice {
  readonly #urgency: Urgency;
  #end = performance.now() + LONGEST;

  constructor(urgency: Urgency) {
    this.#urgency = urgency;
  }

  get isOver(): boolean {
    return performance.now() >= this.#end;
  }

  /** Resolves when it is this work's turn again. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (waiting.search.length + waiting.background.length === 0) setImmediate(turn);
      waiting[this.#urgency].push(resolve);
    });
    this.#end = performance.now() + LONGEST;
  }
}

function turn(): void {
  (waiting.search.shift() ?? waiting.background.shift())?.();
  if (waiting.search.length + waiting.background.length > 0) setImmediate(turn);
}
