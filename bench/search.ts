import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './programs.ts';
import { ACCEPT, statelessMeta } from './requests.ts';
import { retrievalSets } from './retrieval-sets.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const TOOLS = 10_000;
const SEARCHES = 1_000;
const GIVE_UP_MS = 120_000;

/**
 * `search_tools` through the public door of a hub with one document of 10,000 operations, their texts from the public sets: milliseconds of a search, of the
 * first one after a start with an empty store, and of the first after a restart, both from the moment at which the hub says that it is ready.
 */
export async function* measureSearch(rounds: number): AsyncGenerator<string> {
  const { document, queries, known } = load();
  const folder = mkdtempSync(join(tmpdir(), 'hubgate-search-'));
  mkdirSync(join(folder, 'openapi-specs'));
  writeFileSync(join(folder, 'openapi-specs/many.json'), document);
  const limits = 'documents: { cpuTime: 60s }\n';
  writeFileSync(join(folder, 'hubgate.yaml'), `${limits}services:\n  many: { spec: openapi-specs/many.json, baseUrl: "demo:petstore" }\n`);
  try {
    yield `search: ${TOOLS} tools behind one service at /mcp, ${SEARCHES} queries in turn, query embedding included; ms`;
    for (let round = 0; round <= rounds; round++) {
      const hub = await start(folder, `many_${known}`);
      const first = await timed(() => hub.search(queries[0]!));
      const later: number[] = [];
      for (let number = 0; number < SEARCHES; number++) later.push(await timed(() => hub.search(queries[number % queries.length]!)));
      const pings: number[] = [];
      for (let number = 0; number < SEARCHES; number++) pings.push(await timed(() => hub.describe()));
      await hub.stop();
      const store = round === 0 ? 'empty store  ' : 'after restart';
      const figures = [first, at(later, 0.5), at(later, 0.99), at(pings, 0.5)].map((one) => one.toFixed(1).padStart(7));
      yield `${store}  first ${figures[0]}   p50 ${figures[1]}   p99 ${figures[2]}   (describe_tool, the same way: p50 ${figures[3]})`;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `known` is the name of one operation. */
function load(): { readonly document: string; readonly queries: readonly string[]; readonly known: string } {
  const sets = retrievalSets();
  const tools = sets.flatMap((set) => set.tools);
  const paths: Record<string, object> = {};
  for (let number = 0; number < TOOLS; number++) {
    const { name, description, words = [] } = tools[number % tools.length]!;
    const operationId = `${name.replace(/[^A-Za-z0-9_]+/g, '_').slice(0, 40)}_${number}`;
    const parameters = [{ name: 'input', in: 'query', schema: { type: 'string' }, description: words.join(', ') }];
    paths[`/${operationId}`] = { get: { operationId, summary: description, parameters, responses: {} } };
  }
  const document = JSON.stringify({ openapi: '3.1.0', info: { title: 'Many', version: '1' }, paths });
  const known = Object.keys(paths)[0]!.slice(1);
  return { document, known, queries: sets.flatMap((set) => set.queries.slice(0, 100).map(({ q }) => q)) };
}

interface RunningHub {
  search(query: string): Promise<void>;
  describe(): Promise<void>;
  stop(): Promise<void>;
}

async function start(folder: string, name: string): Promise<RunningHub> {
  const port = await freePort();
  const places = ['--config', join(folder, 'hubgate.yaml'), '--data', join(folder, 'data'), '--port', String(port), '--admin-port', '0'];
  const child = spawn(process.execPath, [join(ROOT, 'src/main.ts'), 'serve', ...places], { stdio: 'ignore' });
  await ready(child, port);
  const agent = new Agent({ keepAlive: true });
  const call = async (name: string, args: object): Promise<void> => {
    const headers = { ...ACCEPT, 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'tools/call', 'Mcp-Name': name };
    const params = { name, arguments: args, _meta: statelessMeta };
    const text = await post({ port, agent, headers }, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }));
    if (!text.includes('"content"') || text.includes('"isError":true')) throw new Error(`${name} failed: ${text.slice(0, 500)}`);
  };
  return {
    search: (query) => call('search_tools', { query }),
    describe: () => call('describe_tool', { name }),
    async stop() {
      agent.destroy();
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}

async function ready(child: ChildProcess, port: number): Promise<void> {
  const began = performance.now();
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    if (answer?.ok === true) return;
    if (child.exitCode !== null || performance.now() - began > GIVE_UP_MS) throw new Error('The hub does not start; try npm start.');
    await new Promise((resolve) => void setTimeout(resolve, 5));
  }
}

function post(options: object, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', path: '/mcp', method: 'POST', ...options }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => resolve(text));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function at(figures: readonly number[], share: number): number {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length * share)] ?? 0;
}
