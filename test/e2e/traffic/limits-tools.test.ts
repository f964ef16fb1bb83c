import type { CallToolResult, Client } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectSdk, type Negotiation, SDK_MODES } from '../../support/mcp-clients.ts';
import { consumer, type Gate, keyOf, recordsOf, spentIn, standing, startGate, times, usageOf } from './_limits.ts';
import { PATIENCE, type Stage, startStage } from './_stage.ts';

const CALLS = 200;
const MODES = SDK_MODES.map((mode) => [typeof mode === 'string' ? mode : mode.pin, mode] as const);

const shop = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'Shop', version: '1' },
  paths: {
    '/orders': { get: { operationId: 'listOrders', responses: { 200: { description: 'All.' } } } },
    '/orders/{id}': {
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
      delete: { operationId: 'deleteOrder', responses: { 200: { description: 'Gone.' } } },
    },
  },
});

describe('200 calls of tools at once on a limit for 50', () => {
  let stage: Stage;
  let gate: Gate;
  const clients: Client[] = [];
  beforeAll(async () => {
    gate = await startGate();
    gate.open();
    const limits =
      (more: object): ((name: string) => object) =>
      (name) =>
        consumer(name, more);
    const each = (kind: string): string[] => MODES.map(([mode]) => `${kind}-${mode}`);
    stage = await startStage({
      arms: 0,
      config: () => ({
        services: { shop: { spec: 'shop.json', baseUrl: gate.server.url, price: 0.02 } },
        policies: [{ 'rate-limit': { by: ['consumer', 'tool'], requests: '150/h' }, lanes: ['tools'] }],
        consumers: [
          ...each('requests').map(limits({ limits: { requests: '50/h' } })),
          ...each('dollars').map(limits({ budget: { usd: '1/month' } })),
          ...each('concurrent').map(limits({ limits: { concurrent: 50 } })),
          consumer('by-tool'),
        ],
      }),
      files: { 'shop.json': shop },
    });
  });
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await stage?.stop();
    await gate?.server.stop();
  });

  async function connect(as: string, mode: Negotiation): Promise<Client> {
    const client = await connectSdk(`${stage.hub.url}/mcp/shop`, mode, { authorization: `Bearer ${keyOf(as)}` });
    clients.push(client);
    return client;
  }
  const all = (client: Client, count = CALLS): Promise<CallToolResult[]> =>
    times(count, () => client.callTool({ name: 'listOrders', arguments: {} }) as Promise<CallToolResult>);
  const texts = (results: readonly CallToolResult[]): string[] =>
    results.filter(({ isError }) => isError === true).map(({ content }) => (content[0] as { text: string }).text);
  const explain = (as: string, rule: RegExp): Promise<string> =>
    standing(stage.hub, rule, { server: 'shop', tool: 'listOrders', consumer: as });

  it.each(MODES)('passes exactly 50 requests, and the model reads what to do (%s)', async (name, mode) => {
    const as = `requests-${name}`;
    const client = await connect(as, mode);
    gate.server.requests.length = 0;
    const refused = texts(await all(client));
    expect([gate.server.requests.length, refused.length]).toEqual([50, 150]);
    for (const text of refused)
      expect(text).toMatch(/^The limit of 50 requests an hour for consumer \S+ is reached \(50 used\)\. Try again in (?:59|60) min\./);
    // The conversation goes on: what is no work is free.
    expect((await client.listTools()).tools).toHaveLength(2);
    const records = await recordsOf(stage.hub, as, CALLS);
    const throttled = records.filter(({ outcome }) => outcome === 'limit_exceeded');
    expect(throttled).toHaveLength(150);
    expect(throttled[0]).toMatchObject({ lane: 'tools', attempts: 0, events: [{ type: 'throttled' }] });
  });

  it.each(MODES)('spends exactly the money for 50 (%s)', async (name, mode) => {
    const as = `dollars-${name}`;
    const refused = texts(await all(await connect(as, mode)));
    expect(refused).toHaveLength(150);
    for (const text of refused)
      expect(text).toMatch(/^The budget of \$1 a month for consumer \S+ is used up \(\$1\.00 used\)\. It begins anew on \d{4}-\d\d-01\./);
    const records = await recordsOf(stage.hub, as, CALLS);
    expect(records.filter(({ outcome }) => outcome === 'ok')).toHaveLength(50);
    expect(spentIn(records).usd).toBeCloseTo(1, 9);
    expect((await usageOf(stage.hub, as)).usd).toBeCloseTo(1, 9);
    expect(await explain(as, /^budget: \$1 a month/)).toBe('$1.00 used or reserved, $0.00 left');
  });

  it.each(MODES)('passes exactly 50 at a time (%s)', async (name, mode) => {
    const as = `concurrent-${name}`;
    const client = await connect(as, mode);
    gate.close();
    const results = all(client);
    await expect.poll(gate.waiting, PATIENCE).toBe(50);
    expect(await recordsOf(stage.hub, as, 150)).toHaveLength(150);
    expect(await explain(as, /50 calls at a time/)).toBe('50 under way, 0 left');
    expect(gate.waiting()).toBe(50);
    gate.open();
    const refused = texts(await results);
    expect(refused).toHaveLength(150);
    expect(refused[0]).toMatch(
      /^The limit of 50 calls at a time for consumer \S+ is reached \(50 under way\)\. Try again when one of them has ended\./,
    );
    expect(texts(await all(client, 20))).toEqual([]);
    expect(await explain(as, /50 calls at a time/)).toBe('0 under way, 50 left');
  });

  it('counts each tool for itself', async () => {
    const client = await connect('by-tool', 'auto');
    const refused = texts(await all(client, 160));
    expect(refused).toHaveLength(10);
    expect(refused[0]).toMatch(/^The limit of 150 requests an hour for consumer by-tool and this tool is reached \(150 used\)\./);
    const other = await client.callTool({ name: 'deleteOrder', arguments: { id: '7' } });
    expect(other.isError).not.toBe(true);
  });
});
