import { describe, expect, test, vi } from 'vitest';
import type { GatewayError } from '../../../../../../src/core/errors.ts';
import { Secret } from '../../../../../../src/core/secret.ts';
import { createDemoAgent } from '../../../../../../src/demo/agent.ts';
import { createA2ASource } from '../../../../../../src/lanes/agents/sources/a2a/a2a-source.ts';
import { http, serve } from '../../../../upstreams/upstream.ts';
import { agent, answerJson, ask, events, LOG, MESSAGE, reply, rpc, RPC_1_0, sourceOf, TASK, type Interface } from './an-agent.ts';

const REST_1_0: Interface = { path: '/rest/', binding: 'HTTP+JSON', version: '1.0' };
const RPC_0_3: Interface = { path: '/old', binding: 'JSONRPC', version: '0.3' };
const REST_0_3: Interface = { path: '/rest03', binding: 'HTTP+JSON', version: '0.3.0' };
const GRPC: Interface = { url: 'grpc.internal:50051', binding: 'GRPC', version: '1.0' };
const DONE = { ...TASK, status: { state: 'TASK_STATE_COMPLETED' } };
const DONE_0_3 = { kind: 'task', id: 't1', contextId: 'c1', status: { state: 'completed' } };

describe('which interface is called', () => {
  test.each([
    ['the first on the card', [RPC_1_0, REST_1_0], undefined, '/rpc'],
    ['1.0 before 0.3', [RPC_0_3, REST_1_0], undefined, '/rest/message:send'],
    ['the first binding that the configuration names', [RPC_1_0, REST_1_0], ['HTTP+JSON', 'JSONRPC'], '/rest/message:send'],
    ['the newest version before the first binding', [RPC_1_0, REST_0_3], ['HTTP+JSON', 'JSONRPC'], '/rpc'],
    ['none of gRPC', [GRPC, RPC_0_3], undefined, '/old'],
    ['none inside the hub for a card from outside', [{ ...RPC_1_0, url: 'demo:echo/' }, RPC_0_3], undefined, '/old'],
    ['0.3 over HTTP', [REST_0_3], undefined, '/rest03/v1/message:send'],
    ['with the query that it has', [{ ...RPC_1_0, path: '/rpc?k=1' }], undefined, '/rpc?k=1'],
  ] as const)('%s', async (_, interfaces, bindings, path) => {
    const { asked, cardUrl } = await agent(({ path: at }, res) => answerJson(res, at.startsWith('/rest') ? at.includes('/v1/') ? { task: { id: 't1', contextId: 'c1', status: { state: 'TASK_STATE_COMPLETED' } } } : { task: DONE } : rpc(at === '/old' ? DONE_0_3 : { task: DONE })), { interfaces }); // prettier-ignore
    const way = sourceOf(cardUrl, { bindings });
    expect(await reply(ask(way, 'message/send'))).toMatchObject({ task: { id: 't1', status: { state: 'TASK_STATE_COMPLETED' } } });
    expect(asked.map((one) => one.path)).toEqual([path]);
  });

  test('none left: failed, with what there is', async () => {
    const { cardUrl, asked } = await agent(() => {}, { interfaces: [GRPC, { ...RPC_1_0, version: '2.0' }] });
    const way = sourceOf(cardUrl);
    await way.source.refresh();
    expect(way.source.snapshot).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('It has: GRPC 1.0, JSONRPC 2.0.'),
      card: { name: 'A' },
    });
    await expect(ask(way, 'message/send')).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('JSONRPC or HTTP+JSON'),
    });
    expect(asked).toEqual([]);
  });
});

describe('a request', () => {
  test('has the envelope, the version, the configured headers and the tenant of the interface', async () => {
    const interfaces = [{ ...RPC_1_0, tenant: 'theirs' }];
    const { asked, cards, cardUrl } = await agent((_, res) => answerJson(res, rpc({ task: DONE })), { interfaces });
    const way = sourceOf(cardUrl, { headers: { 'X-Team': new Secret('red') } });
    await reply(ask(way, 'message/send', { message: MESSAGE, tenant: 'ours', 'x-unknown': 1 }));
    expect(asked[0]!.body).toEqual({
      jsonrpc: '2.0',
      id: expect.anything(),
      method: 'SendMessage',
      params: { message: MESSAGE, tenant: 'theirs', 'x-unknown': 1 },
    });
    expect(asked[0]!.headers).toMatchObject({
      'content-type': 'application/json',
      'a2a-version': '1.0',
      'x-team': 'red',
      accept: 'application/json',
    });
    expect(asked[0]!.headers).not.toHaveProperty('a2a-extensions');
    expect(cards[0]!.headers).toMatchObject({ 'x-team': 'red' });
  });

  test('has no tenant where the interface has none, and one in the path over HTTP', async () => {
    const first = await agent((_, res) => answerJson(res, rpc(DONE)));
    await reply(ask(sourceOf(first.cardUrl), 'tasks/get', { id: 't1', tenant: 'ours' }));
    expect(first.asked[0]!.body).toMatchObject({ params: { id: 't1' } });
    expect(first.asked[0]!.body['params']).not.toHaveProperty('tenant');
    const second = await agent((_, res) => answerJson(res, DONE), { interfaces: [{ ...REST_1_0, tenant: 'their s' }] });
    await reply(ask(sourceOf(second.cardUrl), 'tasks/get', { id: 't1', historyLength: 2, tenant: 'ours' }));
    expect(second.asked[0]).toMatchObject({ method: 'GET', path: '/rest/their%20s/tasks/t1?historyLength=2' });
  });

  test.each([
    ['those on the card', undefined, ['https://x.test/a']],
    ['those of the configuration', ['https://x.test/b', 'https://x.test/c'], ['https://x.test/c', 'https://x.test/b']],
    ['none', [], undefined],
  ])('asks for %s among the extensions that the caller wants', async (_, extensions, sent) => {
    const card = { capabilities: { extensions: [{ uri: 'https://x.test/a' }] } };
    for (const [one, header] of [
      [RPC_1_0, 'a2a-extensions'],
      [RPC_0_3, 'x-a2a-extensions'],
    ] as const) {
      // prettier-ignore
      const { asked, cardUrl } = await agent((_asked, res) => answerJson(res, rpc(one === RPC_1_0 ? { task: DONE } : DONE_0_3)), { card, interfaces: [one] });
      const wanted = ['https://x.test/c', 'https://x.test/a', 'https://x.test/b'];
      await reply(ask(sourceOf(cardUrl, { extensions }), 'message/send', undefined, { extensions: wanted }));
      expect(asked[0]!.headers[header]).toBe(sent?.join(', '));
    }
  });

  test('is not made for what the version does not know', async () => {
    const { asked, cardUrl } = await agent(() => {}, { interfaces: [RPC_0_3] });
    await expect(ask(sourceOf(cardUrl), 'tasks/list', {})).rejects.toMatchObject({ name: 'AgentError', code: -32004 });
    expect(asked).toEqual([]);
  });

  test('has the time that its operation needs', async () => {
    const { cardUrl } = await agent(() => {});
    const { source } = sourceOf(cardUrl);
    const seen: unknown[] = [];
    const note = (request: { timeoutMs?: number; idleMs?: number }): never => {
      seen.push([request.timeoutMs, request.idleMs]);
      throw new Error('enough');
    };
    for (const operation of ['message/send', 'tasks/get', 'message/stream'] as const) {
      const line = {
        operation,
        params: { message: MESSAGE, id: 't' },
        extensions: [],
        send: async (request: object) => note(request),
        open: async (request: object) => note(request),
      };
      await expect(source.call({ signal: new AbortController().signal } as never, line)).rejects.toThrow('enough');
    }
    expect(seen).toEqual([[600_000, undefined], [60_000, undefined], [Infinity, 600_000]]); // prettier-ignore
  });
});

describe('the extended card', () => {
  test('is asked for where the agent has one', async () => {
    const { asked, cardUrl } = await agent((_, res) => answerJson(res, rpc({ name: 'More', skills: [] })), {
      card: { capabilities: { extendedAgentCard: true } },
    });
    expect(await reply(ask(sourceOf(cardUrl), 'agent/card', {}))).toMatchObject({ name: 'More' });
    expect(asked[0]!.body).toMatchObject({ method: 'GetExtendedAgentCard' });
  });

  test('is an error where it has none', async () => {
    const { asked, cardUrl } = await agent(() => {});
    await expect(ask(sourceOf(cardUrl), 'agent/card', {})).rejects.toMatchObject({ name: 'AgentError', code: -32004 });
    expect(asked).toEqual([]);
  });
});

describe('an agent without streams', () => {
  test('gets message/send, whose result is the stream', async () => {
    const { asked, cardUrl } = await agent((_, res) => answerJson(res, rpc({ task: DONE })), {
      card: { capabilities: { streaming: false } },
    });
    expect(await events(ask(sourceOf(cardUrl), 'message/stream'))).toEqual({ events: [{ task: DONE }] });
    expect(asked[0]!.body).toMatchObject({ method: 'SendMessage' });
  });
});

describe('the card', () => {
  test('is waited for by the first calls, and read once', async () => {
    const { cards, cardUrl } = await agent((_, res) => answerJson(res, rpc({ task: DONE })));
    const way = sourceOf(cardUrl);
    expect(way.source.snapshot).toMatchObject({ state: 'loading', card: undefined });
    await Promise.all([reply(ask(way, 'message/send')), reply(ask(way, 'message/send'))]);
    expect(cards).toHaveLength(1);
    expect(way.source.snapshot).toMatchObject({ state: 'ready', card: { name: 'A' }, signature: 'unsigned' });
  });

  test('that cannot be had is a call that cannot be made', async () => {
    const { origin } = await serve((_, res) => void res.writeHead(500).end());
    const way = sourceOf(origin);
    const error: unknown = await ask(way, 'message/send').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'GatewayError', code: 'unavailable', message: expect.stringContaining('answered 500') });
    expect(String(error)).not.toContain('127.0.0.1');
  });

  test('is not waited for by a caller who leaves', async () => {
    const { origin } = await serve(() => {});
    const way = sourceOf(origin);
    const leaving = new AbortController();
    const call = ask(way, 'message/send', undefined, { signal: leaving.signal });
    leaving.abort();
    await expect(call).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('with an address that is none is refused', () => {
    const web = {} as never;
    expect(() =>
      createA2ASource({ name: 'a', card: 'ftp://x', trust: 'operator' }, { http: web, log: LOG, redact: (text) => text }),
    ).toThrow(expect.objectContaining({ code: 'bad_request', message: 'agents.a: card is no address that the hub can read a card from.' }));
  });

  test('tells who listens', async () => {
    const { cardUrl } = await agent(() => {});
    const { source } = sourceOf(cardUrl);
    const heard = vi.fn<() => void>();
    source.subscribe(heard);
    await source.refresh();
    expect(heard).toHaveBeenCalledTimes(1);
    expect(source.upstream).toBe(new URL(cardUrl).origin);
  });
});

describe('an address on the card', () => {
  test.each([
    [
      'of another port',
      (origin: string) => origin.replace(/:(\d+)$/, (_, port: string) => `:${Number(port) === 65_535 ? 1 : Number(port) + 1}`),
      'egress_refused',
    ],
    ['of this machine by another name', (origin: string) => origin.replace('127.0.0.1', 'localhost'), 'ok'],
  ])('%s', async (_, other, expected) => {
    const { origin } = await serve(async (req, res) => {
      if (req.method === 'POST') return answerJson(res, rpc({ task: DONE }));
      return answerJson(res, { name: 'A', version: '1', description: '', skills: [], supportedInterfaces: [{ url: `${other(origin)}/rpc`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }] }); // prettier-ignore
    });
    const outcome = await reply(ask(sourceOf(origin), 'message/send')).then(
      () => 'ok',
      ({ code }: GatewayError) => code,
    );
    expect(outcome).toBe(expected);
  });
});

describe('a probe', () => {
  const probing = async (status: number, path?: string): Promise<{ paths: string[]; error: unknown }> => {
    const paths: string[] = [];
    const { origin } = await serve((req, res) => {
      paths.push(`${req.url} ${req.headers.authorization}`);
      res.writeHead(status).end();
    });
    const { source } = sourceOf(`${origin}/base/.well-known/agent-card.json`, { auth: { bearer: new Secret('token') }, health: { path } });
    const error = await source.probe(new AbortController().signal).catch((thrown: unknown) => thrown);
    return { paths, error };
  };

  test('asks for the card, or for what is below its address', async () => {
    expect(await probing(200)).toEqual({ paths: ['/base/.well-known/agent-card.json Bearer token'], error: undefined });
    expect(await probing(404, '/healthz?deep=1')).toEqual({ paths: ['/base/healthz?deep=1 Bearer token'], error: undefined });
  });

  test('fails at 500, and where nobody is', async () => {
    expect((await probing(500)).error).toMatchObject({ code: 'upstream_failed', message: expect.stringContaining('500') });
    const { source } = sourceOf('http://127.0.0.1:9');
    await expect(source.probe(new AbortController().signal)).rejects.toMatchObject({ code: 'upstream_unreachable' });
  });
});

test('the demo agent answers by both bindings', async () => {
  const web = http({ services: new Map([['demo:echo', createDemoAgent({ paceMs: 1 })]]) });
  for (const bindings of [['JSONRPC'], ['HTTP+JSON']] as const) {
    const way = sourceOf('demo:echo', { bindings }, { http: web });
    const got = await events(ask(way, 'message/stream', { message: { ...MESSAGE, parts: [{ text: 'count to 2' }] } }));
    expect(got.error).toBeUndefined();
    expect(got.events.at(-1)).toMatchObject({ statusUpdate: { status: { state: 'TASK_STATE_COMPLETED' } } });
    expect(await reply(ask(way, 'message/send'))).toHaveProperty('task.artifacts');
    await expect(way.source.probe(new AbortController().signal)).resolves.toBeUndefined();
    expect(way.source.upstream).toBe('demo:echo');
  }
});
