import { EventEmitter } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { AgentError } from '../../../../../src/core/agents.ts';
import { GatewayError } from '../../../../../src/core/errors.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { sendAnswer } from '../../../../../src/lanes/agents/serve/deliver.ts';
import { messageTo, startAgents, taskIs } from '../start-agents.ts';

const status = (state: string): JsonObject => ({
  statusUpdate: { taskId: 't1', contextId: 'c-t1', status: { state: `TASK_STATE_${state}` } },
});
const EVENTS = [{ task: taskIs('t1', 'SUBMITTED') }, status('WORKING'), status('COMPLETED')];
const failing = (error: Error, ...before: JsonObject[]) => ({
  events: (async function* () {
    yield* before;
    throw error;
  })(),
});
const V1 = { authorization: 'Bearer alice', 'content-type': 'application/json', 'a2a-version': '1.0' };

afterEach(() => void vi.useRealTimers());

describe('what the caller gets', () => {
  it('events as they come, each with the id of the request, and then the end', async () => {
    const hub = await startAgents({ says: () => ({ events: EVENTS }) });
    const got = await hub.rpc('SendStreamingMessage', messageTo());
    expect(got.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(got.events).toEqual(EVENTS.map((result) => ({ name: undefined, data: { jsonrpc: '2.0', id: 7, result } })));
    expect(hub.records.map(({ outcome }) => [outcome.ok, outcome.streamed, outcome.firstByteMs !== undefined])).toEqual([
      [true, true, true],
    ]);
  });

  it('in HTTP+JSON the bare events', async () => {
    const hub = await startAgents({ says: () => ({ events: EVENTS }) });
    const got = await hub.fetch('/a2a/travel/message:stream', { method: 'POST', headers: V1, body: JSON.stringify(messageTo()) });
    expect(got.events.map(({ data }) => data)).toEqual(EVENTS);
  });

  it('a stream of one, where a policy answers whole', async () => {
    const reply = { result: { message: { messageId: 'r', role: 'ROLE_AGENT', parts: [{ text: 'kept' }] } } };
    const hub = await startAgents({ policies: [{ name: 'cache', stage: 'transform', hooks: { onCall: () => reply as never } }] });
    const got = await hub.rpc('SendStreamingMessage', messageTo());
    expect(got.events.map(({ data }) => data['result'])).toEqual([reply.result]);
    expect(hub.heard).toEqual([]);
  });

  it.each<[string, Error, number, number, string | null]>([
    ['what the agent says', new AgentError(-32004, 'not so'), 200, -32004, null],
    ['what is wrong on the way', new GatewayError('upstream_limited', 'slow down', { retryAfterMs: 1_400 }), 429, -32603, '2'],
  ])('%s, before the first event, as a whole answer', async (_, error, code, rpc, after) => {
    const hub = await startAgents({ says: () => failing(error) });
    const got = await hub.rpc('SendStreamingMessage', messageTo());
    expect([got.status, got.json.error?.code, got.json['id']]).toEqual([code, rpc, 7]);
    expect(got.headers.get('retry-after')).toBe(after);
  });

  it('an error after the first event as an event that is called so, without what only the operator may see', async () => {
    const error = new GatewayError('upstream_failed', 'broke off', { detail: 'at 10.0.0.7' });
    const hub = await startAgents({ says: () => failing(error, EVENTS[0]!) });
    const got = await hub.rpc('SendStreamingMessage', messageTo());
    expect(got.status).toBe(200);
    expect(got.events.map(({ name }) => name)).toEqual([undefined, 'error']);
    expect(got.events[1]!.data).toMatchObject({ id: 7, error: { code: -32603, message: 'The stream of the agent broke off.' } });
    expect(got.text).not.toContain('10.0.0.7');
    expect(hub.logged.filter((line) => line.includes('10.0.0.7'))).toEqual([expect.stringContaining('upstream_cut')]);
  });

  it('a fault of the caller is not the log’s', async () => {
    const hub = await startAgents({ says: () => ({ error: { code: -32001, message: 'gone' } }) });
    const before = hub.logged.length;
    await hub.rpc('SendMessage', messageTo());
    expect(hub.logged.slice(before)).toEqual([]);
  });

  it('a stream that says nothing for long is opened all the same', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const hub = await startAgents({
      says: async () => {
        resolve();
        return {
          events: (async function* () {
            await opened.promise;
            yield* EVENTS;
          })(),
        };
      },
    });
    const opened = Promise.withResolvers<void>();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const asking = fetch(`${hub.url}/a2a/travel`, {
      method: 'POST',
      headers: V1,
      body: JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'SendStreamingMessage', params: messageTo() }),
    });
    await promise;
    await vi.advanceTimersByTimeAsync(5_000);
    vi.useRealTimers();
    const answer = await asking;
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, expect.stringMatching(/^text\/event-stream/)]);
    opened.resolve();
    expect(await answer.text()).toContain('TASK_STATE_COMPLETED');
  });
});

describe('sendAnswer', () => {
  function fakeRes(state: object) {
    const written: unknown[] = [];
    const res = Object.assign(new EventEmitter(), {
      ...state,
      writeHead: (...head: unknown[]) => (written.push(...head), res),
      end: (...body: unknown[]) => void written.push(...body.map(String)),
    });
    return { res: res as never, written };
  }
  const ANSWER = { status: 200, contentType: 'application/json', body: { a: 'ü' } };

  it('writes the whole with its length in bytes', () => {
    const { res, written } = fakeRes({});
    sendAnswer({ res }, ANSWER);
    expect(written).toEqual([200, { 'content-type': 'application/json', 'content-length': 10 }, '{"a":"ü"}']);
  });

  it('or a status alone', () => {
    const { res, written } = fakeRes({});
    sendAnswer({ res }, { ...ANSWER, status: 204, body: undefined });
    expect(written).toEqual([204]);
  });

  it.each([{ destroyed: true }, { headersSent: true }])('writes nothing where nobody reads: %j', (state) => {
    const { res, written } = fakeRes(state);
    sendAnswer({ res }, ANSWER);
    expect(written).toEqual([]);
  });
});
