import { note } from './print.ts';

/** Milliseconds before anything is said: most files are done by then. */
const PATIENCE_MS = 500;
/** Between two lines where nothing can be written over. */
const LINE_MS = 10_000;

/** Says on standard error how far a long evaluation is: on a terminal in one line that is written over. */
export class EvalProgress {
  readonly #start = performance.now();
  #last = performance.now();
  #shown = false;

  tell(state: string): void {
    const now = performance.now();
    if (now - this.#start < PATIENCE_MS) return;
    if (process.stderr.isTTY) {
      process.stderr.write(`\r\u001B[K${state}`);
      this.#shown = true;
    } else if (now - this.#last >= LINE_MS) {
      note(state);
      this.#last = now;
    }
  }

  /** Takes the line away again. */
  end(): void {
    if (this.#shown) process.stderr.write('\r\u001B[K');
  }
}
