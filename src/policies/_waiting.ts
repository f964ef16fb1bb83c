/** Milliseconds after which a call that waits asks again by itself: other nodes settle too, and windows slide. */
const ASK_AGAIN_MS = 1_000;
/** After so many of them it has waited for long enough. */
const MOST_TIMES = 10;

/** The calls of this node that wait until what others have reserved is settled: a queue for each meter, in the order in which they came. */
export class Waiting {
  readonly #queues = new Map<string, Set<Place>>();

  /** Lets the first ask again that wants no more than `room`. To be told when something of the meter was settled. */
  next(key: string, room = Infinity): void {
    const queue = room > 0 ? this.#queues.get(key) : undefined;
    if (queue === undefined) return;
    for (const place of queue) if (place.wants <= room && place.wake()) return;
  }

  enter(key: string, place: Place): void {
    let queue = this.#queues.get(key);
    if (queue === undefined) this.#queues.set(key, (queue = new Set()));
    queue.add(place);
  }

  leave(key: string, place: Place): void {
    const queue = this.#queues.get(key);
    queue?.delete(place);
    if (queue?.size === 0) this.#queues.delete(key);
    else this.next(key);
  }
}

/** Where one call waits: in one queue at a time. */
export class Place {
  wants = 0;
  readonly #waiting: Waiting;
  readonly #signal: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  #key: string | undefined;
  #times = 0;
  #resolve: (() => void) | undefined;

  constructor(waiting: Waiting, signal: AbortSignal) {
    this.#waiting = waiting;
    this.#signal = signal;
    this.#timer = setInterval(this.#tick, ASK_AGAIN_MS);
    signal.addEventListener('abort', this.wake);
  }

  /** It has waited for as long as calls may. */
  get isOver(): boolean {
    return this.#times >= MOST_TIMES;
  }

  /**
   * Resolves when it is worth asking again, when the call is aborted, and when it is over. `room` is what the meter had left when it was asked: whoever
   * is content with that goes first.
   */
  turn(key: string, wants: number, room: number): Promise<void> {
    if (this.#key === key) this.#waiting.next(key, room);
    else {
      this.#leave();
      this.#key = key;
      this.wants = wants;
      this.#waiting.enter(key, this);
    }
    return this.#signal.aborted ? Promise.resolve() : new Promise((resolve) => (this.#resolve = resolve));
  }

  /** False when the call is asking already. */
  readonly wake = (): boolean => {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    resolve?.();
    return resolve !== undefined;
  };

  /** Lets the next one ask: this one waits no longer. */
  end(): void {
    clearInterval(this.#timer);
    this.#signal.removeEventListener('abort', this.wake);
    this.#leave();
  }

  #leave(): void {
    if (this.#key !== undefined) this.#waiting.leave(this.#key, this);
  }

  readonly #tick = (): void => {
    this.#times += 1;
    this.wake();
  };
}
