import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Findable, TextIndex } from '../src/core/contracts/semantics.ts';
import type { JsonObject } from '../src/core/json.ts';
import { toolFindable } from '../src/core/tool-findable.ts';

/** All five are in the folder that is shared beside the repository; two of them are kept here, for tests. */
const SHARED = new URL('../../shared/eval/tool-retrieval/', import.meta.url);
const OWN = new URL('../test/fixtures/retrieval/', import.meta.url);
const OWN_SETS = ['restbench-tmdb', 'toolalpaca'];
const SETS = ['restbench-tmdb', 'openapi-mix-dev', 'metatool', 'seal-tools', 'toolalpaca'];

export interface RetrievalSet {
  readonly id: string;
  readonly tools: readonly Findable[];
  readonly queries: readonly { readonly q: string; readonly gold: readonly string[] }[];
}

interface StoredTool {
  readonly name: string;
  readonly description: string;
  readonly path?: string;
  readonly tags?: readonly string[];
  /** Names of parameters, where the source has no schema. */
  readonly params?: readonly string[];
  readonly inputSchema?: JsonObject;
}

/** Means over the queries, in percent. */
export interface Quality {
  /** The share of the right tools that is among the first 5. */
  readonly recall5: number;
  readonly recall10: number;
  readonly recall20: number;
  /** Queries of which all right tools are among the first 10. */
  readonly complete10: number;
  readonly ndcg10: number;
  /** One over the place of the first right tool, among 20. */
  readonly mrr: number;
}

/** The sets that are there. */
export function retrievalSets(): RetrievalSet[] {
  return (existsSync(fileURLToPath(SHARED)) ? SETS : OWN_SETS).map(retrievalSet);
}

export function retrievalSet(id: string): RetrievalSet {
  const folder = OWN_SETS.includes(id) ? OWN : SHARED;
  const { tools, queries } = JSON.parse(readFileSync(new URL(`${id}.json`, folder), 'utf8')) as Pick<RetrievalSet, 'queries'> & {
    tools: readonly StoredTool[];
  };
  return { id, tools: tools.map(readTool), queries };
}

function readTool(tool: StoredTool): Findable {
  const findable = toolFindable(tool, tool);
  return tool.inputSchema === undefined ? { ...findable, words: [...(tool.params ?? []), ...(findable.words ?? [])] } : findable;
}

/** Asks an index over the tools of the set every query of it. */
export async function qualityOf(set: RetrievalSet, index: TextIndex): Promise<Quality> {
  const sums = { recall5: 0, recall10: 0, recall20: 0, complete10: 0, ndcg10: 0, mrr: 0 };
  for (const { q, gold } of set.queries) {
    const { hits } = await index.find(q, 20);
    const right = new Set(gold);
    const found = hits.map((hit) => right.has(set.tools[hit.index]!.name));
    const recall = (top: number): number => found.slice(0, top).filter(Boolean).length / right.size;
    sums.recall5 += recall(5);
    sums.recall10 += recall(10);
    sums.recall20 += recall(20);
    sums.complete10 += recall(10) === 1 ? 1 : 0;
    sums.ndcg10 += gain(found.slice(0, 10)) / gain(Array.from({ length: Math.min(10, right.size) }, () => true));
    sums.mrr += found.includes(true) ? 1 / (found.indexOf(true) + 1) : 0;
  }
  const percent = (sum: number): number => (100 * sum) / set.queries.length;
  return {
    recall5: percent(sums.recall5),
    recall10: percent(sums.recall10),
    recall20: percent(sums.recall20),
    complete10: percent(sums.complete10),
    ndcg10: percent(sums.ndcg10),
    mrr: percent(sums.mrr),
  };
}

/** Discounted: a right one counts less the later it comes. */
function gain(right: readonly boolean[]): number {
  return right.reduce((sum, one, at) => sum + (one ? 1 / Math.log2(at + 2) : 0), 0);
}
