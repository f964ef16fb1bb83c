import { createRequire } from 'node:module';
import { BoundedPattern } from '../schema/patterns.ts';
import type { Node } from '../document/tree.ts';
import { isNode, isText, listOf, shown } from '../document/tree.ts';

type Parser = typeof import('jsonpath-rfc9535/parser');

/** Loaded when there is an overlay, as the rest of the package. */
const load = createRequire(import.meta.url);

/** Functions whose second argument is a regular expression (RFC 9535, 2.4.6 and 2.4.7). */
const MATCHING = new Set<unknown>(['match', 'search']);
/** A pattern that is bounded to shorter texts than this is not run: names and summaries are as long. */
const SHORTEST_BOUND = 100;

/**
 * Why a JSONPath is not evaluated, as a sentence: the package runs its regular expressions as they are, and takes no functions of ours in their place.
 * Undefined for one that can be. Throws the package's SyntaxError.
 */
export function patternFault(expression: string): string | undefined {
  const { default: parse } = load('jsonpath-rfc9535/parser') as Parser;
  return faultIn(parse(expression));
}

function faultIn(part: unknown): string | undefined {
  if (typeof part !== 'object' || part === null) return undefined;
  const own = isNode(part) && part['type'] === 'FunctionExpr' && MATCHING.has(part['name']) ? faultOf(part) : undefined;
  if (own !== undefined) return own;
  for (const inner of Object.values(part)) {
    const found = faultIn(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

function faultOf(call: Node): string | undefined {
  const argument = listOf(call['arguments'])[1];
  if (!isNode(argument)) return undefined;
  const pattern = argument['value'];
  if (argument['type'] !== 'Literal') return 'A regular expression must stand in the target itself; those of the document are not run.';
  if (!isText(pattern) || longestOf(call['name'] === 'match' ? `^${pattern}$` : pattern) >= SHORTEST_BOUND) return undefined;
  return `The regular expression ${shown(pattern)} could take too long: a repeat must not stand around a repeat, an optional part or a choice, and there must not be many.`;
}

/** The function gives false for what is no regular expression: there is nothing to run. */
function longestOf(pattern: string): number {
  try {
    return new BoundedPattern(pattern, 'u').longest;
  } catch {
    return Infinity;
  }
}
