import type { LiveCall } from '../../../pipeline/live-call.ts';
import type { JsonObject } from '../../../core/json.ts';
import { errorResult, type ToolDefinition, type ToolsReply } from '../../../core/tools.ts';
import type { Door } from '../doors/catalog.ts';
import type { View } from '../doors/view.ts';
import type { AgentDirectory } from '../host.ts';
import { MOST_FOUND } from '../../../http/narrowing.ts';
import { SEARCH_ARGUMENTS, SEARCH_TOOLS, type SearchTool } from '../doors/search-tools.ts';
import type { FoundTools, ToolFinder } from './tool-finder.ts';

/** Who answers search tools, and from what. */
export interface Searching {
  readonly finder: ToolFinder;
  readonly agents: AgentDirectory;
}

/**
 * The search tool that a call is for. It answers where the list is whole too, unless search is off or a tool has its name: a client that saw it in the list calls it
 * again after a restart, while documents are still being read and the list is short.
 */
export function searchToolOf({ searchTools, search, tools }: View, name: string): SearchTool | undefined {
  const found = SEARCH_TOOLS.find((one) => one === name);
  if (found === undefined || searchTools.has(found)) return found;
  const isThere = search.mode !== 'off' && (found !== 'search_agents' || search.agents);
  return isThere && !tools.has(found) ? found : undefined;
}

/** Answers a search tool other than `call_tool`, which is a call of the tool it names. What is wrong with the arguments is a result that a model can act on. */
export async function answerSearch(
  tool: Exclude<SearchTool, 'call_tool'>,
  call: LiveCall<'tools'>,
  { view, door }: { readonly view: View; readonly door: Door },
  { finder, agents }: Searching,
): Promise<ToolsReply> {
  const args = call.input.arguments;
  if (tool === 'describe_tool') return describe(args['name'], view, isLoading(door));
  const { query, top = view.search.top } = args;
  if (typeof query !== 'string' || query.trim() === '')
    return errorResult('query must be a text that says what is to be done, such as "refund a payment".');
  if (!isCount(top)) return errorResult(`top must be a whole number from 1 to ${MOST_FOUND}.`);
  if (tool === 'search_agents') return structured(await agents.search(call.consumer, query, top, call.signal));
  const found = await finder.find(view, query, top, { model: view.search.model, signal: call.signal });
  call.note('searched', `${found.tools.length} of ${view.tools.size} tools by ${found.model ?? 'words alone'}`);
  return structured(foundTools(found));
}

/** What a search found, in the shape of DESIGN 2.2. */
export function foundTools({ tools, degraded }: FoundTools): JsonObject {
  return {
    tools: tools.map(({ tool: { shown }, score }) => ({ ...described(shown), score: Number(score.toFixed(4)) })),
    ...(degraded === undefined ? {} : { degraded }),
  };
}

export function unknownArguments(search: SearchTool, unknown: readonly string[]): ToolsReply {
  const next = search === 'call_tool' ? ' The arguments of the tool that is called stand under "arguments".' : '';
  return errorResult(`${search} takes ${SEARCH_ARGUMENTS[search].join(' and ')}; it does not know ${unknown.join(', ')}.${next}`);
}

/** For a hidden tool as for one that is not there. `isLoading`: a source of the server has not told its tools yet. */
export function noSuchTool(name: unknown, isLoading: boolean): ToolsReply {
  if (typeof name !== 'string' || name === '') return errorResult('name must be the name of a tool, as search_tools gives it.');
  if (SEARCH_TOOLS.some((one) => one === name)) return errorResult(`${name} is called by its own name.`);
  if (isLoading) return errorResult(`There is no tool ${name} here yet: sources of this server are being read. Try again in a moment.`);
  return errorResult(`There is no tool ${name} here. search_tools finds the tools that there are.`);
}

export function isLoading({ facts }: Door): boolean {
  return facts.entries.some(({ source }) => source.snapshot.state === 'loading');
}

function isCount(top: unknown): top is number {
  return Number.isInteger(top) && (top as number) >= 1 && (top as number) <= MOST_FOUND;
}

function describe(name: unknown, view: View, loading: boolean): ToolsReply {
  const found = typeof name === 'string' ? view.tool(name) : undefined;
  if (found === undefined) return noSuchTool(name, loading);
  const { annotations, outputSchema } = found.shown;
  return {
    content: [
      {
        type: 'text',
        text: JSON.stringify({
          ...described(found.shown),
          ...(outputSchema === undefined ? {} : { outputSchema }),
          ...(annotations === undefined ? {} : { annotations }),
        }),
      },
    ],
  };
}

function described({ name, title, description = '', inputSchema }: ToolDefinition): JsonObject {
  return { name, ...(title === undefined ? {} : { title }), description, inputSchema };
}

function structured(content: JsonObject): ToolsReply {
  return { content: [{ type: 'text', text: JSON.stringify(content) }], structuredContent: content };
}
