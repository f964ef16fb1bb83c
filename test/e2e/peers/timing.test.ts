import type { JsonObject } from '../../../src/core/json.ts';
import { createHash } from 'node:crypto';
import { Agent, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EchoServer, startEchoServer } from '../../support/echo-server.ts';
import { openLegacySession } from '../../support/mcp-clients.ts';
import { type Hub, startHub } from '../../support/start-hub.ts';

const KEY = 'hg_test_key_of_the_timing_story';
const HIDDEN = 'deletePet';
const UNKNOWN = 'deletePot';
/** Of each of the two, in random order on one connection. */
const CALLS = 2_000;
const WARM_UP = 500;
const TOLERANCE = 0.05;
/** Other work on the machine comes in bursts: the first measurement within the tolerance counts, three outside of it are no accident. */
const MEASUREMENTS = 3;

const RULES = '[{ groups: [interns], allow: ["list*"] }, { groups: [support], allow: ["*"] }]';
const config = (elsewhere: string): string => `
services:
  shop: { spec: openapi-specs/shop.json, baseUrl: "demo:petstore", access: ${RULES} }
  far: { spec: openapi-specs/shop.json, baseUrl: "${elsewhere}" }
consumers:
  - { name: ivo, groups: [interns], keys: [{ sha256: "${createHash('sha256').update(KEY).digest('hex')}" }] }
`;
const DESK = `tools: [{ from: shop }]\naccess: ${RULES}\n`;
const SHOP = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'Shop', version: '1' },
  paths: {
    '/pets': { get: { operationId: 'listPets', responses: {} } },
    '/pets/{petId}': {
      parameters: [{ name: 'petId', in: 'path', required: true, schema: { type: 'integer' } }],
      delete: { operationId: HIDDEN, responses: {} },
    },
  },
});
const EVERYBODY = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: `Bearer ${KEY}` };
const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'hubgate-test', version: '1.0.0' },
};

type Headers = Readonly<Record<string, string>>;

/** One call, ready to be sent again and again. */
interface Prepared {
  readonly headers: Headers;
  readonly body: string;
}

const DOORS: readonly (readonly [path: string, prefix: string])[] = [
  ['/mcp/shop', ''],
  ['/mcp/desk', ''],
  ['/mcp', 'shop_'],
];

describe('a hidden tool cannot be told from one that does not exist by the time of the answer', () => {
  let hub: Hub;
  let echo: EchoServer;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  beforeAll(async () => {
    echo = await startEchoServer();
    hub = await startHub({
      files: { 'hubgate.yaml': config(echo.url), 'virtual-servers/desk.yaml': DESK, 'openapi-specs/shop.json': SHOP },
    });
  });
  afterAll(async () => {
    agent.destroy();
    await hub?.stop();
    await echo?.stop();
  });

  it.each(DOORS.flatMap(([path, prefix]) => ['2025-11-25', '2026-07-28'].map((revision) => ({ path, prefix, revision }))))(
    '$path, $revision',
    async ({ path, prefix, revision }) => {
      const url = `${hub.url}${path}`;
      const prepare = revision === '2026-07-28' ? modern : legacy((await openLegacySession(url, { headers: EVERYBODY })).headers);
      const calls = [prepare(`${prefix}${HIDDEN}`), prepare(`${prefix}${UNKNOWN}`)] as const;
      const texts = await Promise.all(calls.map(async (call) => (await send(url, call, agent)).text));
      expect(texts[0]).toContain('-32602');
      expect(texts[0]).toBe(texts[1]?.replaceAll(UNKNOWN, HIDDEN));

      const ratios: number[] = [];
      while (ratios.length < MEASUREMENTS && !isEven(ratios.at(-1))) ratios.push(await measure(url, calls, agent));
      console.log(`${path}, ${revision}: hidden / unknown ${ratios.map((ratio) => ratio.toFixed(3)).join(', ')}`);
      expect(isEven(ratios.at(-1))).toBe(true);
    },
  );

  it('the measurement would show a difference: a tool that calls elsewhere takes longer', async () => {
    const ratio = await measure(`${hub.url}/mcp/far`, [modern('listPets', {}), modern(UNKNOWN)], agent);
    expect(ratio).toBeGreaterThan(1 + TOLERANCE);
  });
});

function isEven(ratio: number | undefined): boolean {
  return ratio !== undefined && Math.abs(Math.log(ratio)) < Math.log(1 + TOLERANCE);
}

function modern(name: string, args: JsonObject = { petId: 1 }): Prepared {
  const params = { name, arguments: args, _meta: ENVELOPE };
  const headers = { ...EVERYBODY, 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name };
  return { headers, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }) };
}

function legacy(session: Headers): (name: string) => Prepared {
  return (name) => ({
    headers: { ...EVERYBODY, ...session },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: { petId: 1 } } }),
  });
}

/** The median of the first call's times over that of the second's. */
async function measure(url: string, calls: readonly [Prepared, Prepared], agent: Agent): Promise<number> {
  const times: [number[], number[]] = [[], []];
  for (let round = -WARM_UP; round < CALLS; round += 1) {
    const first = Math.random() < 0.5 ? 0 : 1;
    for (const which of [first, 1 - first] as (0 | 1)[]) {
      const { ns } = await send(url, calls[which], agent);
      if (round >= 0) times[which].push(ns);
    }
  }
  return median(times[0]) / median(times[1]);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Posts; `ns` goes from the first byte written to the last byte read. */
function send(url: string, { headers, body }: Prepared, agent: Agent): Promise<{ ns: number; text: string }> {
  return new Promise((resolve, reject) => {
    const started = process.hrtime.bigint();
    const sent = request(url, { agent, method: 'POST', headers: { ...headers, 'content-length': Buffer.byteLength(body) } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.once('end', () => resolve({ ns: Number(process.hrtime.bigint() - started), text }));
      answer.once('error', reject);
    });
    sent.once('error', reject);
    sent.end(body);
  });
}
