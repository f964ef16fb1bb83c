import { describe, expect, it } from 'vitest';
import type { AgentConfig } from '../../../../../src/config/types.ts';
import { GatewayError } from '../../../../../src/core/errors.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { messageTo, startAgents, taskIs, type Said } from '../start-agents.ts';

const DONE: Said = { result: { task: taskIs('t1', 'COMPLETED') } };
const AUTH = { authorization: 'Bearer alice' };
const JSON_TYPE = { ...AUTH, 'content-type': 'application/json' };
const V1 = { ...JSON_TYPE, 'a2a-version': '1.0' };
const post = (body: unknown, headers: Readonly<Record<string, string>> = V1): RequestInit => ({
  method: 'POST',
  headers,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const call = (method: string, params: JsonObject, id: unknown = 7) => ({ jsonrpc: '2.0', id, method, params });
const V03_MESSAGE = { message: { kind: 'message', messageId: 'm', role: 'user', parts: [{ kind: 'text', text: 'hello' }] } };

describe('how an address is read', () => {
  it('as JSON-RPC in the version of the header, and answered so', async () => {
    const hub = await startAgents({ says: () => DONE });
    const one = await hub.rpc('SendMessage', messageTo());
    expect([one.status, one.json]).toEqual([200, { jsonrpc: '2.0', id: 7, result: { task: taskIs('t1', 'COMPLETED') } }]);
    const old = await hub.fetch('/a2a/travel', post(call('message/send', V03_MESSAGE), JSON_TYPE));
    expect(old.json).toMatchObject({ id: 7, result: { kind: 'task', id: 't1', status: { state: 'completed' } } });
    expect(hub.heard.map(({ method, params }) => [method, (params['message'] as JsonObject)['parts']])).toEqual([
      ['SendMessage', [{ text: 'hello' }]],
      ['SendMessage', [{ text: 'hello' }]],
    ]);
  });

  it.each<[string, string, object, Readonly<Record<string, string>>, number]>([
    ['HTTP+JSON of 1.0', '/message:send', messageTo(), V1, 200],
    ['the same with a slash at its end', '/message:send/', messageTo(), V1, 200],
    [
      'HTTP+JSON of 0.3',
      '/v1/message:send',
      { message: { messageId: 'm', role: 'ROLE_USER', content: [{ text: 'hello' }] } },
      JSON_TYPE,
      201,
    ],
  ])('as %s', async (_, path, body, headers, status) => {
    const hub = await startAgents({ says: () => DONE });
    const got = await hub.fetch(`/a2a/travel${path}`, post(body, headers));
    expect([got.status, got.json]).toEqual([status, { task: expect.objectContaining({ id: 't1' }) }]);
    expect(hub.heard[0]!.params).toMatchObject(messageTo({ messageId: expect.any(String) }));
  });

  it('a request without a body', async () => {
    const hub = await startAgents({ says: ({ method }) => (method === 'SendMessage' ? DONE : { result: taskIs('t1', 'CANCELED') }) });
    await hub.rpc('SendMessage', messageTo());
    const got = await hub.fetch('/a2a/travel/tasks/t1:cancel', { method: 'POST', headers: { ...AUTH, 'a2a-version': '1.0' } });
    expect([got.status, got.json]).toEqual([200, taskIs('t1', 'CANCELED')]);
    const listed = await hub.fetch('/a2a/travel/tasks?pageSize=1', { headers: { ...AUTH, 'a2a-version': '1.0' } });
    expect(listed.json).toMatchObject({ totalSize: 1, pageSize: 1 });
  });

  it('extensions are asked for by the names of both versions', async () => {
    const extensions = ['https://a.example/1', 'https://a.example/2'];
    const hub = await startAgents({
      agents: { travel: { card: 'http://travel.test', extensions: [...extensions, 'https://a.example/3'] } },
    });
    await hub.fetch(
      '/a2a/travel',
      post(call('SendMessage', messageTo()), {
        ...V1,
        'a2a-extensions': 'https://a.example/1 , ',
        'x-a2a-extensions': 'https://a.example/2,https://evil.example',
      }),
    );
    const { headers } = hub.heard[0]!;
    expect(
      Object.entries(headers)
        .filter(([name]) => name.endsWith('extensions'))
        .map(([, value]) => value),
    ).toEqual([extensions.join(', ')]);
  });
});

describe('what cannot be understood', () => {
  it.each<[string, RequestInit, number, number]>([
    ['no JSON', post('{'), 200, -32700],
    ['no media type', post('{}', { ...AUTH, 'a2a-version': '1.0', 'content-type': 'text/plain' }), 200, -32005],
    ['a packed body', post('{}', { ...V1, 'content-encoding': 'gzip' }), 200, -32005],
    ['another version', post(call('SendMessage', {}), { ...V1, 'a2a-version': '2.0' }), 200, -32009],
    ['a method that is none', post(call('Nothing', {})), 200, -32601],
    ['a method of the other version', post(call('SendMessage', {}), JSON_TYPE), 200, -32601],
    ['params that are wrong', post(call('SendMessage', {})), 200, -32602],
    ['nothing', post('', V1), 200, -32700],
  ])('%s', async (_, init, status, code) => {
    const hub = await startAgents();
    const got = await hub.fetch('/a2a/travel', init);
    expect([got.status, got.json.error?.code]).toEqual([status, code]);
    expect(hub.heard).toEqual([]);
    expect(hub.inside()).toBe(0);
  });

  it('is answered with the id of the request, where it has one', async () => {
    const hub = await startAgents();
    for (const [body, headers, id] of [
      [call('Nothing', {}, 'abc'), V1, 'abc'],
      [call('SendMessage', {}, 'v'), { ...V1, 'a2a-version': '9' }, 'v'],
      ['{', V1, null],
    ] as const)
      expect((await hub.fetch('/a2a/travel', post(body, headers))).json['id']).toBe(id);
  });

  it('in HTTP+JSON by the status', async () => {
    const hub = await startAgents();
    expect((await hub.fetch('/a2a/travel/message:send', post('{'))).status).toBe(400);
    expect((await hub.fetch('/a2a/travel/nothing', { headers: { ...AUTH, 'a2a-version': '1.0' } })).status).toBe(404);
    const other = await hub.fetch('/a2a/travel/tasks/t', { headers: { ...AUTH, 'a2a-version': '9.0' } });
    expect([other.status, other.json.error]).toEqual([400, expect.objectContaining({ status: 'FAILED_PRECONDITION' })]);
  });

  it('a body may be application/a2a+json', async () => {
    const hub = await startAgents({ says: () => DONE });
    const got = await hub.fetch(
      '/a2a/travel/message:send',
      post(messageTo(), { ...V1, 'content-type': 'application/a2a+json; charset=utf-8' }),
    );
    expect(got.status).toBe(200);
  });
});

describe('who may call', () => {
  const agents: Record<string, AgentConfig> = {
    travel: { card: 'http://travel.test', access: [{ consumers: ['alice'], allow: ['flights'] }] },
  };

  it.each<[string, string, string]>([
    ['an agent that is not there', 'none', 'alice'],
    ['an agent that is not this consumer’s', 'travel', 'bob'],
  ])('%s is not there', async (_, agent, as) => {
    const hub = await startAgents({ agents });
    const got = await hub.rpc('SendMessage', messageTo(), { agent, as });
    expect([got.status, got.json.error?.message]).toEqual([404, expect.stringContaining('There is no such agent here.')]);
    expect([hub.heard, hub.inside()]).toEqual([[], 0]);
  });

  it('nobody without a key', async () => {
    const hub = await startAgents();
    expect((await hub.fetch('/a2a/travel', post(call('SendMessage', messageTo()), { 'content-type': 'application/json' }))).status).toBe(
      401,
    );
  });

  it('nobody what the rules do not allow', async () => {
    const hub = await startAgents({ agents });
    const got = await hub.rpc('SendMessage', messageTo({ metadata: { skill: 'hotels' } }));
    expect([got.status, got.json.error]).toEqual([
      403,
      expect.objectContaining({ code: -32603, message: expect.stringContaining('may not send that skill') }),
    ]);
    expect(hub.heard).toEqual([]);
    expect((await hub.rpc('SendMessage', messageTo({ metadata: { skill: 'flights' } }))).status).toBe(200);
  });
});

describe('a caller who leaves', () => {
  /** Says a word only when `go` is called; tells when it was called off. */
  function held() {
    const { promise: asked, resolve: isAsked } = Promise.withResolvers<void>();
    const { promise: gone, resolve: isGone } = Promise.withResolvers<void>();
    const { promise: answer, resolve: go } = Promise.withResolvers<Said>();
    let calledOff = false;
    const says = async ({
      signal,
    }: {
      readonly signal: { addEventListener(type: 'abort', listener: { handleEvent(): void }): void } | undefined;
    }) => {
      isAsked();
      return await new Promise<Said>((resolve, reject) => {
        void answer.then(resolve);
        signal?.addEventListener('abort', {
          handleEvent() {
            calledOff = true;
            isGone();
            reject(new GatewayError('client_closed'));
          },
        });
      });
    };
    return { says, asked, gone, go, isCalledOff: () => calledOff };
  }

  it('does not end a message before it is known which task it began', async () => {
    const { says, asked, go, isCalledOff } = held();
    const hub = await startAgents({ says });
    const leaving = new AbortController();
    const asking = hub.fetch('/a2a/travel', { ...post(call('SendMessage', messageTo())), signal: leaving.signal });
    await asked;
    leaving.abort();
    await expect(asking).rejects.toMatchObject({ name: 'AbortError' });
    // Another request behind it on the same loop: the edge has seen that the first one left.
    await hub.rpc('ListTasks');
    go(DONE);
    await expect.poll(() => hub.records.length).toBe(2);
    expect(isCalledOff()).toBe(false);
    expect(await hub.store.get('travel', 't1')).toMatchObject({ owner: 'alice' });
    expect(hub.inside()).toBe(0);
  });

  it('ends a question about a task', async () => {
    const { says, asked, gone } = held();
    const hub = await startAgents({
      says: (one) => (one.method === 'SendMessage' ? { result: { task: taskIs('t1', 'WORKING') } } : says(one)),
    });
    await hub.rpc('SendMessage', messageTo());
    const leaving = new AbortController();
    const asking = hub.fetch('/a2a/travel', { ...post(call('GetTask', { id: 't1' })), signal: leaving.signal });
    await asked;
    leaving.abort();
    await expect(asking).rejects.toMatchObject({ name: 'AbortError' });
    await gone;
    await expect.poll(() => hub.records.at(-1)?.outcome.error?.code).toBe('client_closed');
  });
});
