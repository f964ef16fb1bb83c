import { describe, expect, it, onTestFinished } from 'vitest';
import type { Call } from '../../../../src/core/call.ts';
import type { AgentLine } from '../../../../src/core/contracts/agent-source.ts';
import { Secret } from '../../../../src/core/secret.ts';
import type { Cancellation, UpstreamRequest } from '../../../../src/core/upstream.ts';
import { agentOperations, agentTools } from '../../../../src/gateway/lanes/agent-parts.ts';
import type { ToolsGeneration } from '../../../../src/lanes/tools/build.ts';
import type { ToolsHost } from '../../../../src/lanes/tools/host.ts';
import { ServiceSource } from '../../../../src/lanes/tools/sources/service-source.ts';
import { ALICE, BOB, mergedOf, startAgents } from '../../lanes/agents/start-agents.ts';
import { SILENT } from '../../pipeline/live-calls.ts';

const get = (operationId: string, more: object = {}) => ({ get: { operationId, responses: { 200: { description: 'ok' } }, ...more } });
const limit = { name: 'limit', in: 'query', required: true, schema: { type: 'integer' } };
const DOCUMENT = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'Shop', version: '1' },
  servers: [{ url: 'http://shop.test/v1' }],
  paths: { '/pets': get('findPets', { summary: 'Find pets', tags: ['pets'], parameters: [limit] }), '/bare': get('bare') },
});
const CALL = { id: 'id', route: 'shop', consumer: ALICE, request: { headers: {}, ip: '', size: 0 }, log: SILENT, note: () => undefined };
const { signal } = new AbortController();

/** The operations of an agent whose document is this one, before an API that answers so. */
async function operationsOf({ status = 200, body = '{"n":1}', baseUrl }: { status?: number; body?: string; baseUrl?: string } = {}) {
  const sent: { request: UpstreamRequest; until: Cancellation | undefined }[] = [];
  const host = {
    log: SILENT,
    toolNames: { get: async () => new Map(), put: async () => undefined },
    redact: (text: string) => text,
    addSecret: () => () => undefined,
  } as unknown as ToolsHost;
  const facts = {
    name: 'agents/shop',
    origin: 'file',
    config: { auth: { bearer: new Secret('k') }, ...(baseUrl === undefined ? {} : { baseUrl }) },
    place: { from: 'file', text: DOCUMENT, hash: '1', display: 'shop.json' },
    overlays: [],
    limits: {},
    key: 'key',
    documentKey: '1',
  } as const;
  const source = new ServiceSource(facts, host);
  onTestFinished(() => source[Symbol.asyncDispose]());
  await source.load();
  const line = {
    async send(request, signers, until) {
      let signed = request;
      for (const signer of signers) signed = await signer.sign(signed, { refresh: false });
      sent.push({ request: signed, until });
      return { status, headers: { 'content-type': 'application/json', 'retry-after': '3' }, body: Buffer.from(body) };
    },
  } as Pick<AgentLine, 'send'> as AgentLine;
  const generation = { sources: new Map([['agents/shop', { key: 'key', source }]]) } as unknown as ToolsGeneration;
  const operations = agentOperations(generation, 'shop')!;
  const call = (id: string, args: object) => operations.call(id, args as never, { call: CALL as unknown as Call<'agents'>, line, signal });
  return { operations, call, sent, generation };
}

describe('the operations of a document', () => {
  it('are the skills of the agent', async () => {
    const { operations } = await operationsOf();
    expect(operations).toMatchObject({ key: 'key', title: 'Shop', error: undefined, upstream: 'agents/shop' });
    expect(operations.skills).toEqual([
      expect.objectContaining({
        id: 'findPets',
        name: 'Find pets',
        tags: ['pets'],
        inputSchema: expect.objectContaining({ required: ['limit'] }),
      }),
      expect.objectContaining({ id: 'bare', name: 'bare', tags: [] }),
    ]);
  });

  it('are called on the way that the call has, with their credentials, until the task is canceled', async () => {
    const { call, sent } = await operationsOf();
    expect(await call('findPets', { limit: 1 })).toMatchObject({ text: '{"n":1}', isError: false });
    expect(sent).toEqual([
      {
        request: expect.objectContaining({
          origin: 'http://shop.test',
          path: '/v1/pets?limit=1',
          headers: expect.objectContaining({ authorization: 'Bearer k' }),
        }),
        until: signal,
      },
    ]);
  });

  it('with arguments that are wrong are not sent: that is an answer', async () => {
    const { call, sent } = await operationsOf();
    expect(await call('findPets', { limit: 'many' })).toMatchObject({ isError: true, text: expect.stringContaining('limit') });
    expect(sent).toEqual([]);
  });

  it.each([429, 502, 503, 504])('%i may pass: another try may help', async (status) => {
    const { call } = await operationsOf({ status });
    await expect(call('bare', {})).rejects.toMatchObject({ retryAfterMs: 3_000, detail: `status ${status}` });
  });

  it.each([400, 404, 500])('%i is an answer', async (status) => {
    const { call } = await operationsOf({ status });
    expect(await call('bare', {})).toMatchObject({ isError: true });
  });

  it('say where they go, so that nobody is shown it', async () => {
    const own = await operationsOf();
    expect(own.operations.addresses).toEqual(['http://shop.test/v1']);
    await own.call('bare', {});
    expect(own.operations.addresses).toEqual(['http://shop.test/v1', 'http://shop.test']);
    expect((await operationsOf({ baseUrl: 'http://other.test' })).operations.addresses).toEqual(['http://other.test']);
  });

  it('an agent without a document has none', async () => {
    const { generation } = await operationsOf();
    expect(agentOperations(generation, 'other')).toBeUndefined();
  });
});

it('the tools of an agent have the access that the agent has', async () => {
  const agents = { travel: { card: 'http://travel.test', access: [{ consumers: ['alice'], allow: ['flights'] }] } };
  const { lane } = await startAgents({ agents });
  const { source, access } = agentTools(lane, mergedOf(agents), 'travel');
  const seen = (consumer: typeof ALICE): string[] =>
    source.snapshot.tools
      .filter((tool) => access.tool(consumer, { ...tool, name: tool.definition.name }).visible)
      .map(({ definition }) => definition.name);
  expect(seen(ALICE)).toEqual(['flights', 'get_task', 'cancel_task']);
  expect(seen(BOB)).toEqual([]);
  const [tool] = source.snapshot.tools;
  expect(access.explain(ALICE, { ...tool!, name: 'x' })[0]).toMatchObject({
    file: 'hubgate.yaml',
    line: '/agents/travel/access/0/allow/0'.length,
  });
});
