import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { EmbedderExtension } from '../src/core/contracts/embedder.ts';
import type { Host } from '../src/core/contracts/extension.ts';
import type { Findable } from '../src/core/contracts/semantics.ts';
import type { Logger } from '../src/core/logger.ts';
import { HubSemantics } from '../src/embedding/semantics.ts';
import { qualityOf, retrievalSet, retrievalSets } from './retrieval-sets.ts';
import type { QualityFigures, SpeedFigures } from './retrieval.ts';
import { quantile } from './statistics.ts';

/** One measurement in a process of its own: `retrieval-run.ts quality SET MODEL` or `speed TOOLS MODEL`, the figures as JSON on its output. */

const EMBEDDERS = new URL('../src/embedding/embedders/', import.meta.url);
const QUERIES = 300;
const WARM_UP = 50;

const log: Logger = {
  debug() {},
  info() {},
  warn: (fields, message) => console.error(message, fields),
  error: (fields, message) => console.error(message, fields),
  child: () => log,
};

/** Semantics as the hub has them, over nothing stored. */
async function semanticsOf(model: string): Promise<HubSemantics> {
  const files = readdirSync(EMBEDDERS).filter((name) => name.endsWith('.ts'));
  const loaded = await Promise.all(
    files.map(async (file) => (await import(new URL(file, EMBEDDERS).href)) as { default: EmbedderExtension }),
  );
  const extensions = new Map(loaded.map((one) => [one.default.name, one.default]));
  const vectors = { get: async () => new Map(), put: async () => {}, touch: async () => {}, forget: async () => {} };
  const semantics = new HubSemantics({ log, vectors, models: resolve(import.meta.dirname, '../../shared/models') });
  semantics.configure(
    { model },
    {
      folder: resolve(import.meta.dirname, '../test/e2e/peers'),
      embedders: {
        names: [...extensions.keys()],
        version: () => '1',
        create: async (name, options) => extensions.get(name)!.create(options, { log } as Host),
      },
    },
  );
  await semantics.settled();
  return semantics;
}

async function quality(id: string, model: string): Promise<QualityFigures> {
  const semantics = await semanticsOf(model);
  const set = retrievalSet(id);
  const index = semantics.index(set.tools);
  let found = await index.find('tool', 1);
  while (found.degraded !== undefined && semantics.status()[0]?.degraded === false) {
    await new Promise((resolve) => void setTimeout(resolve, 200));
    found = await index.find('tool', 1);
  }
  const figures = {
    id,
    tools: set.tools.length,
    queries: set.queries.length,
    model: found.model ?? 'none',
    ...(await qualityOf(set, index)),
  };
  await semantics.close();
  return figures;
}

/** Tools of all sets, over and over under other names, so that no two are the same text. */
function manyTools(count: number): Findable[] {
  const all = retrievalSets().flatMap(({ tools }) => tools);
  return Array.from({ length: count }, (_, number) => {
    const tool = all[number % all.length]!;
    return { ...tool, name: `${tool.name}_${number}` };
  });
}

async function speed(count: number, model: string): Promise<SpeedFigures> {
  const semantics = await semanticsOf(model);
  const tools = manyTools(count);
  const asked = retrievalSets().flatMap(({ queries }) => queries.filter((_, at) => at % Math.ceil((5 * queries.length) / QUERIES) === 0));
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const began = performance.now();
  const index = semantics.index(tools);
  let found = await index.find('tool', 1);
  while (found.degraded !== undefined && semantics.status()[0]?.degraded === false) {
    await new Promise((resolve) => void setTimeout(resolve, 200));
    found = await index.find('tool', 1);
  }
  const indexMs = performance.now() - began;
  // A delay is noticed when it is over.
  await new Promise((resolve) => void setTimeout(resolve, 20));
  delay.disable();
  const times: number[] = [];
  for (const { q } of [...asked.slice(0, WARM_UP), ...asked]) {
    const start = performance.now();
    await index.find(q, 10);
    times.push(performance.now() - start);
  }
  const sorted = times.slice(WARM_UP).toSorted((a, b) => a - b);
  const figures = {
    tools: count,
    model: found.model ?? 'none',
    indexMs,
    delayP99: delay.percentile(99) / 1e6,
    delayMax: delay.max / 1e6,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    megabytes: (process.memoryUsage().rss - before) / 1e6,
  };
  await semantics.close();
  return figures;
}

const [mode, what = '', model = 'hubgate-static-en'] = process.argv.slice(2);
console.log(JSON.stringify(mode === 'quality' ? await quality(what, model) : await speed(Number(what), model)));
process.exit(0);
