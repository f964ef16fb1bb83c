import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askAdmin } from '../../support/ask-admin.ts';
import { consumer, times } from '../traffic/_limits.ts';
import { type RawAgent, startAgent } from './_agent.ts';
import { listen, NOW, rpc, saying, type Stage, startStage, type Told } from './_stage.ts';

const PATIENCE = { timeout: 10_000, interval: 20 };
const as = 'alice';

let stage: Stage;
let [first, second, next]: readonly (RawAgent | undefined)[] = [];
beforeAll(async () => {
  stage = await startStage({
    agents: [{}, {}, {}],
    config: (one, two, three) => ({
      agents: {
        pair: {
          targets: [{ card: one.url }, { card: two.url }],
          balance: 'round-robin',
          breaker: { open: '300ms' },
          health: { interval: '200ms', timeout: '1s', unhealthyAfter: 1 },
        },
        canary: { targets: [{ card: one.url }, { card: three.url, when: 'request.headers["x-canary"] == "yes"' }] },
        emptied: {
          targets: [
            { card: one.url, weight: 1 },
            { card: two.url, weight: 1 },
          ],
        },
      },
      consumers: [consumer(as)],
    }),
  });
  [first, second, next] = stage.agents;
});
afterAll(async () => {
  await stage?.stop();
  await first?.stop();
});

const send = (agent: string, text = 'hello', message: object = {}, headers: Record<string, string> = {}): Promise<Told> =>
  rpc(stage.hub, agent, 'SendMessage', saying(text, message, NOW), { as, headers });
const messagesAt = (agent: RawAgent | undefined): number => agent!.heard.filter(({ method }) => method === 'SendMessage').length;
// oxlint-disable-next-line typescript/no-explicit-any -- tests look into what they know
const instances = async (name: string): Promise<any[]> =>
  (await askAdmin(stage.hub, 'GET', '/status')).body.agents.find((one: { name: string }) => one.name === name).instances;

describe('two instances', () => {
  it('share new conversations, and keep those that they have', async () => {
    const before = [messagesAt(first), messagesAt(second)];
    const told = await times(10, () => send('pair'));
    expect([messagesAt(first) - before[0]!, messagesAt(second) - before[1]!]).toEqual([5, 5]);
    for (const { result } of told) {
      const { id, contextId } = result.task;
      const counts = [messagesAt(first), messagesAt(second)];
      expect((await send('pair', 'again', { contextId })).result.task.contextId).toBe(contextId);
      expect((await send('pair', 'again', { contextId })).result.task.contextId).toBe(contextId);
      // Both went to one of them.
      expect([messagesAt(first) - counts[0]!, messagesAt(second) - counts[1]!].toSorted()).toEqual([0, 2]);
      expect((await rpc(stage.hub, 'pair', 'GetTask', { id }, { as })).result.id).toBe(id);
    }
  });

  it('when one is killed lose at most one call; it is left alone, and comes back', async () => {
    const { hub } = stage;
    const held = await Promise.all([send('pair', 'hold on'), send('pair', 'hold on')]);
    const ids: string[] = held.map(({ result }) => result.task.id);
    const ofSecond = ids.find((id) => second!.has(id))!;
    const ofFirst = ids.find((id) => first!.has(id))!;
    const stream = await listen(hub, 'pair', 'SubscribeToTask', { id: ofSecond }, { as });
    await stream.until((event) => event['task'] !== undefined);
    const { port } = first!.server;
    await first!.stop();
    const told = await times(20, () => send('pair'));
    expect(told.filter(({ status }) => status !== 200).length).toBeLessThanOrEqual(1);
    await expect.poll(async () => (await instances('pair'))[0].health, PATIENCE).toBe('unhealthy');
    // The other's tasks do not notice; of the lost ones nobody says that they never were.
    second!.finish(ofSecond);
    await stream.until((event) => event['statusUpdate'] !== undefined);
    const lost = await rpc(hub, 'pair', 'GetTask', { id: ofFirst }, { as });
    expect([502, 503]).toContain(lost.status);
    first = await startAgent({ port });
    await expect
      .poll(async () => {
        await send('pair');
        return messagesAt(first);
      }, PATIENCE)
      .toBeGreaterThan(0);
    await expect.poll(async () => (await instances('pair'))[0].health, PATIENCE).toBe('healthy');
    const before = messagesAt(first);
    const again = await times(10, () => send('pair'));
    expect(again.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(messagesAt(first) - before).toBe(5);
  });
});

it('a condition sends those who ask for it elsewhere, and their conversations stay there', async () => {
  const before = messagesAt(next);
  expect((await send('canary')).status).toBe(200);
  expect(messagesAt(next)).toBe(before);
  const { result } = await send('canary', 'hello', {}, { 'x-canary': 'yes' });
  expect(messagesAt(next)).toBe(before + 1);
  await send('canary', 'again', { contextId: result.task.contextId });
  expect(messagesAt(next)).toBe(before + 2);
  next!.isDown = true;
  // It was sent: nobody knows whether the agent has begun.
  expect([200, 502]).toContain((await send('canary', 'hello', {}, { 'x-canary': 'yes' })).status);
  next!.isDown = false;
});

it('an instance with the weight 0 gets no new conversation, and keeps its tasks', async () => {
  const { hub } = stage;
  const began = await times(10, () => send('emptied', 'hold on'));
  const mine = began.map(({ result }) => result.task.id as string).filter((id) => second!.has(id));
  expect(mine.length).toBeGreaterThan(0);
  await hub.write(
    'hubgate.yaml',
    JSON.stringify(
      {
        agents: {
          emptied: {
            targets: [
              { card: first!.url, weight: 1 },
              { card: second!.url, weight: 0 },
            ],
          },
        },
        consumers: [consumer(as)],
      },
      null,
      2,
    ),
  );
  await expect.poll(async () => (await instances('emptied'))[1].weight, PATIENCE).toBe(0);
  const before = messagesAt(second);
  await times(10, () => send('emptied'));
  expect(messagesAt(second)).toBe(before);
  for (const id of mine) expect((await rpc(hub, 'emptied', 'GetTask', { id }, { as })).result.id).toBe(id);
});
