import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { askAdmin } from '../../support/ask-admin.ts';
import type { Mocks } from '../../support/mock-providers/server.mjs';
import { type Answer, ask, type Asking } from './_ask.ts';
import { openai, type Stage, startStage } from './_stage.ts';

const KEYS = { tina: 'hg_key-of-tina', paul: 'hg_key-of-paul', olga: 'hg_key-of-olga' } as const;
type Caller = keyof typeof KEYS;
const consumer = (name: Caller, ...groups: string[]): object => ({
  name,
  groups,
  keys: [{ sha256: createHash('sha256').update(KEYS[name]).digest('hex') }],
});
const to = (provider: string, model: string): object => ({ targets: [{ provider, model }] });

const TEAM = '/apis/team';
const PARTNERS = '/apis/partners';

/** Both APIs have a route of one name, and each has one of its own. */
const config = ([one, two]: readonly Mocks[]): object => ({
  providers: { a: openai(one!.openai), b: openai(two!.openai) },
  consumers: [consumer('tina', 'team'), consumer('paul', 'partners'), consumer('olga')],
  models: [
    { name: 'assistant', ...to('a', 'gpt-root') },
    { name: 'root-only', ...to('a', 'gpt-root-only') },
  ],
  apis: {
    team: {
      description: 'For the team',
      access: { groups: ['team'] },
      models: [
        { name: 'assistant', ...to('a', 'gpt-team') },
        { name: 'team-only', ...to('a', 'gpt-team-only') },
      ],
    },
    partners: {
      access: { groups: ['partners'], consumers: ['olg*'] },
      policies: [{ 'rate-limit': { by: 'consumer', requests: '2/hour' } }],
      models: [
        { name: 'assistant', ...to('b', 'gpt-partners') },
        { match: { model: 'any-*' }, ...to('b', 'gpt-any') },
      ],
    },
    off: { enabled: false, models: [{ name: 'assistant', ...to('a', 'gpt-off') }] },
    v1: { access: { consumers: ['tina', 'paul'] } },
  },
});

describe('model APIs beside each other', () => {
  let stage: Stage;
  beforeAll(async () => (stage = await startStage({ config })));
  afterAll(() => stage?.stop());
  beforeEach(() => stage.reset());

  const send = (as: Caller, api: string, model: string, more: Partial<Asking> = {}): Promise<Answer> =>
    ask(stage.hub.url, { model, api, headers: { authorization: `Bearer ${KEYS[as]}` }, ...more });
  const reached = (): (string | undefined)[] => stage.arms.flatMap(({ openai: mock }) => mock.requests.map(({ model }) => model));

  it('each has routes of its own under one name', async () => {
    expect((await send('tina', TEAM, 'assistant')).body.model).toBe('gpt-team');
    expect((await send('paul', PARTNERS, 'assistant')).body.model).toBe('gpt-partners');
    expect((await send('tina', '', 'assistant')).body.model).toBe('gpt-root');
    expect(reached()).toEqual(['gpt-team', 'gpt-root', 'gpt-partners']);
  });

  it.each([
    ['tina', TEAM, 'root-only'],
    ['tina', TEAM, 'any-thing'],
    ['olga', PARTNERS, 'team-only'],
    ['tina', '', 'team-only'],
    ['tina', '', 'any-thing'],
    ['tina', '', 'team/team-only'],
  ] as const)('%s finds no route of another API: %s/v1 has no %s', async (as, api, model) => {
    expect(await send(as, api, model)).toMatchObject({ status: 404, body: { error: { code: 'model_not_found' } } });
    expect(reached()).toEqual([]);
  });

  it.each([
    ['paul', TEAM],
    ['olga', TEAM],
    ['tina', PARTNERS],
    ['olga', ''],
  ] as const)('the key of %s is not good for %s/v1, at any of its doors', async (as, api) => {
    const headers = { authorization: `Bearer ${KEYS[as]}` };
    const calls = await Promise.all([
      send(as, api, 'assistant'),
      send(as, api, 'assistant', { stream: true }),
      send(as, api, 'assistant', { door: 'responses' }),
      send(as, api, 'no-such-model'),
    ]);
    for (const answer of calls) expect(answer).toMatchObject({ status: 403, body: { error: { type: 'permission_error' } } });
    const messages = await send(as, api, 'assistant', { door: 'messages', headers: { ...headers, 'x-api-key': KEYS[as] } });
    expect(messages).toMatchObject({ status: 403, body: { type: 'error', error: { type: 'permission_error' } } });
    for (const path of ['/v1/models', '/v1/models/assistant'])
      expect((await fetch(`${stage.hub.url}${api}${path}`, { headers })).status).toBe(403);
    expect(reached()).toEqual([]);
  });

  it('a key is needed, and one that nobody has is none', async () => {
    for (const headers of [{}, { authorization: 'Bearer hg_nobody' }] as Record<string, string>[])
      expect((await send('tina', TEAM, 'assistant', { headers })).status).toBe(401);
    expect(reached()).toEqual([]);
  });

  it('a list has the models of its own API and no others', async () => {
    const listed = async (as: Caller, api: string): Promise<unknown> => {
      const answer = await fetch(`${stage.hub.url}${api}/v1/models`, { headers: { authorization: `Bearer ${KEYS[as]}` } });
      return ((await answer.json()) as { data: { id: string }[] }).data.map(({ id }) => id);
    };
    expect(await listed('tina', TEAM)).toEqual(['assistant', 'team-only']);
    expect(await listed('paul', PARTNERS)).toEqual(['assistant']);
    expect(await listed('tina', '')).toEqual(['assistant', 'root-only']);
  });

  it('the policies of one are not those of another', async () => {
    const statuses = async (as: Caller, api: string, model = 'assistant'): Promise<number[]> => {
      const all: number[] = [];
      for (let i = 0; i < 4; i++) all.push((await send(as, api, model)).status);
      return all;
    };
    // All its routes count together, by consumer.
    expect((await send('olga', PARTNERS, 'any-thing')).status).toBe(200);
    expect(await statuses('olga', PARTNERS)).toEqual([200, 429, 429, 429]);
    expect((await send('paul', '', 'assistant')).status).toBe(200);
    expect(await statuses('tina', TEAM)).toEqual([200, 200, 200, 200]);
    expect(await statuses('tina', '')).toEqual([200, 200, 200, 200]);
  });

  it('records, status and explanation name the API', async () => {
    const { id } = await send('tina', TEAM, 'team-only');
    expect(await stage.record(id)).toMatchObject({
      route: 'team/team-only',
      asked: 'team-only',
      consumer: 'tina',
      target: 'a/gpt-team-only',
    });
    expect(await stage.target('team/team-only', 'a')).toMatchObject({ model: 'gpt-team-only', samples: 1 });
    const explained = async (as: Caller, query: string): Promise<{ callable: boolean; steps: { rule: string; line?: number }[] }> =>
      (await askAdmin(stage.hub, 'GET', `/explain?model=assistant&consumer=${as}&${query}`)).body;
    expect(await explained('tina', 'api=team')).toMatchObject({
      callable: true,
      steps: expect.arrayContaining([expect.objectContaining({ value: expect.objectContaining({ model: 'gpt-team' }) })]),
    });
    expect(await explained('paul', 'api=team')).toEqual({
      visible: false,
      callable: false,
      steps: [
        expect.objectContaining({ rule: 'access of the API team does not name paul', file: 'hubgate.yaml', line: expect.any(Number) }),
      ],
    });
    expect((await askAdmin(stage.hub, 'GET', '/explain?model=assistant&consumer=tina&api=nowhere')).status).toBe(404);
  });

  it('there is nothing at an API that is none, or is off', async () => {
    for (const api of ['/apis/nowhere', '/apis/off', '/apis', '/apis/team/v1']) {
      const answer = await send('tina', api, 'assistant');
      expect(`${api} ${answer.status}`).toBe(`${api} 404`);
    }
    expect(reached()).toEqual([]);
  });
});
