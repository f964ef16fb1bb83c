import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CallRecord } from '../../../src/core/contracts/call-log.ts';
import { askAdmin } from '../../support/ask-admin.ts';
import { consumer, standing, times, usageOf } from '../traffic/_limits.ts';
import { artifactsOf, listen, NOW, request, rpc, saying, sayingLegacy, type Stage, startStage, type Told } from './_stage.ts';

/** Reads every text that passes, stars out one word and refuses another. */
const WORDS = `
import { appendFileSync } from 'node:fs';
import { definePolicy, GatewayError } from 'hubgate/policy';
const star = ({ text }) => text.replaceAll('tango', '*****');
export default definePolicy({
  name: 'words',
  stage: 'guard',
  options: { type: 'object', properties: { file: { type: 'string' } }, required: ['file'] },
  create: ({ file }) => {
    const see = (hook, segments) => {
      for (const { text, origin } of segments) appendFileSync(file, \`\${hook} \${origin} \${text}\\n\`);
    };
    return {
      onCall(call) {
        see('call', call.segments());
        for (const { text } of call.segments()) if (text.includes('foxtrot')) throw new GatewayError('forbidden', 'That word is not for this agent.');
        if (call.operation === 'message/send' && [...call.segments()].some(({ text }) => text === 'answer yourself'))
          return { result: { message: { messageId: 'p', role: 'ROLE_AGENT', parts: [{ text: 'said by the policy' }] } } };
        call.rewriteText(star);
      },
      onReply(call, reply) {
        see('reply', call.segments(reply));
        return call.mapText(reply, star);
      },
      async *onStream(call, chunks) {
        for await (const chunk of chunks) {
          see('chunk', call.segments(chunk));
          yield call.mapText(chunk, star);
        }
      },
    };
  },
});
`;

let stage: Stage;
const seen = async (): Promise<string> => (await import('node:fs/promises')).readFile(`${stage.hub.dir}/seen`, 'utf8').catch(() => '');
beforeAll(async () => {
  stage = await startStage({
    files: { 'words.ts': WORDS },
    config: ({ url: card }) => {
      const limited = (limits: object): object => ({ card, policies: [{ 'rate-limit': limits }] });
      return {
        extensions: ['./words.ts'],
        agents: {
          plain: { card },
          requests: limited({ requests: '50/h' }),
          priced: { card, price: 0.02 },
          concurrent: limited({ concurrent: 5 }),
          streams: limited({ streams: 3 }),
          'by-skill': limited({ by: 'skill', requests: '2/h' }),
          'by-consumer': limited({ by: ['consumer', 'agent'], requests: '2/h' }),
          matched: { card },
          guarded: { card, policies: [{ words: { file: 'seen' } }] },
        },
        policies: [{ 'rate-limit': { requests: '3/h' }, match: { route: 'matched' } }],
        consumers: [
          consumer('alice'),
          consumer('bob'),
          consumer('spender', { budget: { usd: '1/month' } }),
          consumer('slow', { limits: { streams: 1 } }),
        ],
      };
    },
  });
});
afterAll(() => stage?.stop());

const send = (agent: string, as = 'alice', message: object = {}): Promise<Told> =>
  rpc(stage.hub, agent, 'SendMessage', saying('hello', message), { as });
const counted = (told: readonly Told[]): object => ({
  passed: told.filter(({ status }) => status === 200).length,
  refused: told.filter(({ status }) => status === 429).length,
});

describe('200 messages at once', () => {
  it('on a limit for 50 requests pass exactly 50', async () => {
    const before = stage.agents[0]!.heard.length;
    const told = await times(200, (index) =>
      index % 2 === 0 ? send('requests') : rpc(stage.hub, 'requests', 'message/send', sayingLegacy('hi'), { as: 'bob', version: '0.3' }),
    );
    expect(counted(told)).toEqual({ passed: 50, refused: 150 });
    expect(stage.agents[0]!.heard.length - before).toBe(50);
    expect(await standing(stage.hub, /rate-limit/, { agent: 'requests', consumer: 'alice' })).toContain('50 used, 0 left');
  });

  it('on a budget for 50 spend exactly 50 times the price', async () => {
    const told = await times(200, () => send('priced', 'spender'));
    expect(counted(told)).toEqual({ passed: 50, refused: 150 });
    await expect.poll(async () => (await usageOf(stage.hub, 'spender')).usd).toBeCloseTo(1, 6);
  });
});

describe('a refusal', () => {
  it('names rule, value and time, in the words of A2A', async () => {
    const told = await send('requests');
    expect(told.status).toBe(429);
    expect(Number(told.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(told.error).toMatchObject({ code: -32603, message: expect.stringMatching(/50 requests/) });
    expect(told.error.data).toEqual([
      expect.objectContaining({ reason: 'LIMIT_EXCEEDED', domain: 'hubgate', metadata: { rule: expect.stringContaining('rate-limit') } }),
      expect.objectContaining({ retryDelay: expect.stringMatching(/^\d+s$/) }),
    ]);
    const rest = await request(stage.hub, 'POST', '/a2a/requests/message:send', { as: 'alice' }, saying('hello'));
    expect([rest.status, rest.body.error.status]).toEqual([429, 'RESOURCE_EXHAUSTED']);
    const old = await request(
      stage.hub,
      'POST',
      '/a2a/requests/v1/message:send',
      { as: 'alice', version: '0.3' },
      {
        message: { messageId: 'm', role: 'ROLE_USER', content: [{ text: 'hello' }] },
      },
    );
    expect([old.status, old.body.code]).toEqual([429, -32603]);
  });

  it('questions about tasks are free', async () => {
    expect((await rpc(stage.hub, 'requests', 'ListTasks', {}, { as: 'alice' })).status).toBe(200);
  });
});

describe('who shares a counter', () => {
  it('calls that name the same skill', async () => {
    const by = (skill: string): Promise<Told> => send('by-skill', 'alice', { metadata: { skill } });
    const told = [await by('echo'), await by('echo'), await by('echo'), await by('count')];
    expect(told.map(({ status }) => status)).toEqual([200, 200, 429, 200]);
  });

  it('calls of one consumer to one agent', async () => {
    const told = [await send('by-consumer'), await send('by-consumer'), await send('by-consumer'), await send('by-consumer', 'bob')];
    expect(told.map(({ status }) => status)).toEqual([200, 200, 429, 200]);
  });

  it('calls of the route that a rule at the root matches', async () => {
    const told = await times(5, () => send('matched'));
    expect(counted(told)).toEqual({ passed: 3, refused: 2 });
    expect((await send('plain')).status).toBe(200);
  });
});

describe('what is open at a time', () => {
  it('calls under way are counted, and given back', async () => {
    const { hub, agents } = stage;
    const waiting = times(5, () => rpc(hub, 'concurrent', 'SendMessage', saying('hold on'), { as: 'alice' }));
    await expect.poll(() => standing(hub, /rate-limit/, { agent: 'concurrent', consumer: 'alice' })).toContain('5 under way');
    expect((await send('concurrent')).status).toBe(429);
    await expect.poll(() => agents[0]!.open()).toBe(5);
    agents[0]!.finishAll();
    expect(counted(await waiting)).toEqual({ passed: 5, refused: 0 });
    await expect.poll(async () => (await send('concurrent')).status).toBe(200);
  });

  it.each([
    ['streams', 'alice', 3],
    ['plain', 'slow', 1],
  ])('streams of %s by %s are counted, subscriptions too, and given back when the caller leaves', async (agent, as, most) => {
    const { hub, agents } = stage;
    const open = () => listen(hub, agent, 'SendStreamingMessage', saying('hold on'), { as });
    const streams = await times(most, open);
    const first = (await streams[0]!.until((event) => event['task'] !== undefined)) as { task: { id: string } };
    const over = await open();
    await over.ended;
    expect(over.status).toBe(429);
    const subscribed = await listen(hub, agent, 'SubscribeToTask', { id: first.task.id }, { as });
    await subscribed.ended;
    expect(subscribed.status).toBe(429);
    expect((await send(agent, as)).status).toBe(200);
    streams[0]!.leave();
    await streams[0]!.ended;
    await expect
      .poll(async () => {
        const one = await open();
        if (one.status === 200) await one.until((event) => event['task'] !== undefined);
        return one.status;
      })
      .toBe(200);
    agents[0]!.finishAll();
    await Promise.all(streams.map(({ ended }) => ended));
  });
});

describe('a policy of one’s own', () => {
  it('reads and changes the texts of messages and artifacts', async () => {
    const { hub, agents } = stage;
    const { result } = await rpc(hub, 'guarded', 'SendMessage', saying('dance tango with data', {}), { as: 'alice' });
    expect(agents[0]!.heard.at(-1)!.params.message.parts[0].text).toBe('dance ***** with data');
    expect(artifactsOf(result.task)).toBe('dance ***** with data');
    expect(await seen()).toContain('call user dance tango with data\n');
    expect(await seen()).toContain('reply assistant dance\n');
  });

  it('and of streams, in every event', async () => {
    const stream = await listen(stage.hub, 'guarded', 'SendStreamingMessage', saying('slow tango'), { as: 'alice' });
    await stream.ended;
    const { text } = (
      stream.events.flatMap(({ artifactUpdate }) => (artifactUpdate === undefined ? [] : [artifactUpdate])) as {
        artifact: { parts: { text: string }[] };
      }[]
    )
      .flatMap(({ artifact }) => artifact.parts)
      .reduce((whole, part) => ({ text: `${whole.text} ${part.text}` }));
    expect(text).toBe('slow *****');
    expect(JSON.stringify(stream.events)).not.toContain('tango');
    expect(await seen()).toContain('chunk assistant slow\n');
  });

  it('and refuses before the agent hears of it, or answers itself', async () => {
    const { agents, hub } = stage;
    const before = agents[0]!.heard.length;
    const told = await rpc(hub, 'guarded', 'SendMessage', saying('a foxtrot'), { as: 'alice' });
    expect([told.status, told.error.message]).toEqual([403, 'That word is not for this agent.']);
    const stream = await listen(hub, 'guarded', 'SendStreamingMessage', saying('a foxtrot'), { as: 'alice' });
    expect(stream.status).toBe(403);
    const own = await rpc(hub, 'guarded', 'SendMessage', saying('answer yourself'), { as: 'alice' });
    expect(own.result.message.parts).toEqual([{ text: 'said by the policy' }]);
    expect(agents[0]!.heard.length).toBe(before);
  });
});

describe('records', () => {
  const record = async ({ id }: Told): Promise<CallRecord> => {
    const find = async (): Promise<CallRecord[]> => (await askAdmin(stage.hub, 'GET', `/calls?id=${id}`)).body.items;
    await expect.poll(find).toHaveLength(1);
    return (await find())[0]!;
  };

  it('say who asked which agent for what, how it went and what it cost', async () => {
    expect(await record(await send('priced'))).toMatchObject({
      lane: 'agents',
      operation: 'message/send',
      consumer: 'alice',
      route: 'priced',
      asked: 'priced',
      target: 'priced',
      outcome: 'ok',
      status: 200,
      streamed: false,
      attempts: 1,
      usage: { cost: 0.02 },
    });
    const flop = await rpc(stage.hub, 'priced', 'SendMessage', saying('flop it'), { as: 'alice' });
    expect(flop.result.task.status.state).toBe('TASK_STATE_FAILED');
    expect(await record(flop)).toMatchObject({ outcome: 'failed', status: 200, usage: { cost: 0.02 } });
    const streamed = await rpc(stage.hub, 'priced', 'SendStreamingMessage', saying('flop it'), { as: 'alice' });
    expect(await record(streamed)).toMatchObject({ operation: 'message/stream', outcome: 'failed', streamed: true, usage: { cost: 0.02 } });
    const task = (await rpc(stage.hub, 'priced', 'SendMessage', saying('hold on', {}, NOW), { as: 'alice' })).result.task;
    const asked = await record(await rpc(stage.hub, 'priced', 'GetTask', { id: task.id }, { as: 'alice' }));
    expect(asked).toMatchObject({ operation: 'tasks/get', outcome: 'ok' });
    expect(asked.usage?.cost ?? 0).toBe(0);
    expect(await record(await send('requests'))).toMatchObject({ route: 'requests', outcome: 'limit_exceeded', status: 429, attempts: 0 });
    const refused = await rpc(stage.hub, 'plain', 'SendMessage', saying('refuse -32004'), { as: 'alice' });
    expect(refused.error.code).toBe(-32004);
    expect((await record(refused)).outcome).not.toBe('ok');
    const old = await rpc(stage.hub, 'plain', 'tasks/cancel', { id: 'none' }, { as: 'alice', version: '0.3' });
    expect(await record(old)).toMatchObject({ operation: 'tasks/cancel', attempts: 0 });
    stage.agents[0]!.finishAll();
  });

  it('are found by lane and agent', async () => {
    const { body } = await askAdmin(stage.hub, 'GET', '/calls?lane=agents&route=priced&limit=1000');
    expect(new Set(body.items.map(({ lane, route }: CallRecord) => `${lane} ${route}`))).toEqual(new Set(['agents priced']));
  });
});
