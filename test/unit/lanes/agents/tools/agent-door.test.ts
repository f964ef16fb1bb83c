import { describe, expect, it } from 'vitest';
import { AgentError } from '../../../../../src/core/agents.ts';
import { GatewayError } from '../../../../../src/core/errors.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';
import type { ToolsReply } from '../../../../../src/core/tools.ts';
import type { Consumer } from '../../../../../src/core/consumer.ts';
import { createAgentDoor, type DoorParts } from '../../../../../src/lanes/agents/tools/agent-door.ts';
import type { Serving } from '../../../../../src/lanes/agents/calls/serving.ts';
import { toolCall } from '../../../pipeline/live-calls.ts';
import {
  agentOf,
  ALICE,
  BOB,
  cardAt,
  fakeSource,
  FLIGHTS,
  messageTo,
  startAgents,
  taskIs,
  type AgentsParts,
  type FakeSource,
  type Said,
} from '../start-agents.ts';

/** A tool of the agent `travel`, called as the tools lane does. */
async function use(parts: AgentsParts, tool: string, args: JsonObject, consumer: Consumer = ALICE) {
  const hub = await startAgents(parts);
  const source = hub.lane.tools('travel');
  const call = toolCall({ id: 'tool-call', consumer, input: { name: tool, arguments: args, params: {} } });
  const channel = { session: undefined, meta: {}, canRequest: false, send: () => undefined } as never;
  const reply = async (): Promise<ToolsReply> => source.call(call, tool, channel);
  return { hub, source, call, reply };
}
const STREAM: Said = {
  events: [
    { task: taskIs('t1', 'SUBMITTED') },
    { statusUpdate: { taskId: 't1', contextId: 'c-t1', status: { state: 'TASK_STATE_COMPLETED' } } },
  ],
};

describe('what a tool asks of its agent', () => {
  it('is a call of the agents lane by whoever calls the tool: with a record, and a task of his', async () => {
    const { hub, reply } = await use({ says: () => STREAM }, 'flights', { message: 'to Rome' });
    expect((await reply()).isError).not.toBe(true);
    expect(
      hub.records.map(({ call }) => [call.lane, call.operation, call.id, call.consumer.name, (call.input as { skill?: string }).skill]),
    ).toEqual([['agents', 'message/stream', 'tool-call', 'alice', 'flights']]);
    expect(await hub.store.get('travel', 't1')).toMatchObject({ owner: 'alice' });
    expect(hub.inside()).toBe(0);
  });

  it('is asked whole of an agent that does not stream', async () => {
    const cards = { 'http://travel.test': cardAt('http://travel.test', { capabilities: {} }) };
    const { hub, reply } = await use({ cards, says: () => ({ result: { task: taskIs('t1', 'COMPLETED') } }) }, 'flights', {
      message: 'to Rome',
    });
    await reply();
    expect(hub.heard.map(({ method }) => method)).toEqual(['SendMessage']);
  });

  it('is held to the rules of the agent', async () => {
    const agents = { travel: { card: 'http://travel.test', access: [{ consumers: ['alice'], allow: ['hotels'] }] } };
    const { hub, reply } = await use({ agents }, 'flights', { message: 'to Rome' });
    await expect(reply()).rejects.toMatchObject({ code: 'forbidden' });
    const other = await use({ agents }, 'flights', { message: 'to Rome' }, BOB);
    await expect(other.reply()).rejects.toMatchObject({ code: 'not_found' });
    expect([hub.heard, other.hub.heard, hub.inside(), other.hub.inside()]).toEqual([[], [], 0, 0]);
  });

  it('get and cancel are questions about the caller’s task', async () => {
    const says: AgentsParts['says'] = ({ method }) => (method === 'SendStreamingMessage' ? STREAM : { result: taskIs('t1', 'CANCELED') });
    const { hub, source, reply } = await use({ says }, 'flights', { message: 'to Rome' });
    await reply();
    const channel = { session: undefined, meta: {}, canRequest: false, send: () => undefined } as never;
    const ask = (tool: string, consumer: Consumer): Promise<ToolsReply> =>
      source.call(toolCall({ consumer, input: { name: tool, arguments: { task_id: 't1' }, params: {} } }), tool, channel);
    expect((await ask('cancel_task', ALICE)).isError).toBe(false);
    expect(hub.heard.at(-1)!.method).toBe('CancelTask');
    await ask('get_task', ALICE);
    expect(hub.heard.at(-1)!.method).toBe('GetTask');
    const before = hub.heard.length;
    expect(await ask('get_task', BOB)).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('Task not found') }] });
    expect(hub.heard).toHaveLength(before);
  });

  it('is an error in the words of the agent where it says no, and of the hub where the way fails', async () => {
    const said = await use({ says: () => ({ error: { code: -32004, message: 'Not on Sundays' } }) }, 'flights', { message: 'x' });
    expect(await said.reply()).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('Not on Sundays') }] });
    const failed = await use(
      {
        says: () => {
          throw new GatewayError('upstream_timeout');
        },
      },
      'flights',
      { message: 'x' },
    );
    await expect(failed.reply()).rejects.toMatchObject({ code: 'upstream_timeout' });
  });
});

describe('createAgentDoor', () => {
  const serving = { isOpen: () => true } as unknown as Serving;
  function door(source: FakeSource | undefined) {
    let agent = source === undefined ? undefined : agentOf({}, [{ source }]);
    const parts: DoorParts = {
      name: 'travel',
      enter: () => ({ agents: { agents: new Map(agent === undefined ? [] : [['travel', agent]]) } as never, leave: () => undefined }),
      serving,
      base: () => 'https://hub.test',
      current: () => agent,
      subscribe: () => () => undefined,
    };
    return { door: createAgentDoor(parts), change: (next: typeof agent) => void (agent = next) };
  }

  it('shows the card with all skills and without the agent’s addresses; made anew only when something changed', () => {
    const source = fakeSource('travel');
    const { door: one, change } = door(source);
    const first = one.snapshot();
    expect(first).toMatchObject({ state: 'ready', card: { skills: [{ id: 'flights' }, { id: 'hotels' }] } });
    expect(JSON.stringify(first)).not.toContain('travel.test');
    expect(one.snapshot()).toBe(first);
    source.snapshot = { ...source.snapshot, version: '2', card: cardAt('http://travel.test', { skills: [FLIGHTS] }) };
    const second = one.snapshot();
    expect([second.card?.['skills'], second.version === first.version]).toEqual([[expect.objectContaining({ id: 'flights' })], false]);
    change(agentOf({ description: 'Ours.' }, [{ source }]));
    expect(one.snapshot().card).toMatchObject({ description: 'Ours.' });
  });

  it('says why there is no card', () => {
    const source = fakeSource('travel', undefined, { state: 'failed', error: 'gone', card: undefined });
    const snapshot = door(source).door.snapshot();
    expect(snapshot).toMatchObject({ state: 'failed', error: 'gone' });
    expect(snapshot).not.toHaveProperty('card');
    expect(door(undefined).door.snapshot()).toEqual({ state: 'loading', version: '' });
  });

  it('an agent that is gone is not there', async () => {
    const sending = door(undefined).door.send(toolCall(), messageTo(), new AbortController().signal);
    await expect(Array.fromAsync(sending)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('waits for the first card', async () => {
    const source = fakeSource('travel', undefined, { state: 'loading', card: undefined });
    await expect(Array.fromAsync(door(source).door.send(toolCall(), messageTo(), new AbortController().signal))).rejects.toBeInstanceOf(
      Error,
    );
    expect(source.refreshed).toBe(1);
  });

  /** A door to an agent behind the lane, whose tasks are all the caller's. */
  async function doorTo(says: NonNullable<AgentsParts['says']>) {
    const hub = await startAgents({ says });
    const book = { owned: async () => ({ instance: 'travel' }), instanceOf: async () => undefined, observe: () => undefined };
    const push = { inline: async () => undefined };
    let inside = 0;
    const made = createAgentDoor({
      name: 'travel',
      enter: () => ((inside += 1), { agents: hub.generation(), leave: () => void (inside -= 1) }),
      serving: { ...serving, http: hub.host.http, log: hub.host.log, ledger: hub.host.ledger, book, push } as never,
      base: () => 'https://hub.test',
      current: () => hub.generation().agents.get('travel'),
      subscribe: () => () => undefined,
    });
    return { hub, made, inside: () => inside };
  }

  it('throws what the agent says as it said it', async () => {
    const { made, inside } = await doorTo(() => ({ error: { code: -32004, message: 'no' } }));
    const asking = made.get(toolCall({ consumer: ALICE }), 't', new AbortController().signal);
    await expect(asking).rejects.toBeInstanceOf(AgentError);
    await expect(asking).rejects.toMatchObject({ code: -32004, message: 'no' });
    expect(inside()).toBe(0);
  });

  it('is called off by the signal that it is given, and by nothing of the tool call', async () => {
    const { promise: asked, resolve: isAsked } = Promise.withResolvers<void>();
    let calledOff = false;
    const { hub, made, inside } = await doorTo(
      ({ signal }) =>
        new Promise<never>((_, reject) => {
          signal!.addEventListener('abort', {
            handleEvent() {
              calledOff = true;
              reject(new GatewayError('client_closed'));
            },
          });
          isAsked();
        }),
    );
    const leaving = new AbortController();
    const call = toolCall({ consumer: ALICE });
    const asking = Array.fromAsync(made.send(call, messageTo(), leaving.signal));
    await asked;
    call.abort(new GatewayError('client_closed'));
    expect(calledOff).toBe(false);
    leaving.abort();
    await expect(asking).rejects.toMatchObject({ code: 'client_closed' });
    expect([hub.records.map(({ outcome }) => outcome.error?.code), inside()]).toEqual([['client_closed'], 0]);
  });
});
