import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { AgentError } from '../../../../../src/core/agents.ts';
import type { Channel } from '../../../../../src/core/contracts/tool-source.ts';
import { GatewayError } from '../../../../../src/core/errors.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';
import type { ToolsReply } from '../../../../../src/core/tools.ts';
import { createDemoTasks } from '../../../../../src/demo/agent-tasks.ts';
import { AgentToolSource, type AgentDoor, type DoorSnapshot } from '../../../../../src/lanes/agents/tools/agent-tools.ts';
import type { Patience } from '../../../../../src/lanes/agents/tools/ask-agent.ts';
import { taskTools } from '../../../../../src/lanes/agents/tools/skill-tools.ts';
import { toolCall } from '../../../pipeline/live-calls.ts';

const CARD = {
  name: 'Echo',
  description: 'Repeats and counts',
  skills: [
    { id: 'echo', name: 'Echo', description: 'Repeats' },
    { id: 'count', name: 'Count', description: 'Counts' },
  ],
};

/** The demo agent without its wires. */
function demoDoor(
  paceMs: number,
  more: Partial<AgentDoor> = {},
): AgentDoor & { readonly sent: JsonObject[]; readonly cancelled: string[] } {
  const tasks = createDemoTasks(paceMs);
  const sent: JsonObject[] = [];
  const cancelled: string[] = [];
  return {
    name: 'echo',
    sent,
    cancelled,
    snapshot: () => ({ state: 'ready', card: CARD, version: '1' }),
    subscribe: () => () => {},
    async *send(_call, params) {
      sent.push(params);
      yield* tasks.stream(params);
    },
    get: async (_call, id) => tasks.get({ id }),
    cancel(_call, id) {
      cancelled.push(id);
      return tasks.cancel({ id });
    },
    ...more,
  };
}

/** A door whose agent says just this. */
const saying = (...events: readonly (JsonObject | Error)[]): Pick<AgentDoor, 'send'> => ({
  async *send() {
    for (const event of events) {
      if (event instanceof Error) throw event;
      yield event;
    }
  },
});

interface Called {
  readonly reply: Promise<ToolsReply>;
  readonly notes: JsonObject[];
  cancel(): void;
}

function use(
  door: AgentDoor,
  name: string,
  args: JsonObject,
  { meta = {}, ...patience }: Partial<Patience> & { meta?: JsonObject } = {},
): Called {
  const notes: JsonObject[] = [];
  const call = toolCall({ input: { name, arguments: args, params: {} } });
  const channel = {
    session: undefined,
    protocolVersion: '2025-11-25',
    clientCapabilities: {},
    clientInfo: undefined,
    meta,
    canRequest: false,
    notify: (method, params) => notes.push({ method, ...params }),
    request: () => Promise.reject(new Error('nobody is asked')),
  } satisfies Channel;
  const reply = new AgentToolSource(door, { askMs: 1, ...patience }).call(call, name, channel);
  return { reply, notes, cancel: () => call.abort(new Error('the client cancelled the request')) };
}

const fits = new Ajv2020().compile(taskTools(50)[0]?.definition.outputSchema ?? false);
const structure = async ({ reply }: Called) => {
  const { structuredContent } = await reply;
  expect(fits(structuredContent), JSON.stringify(fits.errors)).toBe(true);
  return structuredContent as JsonObject & { taskId: string; contextId: string };
};
const textOf = ({ content = [] }: ToolsReply) =>
  content.map((block) => (block.type === 'text' ? block.text : `[${block.type}]`)).join('\n');

const task = (state: string, more: object = {}) => ({ task: { id: 't 1', contextId: 'c1', status: { state }, ...more } });
const part = (text: string) => ({ parts: [{ text }] });

describe('a skill as a tool', () => {
  it('sends the message with its skill, conversation and data, and gives text and structure of the artifacts', async () => {
    const door = demoDoor(1);
    const reply = await use(door, 'echo', { message: 'Hello', data: { a: 1 }, context_id: 'c9' }).reply;
    expect(door.sent).toMatchObject([
      { message: { role: 'ROLE_USER', contextId: 'c9', metadata: { skill: 'echo' }, parts: [{ text: 'Hello' }, { data: { a: 1 } }] } },
    ]);
    expect(reply).toEqual({
      content: [
        { type: 'text', text: 'You said: Hello' },
        { type: 'text', text: '{"a":1}' },
      ],
      structuredContent: {
        taskId: expect.any(String),
        contextId: 'c9',
        state: 'completed',
        artifacts: [{ artifactId: 'echo', name: 'echo', text: 'You said: Hello', data: [{ a: 1 }] }],
      },
    });
  });

  it('tells status and chunks as progress to a caller that gave a token, and to no other', async () => {
    const told = use(demoDoor(1), 'count', { message: 'to 3' }, { meta: { progressToken: 0 } });
    expect(textOf(await told.reply)).toBe('1\n2\n3\n');
    expect(told.notes.map(({ progress, message }) => [progress, message])).toEqual([
      [1, expect.stringMatching(/^Task [0-9a-f-]+ is submitted\.$/)],
      [2, expect.stringMatching(/ is working\.$/)],
      [3, '1\n'],
      [4, '2\n'],
      [5, '3\n'],
      [6, expect.stringMatching(/ is completed\.$/)],
    ]);
    expect(new Set(told.notes.map(({ method, progressToken }) => `${method as string} ${progressToken as number}`))).toEqual(
      new Set(['notifications/progress 0']),
    );
    const silent = use(demoDoor(1), 'count', { message: 'to 3' });
    await silent.reply;
    expect(silent.notes).toEqual([]);
  });

  it('comes back with what the agent asks, and goes on with the task', async () => {
    const door = demoDoor(1);
    const asks = use(door, 'count', { message: 'count' });
    const { taskId, ...rest } = await structure(asks);
    expect(rest).toMatchObject({ state: 'input-required', message: expect.stringContaining('How far') });
    expect(await asks.reply).not.toHaveProperty('isError');
    expect(textOf(await asks.reply)).toContain(`with the answer as message and task_id "${taskId}"`);
    const done = await structure(use(door, 'count', { message: '2', task_id: taskId }));
    expect(done).toMatchObject({ taskId, state: 'completed', artifacts: [{ text: '1\n2\n' }] });
  });

  it('waits for nothing more when a new task asks at once, though its stream stays open', async () => {
    const left = Promise.withResolvers<void>();
    const door = demoDoor(1, {
      async *send(_call, _params, signal) {
        signal.addEventListener('abort', () => left.resolve());
        yield task('TASK_STATE_INPUT_REQUIRED');
        await left.promise;
      },
    });
    expect(await structure(use(door, 'echo', { message: 'x' }))).toMatchObject({ taskId: 't 1', state: 'input-required' });
  });

  it('reads on when a task that it goes on with is first shown as it stood', async () => {
    const done = { statusUpdate: { taskId: 't 1', contextId: 'c1', status: { state: 'TASK_STATE_COMPLETED' } } };
    const door = demoDoor(1, saying(task('TASK_STATE_INPUT_REQUIRED'), done));
    expect(await structure(use(door, 'echo', { message: 'x', task_id: 't 1' }))).toMatchObject({ state: 'completed' });
  });

  it('says that a login is needed', async () => {
    const status = { state: 'TASK_STATE_AUTH_REQUIRED', message: part('Log in at https://example.com/login') };
    const reply = await use(demoDoor(1, saying({ task: { id: 't1', contextId: 'c1', status } })), 'echo', { message: 'x' }).reply;
    expect(textOf(reply)).toMatch(/^Log in at https:\/\/example.com\/login\nThe agent needs a login .* task_id "t1"/);
    expect(reply.structuredContent).toMatchObject({ state: 'auth-required' });
  });

  it.each(['FAILED', 'REJECTED', 'CANCELED'])('is an error when the task ends %s', async (state) => {
    const ended = { statusUpdate: { taskId: 't1', contextId: 'c1', status: { state: `TASK_STATE_${state}`, message: part('No luck') } } };
    const reply = await use(demoDoor(1, saying(task('TASK_STATE_WORKING'), ended)), 'echo', { message: 'x' }).reply;
    expect(reply).toMatchObject({ isError: true, structuredContent: { taskId: 't1', state: state.toLowerCase(), message: 'No luck' } });
    expect(textOf(reply)).toBe(`No luck\nThe agent ended the task as ${state.toLowerCase()}.`);
  });

  it('takes a bare message, with files and links in their places', async () => {
    const parts = [
      { text: 'See ' },
      { text: 'this:' },
      { raw: 'AAEC', mediaType: 'image/png' },
      { raw: Buffer.from('a,b').toString('base64'), mediaType: 'text/csv', filename: 'a b.csv' },
      { raw: 'AAEC', filename: 'x.bin' },
      { url: 'https://example.com/files/report.pdf', mediaType: 'application/pdf' },
      { data: [1] },
      { text: 'Bye' },
    ];
    const reply = await use(demoDoor(1, saying({ message: { messageId: 'm', contextId: 'c1', role: 'ROLE_AGENT', parts } })), 'echo', {
      message: 'x',
    }).reply;
    expect(reply.content).toEqual([
      { type: 'text', text: 'See this:' },
      { type: 'image', data: 'AAEC', mimeType: 'image/png' },
      { type: 'resource', resource: { uri: 'a2a://echo/c1/message/3/a%20b.csv', mimeType: 'text/csv', text: 'a,b' } },
      { type: 'resource', resource: { uri: 'a2a://echo/c1/message/4/x.bin', mimeType: 'application/octet-stream', blob: 'AAEC' } },
      { type: 'resource_link', uri: 'https://example.com/files/report.pdf', name: 'report.pdf', mimeType: 'application/pdf' },
      { type: 'text', text: '[1]' },
      { type: 'text', text: 'Bye' },
    ]);
    expect(reply.structuredContent).toEqual({ contextId: 'c1', message: 'See this:Bye', data: [[1]], artifacts: [] });
  });

  it('says so when the agent answers nothing', async () => {
    expect(await use(demoDoor(1, saying()), 'echo', { message: 'x' }).reply).toMatchObject({ isError: true });
  });

  it.each([
    [{}, 'message is missing'],
    [{ message: '' }, 'message is missing'],
    [{ message: 'x', task_id: 7 }, 'task_id must be'],
    [{ message: 'x', data: [] }, 'data must be an object'],
    [{ message: 'x', taskId: 't' }, 'no argument "taskId"'],
  ])('sends nothing with the arguments %j', async (args, words) => {
    const door = demoDoor(1);
    const reply = await use(door, 'echo', args).reply;
    expect([reply.isError, textOf(reply), door.sent]).toEqual([true, expect.stringContaining(words), []]);
  });
});

describe('a task that outlives its call', () => {
  it('is said to be at work, goes on at the agent, and is got by get_task and cancelled by cancel_task', async () => {
    const door = demoDoor(20);
    const late = use(door, 'count', { message: 'to 20' }, { resultMs: 50 });
    const { taskId, state } = await structure(late);
    expect(state).toBe('working');
    expect(textOf(await late.reply)).toContain(`Call get_task with task_id "${taskId}"`);
    expect(await structure(use(door, 'get_task', { task_id: taskId, wait_seconds: 0 }))).toMatchObject({ taskId, state: 'working' });
    const stopped = await use(door, 'cancel_task', { task_id: taskId }).reply;
    expect(stopped).toMatchObject({ isError: false, structuredContent: { state: 'canceled' } });
    const again = await use(door, 'cancel_task', { task_id: taskId }).reply;
    expect([again.isError, textOf(again)]).toEqual([
      true,
      expect.stringMatching(/ended already\. It cannot be cancelled any more: call get_task/),
    ]);
    expect(await use(door, 'get_task', { task_id: taskId }).reply).toMatchObject({
      isError: true,
      structuredContent: { state: 'canceled' },
    });
  });

  it('is waited for by get_task, which tells its changes', async () => {
    const door = demoDoor(10);
    const { taskId } = await structure(use(door, 'count', { message: 'to 3' }, { resultMs: 1 }));
    const waiting = use(door, 'get_task', { task_id: taskId, wait_seconds: 30 }, { meta: { progressToken: 'p' } });
    expect(await structure(waiting)).toMatchObject({ state: 'completed', artifacts: [{ text: '1\n2\n3\n' }] });
    expect(waiting.notes).toMatchObject([{ progressToken: 'p', message: `Task ${taskId} is completed.` }]);
  });

  it('is asked after when the agent does not stream, or its stream breaks off', async () => {
    const door = demoDoor(5);
    const whole: AgentDoor['send'] = async function* (call, params, signal) {
      for await (const event of door.send(call, params, signal)) {
        yield event;
        return;
      }
    };
    const broken: AgentDoor['send'] = async function* (...args) {
      yield* whole(...args);
      throw new GatewayError('upstream_cut');
    };
    for (const send of [whole, broken])
      expect(await structure(use({ ...door, send }, 'count', { message: 'to 3' }))).toMatchObject({
        state: 'completed',
        artifacts: [{ text: '1\n2\n3\n' }],
      });
  });

  it('is named in the error when the agent cannot be reached any more', async () => {
    const door = demoDoor(1, {
      ...saying(task('TASK_STATE_WORKING')),
      get: () => Promise.reject(new GatewayError('upstream_unreachable', undefined, { detail: 'no route' })),
    });
    await expect(use(door, 'echo', { message: 'x' }).reply).rejects.toMatchObject({
      code: 'upstream_unreachable',
      message: expect.stringContaining('call get_task with task_id "t 1"'),
      detail: 'no route',
    });
  });

  it('is not asked after when the hub itself ends the call', async () => {
    const door = demoDoor(1, saying(task('TASK_STATE_WORKING'), new GatewayError('rule_refused', 'No.', { rule: 'r1' })));
    const get = () => Promise.reject(new Error('was asked'));
    await expect(use({ ...door, get }, 'echo', { message: 'x' }).reply).rejects.toMatchObject({
      code: 'rule_refused',
      rule: 'r1',
      message: expect.stringMatching(/^No\. .*get_task/),
    });
  });

  it('has no end before it has a name: an answer that would be lost is waited for', async () => {
    const named = Promise.withResolvers<void>();
    const door = demoDoor(1, {
      async *send() {
        await named.promise;
        yield { message: { messageId: 'm', role: 'ROLE_AGENT', ...part('At last') } };
      },
    });
    const { reply } = use(door, 'echo', { message: 'x' }, { resultMs: 1 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    named.resolve();
    expect(textOf(await reply)).toBe('At last');
  });
});

describe('a call that its client cancels', () => {
  const gone = { code: 'client_closed' };

  it('leaves the task alone, which the caller knows from the first progress message', async () => {
    const left = Promise.withResolvers<void>();
    const door = demoDoor(60_000);
    const send: AgentDoor['send'] = (call, params, signal) => {
      signal.addEventListener('abort', () => left.resolve());
      return door.send(call, params, signal);
    };
    const call = use({ ...door, send }, 'count', { message: 'to 20' }, { meta: { progressToken: 1 } });
    await expect.poll(() => call.notes.length).toBeGreaterThan(1);
    call.cancel();
    await expect(call.reply).rejects.toMatchObject(gone);
    await left.promise;
    const [, taskId = ''] = /^Task (\S+) is submitted\.$/.exec(call.notes[0]?.['message'] as string) ?? [];
    expect(door.cancelled).toEqual([]);
    const waiting = use(door, 'get_task', { task_id: taskId });
    waiting.cancel();
    await expect(waiting.reply).rejects.toMatchObject(gone);
    expect(await structure(use(door, 'get_task', { task_id: taskId, wait_seconds: 0 }))).toMatchObject({ state: 'working' });
  });

  it('reads on until the task has a name, so that the lane knows whose it is', async () => {
    const named = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    let isLeft = false;
    const door = demoDoor(1, {
      async *send(_call, _params, signal) {
        signal.addEventListener('abort', () => ((isLeft = true), left.resolve()));
        await named.promise;
        yield task('TASK_STATE_WORKING');
        await left.promise;
      },
    });
    const call = use(door, 'echo', { message: 'x' });
    call.cancel();
    await expect(call.reply).rejects.toMatchObject(gone);
    expect(isLeft).toBe(false);
    named.resolve();
    await left.promise;
  });
});

describe('what an agent refuses', () => {
  it('is a result that says what to do', async () => {
    const reply = await use(demoDoor(1), 'get_task', { task_id: 'none' }).reply;
    expect(reply).toMatchObject({ isError: true });
    expect(textOf(reply)).toBe('The agent refuses: The demo agent has no such task. Check the task_id, or begin anew without one.');
    const cut = await use(demoDoor(1, saying(task('TASK_STATE_WORKING'), new AgentError(-32006, 'Broken'))), 'echo', { message: 'x' })
      .reply;
    expect(cut).toMatchObject({ isError: true, structuredContent: { taskId: 't 1', contextId: 'c1', state: 'working', artifacts: [] } });
    expect(textOf(cut)).toBe('The agent refuses: Broken.');
  });

  it('is thrown on when it is the hub that refuses', async () => {
    const refused = new GatewayError('limit_exceeded');
    await expect(use(demoDoor(1, saying(refused)), 'echo', { message: 'x' }).reply).rejects.toBe(refused);
  });

  it.each([
    ['get_task', {}, 'task_id is missing'],
    ['get_task', { task_id: 't', wait_seconds: 51 }, 'from 0 to 50'],
    ['get_task', { task_id: 't', wait_seconds: '5' }, 'from 0 to 50'],
    ['cancel_task', { task_id: '' }, 'task_id is missing'],
  ])('is not even asked by %s with %j', async (name, args, words) => {
    expect(textOf(await use(demoDoor(1), name, args).reply)).toContain(words);
  });
});

describe('the source of an agent', () => {
  it('follows the card, and keeps its version while nothing that it shows changes', () => {
    let now: DoorSnapshot = { state: 'loading', version: '1' };
    let told = 0;
    const listeners: (() => void)[] = [];
    const source = new AgentToolSource(demoDoor(1, { snapshot: () => now, subscribe: (listener) => (listeners.push(listener), () => {}) }));
    source.subscribe(({ type }) => (told += type === 'lists' ? 1 : 0));
    expect(source.snapshot).toMatchObject({ state: 'loading', tools: [] });
    now = { state: 'ready', card: CARD, version: '2' };
    listeners.forEach((listener) => listener());
    const { version, tools, title, instructions } = source.snapshot;
    expect([tools.map(({ definition }) => definition.name), title, instructions, told]).toEqual([
      ['echo', 'count', 'get_task', 'cancel_task'],
      'Echo',
      'Repeats and counts',
      1,
    ]);
    now = { state: 'ready', card: { ...CARD, provider: {} }, version: '3' };
    expect(source.snapshot.version).toBe(version);
    now = { state: 'failed', error: 'gone', card: CARD, version: '4' };
    expect(source.snapshot).toMatchObject({ state: 'failed', error: 'gone', tools: { length: 4 } });
    expect(source.snapshot.version).not.toBe(version);
  });

  it('knows no tool and no operation but its own', async () => {
    await expect(use(demoDoor(1), 'fly', { message: 'x' }).reply).rejects.toMatchObject({ code: -32602, outcome: 'tool_unknown' });
    const call = toolCall({ operation: 'prompts/get' });
    await expect(new AgentToolSource(demoDoor(1)).call(call, 'echo', {} as Channel)).rejects.toMatchObject({ code: -32601 });
  });
});
