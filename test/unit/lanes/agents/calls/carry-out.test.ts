import { describe, expect, it } from 'vitest';
import type { AgentConfig } from '../../../../../src/config/types.ts';
import { GatewayError } from '../../../../../src/core/errors.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { cardAt, messageTo, startAgents, target, taskIs, type Heard, type Said } from '../start-agents.ts';

const working = (id = 't1'): Said => ({ result: { task: taskIs(id, 'WORKING') } });
const status = (state: string): JsonObject => ({
  statusUpdate: { taskId: 't1', contextId: 'c-t1', status: { state: `TASK_STATE_${state}` } },
});
const HOOK = { configuration: { taskPushNotificationConfig: { id: 'own', url: 'http://caller.test/hook' } } };
const methods = (heard: readonly Heard[]): string[] => heard.map(({ origin, method }) => `${new URL(origin).hostname} ${method}`);
const PAIR: Record<string, AgentConfig> = {
  travel: { targets: [target('http://a.test'), target('http://b.test')], balance: 'round-robin' },
};

describe('tasks', () => {
  it('belong to who began them; for everybody else they are not there', async () => {
    const hub = await startAgents({ says: ({ method }) => (method === 'SendMessage' ? working() : { result: taskIs('t1', 'WORKING') }) });
    await hub.rpc('SendMessage', messageTo());
    const before = hub.heard.length;
    const [own, others, none] = [
      await hub.rpc('GetTask', { id: 't1' }),
      await hub.rpc('GetTask', { id: 't1' }, { as: 'bob' }),
      await hub.rpc('GetTask', { id: 't2' }, { as: 'bob' }),
    ];
    expect(own.json.result).toEqual(taskIs('t1', 'WORKING'));
    expect([others.json.error?.code, none.json.error?.code]).toEqual([-32001, -32001]);
    expect(others.text.replaceAll('t1', 't2')).toBe(none.text);
    for (const method of ['CancelTask', 'SubscribeToTask'])
      expect((await hub.rpc(method, { id: 't1' }, { as: 'bob' })).json.error?.code).toBe(-32001);
    expect((await hub.rpc('SendMessage', messageTo({ taskId: 't1' }), { as: 'bob' })).json.error?.code).toBe(-32001);
    expect(hub.heard).toHaveLength(before + 1);
  });

  it('that are new are kept before the caller hears of them', async () => {
    const hub = await startAgents({
      says: () => working(),
      store: (store) => ({ ...store, put: () => Promise.reject(new Error('disk is full')) }),
    });
    const got = await hub.rpc('SendMessage', messageTo());
    expect([got.status, got.text.includes('t1')]).toEqual([500, false]);
  });

  it('are asked for where they are, whichever instance that is', async () => {
    let count = 0;
    const hub = await startAgents({
      agents: PAIR,
      says: ({ method }) => (method === 'SendMessage' ? working(`t${++count}`) : { result: taskIs('x', 'WORKING') }),
    });
    for (let n = 0; n < 4; n++) await hub.rpc('SendMessage', messageTo());
    const began = hub.heard.map(({ origin }) => origin);
    expect(new Set(began).size).toBe(2);
    for (const [index, origin] of began.entries()) {
      await hub.rpc('GetTask', { id: `t${index + 1}` });
      expect(hub.heard.at(-1)!.origin).toBe(origin);
      await hub.rpc('SendMessage', messageTo({ taskId: `t${index + 1}` }));
      expect(hub.heard.at(-1)!.origin).toBe(origin);
      await hub.rpc('SendMessage', messageTo({ contextId: `c-t${index + 1}` }));
      expect(hub.heard.at(-1)!.origin).toBe(origin);
    }
  });

  it('of an instance that is not configured any more are not there', async () => {
    const hub = await startAgents({ agents: { travel: { targets: [target('http://a.test')] } }, says: () => working() });
    await hub.rpc('SendMessage', messageTo());
    await hub.serve({ travel: { targets: [target('http://b.test')] } });
    expect((await hub.rpc('GetTask', { id: 't1' })).json.error?.code).toBe(-32001);
    expect(hub.records.at(-1)!.outcome.events).toContainEqual(
      expect.objectContaining({ type: 'refused', detail: expect.stringMatching(/^travel#\w{6}, which has the task/) }),
    );
  });

  it('are listed by the hub, each as its instance has it; one that is gone there is forgotten', async () => {
    let count = 0;
    const hub = await startAgents({
      says: ({ method, params }) => {
        if (method === 'SendMessage') return working(`t${++count}`);
        return params['id'] === 't1' ? { error: { code: -32001, message: 'gone' } } : { result: taskIs(String(params['id']), 'COMPLETED') };
      },
    });
    for (let n = 0; n < 2; n++) await hub.rpc('SendMessage', messageTo());
    await hub.rpc('SendMessage', messageTo(), { as: 'bob' });
    const { result } = (await hub.rpc('ListTasks', { historyLength: 3 })).json;
    expect((result!['tasks'] as JsonObject[]).map(({ id, status: state }) => [id, state])).toEqual([
      ['t2', { state: 'TASK_STATE_COMPLETED' }],
    ]);
    expect(hub.heard.filter(({ method }) => method === 'GetTask').map(({ params }) => params)).toEqual([
      expect.objectContaining({ historyLength: 3 }),
      expect.objectContaining({ historyLength: 3 }),
    ]);
    expect(await hub.store.get('travel', 't1')).toBeUndefined();
    expect(await hub.store.get('travel', 't3')).toBeDefined();
  });

  it('stand in the record of the call', async () => {
    const hub = await startAgents({ says: () => ({ events: [{ task: taskIs('t1', 'SUBMITTED') }, status('FAILED')] }) });
    await hub.rpc('SendStreamingMessage', messageTo());
    const [{ outcome }] = hub.records as [(typeof hub.records)[0]];
    expect([outcome.ok, outcome.failed]).toEqual([true, true]);
    expect(outcome.events).toContainEqual(expect.objectContaining({ type: 'task', detail: 't1 in c-t1: TASK_STATE_FAILED' }));
  });
});

describe('conversations', () => {
  it('of others cannot be entered', async () => {
    const hub = await startAgents({ says: () => working() });
    await hub.rpc('SendMessage', messageTo());
    const got = await hub.rpc('SendMessage', messageTo({ contextId: 'c-t1' }), { as: 'bob' });
    expect(got.json.error).toMatchObject({ code: -32602, message: expect.stringContaining('there is no such conversation of yours') });
    expect(hub.heard).toHaveLength(1);
  });
});

describe('what an agent cannot do', () => {
  const card = cardAt('http://travel.test', { capabilities: { streaming: false } });
  it.each<[string, JsonObject, number]>([
    ['SendStreamingMessage', messageTo(), -32004],
    ['SubscribeToTask', { id: 't1' }, -32004],
    ['CreateTaskPushNotificationConfig', { taskId: 't1', url: 'http://caller.test' }, -32003],
    ['ListTaskPushNotificationConfigs', { taskId: 't1' }, -32003],
    ['GetExtendedAgentCard', {}, -32004],
  ])('%s is refused as the agent would', async (method, params, code) => {
    const hub = await startAgents({ cards: { 'http://travel.test': card } });
    expect((await hub.rpc(method, params)).json.error?.code).toBe(code);
    expect(hub.heard).toEqual([]);
  });

  it('rules come first', async () => {
    const hub = await startAgents({
      cards: { 'http://travel.test': card },
      agents: {
        travel: {
          card: 'http://travel.test',
          access: [{ allow: ['*'] }, { deny: [{ operation: 'message/*', when: 'args.message.parts[0].text == "hello"' }] }],
        },
      },
    });
    const got = await hub.rpc('SendStreamingMessage', messageTo());
    expect([got.status, got.json.error?.code, got.text]).toEqual([403, -32603, expect.stringContaining('RULE_REFUSED')]);
  });
});

describe('an extended card', () => {
  it('is asked for each time, and shown as cards are', async () => {
    const hub = await startAgents({ says: () => ({ result: cardAt('http://travel.test', { description: 'For you.' }) }) });
    for (const n of [1, 2]) {
      const { result } = (await hub.rpc('GetExtendedAgentCard')).json;
      expect(result).toMatchObject({
        description: 'For you.',
        supportedInterfaces: [{ url: `${hub.url}/a2a/travel` }, {}, {}, {}],
        signatures: expect.any(Array),
      });
      expect(JSON.stringify(result)).not.toContain('travel.test');
      expect(hub.heard).toHaveLength(n);
    }
  });
});

describe('an instance that fails', () => {
  const firstFails = (error: GatewayError) => {
    let isFirst = true;
    return (heard: Heard): Said => {
      if (isFirst) {
        isFirst = false;
        throw error;
      }
      return heard.method === 'SendMessage' ? working() : { result: taskIs('t1', 'WORKING') };
    };
  };

  it.each<[string, GatewayError, number, number]>([
    ['a message that was sent is not sent again', new GatewayError('upstream_timeout'), 504, 1],
    ['one that was not is taken to the next', new GatewayError('upstream_unreachable', undefined, { unsent: true }), 200, 2],
    ['so is one that was turned away', new GatewayError('upstream_overloaded'), 200, 2],
  ])('%s', async (_, error, code, tries) => {
    const hub = await startAgents({ agents: PAIR, says: firstFails(error) });
    expect((await hub.rpc('SendMessage', messageTo())).status).toBe(code);
    expect(hub.heard).toHaveLength(tries);
    expect(new Set(methods(hub.heard)).size).toBe(tries);
  });

  it('questions about a task can be asked twice, and are asked nobody else', async () => {
    let fails = false;
    const hub = await startAgents({
      agents: PAIR,
      says: ({ method }) => {
        if (method === 'SendMessage') return working();
        fails = !fails;
        if (fails) throw new GatewayError('upstream_failed');
        return { result: taskIs('t1', 'WORKING') };
      },
    });
    await hub.rpc('SendMessage', messageTo());
    expect((await hub.rpc('GetTask', { id: 't1' })).status).toBe(200);
    const [{ origin }] = hub.heard as [Heard];
    expect(hub.heard.map((one) => [one.origin, one.method])).toEqual([
      [origin, 'SendMessage'],
      [origin, 'GetTask'],
      [origin, 'GetTask'],
    ]);
  });

  it('nobody is left', async () => {
    const hub = await startAgents({ agents: { travel: { targets: [target('http://a.test', { weight: 0 })] } } });
    const got = await hub.rpc('SendMessage', messageTo());
    expect([got.status, got.json.error?.message]).toEqual([503, expect.stringContaining('No instance of travel takes this call')]);
  });
});

describe('a price', () => {
  const agents = { travel: { card: 'http://travel.test', price: 0.5 } };

  it('is for messages, whether the agent does its work or not', async () => {
    const says = ({ method }: Heard): Said => (method === 'SendMessage' ? working() : { error: { code: -32002, message: 'no' } });
    const hub = await startAgents({ agents, says });
    await hub.rpc('SendMessage', messageTo());
    await hub.rpc('CancelTask', { id: 't1' });
    expect(hub.records.map(({ outcome }) => outcome.usage)).toEqual([{ cost: 0.5 }, undefined]);
  });

  it('is not for a message that was not sent', async () => {
    const says = (): Said => {
      throw new GatewayError('upstream_unreachable', undefined, { unsent: true });
    };
    const hub = await startAgents({ agents, says });
    expect((await hub.rpc('SendMessage', messageTo())).status).toBe(502);
    expect(hub.records.map(({ outcome }) => outcome.usage)).toEqual([undefined]);
  });
});

describe('a push configuration that comes with a message', () => {
  it('stands for the task that the message began', async () => {
    const hub = await startAgents({ says: () => working() });
    await hub.rpc('SendMessage', { ...messageTo(), ...HOOK });
    expect(await hub.store.pushes('travel', 't1')).toEqual([expect.objectContaining({ id: 'own', owner: 'alice', version: '1.0' })]);
  });

  it.each<[string, () => Said]>([
    ['there is no task', () => ({ result: { message: { messageId: 'r', role: 'ROLE_AGENT', parts: [] } } })],
    ['the agent says no', () => ({ error: { code: -32602, message: 'no' } })],
    [
      'it fails',
      () => {
        throw new GatewayError('upstream_failed');
      },
    ],
  ])('is forgotten where %s', async (_, says) => {
    const kept: string[] = [];
    const hub = await startAgents({
      says,
      store: (store) => ({ ...store, putPush: (config, most) => (kept.push(config.digest), store.putPush(config, most)) }),
    });
    await hub.rpc('SendMessage', { ...messageTo(), ...HOOK });
    expect(kept).toHaveLength(1);
    expect(await hub.store.pushByDigest(kept[0]!)).toBeUndefined();
  });
});
