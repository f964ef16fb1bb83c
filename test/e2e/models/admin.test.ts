import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askAdmin, type AdminAnswer } from '../../support/ask-admin.ts';
import { sendJson, startEchoServer, type EchoServer } from '../../support/echo-server.ts';
import { startHub, type Hub } from '../../support/start-hub.ts';

const KEY = 'sk-stored-key-0123456789';
const HEADER = 'stored-header-0123456789';

let vendor: EchoServer;
let closed: EchoServer;
let hub: Hub;
/** Everything that any answer had. */
const answers: string[] = [];

const config = (more = ''): string => `
egress: { allow: ["127.0.0.1:${vendor.port}"] }
extensions: [./brief.ts]
providers:
  file: { type: openai-compatible, baseUrl: "${closed.url}/v1" }
models:
  - { match: { model: "filed-*" }, targets: [{ provider: file }] }
  - { name: of-the-file, targets: [{ provider: file, model: from-file }] }
${more}`;
const BRIEF = `
import { definePolicy } from 'hubgate/policy';
export default definePolicy({ name: 'brief', stage: 'observe', options: { type: 'object' }, create: () => ({}) });
`;

beforeAll(async () => {
  const completion = (request: { body: Buffer }): object => ({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: (JSON.parse(request.body.toString()) as { model: string }).model,
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hello from the vendor.' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
  });
  const answer = (request: { body: Buffer }, response: Parameters<typeof sendJson>[0]): void =>
    sendJson(response, 200, completion(request));
  [vendor, closed] = await Promise.all([startEchoServer(answer), startEchoServer(answer)]);
  hub = await startHub({ files: { 'hubgate.yaml': config(), 'brief.ts': BRIEF } });
});
afterAll(async () => {
  await hub?.stop();
  await Promise.all([vendor?.stop(), closed?.stop()]);
});

async function ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<AdminAnswer> {
  const answer = await askAdmin(hub, method, path, body, headers);
  answers.push(answer.text);
  return answer;
}

async function chat(model: string): Promise<{ status: number; body: { model?: string; error?: { code?: string } } }> {
  const response = await fetch(`${hub.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] }),
  });
  const text = await response.text();
  answers.push(text);
  return { status: response.status, body: JSON.parse(text) as object };
}

const provider = (more: object = {}) => ({
  type: 'openai-compatible',
  baseUrl: `${vendor.url}/v1`,
  apiKey: KEY,
  headers: { 'X-Team': HEADER },
  ...more,
});
const to = (name: string, more: object = {}) => ({ targets: [{ provider: name }], ...more });
const problemsOf = async (path: string): Promise<unknown> => (await ask('GET', path)).body.state;

describe('a provider and a route made by the admin API', () => {
  it('serve when they are answered, and are gone when they are deleted', async () => {
    expect(await ask('PUT', '/providers/made', provider())).toMatchObject({
      status: 201,
      body: {
        name: 'made',
        origin: 'store',
        config: { apiKey: { set: true }, headers: { 'X-Team': { set: true } } },
        state: { ok: true, problems: [] },
      },
    });
    expect((await chat('fresh')).status).toBe(404);
    const route = to('made', { description: 'Made here', match: { model: 'fresh*' } });
    expect(await ask('PUT', '/models/fresh', route)).toMatchObject({ status: 201, body: { origin: 'store', config: route } });
    expect(await chat('fresh-1')).toMatchObject({ status: 200, body: { model: 'fresh-1' } });
    expect(vendor.requests.at(-1)?.headers).toMatchObject({ authorization: `Bearer ${KEY}`, 'x-team': HEADER });
    expect((await ask('PUT', '/models/by-name', { targets: [{ provider: 'made', model: 'its-own' }] })).status).toBe(201);
    expect(await chat('by-name')).toMatchObject({ status: 200, body: { model: 'its-own' } });
    const { body } = await ask('GET', '/status');
    const target = {
      route: 'by-name',
      provider: 'made',
      type: 'openai-compatible',
      model: 'its-own',
      health: 'healthy',
      breaker: 'closed',
    };
    expect(body.targets).toContainEqual(expect.objectContaining(target));
    expect((await ask('GET', '/models')).body.items.map(({ name }: { name: string }) => name)).toEqual([
      'route-1',
      'of-the-file',
      'by-name',
      'fresh',
    ]);

    expect((await ask('DELETE', '/models/fresh')).status).toBe(204);
    expect(await chat('fresh-1')).toMatchObject({ status: 404, body: { error: { code: 'model_not_found' } } });
    expect((await ask('GET', '/models/fresh')).status).toBe(404);
    expect((await ask('DELETE', '/models/by-name')).status).toBe(204);
    expect((await ask('DELETE', '/providers/made')).status).toBe(204);
    expect((await ask('GET', '/providers/made')).status).toBe(404);
  });

  it('are changed at their revision only, and stay what they were when a change is refused', async () => {
    const { headers } = await ask('PUT', '/providers/kept', provider());
    const etag = headers.get('etag') as string;
    expect((await ask('PUT', '/models/kept', to('kept'))).status).toBe(201);
    expect((await ask('PUT', '/providers/kept', provider({ description: 'two' }), { 'if-match': etag })).status).toBe(200);
    expect((await ask('PUT', '/providers/kept', provider({ description: 'three' }), { 'if-match': etag })).status).toBe(412);
    for (const [path, body, place] of [
      ['/providers/kept', provider({ type: 'opnai' }), '/providers/kept/type'],
      ['/providers/other', { type: 'openai' }, '/providers/other'],
      ['/providers/kept', provider({ region: 'eu' }), '/providers/kept/region'],
      ['/providers/kept', provider({ baseUrl: `${vendor.url}/v1?key=1` }), '/providers/kept'],
      ['/models/kept', to('nobody'), '/models/kept/targets/0/provider'],
      ['/models/new', to('kept', { fallback: [{ provider: 'nobody' }] }), '/models/new/fallback/0/provider'],
      ['/models/kept', to('kept', { policies: [{ breef: {} }] }), '/models/kept/policies/0/breef'],
      ['/models/kept', to('kept', { when: 'call.modle == "x"' }), '/when'],
    ] as const) {
      const answer = await ask('PUT', path, body);
      expect([answer.status, (answer.body.errors as { path: string }[]).map((error) => error.path)], JSON.stringify(body)).toEqual([
        400,
        [place],
      ]);
    }
    expect(await chat('kept')).toMatchObject({ status: 200 });
    expect((await ask('GET', '/providers/kept')).body).toMatchObject({
      config: { type: 'openai-compatible', description: 'two' },
      state: { ok: true },
    });
    expect((await ask('GET', '/models')).body.items.map(({ name }: { name: string }) => name)).not.toContain('new');
    expect((await ask('GET', '/status')).body.config).toMatchObject({ ok: true, errors: [] });
  });

  it('reach public addresses only, or those that egress.allow lists', async () => {
    expect((await chat('of-the-file')).status).toBe(200);
    expect((await ask('PUT', '/providers/inside', provider({ baseUrl: `${closed.url}/v1` }))).status).toBe(201);
    expect((await ask('PUT', '/models/inside', to('inside'))).status).toBe(201);
    const before = closed.requests.length;
    expect(await chat('inside')).toMatchObject({ status: 502, body: { error: { code: 'egress_refused' } } });
    expect(closed.requests.length).toBe(before);
    expect((await ask('PUT', '/providers/sly', provider({ baseUrl: 'hub:admin' }))).status).toBe(400);
    const oauth2 = { tokenUrl: `${closed.url}/token`, clientId: 'me', clientSecret: 'stored-client-secret' };
    expect((await ask('PUT', '/providers/inside', { type: 'azure', baseUrl: vendor.url, oauth2 })).status).toBe(200);
    expect(await chat('inside')).toMatchObject({ status: 502, body: { error: { code: 'egress_refused' } } });
    expect(closed.requests.length, 'nor for their tokens').toBe(before);
  });

  it('cannot stand in for what a file says', async () => {
    for (const [path, body] of [
      ['/providers/file', provider()],
      ['/models/of-the-file', to('kept')],
      ['/models/route-1', to('kept')],
    ] as const) {
      expect((await ask('PUT', path, body)).status, path).toBe(409);
      expect((await ask('DELETE', path)).status, path).toBe(409);
    }
    await ask('PUT', '/models/earlier', to('kept', { match: { model: '*' } }));
    const before = closed.requests.length;
    expect((await chat('filed-1')).status).toBe(200);
    expect(closed.requests.length).toBe(before + 1);
    expect((await chat('anything')).status).toBe(200);
    expect((await ask('DELETE', '/models/earlier')).status).toBe(204);
  });
});

describe('when something that they need is not there', () => {
  const lost = { ok: false, problems: [{ code: 'provider_unknown', severity: 'error', pointer: '/models/needy/targets/0/provider' }] };

  it('a route of a file keeps its provider, a route of the store shows what is wrong', async () => {
    await ask('PUT', '/providers/needed', provider());
    await ask('PUT', '/models/needy', to('needed'));
    await hub.write('hubgate.yaml', config('  - { name: of-both, targets: [{ provider: needed }] }'));
    await expect.poll(async () => (await chat('of-both')).status, { timeout: 5_000 }).toBe(200);
    const refused = await ask('DELETE', '/providers/needed');
    expect(refused).toMatchObject({
      status: 409,
      body: { errors: [{ path: expect.stringMatching(/^hubgate\.yaml:\d+:\d+$/), message: expect.stringContaining('"needed"') }] },
    });
    expect((await chat('of-both')).status).toBe(200);

    await hub.write('hubgate.yaml', config());
    await expect.poll(async () => (await chat('of-both')).status, { timeout: 5_000 }).toBe(404);
    expect((await ask('DELETE', '/providers/needed')).status).toBe(204);
    expect(await problemsOf('/models/needy')).toMatchObject(lost);
    expect((await chat('needy')).status).toBe(404);
    expect((await ask('GET', '/status')).body.config).toMatchObject({
      ok: true,
      warnings: [expect.objectContaining({ code: 'provider_unknown' })],
    });
    expect((await ask('PUT', '/models/needy', to('needed', { description: 'again' }))).status).toBe(400);
  });

  it('the hub starts all the same, and the rest serves', async () => {
    expect((await ask('PUT', '/models/brief', to('kept', { policies: [{ brief: {} }] }))).status).toBe(201);
    expect((await chat('brief')).status).toBe(200);
    await hub.write('hubgate.yaml', config().replace('extensions: [./brief.ts]', ''));
    await expect
      .poll(() => problemsOf('/models/brief'), { timeout: 5_000 })
      .toMatchObject({ ok: false, problems: [{ code: 'route_failed' }] });
    await hub.restart();
    expect(await problemsOf('/models/needy')).toMatchObject(lost);
    expect(await problemsOf('/models/brief')).toMatchObject({ ok: false, problems: [{ code: 'route_failed', pointer: '/models/brief' }] });
    expect([(await chat('brief')).status, (await chat('kept')).status]).toEqual([404, 200]);
    expect(vendor.requests.at(-1)?.headers['authorization']).toBe(`Bearer ${KEY}`);
    expect((await ask('DELETE', '/models/needy')).status).toBe(204);
    expect((await ask('PUT', '/models/brief', to('kept'))).status).toBe(200);
    expect((await chat('brief')).status).toBe(200);
  });

  it('an entry of a file takes the place of one of its name, which is said', async () => {
    await hub.write('hubgate.yaml', config('  - { name: kept, targets: [{ provider: file, model: from-file }] }'));
    await expect.poll(async () => (await chat('kept')).body.model, { timeout: 5_000 }).toBe('from-file');
    expect((await ask('GET', '/models/kept')).body).toMatchObject({ origin: 'file' });
    const { warnings } = (await ask('GET', '/status')).body.config as { warnings: object[] };
    expect(warnings).toContainEqual(expect.objectContaining({ code: 'name_clash', pointer: '/models/kept' }));
    await hub.write('hubgate.yaml', config());
    await expect.poll(async () => (await chat('kept')).body.model, { timeout: 5_000 }).toBe('kept');
  });
});

it('their secrets are in no answer and no log', async () => {
  for (const path of ['/providers', '/models', '/status', '/calls', '/providers/kept', '/explain?model=kept'])
    expect((await ask('GET', path)).status, path).toBe(200);
  expect(answers.length).toBeGreaterThan(50);
  for (const secret of [KEY, HEADER]) {
    expect(answers.filter((text) => text.includes(secret))).toEqual([]);
    expect(`${hub.stdout()}${hub.stderr()}`).not.toContain(secret);
  }
});
