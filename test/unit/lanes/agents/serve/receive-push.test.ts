import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { messageTo, startAgents, taskIs, TRAVEL } from '../start-agents.ts';

const HOOK = 'http://caller.test/hook';

/** A hub whose agent has begun a task for alice and was given an address; that is what `tell` posts to. */
async function told() {
  const hub = await startAgents({ says: () => ({ result: { task: taskIs('t1', 'WORKING') } }) });
  await hub.rpc('SendMessage', { ...messageTo(), configuration: { taskPushNotificationConfig: { url: HOOK, token: 'mine' } } });
  const given = (hub.heard[0]!.params['configuration'] as JsonObject)['taskPushNotificationConfig'] as { url: string; token: string };
  const path = given.url.slice(hub.url.length);
  const tell = async (body: unknown, at = path) =>
    (
      await hub.fetch(at, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })
    ).status;
  const hooked = () =>
    hub.sent.filter(({ origin }) => origin === 'http://caller.test').map(({ body }) => JSON.parse(String(body)) as JsonObject);
  return { hub, given, path, tell, hooked };
}
const EVENT = { statusUpdate: { taskId: 't1', contextId: 'c-t1', status: { state: 'TASK_STATE_COMPLETED' } } };

describe('what an agent says of a task', () => {
  it('reaches the caller and the record of the task; the agent never had the caller’s address', async () => {
    const { hub, given, tell, hooked } = await told();
    expect(JSON.stringify(hub.heard)).not.toContain('caller.test');
    expect(given.token).not.toBe('mine');
    expect(await tell(EVENT)).toBe(204);
    await expect.poll(hooked).toEqual([EVENT]);
    await expect.poll(async () => (await hub.store.get('travel', 't1'))?.state).toBe('TASK_STATE_COMPLETED');
  });

  it('may be in 0.3: the shape tells', async () => {
    const { tell, hooked } = await told();
    expect(await tell({ kind: 'task', id: 't1', contextId: 'c-t1', status: { state: 'completed' } })).toBe(204);
    await expect
      .poll(hooked)
      .toEqual([{ task: expect.objectContaining({ id: 't1', status: expect.objectContaining({ state: 'TASK_STATE_COMPLETED' }) }) }]);
  });

  it.each<[string, (path: string) => string, number]>([
    ['a token that nobody gave', (path) => `${path.slice(0, -1)}${path.endsWith('A') ? 'B' : 'A'}`, 404],
    ['an address of another agent', (path) => path.replace('/travel/', '/other/'), 404],
  ])('%s is nothing', async (_, at, status) => {
    const { path, tell, hooked } = await told();
    expect(await tell(EVENT, at(path))).toBe(status);
    // What is sent there is not even read.
    expect(await tell('{', at(path))).toBe(status);
    expect(hooked()).toEqual([]);
  });

  it('is not waited for from who has no token of an address', async () => {
    const { hub, path, tell } = await told();
    for (const at of [`${path}x`, path.replace('/travel/', '/other/')]) {
      // A body that never comes.
      const asking = request(`${hub.url}${at}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': '8000000' },
      });
      asking.on('error', () => undefined);
      asking.write('{');
      const [answer] = (await once(asking, 'response')) as [IncomingMessage];
      expect(answer.statusCode).toBe(404);
      asking.destroy();
    }
    expect(await tell(EVENT)).toBe(204);
  });

  it('reaches nobody whose rights were taken away', async () => {
    const { hub, tell, hooked } = await told();
    await hub.serve({ travel: { ...TRAVEL['travel'], access: [{ groups: ['others'], allow: ['*'] }] } });
    expect(await tell(EVENT)).toBe(404);
    await hub.serve(TRAVEL);
    expect(await tell(EVENT)).toBe(404);
    expect(hooked()).toEqual([]);
  });

  it.each<[string, unknown, number]>([
    ['no JSON', '{', 400],
    ['no event', { hello: 1 }, 400],
    ['a list', [], 400],
    ['another task', { ...EVENT, statusUpdate: { ...EVENT.statusUpdate, taskId: 't2' } }, 404],
  ])('%s is refused', async (_, body, status) => {
    const { tell, hooked } = await told();
    expect(await tell(body)).toBe(status);
    expect(hooked()).toEqual([]);
  });
});
