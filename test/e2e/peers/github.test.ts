import type { JsonObject } from '../../../src/core/json.ts';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, StreamableHTTPClientTransport, type Tool } from '@modelcontextprotocol/client';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EchoServer, sendJson, startEchoServer } from '../../support/echo-server.ts';
import { type Negotiation, postModern } from '../../support/mcp-clients.ts';
import { type Hub, startHub } from '../../support/start-hub.ts';
import { drawArguments, type ListedTool } from './oracle/arguments.ts';
import { differences } from './oracle/compare.ts';
import { readGitHubDocument } from './oracle/github-document.ts';
import { type Oracle, startOracle } from './oracle/swagger-oracle.ts';

const OPERATIONS = 1223;
const COMPLETE_MS = 5_000;
const CALLS = 200;
const SEED = 20_261_121;
/** Of a call that is answered inside the hub while it imports, on a machine that the client and the importing worker share with it. */
const SLOWEST_CALL_MS = 1_000;
/** Of the hub's event loop while it imports. 30 to 50 where it has a core to itself; reading the document there would take a second. */
const LONGEST_STANDSTILL_MS = 400;
const MODES: readonly Negotiation[] = ['legacy', { pin: '2026-07-28' }];

/**
 * Operations whose body may be null (OpenAPI 3.0.3, Schema Object: `nullable` "adds "null" to the allowed type"), so that JSON's `null` is a value to
 * be sent. swagger-client takes any falsy body for none. What arrives is compared with `null` itself.
 */
const NULL_BODIES: readonly string[] = [
  'actions/re-run-job-for-workflow-run',
  'actions/re-run-workflow',
  'actions/re-run-workflow-failed-jobs',
  'codespaces/create-with-pr-for-authenticated-user',
  'codespaces/create-with-repo-for-authenticated-user',
  'gists/update',
  'issues/lock',
  'migrations/update-import',
  'pulls/merge',
  'pulls/merge-async',
  'pulls/update-branch',
  'repos/create-fork',
  'repos/create-or-update-environment',
  'repos/create-pages-site',
  'repos/create-webhook',
];

const SHOP = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'Shop', version: '1' },
  paths: { '/pets': { get: { operationId: 'listPets', responses: {} } } },
});

/** Tells on stderr how long the hub's event loop stood still at the worst since it was asked last. */
const WATCH_LOOP = `import { monitorEventLoopDelay } from 'node:perf_hooks';
const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
process.on('SIGUSR2', () => { process.stderr.write('loop delay ' + Math.round(delay.max / 1e6) + ' ms\\n'); delay.reset(); });`;

interface Follower {
  readonly client: Client;
  /** The list as the client has it after the last change it heard of, and when. */
  last(): { readonly tools: readonly Tool[]; readonly at: number };
}

describe("GitHub's 1,223 operations, dropped in while the hub runs", () => {
  let document: JsonObject;
  let echo: EchoServer;
  let hub: Hub;
  let followers: Follower[] = [];

  beforeAll(async () => {
    echo = await startEchoServer((_, response) => sendJson(response, 200, {}));
    // One operation has a server of its own, https://uploads.github.com.
    document = JSON.parse(
      JSON.stringify(await readGitHubDocument()).replaceAll(/"url":"https:\/\/(api|uploads)\.github\.com"/g, `"url":"${echo.url}"`),
    ) as JsonObject;
    // The whole list is what is looked at here.
    const config = 'search: off\nservices:\n  shop: { spec: openapi-specs/shop.json, baseUrl: "demo:petstore" }\n';
    const env = { NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(WATCH_LOOP)}"` };
    hub = await startHub({ files: { 'hubgate.yaml': config, 'openapi-specs/shop.json': SHOP }, env });
    followers = await Promise.all(MODES.map((mode) => follow(`${hub.url}/mcp`, mode)));
  });
  afterAll(async () => {
    await Promise.all(followers.map(({ client }) => client.close()));
    await hub?.stop();
    await echo?.stop();
  });

  it('a connected client hears of all of them within five seconds, and calls go on', async () => {
    await loopDelay(hub);
    const text = JSON.stringify(document);
    const importing = new AbortController();
    const slowest = callOn(`${hub.url}/mcp/shop`, importing.signal);
    const started = performance.now();
    await writeFile(join(hub.dir, 'openapi-specs/github.json'), text);
    await expect
      .poll(() => followers.map((follower) => follower.last().tools.length), { timeout: COMPLETE_MS * 4, interval: 20 })
      .toEqual(MODES.map(() => OPERATIONS + 1));
    importing.abort();
    const times = followers.map((follower) => Math.round(follower.last().at - started));
    const { calls, ms } = await slowest;
    const stood = await loopDelay(hub);
    const list = JSON.stringify(followers[0]?.last().tools).length;
    const told = [
      `complete after ${times.join(' and ')} ms`,
      `the list has ${list} characters`,
      `the event loop stood still for ${stood} ms`,
    ];
    console.log(`${told.join(', ')}; ${calls} calls meanwhile, the slowest ${Math.round(ms)} ms`);
    expect(Math.max(...times)).toBeLessThan(COMPLETE_MS);
    expect(calls).toBeGreaterThan(10);
    expect(ms).toBeLessThan(SLOWEST_CALL_MS);
    expect(stood).toBeLessThan(LONGEST_STANDSTILL_MS);
  });

  it('each is there once, under a name that follows from its own', async () => {
    const expected = operationsOf(document);
    expect(expected.size).toBe(OPERATIONS);
    for (const follower of followers) {
      const tools = githubTools(follower);
      expect(new Set(tools.map(({ name }) => name.toLowerCase())).size).toBe(OPERATIONS);
      expect(new Set(tools.map(({ operation }) => identity(operation)))).toEqual(new Set(expected.keys()));
      for (const { name, operation } of tools) {
        const plain = `github_${expected.get(identity(operation))?.replaceAll('/', '_')}`;
        // Longer names are cut and end in a hash.
        expect(name).toMatch(/^[A-Za-z][A-Za-z0-9_-]{0,47}$/);
        expect(name === plain || (plain.length > 48 && plain.startsWith(name.slice(0, -7)))).toBe(true);
      }
    }
    const answer = await fetch(`${hub.adminUrl}/admin/v1/services/github/report`, {
      headers: { authorization: `Bearer ${hub.adminToken}` },
    });
    expect(await answer.json()).toMatchObject({ ok: true, leftOut: [] });
  });

  it(`${CALLS} calls arrive as swagger-client sends them`, async () => {
    const oracle = await startOracle(document);
    try {
      const lists = followers.map(githubTools);
      const indices =
        fc.sample(fc.shuffledSubarray([...Array(OPERATIONS).keys()], { minLength: CALLS, maxLength: CALLS }), {
          seed: SEED,
          numRuns: 1,
        })[0] ?? [];
      const wrong: unknown[] = [];
      for (const [turn, index] of indices.entries()) {
        const era = turn % MODES.length;
        const tool = lists[era]?.[index];
        const follower = followers[era];
        if (tool === undefined || follower === undefined) throw new Error('There are fewer tools than operations.');
        const found = await compareCall(tool, drawArguments(tool, SEED + turn), follower.client, oracle);
        if (found.length > 0) wrong.push({ tool: tool.name, era: MODES[era], found });
      }
      expect(wrong).toEqual([]);
    } finally {
      await oracle.stop();
    }
  });

  async function compareCall(tool: ListedTool, args: JsonObject, client: Client, oracle: Oracle): Promise<string[]> {
    const before = echo.requests.length;
    const result = await client.callTool({ name: tool.name, arguments: args });
    const [ours, ...more] = echo.requests.slice(before);
    if (ours === undefined || more.length > 0 || result.isError === true)
      return [`${more.length + 1} requests, ${JSON.stringify(result.content)}`];
    const type = ours.headers['content-type']?.split(';')[0];
    const bindings = Object.entries(tool.operation.bindings).filter(([key]) => Object.hasOwn(args, key));
    const headers = bindings.flatMap(([, binding]) => (binding.startsWith('header:') ? [binding.slice('header:'.length)] : []));
    if (!/json|\*\/\*/.test(ours.headers.accept ?? '')) return [`accept: ${ours.headers.accept}`];
    const theirs = await oracle.send(tool, args, type);
    const operationId = operationsOf(document).get(identity(tool.operation)) ?? '';
    if (args['body'] !== null || !NULL_BODIES.includes(operationId)) return differences(ours, theirs, headers);
    return differences(ours, { ...theirs, body: Buffer.from('null') }, headers);
  }
});

async function follow(url: string, mode: Negotiation): Promise<Follower> {
  let last: { tools: readonly Tool[]; at: number } = { tools: [], at: 0 };
  const onChanged = (_: unknown, tools: Tool[] | null): void => {
    last = { tools: tools ?? [], at: performance.now() };
  };
  const client = new Client(
    { name: 'hubgate-test', version: '1.0.0' },
    { versionNegotiation: { mode }, listChanged: { tools: { onChanged } } },
  );
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  return { client, last: () => last };
}

/** Calls a tool of the hub over and over; gives how often, and how long the slowest took. */
async function callOn(url: string, signal: AbortSignal): Promise<{ calls: number; ms: number }> {
  let [calls, slowest] = [0, 0];
  while (!signal.aborted) {
    const started = performance.now();
    const answer = await postModern(url, 'tools/call', { name: 'listPets', arguments: {} });
    slowest = Math.max(slowest, performance.now() - started);
    if (answer.result?.['isError'] === true || answer.status !== 200) throw new Error(`A call failed during the import: ${answer.text}`);
    calls += 1;
    await delay(5);
  }
  return { calls, ms: slowest };
}

/** Milliseconds that the hub's event loop stood still at the worst since the last time. */
async function loopDelay(hub: Hub): Promise<number> {
  const told = (): string[] => [...hub.stderr().matchAll(/^loop delay (\d+) ms$/gm)].map((match) => match[1] ?? '');
  const before = told().length;
  process.kill(hub.pid, 'SIGUSR2');
  await expect.poll(() => told().length).toBe(before + 1);
  return Number(told().at(-1));
}

/** `METHOD /path` to operationId. */
function operationsOf({ paths }: JsonObject): Map<string, string> {
  const methods = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'];
  return new Map(
    Object.entries(paths as Record<string, Record<string, { operationId: string }>>).flatMap(([path, item]) =>
      Object.entries(item).flatMap(([method, { operationId }]) =>
        methods.includes(method) ? [[identity({ method: method.toUpperCase(), path }), operationId]] : [],
      ),
    ) as [string, string][],
  );
}

function identity({ method, path }: { method: string; path: string }): string {
  return `${method} ${path}`;
}

function githubTools(follower: Follower): ListedTool[] {
  return follower
    .last()
    .tools.filter(({ name }) => name.startsWith('github_'))
    .map(({ name, inputSchema, _meta }) => ({ name, inputSchema, operation: _meta?.['hubgate/operation'] as ListedTool['operation'] }));
}
