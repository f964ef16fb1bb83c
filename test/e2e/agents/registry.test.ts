import { exportJWK, FlattenedSign, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askAdmin } from '../../support/ask-admin.ts';
import { sendJson, startEchoServer } from '../../support/echo-server.ts';
import { consumer } from '../traffic/_limits.ts';
import { runCommand } from '../traffic/_run-command.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { type RawAgent, startAgent } from './_agent.ts';
import { canonicalCard } from './_canonical.ts';
import { artifactsOf, listen, request, rpc, saying, type Stage, startStage, type Told } from './_stage.ts';

const PATIENCE = { timeout: 10_000, interval: 20 };
const as = 'alice';

let stage: Stage;
let plain: RawAgent;
let broken: Awaited<ReturnType<typeof startEchoServer>>;
const config = (modern: RawAgent, more: object = {}): object => ({
  agents: {
    'by-base': { card: `${modern.url}/` },
    'by-well-known': { card: `${modern.url}/.well-known/agent-card.json` },
    'by-url': { card: `${plain.url}/.well-known/agent-card.json?v=7` },
    broken: { card: broken.url },
    ...more,
  },
  egress: { allow: [`127.0.0.1:${plain.server.port}`] },
  consumers: [consumer(as)],
});
beforeAll(async () => {
  plain = await startAgent();
  broken = await startEchoServer((_request, response) => sendJson(response, 200, { name: 'No interfaces' }));
  stage = await startStage({ config, agents: [{ path: '/base' }] });
});
afterAll(async () => {
  await stage?.stop();
  await Promise.all([plain?.stop(), broken?.stop()]);
});

const send = (agent: string, text = 'hello'): Promise<Told> => rpc(stage.hub, agent, 'SendMessage', saying(text), { as });
const admin = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  askAdmin(stage.hub, method, path, body, headers);
// oxlint-disable-next-line typescript/no-explicit-any -- tests look into what they know
const statusOf = async (name: string): Promise<any> => {
  const { body } = await admin('GET', '/status');
  return body.agents.find((one: { name: string }) => one.name === name);
};

describe('agents of the file', () => {
  it.each(['by-base', 'by-well-known', 'by-url'])('are found (%s) and called', async (name) => {
    const { result } = await send(name);
    expect(artifactsOf(result.task)).toBe('hello');
    expect(await statusOf(name)).toMatchObject({
      state: 'ready',
      title: 'Raw',
      skills: 2,
      instances: [{ state: 'ready', signature: 'unsigned' }],
    });
  });

  it('one whose card cannot be read is shown with the reason, and the others are served', async () => {
    await expect.poll(() => statusOf('broken'), PATIENCE).toMatchObject({ state: 'failed', error: expect.stringMatching(/card/i) });
    const answer = await send('broken');
    expect([answer.status, answer.error.data[0].reason]).toEqual([503, 'UNAVAILABLE']);
    const entry = await admin('GET', '/agents/broken');
    expect(entry.body.state).toMatchObject({ ok: false, problems: [{ code: 'agent_failed' }] });
  });

  it('are asked for their card with its tag, and stay while they are down', async () => {
    const { agents } = stage;
    const agent = agents[0]!;
    agent.cardHeaders = { etag: '"one"', 'cache-control': 'max-age=600' };
    await admin('POST', '/agents/by-base/refresh');
    const asked = agent.cardRequests().length;
    await admin('POST', '/agents/by-base/refresh');
    expect(
      agent
        .cardRequests()
        .slice(asked)
        .map(({ headers }) => headers['if-none-match']),
    ).toEqual(['"one"']);
    expect(await statusOf('by-base')).toMatchObject({ state: 'ready' });
    agent.isDown = true;
    try {
      expect((await admin('POST', '/agents/by-base/refresh')).status).toBe(200);
      expect(await statusOf('by-base')).toMatchObject({ state: 'ready', error: expect.any(String) });
      const card = await request(stage.hub, 'GET', '/a2a/by-base/.well-known/agent-card.json', { as });
      expect([card.status, card.body.version]).toEqual([200, '7.1.0']);
      expect([502, 503]).toContain((await send('by-base')).status);
    } finally {
      agent.isDown = false;
    }
    agent.cardHeaders = {};
    await admin('POST', '/agents/by-base/refresh');
    expect((await statusOf('by-base')).error).toBeUndefined();
    expect((await send('by-base')).status).toBe(200);
  });

  it('a change of the file makes a new generation, and streams go on', async () => {
    const { hub, agents } = stage;
    const agent = agents[0]!;
    const stream = await listen(hub, 'by-base', 'SendStreamingMessage', saying('hold on'), { as });
    const { task } = (await stream.until((event) => event['task'] !== undefined)) as { task: { id: string } };
    const before = (await admin('GET', '/status')).body.generation;
    await hub.write('hubgate.yaml', JSON.stringify(config(agent, { added: { card: plain.url, price: 1 } }), null, 2));
    await expect.poll(async () => (await admin('GET', '/status')).body.generation, PATIENCE).toBeGreaterThan(before);
    const removed = await listen(hub, 'added', 'SendStreamingMessage', saying('hold on'), { as });
    const other = (await removed.until((event) => event['task'] !== undefined)) as { task: { id: string } };
    agent.finish(task.id);
    const end = await stream.until((event) => event['statusUpdate'] !== undefined);
    expect(end).toMatchObject({ statusUpdate: { taskId: task.id, status: { state: 'TASK_STATE_COMPLETED' } } });
    await stream.ended;
    await hub.write('hubgate.yaml', JSON.stringify(config(agent), null, 2));
    await expect.poll(async () => (await send('added')).status, PATIENCE).toBe(404);
    plain.finish(other.task.id);
    expect(await removed.until((event) => event['statusUpdate'] !== undefined)).toMatchObject({ statusUpdate: { taskId: other.task.id } });
    await removed.ended;
    const got = await rpc(hub, 'by-base', 'GetTask', { id: task.id }, { as });
    expect(got.result).toMatchObject({ id: task.id, status: { state: 'TASK_STATE_COMPLETED' } });
  });
});

describe('signatures of agents', () => {
  it('are checked, and the state is shown', async () => {
    const { hub, agents } = stage;
    const agent = agents[0]!;
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k' };
    const original = agent.card;
    const sign = async (card: JsonObject): Promise<JsonObject> => {
      const { protected: header, signature } = await new FlattenedSign(Buffer.from(canonicalCard(card)))
        .setProtectedHeader({ alg: 'ES256', kid: 'k', typ: 'JOSE' })
        .sign(privateKey);
      return { ...card, signatures: [{ protected: header, signature }] };
    };
    const card = agent.url;
    const signed = (signatures: object): object =>
      config(agent, { signed: { card, signatures }, strict: { card, signatures: { ...signatures, require: true } } });
    const [signature, reload] = [
      async (name: string) => (await statusOf(name))?.instances[0].signature,
      () => Promise.all(['signed', 'strict'].map((name) => admin('POST', `/agents/${name}/refresh`))),
    ];
    try {
      agent.card = await sign(original);
      await hub.write('hubgate.yaml', JSON.stringify(signed({ keys: [jwk] }), null, 2));
      await expect.poll(() => signature('strict'), PATIENCE).toBe('verified');
      expect(await signature('signed')).toBe('verified');
      // Somebody has changed a word of it.
      agent.card = { ...agent.card, description: 'Forged' };
      await reload();
      expect(await statusOf('signed')).toMatchObject({ state: 'ready', instances: [{ signature: 'invalid' }] });
      expect(await statusOf('strict')).toMatchObject({ state: 'ready', error: expect.stringContaining('signature') });
      const shown = await request(hub, 'GET', '/a2a/strict/.well-known/agent-card.json', { as });
      expect(shown.body.description).toBe(original['description']);
      agent.card = original;
      await reload();
      expect(await statusOf('signed')).toMatchObject({ instances: [{ signature: 'unsigned' }] });
    } finally {
      agent.card = original;
      await hub.write('hubgate.yaml', JSON.stringify(config(agent), null, 2));
      await expect.poll(() => statusOf('signed'), PATIENCE).toBeUndefined();
    }
  });
});

it('no agent is at a port of the hub, wherever that is said', async () => {
  const { hub, agents } = stage;
  await hub.write('hubgate.yaml', JSON.stringify(config(agents[0]!, { own: { card: hub.url }, admin: { card: hub.adminUrl } }), null, 2));
  for (const name of ['own', 'admin'])
    await expect
      .poll(() => statusOf(name), PATIENCE)
      .toMatchObject({ state: 'failed', error: expect.stringContaining('a port of this hub') });
  await hub.write('hubgate.yaml', JSON.stringify(config(agents[0]!), null, 2));
  await expect.poll(() => statusOf('own'), PATIENCE).toBeUndefined();
});

it('a card does not lead the hub to another private address', async () => {
  const { agents } = stage;
  const agent = agents[0]!;
  const original = agent.card;
  const posted = (): number => broken.requests.filter(({ method }) => method === 'POST').length;
  agent.card = { ...original, supportedInterfaces: [{ url: broken.url, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }] };
  try {
    await admin('POST', '/agents/by-base/refresh');
    const told = await send('by-base');
    expect([told.status, told.error.data[0].reason]).toEqual([502, 'EGRESS_REFUSED']);
    expect(told.text).not.toContain(String(broken.port));
    expect(posted()).toBe(0);
  } finally {
    agent.card = original;
    await admin('POST', '/agents/by-base/refresh');
  }
  expect((await send('by-base')).status).toBe(200);
});

describe('agents of the admin API', () => {
  const SECRET = 'planted-bearer-of-the-store';

  it('are kept with their secrets masked, and called with them', async () => {
    const made = await admin('PUT', '/agents/stored', { card: plain.url, auth: { bearer: SECRET }, description: 'From the store' });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ name: 'stored', origin: 'store', config: { auth: { bearer: { set: true } } }, state: { ok: true } });
    expect(artifactsOf((await send('stored')).result.task)).toBe('hello');
    expect(plain.heard.at(-1)!.headers.authorization).toBe(`Bearer ${SECRET}`);
    const read = await admin('GET', '/agents/stored');
    expect(read.text).not.toContain(SECRET);
    expect((await admin('PUT', '/agents/stored', { card: plain.url }, { 'if-match': '"nonsense"' })).status).toBe(412);
    const again = await admin(
      'PUT',
      '/agents/stored',
      { card: plain.url, auth: { bearer: { set: true } } },
      { 'if-match': read.headers.get('etag')! },
    );
    expect(again.status).toBe(200);
    await send('stored');
    expect(plain.heard.at(-1)!.headers.authorization).toBe(`Bearer ${SECRET}`);
    await stage.hub.restart();
    expect((await send('stored')).status).toBe(200);
    expect(plain.heard.at(-1)!.headers.authorization).toBe(`Bearer ${SECRET}`);
    expect((await admin('DELETE', '/agents/stored')).status).toBe(204);
    expect((await send('stored')).status).toBe(404);
  });

  it('refresh asks for the card again, and says how it stands', async () => {
    await admin('PUT', '/agents/stored', { card: plain.url });
    plain.card = { ...plain.card, name: 'Renamed' };
    const told = await admin('POST', '/agents/stored/refresh');
    expect(told.status).toBe(200);
    expect((await statusOf('stored')).title).toBe('Renamed');
    expect((await admin('POST', '/agents/none/refresh')).status).toBe(404);
    await admin('DELETE', '/agents/stored');
  });

  it('what the file has is not theirs to write', async () => {
    expect((await admin('PUT', '/agents/by-base', { card: plain.url })).status).toBe(409);
    expect((await admin('DELETE', '/agents/by-base')).status).toBe(409);
  });

  it('private addresses are refused with the rule, unless they are allowed; those of the hub always', async () => {
    const { hub, agents } = stage;
    for (const card of [agents[0]!.url, 'http://169.254.169.254/card.json', hub.url, hub.adminUrl]) {
      await admin('PUT', '/agents/inside', { card });
      const shown = await statusOf('inside');
      expect(shown.state, card).toBe('failed');
      expect(shown.error, card).toMatch(/not a public address|link-local|a port of this hub/i);
      expect((await send('inside')).status, card).toBe(503);
    }
    await admin('DELETE', '/agents/inside');
  });

  it('faults are told by field', async () => {
    const empty = await admin('PUT', '/agents/odd', {});
    expect([empty.status, empty.text]).toEqual([400, expect.stringMatching(/card.*targets.*rest|card.*rest.*targets/)]);
    const both = await admin('PUT', '/agents/odd', { card: plain.url, rest: { url: plain.url } });
    expect(both.status).toBe(400);
    const unknown = await admin('PUT', '/agents/odd', { card: plain.url, colour: 'red' });
    expect([unknown.status, unknown.text]).toEqual([400, expect.stringContaining('colour')]);
  });
});

it('hubgate check names the line of each fault, and the fault', async () => {
  const faults: readonly (readonly [entry: string, message: RegExp])[] = [
    ['{ description: nothing }', /card.*targets|targets.*card/],
    ['{ card: "https://a.example", rest: { url: "https://b.example", request: { path: /x } } }', /card.*rest|rest.*card/],
    ['{ card: "https://a.example", targets: [{ card: "https://b.example" }] }', /card.*targets|targets.*card/],
    ['{ targets: [{ card: "https://a.example", when: "request.headers[" }] }', /condition cannot be used/],
    ['{ card: "https://a.example", colour: red }', /colour/],
    ['{ card: "https://a.example", auth: { bearer: plain-text } }', /secret must not stand/],
    ['{ card: nowhere }', /address|URL/i],
  ];
  const { hub } = stage;
  const entries = faults.map(([entry], index) => `  wrong-${index}: ${entry}`);
  await hub.write('bad/hubgate.yaml', ['agents:', '  fine: { card: "https://c.example" }', ...entries].join('\n'));
  const failed: Error = await runCommand({ ...hub, dir: `${hub.dir}/bad` }, ['check']).then(
    (out) => new Error(`passed: ${out}`),
    (error: Error) => error,
  );
  const lines = failed.message.split('\n').filter((line) => line.startsWith('hubgate.yaml:'));
  for (const [index, [entry, message]] of faults.entries()) {
    expect(lines.filter((line) => line.startsWith(`hubgate.yaml:${index + 3}:`)).join('\n'), entry).toMatch(message);
  }
  expect(lines.filter((line) => line.startsWith('hubgate.yaml:2:'))).toEqual([]);
});
