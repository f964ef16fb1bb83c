import { isObject, type JsonObject } from '../../../core/json.ts';
import type { View, ViewTool } from '../doors/view.ts';
import { searchToolOf } from './answer-search.ts';
import { SEARCH_ARGUMENTS, type SearchTool } from '../doors/search-tools.ts';

/** What a `tools/call` is for: the tool that it names, or that which `call_tool` names in its arguments. */
export interface AskedTool {
  readonly name: string;
  /** Undefined for a search tool, and for what the caller may not use. */
  readonly found: ViewTool | undefined;
  readonly search: SearchTool | undefined;
  /** Those of the call of the tool itself. */
  readonly params: JsonObject;
  /** The keys below `params`, as they came, that lead to the arguments. */
  readonly inside: readonly string[];
  /** Arguments that a search tool does not take. */
  readonly unknown: readonly string[];
}

const ARGUMENTS = ['arguments'];
const INNER_ARGUMENTS = ['arguments', 'arguments'];

export function askedTool(params: JsonObject, view: View): AskedTool {
  const name = textOf(params['name']);
  const search = searchToolOf(view, name);
  if (search !== 'call_tool') {
    const found = search === undefined ? view.tool(name) : undefined;
    return {
      name,
      found,
      search,
      params,
      inside: ARGUMENTS,
      unknown: search === undefined ? NONE : unknownTo(search, params['arguments']),
    };
  }
  const { arguments: outer, ...rest } = params;
  const { name: asked, arguments: given } = isObject(outer) ? outer : {};
  const inner = textOf(asked);
  const own = { ...rest, name: inner, ...(given === undefined ? {} : { arguments: given }) };
  return { name: inner, found: view.tool(inner), search, params: own, inside: INNER_ARGUMENTS, unknown: unknownTo(search, outer) };
}

const NONE: readonly string[] = [];

function unknownTo(search: SearchTool, args: unknown): readonly string[] {
  return isObject(args) ? Object.keys(args).filter((key) => !SEARCH_ARGUMENTS[search].includes(key)) : NONE;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
