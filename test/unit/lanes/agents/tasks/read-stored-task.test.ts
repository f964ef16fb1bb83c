import { describe, expect, it } from 'vitest';
import type { Call } from '../../../../../src/core/call.ts';
import type { AgentLine } from '../../../../../src/core/contracts/agent-source.ts';
import type { TaskRecord } from '../../../../../src/core/contracts/store.ts';
import type { UpstreamRequest } from '../../../../../src/core/upstream.ts';
import { readStoredTask } from '../../../../../src/lanes/agents/tasks/read-stored-task.ts';
import type { UpstreamHttp } from '../../../../../src/upstreams/http.ts';
import { SILENT } from '../../../pipeline/live-calls.ts';
import { fakeSource, taskIs } from '../start-agents.ts';

const RECORD: TaskRecord = {
  agent: 'travel',
  task: 't',
  context: 'c',
  owner: 'alice',
  instance: 'travel',
  state: 'TASK_STATE_WORKING',
  updatedAt: 0,
};
const REQUEST: UpstreamRequest = { method: 'POST', origin: 'http://travel.test', path: '/', headers: {}, trust: 'operator' };

function httpOf() {
  const sent: [string, UpstreamRequest][] = [];
  const answer = { status: 200, headers: {} };
  const http = {
    send: async (request: UpstreamRequest) => (sent.push(['send', request]), { ...answer, body: Buffer.from('whole') }),
    open: async (request: UpstreamRequest) => (sent.push(['open', request]), { ...answer, body: [Buffer.from('piece')] }),
  } as unknown as UpstreamHttp;
  return { sent, host: { http, log: SILENT } };
}

describe('a task that the hub itself reads', () => {
  it('is asked for as its owner, by the record', async () => {
    const asked: { line: AgentLine; call: Call<'agents'> }[] = [];
    const source = fakeSource('travel', (line, call) => {
      asked.push({ line, call });
      return { reply: { result: taskIs('t', 'COMPLETED') } };
    });
    expect(await readStoredTask(source, RECORD, httpOf().host)).toEqual(taskIs('t', 'COMPLETED'));
    const [{ line, call }] = asked as [(typeof asked)[0]];
    expect(line).toMatchObject({ operation: 'tasks/get', params: { id: 't' }, extensions: [] });
    // Nobody called: the source must not answer in the way of a caller.
    expect(line.speaks).toBeUndefined();
    expect(call).toMatchObject({
      operation: 'tasks/get',
      route: 'travel',
      consumer: { name: 'alice', groups: [], anonymous: false },
      input: { agent: 'travel', task: 't', params: { id: 't' } },
    });
  });

  it('is asked for with the credentials of the source', async () => {
    const { sent, host } = httpOf();
    const signer = { refreshable: false, sign: (request: UpstreamRequest) => ({ ...request, headers: { authorization: 'x' } }) };
    const source = fakeSource('travel', async (line) => {
      const { body } = await line.send(REQUEST, [signer]);
      await line.open(REQUEST, [signer]);
      return { reply: { result: { body: body.toString() } } };
    });
    expect(await readStoredTask(source, RECORD, host)).toEqual({ body: 'whole' });
    expect(sent.map(([how, { headers }]) => [how, headers])).toEqual([
      ['send', { authorization: 'x' }],
      ['open', { authorization: 'x' }],
    ]);
  });

  it('a stream is no task, and what goes wrong is thrown', async () => {
    const stream = fakeSource('travel', () => ({ stream: (async function* () {})() }));
    expect(await readStoredTask(stream, RECORD, httpOf().host)).toBeUndefined();
    const broken = fakeSource('travel', () => Promise.reject(new Error('gone')));
    await expect(readStoredTask(broken, RECORD, httpOf().host)).rejects.toThrow('gone');
  });
});
