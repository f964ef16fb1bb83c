import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../../../../src/core/json.ts';
import { readEvents } from '../../../../../../src/lanes/agents/sources/a2a/agent-events.ts';
import { wireOf } from '../../../../../../src/lanes/agents/wires/wires.ts';
import { BINDINGS, VERSIONS, type BindingName, type VersionName } from '../../../../../../src/lanes/agents/wires/wire.ts';
import { agent, answerJson, ask, events, rpc, RPC_1_0, sourceOf, stream, TASK } from './an-agent.ts';

const EVENTS: readonly JsonObject[] = [
  { task: TASK },
  { statusUpdate: { taskId: 't1', contextId: 'c1', status: { state: 'TASK_STATE_WORKING' } } },
  { artifactUpdate: { taskId: 't1', contextId: 'c1', artifact: { artifactId: 'a1', parts: [{ text: 'Grüße, 世界 🦉\nzwei' }] } } },
  { statusUpdate: { taskId: 't1', contextId: 'c1', status: { state: 'TASK_STATE_COMPLETED' } } },
];
const PAIRS = VERSIONS.flatMap((version) => BINDINGS.map((binding) => [version, binding] as const));

/** As an agent writes them; a comment keeps the connection awake. */
function written(version: VersionName, binding: BindingName, end = '\n\n'): Buffer {
  const wire = wireOf(version, binding);
  return Buffer.from(`: awake${end}${EVENTS.map((event) => `data: ${wire.writeEvent(event, 1)}${end}`).join('')}`);
}

async function* pieces(...parts: readonly Buffer[]): AsyncGenerator<Buffer, undefined> {
  yield* parts;
}

async function read(body: AsyncIterable<Buffer>, version: VersionName, binding: BindingName) {
  const got: JsonObject[] = [];
  try {
    for await (const { event } of readEvents(body, wireOf(version, binding), (error) => error)) got.push(event);
    return { got };
  } catch (error) {
    return { got, error };
  }
}

function startEvents(res: ServerResponse): void {
  res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
}

const eventText = (event: unknown): string => `data: ${JSON.stringify(rpc(event))}\n\n`;

describe.each(PAIRS)('events of A2A %s by %s', (version, binding) => {
  test.each([['\n\n'], ['\r\n\r\n']])('are the same wherever the bytes are split (%j)', async (end) => {
    const bytes = written(version, binding, end);
    const whole = await read(pieces(bytes), version, binding);
    expect(whole.got).toHaveLength(EVENTS.length);
    expect(whole).toMatchObject({ got: EVENTS });
    for (let at = 1; at < bytes.length; at++)
      expect(await read(pieces(bytes.subarray(0, at), bytes.subarray(at)), version, binding)).toEqual(whole);
    expect(await read(pieces(...Array.from(bytes, (byte) => Buffer.from([byte]))), version, binding)).toEqual(whole);
  });

  test('of a stream that ends anywhere are those that were whole, and never half of one', async () => {
    const bytes = written(version, binding);
    const { got: all } = await read(pieces(bytes), version, binding);
    for (let at = 0; at < bytes.length; at++) {
      const { got, error } = await read(pieces(bytes.subarray(0, at)), version, binding);
      expect(got).toEqual(all.slice(0, got.length));
      const kept = bytes.subarray(0, at).toString('latin1').split('\n\n');
      // The last is whole where only its blank line is missing.
      const [rest] = kept.slice(-1);
      const isCut = got.length === 0 || (rest !== undefined && /^data: ./.test(rest) && !isWhole(rest));
      expect(error === undefined).toBe(!isCut);
      if (isCut) expect(error).toMatchObject({ code: 'upstream_cut' });
    }
  });
});

function isWhole(line: string): boolean {
  try {
    JSON.parse(line.slice('data: '.length));
    return true;
  } catch {
    return false;
  }
}

describe('a stream', () => {
  test('gives each event when it was sent, in order', async () => {
    const go = EVENTS.map(() => Promise.withResolvers<void>());
    const { cardUrl, asked } = await agent(async (_, res) => {
      startEvents(res);
      for (const [at, event] of EVENTS.entries()) {
        await go[at]!.promise;
        res.write(eventText(event));
      }
      res.end();
    });
    const way = sourceOf(cardUrl);
    go[0]!.resolve();
    const opened = (await stream(ask(way, 'message/stream')))[Symbol.asyncIterator]();
    for (const [at, event] of EVENTS.entries()) {
      expect(await opened.next()).toEqual({ done: false, value: { event } });
      go[at + 1]?.resolve();
    }
    expect(await opened.next()).toEqual({ done: true, value: undefined });
    expect(asked[0]!.headers['accept']).toContain('text/event-stream');
  });

  test.each(['while it waits for an event', 'between two events'])('closes its connection when the reader leaves %s', async (when) => {
    const closed = Promise.withResolvers<void>();
    const { cardUrl } = await agent((_, res) => {
      startEvents(res);
      res.write(eventText(EVENTS[0]));
      void once(res, 'close').then(() => closed.resolve());
    });
    const opened = (await stream(ask(sourceOf(cardUrl), 'tasks/resubscribe', { id: 't1' })))[Symbol.asyncIterator]();
    await opened.next();
    const waiting = when.startsWith('while') ? opened.next() : undefined;
    await opened.return?.();
    await closed.promise;
    expect(await waiting).toEqual(waiting && { done: true, value: undefined });
    expect(await opened.next()).toEqual({ done: true, value: undefined });
  });

  test('that is answered whole is one event', async () => {
    const { cardUrl, asked } = await agent((_, res) => answerJson(res, rpc({ task: TASK })));
    expect(await events(ask(sourceOf(cardUrl), 'message/stream'))).toEqual({ events: [{ task: TASK }] });
    expect(asked[0]!.body).toMatchObject({ method: 'SendStreamingMessage' });
  });

  test('that is refused is an error before it begins', async () => {
    const { cardUrl } = await agent((_, res) =>
      answerJson(res, { jsonrpc: '2.0', id: 1, error: { code: -32001, message: 'No such task' } }),
    );
    await expect(ask(sourceOf(cardUrl), 'tasks/resubscribe', { id: 't9' })).rejects.toMatchObject({
      name: 'AgentError',
      code: -32001,
      message: 'No such task',
    });
  });

  test('ends with the error that the agent sends, after what came before', async () => {
    const { cardUrl } = await agent((_, res) => {
      startEvents(res);
      res.write(eventText(EVENTS[0]));
      res.end(
        'event: error\ndata: {"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"It broke at http://127.0.0.1:1/x"}}\n\ndata: {}\n\n',
      );
    });
    const { events: got, error } = await events(ask(sourceOf(cardUrl), 'message/stream'));
    expect(got).toEqual([EVENTS[0]]);
    expect(error).toMatchObject({ name: 'AgentError', code: -32603, message: expect.stringMatching(/^It broke at \S+$/) });
    expect(String(error)).not.toContain('127.0.0.1');
  });

  test.each([
    ['whose connection breaks', (res: ServerResponse) => void res.socket?.destroy(), 'upstream_cut'],
    ['that ends in the middle of an event', (res: ServerResponse) => void res.end('data: {"jsonrpc":"2.0","res'), 'upstream_cut'],
    ['with an event that is no JSON', (res: ServerResponse) => void res.end('data: hello\n\ndata: {}\n\n'), 'upstream_failed'],
    [
      'with an event that is none of A2A',
      (res: ServerResponse) => void res.end('data: {"jsonrpc":"2.0","result":7}\n\n'),
      'upstream_failed',
    ],
  ])('%s: what came before, then %s', async (_, breakOff, code) => {
    const { cardUrl } = await agent((_asked, res) => {
      startEvents(res);
      res.write(eventText(EVENTS[0]), () => breakOff(res));
    });
    const { events: got, error } = await events(ask(sourceOf(cardUrl), 'message/stream'));
    expect(got).toEqual([EVENTS[0]]);
    expect(error).toMatchObject({ name: 'GatewayError', code });
    expect((error as Error).message).not.toContain('127.0.0.1');
  });

  test('without a single event is cut', async () => {
    const { cardUrl } = await agent((_, res) => {
      startEvents(res);
      res.end(': nothing\n\n');
    });
    expect(await events(ask(sourceOf(cardUrl), 'message/stream'))).toMatchObject({ events: [], error: { code: 'upstream_cut' } });
  });

  test('may be silent for no longer than idle says, however long it lasts', async () => {
    const { cardUrl } = await agent((_, res) => {
      startEvents(res);
      res.write(eventText(EVENTS[0]));
    });
    const way = sourceOf(cardUrl, { timeouts: { idle: 50 } });
    expect(await events(ask(way, 'message/stream'))).toMatchObject({ events: [EVENTS[0]], error: { code: 'upstream_timeout', message: expect.stringMatching(/^The agent stopped/) } }); // prettier-ignore
  });

  test('is called off with its call', async () => {
    const closed = Promise.withResolvers<void>();
    const { cardUrl } = await agent(
      (_, res) => {
        startEvents(res);
        res.write(eventText(EVENTS[0]));
        void once(res, 'close').then(() => closed.resolve());
      },
      { interfaces: [RPC_1_0] },
    );
    const calling = new AbortController();
    const opened = (await stream(ask(sourceOf(cardUrl), 'message/stream', undefined, { signal: calling.signal })))[Symbol.asyncIterator]();
    await opened.next();
    calling.abort();
    await expect(opened.next()).rejects.toMatchObject({ code: 'client_closed' });
    await closed.promise;
  });
});
