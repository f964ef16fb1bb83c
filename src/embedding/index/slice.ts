/** Milliseconds of work between two turns of the event loop. */
const LONGEST = 4;

/** Every so many turns one goes to the background while searches wait too: else indexes would never be built where there is always a search. */
const BACKGROUND_EVERY = 4;

type Urgency = 'search' | 'background';

const waiting: Record<Urgency, (() => void)[]> = { search: [], background: [] };
/** Turns of searches in a row while something in the background waited. */
let passedOver = 0;

/**
 * Long work in slices. In one turn of the event loop a single slice runs, however many works there are: mostly of searches, and of each kind in the order in which they paused.
 *
 *     const slice = new Slice('background');
 *     for (…) { …; if (slice.isOver) await slice.next(); }
 */
export class Slice {
  #urgency: Urgency;
  #wake: (() => void) | undefined;
  #end = performance.now() + LONGEST;

  constructor(urgency: Urgency) {
    this.#urgency = urgency;
  }

  get isOver(): boolean {
    return performance.now() >= this.#end;
  }

  /** Somebody waits for this work now. */
  hurry(): void {
    if (this.#urgency === 'search') return;
    this.#urgency = 'search';
    const at = waiting.background.findIndex((wake) => wake === this.#wake);
    if (at !== -1) waiting.search.push(...waiting.background.splice(at, 1));
  }

  /** Resolves when it is this work's turn again. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (waiting.search.length + waiting.background.length === 0) setImmediate(turn);
      this.#wake = resolve;
      waiting[this.#urgency].push(resolve);
    });
    this.#end = performance.now() + LONGEST;
  }
}

function turn(): void {
  const isBackgrounds = waiting.search.length === 0 || (waiting.background.length > 0 && passedOver >= BACKGROUND_EVERY - 1);
  passedOver = isBackgrounds || waiting.background.length === 0 ? 0 : passedOver + 1;
  waiting[isBackgrounds ? 'background' : 'search'].shift()?.();
  if (waiting.search.length + waiting.background.length > 0) setImmediate(turn);
}
