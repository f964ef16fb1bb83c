import { isObject, type JsonObject } from '../core/json.ts';
import type { OfferedTool } from './_selection-tools.ts';

const MARK = 'cache_control';

/**
 * The entries that are kept, as they came and in their order. A mark that says "cache up to here" on one that is cut goes to the one that is kept
 * before it; of several for one place the first stays, which is the one that is kept longest.
 */
export function cutTools(tools: readonly OfferedTool[], isKept: (tool: OfferedTool) => boolean): readonly unknown[] {
  const kept: unknown[] = [];
  /** The last in `kept` that may have a mark: Anthropic takes none on a deferred one. */
  let place = -1;
  for (const tool of tools) {
    const { entry, deferred } = tool;
    if (isKept(tool)) {
      kept.push(entry);
      if (isObject(entry) && !deferred) place = kept.length - 1;
      continue;
    }
    const mark = isObject(entry) ? entry[MARK] : undefined;
    const before = kept[place] as JsonObject | undefined;
    if (isObject(mark) && before !== undefined && !isObject(before[MARK])) kept[place] = { ...before, [MARK]: mark };
  }
  return kept;
}
