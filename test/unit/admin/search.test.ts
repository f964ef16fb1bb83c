import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAdminApi, type AdminApi } from '../../../src/admin/api.ts';
import { FakeHub } from './fake-hub.ts';

let hub: FakeHub;
let api: AdminApi;
beforeEach(async () => {
  hub = await FakeHub.open();
  api = createAdminApi(hub.admin);
});
afterEach(() => hub.store.close());

const get = (query: string) =>
  api.handle({ method: 'GET', path: '/admin/v1/tools/search', query: new URLSearchParams(query), headers: {} });
const post = (path: string, body: unknown) =>
  api.handle({ method: 'POST', path: `/admin/v1/eval/${path}`, query: new URLSearchParams(), headers: {}, body });

describe('the admin API of search', () => {
  it('asks the hub, for a consumer', async () => {
    expect(await get('query=remove+a+pet')).toMatchObject({
      status: 200,
      body: { asked: { server: '', consumer: 'anonymous', query: 'remove a pet' } },
    });
    hub.files['consumers'] = { ci: {} };
    expect(await get('query=x&server=pets&consumer=ci&top=3')).toMatchObject({
      body: { asked: { server: 'pets', consumer: 'ci', top: 3 } },
    });
    expect((await get('query=x')).status).toBe(400);
    const queries = [{ query: 'a', tools: ['b'] }];
    expect(await post('tools', { consumer: 'ci', queries, top: [1, 5], model: 'none' })).toMatchObject({
      status: 200,
      body: { asked: { server: '', consumer: 'ci', queries, top: [1, 5], model: 'none' } },
    });
    expect(await post('routes', { texts: [{ text: 'a', intent: 'b' }] })).toMatchObject({
      body: { asked: { texts: [{ text: 'a', intent: 'b' }] } },
    });
  });

  it.each(['', 'query=', 'query=x&top=0', 'query=x&top=101', 'query=x&top=1.5', 'query=x&more=1'])(
    'refuses a search: %s',
    async (query) => {
      expect(await get(query)).toMatchObject({ status: 400, body: { errors: [{ path: expect.stringMatching(/^\?(query|top|more)$/) }] } });
    },
  );

  it.each<[string, object, string]>([
    ['tools', {}, ''],
    ['tools', { queries: [] }, '/queries'],
    ['tools', { queries: [{ query: '', tools: ['a'] }] }, '/queries/0/query'],
    ['tools', { queries: [{ query: 'a', tools: [] }] }, '/queries/0/tools'],
    ['tools', { queries: [{ query: 'a', tools: ['a'], gold: [] }] }, '/queries/0/gold'],
    ['tools', { queries: [{ query: 'a', tools: ['a'] }], top: [0] }, '/top/0'],
    ['routes', { texts: [{ intent: 'a' }] }, '/texts/0'],
  ])('refuses %s of %j', async (path, body, place) => {
    expect(await post(path, body)).toMatchObject({ status: 400, body: { errors: [{ path: place }] } });
  });
});
