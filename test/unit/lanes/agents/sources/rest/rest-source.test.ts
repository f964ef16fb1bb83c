import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import type { AgentRestConfig } from '../../../../../../src/config/types.ts';
import type { JsonObject } from '../../../../../../src/core/json.ts';
import { GatewayError } from '../../../../../../src/core/errors.ts';
import { Secret } from '../../../../../../src/core/secret.ts';
import type { RequestSigner } from '../../../../../../src/core/upstream.ts';
import type { OperationCaller } from '../../../../../../src/lanes/agents/sources/rest/operation-caller.ts';
import {
  application,
  bench,
  fakeStore,
  messageOf,
  noteOf,
  read,
  sendJson,
  sse,
  stateOf,
  textIn,
  type BenchOptions,
} from './application.ts';

const ECHO: AgentRestConfig = {
  request: { path: '/chat', body: { q: '${text}', conversation: '${conversation}' } },
  response: { text: 'answer', conversation: 'id' },
};
const STREAM: AgentRestConfig = { ...ECHO, stream: { text: 'delta', end: ['[DONE]'] } };
const POLL: AgentRestConfig = {
  request: { path: '/jobs', body: { q: '${text}', job: '${job}' } },
  response: {
    job: 'id',
    text: 'result.text',
    note: 'progress',
    error: 'error',
    state: 'status',
    states: { completed: ['done'], failed: ['broken'], rejected: ['no'], input: ['ask'] },
  },
  poll: { request: { path: '/jobs/${job}' }, interval: 10 },
  cancel: { method: 'DELETE', path: '/jobs/${job}' },
};
const DOCUMENT: OperationCaller = {
  key: '',
  skills: [{ id: 'find', name: 'find', description: 'Finds.', tags: [], inputSchema: {} }],
  upstream: 'agents/app',
  addresses: [],
  subscribe: () => () => undefined,
  call: () => expect.unreachable(),
};
const echoing = () => application(({ body }, res) => sendJson(res, { answer: `You said: ${String(body['q'])}`, id: 'c1' }));

function sseHead(res: ServerResponse): void {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
}
const secret = (name: string, value: string): RequestSigner => ({
  refreshable: false,
  sign: (request) => ({ ...request, headers: { ...request.headers, [name]: value } }),
});

describe('a plain answer', () => {
  it('becomes the artifact of a task', async () => {
    const app = await echoing();
    const { send, ask, store } = bench({ ...ECHO, url: app.url });
    const task = await send('hello');
    expect(stateOf(task)).toBe('TASK_STATE_COMPLETED');
    expect(textIn(task)).toBe('You said: hello');
    expect(task['history']).toMatchObject([
      { role: 'ROLE_USER', parts: [{ text: 'hello' }], taskId: task['id'], contextId: task['contextId'] },
    ]);
    expect(app.asked).toMatchObject([{ method: 'POST', path: '/chat', body: { q: 'hello' } }]);
    // Ended, it is in the store alone.
    await vi.waitFor(() => expect(store.records.get(String(task['id']))?.state).toBe('TASK_STATE_COMPLETED'));
    const got = await ask('tasks/get', { id: task['id'], historyLength: 0 });
    const { history: _, ...rest } = task;
    expect(got).toEqual({ reply: { result: rest } });
  });

  it('streams as task, artifact and end', async () => {
    const app = await echoing();
    const events = await bench({ ...ECHO, url: app.url }).stream('hello');
    expect(events).toMatchObject([
      { task: { status: { state: 'TASK_STATE_WORKING' } } },
      { artifactUpdate: { artifact: { parts: [{ text: 'You said: hello' }] }, lastChunk: true } },
      { statusUpdate: { status: { state: 'TASK_STATE_COMPLETED' } } },
    ]);
  });

  it('is all of the JSON where nothing else is said', async () => {
    const app = await application((_asked, res) => sendJson(res, { temperature: 21 }));
    const task = await bench({ url: app.url, request: { method: 'GET', query: { city: '${data.city}' } } }).send([
      { data: { city: 'Köln' } },
    ]);
    expect(task['artifacts']).toMatchObject([{ parts: [{ data: { temperature: 21 } }] }]);
    expect(app.asked[0]!.path).toBe('/?city=K%C3%B6ln');
  });

  it('may be a plain message', async () => {
    const app = await echoing();
    const { ask } = bench({ ...ECHO, url: app.url, answer: 'message' });
    expect(await ask('message/send', messageOf('hi'))).toMatchObject({
      reply: { result: { message: { role: 'ROLE_AGENT', parts: [{ text: 'You said: hi' }] } } },
    });
    expect(await read(await ask('message/stream', messageOf('hi')))).toMatchObject([{ message: { parts: [{ text: 'You said: hi' }] } }]);
  });

  it('is a message, a rejection or a question as its state says', async () => {
    const app = await application(({ body }, res) =>
      sendJson(res, { status: body['q'], answer: 'x', say: body['q'] === 'fine' ? null : 'Which city?' }),
    );
    const { ask, send } = bench({
      url: app.url,
      request: { body: { q: '${text}' } },
      response: {
        text: 'answer',
        note: 'say',
        state: 'status',
        states: { message: ['plain'], rejected: ['no'], input: ['more'], failed: ['bad'] },
      },
    });
    expect(await ask('message/send', messageOf('plain'))).toMatchObject({ reply: { result: { message: { parts: [{ text: 'x' }] } } } });
    expect(stateOf(await send('no'))).toBe('TASK_STATE_REJECTED');
    const failed = await send('bad');
    expect([stateOf(failed), noteOf(failed)]).toEqual(['TASK_STATE_FAILED', 'Which city?']);
    const first = await send('more');
    expect([stateOf(first), noteOf(first)]).toEqual(['TASK_STATE_INPUT_REQUIRED', 'Which city?']);
    const second = await send('fine', { message: { taskId: first['id'], contextId: first['contextId'] } });
    expect(second['id']).toBe(first['id']);
    expect(stateOf(second)).toBe('TASK_STATE_COMPLETED');
    expect((second['history'] as JsonObject[]).map(({ role }) => role)).toEqual(['ROLE_USER', 'ROLE_AGENT', 'ROLE_USER']);
    await expect(send('again', { message: { taskId: first['id'] } })).rejects.toMatchObject({ code: -32004 });
  });

  it('gives links to files, and no other schemes', async () => {
    const app = await application((_asked, res) =>
      sendJson(res, {
        files: [
          'https://a.example/x.png',
          { url: 'http://b.example/y', name: 'y.pdf', mimeType: 'application/pdf' },
          'file:///etc/passwd',
          'javascript:1',
        ],
      }),
    );
    const task = await bench({ url: app.url, request: {}, response: { files: 'files' } }).send('x');
    expect(task['artifacts']).toMatchObject([
      { parts: [{ url: 'https://a.example/x.png' }, { url: 'http://b.example/y', filename: 'y.pdf', mediaType: 'application/pdf' }] },
    ]);
  });
});

describe('what the application refuses', () => {
  it.each<[number, unknown, string]>([
    [400, { error: { message: 'q is too long' } }, 'q is too long'],
    [422, { title: 'Bad', detail: 'q: wrong' }, 'q: wrong'],
    [404, 'gone', 'The application behind this agent refused the message (status 404).'],
    [302, '', 'The application behind this agent answered with status 302, which is no answer.'],
  ])('%i fails the task with its sentence', async (status, body, note) => {
    const app = await application((_asked, res) => sendJson(res, body, status));
    const task = await bench({ ...ECHO, url: app.url }).send('x');
    expect([stateOf(task), noteOf(task)]).toEqual(['TASK_STATE_FAILED', note]);
  });

  it.each([401, 403])('%i says nothing of the credential', async (status) => {
    const app = await application((asked, res) => sendJson(res, { message: `bad key ${String(asked.headers['x-key'])}` }, status));
    const task = await bench({ ...ECHO, url: app.url }, { signers: [secret('x-key', 'CANARY-KEY')] }).send('x');
    expect(stateOf(task)).toBe('TASK_STATE_FAILED');
    expect(JSON.stringify(task)).not.toMatch(/CANARY|bad key/);
  });

  it.each([
    [429, 'upstream_limited'],
    [500, 'upstream_failed'],
    [503, 'upstream_overloaded'],
    [504, 'upstream_timeout'],
  ])('%i is an error of the call, and no task', async (status, code) => {
    const app = await application((_asked, res) => sendJson(res, {}, status, { 'retry-after': '7' }));
    const { send, store } = bench({ ...ECHO, url: app.url });
    await expect(send('x')).rejects.toMatchObject({ code, retryAfterMs: 7000 });
    expect(store.records.size).toBe(0);
  });

  it('names no address when nobody is there', async () => {
    const { send } = bench({ ...ECHO, url: 'http://127.0.0.1:9' });
    await expect(send('x')).rejects.toMatchObject({
      code: 'upstream_unreachable',
      message: 'The application behind this agent could not be reached.',
      unsent: true,
    });
  });
});

describe('a slow answer', () => {
  it('makes a task after a while, which is found, and goes on when the caller has left', async () => {
    let answer: (() => void) | undefined;
    const app = await application((_asked, res) => (answer = () => sendJson(res, { answer: 'late' })));
    const { ask, store } = bench({ ...ECHO, url: app.url });
    const caller = new AbortController();
    const sending = ask('message/send', messageOf('x'), { signal: caller.signal });
    await vi.waitFor(() => expect(store.records.size).toBe(1), { timeout: 3_000 });
    const [record] = store.records.values();
    expect(record!.state).toBe('TASK_STATE_WORKING');
    caller.abort();
    await expect(sending).rejects.toMatchObject({ code: 'client_closed' });
    const following = read(await ask('tasks/resubscribe', { id: record!.task }));
    answer!();
    expect(await following).toMatchObject([
      { task: { id: record!.task } },
      { artifactUpdate: {} },
      { statusUpdate: { status: { state: 'TASK_STATE_COMPLETED' } } },
    ]);
  });

  it('does not hold a caller who wants to return at once', async () => {
    const app = await application(() => {});
    const task = await bench({ ...ECHO, url: app.url }).send('x', { configuration: { returnImmediately: true } });
    expect(stateOf(task)).toBe('TASK_STATE_WORKING');
  });

  it('that fails then fails the task without a word of the address', async () => {
    let cut: (() => void) | undefined;
    const app = await application((_asked, res) => (cut = () => res.destroy()));
    const { stream } = bench({ ...ECHO, url: app.url });
    const events = stream('x');
    await vi.waitFor(() => expect(cut).toBeDefined());
    setTimeout(() => cut!(), 1_200);
    const last = (await events).at(-1);
    expect(last).toMatchObject({ statusUpdate: { status: { state: 'TASK_STATE_FAILED' } } });
    expect(JSON.stringify(last)).not.toContain('127.0.0.1');
  });

  it('is called off with its task', async () => {
    let closed: Promise<unknown> | undefined;
    const app = await application((_asked, res) => (closed = once(res, 'close')));
    const { send, ask, notified } = bench({ ...ECHO, url: app.url });
    const { id } = await send('x', { configuration: { returnImmediately: true } });
    expect(await ask('tasks/cancel', { id })).toMatchObject({ reply: { result: { status: { state: 'TASK_STATE_CANCELED' } } } });
    await closed;
    await expect(ask('tasks/cancel', { id })).rejects.toMatchObject({ code: -32002 });
    await vi.waitFor(() => expect(notified).toHaveLength(2));
    expect(notified).toMatchObject([
      { task: { id, status: { state: 'TASK_STATE_WORKING' } } },
      { task: { id, status: { state: 'TASK_STATE_CANCELED' } } },
    ]);
  });
});

describe('a streamed answer', () => {
  it('comes piece by piece, cut anywhere', async () => {
    const bytes = Buffer.from(sse([{ delta: 'Grüße ' }, { delta: '😀' }, '[DONE]']));
    const app = await application((_asked, res) => {
      sseHead(res);
      const write = (at: number): void => {
        if (at >= bytes.length) return void res.end();
        res.write(bytes.subarray(at, at + 1), () => setImmediate(write, at + 1));
      };
      write(0);
    });
    const { stream, ask } = bench({ ...STREAM, url: app.url });
    const events = await stream('x');
    const pieces = events.flatMap(({ artifactUpdate }) => (artifactUpdate === undefined ? [] : [artifactUpdate as JsonObject]));
    expect(pieces.map(({ append }) => append)).toEqual([undefined, true]);
    expect(new Set(pieces.map(({ artifact }) => (artifact as JsonObject)['artifactId'])).size).toBe(1);
    const { id } = events[0]!['task'] as JsonObject;
    const got = await ask('tasks/get', { id });
    expect(textIn('reply' in got ? got.reply.result : {})).toBe('Grüße 😀');
    expect(app.asked[0]!.headers['accept']).toContain('text/event-stream');
  });

  it('is put together for who waits', async () => {
    const app = await application((_asked, res) => {
      res.writeHead(200, { 'content-type': 'application/x-ndjson' });
      res.end('{"delta":"a"}\n{"delta":"b"}\n"[DONE]"\n[DONE]\n');
    });
    const task = await bench({ ...STREAM, url: app.url, stream: { text: 'delta', end: ['[DONE]'], format: 'ndjson' } }).send('x');
    expect(textIn(task)).toBe('ab');
  });

  it('goes on when its reader leaves, and is read again from where it is', async () => {
    let write: ((text: string) => void) | undefined;
    const app = await application((_asked, res) => {
      sseHead(res);
      write = (text) => (text === '' ? res.end(sse(['[DONE]'])) : res.write(sse([{ delta: text }])));
      write('one ');
    });
    const { ask } = bench({ ...STREAM, url: app.url });
    const handled = await ask('message/stream', messageOf('x'));
    const seen: JsonObject[] = [];
    for await (const { event } of 'stream' in handled ? handled.stream : []) {
      seen.push(event);
      if (event['artifactUpdate'] !== undefined) break;
    }
    write!('two ');
    const { id } = seen[0]!['task'] as JsonObject;
    const again = await ask('tasks/resubscribe', { id });
    write!('three');
    write!('');
    const events = await read(again);
    const whole =
      textIn(events[0]!['task'] as JsonObject) +
      events
        .flatMap(({ artifactUpdate }) =>
          artifactUpdate === undefined ? [] : textIn({ artifacts: [(artifactUpdate as JsonObject)['artifact']] }),
        )
        .join('');
    expect(whole).toBe('one two three');
    expect(events.at(-1)).toMatchObject({ statusUpdate: { status: { state: 'TASK_STATE_COMPLETED' } } });
    await expect(ask('tasks/resubscribe', { id })).rejects.toMatchObject({ code: -32004 });
  });

  it('that breaks off fails the task, and what came stays', async () => {
    const app = await application((_asked, res) => {
      sseHead(res);
      res.end(sse([{ delta: 'half' }]));
    });
    const task = await bench({ ...STREAM, url: app.url }).send('x');
    expect([stateOf(task), textIn(task)]).toEqual(['TASK_STATE_FAILED', 'half']);
  });
});

describe('a job', () => {
  interface Jobs {
    status: string;
    progress?: string;
    fails?: number;
  }
  const jobs = async (job: Jobs) =>
    application((asked, res) => {
      if (asked.method === 'DELETE') return sendJson(res, {}, 204);
      if (asked.method === 'POST') return sendJson(res, { id: 'j/1', status: 'queued' }, 202);
      if ((job.fails ?? 0) > 0) {
        job.fails! -= 1;
        return sendJson(res, {}, 503);
      }
      return sendJson(res, { id: 'j/1', status: job.status, progress: job.progress, result: { text: 'all done' }, error: 'no paper' });
    });

  it('is asked about until it is done', async () => {
    const job: Jobs = { status: 'running', progress: '10%' };
    const app = await jobs(job);
    const { ask } = bench({ ...POLL, url: app.url });
    const events: JsonObject[] = [];
    const handled = await ask('message/stream', messageOf('x'));
    for await (const { event } of 'stream' in handled ? handled.stream : []) {
      events.push(event);
      const { status } = (event['statusUpdate'] ?? {}) as { status?: JsonObject };
      if (status?.['state'] === 'TASK_STATE_WORKING' && JSON.stringify(status).includes('10%'))
        Object.assign(job, { status: 'running', progress: '90%', fails: 2 });
      if (JSON.stringify(status ?? {}).includes('90%')) job.status = 'done';
    }
    expect(events.map((event) => Object.keys(event)[0])).toEqual([
      'task',
      'statusUpdate',
      'statusUpdate',
      'artifactUpdate',
      'statusUpdate',
    ]);
    expect(textIn({ artifacts: [(events[3]!['artifactUpdate'] as JsonObject)['artifact']] })).toBe('all done');
    expect(app.asked[1]!.path).toBe('/jobs/j%2F1');
  });

  it.each([
    ['broken', 'TASK_STATE_FAILED', 'no paper'],
    ['no', 'TASK_STATE_REJECTED', 'no paper'],
  ])('that is %s ends so', async (status, state, note) => {
    const app = await jobs({ status });
    const task = await bench({ ...POLL, url: app.url }).send('x');
    expect([stateOf(task), noteOf(task)]).toEqual([state, note]);
  });

  it('that takes too long, and one that nobody can ask about, fail', async () => {
    const app = await jobs({ status: 'running' });
    const late = await bench({ ...POLL, url: app.url, poll: { ...POLL.poll, timeout: 40 } }).send('x');
    expect([stateOf(late), noteOf(late)]).toEqual(['TASK_STATE_FAILED', 'The application behind this agent did not answer in time.']);
    const { poll: _, ...unwatched } = POLL;
    const config = { ...unwatched, url: app.url, response: { ...POLL.response, states: { working: ['queued'] } } };
    const lost = await bench(config).send('x');
    expect(noteOf(lost)).toContain('does not know how to ask for the rest');
  });

  it('that asks goes on with the next message', async () => {
    const job: Jobs = { status: 'ask', progress: 'Which paper?' };
    const app = await jobs(job);
    const { send } = bench({ ...POLL, url: app.url });
    const first = await send('x');
    expect([stateOf(first), noteOf(first)]).toEqual(['TASK_STATE_INPUT_REQUIRED', 'Which paper?']);
    job.status = 'done';
    const second = await send('A4', { message: { taskId: first['id'] } });
    expect([second['id'], stateOf(second), textIn(second)]).toEqual([first['id'], 'TASK_STATE_COMPLETED', 'all done']);
    expect(app.asked.filter(({ method }) => method === 'POST').map(({ body }) => body)).toEqual([{ q: 'x' }, { q: 'A4', job: 'j/1' }]);
  });

  it('is told when its task is canceled', async () => {
    const app = await jobs({ status: 'running' });
    const { send, ask } = bench({ ...POLL, url: app.url });
    const { id } = await send('x', { configuration: { returnImmediately: true } });
    await ask('tasks/cancel', { id });
    await vi.waitFor(() => expect(app.asked.at(-1)).toMatchObject({ method: 'DELETE', path: '/jobs/j%2F1' }));
  });

  it('is followed over a restart of the hub, with credentials', async () => {
    const job: Jobs = { status: 'running' };
    const app = await jobs(job);
    const store = fakeStore();
    const before = bench({ ...POLL, url: app.url }, { store });
    const { id } = await before.send('x', { configuration: { returnImmediately: true } });
    await vi.waitFor(() => expect(app.asked.length).toBeGreaterThan(1));
    await before.tasks.close();
    expect(store.records.get(String(id))).toMatchObject({ state: 'TASK_STATE_WORKING', content: { memo: { job: 'j/1' } } });
    const after = bench({ ...POLL, url: app.url }, { store, signers: [secret('x-key', 'k2')] });
    const following = read(await after.ask('tasks/resubscribe', { id }));
    job.status = 'done';
    const events = await following;
    expect(events[0]).toMatchObject({ task: { id, history: [{ parts: [{ text: 'x' }] }] } });
    expect(events.slice(1)).toMatchObject([
      { artifactUpdate: { artifact: { parts: [{ text: 'all done' }] } } },
      { statusUpdate: { status: { state: 'TASK_STATE_COMPLETED' } } },
    ]);
    expect(app.asked.at(-1)!.headers['x-key']).toBe('k2');
  });

  it('that outlives its configuration is asked about as the new one says', async () => {
    const job: Jobs = { status: 'running' };
    const app = await jobs(job);
    const other = await jobs(job);
    const asks = (): (string | undefined)[] =>
      app.asked.filter(({ method }) => method === 'GET').map(({ headers }) => headers['x-key'] as string);
    const old = bench({ ...POLL, url: app.url }, { signers: [secret('x-key', 'old')] });
    const { id } = await old.send('x', { configuration: { returnImmediately: true } });
    await vi.waitFor(() => expect(asks()).toContain('old'));
    const { tasks, store } = old;
    const now = bench({ ...POLL, url: other.url }, { tasks, store, signers: [secret('x-key', 'new')] });
    const before = asks().length;
    await old.source[Symbol.asyncDispose]?.();
    await vi.waitFor(() => expect(other.asked).toContainEqual(expect.objectContaining({ method: 'GET', path: '/jobs/j%2F1' })));
    // One question may have been on its way.
    expect(asks().length - before).toBeLessThanOrEqual(1);
    expect(new Set(other.asked.map(({ headers }) => headers['x-key']))).toEqual(new Set(['new']));
    await now.ask('tasks/cancel', { id });
    await vi.waitFor(() => expect(other.asked.at(-1)).toMatchObject({ method: 'DELETE', headers: { 'x-key': 'new' } }));
    expect(app.asked.filter(({ method }) => method === 'DELETE')).toEqual([]);
  });

  it('is not asked about with the credentials of an agent that is not there any more, nor where the new one has no questions', async () => {
    const app = await jobs({ status: 'running' });
    const gone = bench({ ...POLL, url: app.url });
    await gone.send('x', { configuration: { returnImmediately: true } });
    await vi.waitFor(() => expect(app.asked.length).toBeGreaterThan(1));
    await gone.source[Symbol.asyncDispose]?.();
    expect(gone.tasks.way).toBeUndefined();
    const { poll: _, ...unwatched } = POLL;
    const changed = bench({ ...POLL, url: app.url });
    const sending = changed.send('x');
    await vi.waitFor(() => expect(changed.store.records.size).toBe(1));
    bench({ ...unwatched, url: app.url }, { tasks: changed.tasks });
    expect(noteOf(await sending)).toContain('does not know how to ask for the rest');
  });
});

describe('two messages at once', () => {
  it('for one task that waits: the application hears one', async () => {
    const answers: (() => void)[] = [];
    const app = await application(({ body }, res) => {
      if (body['q'] === 'ask') return sendJson(res, { state: 'ask', answer: 'Which?' });
      if (body['q'] === 'fail') return sendJson(res, {}, 503);
      return answers.push(() => sendJson(res, { answer: 'yes' }));
    });
    const { send } = bench({ ...ECHO, url: app.url, response: { text: 'answer', state: 'state', states: { input: ['ask'] } } });
    const { id } = await send('ask');
    const more = { message: { taskId: id } };
    await expect(send('fail', more)).rejects.toMatchObject({ code: 'upstream_overloaded' });
    const both = Promise.allSettled([send('one', more), send('two', more)]);
    await vi.waitFor(() => expect(answers).toHaveLength(1));
    answers[0]!();
    const [one, two] = await both;
    expect([one, two].map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect([one, two].find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: -32004 } });
    expect(app.asked.map(({ body }) => body['q'])).toHaveLength(3);
  });
});

describe('after a restart', () => {
  it('a configuration that is only checked, or refused, leaves the tasks to the one that serves', async () => {
    const app = await echoing();
    const store = fakeStore();
    const task = { id: 't1', contextId: 'c1', status: { state: 'TASK_STATE_WORKING' } };
    const facts = { agent: 'app', instance: 'app', task: 't1', context: 'c1', owner: 'alice', updatedAt: 1 };
    await store.put({ ...facts, state: 'TASK_STATE_WORKING', content: { task, memo: {} } });
    let read = 0;
    const { unfinished } = store;
    store.unfinished = async (agent) => ((read += 1), unfinished(agent));
    const { source } = bench({ ...ECHO, url: app.url }, { store, serves: false });
    await source.refresh();
    await source[Symbol.asyncDispose]?.();
    expect([read, store.records.get('t1')?.state]).toEqual([0, 'TASK_STATE_WORKING']);
    const { source: served } = bench({ ...ECHO, url: app.url }, { store });
    served.serve?.();
    await vi.waitFor(() => expect(store.records.get('t1')?.state).toBe('TASK_STATE_FAILED'));
    expect(read).toBe(1);
  });

  it('what cannot go on has failed, and what waits for its caller waits', async () => {
    const app = await application(({ body }, res) => {
      if (body['q'] === 'ask') return sendJson(res, { state: 'ask', answer: 'Which?' });
      return body['q'] === 'hang' ? undefined : sendJson(res, { answer: 'yes' });
    });
    const config: AgentRestConfig = { ...ECHO, url: app.url, response: { text: 'answer', state: 'state', states: { input: ['ask'] } } };
    const store = fakeStore();
    const before = bench(config, { store });
    const hung = await before.send('hang', { configuration: { returnImmediately: true } });
    const asking = await before.send('ask');
    await before.tasks.close();
    expect(store.records.get(String(asking['id']))?.state).toBe('TASK_STATE_INPUT_REQUIRED');
    const after = bench(config, { store });
    const got = await after.ask('tasks/get', { id: hung['id'] });
    const task = 'reply' in got ? got.reply.result : {};
    expect([stateOf(task), noteOf(task)]).toEqual([
      'TASK_STATE_FAILED',
      'The hub was restarted while the application worked on this. Send the message again.',
    ]);
    expect(stateOf(await after.send('A', { message: { taskId: asking['id'] } }))).toBe('TASK_STATE_COMPLETED');
  });
});

describe('conversations', () => {
  it('keep their id for each context of each consumer, over a restart too', async () => {
    let count = 0;
    const app = await application(({ body }, res) => sendJson(res, { answer: 'x', id: body['conversation'] ?? `c${(count += 1)}` }));
    const store = fakeStore();
    const { send } = bench({ ...ECHO, url: app.url }, { store });
    const { contextId } = await send('one');
    const again = { message: { contextId } };
    expect((await send('two', again))['contextId']).toBe(contextId);
    await send('as another', again, { consumer: 'bob' });
    await send('elsewhere');
    await bench({ ...ECHO, url: app.url }, { store }).send('three', again);
    expect(app.asked.map(({ body }) => body['conversation'])).toEqual([undefined, 'c1', undefined, undefined, 'c1']);
  });
});

describe('tasks', () => {
  it('are their owners alone', async () => {
    const app = await echoing();
    const { send, ask } = bench({ ...ECHO, url: app.url });
    const { id } = await send('x');
    for (const operation of ['tasks/get', 'tasks/cancel', 'tasks/resubscribe'] as const) {
      await expect(ask(operation, { id }, { consumer: 'bob' })).rejects.toMatchObject({ code: -32001 });
      await expect(ask(operation, { id: 'none' })).rejects.toMatchObject({ code: -32001 });
    }
    await expect(ask('message/send', messageOf('x', { message: { taskId: id } }), { consumer: 'bob' })).rejects.toMatchObject({
      code: -32001,
    });
  });

  it('have a webhook for which the hub itself cares', async () => {
    const app = await echoing();
    const { ask } = bench({ ...ECHO, url: app.url });
    const config = { taskId: 't', id: 'c', url: 'https://hub.example/push/x' };
    expect(await ask('tasks/pushNotificationConfig/set', config)).toEqual({ reply: { result: config } });
    expect(await ask('tasks/pushNotificationConfig/delete', config)).toEqual({ reply: { result: {} } });
    await expect(ask('tasks/list', {})).rejects.toMatchObject({ code: -32004 });
  });
});

describe('skills', () => {
  const config = (url: string): AgentRestConfig => ({
    url,
    skills: [
      { id: 'up', description: 'Shouts.', request: { path: '/up', body: { q: '${text}', n: '${data.n}' } } },
      { id: 'down', description: 'Whispers.', tags: ['quiet'], request: { path: '/down', body: { q: '${text}' } } },
    ],
  });

  it('are chosen by the message', async () => {
    const app = await application(({ path }, res) => sendJson(res, path));
    const { send, source } = bench(config(app.url));
    expect(textIn(await send('x', { message: { metadata: { skill: 'down' } } }))).toBe('/down');
    expect(textIn(await send([{ data: { skill: 'up', arguments: { n: 3 } } }]))).toBe('/up');
    expect(app.asked.at(-1)!.body).toEqual({ q: '', n: 3 });
    await expect(send('x')).rejects.toMatchObject({ code: -32602 });
    const unknown = await send('x', { message: { metadata: { skill: 'left' } } }).catch((error: unknown) => error as Error);
    expect((unknown as Error).message).toBe('This agent has no skill "left". Its card lists the skills.');
    expect(source.snapshot).toMatchObject({
      state: 'ready',
      signature: 'unsigned',
      card: {
        name: 'app',
        version: '1.0.0',
        capabilities: { streaming: true, pushNotifications: true },
        skills: [
          { id: 'up', name: 'up', tags: [] },
          { id: 'down', tags: ['quiet'] },
        ],
      },
    });
  });

  it.each<[AgentRestConfig, string]>([
    [{}, 'rest: set url'],
    [{ url: 'http://a.example' }, 'rest.request: say which request'],
    [{ url: 'http://a.example/?x=1', request: {} }, 'rest.url: write'],
    [{ url: 'http://a.example', request: { body: '${nope}' } }, 'rest.request.body: there is no value ${nope}'],
    [{ url: 'http://a.example', request: {}, poll: {} }, 'rest.response.job: poll needs'],
    [{ preset: 'openai-chat', url: 'http://a.example' }, 'rest.model: openai-chat needs'],
    [{ preset: 'model-studio' }, 'rest.app: model-studio needs'],
    [{ spec: 'a.yaml' }, 'rest.spec: the document could not be read'],
    [{ url: 'demo:pets?x', request: {} }, 'rest.url: write'],
  ])('of %j are none, and the state says why', (broken, why) => {
    const { source } = bench(broken);
    expect(source.snapshot).toMatchObject({ state: 'failed', card: undefined });
    expect(source.snapshot.error).toContain(why);
  });

  it.each<[string, BenchOptions]>([
    ['templates', {}],
    ['a document', { operations: DOCUMENT }],
  ])('by %s are inside the hub for the files of the operator alone', async (_what, more) => {
    const config = { url: 'demo:pets/v1', request: { path: '/x' } };
    const asked: string[] = [];
    const http: BenchOptions['http'] = {
      send: () => expect.unreachable(),
      open: async ({ origin, path }) => {
        asked.push(`${origin} ${path}`);
        throw new GatewayError('upstream_unreachable');
      },
    };
    expect(bench(config, { ...more, http }).source.snapshot.state).toBe('ready');
    const { source, send } = bench(config, { ...more, http, trust: 'public' });
    expect(source.snapshot).toMatchObject({ state: 'failed', error: expect.stringContaining('rest.url: write http(s)://host/path') });
    await expect(send('x')).rejects.toMatchObject({ code: 'unavailable' });
    expect(asked).toEqual([]);
    await expect(bench({ ...config }, { http }).send('x')).rejects.toMatchObject({ code: 'upstream_unreachable' });
    expect(asked).toEqual(['demo:pets /v1/x']);
  });
});

describe('secrets', () => {
  it('reach the application, and nobody else', async () => {
    const canaries = ['CANARY-KEY', 'CANARY-HEADER', 'CANARY-APP'];
    const app = await application((asked, res) => {
      const all = [asked.headers['x-key'], asked.headers['x-more'], asked.path, `at http://${asked.headers.host}/x`].join(' ');
      if (asked.body['q'] === 'bad') return sendJson(res, { message: `refused ${all}` }, 400);
      if (asked.body['q'] === 'stream') {
        sseHead(res);
        return res.end(sse([{ error: `broken ${all}` }]));
      }
      return sendJson(res, { error: `failed ${all}` });
    });
    const config: AgentRestConfig = {
      url: app.url,
      app: new Secret('CANARY-APP'),
      request: { path: '/a/${app}', body: { q: '${text}' } },
      response: { text: 'answer', error: 'error' },
      stream: { error: 'error' },
    };
    // The id of the application is known to nobody else.
    const redact = (text: string): string => canaries.slice(0, 2).reduce((all, one) => all.replaceAll(one, '[redacted]'), text);
    const { send, source, store, notified } = bench(config, {
      signers: [secret('x-key', 'CANARY-KEY')],
      headers: { 'X-More': new Secret('CANARY-HEADER') },
      redact,
    });
    const told = [];
    for (const text of ['bad', 'stream', 'fail']) {
      const task = await send(text);
      expect(stateOf(task)).toBe('TASK_STATE_FAILED');
      expect(noteOf(task)).toContain('[redacted] [redacted] /a/[redacted]');
      told.push(task);
    }
    expect(app.asked[0]).toMatchObject({ path: '/a/CANARY-APP', headers: { 'x-key': 'CANARY-KEY', 'x-more': 'CANARY-HEADER' } });
    const everything = JSON.stringify([told, source.snapshot, [...store.records.values()], notified]);
    expect(everything).not.toContain('CANARY');
    expect(everything).not.toContain(new URL(app.url).host);
  });
});

describe('a check', () => {
  it('takes any status below 500', async () => {
    let status = 404;
    const app = await application((_asked, res) => sendJson(res, {}, status));
    const { source } = bench({ ...ECHO, url: `${app.url}/api` }, { healthPath: '/health' });
    const { signal } = new AbortController();
    await source.probe(signal);
    expect(app.asked[0]).toMatchObject({ method: 'GET', path: '/api/health' });
    status = 503;
    await expect(source.probe(signal)).rejects.toMatchObject({ code: 'upstream_failed' });
  });
});
