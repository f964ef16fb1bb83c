import type { ImportProgress } from '../gateway/import-document.ts';

/** Milliseconds before anything is said: most documents are ready by then. */
const PATIENCE_MS = 500;
/** Between two lines where nothing can be written over. */
const LINE_MS = 1000;

/** Says on standard error how far an import is. */
export class ImportProgressLine {
  readonly #target: string;
  readonly #mode: 'line' | 'lines' | 'off';
  readonly #start = performance.now();
  readonly #timer: NodeJS.Timeout | undefined;
  #state = 'reading';
  #last = 0;
  #shown = false;

  /** On a terminal one line that is written over; `always` gives lines anywhere else. */
  constructor(target: string, always: boolean) {
    this.#target = target;
    this.#mode = process.stderr.isTTY ? 'line' : always ? 'lines' : 'off';
    if (this.#mode !== 'off') this.#timer = setTimeout(() => this.#show(), PATIENCE_MS).unref();
  }

  /** To be given what the import tells. */
  readonly tell = (progress: ImportProgress): void => {
    this.#state =
      'bytes' in progress
        ? `read, ${size(progress.bytes)}; parsing`
        : progress.done === 0
          ? `parsed, ${progress.operations} operations`
          : `${progress.done} of ${progress.operations} operations compiled`;
    const now = performance.now();
    if (now - this.#start < PATIENCE_MS || (this.#mode === 'lines' && now - this.#last < LINE_MS)) return;
    this.#show();
  };

  /** Takes the line away again. */
  end(): void {
    clearTimeout(this.#timer);
    if (this.#shown && this.#mode === 'line') process.stderr.write('\r\u001B[K');
  }

  #show(): void {
    if (this.#mode === 'off') return;
    this.#shown = true;
    this.#last = performance.now();
    const text = `${this.#target}: ${this.#state} (${((this.#last - this.#start) / 1000).toFixed(1)} s)`;
    process.stderr.write(this.#mode === 'line' ? `\r\u001B[K${text}` : `${text}\n`);
  }
}

function size(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
