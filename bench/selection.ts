import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Findable, Semantics } from '../src/core/contracts/semantics.ts';
import type { Host } from '../src/core/contracts/extension.ts';
import type { JsonObject } from '../src/core/json.ts';
import { toolFindable } from '../src/core/tool-findable.ts';
import { tokensOf } from '../src/core/units/tokens.ts';
import { compileDocument } from '../src/lanes/tools/openapi/compile.ts';
import { searchToolDefinitions } from '../src/lanes/tools/doors/search-tools.ts';
import { modelSegments } from '../src/lanes/models/segments.ts';
import { LiveCall } from '../src/pipeline/live-call.ts';
import toolSelection, { type ToolSelectionOptions } from '../src/policies/tool-selection.ts';
import { silent, staticSemantics } from '../test/support/static-semantics.ts';

const SHARED = fileURLToPath(new URL('../../shared/', import.meta.url));
const SETS = ['openapi-mix-dev', 'metatool', 'seal-tools'] as const;
const TOOLS = 500;
const TOPS = [8, 10, 20] as const;
const TOP = 20;
/** Queries of one list: what they need must leave room for tools that none of them needs. */
const QUERIES = 100;

interface EvalTool {
  readonly name: string;
  readonly description?: string;
  readonly inputSchema?: JsonObject;
  readonly path?: string;
  readonly tags?: readonly string[];
}

interface EvalSet {
  readonly tools: readonly EvalTool[];
  readonly queries: readonly { readonly q: string; readonly gold: readonly string[] }[];
}

/** What people ask of the two services, to have lists of the usual length. */
const ASKED = {
  github: [
    'open an issue about the broken build',
    'which pull requests are waiting for my review',
    'merge pull request 42 and delete its branch',
    'add alice to the platform team',
    'create a release from the tag v2.1 with notes',
    'why did the last workflow run fail',
    'list the open security alerts of this repository',
    'rotate the secret that the deployment uses',
    'star the repository of the compiler',
    'who has access to the organisation and what may they do',
  ],
  stripe: [
    'refund the last payment of this customer',
    'cancel the subscription at the end of the month',
    'create a coupon for 20 percent off',
    'what is my balance',
    'send the invoice again',
    'add a new card to a customer',
    'list disputes that need a response',
    'make a payment link for the blue shirt',
    'change the price of the premium plan',
    'pay out to my bank account',
  ],
} as const;

/** What the policy keeps of 500 tools that a request brings, against what the search alone finds; then the tokens that it saves on two catalogues. */
export async function* measureSelection(): AsyncGenerator<string> {
  const semantics = staticSemantics();
  await semantics.settled();
  const sets = new Map(SETS.map((name) => [name, load(name)]));
  yield `selection: ${TOOLS} tools of a request, cut; share of the tools a query needs that are kept, percent; search: the best ${TOP} of the index`;
  yield `${'set'.padEnd(17)}${['queries', 'top 8', 'top 10', 'top 20', 'search', 'all kept', 'unsure', 'ms first', 'ms later'].map((head) => head.padStart(9)).join('')}`;
  for (const [name, set] of sets) {
    const others = [...sets].flatMap(([other, { tools }]) => (other === name ? [] : tools));
    yield await row(name, set, others, semantics);
  }
  yield '';
  yield 'tokens of definitions, roughly: as functions in a request, cut to so many; as tools/list, and that with search_tools';
  yield `${' '.repeat(8)}${['tools', 'full', 'top 8', 'top 10', 'top 20', 'list', 'search'].map((head) => head.padStart(10)).join('')}`;
  for (const name of ['github', 'stripe'] as const) yield await tokens(name, semantics);
  await semantics.close();
}

async function row(name: string, set: EvalSet, others: readonly EvalTool[], semantics: Semantics): Promise<string> {
  const sums = { asked: 0, search: 0, complete: 0, unsure: 0 };
  const kept = new Map<number, number>(TOPS.map((top) => [top, 0]));
  const first: number[] = [];
  const later: number[] = [];
  for (const { tools, queries } of lists(set, others)) {
    const cuts = await Promise.all(TOPS.map(async (top) => ({ top, cut: await selector({ top, unsure: top }, semantics) })));
    const index = semantics.index(tools.map(findableOf));
    for (const [number, { q, gold }] of queries.entries()) {
      const share = (names: ReadonlySet<string>): number => gold.filter((one) => names.has(one)).length / gold.length;
      for (const { top, cut } of cuts) {
        const began = performance.now();
        const { names, isSure } = await cut(q, tools);
        (number === 0 ? first : later).push(performance.now() - began);
        kept.set(top, kept.get(top)! + share(names));
        if (top !== TOP) continue;
        sums.complete += share(names) === 1 ? 1 : 0;
        sums.unsure += isSure ? 0 : 1;
      }
      const { hits } = await index.find(q, TOP);
      sums.search += share(new Set(hits.map((hit) => tools[hit.index]!.name)));
      sums.asked += 1;
    }
  }
  const percents = [...kept.values(), sums.search, sums.complete, sums.unsure].map((sum) => (100 * sum) / sums.asked);
  const figures = [String(sums.asked), ...[...percents, Math.max(...first), medianOf(later)].map((figure) => figure.toFixed(1))];
  return `${name.padEnd(17)}${figures.map((figure) => figure.padStart(9)).join('')}`;
}

function medianOf(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;
}

/** Lists of 500 tools with the queries that they can answer: the tools that these need, and others drawn from the set and, where it is too small, from others. */
function* lists({ tools, queries }: EvalSet, others: readonly EvalTool[]): Generator<EvalSet> {
  const draw = drawing(7);
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  const shuffled = shuffle(queries, draw);
  for (let at = 0; at < Math.min(shuffled.length, 5 * QUERIES); at += QUERIES) {
    const some = shuffled.slice(at, at + QUERIES).filter(({ gold }) => gold.every((one) => byName.has(one)));
    const chosen = new Map(some.flatMap(({ gold }) => gold.map((one) => [one, byName.get(one)!])));
    for (const tool of [...shuffle(tools, draw), ...shuffle(others, draw)]) if (chosen.size < TOOLS) chosen.set(tool.name, tool);
    yield { tools: shuffle([...chosen.values()], draw), queries: some };
  }
}

interface Cut {
  /** Of the tools that go on. */
  readonly names: ReadonlySet<string>;
  readonly isSure: boolean;
}

/** What the policy makes of a message and tools. */
async function selector(
  options: ToolSelectionOptions,
  semantics: Semantics,
): Promise<(query: string, tools: readonly EvalTool[]) => Promise<Cut>> {
  const shared = new Map<string, unknown>();
  const host = {
    semantics,
    log: silent,
    shared: <T>(key: string, create: () => T): T => {
      if (!shared.has(key)) shared.set(key, create());
      return shared.get(key) as T;
    },
  } as unknown as Host;
  const { onCall } = await toolSelection.create(options, host);
  return async (query, tools) => {
    const functions = tools.map(({ name, description, inputSchema: parameters }) => ({
      type: 'function',
      function: { name, description, parameters },
    }));
    const call = new LiveCall<'models'>({
      id: 'bench',
      lane: 'models',
      operation: 'chat',
      route: 'bench',
      consumer: { name: 'bench', groups: [], anonymous: false },
      request: { headers: {}, ip: '127.0.0.1', size: 0 },
      log: silent,
      codec: modelSegments,
      input: { model: 'm', stream: false, body: { messages: [{ role: 'user', content: query }], tools: functions } },
    });
    await onCall!(call);
    const names = new Set((call.input.body['tools'] as typeof functions).map((tool) => tool.function.name));
    return { names, isSure: call.events.every(({ detail = '' }) => !detail.includes('does not tell')) };
  };
}

async function tokens(name: keyof typeof ASKED, semantics: Semantics): Promise<string> {
  const file = `${SHARED}openapi-corpus/real/${name}.json`;
  if (!existsSync(file)) return `${name}: ${file} is not there`;
  const { operations } = compileDocument({ name, text: readFileSync(file, 'utf8') });
  const listed = operations.map(({ tool }) => tool.definition);
  // As a client offers them to a model.
  const functions = new Map(
    listed.map(({ name: of, description, inputSchema: parameters }) => [of, { name: of, description, parameters }]),
  );
  const sumOf = (names: Iterable<string>): number => [...names].reduce((sum, one) => sum + tokensOf(functions.get(one)), 0);
  const means: number[] = [];
  for (const top of TOPS) {
    const cut = await selector({ top }, semantics);
    let sum = 0;
    for (const query of ASKED[name]) sum += sumOf((await cut(query, listed)).names);
    means.push(Math.round(sum / ASKED[name].length));
  }
  const list = listed.reduce((sum, definition) => sum + tokensOf(definition), 0);
  const figures = [listed.length, sumOf(functions.keys()), ...means, list, tokensOf(searchToolDefinitions(listed.length, 8, false))];
  return `${name.padEnd(8)}${figures.map((figure) => String(figure).padStart(10)).join('')}`;
}

function load(name: string): EvalSet {
  return JSON.parse(readFileSync(`${SHARED}eval/tool-retrieval/${name}.json`, 'utf8')) as EvalSet;
}

function findableOf({ name, description, inputSchema, path, tags }: EvalTool): Findable {
  return toolFindable({ name, description, inputSchema }, { path, tags });
}

/** Numbers from 0 to 1, the same each time (mulberry32). */
function drawing(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffle<T>(items: readonly T[], draw: () => number): T[] {
  return items
    .map((item) => ({ item, at: draw() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
