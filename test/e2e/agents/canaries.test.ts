import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { askAdmin } from '../../support/ask-admin.ts';
import { postModern } from '../../support/mcp-clients.ts';
import { consumer, keyOf } from '../traffic/_limits.ts';
import { type RawAgent, startAgent } from './_agent.ts';
import { NOW, request, rpc, saying, sayingLegacy, type Stage, startStage } from './_stage.ts';

/** Nothing that anybody else says has these words. */
const BASE = 'kestrel';
const SECRETS = { BEARER: 'planted-bearer-Zm9v', HEADER: 'planted-header-YmFy', QUERY: 'planted-query-cXV4' };
const WEBHOOK = { token: 'planted-webhook-token', credentials: 'planted-webhook-credentials' };
const STORED = 'planted-bearer-of-the-store';
const as = 'alice';

/** Odd places of agents: their path, the address of the card as the operator writes it, and how the card writes its own. */
const PLACES: readonly (readonly [
  name: string,
  version: '1.0' | '0.3',
  path: string,
  card: (agent: RawAgent) => string,
  own: (url: string) => string,
])[] = [
  ['deep', '1.0', `/${BASE}/a/b/c`, ({ url }) => url, (url) => url],
  ['slashes', '1.0', `/${BASE}//x/`, ({ url }) => `${url}/.well-known/agent-card.json`, (url) => `${url}/`],
  ['encoded', '0.3', `/${BASE}%20of%20ours`, ({ url }) => url, (url) => url],
  [
    'upper',
    '1.0',
    `/${BASE}/Up`,
    ({ server: { port } }) => `HTTP://LOCALHOST:${port}/${BASE}/Up`,
    (url) => url.replace('http://127.0.0.1', 'HTTP://LocalHost'),
  ],
  ['query', '0.3', `/${BASE}`, ({ url }) => `${url}/.well-known/agent-card.json?tenant=${BASE}`, (url) => `${url}?tenant=${BASE}`],
  ['mapped', '1.0', `/${BASE}`, ({ server: { port } }) => `http://[::ffff:127.0.0.1]:${port}/${BASE}`, (url) => url],
  ['named-as-ours', '1.0', `/${BASE}/a2a/deep`, ({ url }) => url, (url) => url],
];

let stage: Stage;
let agents: RawAgent[];
/** Everything that was told, with where it came from. */
const told: { readonly where: string; readonly text: string }[] = [];
const keep = (where: string, { headers, text }: { headers: Response['headers']; text: string }): void =>
  void told.push({ where, text: `${[...headers].map(String).join('\n')}\n${text}` });

beforeAll(async () => {
  agents = await Promise.all(PLACES.map(([, version, path]) => startAgent({ version, path })));
  for (const [index, [, , , , own]] of PLACES.entries()) agents[index]!.card = planted(agents[index]!, own);
  stage = await startStage({
    agents: [],
    env: SECRETS,
    config: () => ({
      publicUrl: 'https://hub.example.com/prefix',
      agents: Object.fromEntries(
        PLACES.map(([name, , , card], index) => [
          name,
          {
            card: card(agents[index]!),
            ...(index % 2 === 0 ? { auth: { bearer: '${env:BEARER}' } } : { auth: { query: { key: '${env:QUERY}' } } }),
            // It fails on purpose, and is called all the same.
            breaker: { failures: 1_000, minimum: 1_000 },
            headers: { 'X-Planted-Key': '${env:HEADER}' },
            ...(name === 'deep' && { publicCard: true }),
          },
        ]),
      ),
      egress: { allow: agents.map(({ server }) => `127.0.0.1:${server.port}`) },
      consumers: [consumer(as), consumer('bob')],
      policies: [{ 'access-log': {} }],
    }),
  });
  for (const [index, [name]] of PLACES.entries()) await drive(name, agents[index]!);
  for (const path of ['/a2a', '/.well-known/api-catalog', '/.well-known/jwks.json', '/a2a/none', '/mcp'])
    keep(path, await request(stage.hub, 'GET', path, { as }));
});
afterAll(async () => {
  await stage?.stop();
  await Promise.all((agents ?? []).map((agent) => agent.stop()));
});

/** A card that tells its own address wherever there is room. */
function planted({ card, url, server }: RawAgent, own: (url: string) => string): JsonObject {
  const host = `127.0.0.1:${server.port}`;
  const said = `See ${own(url)}/docs or ${host} or //localhost:${server.port}/${BASE}?a=1`;
  const where = (one: JsonObject): JsonObject => ({ ...one, url: own(String(one['url'])) });
  return {
    ...card,
    ...('url' in card
      ? { url: own(String(card['url'])) }
      : { supportedInterfaces: (card['supportedInterfaces'] as JsonObject[]).map(where) }),
    description: said,
    documentationUrl: `${url}/docs`,
    iconUrl: `${url}/icon.png`,
    provider: { organization: `Us at ${host}`, url },
    capabilities: {
      ...(card['capabilities'] as JsonObject),
      extensions: [
        { uri: `${url}/extension`, description: said },
        { uri: 'https://a.example/e', description: said },
      ],
    },
    skills: (card['skills'] as JsonObject[]).map((skill) => ({ ...skill, description: said, examples: [said], tags: ['talk', host] })),
    'x-unknown': { deep: [{ address: url, note: encodeURIComponent(url) }] },
  };
}

async function drive(name: string, agent: RawAgent): Promise<void> {
  const { hub } = stage;
  const card = `/a2a/${name}/.well-known/agent-card.json`;
  for (const version of ['1.0', '0.3', undefined] as const)
    keep(
      `card ${name} ${version}`,
      await request(hub, 'GET', card, { as, ...(version === undefined ? { headers: { 'a2a-version': '' } } : { version }) }),
    );
  keep(`extended ${name}`, await rpc(hub, name, 'GetExtendedAgentCard', {}, { as }));
  keep(`extended 0.3 ${name}`, await rpc(hub, name, 'agent/getAuthenticatedExtendedCard', {}, { as, version: '0.3' }));
  for (const text of ['hello', 'message back', 'refuse -32004', 'refuse -32603', 'refuse -32001', 'refuse 7', 'break it']) {
    keep(`send ${name} ${text}`, await rpc(hub, name, 'SendMessage', saying(text), { as }));
    keep(`send 0.3 ${name} ${text}`, await rpc(hub, name, 'message/send', sayingLegacy(text), { as, version: '0.3' }));
    keep(`rest ${name} ${text}`, await request(hub, 'POST', `/a2a/${name}/message:send`, { as }, saying(text)));
  }
  for (const text of ['snap now', 'break it']) {
    keep(`stream ${name} ${text}`, await rpc(hub, name, 'SendStreamingMessage', saying(text), { as }));
    keep(`rest stream ${name} ${text}`, await request(hub, 'POST', `/a2a/${name}/message:stream`, { as }, saying(text)));
    keep(`stream 0.3 ${name} ${text}`, await rpc(hub, name, 'message/stream', sayingLegacy(text), { as, version: '0.3' }));
  }
  const { result } = await rpc(hub, name, 'SendMessage', saying('hold on', {}, NOW), { as });
  const { id } = result.task;
  const url = 'http://127.1.2.3:9/hook';
  const { token, credentials } = WEBHOOK;
  const set = await rpc(
    hub,
    name,
    'CreateTaskPushNotificationConfig',
    { taskId: id, url, token, authentication: { scheme: 'Bearer', credentials } },
    { as },
  );
  expect(set.result.token).toBe(token);
  expect(JSON.stringify(agent.heard)).not.toContain('planted-webhook');
  const relay = new URL((agent.pushes.at(-1) as { url: string }).url).pathname.replace('/prefix', '');
  const notice = { statusUpdate: { taskId: id, contextId: 'c', status: { state: 'TASK_STATE_COMPLETED' } } };
  keep(`push ${name}`, await request(hub, 'POST', relay, {}, notice));
  keep(`foreign ${name}`, await rpc(hub, name, 'ListTaskPushNotificationConfigs', { taskId: id }, { as: 'bob' }));
  const authorization = { authorization: `Bearer ${keyOf(as)}` };
  keep(`tools ${name}`, await postModern(`${hub.url}/mcp/${name}`, 'tools/list', {}, { headers: authorization }));
  keep(
    `tool ${name}`,
    await postModern(
      `${hub.url}/mcp/${name}`,
      'tools/call',
      { name: 'echo', arguments: { message: 'refuse -32603' } },
      { headers: authorization },
    ),
  );
  agent.isDown = true;
  keep(`down ${name}`, await rpc(hub, name, 'SendMessage', saying('hello'), { as }));
  keep(`down stream ${name}`, await rpc(hub, name, 'SendStreamingMessage', saying('hello'), { as }));
  keep(`down rest ${name}`, await request(hub, 'GET', `/a2a/${name}/tasks/${id}`, { as }));
  agent.isDown = false;
}

/** What stands in a text that must not. */
const found = (words: readonly string[], list: readonly { where: string; text: string }[]): string[] =>
  list.flatMap(({ where, text }) =>
    words.flatMap((word) => {
      const at = text.toLowerCase().indexOf(word.toLowerCase());
      return at < 0 ? [] : [`${where}: …${text.slice(Math.max(0, at - 80), at + 80)}…`];
    }),
  );
const secrets = [...Object.values(SECRETS), ...Object.values(WEBHOOK)];
const addresses = (): string[] => [BASE, '127.0.0.1', 'localhost', '::ffff', ...agents.map(({ server }) => `:${server.port}`)];

describe('addresses and credentials of agents', () => {
  it('were sent, and told back by the agents', () => {
    for (const [index, agent] of agents.entries()) {
      const all = JSON.stringify(agent.server.requests.map(({ headers, path }) => [headers, path]));
      // Of the caller nothing travels on.
      for (const key of [keyOf(as), keyOf('bob')]) expect(all).not.toContain(key);
      for (const secret of [SECRETS.HEADER, index % 2 === 0 ? SECRETS.BEARER : SECRETS.QUERY]) expect(all).toContain(secret);
    }
  });

  it('are in no answer', () => {
    expect(told.length).toBeGreaterThan(PLACES.length * 35);
    expect(found([...secrets, ...addresses()], told)).toEqual([]);
  });

  it('are in no record and in no metric', async () => {
    const { hub } = stage;
    const records = (await askAdmin(hub, 'GET', '/calls?lane=agents&limit=1000')).text;
    expect(records).toContain('"route":"deep"');
    const headers = { authorization: `Bearer ${hub.adminToken}` };
    const metrics = await fetch(`${hub.adminUrl}/metrics`, { headers });
    expect(
      found(
        [...secrets, ...addresses()],
        [
          { where: 'records', text: records },
          { where: 'metrics', text: await metrics.text() },
        ],
      ),
    ).toEqual([]);
  });

  it('credentials are nowhere in what operators see', async () => {
    const { hub } = stage;
    const shown = await Promise.all(
      ['/status', '/agents', '/calls?limit=1000', '/explain?agent=deep&consumer=alice', '/usage'].map(async (path) => ({
        where: path,
        text: (await askAdmin(hub, 'GET', path)).text,
      })),
    );
    const log = [
      { where: 'stdout', text: hub.stdout() },
      { where: 'stderr', text: hub.stderr() },
    ];
    expect(log[0]!.text.length + log[1]!.text.length).toBeGreaterThan(1_000);
    expect(found(secrets, [...shown, ...log])).toEqual([]);
  });
});

it('no credential is kept in the clear', async () => {
  const { hub } = stage;
  const { body } = await askAdmin(hub, 'PUT', '/agents/stored', { card: 'https://agent.example', auth: { bearer: STORED } });
  expect(body.config.auth).toEqual({ bearer: { set: true } });
  const folder = join(hub.dir, 'data');
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const kept = await Promise.all(
    files
      .filter((file) => file.isFile())
      .map(async ({ parentPath, name }) => ({ where: name, text: (await readFile(join(parentPath, name))).toString('latin1') })),
  );
  // It is kept there, whatever it is.
  expect(found(['agent.example'], kept)).not.toEqual([]);
  expect(found([...secrets, STORED], kept)).toEqual([]);
});

it('no card has a byte of where its agent is, however it says it', async () => {
  const { hub } = stage;
  const agent = agents[0]!;
  const { port } = agent.server;
  const host = fc.constantFrom(
    `127.0.0.1:${port}`,
    `localhost:${port}`,
    `LOCALHOST:${port}`,
    `[::ffff:127.0.0.1]:${port}`,
    `2130706433:${port}`,
    `127.1:${port}`,
  );
  const address = fc
    .tuple(fc.constantFrom('http://', 'HTTP://', 'grpc://', '//', ''), host, fc.array(fc.webSegment({ size: 'small' }), { maxLength: 3 }))
    .map(([scheme, at, path]) => `${scheme}${at}${path.map((one) => `/${one}`).join('')}`);
  const text = fc.tuple(fc.lorem({ maxCount: 3 }), address, fc.lorem({ maxCount: 2 })).map((parts) => parts.join(' '));
  const original = agent.card;
  await fc.assert(
    fc.asyncProperty(text, text, text, address, async (description, skill, odd, url) => {
      const skills = [{ id: 'echo', name: odd, description: skill, tags: [url], examples: [odd] }];
      agent.card = { ...original, description, documentationUrl: url, provider: { organization: odd, url }, skills, [odd]: { [url]: url } };
      expect((await askAdmin(hub, 'POST', '/agents/deep/refresh')).status).toBe(200);
      for (const version of ['1.0', '0.3'] as const) {
        const { text: card } = await request(hub, 'GET', '/a2a/deep/.well-known/agent-card.json', { as, version });
        expect(card).toContain('"echo"');
        expect(found([...addresses(), '2130706433', '127.1:'], [{ where: version, text: card }])).toEqual([]);
      }
    }),
    { numRuns: 25 },
  );
});
