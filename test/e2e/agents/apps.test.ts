import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { askAdmin } from '../../support/ask-admin.ts';
import { type EchoServer, sendJson, startEchoServer } from '../../support/echo-server.ts';
import { connectSdk } from '../../support/mcp-clients.ts';
import { consumer, keyOf } from '../traffic/_limits.ts';
import { artifactsOf, listen, NOW, request, rpc, saying, sayingLegacy, type Stage, startStage, type Told } from './_stage.ts';

const SECRETS = { KEY: 'planted-platform-key-Zm9v', APP: 'planted-app-id-YmFy', OWN: 'planted-own-key-cXV4' };
const as = 'alice';

const shop = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'Shop', version: '2' },
  paths: {
    '/orders/{id}': {
      get: {
        operationId: 'getOrder',
        summary: 'Finds an order',
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
        responses: { 200: { description: 'The order.', content: { 'application/json': { schema: { type: 'object' } } } } },
      },
    },
    '/orders': { get: { operationId: 'listOrders', responses: { 200: { description: 'All.' } } } },
  },
});

let stage: Stage;
let app: EchoServer;
/** Jobs by id: how often each was asked about. */
const jobs = new Map<string, number>();
const told: { where: string; text: string }[] = [];

async function send(agent: string, text: string, message: object = {}, more: object = {}): Promise<Told> {
  const answer = await rpc(stage.hub, agent, 'SendMessage', saying(text, message, more), { as });
  told.push({ where: `${agent} ${text}`, text: `${[...answer.headers].map(String).join('\n')}${answer.text}` });
  return answer;
}

/** Dify, Model Studio, and an application of its own kind, each telling what it was called with when it fails. */
beforeAll(async () => {
  app = await startEchoServer(({ method, path, headers, body }, response) => {
    const sent = body.length > 0 ? (JSON.parse(body.toString()) as JsonObject) : {};
    const gossip = `${method} ${path} ${Object.values(headers).join(' ')}`;
    const text = String(sent['query'] ?? (sent['input'] as JsonObject | undefined)?.['prompt'] ?? sent['question'] ?? '');
    if (text === 'fail') return sendJson(response, 400, { message: `Bad: ${gossip}`, problem: gossip });
    if (text === 'fall') return sendJson(response, 500, { message: gossip }, { server: 'gossip' });
    if (text === 'lock') return sendJson(response, 401, { message: gossip });
    if (path === '/dify/v1/chat-messages') return dify(sent, response);
    if (path.startsWith('/studio/api/v1/apps/'))
      return sendJson(response, 200, { output: { text: `studio: ${text}`, session_id: 's-1', finish_reason: 'stop' } });
    if (path === '/own/ask') return sendJson(response, 200, { answer: `own: ${text}` });
    if (path === '/own/jobs') {
      const id = `job-${jobs.size}`;
      jobs.set(id, 0);
      return sendJson(response, 200, { id });
    }
    const [, id = ''] = /^\/own\/jobs\/(.+)$/.exec(path) ?? [];
    if (id !== '') {
      const asked = (jobs.get(id) ?? 0) + 1;
      jobs.set(id, asked);
      return sendJson(response, 200, asked < 3 ? { status: 'rendering', progress: `${asked} of 3` } : { status: 'done', text: 'rendered' });
    }
    if (path.startsWith('/shop/orders/'))
      return path.endsWith('/none')
        ? sendJson(response, 404, { title: `No such order: ${gossip}` })
        : sendJson(response, 200, { id: path.slice(13) });
    return sendJson(response, 404, { message: gossip });
  });
  const own = { url: `${app.url}/own`, response: { text: 'answer', error: 'problem' } };
  const header = { header: { 'X-Own-Key': '${env:OWN}' } };
  stage = await startStage({
    agents: [],
    env: SECRETS,
    files: { 'documents/shop.json': shop },
    config: () => ({
      publicUrl: 'https://hub.example.com/prefix',
      agents: {
        support: {
          description: 'Answers questions',
          rest: { preset: 'dify', url: `${app.url}/dify/v1` },
          auth: { bearer: '${env:KEY}' },
          access: [{ consumers: [as], allow: ['*'] }],
        },
        travel: {
          description: 'Plans journeys',
          rest: { preset: 'model-studio', url: `${app.url}/studio`, app: '${env:APP}', streaming: false },
          auth: { bearer: '${env:KEY}' },
        },
        own: { description: 'Answers', rest: { ...own, request: { path: '/ask', body: { question: '${text}' } } }, auth: header },
        render: {
          description: 'Renders',
          rest: {
            url: `${app.url}/own`,
            request: { path: '/jobs', body: { question: '${text}' } },
            response: { job: 'id', text: 'text', note: 'progress', state: 'status', states: { completed: ['done'] } },
            poll: { request: { path: '/jobs/${job}' }, interval: '100ms' },
          },
          auth: header,
        },
        shop: { rest: { spec: 'documents/shop.json', url: `${app.url}/shop` }, auth: header },
      },
      consumers: [consumer(as), consumer('bob')],
    }),
  });
});
afterAll(async () => {
  await stage?.stop();
  await app?.stop();
});

function dify(sent: JsonObject, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const event = (value: object): void =>
    void response.write(`data: ${JSON.stringify({ conversation_id: 'conversation-1', task_id: 't-1', ...value })}\n\n`);
  for (const word of `dify hears ${String(sent['query'])}`.split(' ')) event({ event: 'message', answer: `${word} ` });
  event({ event: 'message_end' });
  response.end();
}

const last = (path: string): { headers: EchoServer['requests'][number]['headers']; body: JsonObject } => {
  const { headers, body } = app.requests.findLast((one) => one.path.startsWith(path))!;
  return { headers, body: JSON.parse(body.toString()) as JsonObject };
};

describe('an application', () => {
  it('of Dify streams, with the key of the hub and one conversation for each context', async () => {
    const stream = await listen(stage.hub, 'support', 'SendStreamingMessage', saying('hello'), { as });
    await stream.ended;
    const texts = stream.events.flatMap(({ artifactUpdate }) =>
      artifactUpdate === undefined ? [] : artifactsOf({ artifacts: [(artifactUpdate as JsonObject)['artifact']] }),
    );
    expect(texts.join('')).toMatch(/dify\s+hears\s+hello/);
    expect(texts.length).toBeGreaterThan(1);
    const { contextId } = (stream.events[0]!['task'] ?? {}) as { contextId: string };
    expect(last('/dify').headers.authorization).toBe(`Bearer ${SECRETS.KEY}`);
    expect(last('/dify').body).not.toHaveProperty('conversation_id');
    expect(JSON.stringify(last('/dify').body)).not.toContain(as);
    const again = await send('support', 'more', { contextId });
    expect(again.result.task.contextId).toBe(contextId);
    expect(last('/dify').body).toMatchObject({ conversation_id: 'conversation-1', query: 'more' });
    await send('support', 'anew');
    expect(last('/dify').body).not.toHaveProperty('conversation_id');
  });

  it('of Model Studio gets its id from the hub', async () => {
    const { result } = await send('travel', 'to Rome');
    expect(artifactsOf(result.task)).toBe('studio: to Rome');
    expect(app.requests.at(-1)!.path).toBe(`/studio/api/v1/apps/${SECRETS.APP}/completion`);
    await send('travel', 'and back', { contextId: result.task.contextId });
    expect(last('/studio').body).toMatchObject({ input: { prompt: 'and back', session_id: 's-1' } });
  });

  it('of any kind is called by its template, in both versions and bindings', async () => {
    expect(artifactsOf((await send('own', 'why')).result.task)).toBe('own: why');
    const old = await rpc(stage.hub, 'own', 'message/send', sayingLegacy('why'), { as, version: '0.3' });
    expect(old.result).toMatchObject({
      kind: 'task',
      status: { state: 'completed' },
      artifacts: [{ parts: [{ kind: 'text', text: 'own: why' }] }],
    });
    const rest = await request(stage.hub, 'POST', '/a2a/own/message:send', { as }, saying('why'));
    expect(artifactsOf(rest.body.task)).toBe('own: why');
    expect(last('/own/ask').headers['x-own-key']).toBe(SECRETS.OWN);
  });

  it('that works long is asked until it is done, and the caller sees how it goes', async () => {
    const stream = await listen(stage.hub, 'render', 'SendStreamingMessage', saying('a film'), { as });
    await stream.ended;
    const all = JSON.stringify(stream.events);
    expect(all).toContain('1 of 3');
    expect(all).toContain('rendered');
    expect(stream.events.at(-1)).toMatchObject({ statusUpdate: { status: { state: 'TASK_STATE_COMPLETED' } } });
    const { result } = await send('render', 'another', {}, NOW);
    expect(result.task.status.state).toBe('TASK_STATE_WORKING');
    const now = async () => (await rpc(stage.hub, 'render', 'GetTask', { id: result.task.id }, { as })).result.status.state;
    await expect.poll(now, { timeout: 5_000 }).toBe('TASK_STATE_COMPLETED');
    expect((await rpc(stage.hub, 'render', 'GetTask', { id: result.task.id }, { as: 'bob' })).error.code).toBe(-32001);
    expect((await rpc(stage.hub, 'render', 'ListTasks', {}, { as })).result.totalSize).toBe(2);
    expect((await rpc(stage.hub, 'render', 'ListTasks', {}, { as: 'bob' })).result.tasks).toEqual([]);
  });

  it('with a document has its operations as skills', async () => {
    const card = await request(stage.hub, 'GET', '/a2a/shop/.well-known/agent-card.json', { as });
    expect(card.body).toMatchObject({ name: 'shop' });
    expect(card.body.skills.map(({ id }: JsonObject) => id)).toEqual(['getOrder', 'listOrders']);
    const params = { message: { messageId: 'm', role: 'ROLE_USER', metadata: { skill: 'getOrder' }, parts: [{ data: { id: 'seven' } }] } };
    const { result } = await rpc(stage.hub, 'shop', 'SendMessage', params, { as });
    expect(JSON.stringify(result.task.artifacts)).toContain('seven');
    const none = { message: { ...params.message, parts: [{ data: { id: 'none' } }] } };
    const failed = await rpc(stage.hub, 'shop', 'SendMessage', none, { as });
    told.push({ where: 'shop none', text: failed.text });
    expect(failed.result.task.status.state).toBe('TASK_STATE_FAILED');
  });

  it('is a tool as well', async () => {
    const client = await connectSdk(`${stage.hub.url}/mcp/own`, 'auto', { authorization: `Bearer ${keyOf(as)}` });
    try {
      const [tool] = (await client.listTools()).tools;
      const result = await client.callTool({ name: tool!.name, arguments: { message: 'why' } });
      expect(JSON.stringify(result)).toContain('own: why');
    } finally {
      await client.close();
    }
  });

  it('is there for those who may call it', async () => {
    expect((await rpc(stage.hub, 'support', 'SendMessage', saying('hello'), { as: 'bob' })).status).toBe(404);
  });
});

it('no key, no id and no address of an application is told to anybody', async () => {
  const { hub } = stage;
  for (const agent of ['support', 'travel', 'own', 'render'])
    for (const text of ['fail', 'fall', 'lock']) {
      await send(agent, text);
      const stream = await rpc(hub, agent, 'SendStreamingMessage', saying(text), { as });
      told.push({ where: `stream ${agent} ${text}`, text: stream.text });
    }
  for (const agent of ['support', 'travel', 'own', 'render', 'shop']) {
    const card = await request(hub, 'GET', `/a2a/${agent}/.well-known/agent-card.json`, { as });
    expect(card.status).toBe(200);
    told.push({ where: `card ${agent}`, text: card.text });
  }
  const admin = await Promise.all(
    ['/status', '/agents', '/calls?limit=1000', '/explain?agent=travel&consumer=alice'].map(async (where) => ({
      where,
      text: (await askAdmin(hub, 'GET', where)).text,
    })),
  );
  const log = { where: 'log', text: hub.stdout() + hub.stderr() };
  const leaks = (words: readonly string[], list: typeof told): string[] =>
    list.flatMap(({ where, text }) =>
      words.filter((word) => text.includes(word)).map((word) => `${where} tells ${word}: ${text.slice(0, 400)}`),
    );
  expect(told.length).toBeGreaterThan(30);
  expect(leaks([...Object.values(SECRETS), `:${app.port}`, '127.0.0.1', '/studio/', '/dify/'], told)).toEqual([]);
  expect(leaks(Object.values(SECRETS), [...admin, log])).toEqual([]);
  expect(leaks([`:${app.port}`, '127.0.0.1'], [admin[2]!])).toEqual([]);
});
