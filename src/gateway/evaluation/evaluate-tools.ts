import { setImmediate } from 'node:timers/promises';
import type { ToolsEvaluation } from '../../admin/hub.ts';
import { nearest } from '../../config/reading/nearest.ts';
import type { Degraded } from '../../core/contracts/semantics.ts';
import { tokensOf } from '../../core/units/tokens.ts';
import type { Hub } from '../hub.ts';
import { checkModelName } from './named-models.ts';
import { retrievalFigures, type RetrievalFigures, type ToolResult } from './retrieval.ts';
import { untilReady } from './until-ready.ts';

/** A name that names nothing, with the one that was most likely meant. */
export interface UnknownName {
  readonly name: string;
  readonly near?: string;
}

/** What `POST eval/tools` answers. */
export interface ToolsEvaluated {
  /** How many tools the consumer sees. */
  readonly tools: number;
  /** Of all their definitions, roughly. */
  readonly tokens: number;
  /** The id of the model that answered; absent for words alone. */
  readonly model?: string;
  readonly degraded?: Degraded;
  readonly unknown: readonly UnknownName[];
  readonly figures: RetrievalFigures;
  readonly results: readonly ToolResult[];
}

/** What the lane's search gives, as far as it is judged. */
interface Found {
  readonly tools: readonly { readonly name: string; readonly score: number; readonly words: readonly string[] }[];
  readonly degraded?: Degraded;
  readonly model?: string;
}

/** How many tools are offered unless it is said. */
export const TOPS = [1, 5, 10, 20] as const;

/** nDCG looks so far down, however few tools are offered. */
const LEAST_FOUND = 10;

/** Searches for each question on the live catalogue. Throws GatewayError `not_found` for a server that there is none, `bad_request` for a model that may not be asked for, `unavailable` while the model is not ready. */
export async function evaluateTools({ lanes, semantics, slot }: Hub, evaluation: ToolsEvaluation): Promise<ToolsEvaluated> {
  const { server, consumer, queries, top = TOPS, model } = evaluation;
  checkModelName(model, slot.current.content.merged.config);
  const tops = [...new Set(top)].toSorted((a, b) => a - b);
  const tokens = new Map(lanes.tools.tools(server, consumer).map((tool) => [tool.name, definitionTokens(tool)]));
  const search = async (query: string): Promise<Found> =>
    (await lanes.tools.search(server, consumer, query, { top: Math.max(LEAST_FOUND, ...tops), model })) as unknown as Found;
  await untilReady(semantics, () => search(queries[0]?.query ?? ''));
  const results: ToolResult[] = [];
  let last: Found = { tools: [] };
  for (const { query, tools } of queries) {
    last = await search(query);
    results.push(judged(query, tools, last, tops, tokens));
    // Words alone are found without a pause, and others wait for the same thread.
    await setImmediate();
  }
  return {
    tools: tokens.size,
    tokens: [...tokens.values()].reduce((sum, one) => sum + one, 0),
    ...(last.model === undefined ? {} : { model: last.model }),
    ...(last.degraded === undefined ? {} : { degraded: last.degraded }),
    unknown: unknownNames(
      queries.flatMap((one) => one.tools),
      [...tokens.keys()],
    ),
    figures: retrievalFigures(results, tops),
    results,
  };
}

/** Names that are not among `known`, once each. */
export function unknownNames(names: readonly string[], known: readonly string[]): UnknownName[] {
  const there = new Set(known);
  return [...new Set(names)]
    .filter((name) => !there.has(name))
    .map((name) => {
      const near = nearest(name, known) ?? nearestBare(name, known);
      return near === undefined ? { name } : { name, near };
    });
}

/** A name without the prefix that /mcp gives it is near the one that has it, and the other way round. */
function nearestBare(name: string, known: readonly string[]): string | undefined {
  const bare = new Map(known.map((one) => [withoutPrefix(one), one]));
  const near = nearest(name, bare.keys());
  if (near !== undefined) return bare.get(near);
  return known.find((one) => one === withoutPrefix(name));
}

function withoutPrefix(name: string): string {
  return name.slice(name.indexOf('_') + 1);
}

function judged(
  query: string,
  expected: readonly string[],
  { tools }: Found,
  tops: readonly number[],
  tokens: ReadonlyMap<string, number>,
): ToolResult {
  const offered = (top: number): number => tools.slice(0, top).reduce((sum, { name }) => sum + (tokens.get(name) ?? 0), 0);
  return {
    query,
    expected,
    found: tools.map(({ name, score, words }) => ({ name, score, words })),
    offered: Object.fromEntries(tops.map((top) => [top, offered(top)])),
  };
}

function definitionTokens({
  name,
  description,
  inputSchema,
}: {
  readonly name: string;
  readonly description?: string;
  readonly inputSchema?: unknown;
}): number {
  return tokensOf({ name, description, inputSchema });
}
