import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CallRecord } from '../../../src/core/contracts/call-log.ts';
import { askAdmin } from '../../support/ask-admin.ts';
import { connectSdk, openLegacySession, postModern, SDK_MODES } from '../../support/mcp-clients.ts';
import { consumer, keyOf } from '../traffic/_limits.ts';
import { rpc, type Stage, startStage } from './_stage.ts';

const bearer = (as: string): Record<string, string> => ({ authorization: `Bearer ${keyOf(as)}` });

let stage: Stage;
beforeAll(async () => {
  stage = await startStage({
    agents: [{}, { version: '0.3' }],
    config: (modern, legacy) => ({
      agents: {
        desk: {
          card: modern.url,
          access: [
            { consumers: ['alice'], allow: ['*'] },
            { consumers: ['ivo'], allow: [{ skill: 'echo' }] },
          ],
        },
        old: { card: legacy.url },
        counted: { card: modern.url, policies: [{ 'rate-limit': { requests: '1/h' } }] },
      },
      consumers: [consumer('alice'), consumer('ivo'), consumer('bob')],
    }),
    files: {
      'virtual-servers/helpers.yaml': [
        'description: Helpers',
        'tools:',
        '  - { from: desk, include: [echo] }',
        'overrides:',
        '  desk.echo: { name: repeat, description: Repeats what it is told }',
      ].join('\n'),
    },
  });
});
afterAll(() => stage?.stop());

/** A result as tests look into it. */
interface Result {
  readonly isError?: boolean;
  readonly content: { readonly text?: string }[];
  readonly structuredContent: { readonly taskId: string; readonly state: string; readonly artifacts: { readonly text?: string }[] };
}

describe.each(SDK_MODES)('the skills of agents as tools (SDK %o)', (mode) => {
  const connect = (path: string, as = 'alice') => connectSdk(`${stage.hub.url}${path}`, mode, bearer(as));
  const names = async (path: string, as: string): Promise<string[]> => {
    const client = await connect(path, as);
    try {
      return (await client.listTools()).tools.map(({ name }) => name);
    } finally {
      await client.close();
    }
  };

  it('are listed, as far as the consumer may use them', async () => {
    expect(await names('/mcp/desk', 'alice')).toEqual(['echo', 'count', 'get_task', 'cancel_task']);
    expect(await names('/mcp/desk', 'ivo')).not.toContain('count');
    expect(await names('/mcp/desk', 'ivo')).toContain('echo');
    expect(await names('/mcp/old', 'bob')).toEqual(['echo', 'count', 'get_task', 'cancel_task']);
    const all = await names('/mcp', 'bob');
    expect(all).toContain('old_echo');
    expect(all.filter((name) => name.startsWith('desk_'))).toEqual([]);
    expect(await names('/mcp/helpers', 'bob')).toEqual(['repeat']);
  });

  it.each([
    ['/mcp/desk', 'echo'],
    ['/mcp/old', 'echo'],
    ['/mcp', 'desk_echo'],
    ['/mcp/helpers', 'repeat'],
  ])('are called at %s, with progress', async (path, name) => {
    const client = await connect(path);
    const told: string[] = [];
    try {
      const onprogress = ({ message }: { message?: string }): void => void told.push(message ?? '');
      const result = (await client.callTool({ name, arguments: { message: 'one two three' } }, { onprogress })) as unknown as Result;
      expect(result.isError).toBeFalsy();
      expect(result.structuredContent).toMatchObject({ state: 'completed', taskId: expect.any(String) });
      expect(result.content.map(({ text }) => text).join('')).toMatch(/one\s*two\s*three/);
      expect(told.join(' ')).toMatch(/one.*two.*three/);
    } finally {
      await client.close();
    }
    const agent = stage.agents[path === '/mcp/old' ? 1 : 0]!;
    expect(agent.heard.at(-1)!.params.message.metadata).toMatchObject({ skill: 'echo' });
  });

  it('a task that asks is gone on with, and get_task says how it stands', async () => {
    const client = await connect('/mcp/desk');
    const call = async (name: string, args: object): Promise<Result> =>
      (await client.callTool({ name, arguments: { ...args } })) as unknown as Result;
    try {
      const asked = await call('echo', { message: 'ask me' });
      expect(asked.structuredContent.state).toBe('input-required');
      const { taskId } = asked.structuredContent;
      expect(asked.content.at(-1)!.text).toContain(taskId);
      expect((await call('get_task', { task_id: taskId, wait_seconds: 0 })).structuredContent.state).toBe('input-required');
      const done = await call('echo', { message: 'here', task_id: taskId });
      expect(done.structuredContent).toMatchObject({ taskId, state: 'completed' });
      // The same task, seen by the agent's own door.
      const { result } = await rpc(stage.hub, 'desk', 'GetTask', { id: taskId }, { as: 'alice' });
      expect(result.status.state).toBe('TASK_STATE_COMPLETED');
    } finally {
      await client.close();
    }
    const foreign = await connect('/mcp/desk', 'ivo');
    try {
      const { taskId } = ((await rpc(stage.hub, 'desk', 'ListTasks', {}, { as: 'alice' })).result.tasks as { id: string }[]).map(
        ({ id }) => ({ taskId: id }),
      )[0]!;
      const told = (await foreign.callTool({ name: 'get_task', arguments: { task_id: taskId } })) as unknown as Result;
      expect([told.isError, told.content[0]!.text]).toEqual([true, expect.stringMatching(/not found/i)]);
    } finally {
      await foreign.close();
    }
  });

  it('what the agent refuses is a result that says so', async () => {
    const client = await connect('/mcp/desk');
    try {
      const told = (await client.callTool({ name: 'echo', arguments: { message: 'refuse -32004' } })) as unknown as Result;
      expect(told.isError).toBe(true);
      expect(JSON.stringify(told)).not.toContain(`:${stage.agents[0]!.server.port}`);
    } finally {
      await client.close();
    }
  });
});

describe('hidden skills', () => {
  it('are unknown tools, byte for byte, in both eras', async () => {
    const masked = (text: string): string =>
      text
        .replaceAll('count', 'NAME')
        .replaceAll('cound', 'NAME')
        .replace(/"id":\d+/, '"id":N');
    const call = (name: string) => ({ name, arguments: { message: 'hello' } });
    const session = await openLegacySession(`${stage.hub.url}/mcp/desk`, { headers: bearer('ivo') });
    const pairs = [
      await Promise.all(
        ['count', 'cound'].map((name) => postModern(`${stage.hub.url}/mcp/desk`, 'tools/call', call(name), { headers: bearer('ivo') })),
      ),
      [await session.request('tools/call', call('count')), await session.request('tools/call', call('cound'))],
    ];
    for (const [hidden, unknown] of pairs) {
      expect(hidden!.error).toMatchObject({ code: -32602 });
      expect(masked(hidden!.text)).toBe(masked(unknown!.text));
    }
  });
});

describe('calls of tools', () => {
  it('are calls of the agent: its limits hold, and records tell of both', async () => {
    const call = () =>
      postModern(
        `${stage.hub.url}/mcp/counted`,
        'tools/call',
        { name: 'echo', arguments: { message: 'hello' } },
        { headers: bearer('bob') },
      );
    const first = await call();
    expect(first.result).not.toMatchObject({ isError: true });
    const second = await call();
    expect(second.text).toMatch(/1 request/);
    expect(
      (
        await rpc(
          stage.hub,
          'counted',
          'SendMessage',
          { message: { messageId: 'm', role: 'ROLE_USER', parts: [{ text: 'x' }] } },
          { as: 'bob' },
        )
      ).status,
    ).toBe(429);
    const records = async (): Promise<string[]> => {
      const { body } = await askAdmin(stage.hub, 'GET', '/calls?route=counted&consumer=bob&limit=100');
      return (body.items as CallRecord[]).map(({ lane, operation, outcome }) => `${lane} ${operation} ${outcome}`).toSorted();
    };
    await expect.poll(records).toEqual(expect.arrayContaining(['agents message/stream ok', 'tools tools/call ok']));
  });

  it('follow a card that changes', async () => {
    const { hub, agents } = stage;
    const agent = agents[1]!;
    agent.card = { ...agent.card, skills: [{ id: 'sing', name: 'Sing', description: 'Sings', tags: [] }] };
    await askAdmin(hub, 'POST', '/agents/old/refresh');
    const listed = await postModern(`${hub.url}/mcp/old`, 'tools/list', {}, { headers: bearer('bob') });
    expect((listed.result!['tools'] as { name: string }[]).map(({ name }) => name)).toEqual(['sing', 'get_task', 'cancel_task']);
  });
});
