import { createRequire } from 'node:module';
import { join } from 'node:path';

/** The path of the library: that beside the hub itself, else that beside hubgate.yaml; undefined where it is not installed. */
export function findLibrary(folder: string): string | undefined {
  for (const from of [import.meta.url, join(folder, 'hubgate.yaml')]) {
    try {
      return createRequire(from).resolve('@huggingface/transformers');
    } catch {
      // Not there, or without an entry for Node.
    }
  }
  return undefined;
}
