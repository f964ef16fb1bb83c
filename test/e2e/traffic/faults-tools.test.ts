import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { askAdmin } from '../../support/ask-admin.ts';
import { type EchoServer, sendJson, startEchoServer } from '../../support/echo-server.ts';
import { freePort } from '../../support/free-port.ts';
import { postModern, type RawAnswer } from '../../support/mcp-clients.ts';
import { inParallel } from '../models/in-parallel.ts';
import { runCommand } from './_run-command.ts';
import { PATIENCE, type Stage, startStage } from './_stage.ts';

const OPEN_MS = 1_000;

const operation = (operationId: string, more: object = {}): object => ({
  operationId,
  responses: { 200: { description: 'Done.' } },
  ...more,
});
const orders = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'Orders', version: '1' },
  paths: {
    '/orders': {
      get: operation('listOrders'),
      post: operation('createOrder', { requestBody: { content: { 'application/json': { schema: { type: 'object' } } } } }),
    },
    '/orders/{id}': {
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
      get: operation('getOrder'),
      put: operation('replaceOrder', { requestBody: { content: { 'application/json': { schema: { type: 'object' } } } } }),
    },
  },
});

interface SourceCalls {
  readonly health: string;
  readonly breaker: string;
  readonly inFlight: number;
  readonly samples: number;
  readonly errorRate: number;
  readonly retryAt?: number;
}

describe('a service whose answers fail', () => {
  let stage: Stage;
  let service: EchoServer;
  /** What the next requests are answered with, first to last; then 200. */
  let next: { readonly status: number; readonly headers?: Record<string, string> }[] = [];
  beforeAll(async () => {
    service = await startEchoServer((request, response) => {
      const { status, headers = {} } = next.shift() ?? { status: 200 };
      const body =
        status === 200
          ? { path: request.path, orders: [1, 2] }
          : { title: 'The order book is closed', detail: `Come back later (${status}).` };
      sendJson(response, status, body, headers);
    });
    const deadPort = await freePort();
    const spec = 'orders.json';
    stage = await startStage({
      arms: 0,
      config: () => ({
        services: {
          // Each has a budget of retries of its own, of three at first.
          ...Object.fromEntries(['orders', 'told', 'limited', 'marked'].map((name) => [name, { spec, baseUrl: service.url }])),
          once: { spec, baseUrl: service.url, retries: 0 },
          fragile: { spec, baseUrl: service.url, breaker: { failures: 3, open: `${OPEN_MS}ms` } },
          gone: { spec, baseUrl: `http://127.0.0.1:${deadPort}`, breaker: { failures: 3, open: '30s' } },
        },
      }),
      files: { 'orders.json': orders },
    });
  });
  afterAll(async () => {
    await stage?.stop();
    await service?.stop();
  });
  beforeEach(() => {
    next = [];
    service.requests.length = 0;
  });

  const call = (door: string, name: string, args: JsonObject = {}): Promise<RawAnswer> =>
    postModern(`${stage.hub.url}/mcp/${door}`, 'tools/call', { name, arguments: args });
  const text = ({ result }: RawAnswer): string => JSON.stringify(result?.['content']);
  const fail = (times: number, status = 503, headers = {}): void =>
    void (next = Array.from({ length: times }, () => ({ status, headers })));
  const source = async (name: string): Promise<SourceCalls | undefined> => {
    const { body } = await askAdmin(stage.hub, 'GET', '/status');
    return (body.sources as { name: string; calls?: SourceCalls }[]).find((one) => one.name === name)?.calls;
  };

  it('gives one good result of a GET that was answered 503 twice', async () => {
    fail(2);
    const answer = await call('orders', 'getOrder', { id: 'a/b' });
    expect(answer).toMatchObject({ status: 200, result: { content: [{ type: 'text' }] } });
    expect(answer.result?.['isError']).toBeUndefined();
    expect(text(answer)).toContain('/orders/a%2Fb');
    expect(service.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(Array.from({ length: 3 }, () => 'GET /orders/a%2Fb'));
    const record = await stage.record(String(answer.headers.get('x-request-id')));
    expect(record).toMatchObject({ lane: 'tools', outcome: 'ok', attempts: 3 });
    expect(record.events.map(({ type }) => type)).toEqual(['retried', 'retried']);
  });

  it('gives the model the last answer, decoded, when retries did not help', async () => {
    fail(10);
    const answer = await call('told', 'listOrders');
    expect(answer.result).toMatchObject({ isError: true });
    expect(text(answer)).toMatch(/503.*The order book is closed/);
    expect(service.requests).toHaveLength(3);
  });

  it('does not repeat what may do harm, and the model reads what the service said', async () => {
    fail(1);
    const answer = await call('marked', 'createOrder', { body: { item: 1 } });
    expect(answer.result).toMatchObject({ isError: true });
    expect(text(answer)).toMatch(/503.*The order book is closed.*Come back later/);
    expect(service.requests).toHaveLength(1);
    expect(await stage.record(String(answer.headers.get('x-request-id')))).toMatchObject({ outcome: 'failed', attempts: 1, events: [] });
  });

  it.each([502, 429])('repeats a GET after %i', async (status) => {
    fail(1, status, status === 429 ? { 'retry-after': '1' } : {});
    const answer = await call('limited', 'listOrders');
    expect(answer.result?.['isError'], text(answer)).toBeUndefined();
    expect(service.requests).toHaveLength(2);
  });

  it.each([500, 404, 409])('does not repeat after %i, which is an answer', async (status) => {
    fail(1, status);
    const answer = await call('limited', 'listOrders');
    expect(answer.result).toMatchObject({ isError: true });
    expect(text(answer)).toMatch(new RegExp(`${status}.*The order book is closed`));
    expect(service.requests).toHaveLength(1);
  });

  it('repeats what is idempotent, with the body as it was', async () => {
    fail(2);
    const answer = await call('marked', 'replaceOrder', { id: '7', body: { item: 'Größe' } });
    expect(answer.result?.['isError'], text(answer)).toBeUndefined();
    expect(service.requests.map(({ method, body }) => `${method} ${body.toString()}`)).toEqual(
      Array.from({ length: 3 }, () => 'PUT {"item":"Größe"}'),
    );
  });

  it('does not repeat where the service says so', async () => {
    fail(1);
    expect((await call('once', 'listOrders')).result).toMatchObject({ isError: true });
    expect(service.requests).toHaveLength(1);
  });

  it('is left alone when it is dead: the model reads how long to wait', async () => {
    const first = await call('gone', 'listOrders');
    expect(first.result).toMatchObject({ isError: true });
    expect(text(first)).toMatch(/could not be reached/);
    const second = await call('gone', 'createOrder', { body: {} });
    expect(second.result).toMatchObject({ isError: true });
    expect(text(second)).toMatch(/ Try again in (?:29|30) s\./);
    expect(await stage.record(String(second.headers.get('x-request-id')))).toMatchObject({ outcome: 'unavailable', attempts: 0 });
    const calls = await source('gone');
    expect(calls).toMatchObject({ health: 'open', breaker: 'open', inFlight: 0, errorRate: 1, retryAt: expect.any(Number) });
    expect(
      await runCommand(stage.hub, ['tools', 'call', 'listOrders', '--server', 'gone', '--args', '{}'], {
        HUBGATE_URL: stage.hub.url,
      }).catch(String),
    ).toMatch(/Try again in \d+ s/);
  });

  it('is tried by one call when its time is over, and is there for all when that goes well', async () => {
    fail(3);
    expect((await call('fragile', 'listOrders')).result).toMatchObject({ isError: true });
    expect(await source('fragile')).toMatchObject({ breaker: 'open', samples: 3, errorRate: 1 });
    const refused = await call('fragile', 'listOrders');
    expect(text(refused)).toMatch(/Try again in 1 s/);
    expect(service.requests).toHaveLength(3);
    await expect.poll(async () => (await source('fragile'))?.breaker, PATIENCE).toBe('half-open');
    service.requests.length = 0;
    expect((await call('fragile', 'createOrder', { body: {} })).result?.['isError']).toBeUndefined();
    expect(await source('fragile')).toMatchObject({ breaker: 'closed', health: 'healthy' });
    const answers = await inParallel(Array.from({ length: 20 }), 5, () => call('fragile', 'listOrders'));
    expect(answers.filter(({ result }) => result?.['isError'] === true)).toEqual([]);
    expect(service.requests).toHaveLength(21);
  });

  it('shows in the status what its calls were like, and nothing before the first', async () => {
    const { body } = await askAdmin(stage.hub, 'GET', '/status');
    const orders = (body.sources as { name: string; calls?: object }[]).find(({ name }) => name === 'orders');
    expect(orders?.calls).toMatchObject({
      health: expect.any(String),
      samples: expect.any(Number),
      latencyMs: expect.any(Number),
      inFlight: 0,
    });
    expect(await source('petstore')).toBeUndefined();
  });
});
