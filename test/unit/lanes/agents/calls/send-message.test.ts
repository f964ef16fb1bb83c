import { describe, expect, it } from 'vitest';
import { messageTo, startAgents, target, taskIs, type Said } from '../start-agents.ts';

const working = (id: string): Said => ({ result: { task: taskIs(id, 'WORKING') } });

/** Each message begins a task of its own: t1, t2 and so on. */
function counting(): () => Said {
  let count = 0;
  return () => working(`t${++count}`);
}

describe('a message', () => {
  it('goes on with a task in its own conversation only', async () => {
    const hub = await startAgents({ says: counting() });
    await hub.rpc('SendMessage', messageTo());
    await hub.rpc('SendMessage', messageTo());
    expect((await hub.rpc('SendMessage', messageTo({ taskId: 't1', contextId: 'c-t2' }))).json.error?.code).toBe(-32602);
    expect(hub.heard).toHaveLength(2);
    expect((await hub.rpc('SendMessage', messageTo({ taskId: 't1', contextId: 'c-t1' }))).json.error).toBeUndefined();
  });

  it("names tasks of the caller's only", async () => {
    const hub = await startAgents({ says: counting() });
    await hub.rpc('SendMessage', messageTo());
    const refused = await hub.rpc('SendMessage', messageTo({ referenceTaskIds: ['t1'] }), { as: 'bob' });
    expect(refused.json.error?.code).toBe(-32001);
    expect(hub.heard).toHaveLength(1);
    expect((await hub.rpc('SendMessage', messageTo({ referenceTaskIds: ['t1'] }))).json.error).toBeUndefined();
  });

  it('begins a conversation that is then its sender’s, also when the answer is no task', async () => {
    const message = { messageId: 'a1', role: 'ROLE_AGENT', parts: [{ text: 'hi' }], contextId: 'talk' };
    const hub = await startAgents({ says: () => ({ result: { message } }) });
    await hub.rpc('SendMessage', messageTo({ contextId: 'talk' }));
    expect((await hub.rpc('SendMessage', messageTo({ contextId: 'talk' }), { as: 'bob' })).json.error?.code).toBe(-32602);
    expect((await hub.rpc('SendMessage', messageTo({ contextId: 'talk' }))).json.error).toBeUndefined();
  });

  it('brings a push configuration only where that may be set', async () => {
    const access = [{ allow: ['*'], deny: [{ operation: 'tasks/pushNotificationConfig/*' }] }];
    const hub = await startAgents({ agents: { travel: { card: 'http://travel.test', access } }, says: counting() });
    const configuration = { taskPushNotificationConfig: { url: 'http://caller.test/hook' } };
    const refused = await hub.rpc('SendMessage', { ...messageTo(), configuration });
    expect(refused.status).toBe(403);
    expect(hub.heard).toHaveLength(0);
    expect((await hub.rpc('SendMessage', messageTo())).json.error).toBeUndefined();
  });
});

describe('tasks of an agent with one address', () => {
  it('stay where they are when more addresses come beside it, and when they go', async () => {
    const answer = counting();
    const hub = await startAgents({
      agents: { travel: { card: 'http://a.test' } },
      says: ({ method }) => (method === 'SendMessage' ? answer() : { result: taskIs('t1', 'WORKING') }),
    });
    await hub.rpc('SendMessage', messageTo());
    await hub.serve({ travel: { targets: [target('http://a.test'), target('http://b.test')] } });
    expect((await hub.rpc('GetTask', { id: 't1' })).json.error).toBeUndefined();
    expect(hub.heard.at(-1)!.origin).toBe('http://a.test');
    const asked = hub.heard.length;
    expect((await hub.rpc('ListTasks', {})).json.result).toMatchObject({ tasks: [{ id: 't1' }] });
    expect(hub.heard.slice(asked).map(({ method }) => method)).toEqual(['GetTask']);
    await hub.rpc('SendMessage', messageTo({ contextId: 'c-t1' }));
    expect(hub.heard.at(-1)!.origin).toBe('http://a.test');
    await hub.serve({ travel: { card: 'http://a.test' } });
    expect((await hub.rpc('GetTask', { id: 't1' })).json.error).toBeUndefined();
  });
});
