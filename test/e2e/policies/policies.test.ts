import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ACCEPT, type LegacySession, modernRequest, openLegacySession, postModern } from '../../support/mcp-clients.ts';
import { openStream } from '../../support/mcp-streams.ts';
import { type Hub, startHub } from '../../support/start-hub.ts';

const EXTENSIONS = ['policies', 'talker'].map((name) => fileURLToPath(new URL(`../../fixtures/extensions/${name}.ts`, import.meta.url)));

type Use = Readonly<Record<string, unknown>>;

/** Not in the order of the stages; the two of one stage are. */
const TRACED = ['trace-cache', 'trace-transform-too', 'trace-guard', 'trace-transform', 'trace-limit', 'trace-observe'];
const FORWARD = ['trace-observe', 'trace-limit', 'trace-guard', 'trace-transform-too', 'trace-transform', 'trace-cache'];
const BACK = FORWARD.toReversed();

/** A failing policy as it is used, and what becomes of a call: `passes`, `refused` as the hub's own failure, or with the policy's words. */
const FAILURES: readonly (readonly [use: Use, outcome: 'passes' | 'refused' | 'in its words'])[] = [
  [{ 'fail-observe': { how: 'throw' } }, 'passes'],
  [{ 'fail-observe': { how: 'refuse' } }, 'passes'],
  [{ 'fail-limit': { how: 'throw' } }, 'refused'],
  [{ 'fail-guard': { how: 'throw' } }, 'refused'],
  [{ 'fail-transform': { how: 'throw' } }, 'passes'],
  [{ 'fail-cache': { how: 'throw' } }, 'passes'],
  [{ 'fail-guard': { how: 'throw' }, onFailure: 'skip' }, 'passes'],
  [{ 'fail-transform': { how: 'throw' }, onFailure: 'refuse' }, 'refused'],
  [{ 'fail-guard': { how: 'refuse' } }, 'in its words'],
  [{ 'fail-transform': { how: 'refuse' } }, 'in its words'],
  [{ 'fail-guard': { how: 'hang' }, timeout: '50ms' }, 'refused'],
  [{ 'fail-transform': { how: 'hang' }, timeout: '50ms' }, 'passes'],
];

const document = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'Shop', version: '1' },
  paths: {
    '/pets/{petId}': {
      parameters: [
        { name: 'petId', in: 'path', required: true, schema: { type: 'integer' } },
        { name: 'hook', in: 'query', schema: { type: 'string' } },
        { name: 'answer', in: 'query', schema: { type: 'string' } },
      ],
      get: { operationId: 'getPetById', responses: {} },
    },
  },
});

let hub: Hub;
let trace = '';
beforeAll(async () => {
  const shop = { spec: 'shop.json', baseUrl: 'demo:petstore' };
  const failing = (base: object, name: string) => FAILURES.map(([use], index) => [`${name}-${index}`, { ...base, policies: [use] }]);
  const config = (file: string) => ({
    extensions: EXTENSIONS,
    services: {
      traced: { ...shop, policies: TRACED.map((name) => ({ [name]: { file } })) },
      ...Object.fromEntries(failing(shop, 'shop')),
    },
    servers: {
      'traced-talk': { source: 'talker', policies: TRACED.map((name) => ({ [name]: { file } })) },
      plain: { source: 'talker' },
      rewritten: { source: 'talker', policies: [{ rewrite: {} }] },
      shouting: { source: 'talker', policies: [{ shout: {} }] },
      swallowed: { source: 'talker', policies: [{ swallow: {} }] },
      judged: { source: 'talker', policies: [{ judge: {} }] },
      ...Object.fromEntries(['return', 'throw', 'hang'].map((how) => [how, { source: 'talker', policies: [{ meddler: { how, file } }] }])),
      ...Object.fromEntries(failing({ source: 'talker' }, 'talk')),
    },
  });
  const folder = await mkdtemp(join(tmpdir(), 'hubgate-policies-'));
  trace = join(folder, 'trace');
  hub = await startHub({ files: { 'hubgate.yaml': JSON.stringify(config(trace)), 'shop.json': document } });
});
afterAll(async () => {
  await hub?.stop();
  await rm(dirname(trace), { recursive: true, force: true });
});
beforeEach(() => writeFile(trace, ''));

const traced = async (): Promise<string[]> => (await readFile(trace, 'utf8')).split('\n').filter(Boolean);
const pet = (args: object = {}) => ({ name: 'getPetById', arguments: { petId: 1, ...args } });
const talk = (args: object) => ({ name: 'talk', arguments: { text: 'cat', ...args } });
const textOf = (result: unknown): string => (result as { content: { text: string }[] }).content[0]!.text;

describe('order', () => {
  it.each(['2025-11-25', '2026-07-28'])('a whole reply, %s', async (revision) => {
    const url = `${hub.url}/mcp/traced`;
    const session = revision === '2025-11-25' ? await openLegacySession(url) : undefined;
    const answer = session === undefined ? await postModern(url, 'tools/call', pet()) : await session.request('tools/call', pet());
    expect(answer.text).toContain('Rex');
    const expected = [
      ...FORWARD.map((name) => `onCall ${name}`),
      ...FORWARD.map((name) => `onAttempt 1 ${name}`),
      ...BACK.map((name) => `onReply ${name}`),
      ...FORWARD.map((name) => `onEnd ok ${name}`),
    ];
    expect(await traced()).toEqual(expected);
  });

  it('an answer of a policy goes back through those that the call has passed', async () => {
    const answer = await postModern(`${hub.url}/mcp/traced`, 'tools/call', pet({ answer: 'yes' }));
    expect(textOf(answer.result)).toBe('answered by the guard');
    expect(await traced()).toEqual([
      ...FORWARD.slice(0, 3).map((name) => `onCall ${name}`),
      'onReply trace-limit',
      'onReply trace-observe',
      ...FORWARD.map((name) => `onEnd ok ${name}`),
    ]);
  });

  it('a stream, chunk by chunk', async () => {
    await postModern(`${hub.url}/mcp/traced-talk`, 'tools/call', talk({ steps: 1 }));
    const lines = await traced();
    for (const type of ['notification', 'result']) {
      const ofType = lines.filter((line) => line.startsWith(`onStream ${type} `));
      // An observer looks beside the stream, at its own pace.
      expect(ofType.filter((line) => !line.endsWith('observe'))).toEqual(BACK.slice(0, -1).map((name) => `onStream ${type} ${name}`));
      expect(ofType).toContain(`onStream ${type} trace-observe`);
    }
    expect(lines.slice(-FORWARD.length)).toEqual(FORWARD.map((name) => `onEnd ok ${name}`));
    expect(lines.join('\n')).not.toContain('onReply');
  });

  it('a list is a call as well', async () => {
    await postModern(`${hub.url}/mcp/traced`, 'tools/list');
    expect((await traced()).filter((line) => line.startsWith('onCall'))).toEqual(FORWARD.map((name) => `onCall ${name}`));
  });
});

describe('a policy that fails', () => {
  const cases = FAILURES.map(([use, outcome], index) => ({ use: JSON.stringify(use), outcome, index }));
  it.each(cases)('$use: the call $outcome', async ({ index, outcome, use }) => {
    const policy = /fail-\w+/.exec(use)![0];
    for (const hook of ['onCall', 'onAttempt', 'onReply', 'onStream']) {
      const [door, params] = hook === 'onStream' ? ['talk', talk({ hook })] : ['shop', pet({ hook })];
      const { result, error, text } = await postModern(`${hub.url}/mcp/${door}-${index}`, 'tools/call', params);
      const seen = result === undefined ? 'refused' : result['isError'] === true ? textOf(result) : 'passes';
      expect([hook, seen]).toEqual([hook, outcome === 'in its words' ? `Not in ${hook}.` : outcome]);
      if (outcome === 'passes') expect(text).toMatch(/Rex|said cat/);
      if (outcome === 'refused') expect(error).toMatchObject({ code: -32603, message: expect.stringContaining(policy) });
      expect(text).not.toContain('boom');
    }
    if (outcome === 'passes') await expect.poll(() => hub.stderr()).toMatch(new RegExp(`"policy":"${policy}".*(?:skipped|observer)`));
  });
});

describe('a tool that talks while it works', () => {
  const call = (door: string, args: object, session?: LegacySession) => {
    const params = { ...talk(args), _meta: { progressToken: 'p', 'io.modelcontextprotocol/logLevel': 'debug' } };
    const request =
      session === undefined
        ? modernRequest('tools/call', params, { meta: params._meta })
        : { headers: session.headers, body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params } };
    return openStream(`${hub.url}/mcp/${door}`, {
      method: 'POST',
      headers: { ...ACCEPT, ...request.headers },
      body: JSON.stringify(request.body),
    });
  };
  const heardBy = async (stream: Awaited<ReturnType<typeof call>>) => {
    await expect.poll(() => stream.ended).toBe('ended in order');
    return stream.heard.map(({ message }) => message as { method?: string; params?: object; result?: object });
  };

  it.each(['2025-11-25', '2026-07-28'])('passes a policy with onStream, %s', async (revision) => {
    const session = revision === '2025-11-25' ? await openLegacySession(`${hub.url}/mcp/shouting`) : undefined;
    const messages = await heardBy(await call('shouting', { steps: 2 }, session));
    expect(messages.map(({ method }) => method)).toEqual([
      ...Array.from({ length: 2 }, () => ['notifications/progress', 'notifications/message']).flat(),
      undefined,
    ]);
    expect(messages[0]!.params).toEqual({ progressToken: 'p', progress: 1, total: 2, message: 'STEP 1' });
    expect(messages[1]!.params).toEqual({ level: 'info', data: 'SAYS CAT' });
    expect(textOf(messages[4]!.result)).toBe('SAID CAT');
  });

  it('speaks at once without a policy that holds it, and all at its end with one', async () => {
    const spread = async (door: string): Promise<number> => {
      const stream = await call(door, { steps: 3, everyMs: 100 });
      const messages = await heardBy(stream);
      expect(messages).toHaveLength(7);
      expect(textOf(messages[6]!.result)).toBe(door === 'judged' ? 'said cat, judged' : 'said cat');
      return stream.heard.at(-1)!.at - stream.heard[0]!.at;
    };
    expect(await spread('plain')).toBeGreaterThan(200);
    expect(await spread('judged')).toBeLessThan(100);
    const { config } = (await (
      await fetch(`${hub.adminUrl}/admin/v1/status`, { headers: { authorization: `Bearer ${hub.adminToken}` } })
    ).json()) as {
      config: { warnings: { code: string; message: string }[] };
    };
    expect(config.warnings).toContainEqual(expect.objectContaining({ code: 'holds_streams', message: expect.stringContaining('judge') }));
  });

  it('is given what a policy makes of the arguments', async () => {
    expect(textOf((await postModern(`${hub.url}/mcp/rewritten`, 'tools/call', talk({}))).result)).toBe('said dog');
  });

  it('is answered for when a policy keeps its result', async () => {
    const error = { code: -32603, message: expect.stringContaining('request id') };
    expect((await postModern(`${hub.url}/mcp/swallowed`, 'tools/call', talk({}))).error).toMatchObject(error);
    const messages = await heardBy(await call('swallowed', { steps: 1 }));
    expect(messages).toHaveLength(3);
    expect(messages[2]).toMatchObject({ error });
  });

  it.each(['return', 'throw', 'hang'])('an observer changes nothing: %s', async (how) => {
    const whole = await postModern(`${hub.url}/mcp/${how}`, 'tools/call', talk({}));
    expect(textOf(whole.result)).toBe('said cat');
    const messages = await heardBy(await call(how, { steps: 1 }));
    expect(messages).toHaveLength(3);
    expect(messages[1]!.params).toMatchObject({ data: 'says cat' });
    expect(textOf(messages[2]!.result)).toBe('said cat');
    await expect.poll(async () => new Set(await traced())).toEqual(new Set(['onCall', 'onStream', 'onEnd']));
  });
});
