import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAdminApi } from '../../../src/admin/api.ts';
import { adminMounts, createAdminIdentify, metricsMount, sendProblem } from '../../../src/admin/mounts.ts';
import { createEdge, type Edge } from '../../../src/http/server.ts';
import { bareRecord, sampleRecord } from '../../contracts/call-log.ts';
import { asking, FakeHub, type Ask } from './fake-hub.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {}, child: () => SILENT };
const START = Date.UTC(2026, 10, 21);

let hub: FakeHub;
let ask: Ask;
beforeEach(async () => {
  hub = await FakeHub.open();
  ask = asking(hub);
});
afterEach(() => Promise.all([hub.store.close(), hub.calls.close()]));

interface Listed {
  readonly items: readonly { readonly id: string }[];
  readonly next?: string;
}
const list = async (query = ''): Promise<Listed> => {
  const { status, body } = await ask('GET', `calls${query}`);
  expect(status, query).toBe(200);
  return body as unknown as Listed;
};
const ids = async (query: string): Promise<string[]> => (await list(query)).items.map(({ id }) => id);

describe('calls', () => {
  it('are listed as they are kept, with times as ISO 8601', async () => {
    const record = sampleRecord();
    hub.calls.add(record);
    expect(await list()).toEqual({ items: [{ ...record, startedAt: '2026-11-21T00:00:00.000Z' }] });
  });

  it('are filtered by every parameter, those that are empty left out', async () => {
    hub.calls.add(sampleRecord({ id: 'a' }));
    hub.calls.add(bareRecord({ id: 'b', startedAt: START + 1000, outcome: 'tool_unknown', asked: 'find_pets' }));
    for (const [query, expected] of [
      ['', ['b', 'a']],
      ['?id=a', ['a']],
      ['?id=A', []],
      ['?id=a&consumer=bob', []],
      ['?consumer=alice', ['a']],
      ['?lane=tools', ['b']],
      ['?route=support', ['a']],
      ['?provider=openai', ['a']],
      ['?model=find_pets', ['b']],
      ['?outcome=ok', ['a']],
      ['?outcome=error', ['b']],
      ['?outcome=tool_unknown', ['b']],
      ['?from=2026-11-21T00:00:01Z', ['b']],
      ['?from=2026-11-21T01:00:01%2B01:00', ['b']],
      [`?from=${START + 1000}`, ['b']],
      ['?to=2026-11-21T00:00:00.500Z', ['a']],
      ['?from=2026-11-21&to=2026-11-22', ['b', 'a']],
      ['?consumer=&lane=&from=&limit=&cursor=', ['b', 'a']],
    ] as const)
      expect(await ids(query), query).toEqual(expected);
  });

  it('come in pages', async () => {
    for (let n = 0; n < 5; n += 1) hub.calls.add(bareRecord({ id: `r${n}`, startedAt: START + n }));
    const first = await list('?limit=3');
    expect(first.items.map(({ id }) => id)).toEqual(['r4', 'r3', 'r2']);
    const second = await list(`?limit=3&cursor=${first.next}`);
    expect(second).toMatchObject({ items: [{ id: 'r1' }, { id: 'r0' }] });
    expect(second.next).toBeUndefined();
  });

  it.each([
    ['lane=model', '?lane'],
    ['outcome=bad', '?outcome'],
    ['limit=0', '?limit'],
    ['limit=1001', '?limit'],
    ['limit=x', '?limit'],
    ['from=yesterday', '?from'],
    ['from=2026-13-40', '?from'],
    ['to=2026-11-21T08:00', '?to'],
    ['asked=x', '?asked'],
  ])('refuse ?%s', async (query, path) => {
    expect(await ask('GET', `calls?${query}`)).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  });

  it('refuse a cursor that is none, and say when they cannot be read', async () => {
    expect(await ask('GET', 'calls?cursor=nonsense')).toMatchObject({ status: 400 });
    await hub.calls.close();
    expect(await ask('GET', 'calls')).toMatchObject({ status: 503 });
    expect(await ask('GET', 'usage')).toMatchObject({ status: 503 });
  });
});

describe('usage', () => {
  it('is summed with what has just ended, by consumer and time', async () => {
    hub.calls.add(sampleRecord());
    hub.calls.add(bareRecord({ asked: 'find_pets', startedAt: START + 1000 }));
    const alice = {
      consumer: 'alice',
      lane: 'models',
      model: 'gpt-5-mini-2025-08-07',
      requests: 1,
      inputTokens: 1000,
      outputTokens: 200,
      totalTokens: 1200,
      usd: 0.001_23,
    };
    const bob = {
      consumer: 'bob',
      lane: 'tools',
      model: 'find_pets',
      requests: 1,
      inputTokens: 0,
      outputTokens: 0,
      totalTokens: 0,
      usd: 0,
    };
    expect((await ask('GET', 'usage')).body).toEqual({ items: [alice, bob] });
    expect((await ask('GET', 'usage?consumer=alice')).body).toEqual({ items: [alice] });
    expect((await ask('GET', 'usage?from=2026-11-21T00:00:01Z')).body).toEqual({ items: [bob] });
    expect((await ask('GET', 'usage?to=2026-11-21')).body).toEqual({ items: [] });
    expect(await ask('GET', 'usage?from=x')).toMatchObject({ status: 400, body: { errors: [{ path: '?from' }] } });
  });
});

describe('/metrics', () => {
  let edge: Edge;
  let url: string;
  let open = false;
  beforeEach(async () => {
    open = false;
    edge = createEdge({
      rules: () => ({ allowedHosts: [], allowedOrigins: [] }),
      identify: createAdminIdentify('the-admin-token'),
      mounts: [
        ...adminMounts(createAdminApi(hub.admin)),
        metricsMount(
          { text: async () => 'calls_total 1\n', contentType: 'text/plain; version=0.0.4; charset=utf-8' },
          { open: () => open },
        ),
      ],
      log: SILENT,
      cors: false,
      writeError: sendProblem,
    });
    ({ url } = await edge.listen({ host: '127.0.0.1', port: 0 }));
  });
  afterEach(() => edge.close({ graceMs: 0 }));

  it('needs the token, unless the configuration says that it does not', async () => {
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
    const answer = await fetch(`${url}/metrics`, { headers: { authorization: 'Bearer the-admin-token' } });
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control'), await answer.text()]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
      'no-store',
      'calls_total 1\n',
    ]);
    open = true;
    expect((await fetch(`${url}/metrics`)).status).toBe(200);
    expect((await fetch(`${url}/admin/v1/status`)).status).toBe(401);
  });
});
