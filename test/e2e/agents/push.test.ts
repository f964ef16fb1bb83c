import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { type EchoServer, sendJson, startEchoServer } from '../../support/echo-server.ts';
import { consumer } from '../traffic/_limits.ts';
import type { RawAgent } from './_agent.ts';
import { NOW, request, rpc, saying, sayingLegacy, type Stage, startStage } from './_stage.ts';

const PATIENCE = { timeout: 5_000, interval: 10 };
const AUTHENTICATION = { scheme: 'Bearer', credentials: 'credentials-of-the-webhook' };
const TOKEN = 'token-of-the-caller';

let stage: Stage;
let webhook: EchoServer;
let closed: EchoServer;
/** Statuses that the webhook answers with first. */
const refusals: number[] = [];
beforeAll(async () => {
  [webhook, closed] = await Promise.all([
    startEchoServer((_request, response) => void response.writeHead(refusals.shift() ?? 204).end()),
    startEchoServer((_request, response) => sendJson(response, 200, {})),
  ]);
  stage = await startStage({
    agents: [{}, { version: '0.3' }],
    config: (modern, legacy) => ({
      agents: { modern: { card: modern.url }, legacy: { card: legacy.url } },
      egress: { allow: [`127.0.0.1:${webhook.port}`] },
      consumers: [consumer('alice'), consumer('bob')],
    }),
  });
});
afterAll(async () => {
  await stage?.stop();
  await Promise.all([webhook?.stop(), closed?.stop()]);
});
beforeEach(() => {
  webhook.requests.length = 0;
  refusals.length = 0;
});

const delivered = async (count: number): Promise<{ headers: EchoServer['requests'][number]['headers']; body: JsonObject }[]> => {
  await expect.poll(() => webhook.requests.length, PATIENCE).toBe(count);
  return webhook.requests.map(({ headers, body }) => ({ headers, body: JSON.parse(body.toString()) as JsonObject }));
};
const config = (more: object = {}): object => ({
  url: `${webhook.url}/hook?of=alice`,
  token: TOKEN,
  authentication: AUTHENTICATION,
  ...more,
});

describe.each(['modern', 'legacy'] as const)('an agent (%s)', (name) => {
  const agent = (): RawAgent => stage.agents[name === 'modern' ? 0 : 1]!;
  const begin = async (more: object = NOW): Promise<string> =>
    (await rpc(stage.hub, name, 'SendMessage', saying('hold on', {}, more), { as: 'alice' })).result.task.id;
  const given = (): { url: string; token?: string } => agent().pushes.at(-1) as { url: string };

  it('gets an address of the hub that nobody can guess, and nothing of the caller', async () => {
    const id = await begin();
    const set = await rpc(stage.hub, name, 'CreateTaskPushNotificationConfig', { taskId: id, ...config() }, { as: 'alice' });
    expect(set.result).toMatchObject({ taskId: id, ...config() });
    expect(given().url).toMatch(new RegExp(`^${stage.hub.url}/a2a/${name}/push/[\\w-]{43}$`));
    const all = JSON.stringify(agent().heard.at(-1));
    for (const secret of [TOKEN, AUTHENTICATION.credentials, String(webhook.port), 'alice']) expect(all).not.toContain(secret);
  });

  it('is told on to the caller, with token and credentials', async () => {
    const id = await begin();
    await rpc(stage.hub, name, 'CreateTaskPushNotificationConfig', { taskId: id, ...config() }, { as: 'alice' });
    expect(await agent().notify(id)).toBe(204);
    const [told] = await delivered(1);
    expect(webhook.requests[0]).toMatchObject({ method: 'POST', path: '/hook?of=alice' });
    expect(told!.headers).toMatchObject({ 'x-a2a-notification-token': TOKEN, authorization: `Bearer ${AUTHENTICATION.credentials}` });
    const { task, statusUpdate } = told!.body as { task?: JsonObject; statusUpdate?: JsonObject };
    expect(task?.['id'] ?? statusUpdate?.['taskId']).toBe(id);
    expect(((task ?? statusUpdate)!['status'] as JsonObject)['state']).toBe('TASK_STATE_COMPLETED');
  });

  it('is translated for a caller of 0.3', async () => {
    const params = sayingLegacy('hold on', {}, { configuration: { blocking: false, pushNotificationConfig: config() } });
    const { result } = await rpc(stage.hub, name, 'message/send', params, { as: 'alice', version: '0.3' });
    expect(given().url).toContain(`${stage.hub.url}/a2a/${name}/push/`);
    expect(await agent().notify(result.id)).toBe(204);
    const [told] = await delivered(1);
    expect(told!.body).toMatchObject({ kind: 'task', id: result.id, status: { state: 'completed' } });
    expect(told!.headers['content-type']).toContain('application/json');
  });

  it('comes with a message as well, and is told again after a 503', async () => {
    const id = await begin({ configuration: { returnImmediately: true, taskPushNotificationConfig: config() } });
    const listed = await rpc(stage.hub, name, 'ListTaskPushNotificationConfigs', { taskId: id }, { as: 'alice' });
    expect(listed.result.configs).toMatchObject([{ taskId: id, url: `${webhook.url}/hook?of=alice` }]);
    refusals.push(503);
    expect(await agent().notify(id)).toBe(204);
    const [first, second] = await delivered(2);
    expect(second!.body).toEqual(first!.body);
  });

  it('with a wrong token gets 404, and so does what is not of the token’s task', async () => {
    const id = await begin();
    await rpc(stage.hub, name, 'CreateTaskPushNotificationConfig', { taskId: id, ...config() }, { as: 'alice' });
    const body = { statusUpdate: { taskId: id, contextId: 'c', status: { state: 'TASK_STATE_COMPLETED' } } };
    const path = new URL(given().url).pathname;
    const post = async (to: string, what: object = body): Promise<number> => (await request(stage.hub, 'POST', to, {}, what)).status;
    expect(await post(path.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')))).toBe(404);
    expect(await post(path.replace(name, name === 'modern' ? 'legacy' : 'modern'))).toBe(404);
    expect(await post(path, { statusUpdate: { ...body.statusUpdate, taskId: 'another' } })).toBe(404);
    expect(await post(path, { nonsense: true })).toBe(400);
    expect(await post(path)).toBe(204);
    await delivered(1);
  });

  it('is told no more once the configuration is deleted', async () => {
    const id = await begin();
    await rpc(stage.hub, name, 'CreateTaskPushNotificationConfig', { taskId: id, ...config({ id: 'mine' }) }, { as: 'alice' });
    expect(
      (await rpc(stage.hub, name, 'DeleteTaskPushNotificationConfig', { taskId: id, id: 'mine' }, { as: 'alice' })).error,
    ).toBeUndefined();
    expect(await agent().notify(id)).toBe(404);
    expect(webhook.requests).toEqual([]);
  });
});

describe('addresses', () => {
  it.each([
    ['a private one', () => `${closed.url}/hook`],
    ['that of the hub', () => `${stage.hub.url}/healthz`],
    ['that of the admin API', () => `${stage.hub.adminUrl}/admin/v1/reload`],
    ['one of metadata', () => 'http://169.254.169.254/latest'],
  ])('%s is never called', async (_what, url) => {
    const { hub, agents } = stage;
    const { result } = await rpc(hub, 'modern', 'SendMessage', saying('hold on', {}, NOW), { as: 'alice' });
    const { id } = result.task;
    const before = hub.stderr().length;
    await rpc(hub, 'modern', 'CreateTaskPushNotificationConfig', { taskId: id, url: url() }, { as: 'alice' });
    expect(await agents[0]!.notify(id)).toBe(204);
    await expect.poll(() => hub.stderr().slice(before), PATIENCE).toMatch(/The hub may not connect.*could not be delivered/);
    expect(closed.requests).toEqual([]);
  });

  it.each(['file:///etc/passwd', 'ftp://a.example', 'http://me:secret@a.example', 'no address'])('%s is refused at once', async (url) => {
    const { hub } = stage;
    const { result } = await rpc(hub, 'modern', 'SendMessage', saying('hello'), { as: 'alice' });
    const set = await rpc(hub, 'modern', 'CreateTaskPushNotificationConfig', { taskId: result.task.id, url }, { as: 'alice' });
    expect(set.error).toMatchObject({ code: -32602 });
    expect(set.text).not.toContain('secret');
  });
});
