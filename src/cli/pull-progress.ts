import type { FileProgress } from '../embedding/models/pull/fetch-file.ts';
import { note } from './print.ts';

/** Between two lines of a large file where nothing can be written over. */
const LINE_MS = 5000;
/** Between two states of the line that is written over. */
const REDRAW_MS = 100;

/** Says on standard error how far a download is: one line that is written over on a terminal, a line now and then elsewhere. */
export class PullProgress {
  readonly #isTerminal = process.stderr.isTTY;
  #shownAt = performance.now();
  #isShown = false;

  readonly tell = ({ file, bytes, size, again }: FileProgress): void => {
    if (again !== undefined) {
      this.end();
      return note(`  ${again} Going on with ${file} at ${megabytes(bytes)}.`);
    }
    const now = performance.now();
    if (now - this.#shownAt < (this.#isTerminal ? REDRAW_MS : LINE_MS)) return;
    this.#shownAt = now;
    const text = `  ${file}: ${megabytes(bytes)}${size === undefined ? '' : ` of ${megabytes(size)}, ${Math.floor((bytes / size) * 100)} %`}`;
    if (!this.#isTerminal) return note(text);
    this.#isShown = true;
    process.stderr.write(`\r\u001B[K${text}`);
  };

  /** Takes the line away again. */
  end(): void {
    if (this.#isShown) process.stderr.write('\r\u001B[K');
    this.#isShown = false;
  }
}

export function megabytes(bytes: number): string {
  return bytes < 100_000 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
