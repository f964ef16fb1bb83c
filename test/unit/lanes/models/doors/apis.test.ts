import { describe, expect, it } from 'vitest';
import { ANONYMOUS, type Consumer } from '../../../../../src/core/consumer.ts';
import { buildModels } from '../../../../../src/lanes/models/routes/build.ts';
import { buildHost, LENT, merge, startLane, type StartedLane } from './start-lane.ts';
import { CHAT, EVENTS, MESSAGES, piece, DONE, RESPONSES, SAID } from './streams.ts';

const PEOPLE: Readonly<Record<string, Consumer>> = {
  alice: { name: 'alice', groups: ['partners'], anonymous: false },
  bob: { name: 'bob', groups: [], anonymous: false },
};
const as = (name: string) => ({ 'x-test-consumer': name });

function start(): Promise<StartedLane> {
  return startLane({
    consumer: (headers) => PEOPLE[String(headers['x-test-consumer'])] ?? ANONYMOUS,
    models: [{ name: 'inside', retries: 0, targets: [{ provider: 'main', model: 'root-model' }] }],
    apis: {
      partner: {
        access: { groups: ['partners'] },
        models: [{ name: 'support', retries: 0, targets: [{ provider: 'main', model: 'partner-model' }] }],
      },
      open: { models: [{ match: { model: 'gpt-*' }, retries: 0, targets: [{ provider: 'main' }] }] },
      closed: { enabled: false, models: [{ name: 'm', targets: [{ provider: 'main' }] }] },
      empty: {},
    },
    vendor: (request) => {
      if (request.method === 'GET') return { body: { data: [{ id: 'gpt-1' }, { id: 'other' }] } };
      const { stream } = JSON.parse(Buffer.from(request.body as Uint8Array).toString()) as { stream?: boolean };
      return stream === true ? { headers: EVENTS, body: piece('Hi', 'stop') + DONE } : { body: SAID };
    },
  });
}

const DOORS = [
  { path: '/v1/chat/completions', body: CHAT, anthropic: false },
  { path: '/v1/responses', body: RESPONSES, anthropic: false },
  { path: '/v1/messages', body: MESSAGES, anthropic: true },
] as const;
const bodyOf = ({ requests }: StartedLane): { model?: string } =>
  JSON.parse(Buffer.from(requests.at(-1)!.body as Uint8Array).toString()) as { model?: string };

describe.each(DOORS)('an API of its own at /apis/NAME$path', ({ path, body, anthropic }) => {
  const type = (openai: string, own: string) => (anthropic ? { type: 'error', error: { type: own } } : { error: { type: openai } });

  it('answers with its own routes to those whom its access names', async () => {
    const lane = await start();
    for (const stream of [false, true]) {
      const answer = await lane.ask(`/apis/partner${path}`, { ...body, model: 'support', stream }, as('alice'));
      expect([answer.status, bodyOf(lane).model]).toEqual([200, 'partner-model']);
    }
    expect(lane.records.map(({ call }) => [call.route, call.consumer.name])).toEqual([
      ['partner/support', 'alice'],
      ['partner/support', 'alice'],
    ]);
    expect(lane.inside()).toBe(0);
  });

  it('is forbidden to others, in the words of the format, before anything is read or sent', async () => {
    const lane = await start();
    for (const who of ['bob', 'nobody']) {
      const answer = await lane.ask(`/apis/partner${path}`, { ...body, model: 'support' }, as(who));
      expect(answer.status).toBe(403);
      expect(answer.json).toMatchObject(type('permission_error', 'permission_error'));
      expect(answer.headers).not.toHaveProperty('x-should-retry');
      expect((await lane.ask(`/apis/partner${path}`, '{"no json', as(who))).status).toBe(403);
    }
    expect([lane.requests, lane.records, lane.inside()]).toEqual([[], [], 0]);
  });

  it.each(['nobody', 'closed', 'v2', 'constructor', '__proto__'])('is not there under a name that is none: %s', async (name) => {
    const lane = await start();
    const answer = await lane.ask(`/apis/${name}${path}`, { ...body, model: 'support' }, as('alice'));
    expect(answer.status).toBe(404);
    expect(answer.json).toMatchObject(type('invalid_request_error', 'not_found_error'));
    expect(lane.requests).toEqual([]);
  });

  it('knows no routes but its own, and root knows none of it', async () => {
    const lane = await start();
    for (const [base, model] of [
      ['/apis/partner', 'inside'],
      ['/apis/open', 'support'],
      ['/apis/empty', 'support'],
      ['', 'support'],
      ['/apis/v1', 'support'],
    ] as const) {
      const answer = await lane.ask(`${base}${path}`, { ...body, model }, as('alice'));
      expect([base, answer.status]).toEqual([base, 404]);
      expect(answer.json).toMatchObject(anthropic ? { error: { type: 'not_found_error' } } : { error: { code: 'model_not_found' } });
    }
    expect((await lane.ask(`/apis/partner${path}`, { ...body, model: 'x' }, as('alice'))).text).toContain(
      'GET /apis/partner/v1/models lists',
    );
    expect((await lane.ask(`/apis/empty${path}`, { ...body, model: 'x' }, as('alice'))).text).toContain('under `apis.empty.models:`');
    expect(lane.requests).toEqual([]);
    expect((await lane.ask(path, { ...body, model: 'inside' }, as('bob'))).status).toBe(200);
    expect((await lane.ask(`/apis/v1${path}`, { ...body, model: 'inside' }, as('bob'))).status, 'root has a name as well').toBe(200);
  });
});

describe('GET /apis/NAME/v1/models', () => {
  const ids = async (lane: StartedLane, base: string, who: string): Promise<unknown> => {
    const { status, json } = await lane.ask(`${base}/v1/models`, undefined, as(who));
    return status === 200 ? (json['data'] as { id: string }[]).map(({ id }) => id) : status;
  };

  it('lists the models of that API to those who may call it', async () => {
    const lane = await start();
    expect(await ids(lane, '/apis/partner', 'alice')).toEqual(['support']);
    expect(await ids(lane, '/apis/partner', 'bob')).toBe(403);
    expect(await ids(lane, '/apis/open', 'nobody')).toEqual(['gpt-1']);
    expect(await ids(lane, '/apis/empty', 'bob')).toEqual([]);
    expect(await ids(lane, '/apis/gone', 'bob')).toBe(404);
    expect(await ids(lane, '', 'bob')).toEqual(['inside']);
  });

  it('finds one of them, in the words of both formats', async () => {
    const lane = await start();
    expect((await lane.ask('/apis/partner/v1/models/support', undefined, as('alice'))).json).toMatchObject({
      id: 'support',
      object: 'model',
      owned_by: 'main',
    });
    const anthropic = { ...as('alice'), 'anthropic-version': '2023-06-01' };
    expect((await lane.ask('/apis/partner/v1/models/support', undefined, anthropic)).json).toMatchObject({ id: 'support', type: 'model' });
    expect((await lane.ask('/apis/partner/v1/models/inside', undefined, anthropic)).json).toMatchObject({
      type: 'error',
      error: { type: 'not_found_error' },
    });
    expect((await lane.ask('/apis/partner/v1/models/support', undefined, { ...anthropic, ...as('bob') })).json).toMatchObject({
      type: 'error',
      error: { type: 'permission_error' },
    });
  });
});

it('a path of an API that leads nowhere is told in the words of its callers, and other methods are refused', async () => {
  const lane = await start();
  const chat = await lane.ask('/apis/partner/v1/chat', CHAT, as('alice'));
  expect([chat.status, chat.json]).toMatchObject([
    404,
    { error: { message: expect.stringContaining('Models answer at /v1/chat/completions') } },
  ]);
  const messages = await lane.ask('/apis/partner/v1/messages/none', MESSAGES, as('alice'));
  expect([messages.status, messages.json['type']]).toEqual([404, 'error']);
  expect((await lane.ask('/apis/partner/v1/chat/completions', undefined, as('alice'))).status).toBe(405);
  expect((await lane.ask('/apis/gone/v1/chat/completions', undefined, as('alice'))).status, 'before the method is looked at').toBe(404);
});

it('an API’s own policies stand before those of its routes, and are bound at its place', async () => {
  const places: string[] = [];
  const bind: typeof LENT.bind = async (uses = [], place) =>
    uses.map(({ name }) => {
      places.push(`${name} at ${place}`);
      return { name, stage: 'limit', hooks: { onCall: () => undefined } };
    });
  const use = (name: string) => ({ name, options: {} });
  const to = { targets: [{ provider: 'main' }] };
  const providers = { main: { type: 'openai-compatible', baseUrl: 'http://vendor.test/v1' } };
  const apis = {
    partner: { policies: [use('of-the-api')], models: [{ name: 'm', policies: [use('of-the-route')], ...to }] },
    v1: { policies: [use('of-root')] },
  };
  const shared = [{ name: 'of-all', stage: 'limit', hooks: { onCall: () => undefined } } as const];
  const built = await buildModels(merge(providers, [{ name: 'r', ...to }], apis), buildHost(), { ...LENT, bind }, shared, undefined);
  const chainOf = (api: string): string[] => built.apis.get(api)!.routes[0]!.chain.onCall.map(({ name }) => name);
  expect([chainOf('v1'), chainOf('partner')]).toEqual([
    ['of-all', 'of-root'],
    ['of-all', 'of-the-api', 'of-the-route'],
  ]);
  expect(places).toEqual(['of-root at apis/v1', 'of-the-api at apis/partner', 'of-the-route at apis/partner/m']);
  const wrong = await buildModels(merge(providers, [], { v1: { models: [{ name: 'x', ...to }] } }), buildHost(), LENT, [], undefined);
  expect(wrong.problems).toMatchObject([{ code: 'api_models', severity: 'error', pointer: '/apis/v1/models' }]);
});
