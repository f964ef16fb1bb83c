import { tokensOf } from '../../../core/units/tokens.ts';
import type { ToolDefinition } from '../../../core/tools.ts';
import type { View } from '../doors/view.ts';

/** Definitions counted at a time: a few milliseconds for long ones. */
const AT_A_TIME = 20;

const counted = new WeakMap<ToolDefinition, number>();
const sums = new WeakMap<View, { full: number | undefined }>();

/** Tokens of a few definitions, roughly. */
export function tokensOfFew(definitions: Iterable<ToolDefinition>): number {
  let sum = 0;
  for (const definition of definitions) sum += tokensOfOne(definition);
  return sum;
}

/** Tokens of the whole list of a view, roughly; undefined while they are counted for the first time, a few at a time. */
export function tokensOfAll(view: View): number | undefined {
  let sum = sums.get(view);
  if (sum === undefined) {
    sums.set(view, (sum = { full: undefined }));
    count(view.tools.values(), sum, 0);
  }
  return sum.full;
}

function count(tools: MapIterator<{ readonly shown: ToolDefinition }>, sum: { full: number | undefined }, before: number): void {
  let so = before;
  for (let number = 0; number < AT_A_TIME; number++) {
    const next = tools.next();
    if (next.done === true) {
      sum.full = so;
      return;
    }
    so += tokensOfOne(next.value.shown);
  }
  setImmediate(count, tools, sum, so);
}

function tokensOfOne(definition: ToolDefinition): number {
  let tokens = counted.get(definition);
  if (tokens === undefined) counted.set(definition, (tokens = tokensOf(definition)));
  return tokens;
}
