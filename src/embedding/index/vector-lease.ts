/** In `rows`: the vector is not there. */
export const NO_ROW = -1;

/** The vectors of some texts in one model, held for one index. They come in the background. */
export class VectorLease {
  readonly total: number;
  /** The row of each text; good once `isComplete`. */
  readonly rows: Int32Array;
  /** Resolves when the vectors are there, when they will never be, and when they are wanted no more. */
  readonly settled: Promise<void>;
  readonly #settle: () => void;
  /** Texts from the first one whose vectors are there. */
  done = 0;
  #state: 'coming' | 'complete' | 'failed' | 'released' = 'coming';

  constructor(total: number) {
    this.total = total;
    this.rows = new Int32Array(total).fill(NO_ROW);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.settled = promise;
    this.#settle = resolve;
  }

  get isComplete(): boolean {
    return this.#state === 'complete';
  }

  get hasFailed(): boolean {
    return this.#state === 'failed';
  }

  /** Still waiting for vectors, which somebody waits for. */
  get isComing(): boolean {
    return this.#state === 'coming';
  }

  end(state: 'complete' | 'failed' | 'released'): void {
    this.#state = state;
    this.#settle();
  }
}
