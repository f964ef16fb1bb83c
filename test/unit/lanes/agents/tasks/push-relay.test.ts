import { hash } from 'node:crypto';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { TaskRecord } from '../../../../../src/core/contracts/store.ts';
import { GatewayError } from '../../../../../src/core/errors.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';
import type { UpstreamRequest } from '../../../../../src/core/upstream.ts';
import { PushRelay } from '../../../../../src/lanes/agents/tasks/push-relay.ts';
import type { PushCaller, PushOrder } from '../../../../../src/lanes/agents/tasks/push-relay.ts';
import type { TaskBook } from '../../../../../src/lanes/agents/tasks/task-book.ts';
import { ALICE, BOB, openTasks, statusUpdate, task } from './open-tasks.ts';
import type { OpenedTasks } from './open-tasks.ts';

const CALLER: PushCaller = { agent: 'travel', owner: 'alice', version: '1.0', instance: 'travel#2' };
const CONFIG = {
  id: 'c1',
  url: 'https://hook.example/in/box?key=canary-key#part',
  token: 'canary-token',
  authentication: { scheme: 'Bearer', credentials: 'canary-credentials' },
  unknown: 'canary-more',
};
/** Gives what an agent sends as it is, and marks what goes to a caller. */
const WIRE = {
  readPush(body: unknown): JsonObject {
    if (typeof body !== 'object' || body === null) throw new GatewayError('upstream_failed');
    return body as JsonObject;
  },
};

let tasks: OpenedTasks;
let book: TaskBook;
let relay: PushRelay;
let sent: { request: UpstreamRequest; body: unknown }[];
let arrived: PromiseWithResolvers<void>;
/** `agent owner` of those who may not hear of the agent. */
let deaf: Set<string>;
let readTask: (record: TaskRecord) => Promise<JsonObject | undefined>;

beforeEach(async () => {
  tasks = await openTasks();
  book = tasks.book();
  sent = [];
  deaf = new Set();
  arrived = Promise.withResolvers();
  readTask = async () => undefined;
  relay = open();
});

function open(): PushRelay {
  const opened = new PushRelay({
    store: tasks.store,
    book,
    log: tasks.log,
    now: () => tasks.time,
    base: () => 'https://hub.example',
    redact: (text) => text,
    wireOf: (version) => ({ writePush: (event) => ({ [version]: event }) }),
    readTask: (record) => readTask(record),
    mayHear: (agent, owner) => !deaf.has(`${agent} ${owner}`),
    http: {
      async send(request) {
        sent.push({ request, body: JSON.parse(String(request.body)) as unknown });
        arrived.resolve();
        return { status: 200, headers: {}, body: Buffer.alloc(0) };
      },
    },
  });
  onTestFinished(() => opened.close());
  return opened;
}

function tokenOf({ params }: PushOrder): string {
  const config = (params['configuration'] as JsonObject | undefined)?.['taskPushNotificationConfig'] ?? params;
  return (
    String((config as JsonObject)['url'])
      .split('/')
      .at(-1) ?? ''
  );
}

function receive(token: string, body: unknown, agent = 'travel'): Promise<number> {
  return relay.receive({ agent, token, body, wire: WIRE });
}

/** A config that the agent took for this task. */
async function place(caller: PushCaller, taskId: string, config: JsonObject = CONFIG): Promise<string> {
  const order = await relay.set(caller, { ...config, taskId });
  await order.bind(taskId);
  return tokenOf(order);
}

describe('what the agent is given', () => {
  it('is an address of the hub that nobody can guess, and nothing of the caller’s', async () => {
    const order = await relay.set(CALLER, { ...CONFIG, taskId: 't1', tenant: 'x' });
    const token = tokenOf(order);
    expect(order.params).toEqual({ id: 'c1', taskId: 't1', tenant: 'x', url: `https://hub.example/a2a/travel/push/${token}`, token });
    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    expect(tokenOf(await relay.set(CALLER, { ...CONFIG, taskId: 't1' }))).not.toBe(token);
    expect(await tasks.store.pushByDigest(hash('sha256', token))).toMatchObject({ id: 'c1', owner: 'alice', task: '' });
  });

  it('stands in the params of a message, where all else stays', async () => {
    const params = {
      message: { messageId: 'm' },
      metadata: { a: 1 },
      configuration: { historyLength: 3, taskPushNotificationConfig: CONFIG },
    };
    const order = (await relay.inline(CALLER, params))!;
    const url = `https://hub.example/a2a/travel/push/${tokenOf(order)}`;
    const configuration = { historyLength: 3, taskPushNotificationConfig: { id: 'c1', url, token: tokenOf(order) } };
    expect(order.params).toEqual({ ...params, configuration });
    expect(JSON.stringify(order.params)).not.toContain('canary');
  });

  it.each([[{}], [{ configuration: {} }], [{ configuration: null }], [{ configuration: { taskPushNotificationConfig: null } }]])(
    'is nothing for %j',
    async (params) => {
      expect(await relay.inline(CALLER, params)).toBeUndefined();
    },
  );

  it.each([
    [{}],
    [{ url: 'ftp://x.example/' }],
    [{ url: '/hook' }],
    [{ url: 7 }],
    [{ url: 'file:///etc/passwd' }],
    [{ url: 'https://user:secret@x.example/' }],
    [{ url: `https://x.example/${'a'.repeat(8_192)}` }],
    [{ url: 'https://x.example', token: 'a\r\nx-evil: 1' }],
    [{ url: 'https://x.example', token: 'ū' }],
    [{ url: 'https://x.example', authentication: 'Bearer' }],
    [{ url: 'https://x.example', authentication: { scheme: 'Bearer x', credentials: 'y' } }],
    [{ url: 'https://x.example', authentication: { scheme: 'Bearer', credentials: 'a\nb' } }],
  ])('is refused for %j', async (config) => {
    await expect(relay.set(CALLER, { ...config, taskId: 't1' })).rejects.toMatchObject({ code: -32602 });
    await expect(relay.inline(CALLER, { configuration: { taskPushNotificationConfig: config } })).rejects.toMatchObject({ code: -32602 });
  });
});

describe('what the caller is answered', () => {
  it('is its own words, by id and as a list', async () => {
    const order = await relay.set(CALLER, { ...CONFIG, taskId: 't1' });
    expect(order.config).toEqual({ ...CONFIG, taskId: 't1' });
    await order.bind('t1');
    tasks.time += 1;
    await place(CALLER, 't1', { url: 'http://second.example/' });
    const list = (await relay.list(CALLER, { taskId: 't1' }))['configs'] as JsonObject[];
    expect(list).toEqual([
      { ...CONFIG, taskId: 't1' },
      { url: 'http://second.example/', id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string, taskId: 't1' },
    ]);
    expect(await relay.get(CALLER, { taskId: 't1', id: list[1]!['id'] })).toEqual(list[1]);
    expect(await relay.get(CALLER, { taskId: 't1' })).toEqual(list[0]);
    expect(await open().get(CALLER, { taskId: 't1', id: 'c1' })).toEqual({ ...CONFIG, taskId: 't1' });
  });

  it('names the task that an inline config came to belong to', async () => {
    const order = (await relay.inline(CALLER, { configuration: { taskPushNotificationConfig: { ...CONFIG, taskId: 'other' } } }))!;
    await order.bind('t1');
    expect(await relay.get(CALLER, { taskId: 't1', id: 'c1' })).toEqual({ ...CONFIG, taskId: 't1' });
  });

  it('is TaskNotFound for a config that is none, is not taken yet, or is another’s', async () => {
    await relay.set(CALLER, { ...CONFIG, taskId: 't1' });
    await place({ ...CALLER, owner: 'bob' }, 't2');
    for (const params of [{ taskId: 't1', id: 'c1' }, { taskId: 't2', id: 'c1' }, { taskId: '', id: 'c1' }, { id: 'c1' }]) {
      await expect(relay.get(CALLER, params)).rejects.toMatchObject({ code: -32001 });
      expect(await relay.list(CALLER, params)).toEqual({ configs: [], nextPageToken: '' });
      expect(await relay.delete(CALLER, params)).toBeUndefined();
    }
    expect(await relay.get({ ...CALLER, owner: 'bob' }, { taskId: 't2', id: 'c1' })).toMatchObject({ id: 'c1' });
  });

  it('is what the agent is to be sent, once, for a config that is deleted', async () => {
    const token = await place(CALLER, 't1');
    const params = { taskId: 't1', id: 'c1' };
    expect(await relay.delete(CALLER, params)).toEqual(params);
    expect(await relay.delete(CALLER, params)).toBeUndefined();
    expect(await receive(token, { task: task('t1', 'WORKING') })).toBe(404);
  });
});

describe('a notification', () => {
  it('is delivered with the proof that the caller gave, in the shape of its version', async () => {
    await book.observe(ALICE, { task: task('t1', 'WORKING') });
    const token = await place(CALLER, 't1');
    const event = statusUpdate('t1', 'COMPLETED');
    expect(await receive(token, event)).toBe(204);
    await arrived.promise;
    expect(sent).toMatchObject([
      {
        request: {
          method: 'POST',
          origin: 'https://hook.example',
          path: '/in/box?key=canary-key',
          headers: {
            'content-type': 'application/a2a+json',
            'x-a2a-notification-token': 'canary-token',
            authorization: 'Bearer canary-credentials',
          },
          trust: 'public',
        },
        body: { '1.0': event },
      },
    ]);
    expect(await book.owned('travel', 't1', 'alice')).toMatchObject({ state: 'TASK_STATE_COMPLETED' });
  });

  it('is delivered after a restart', async () => {
    const token = await place(CALLER, 't1', { url: 'http://hook.example' });
    relay = open();
    expect(await receive(token, { task: task('t1', 'WORKING') })).toBe(204);
    await arrived.promise;
    expect(sent[0]?.request).toMatchObject({
      origin: 'http://hook.example',
      path: '/',
      headers: { 'content-type': 'application/a2a+json' },
    });
    expect(sent[0]?.request.headers).not.toHaveProperty('authorization');
  });

  it('is the whole task for callers of 0.3, and the event where it cannot be read', async () => {
    await book.observe(ALICE, { task: task('t1', 'WORKING') });
    const token = await place({ ...CALLER, version: '0.3' }, 't1');
    const whole = task('t1', 'WORKING', { artifacts: [{ artifactId: 'a' }] });
    readTask = async (record) => (record.instance === 'travel#2' ? whole : undefined);
    await receive(token, statusUpdate('t1', 'WORKING'));
    await arrived.promise;
    arrived = Promise.withResolvers();
    readTask = () => Promise.reject(new Error('down'));
    await receive(token, statusUpdate('t1', 'WORKING'));
    await arrived.promise;
    arrived = Promise.withResolvers();
    await receive(token, { task: whole });
    await arrived.promise;
    expect(sent.map(({ body }) => body)).toEqual([
      { '0.3': { task: whole } },
      { '0.3': statusUpdate('t1', 'WORKING') },
      { '0.3': { task: whole } },
    ]);
    expect(sent[0]?.request.headers['content-type']).toBe('application/json');
  });

  it('says which task an inline config belongs to when it comes before the reply', async () => {
    const order = (await relay.inline(CALLER, { configuration: { taskPushNotificationConfig: CONFIG } }))!;
    expect(await receive(tokenOf(order), { task: task('t1', 'SUBMITTED') })).toBe(204);
    expect(await relay.get(CALLER, { taskId: 't1', id: 'c1' })).toMatchObject({ taskId: 't1' });
    expect(await book.owned('travel', 't1', 'alice')).toMatchObject({ instance: 'travel#2' });
    expect(await receive(tokenOf(order), { task: task('t2', 'SUBMITTED') })).toBe(404);
  });

  it('is refused alike for a wrong token, a wrong agent, another task and another’s task', async () => {
    await book.observe(BOB, { task: task('bobs', 'WORKING') });
    const token = await place(CALLER, 't1');
    const unbound = tokenOf(await relay.set(CALLER, { ...CONFIG, id: 'c2', taskId: 't1' }));
    expect(await receive('', { task: task('t1', 'WORKING') })).toBe(404);
    expect(await receive(`${token}x`, { task: task('t1', 'WORKING') })).toBe(404);
    expect(await receive(token, { task: task('t1', 'WORKING') }, 'other')).toBe(404);
    expect(await receive(token, { task: task('t2', 'WORKING') })).toBe(404);
    expect(await receive(unbound, { task: task('bobs', 'COMPLETED') })).toBe(404);
    expect(await book.owned('travel', 'bobs', 'bob')).toMatchObject({ state: 'TASK_STATE_WORKING' });
    expect(sent).toEqual([]);
  });

  it('is refused when it cannot be read, or names no task', async () => {
    const token = await place(CALLER, 't1');
    for (const body of [undefined, 'text', {}, { message: { messageId: 'm' } }]) expect(await receive(token, body)).toBe(400);
  });

  it('goes nowhere when the agent did not take the config', async () => {
    const order = await relay.set(CALLER, { ...CONFIG, taskId: 't1' });
    await order.drop();
    expect(await receive(tokenOf(order), { task: task('t1', 'WORKING') })).toBe(404);
  });

  it('goes to the newer of two configs with one id', async () => {
    const older = await place(CALLER, 't1');
    const order = await relay.set(CALLER, { ...CONFIG, url: 'https://newer.example/', taskId: 't1' });
    expect(await receive(older, { task: task('t1', 'WORKING') })).toBe(204);
    await order.bind('t1');
    expect(await receive(older, { task: task('t1', 'WORKING') })).toBe(404);
    expect(await relay.list(CALLER, { taskId: 't1' })).toMatchObject({ configs: [{ url: 'https://newer.example/' }] });
  });
});

describe('a consumer who may not hear of the agent any more', () => {
  const event = { task: task('t1', 'WORKING') };

  it('is told nothing, also when it may again: its config is gone', async () => {
    await book.observe(ALICE, event);
    const token = await place(CALLER, 't1');
    deaf.add('travel alice');
    expect(await receive(token, event)).toBe(404);
    deaf.clear();
    expect(await receive(token, event)).toBe(404);
    expect(await relay.list(CALLER, { taskId: 't1' })).toMatchObject({ configs: [] });
    expect(sent).toEqual([]);
  });

  it('is told nothing of what the hub carries out itself', async () => {
    const about = { agent: 'travel', owner: 'alice', task: 't1' };
    await place(CALLER, 't1');
    const inline = tokenOf((await relay.inline(CALLER, { configuration: { taskPushNotificationConfig: { ...CONFIG, id: 'c2' } } }))!);
    deaf.add('travel alice');
    await relay.tell(about, event, inline);
    expect(await tasks.store.pushes('travel', 't1')).toEqual([]);
    expect(await tasks.store.pushByDigest(hash('sha256', inline))).toBeUndefined();
    deaf.clear();
    await place(CALLER, 't1');
    await relay.tell(about, event);
    await arrived.promise;
    expect(sent).toHaveLength(1);
  });

  it('is not told what waited', async () => {
    const warned = Promise.withResolvers<void>();
    vi.spyOn(tasks.log, 'warn').mockImplementation(() => warned.resolve());
    const token = await place(CALLER, 't1');
    const receiving = receive(token, event);
    vi.spyOn(tasks.store, 'get').mockImplementationOnce(async () => {
      deaf.add('travel alice');
      return undefined;
    });
    expect(await receiving).toBe(204);
    await warned.promise;
    expect(sent).toEqual([]);
  });

  it('stands in nobody’s way', async () => {
    const token = await place(CALLER, 't1');
    deaf.add('travel bob').add('other alice');
    expect(await receive(token, event)).toBe(204);
    await arrived.promise;
  });
});

describe('the door of an agent', () => {
  it('is known by the token that it was given', async () => {
    const token = await place(CALLER, 't1');
    expect(await relay.knows('travel', token)).toBe(true);
    expect([await relay.knows('other', token), await relay.knows('travel', `${token}x`), await relay.knows('travel', '')]).toEqual([
      false,
      false,
      false,
    ]);
    deaf.add('travel alice');
    expect(await relay.knows('travel', token)).toBe(false);
  });
});

describe('more than ten configs of one task', () => {
  const given = (n: number): JsonObject => ({ ...CONFIG, id: `c${n}`, taskId: 't1' });
  const refused = { code: -32602, message: expect.stringContaining('at most 10') as string };
  const inMessage = (n: number): JsonObject => ({ message: { taskId: 't1' }, configuration: { taskPushNotificationConfig: given(n) } });
  beforeEach(async () => {
    for (let n = 1; n <= 10; n += 1) await place(CALLER, 't1', given(n));
  });

  it('are refused before the agent hears of them', async () => {
    await expect(relay.set(CALLER, given(11))).rejects.toMatchObject(refused);
    await expect(relay.inline(CALLER, inMessage(11))).rejects.toMatchObject(refused);
    expect(await tasks.store.pushes('travel', '')).toEqual([]);
    await place(CALLER, 't1', { ...given(10), url: 'https://newer.example/' });
    await place(CALLER, 't2', given(11));
    await relay.delete(CALLER, { taskId: 't1', id: 'c1' });
    await place(CALLER, 't1', given(11));
    expect(await tasks.store.pushes('travel', 't1')).toHaveLength(10);
  });

  it('are refused when they come at the same moment', async () => {
    await relay.delete(CALLER, { taskId: 't1', id: 'c1' });
    const orders = await Promise.all([11, 12, 13].map((n) => relay.set(CALLER, given(n))));
    const bound = await Promise.allSettled(orders.map((order) => order.bind('t1')));
    expect(bound.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(bound[1]).toMatchObject({ reason: refused });
    expect(await receive(tokenOf(orders[2]!), { task: task('t1', 'WORKING') })).toBe(404);
  });

  it('do not take its answer from a message that was sent', async () => {
    await relay.delete(CALLER, { taskId: 't1', id: 'c1' });
    const order = (await relay.inline(CALLER, inMessage(11)))!;
    await place(CALLER, 't1', given(12));
    expect(await receive(tokenOf(order), { task: task('t1', 'WORKING') })).toBe(404);
    await order.bind('t1');
    expect(tasks.warnings).toMatchObject([{ message: expect.stringContaining('is not kept') as string }]);
    expect(await tasks.store.pushes('travel', 't1')).toHaveLength(10);
    expect(await tasks.store.pushes('travel', '')).toEqual([]);
  });
});
