import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { asking, FakeHub, PETS, type Ask } from './fake-hub.ts';

let hub: FakeHub;
let ask: Ask;

beforeEach(async () => {
  hub = await FakeHub.open();
  ask = asking(hub);
});
afterEach(() => hub.store.close());

const stored = async (kind: string, name: string) =>
  (await hub.store.resources.all()).find((one) => one.kind === kind && one.name === name);

describe('entries of the admin API', () => {
  it('lists files and store together', async () => {
    hub.files['services'] = { github: { spec: 'github.yaml' } };
    await ask('PUT', 'services/pets', { url: 'https://pets.example.com/openapi.json' });
    const { status, body } = await ask('GET', 'services');
    expect(status).toBe(200);
    expect(body.items).toEqual([
      { name: 'github', origin: 'file', revision: expect.any(String), config: { spec: 'github.yaml' }, state: { ok: true, problems: [] } },
      {
        name: 'pets',
        origin: 'store',
        revision: expect.any(String),
        config: { url: 'https://pets.example.com/openapi.json' },
        state: { ok: true, problems: [] },
      },
    ]);
  });

  it('creates with 201, replaces with 200, shows the revision as ETag and deletes with 204', async () => {
    const created = await ask('PUT', 'consumers/alice@example.com', { groups: ['staff'] });
    expect(created).toMatchObject({
      status: 201,
      body: { name: 'alice@example.com', origin: 'store', config: { groups: ['staff'] }, state: { ok: true } },
    });
    const replaced = await ask('PUT', 'consumers/alice%40example.com', { groups: [] });
    expect(replaced).toMatchObject({ status: 200, body: { config: { groups: [] } } });
    const shown = await ask('GET', 'consumers/alice@example.com');
    expect(shown.headers?.['etag']).toBe(`"${shown.body.revision}"`);
    expect(shown.body.revision).not.toBe(created.body.revision);
    expect(await ask('DELETE', 'consumers/alice@example.com')).toEqual({ status: 204 });
    expect(await ask('GET', 'consumers/alice@example.com')).toMatchObject({ status: 404, body: { status: 404, errors: [] } });
    expect(await ask('DELETE', 'consumers/alice@example.com')).toMatchObject({ status: 404 });
  });

  it('honours If-Match on PUT and DELETE', async () => {
    const none = await ask('PUT', 'consumers/bob', {}, { 'if-match': '*' });
    expect(none.status).toBe(412);
    const { body } = await ask('PUT', 'consumers/bob', {});
    expect(await ask('PUT', 'consumers/bob', { groups: ['a'] }, { 'if-match': '"other"' })).toMatchObject({
      status: 412,
      body: { code: 'precondition_failed' },
    });
    const next = await ask('PUT', 'consumers/bob', { groups: ['a'] }, { 'if-match': `"other", "${body.revision}"` });
    expect(next.status).toBe(200);
    expect((await ask('DELETE', 'consumers/bob', undefined, { 'if-match': `"${body.revision}"` })).status).toBe(412);
    expect((await ask('DELETE', 'consumers/bob', undefined, { 'if-match': `"${next.body.revision}"` })).status).toBe(204);
  });

  it('answers 409 for entries of files and for names that another kind has', async () => {
    hub.files['services'] = { github: {} };
    hub.files['policies'] = { 'access-log': {} };
    for (const [method, path] of [
      ['PUT', 'services/github'],
      ['DELETE', 'services/github'],
      ['PUT', 'servers/github'],
      ['PUT', 'virtual-servers/github'],
      ['PUT', 'policies/access-log'],
      ['DELETE', 'policies/access-log'],
    ]) {
      const answer = await ask(method as string, path as string, method === 'PUT' ? { url: 'https://a.example.com' } : undefined);
      expect(answer, path).toMatchObject({ status: 409, body: { code: 'conflict' } });
    }
    expect(await hub.store.resources.all()).toEqual([]);
  });

  it('deletes an entry of the store that an entry of a file puts aside', async () => {
    await ask('PUT', 'services/pets', { url: 'https://pets.example.com/a.json' });
    hub.files['services'] = { pets: {} };
    expect((await ask('DELETE', 'services/pets')).status).toBe(204);
    expect(await stored('services', 'pets')).toBeUndefined();
  });

  it('says 501 for policies, which stand in files only, and lists what the files say of them', async () => {
    hub.files['policies'] = { 'access-log': {} };
    expect(await ask('PUT', 'policies/one', {})).toMatchObject({ status: 501, body: { code: 'not_implemented' } });
    expect((await ask('GET', 'policies')).body.items).toMatchObject([{ name: 'access-log' }]);
  });

  it('takes agents, masks their secrets, and keeps them while the card stays where it is', async () => {
    const agent = { card: 'https://travel.example.com', auth: { bearer: 'canary' }, headers: { 'X-Key': 'canary-too' } };
    const masked = { card: agent.card, auth: { bearer: { set: true } }, headers: { 'X-Key': { set: true } } };
    const made = await ask('PUT', 'agents/travel', agent);
    expect(made).toMatchObject({ status: 201, body: { name: 'travel', origin: 'store', config: masked, state: { ok: true } } });
    expect(hub.secrets).toEqual(['canary', 'canary-too']);
    expect((await ask('PUT', 'agents/travel', { ...masked, publicCard: true })).status).toBe(200);
    expect((await stored('agents', 'travel'))?.secrets.get('/auth/bearer')).toBe('canary');
    expect(await ask('PUT', 'agents/travel', { ...masked, card: 'https://other.example.com' })).toMatchObject({
      status: 400,
      body: { errors: [{ path: '/auth/bearer' }, { path: '/headers/X-Key' }] },
    });
    expect(await ask('PUT', 'services/travel', { url: 'https://a.example.com' })).toMatchObject({ status: 409 });
    expect(JSON.stringify(await ask('GET', 'agents'))).not.toContain('canary');
    expect(await ask('DELETE', 'agents/travel')).toEqual({ status: 204 });
  });

  it('keeps the secrets of an agent from the address of another instance, and of another application', async () => {
    const target = (host: string, bearer: unknown): object => ({ card: `https://${host}.example.com`, auth: { bearer } });
    await ask('PUT', 'agents/two', { targets: [target('one', 'canary'), target('two', 'canary-too')] });
    const swapped = { targets: [target('two', { set: true }), target('one', { set: true })] };
    expect((await ask('PUT', 'agents/two', swapped)).status).toBe(400);
    await ask('PUT', 'agents/app', { rest: { preset: 'model-studio', app: 'canary' } });
    expect((await ask('PUT', 'agents/app', { rest: { preset: 'dify', app: { set: true } } })).status).toBe(400);
    expect((await ask('PUT', 'agents/app', { rest: { preset: 'model-studio', app: { set: true } }, price: 1 })).status).toBe(200);
  });

  it('refuses an agent that is nowhere, in two places, or in a file', async () => {
    for (const [body, path] of [
      [{}, ''],
      [{ card: 'https://a.example.com', rest: { url: 'https://a.example.com' } }, ''],
      [{ rest: { spec: '/etc/passwd' } }, '/rest/spec'],
      [{ card: '${env:HOME}' }, '/card'],
      [{ card: 'https://a.example.com', cards: 1 }, '/cards'],
    ] as const)
      expect(await ask('PUT', 'agents/a', body), JSON.stringify(body)).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  });

  it('fetches the card of an agent again', async () => {
    await ask('PUT', 'agents/travel', { card: 'https://travel.example.com' });
    expect(await ask('POST', 'agents/travel/refresh')).toMatchObject({ status: 200, body: { name: 'travel', state: 'ready' } });
    expect((await ask('POST', 'agents/none/refresh')).status).toBe(404);
  });

  it('names every wrong field, refuses references, and stores nothing', async () => {
    const { status, headers, body } = await ask('PUT', 'services/pets', {
      url: 'https://a.example.com',
      titel: 1,
      auth: { bearer: '${env:HOME}' },
      timeout: 'soon',
    });
    expect(status).toBe(400);
    expect(headers?.['content-type']).toBe('application/problem+json');
    expect(body).toMatchObject({ type: 'about:blank', title: 'Bad Request', status: 400 });
    expect(body.errors.map((error: { path: string }) => error.path).sort()).toEqual(['/auth/bearer', '/timeout', '/titel']);
    for (const value of [undefined, [], 'text', null]) expect((await ask('PUT', 'services/pets', value)).status, String(value)).toBe(400);
    expect(await ask('PUT', 'services/pets', { spec: '/etc/passwd' })).toMatchObject({
      status: 400,
      body: { errors: expect.arrayContaining([expect.objectContaining({ path: '/spec' })]) },
    });
    expect(await hub.store.resources.all()).toEqual([]);
  });

  it.each([
    'services/Bad',
    'services/-x',
    'services/a%2Fb',
    'virtual-servers/averyveryverylongnameindeed',
    'consumers/%20',
    'consumers/..',
    'consumers/anonymous',
    'consumers/__proto__',
  ])('refuses the name in %s', async (path) => {
    const [kind, name] = path.split('/') as [string, string];
    const api = (await import('../../../src/admin/api.ts')).createAdminApi(hub.admin);
    const answer = await api.handle({
      method: 'PUT',
      path: `/admin/v1/${kind}/${name}`,
      query: new URLSearchParams(),
      headers: {},
      body: {},
    });
    expect(answer.status).toBe(400);
    expect(await hub.store.resources.all()).toEqual([]);
  });

  it('takes secrets literally, gives back { set: true }, and keeps what is sent back so', async () => {
    const put = await ask('PUT', 'services/pets', {
      url: 'https://pets.example.com/a.json',
      auth: { basic: { username: 'me', password: 'very-secret-1' } },
    });
    expect(put.status).toBe(201);
    expect(put.body.config.auth).toEqual({ basic: { username: 'me', password: { set: true } } });
    expect(hub.secrets).toContain('very-secret-1');
    const again = await ask('PUT', 'services/pets', { ...put.body.config, description: 'Pets' });
    expect(again.status).toBe(200);
    expect((await stored('services', 'pets'))?.secrets).toEqual(new Map([['/auth/basic/password', 'very-secret-1']]));
    for (const answer of [put, again, await ask('GET', 'services'), await ask('GET', 'services/pets')])
      expect(JSON.stringify(answer)).not.toContain('very-secret-1');
    const moved = await ask('PUT', 'services/pets', { url: 'https://pets.example.com/a.json', auth: { bearer: { set: true } } });
    expect(moved).toMatchObject({
      status: 400,
      body: { errors: [{ path: '/auth/bearer', message: expect.stringContaining('Nothing is stored') }] },
    });
  });

  it.each([
    [{ url: 'https://evil.example.com/a.json' }],
    [{ baseUrl: 'https://evil.example.com' }],
    [{ document: PETS }],
    [{ auth: { oauth2: { tokenUrl: 'https://evil.example.com/token', clientId: 'me', clientSecret: { set: true } } } }],
  ])('sends no stored secret to another address: %j', async (change) => {
    const entry = {
      url: 'https://pets.example.com/a.json',
      auth: { oauth2: { tokenUrl: 'https://pets.example.com/token', clientId: 'me', clientSecret: 'very-secret-2' } },
    };
    const put = await ask('PUT', 'services/pets', entry);
    expect(put.status).toBe(201);
    const { url: _, ...rest } = put.body.config;
    const moved = await ask('PUT', 'services/pets', { ...('document' in change ? rest : put.body.config), ...change });
    expect(moved).toMatchObject({
      status: 400,
      body: { errors: [{ path: '/auth/oauth2/clientSecret', message: expect.stringContaining('another address') }] },
    });
    expect((await stored('services', 'pets'))?.config).toMatchObject({ url: entry.url });
  });

  it('takes a document, shows that it is there, keeps it, and refuses what is none', async () => {
    const put = await ask('PUT', 'services/pets', { document: PETS, description: 'One' });
    expect(put.body.config).toEqual({ description: 'One', document: { set: true } });
    const again = await ask('PUT', 'services/pets', { ...put.body.config, description: 'Two' });
    expect(again.body.config).toEqual({ description: 'Two', document: { set: true } });
    expect(JSON.parse((await hub.store.resources.document('services', 'pets')) as string)).toEqual(PETS);
    for (const document of ['no document at all', { openapi: '4' }, 7, { set: true }]) {
      expect(await ask('PUT', 'services/other', { document }), JSON.stringify(document)).toMatchObject({
        status: 400,
        body: { errors: [{ path: '/document' }] },
      });
    }
    const url = await ask('PUT', 'services/pets', { url: 'https://pets.example.com/a.json' });
    expect(url.body.config).toEqual({ url: 'https://pets.example.com/a.json' });
    expect(await hub.store.resources.document('services', 'pets')).toBeUndefined();
  });

  it('puts the store back when the configuration refuses a change', async () => {
    await ask('PUT', 'services/pets', { document: PETS, auth: { bearer: 'very-secret-2' } });
    const before = await stored('services', 'pets');
    hub.judge = (all) =>
      all.some(({ config }) => JSON.stringify(config).includes('wrong'))
        ? [{ code: 'x', message: 'This is wrong.', pointer: '/services/pets/description' }]
        : [];
    const refused = await ask('PUT', 'services/pets', { document: PETS, description: 'wrong' });
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ path: '/services/pets/description', message: 'This is wrong.' }] } });
    const after = await stored('services', 'pets');
    expect({ config: after?.config, secrets: after?.secrets, hash: after?.documentHash }).toEqual({
      config: before?.config,
      secrets: before?.secrets,
      hash: before?.documentHash,
    });
    expect((await ask('PUT', 'services/new', { url: 'https://a.example.com', description: 'wrong' })).status).toBe(400);
    expect(await stored('services', 'new')).toBeUndefined();
    expect((await ask('GET', 'status')).body.config.ok).toBe(true);
  });

  it('refuses a delete that leaves a virtual server without its source', async () => {
    await ask('PUT', 'services/pets', { document: PETS });
    hub.judge = (all) =>
      all.length === 0
        ? [{ code: 'unknown-source', message: 'There is no source pets.', file: 'virtual-servers/a.yaml', line: 3, column: 9 }]
        : [];
    expect(await ask('DELETE', 'services/pets')).toMatchObject({ status: 409, body: { errors: [{ path: 'virtual-servers/a.yaml:3:9' }] } });
    expect(await hub.store.resources.document('services', 'pets')).toBeDefined();
  });

  it('changes nothing while the files are not valid, and says so', async () => {
    hub.judge = () => [{ code: 'yaml', message: 'Bad line.', file: 'hubgate.yaml', line: 2, column: 1 }];
    await hub.reload();
    expect(await ask('PUT', 'consumers/bob', {})).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('files'), errors: [{ path: 'hubgate.yaml:2:1' }] },
    });
    expect(await hub.store.resources.all()).toEqual([]);
  });

  it('makes writes one after the other', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => ask('PUT', 'consumers/bob', { groups: [`g${index}`] })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 201]);
    expect((await ask('GET', 'consumers/bob')).body.config).toEqual({ groups: ['g7'] });
  });

  it('shows what is wrong with an entry', async () => {
    const { body } = await ask('PUT', 'consumers/sick', {});
    expect(body.state).toEqual({ ok: false, problems: [{ code: 'ill', message: 'It is ill.', severity: 'error' }] });
  });
});

describe('providers and models', () => {
  const vendor = { type: 'openai', apiKey: 'very-secret-key-1', headers: { 'X-Team': 'very-secret-team' }, timeouts: { total: '90s' } };

  it('are written as the file would hold them, with secrets masked and kept', async () => {
    const put = await ask('PUT', 'providers/main', vendor);
    expect(put).toMatchObject({
      status: 201,
      body: {
        name: 'main',
        origin: 'store',
        config: { type: 'openai', apiKey: { set: true }, headers: { 'X-Team': { set: true } }, timeouts: { total: '90s' } },
        state: { ok: true, problems: [] },
      },
    });
    expect(hub.secrets).toEqual(expect.arrayContaining(['very-secret-key-1', 'very-secret-team']));
    expect((await ask('PUT', 'providers/main', { ...put.body.config, description: 'Ours' })).status).toBe(200);
    expect((await stored('providers', 'main'))?.secrets.get('/apiKey')).toBe('very-secret-key-1');
    const route = {
      match: { model: 'gpt-*' },
      when: 'call.size < 1000.0',
      targets: [{ provider: 'main' }],
      policies: [{ 'access-log': {} }],
    };
    expect(await ask('PUT', 'models/gpt', route)).toMatchObject({ status: 201, body: { name: 'gpt', origin: 'store', config: route } });
    for (const answer of [put, await ask('GET', 'providers'), await ask('GET', 'providers/main')])
      expect(JSON.stringify(answer)).not.toContain('very-secret');
    expect((await ask('DELETE', 'models/gpt')).status).toBe(204);
    expect((await ask('DELETE', 'providers/main')).status).toBe(204);
  });

  it.each([
    ['providers/main', { ...vendor, tipe: 'openai' }, '/tipe'],
    ['providers/main', { apiKey: 'x' }, ''],
    ['providers/main', { ...vendor, apiKey: '${env:HOME}' }, '/apiKey'],
    ['providers/main', { ...vendor, type: '${file:/etc/hostname}' }, '/type'],
    ['providers/main', { ...vendor, options: { deep: [{ url: 'https://a/${vault:x}' }] } }, '/options/deep/0/url'],
    ['providers/main', { ...vendor, baseUrl: 'hub:admin' }, '/baseUrl'],
    ['providers/main', { ...vendor, baseUrl: 'file:///etc/passwd' }, '/baseUrl'],
    ['providers/main', { ...vendor, timeouts: { total: 'soon' } }, '/timeouts/total'],
    ['providers/1st', vendor, ''],
    ['models/gpt', { name: 'gpt', targets: [{ provider: 'main' }] }, '/name'],
    ['models/gpt', {}, ''],
    ['models/gpt', { targets: [] }, '/targets'],
    ['models/gpt', { targets: [{ provider: 'main' }], when: 'call.modle == "x"' }, '/when'],
    ['models/gpt', { targets: [{ provider: 'main', modle: 'x' }] }, '/targets/0/modle'],
    ['models/0', { targets: [{ provider: 'main' }] }, ''],
  ])('are refused with the place: %s %j at "%s"', async (path, body, place) => {
    expect(await ask('PUT', path, body)).toMatchObject({ status: 400, body: { errors: [{ path: place, message: expect.any(String) }] } });
    expect(await hub.store.resources.all()).toEqual([]);
  });

  it.each([
    { type: 'xai' },
    { baseUrl: 'https://evil.example.com/v1' },
    { region: 'evil.example.com/' },
    { options: { url: 'https://evil.example.com' } },
  ])('send no stored key to another address: %j', async (change) => {
    const put = await ask('PUT', 'providers/main', vendor);
    expect(await ask('PUT', 'providers/main', { ...put.body.config, ...change })).toMatchObject({
      status: 400,
      body: { errors: [{ path: '/apiKey', message: expect.stringContaining('another address') }, { path: '/headers/X-Team' }] },
    });
    expect((await ask('PUT', 'providers/main', { ...vendor, ...change })).status).toBe(200);
  });

  it('have namespaces of their own', async () => {
    hub.files['services'] = { main: {} };
    hub.files['models'] = { 'route-1': {} };
    expect((await ask('PUT', 'providers/main', vendor)).status).toBe(201);
    expect((await ask('PUT', 'models/main', { targets: [{ provider: 'main' }] })).status).toBe(201);
    expect((await ask('PUT', 'models/route-1', { targets: [{ provider: 'main' }] })).status).toBe(409);
  });
});
