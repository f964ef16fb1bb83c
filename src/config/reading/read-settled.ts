import { readFile, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeText } from '../../core/decode-text.ts';

/** Milliseconds for which a file has not changed when it is taken to be written to its end. */
const SETTLED_MS = 20;
/** A file that is written all the time is read as it is. */
const MOST_WAITS = 10;

/**
 * Reads a file that nobody is writing at the moment: editors that write in place first cut it to nothing, and the first half of a virtual
 * server may be a valid one without its access list. Throws as readFile does.
 */
export async function readSettled(file: string): Promise<string> {
  return decodeText(await readSettledBytes(file));
}

/** As `readSettled`, for files that are no text. */
export async function readSettledBytes(file: string): Promise<Buffer> {
  for (let waits = 0; ; waits++) {
    const before = await stat(file);
    const age = Date.now() - before.mtimeMs;
    // A time in the future says nothing.
    if (waits < MOST_WAITS && age >= 0 && age < SETTLED_MS) {
      await delay(SETTLED_MS - age);
      continue;
    }
    const bytes = await readFile(file);
    const { mtimeMs, size, ino } = await stat(file);
    if (waits >= MOST_WAITS || (mtimeMs === before.mtimeMs && size === before.size && ino === before.ino)) return bytes;
  }
}
