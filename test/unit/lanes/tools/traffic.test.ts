import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ServiceConfig } from '../../../../src/config/types.ts';
import { SourceError, type SessionToolSource, type SourceSnapshot } from '../../../../src/core/contracts/tool-source.ts';
import { GatewayError } from '../../../../src/core/errors.ts';
import type { ToolsReply } from '../../../../src/core/tools.ts';
import type { UpstreamRequest } from '../../../../src/core/upstream.ts';
import type { BoundPolicy } from '../../../../src/pipeline/chain.ts';
import { startTools, type CallResult, type Service, type ServiceAnswer, type StartedTools } from './start-tools.ts';

const operation = (operationId: string, more: object = {}) => ({ operationId, responses: { 200: { description: 'ok' } }, ...more });
const DOCUMENT = {
  openapi: '3.1.0',
  info: { title: 'Pets', version: '1' },
  servers: [{ url: 'http://pets.test' }],
  paths: {
    '/pets': { get: operation('find'), post: operation('add'), put: operation('replace') },
    '/pets/{id}': {
      delete: operation('drop', { parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }] }),
    },
  },
};
const BUSY: ServiceAnswer = { status: 503, body: { error: 'busy' } };
const start = (service: Service, config: ServiceConfig = {}, policies: readonly BoundPolicy[] = []): Promise<StartedTools> =>
  startTools({ service, policies, services: { pets: { document: DOCUMENT, config } } });
/** The answers in turn; the last goes on. */
const inTurn = (...answers: readonly (ServiceAnswer | Error)[]): Service => {
  let turn = 0;
  return () => {
    const answer = answers[Math.min(turn++, answers.length - 1)]!;
    if (answer instanceof Error) throw answer;
    return answer;
  };
};
const textOf = (result: CallResult | undefined): string => (result?.content ?? []).map(({ text }) => text).join('\n');
const methods = ({ requests }: StartedTools): string[] => requests.map(({ method }: UpstreamRequest) => method);
const pets = ({ lane }: StartedTools) => lane.status().find(({ name }) => name === 'pets');

describe('a call that can do no harm a second time', () => {
  it('is tried again when the service is busy, and answered with what came then', async () => {
    const tools = await start(inTurn(BUSY, { body: { found: 3 } }));
    const { result } = await tools.call('pets', 'find');
    expect([methods(tools), result?.isError ?? false]).toEqual([['GET', 'GET'], false]);
    expect(textOf(result)).toContain('"found":3');
    const { outcome } = tools.records[0]!;
    expect(outcome).toMatchObject({ ok: true, failed: false, attempts: 2, target: { name: 'pets', upstream: 'http://pets.test' } });
    expect(outcome.events).toMatchObject([{ type: 'retried', detail: expect.stringMatching(/^pets after upstream_\w+, \d+ ms later$/) }]);
  });

  it.each([502, 503])('with %i to the end is tried as often as the service says, and the model reads the last answer', async (status) => {
    const tools = await start(inTurn(BUSY, { status, body: { error: 'still no' } }), { retries: 1 });
    const { result } = await tools.call('pets', 'find');
    expect([methods(tools).length, result?.isError]).toEqual([2, true]);
    expect(textOf(result)).toContain('still no');
    expect(textOf(result)).toContain(String(status));
    expect(tools.records[0]!.outcome).toMatchObject({ ok: true, failed: true, attempts: 2 });
  });

  it('waits as long as the service says where that is short, and not where it is long', async () => {
    const soon = await start(inTurn({ status: 429, headers: { 'retry-after': '0.2' } }, {}));
    const began = Date.now();
    expect((await soon.call('pets', 'find')).result?.isError).toBeFalsy();
    expect([Date.now() - began >= 195, methods(soon).length]).toEqual([true, 2]);
    const later = await start(inTurn({ status: 429, headers: { 'retry-after': '60' }, body: { wait: 'a minute' } }, {}));
    const { result } = await later.call('pets', 'find');
    expect([methods(later).length, result?.isError, textOf(result).includes('a minute')]).toEqual([1, true, true]);
  });

  it('is tried again when the service cannot be reached, and told when that did not help', async () => {
    const gone = new GatewayError('upstream_unreachable', 'pets.test could not be reached.');
    const back = await start(inTurn(gone, { body: { found: 1 } }));
    expect(textOf((await back.call('pets', 'find')).result)).toContain('"found":1');
    const lost = await start(inTurn(gone), { retries: 0 });
    const { result } = await lost.call('pets', 'find');
    expect([methods(lost).length, result?.isError, textOf(result).includes('could not be reached')]).toEqual([1, true, true]);
    expect(lost.records[0]!.outcome).toMatchObject({ ok: false, error: { code: 'upstream_unreachable' } });
  });

  it('is one by its hint as well: PUT is idempotent', async () => {
    const tools = await start(inTurn(BUSY, {}));
    await tools.call('pets', 'replace');
    expect(methods(tools)).toEqual(['PUT', 'PUT']);
  });

  it.each([400, 401, 404, 409, 500, 501])('with %i is answered: that is what the service says', async (status) => {
    const tools = await start(inTurn({ status, body: { error: 'no' } }));
    const { result } = await tools.call('pets', 'find');
    expect([methods(tools).length, result?.isError]).toEqual([1, true]);
    expect(tools.gauges.status(Date.now())).toMatchObject([{ key: 'tools/pets', errorRate: 0, samples: 1 }]);
  });
});

describe('a call that does something', () => {
  it('is sent once, whatever comes of it', async () => {
    for (const answer of [BUSY, { status: 429, headers: { 'retry-after': '0' } }, { status: 502 }, new GatewayError('upstream_cut')]) {
      const tools = await start(inTurn(answer));
      const { result } = await tools.call('pets', 'add');
      expect([methods(tools), result?.isError]).toEqual([['POST'], true]);
      expect(tools.records[0]!.outcome.attempts).toBe(1);
      expect(tools.gauges.for('tools/pets').inFlight).toBe(0);
    }
  });
});

describe('a service that fails', () => {
  it('is left alone after a while, which the model and the status are told, and tried with one call later', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    let works = false;
    const tools = await start(() => (works ? { body: { found: 1 } } : BUSY), { retries: 0, breaker: { failures: 2, open: 10_000 } });
    for (let n = 0; n < 2; n++) await tools.call('pets', 'find');
    const { result } = await tools.call('pets', 'find');
    expect([methods(tools).length, result?.isError]).toEqual([2, true]);
    expect(textOf(result)).toMatch(/^No target of this route can be tried now/);
    expect(tools.records[2]!.outcome).toMatchObject({ ok: false, attempts: 0, error: { code: 'unavailable' } });
    expect(pets(tools)).toMatchObject({ state: 'ready', calls: { breaker: 'open', health: 'open', errorRate: 1, samples: 2 } });
    works = true;
    vi.setSystemTime(Date.now() + 10_000);
    expect(textOf((await tools.call('pets', 'find')).result)).toContain('"found":1');
    expect(pets(tools)).toMatchObject({ calls: { breaker: 'closed', health: 'healthy', inFlight: 0 } });
  });

  it('has nothing to tell before its first call, and its gauge is kept by its name', async () => {
    const tools = await start(() => ({}));
    expect(pets(tools)).not.toHaveProperty('calls');
    expect([...tools.lane.gaugeKeys()]).toEqual(['tools/pets']);
  });
});

describe('a price', () => {
  const seen: unknown[] = [];
  const look: BoundPolicy = {
    name: 'look',
    stage: 'limit',
    hooks: {
      onCall: (call) => void (call.operation === 'tools/call' && seen.push(call.estimate())),
      onEnd: (_, { usage }) => void seen.push(usage),
    },
  };
  const spent = async (config: ServiceConfig, service: Service, tool = 'find', args = {}): Promise<unknown[]> => {
    seen.length = 0;
    const tools = await start(service, config, [look]);
    await tools.call('pets', tool, args);
    return [...seen];
  };

  it('is expected before the call and charged once, however often it was tried', async () => {
    expect(await spent({ price: 0.25 }, inTurn(BUSY, BUSY, {}))).toEqual([{ cost: 0.25 }, { cost: 0.25 }]);
    expect(await spent({ price: 0.25, retries: 0 }, inTurn(BUSY)), 'whether it worked or not').toEqual([{ cost: 0.25 }, { cost: 0.25 }]);
  });

  it('is that of the tool before that of the service, and none is none', async () => {
    const config = { price: 1, tools: { 'fi*': { price: 0 }, add: { price: 3 } } };
    expect(await spent(config, () => ({}))).toEqual([{ cost: 0 }, { cost: 0 }]);
    expect(await spent(config, () => ({}), 'add')).toEqual([{ cost: 3 }, { cost: 3 }]);
    expect(await spent(config, () => ({}), 'replace')).toEqual([{ cost: 1 }, { cost: 1 }]);
    expect(await spent({}, () => ({}))).toEqual([{}, undefined]);
  });

  it('is not charged where nothing was sent', async () => {
    expect(await spent({ price: 1 }, () => ({}), 'drop', {}), 'an argument is missing').toEqual([{ cost: 1 }, undefined]);
    const open = await start(() => BUSY, { price: 1, retries: 0, breaker: { failures: 1 } }, [look]);
    await open.call('pets', 'find');
    seen.length = 0;
    await open.call('pets', 'find');
    expect(seen).toEqual([{ cost: 1 }, undefined]);
  });
});

describe('a source with a conversation of its own', () => {
  const snapshot: SourceSnapshot = {
    version: '1',
    state: 'ready',
    tools: [{ definition: { name: 'ask', description: 'Asks.', inputSchema: { type: 'object' } }, risk: 'read', tags: [] }],
    resources: [],
    resourceTemplates: [],
    prompts: [],
    features: {},
  };
  let asked = 0;
  const startSession = (answer: () => Promise<ToolsReply>): Promise<StartedTools> => {
    asked = 0;
    const source: SessionToolSource = {
      name: 'talk',
      mode: 'session',
      snapshot,
      subscribe: () => () => undefined,
      call: () => {
        asked += 1;
        return answer();
      },
    };
    return startTools({ servers: { talk: { source, config: { price: 2, breaker: { failures: 2 } } } } });
  };
  const gaugeOf = ({ gauges }: StartedTools) => gauges.for('tools/talk').status(Date.now());

  it('is asked once and charged once', async () => {
    const tools = await startSession(async () => ({ content: [{ type: 'text', text: 'yes' }] }));
    expect(textOf((await tools.call('talk', 'ask')).result)).toBe('yes');
    expect([asked, tools.records[0]!.outcome.usage]).toEqual([1, { cost: 2 }]);
    expect(gaugeOf(tools)).toMatchObject({ inFlight: 0, samples: 1, errorRate: 0 });
  });

  it('is not asked again when it fails, and left alone when it does so in a row', async () => {
    const tools = await startSession(() => Promise.reject(new GatewayError('upstream_cut')));
    for (let n = 0; n < 3; n++) expect((await tools.call('talk', 'ask')).result?.isError).toBe(true);
    expect([asked, tools.records.map(({ outcome }) => outcome.error?.code)]).toEqual([2, ['upstream_cut', 'upstream_cut', 'unavailable']]);
    expect(gaugeOf(tools)).toMatchObject({ inFlight: 0, samples: 2, breaker: 'open' });
  });

  it('that says no in its own words is well, and its words reach the client', async () => {
    const tools = await startSession(() => Promise.reject(new SourceError(-32_099, 'Not today.')));
    for (let n = 0; n < 4; n++) expect((await tools.call('talk', 'ask')).error).toMatchObject({ code: -32_099, message: 'Not today.' });
    expect([asked, gaugeOf(tools)]).toMatchObject([4, { inFlight: 0, breaker: 'closed', errorRate: 0 }]);
  });
});
