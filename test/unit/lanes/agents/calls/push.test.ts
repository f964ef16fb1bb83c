import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { messageTo, startAgents, taskIs, type Heard, type Said } from '../start-agents.ts';

const URL = 'http://caller.test/hook?key=1';
const CONFIG = { taskId: 't1', id: 'mine', url: URL, token: 'of the caller', authentication: { scheme: 'Bearer', credentials: 'c' } };

/** As the official servers answer it. */
const DELETED = { jsonrpc: '2.0', id: 7, result: null };

/** A hub with the task t1 of alice. */
async function withTask(says: (heard: Heard) => Said = () => ({ result: {} })) {
  const hub = await startAgents({
    says: (heard) => (heard.method === 'SendMessage' ? { result: { task: taskIs('t1', 'WORKING') } } : says(heard)),
  });
  await hub.rpc('SendMessage', messageTo());
  const ask = (what: string, params: JsonObject, as = 'alice') =>
    hub.rpc(`${what}TaskPushNotificationConfig${what === 'List' ? 's' : ''}`, params, { as });
  return { hub, ask, asked: () => hub.heard.slice(1) };
}

describe('push configurations', () => {
  it('are kept as the caller gave them; the agent gets an address of the hub and no secret', async () => {
    const { hub, ask, asked } = await withTask();
    expect((await ask('Create', CONFIG)).json.result).toEqual(CONFIG);
    const [{ method, params }] = asked() as [Heard];
    expect([method, params]).toEqual([
      'CreateTaskPushNotificationConfig',
      { taskId: 't1', id: 'mine', url: expect.stringContaining(`${hub.url}/a2a/travel/push/`), token: expect.any(String) },
    ]);
    expect(JSON.stringify(params)).not.toMatch(/caller|credentials/);
    expect((await ask('Get', { taskId: 't1', id: 'mine' })).json.result).toEqual(CONFIG);
    expect((await ask('List', { taskId: 't1' })).json.result).toEqual({ configs: [CONFIG], nextPageToken: '' });
    expect(asked()).toHaveLength(1);
  });

  it('that the agent does not take are not there, nor is the address that it was given', async () => {
    const { hub, ask, asked } = await withTask(() => ({ error: { code: -32003, message: 'no push' } }));
    expect((await ask('Create', CONFIG)).json.error).toMatchObject({ code: -32003, message: 'no push' });
    expect((await ask('List', { taskId: 't1' })).json.result).toMatchObject({ configs: [] });
    const { url } = asked()[0]!.params as { url: string };
    const event = { statusUpdate: { taskId: 't1', contextId: 'c-t1', status: { state: 'TASK_STATE_WORKING' } } };
    const told = await hub.fetch(url.slice(hub.url.length), { method: 'POST', body: JSON.stringify(event) });
    expect(told.status).toBe(404);
  });

  it('are gone when they are deleted, whatever the agent says to it', async () => {
    const { hub, ask, asked } = await withTask(({ method }) =>
      method.startsWith('Delete') ? { error: { code: -32603, message: 'I keep it' } } : { result: {} },
    );
    await ask('Create', CONFIG);
    expect((await ask('Delete', { taskId: 't1', id: 'mine' })).json).toEqual(DELETED);
    expect(asked().at(-1)).toMatchObject({ method: 'DeleteTaskPushNotificationConfig', params: { taskId: 't1', id: 'mine' } });
    expect(hub.logged.at(-1)).toMatch(/^the agent keeps a push configuration/);
    expect((await ask('List', { taskId: 't1' })).json.result).toMatchObject({ configs: [] });
    expect((await ask('Delete', { taskId: 't1', id: 'mine' })).json).toEqual(DELETED);
    expect(asked()).toHaveLength(2);
  });

  it.each(['Create', 'Get', 'List', 'Delete'])('%s of another consumer finds no such task', async (what) => {
    const { ask, asked } = await withTask();
    await ask('Create', CONFIG);
    expect((await ask(what, CONFIG, 'bob')).json.error?.code).toBe(-32001);
    expect(asked()).toHaveLength(1);
    expect((await ask('Get', { taskId: 't1', id: 'mine' })).json.result).toEqual(CONFIG);
  });
});
