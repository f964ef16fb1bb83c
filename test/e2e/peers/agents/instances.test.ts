import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askAdmin } from '../../../support/ask-admin.ts';
import { type Hub, startHub } from '../../../support/start-hub.ts';
import { connect, type Peer } from './client.ts';
import { answerOf, isUnderWay, listen, say, stateOf, taskOf } from './conversation.ts';
import { type FixtureAgent, startFixtureAgent } from './fixture-agent.ts';
import { consumerOf } from './stage.ts';

const LOAD = 4;
const MESSAGES = 1_000;
const SPEAKS = { versions: ['1.0'], bindings: ['JSONRPC'] } as const;
const NAMES = ['one', 'two', 'three', 'four'] as const;
type Name = (typeof NAMES)[number];

describe('several instances behind one agent', () => {
  const instances = {} as Record<Name, FixtureAgent>;
  const alice = consumerOf('alice');
  let hub: Hub;

  beforeAll(async () => {
    for (const name of NAMES) instances[name] = await startFixtureAgent({ ...SPEAKS, name });
    hub = await startHub({ files: { 'hubgate.yaml': configWith([{ card: instances.three.url }]) } });
  });
  afterAll(async () => {
    await hub?.stop();
    for (const name of NAMES) await instances[name]?.kill();
  });

  function configWith(growing: readonly unknown[]): string {
    const { one, two, three, four } = instances;
    return JSON.stringify({
      agents: {
        pair: {
          targets: [{ card: one.url }, { card: two.url }],
          balance: 'round-robin',
          breaker: { failures: 1, open: '300ms' },
          health: { interval: '250ms', unhealthyAfter: 1 },
        },
        canary: { targets: [{ card: three.url }, { card: four.url, when: 'request.headers["x-canary"] == "yes"' }] },
        shared: {
          targets: [
            { card: three.url, weight: 90 },
            { card: four.url, weight: 10 },
          ],
        },
        growing: { targets: growing, balance: 'round-robin' },
      },
      consumers: [alice.entry],
    });
  }

  const connected = (agent: string): Promise<Peer> =>
    connect({ base: `${hub.url}/a2a/${agent}`, authorization: `Bearer ${alice.key}` }, { version: '1.0', binding: 'JSONRPC' });

  /** Which instance answers. */
  async function who(
    { client, options }: Peer,
    more: Parameters<typeof say>[1] = {},
    headers: Record<string, string> = {},
  ): Promise<string> {
    const serviceParameters = { ...options.serviceParameters, ...headers };
    return answerOf(taskOf(await client.sendMessage(say('who', more), { ...options, serviceParameters })));
  }

  /** What the status says of each instance of an agent, in the order of the configuration. */
  async function health(agent: string): Promise<readonly string[]> {
    const { body } = await askAdmin(hub, 'GET', '/status');
    const found = body.agents.find(({ name }: { name: string }) => name === agent);
    return found.instances.map((one: { health: string }) => one.health);
  }

  it('killing one of two costs at most one call; it is ejected, probed and let in again, and tasks of the other do not notice', async () => {
    const peer = await connected('pair');
    const { client, options } = peer;
    const begin = async (text: string, wanted: Name) => {
      for (;;) {
        const task = taskOf(await client.sendMessage(say(text), options));
        const { id: taskId, contextId } = task;
        // Where the conversation is, says another message in it.
        if ((await who(peer, { message: { contextId } })) === wanted) return { taskId, contextId };
      }
    };
    const waiting = await begin('input', 'two');
    const longs = await Promise.all([0, 1].map(() => listen(client.sendMessageStream(say('long 40'), options), isUnderWay)));
    const onTwo = [];
    for (const { taskId, contextId } of longs) if ((await who(peer, { message: { contextId } })) === 'two') onTwo.push(taskId);
    expect(onTwo).toHaveLength(1);
    const heard = listen(client.resubscribeTask({ id: onTwo[0]!, tenant: '' }, options));

    const load = startLoad(() => who(peer));
    await load.answers(100);
    expect(new Set(load.seen)).toEqual(new Set(['one', 'two']));
    // A call that is being worked on is lost with its instance, for nobody may do it twice: here that is one.
    while (instances.one.inFlight() > 1) await new Promise(setImmediate);
    await instances.one.kill();
    const killed = load.seen.length;
    await load.answers(200);
    expect(load.failures.length, load.failures.join('; ')).toBeLessThanOrEqual(1);
    expect(new Set(load.seen.slice(killed + LOAD))).toEqual(new Set(['two']));
    expect((await health('pair'))[0]).not.toBe('healthy');
    expect((await health('pair'))[1]).toBe('healthy');

    instances.one = await startFixtureAgent({ ...SPEAKS, name: 'one', port: instances.one.port });
    await expect.poll(() => health('pair'), { timeout: 5_000 }).toEqual(['healthy', 'healthy']);
    const back = load.seen.length;
    await load.answers(100);
    await load.stop();
    expect(load.seen.slice(back)).toContain('one');
    expect(load.failures.length, load.failures.join('; ')).toBeLessThanOrEqual(1);

    const { last, task, chunks } = await heard;
    expect(last).toBe('completed');
    expect(answerOf(task!) + chunks.join('')).toMatch(/^chunk 1 of 40\n.*chunk 40 of 40\n$/s);
    const more = taskOf(await client.sendMessage(say('more', { message: waiting }), options));
    expect({ id: more.id, state: stateOf(more), answer: answerOf(more) }).toEqual({
      id: waiting.taskId,
      state: 'completed',
      answer: 'You said: more',
    });
  });

  it('a canary gets those who ask for it by a header, and their tasks and conversations stay there', async () => {
    const peer = await connected('canary');
    const { client, options } = peer;
    const canary = { 'x-canary': 'yes' };
    expect(await Promise.all(Array.from({ length: 10 }, () => who(peer)))).toEqual(Array.from({ length: 10 }, () => 'three'));
    expect(await Promise.all(Array.from({ length: 10 }, () => who(peer, {}, canary)))).toEqual(Array.from({ length: 10 }, () => 'four'));
    const serviceParameters = { ...options.serviceParameters, ...canary };
    const { id: taskId, contextId } = taskOf(await client.sendMessage(say('input'), { ...options, serviceParameters }));
    // Without the header from now on.
    expect(stateOf(await client.getTask({ id: taskId, tenant: '' }, options))).toBe('input_required');
    expect(await who(peer, { message: { taskId, contextId } })).toBe('four');
    expect(await who(peer, { message: { contextId } })).toBe('four');
    // With it, a conversation stays where it has begun.
    const { contextId: usual } = taskOf(await client.sendMessage(say('hello'), options));
    expect(await who(peer, { message: { contextId: usual } }, canary)).toBe('three');
  });

  it('weights share out new conversations, and what has begun stays', async () => {
    const peer = await connected('shared');
    const { client, options } = peer;
    const before = { three: instances.three.messages(), four: instances.four.messages() };
    const contexts: { readonly contextId: string; readonly by: string }[] = [];
    await inParallel(MESSAGES, async () => {
      const task = taskOf(await client.sendMessage(say('who'), options));
      contexts.push({ contextId: task.contextId, by: answerOf(task) });
    });
    const four = contexts.filter(({ by }) => by === 'four');
    expect(four.length / MESSAGES).toBeGreaterThan(0.06);
    expect(four.length / MESSAGES).toBeLessThan(0.14);
    expect(instances.three.messages() - before.three + instances.four.messages() - before.four).toBe(MESSAGES);
    const some = [...four.slice(0, 20), ...contexts.filter(({ by }) => by === 'three').slice(0, 20)];
    for (const { contextId, by } of some) expect(await who(peer, { message: { contextId } })).toBe(by);
  });

  it('a target that is added under load fails no call', async () => {
    const peer = await connected('growing');
    const { client, options } = peer;
    const heard = listen(client.sendMessageStream(say('long 20'), options));
    const load = startLoad(() => who(peer));
    await load.answers(50);
    expect(new Set(load.seen)).toEqual(new Set(['three']));
    await hub.write('hubgate.yaml', configWith([{ card: instances.three.url }, { card: instances.four.url }]));
    await expect.poll(() => load.seen.includes('four'), { timeout: 5_000 }).toBe(true);
    await load.answers(50);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect((await heard).last).toBe('completed');
  });
});

interface Load {
  readonly seen: readonly string[];
  readonly failures: readonly string[];
  /** Waits for so many more answers. */
  answers(more: number): Promise<void>;
  stop(): Promise<void>;
}

/** Calls one after the other, a few of them at once, until it is stopped. */
function startLoad(call: () => Promise<string>): Load {
  const seen: string[] = [];
  const failures: string[] = [];
  const over = new AbortController();
  let calls = 0;
  let look = (): void => undefined;
  const worker = async (): Promise<void> => {
    while (!over.signal.aborted && calls < 20_000) {
      calls += 1;
      await call().then(
        (name) => seen.push(name),
        (error: Error) => failures.push(`${error.name}: ${error.message}`),
      );
      look();
    }
  };
  const workers = Array.from({ length: LOAD }, worker);
  return {
    seen,
    failures,
    answers(more) {
      const wanted = seen.length + more;
      return new Promise((enough) => {
        look = () => {
          if (seen.length >= wanted) enough();
        };
      });
    },
    async stop() {
      over.abort();
      await Promise.all(workers);
    },
  };
}

async function inParallel(times: number, run: () => Promise<void>): Promise<void> {
  let left = times;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await run();
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}
