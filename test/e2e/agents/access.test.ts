import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askAdmin } from '../../support/ask-admin.ts';
import { consumer } from '../traffic/_limits.ts';
import { artifactsOf, bare, listen, NOW, request, rpc, saying, sayingLegacy, type Stage, startStage, type Told } from './_stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage({
    agents: [{ card: {} }],
    config: (agent) => ({
      agents: {
        desk: {
          card: agent.url,
          access: [
            { groups: ['staff'], allow: ['*'], deny: [{ operation: 'tasks/cancel' }] },
            { consumers: ['by-skill'], allow: [{ skill: 'echo' }] },
            { consumers: ['by-glob'], allow: ['e*'] },
            { consumers: ['by-tag'], allow: [{ tag: 'numbers' }] },
            { consumers: ['by-operation'], allow: [{ operation: 'tasks/*' }] },
            { consumers: ['but-skill'], allow: ['*'], deny: [{ skill: 'count' }] },
            { consumers: ['by-when'], allow: [{ operation: 'message/*', when: 'size(args.message.parts) == 1' }] },
            { consumers: ['by-hour'], allow: ['*'], when: 'request.headers["x-shift"] == "day"' },
          ],
        },
      },
      consumers: [
        consumer('alice', { groups: ['staff'] }),
        ...['by-skill', 'by-glob', 'by-tag', 'by-operation', 'but-skill', 'by-when', 'by-hour', 'nobody'].map((name) => consumer(name)),
      ],
    }),
  });
});
afterAll(() => stage?.stop());

const send = (as: string, skill?: string, headers: Record<string, string> = {}): Promise<Told> =>
  rpc(stage.hub, 'desk', 'SendMessage', saying('hello', skill === undefined ? {} : { metadata: { skill } }), { as, headers });
const outcomeOf = ({ status, result, error }: Told): unknown =>
  result?.task === undefined ? [status, error.code, error.data?.[0]?.reason] : artifactsOf(result.task);

describe('who may send what', () => {
  const refused = [403, -32603, 'FORBIDDEN'];
  it.each([
    ['alice', undefined, 'hello'],
    ['alice', 'count', 'hello'],
    ['by-skill', 'echo', 'hello'],
    ['by-skill', 'count', refused],
    ['by-skill', undefined, refused],
    ['by-glob', 'echo', 'hello'],
    ['by-glob', 'count', refused],
    ['by-tag', 'count', 'hello'],
    ['by-tag', 'echo', refused],
    ['by-tag', 'made-up', refused],
    ['by-operation', 'echo', refused],
    ['but-skill', 'echo', 'hello'],
    ['but-skill', 'count', refused],
    ['by-when', 'echo', 'hello'],
  ])('%s with the skill %s', async (as, skill, outcome) => {
    const before = stage.agents[0]!.heard.length;
    expect(outcomeOf(await send(as, skill))).toEqual(outcome);
    expect(stage.agents[0]!.heard.length - before).toBe(outcome === 'hello' ? 1 : 0);
  });

  it('an old client names its skill in the same place', async () => {
    const with03 = (skill: string): Promise<Told> =>
      rpc(stage.hub, 'desk', 'message/send', sayingLegacy('hello', { metadata: { skill } }), { as: 'by-skill', version: '0.3' });
    expect((await with03('echo')).result).toMatchObject({ kind: 'task', status: { state: 'completed' } });
    expect((await with03('count')).status).toBe(403);
  });

  it('a refusal says what to do, in both bindings', async () => {
    const told = await send('by-skill', 'count');
    expect(told.error.message).toMatch(/may not send that skill.*Name one of the skills on its card/);
    const rest = await request(stage.hub, 'POST', '/a2a/desk/message:send', { as: 'by-skill' }, saying('hello'));
    expect(rest.status).toBe(403);
    expect(rest.body.error).toMatchObject({ code: 403, status: 'PERMISSION_DENIED', message: expect.stringContaining('names no skill') });
  });

  it('a condition on the message refuses it by its rule', async () => {
    const params = saying('one') as { message: { parts: object[] } };
    params.message.parts.push({ text: 'two' });
    const told = await rpc(stage.hub, 'desk', 'SendMessage', params, { as: 'by-when' });
    expect([told.status, told.error.data[0]]).toEqual([
      403,
      expect.objectContaining({ reason: 'RULE_REFUSED', metadata: { rule: expect.stringContaining('size(args.message.parts) == 1') } }),
    ]);
  });

  it('a condition on the request holds for the whole entry', async () => {
    expect((await send('by-hour', undefined, { 'x-shift': 'day' })).status).toBe(200);
    expect((await send('by-hour', undefined, { 'x-shift': 'night' })).status).toBe(403);
  });
});

describe('operations', () => {
  it('are denied one by one', async () => {
    const { hub, agents } = stage;
    const { result } = await rpc(hub, 'desk', 'SendMessage', saying('hold on', {}, NOW), { as: 'alice' });
    const { id } = result.task;
    expect((await rpc(hub, 'desk', 'GetTask', { id }, { as: 'alice' })).result.id).toBe(id);
    const told = await rpc(hub, 'desk', 'CancelTask', { id }, { as: 'alice' });
    expect([told.status, told.error.message]).toEqual([403, expect.stringContaining('tasks/cancel')]);
    expect(agents[0]!.heard.filter(({ method }) => method === 'CancelTask')).toEqual([]);
    agents[0]!.finish(id);
  });

  it('who may use one skill may ask for the tasks that it began', async () => {
    const { hub } = stage;
    const { result } = await send('by-skill', 'echo');
    expect((await rpc(hub, 'desk', 'GetTask', { id: result.task.id }, { as: 'by-skill' })).result.id).toBe(result.task.id);
    expect((await rpc(hub, 'desk', 'ListTasks', {}, { as: 'by-skill' })).result.tasks.length).toBeGreaterThan(0);
  });

  it('a stream is refused before it opens', async () => {
    const stream = await listen(stage.hub, 'desk', 'SendStreamingMessage', saying('hello'), { as: 'by-skill' });
    await stream.ended;
    expect([stream.status, stream.events]).toEqual([403, []]);
  });
});

describe('who is not let in', () => {
  const asks = (agent: string, as: string): Promise<Told>[] => [
    rpc(stage.hub, agent, 'SendMessage', saying('hello', { messageId: 'm' }), { as }),
    rpc(stage.hub, agent, 'message/send', sayingLegacy('hello', { messageId: 'm' }), { as, version: '0.3' }),
    rpc(stage.hub, agent, 'GetTask', { id: 'x' }, { as }),
    request(stage.hub, 'GET', `/a2a/${agent}/tasks/x`, { as }),
    request(stage.hub, 'POST', `/a2a/${agent}/v1/message:send`, { as, version: '0.3' }, {}),
    request(stage.hub, 'GET', `/a2a/${agent}/.well-known/agent-card.json`, { as }),
    request(stage.hub, 'GET', `/a2a/${agent}/extendedAgentCard`, { as }),
  ];

  it('gets the same bytes for a hidden agent as for one that is not there', async () => {
    const [hidden, unknown] = await Promise.all([Promise.all(asks('desk', 'nobody')), Promise.all(asks('dusk', 'nobody'))]);
    expect(hidden.map(bare)).toEqual(unknown.map(bare));
    expect(hidden.map(({ status }) => status)).toEqual(Array(hidden.length).fill(404));
  });

  it('and without a key 401 for either, in the words of A2A', async () => {
    for (const agent of ['desk', 'dusk']) {
      for (const told of await Promise.all([
        rpc(stage.hub, agent, 'SendMessage', saying('hello')),
        request(stage.hub, 'GET', `/a2a/${agent}/tasks/x`),
        request(stage.hub, 'GET', `/a2a/${agent}/.well-known/agent-card.json`),
      ])) {
        expect(told.status).toBe(401);
        expect(told.headers.get('www-authenticate')).toContain('Bearer');
      }
    }
    expect((await rpc(stage.hub, 'desk', 'SendMessage', saying('hello'))).error).toBeDefined();
  });
});

describe('explain', () => {
  const explain = async (query: string) => (await askAdmin(stage.hub, 'GET', `/explain?${query}`)).body;

  it('says what becomes of a call, without calling', async () => {
    const before = stage.agents[0]!.heard.length;
    const alice = await explain('agent=desk&consumer=alice');
    expect(alice).toMatchObject({ visible: true, callable: true });
    expect(
      alice.steps.some(({ rule, file }: { rule: string; file?: string }) => rule.startsWith('instance desk') && file === 'hubgate.yaml'),
    ).toBe(true);
    expect(await explain('agent=desk&consumer=nobody')).toMatchObject({ visible: false, callable: false });
    expect(await explain('agent=desk&consumer=by-skill')).toMatchObject({ visible: true, callable: false });
    expect(stage.agents[0]!.heard.length).toBe(before);
  });

  it('an agent that is none is 404', async () => {
    const told = await askAdmin(stage.hub, 'GET', '/explain?agent=dusk&consumer=alice');
    expect(told.status).toBe(404);
  });
});
