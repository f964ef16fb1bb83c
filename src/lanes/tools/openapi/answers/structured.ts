import { put } from '../schema/json.ts';

/** Deeper values cannot be written as JSON safely, nor walked by those who check them. */
const DEEPEST = 200;
/** Looking for faults and leaving them out; after the last there must be none. */
const MOST_PASSES = 4;

export interface Structured {
  readonly value: unknown;
  /** What of the answer is in it. */
  readonly kept: 'all' | 'part' | 'nothing';
}

const NOTHING: Structured = { value: Object.freeze({}), kept: 'nothing' };

/**
 * As much of a parsed answer as keeps to the output schema: clients throw a whole result away when a tool with an output schema gives none, or
 * one that does not fit. `faultsOf` gives JSON pointers to what does not. What remains of an answer that is something else is `{}`, which fits
 * every schema of ours. Takes the value for itself.
 */
export function structuredFrom(value: unknown, faultsOf: (value: unknown) => readonly string[]): Structured {
  if (isDeep(value, DEEPEST)) return NOTHING;
  try {
    for (let pass = 0; pass < MOST_PASSES; pass += 1) {
      const faults = faultsOf(value);
      if (faults.length === 0) return { value, kept: pass === 0 ? 'all' : 'part' };
      const inside = faults.filter((pointer) => pointer !== '');
      if (inside.length === 0) break;
      for (const pointer of inside) remove(value, pointer);
    }
  } catch {
    // A schema that its checker cannot follow promises nothing.
  }
  return NOTHING;
}

function isDeep(value: unknown, left: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (left === 0) return true;
  return Object.values(value).some((item) => isDeep(item, left - 1));
}

/** Members go; elements of a list become null, which our output schemas allow everywhere, so that the others keep their places. */
function remove(root: unknown, pointer: string): void {
  const keys = pointer.slice(1).split('/').map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~')); // prettier-ignore
  const last = keys.pop() ?? '';
  let parent = root;
  for (const key of keys) {
    if (typeof parent !== 'object' || parent === null || !Object.hasOwn(parent, key)) return;
    parent = (parent as Record<string, unknown>)[key];
  }
  if (typeof parent !== 'object' || parent === null || !Object.hasOwn(parent, last)) return;
  if (Array.isArray(parent)) put(parent as never, last, null);
  else delete (parent as Record<string, unknown>)[last];
}
