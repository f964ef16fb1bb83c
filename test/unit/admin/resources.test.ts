import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pepperedDigest } from '../../../src/access/keys.ts';
import { asking, FakeHub, PETS, type Ask } from './fake-hub.ts';

let hub: FakeHub;
let ask: Ask;

beforeEach(async () => {
  hub = await FakeHub.open();
  ask = asking(hub);
});
afterEach(() => hub.store.close());

describe('keys of consumers', () => {
  it('shows a key once and keeps its digest only, for consumers of files too', async () => {
    hub.files['consumers'] = { ci: {} };
    const made = await ask('POST', 'consumers/ci/keys', { label: 'build', expiresAt: '2099-01-31T12:00:00Z' });
    expect(made).toMatchObject({ status: 201, body: { id: expect.any(String), key: expect.stringMatching(/^hg_[\w-]{43}$/) } });
    const { key, id } = made.body;
    expect(hub.secrets).toContain(key);
    const [record] = await hub.store.keys.all();
    expect(record?.digest).toBe(pepperedDigest(key, hub.store.pepper()));
    const list = await ask('GET', 'consumers/ci/keys');
    expect(list.body).toEqual({
      items: [{ id, label: 'build', createdAt: expect.stringMatching(/Z$/), expiresAt: '2099-01-31T12:00:00.000Z' }],
    });
    expect(JSON.stringify(list)).not.toContain(record?.digest);
    const before = hub.keyRefreshes;
    expect((await ask('DELETE', `consumers/ci/keys/${id}`)).status).toBe(204);
    expect(hub.keyRefreshes).toBe(before + 1);
    expect((await ask('DELETE', `consumers/ci/keys/${id}`)).status).toBe(404);
  });

  it('makes a key without a body', async () => {
    hub.files['consumers'] = { ci: {} };
    expect((await ask('POST', 'consumers/ci/keys')).status).toBe(201);
  });

  it('refuses unknown consumers, also the anonymous one, unknown fields and past times', async () => {
    for (const name of ['nobody', 'anonymous'])
      for (const method of ['GET', 'POST']) expect((await ask(method, `consumers/${name}/keys`)).status).toBe(404);
    hub.files['consumers'] = { ci: {} };
    for (const [body, path] of [
      [{ labels: 'x' }, '/labels'],
      [{ label: 7 }, '/label'],
      [{ expiresAt: 'tomorrow' }, '/expiresAt'],
      [{ expiresAt: '2001-01-01' }, '/expiresAt'],
    ] as const) {
      expect(await ask('POST', 'consumers/ci/keys', body), path).toMatchObject({ status: 400, body: { errors: [{ path }] } });
    }
    expect(await hub.store.keys.all()).toEqual([]);
  });

  it('makes and deletes keys whatever state the configuration is in', async () => {
    hub.files['consumers'] = { ci: {} };
    hub.judge = () => [{ code: 'x', message: 'no' }];
    const made = await ask('POST', 'consumers/ci/keys', {});
    expect(made.status).toBe(201);
    expect((await ask('DELETE', `consumers/ci/keys/${made.body.id}`)).status).toBe(204);
    expect(await hub.store.keys.all()).toEqual([]);
  });

  it('deletes keys with their consumer, so that the next of that name does not inherit them', async () => {
    await ask('PUT', 'consumers/bob', {});
    await ask('POST', 'consumers/bob/keys', {});
    await ask('DELETE', 'consumers/bob');
    await ask('PUT', 'consumers/bob', {});
    expect((await ask('GET', 'consumers/bob/keys')).body.items).toEqual([]);
  });

  it('deletes them before the next consumer of that name is made, and makes none meanwhile', async () => {
    await ask('PUT', 'consumers/bob', {});
    await ask('POST', 'consumers/bob/keys', {});
    const refreshed = hub.keyRefreshes;
    const keysAtReload: number[] = [];
    const reload = hub.reload.bind(hub);
    hub.reload = async () => {
      keysAtReload.push((await hub.store.keys.all()).length);
      return reload();
    };
    const answers = await Promise.all([
      ask('DELETE', 'consumers/bob'),
      ask('POST', 'consumers/bob/keys', {}),
      ask('PUT', 'consumers/bob', {}),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([204, 404, 201]);
    expect(keysAtReload).toEqual([0, 0]);
    expect(hub.keyRefreshes).toBe(refreshed + 1);
    expect(await hub.store.keys.all()).toEqual([]);
  });

  it('keeps the keys of a consumer that could not be deleted, and of one that a file has too', async () => {
    await ask('PUT', 'consumers/bob', {});
    await ask('POST', 'consumers/bob/keys', { label: 'build' });
    const before = await hub.store.keys.all();
    hub.judge = (stored) => (stored.length === 0 ? [{ code: 'x', message: 'no' }] : []);
    expect((await ask('DELETE', 'consumers/bob')).status).toBe(409);
    const digests = async (): Promise<string[]> => (await hub.store.keys.all()).map(({ digest }) => digest);
    expect(await digests()).toEqual(before.map(({ digest }) => digest));
    expect((await ask('GET', 'consumers/bob/keys')).body.items).toMatchObject([{ label: 'build' }]);
    hub.judge = () => [];
    hub.files['consumers'] = { bob: {} };
    expect((await ask('DELETE', 'consumers/bob')).status).toBe(204);
    expect(await digests()).toHaveLength(1);
  });
});

describe('import', () => {
  it('names the service after the title and reports its tools', async () => {
    const made = await ask('POST', 'services/import', { document: PETS });
    expect(made).toMatchObject({
      status: 201,
      body: { ok: true, document: { title: 'Pet Shop - v1' }, tools: [{ name: 'listPets' }], leftOut: [] },
    });
    expect((await ask('GET', 'services/pet-shop-v1')).body).toMatchObject({ origin: 'store', config: { document: { set: true } } });
    const yaml = 'openapi: 3.0.0\ninfo: {title: T, version: "2"}\npaths: {}\n';
    expect((await ask('POST', 'services/import', { document: yaml, name: 'mine' })).status).toBe(201);
    expect(await hub.store.resources.document('services', 'mine')).toBe(yaml);
  });

  it('keeps the settings of a service of the store that is there', async () => {
    await ask('PUT', 'services/pets', { document: PETS, description: 'Kept', auth: { bearer: 'very-secret-3' } });
    hub.web.set('https://pets.example.com/openapi.json', JSON.stringify(PETS));
    expect((await ask('POST', 'services/import', { url: 'https://pets.example.com/openapi.json', name: 'pets' })).status).toBe(200);
    expect((await ask('GET', 'services/pets')).body.config).toEqual({
      description: 'Kept',
      auth: { bearer: { set: true } },
      url: 'https://pets.example.com/openapi.json',
    });
    const [stored] = await hub.store.resources.all();
    expect(stored?.secrets.get('/auth/bearer')).toBe('very-secret-3');
  });

  it('stores nothing on a dry run', async () => {
    expect(await ask('POST', 'services/import', { document: PETS, dryRun: true })).toMatchObject({
      status: 200,
      body: { ok: true, tools: [{ name: 'listPets' }] },
    });
    expect(await ask('POST', 'services/import', { document: 'nothing', dryRun: true })).toMatchObject({
      status: 200,
      body: { ok: false, error: { message: expect.any(String) } },
    });
    expect(await hub.store.resources.all()).toEqual([]);
  });

  it('refuses what it cannot take, and says where', async () => {
    hub.files['services'] = { taken: {} };
    for (const [body, status, path] of [
      [{}, 400, ''],
      [{ url: 'https://a.example.com', document: PETS }, 400, ''],
      [{ url: 'file:///etc/passwd' }, 400, '/url'],
      [{ document: PETS, names: 'x' }, 400, '/names'],
      [{ document: PETS, name: 'Not A Name' }, 400, '/name'],
      [{ document: 'nothing' }, 400, '/document'],
      [{ document: 7 }, 400, '/document'],
      [{ document: { ...PETS, info: { title: '1 2 3', version: '1' } } }, 400, '/name'],
      [{ url: 'http://internal.example.com/' }, 502, '/url'],
    ] as const) {
      expect(await ask('POST', 'services/import', body), JSON.stringify(body)).toMatchObject({ status, body: { errors: [{ path }] } });
    }
    expect((await ask('POST', 'services/import', { document: PETS, name: 'taken' })).status).toBe(409);
    expect(await hub.store.resources.all()).toEqual([]);
  });
});

describe('the hub as a whole', () => {
  it('answers reports, lists and explanations', async () => {
    expect((await ask('GET', 'services/pets/report')).body).toMatchObject({ file: 'pets' });
    expect((await ask('POST', 'services/pets/refresh')).body).toMatchObject({ file: 'pets again' });
    expect((await ask('GET', 'tools')).body).toEqual({ items: [{ name: 'tool_of__for_anonymous' }] });
    hub.files['consumers'] = { ci: {} };
    expect((await ask('GET', 'tools?server=pets&consumer=ci')).body).toEqual({ items: [{ name: 'tool_of_pets_for_ci' }] });
    expect((await ask('GET', 'tools?server=pets')).status).toBe(400);
    expect((await ask('GET', 'tools?consumer=nobody')).status).toBe(404);
    expect((await ask('GET', 'explain?server=pets&tool=a&consumer=ci')).body).toMatchObject({ visible: true, steps: [{ rule: 'pets/a' }] });
    expect(await ask('GET', 'explain?server=pets&consumer=ci')).toMatchObject({ status: 400, body: { errors: [{ path: '?tool' }] } });
    expect((await ask('GET', 'explain?model=gpt&consumer=ci')).body).toMatchObject({
      steps: [{ rule: 'gpt', value: { consumer: { name: 'ci' } } }],
    });
    expect((await ask('GET', 'explain?agent=a&skill=s&consumer=ci')).body).toMatchObject({ steps: [{ rule: 'a', value: { skill: 's' } }] });
    expect(await ask('GET', 'explain?consumer=ci')).toMatchObject({ status: 400, body: { errors: [{ path: '?tool' }] } });
    expect((await ask('GET', 'status')).body).toMatchObject({
      generation: expect.any(Number),
      config: { ok: true },
      sources: [],
      targets: [],
      agents: [],
    });
  });

  it.each<[string, object]>([
    ['', {}],
    ['api=partner', { api: 'partner' }],
    ['api=', {}],
    ['text=my%20invoice', { request: { headers: {}, text: 'my invoice' } }],
    ['text=', { request: { headers: {}, text: '' } }],
    [
      `headers=${encodeURIComponent('X-Tier: gold\n\nx-url : http://a:1/\nx-flag')}&api=v1`,
      { api: 'v1', request: { headers: { 'x-tier': 'gold', 'x-url': 'http://a:1/', 'x-flag': '' }, text: '' } },
    ],
  ])('explains a model for a request that is told: %s', async (query, expected) => {
    const { body } = await ask('GET', `explain?model=gpt&${query}`);
    expect(body).toMatchObject({ steps: [{ rule: 'gpt' }] });
    const [{ value }] = (body as unknown as { steps: [{ value: object }] }).steps;
    expect({ ...value, consumer: undefined }).toEqual({ ...expected, consumer: undefined });
  });

  it('reloads, and tells what is wrong when it cannot', async () => {
    expect(await ask('POST', 'reload')).toMatchObject({ status: 200, body: { generation: 2, problems: [] } });
    hub.judge = () => [{ code: 'yaml', message: 'Bad line.', file: 'hubgate.yaml', line: 2, column: 1 }];
    expect(await ask('POST', 'reload')).toMatchObject({
      status: 409,
      body: { generation: 2, errors: [{ path: 'hubgate.yaml:2:1', message: 'Bad line.' }], problems: [{ code: 'yaml' }] },
    });
  });

  it('refuses parameters that it does not know, and those that come twice', async () => {
    expect(await ask('GET', 'tools?consumers=ci')).toMatchObject({ status: 400, body: { errors: [{ path: '?consumers' }] } });
    expect((await ask('GET', 'tools?server=a&server=b')).status).toBe(400);
  });
});
