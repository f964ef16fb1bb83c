import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ANONYMOUS } from '../../../../../src/core/consumer.ts';
import type { ToolsChunk, ToolsReply } from '../../../../../src/core/tools.ts';
import type { Started } from '../../../../../src/lanes/tools/operations.ts';
import { deliver } from '../../../../../src/lanes/tools/serve/deliver.ts';
import { toWire } from '../../../../../src/lanes/tools/wire-errors.ts';

const RESULT: ToolsReply = { content: [{ type: 'text', text: 'done' }] };
const ANSWER = { jsonrpc: '2.0', id: 7, result: RESULT };
const BOTH = 'application/json, text/event-stream';

let server: Server | undefined;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
  server?.closeAllConnections();
  server?.close();
});

/** Asks a server that delivers this; gives the answer once its head is there, and its text as it comes. */
async function ask(
  handled: Started['handled'],
  accept = BOTH,
): Promise<{ head: Promise<IncomingMessage>; text(): string; ended: Promise<unknown> }> {
  server = createServer((req, res) => {
    const exchange = { req, res, id: 'r1', startedAt: 0, consumer: ANONYMOUS, path: '/mcp', query: new URLSearchParams() };
    const started = { handled, failure: (error: unknown) => toWire('tools/call', error, String) } as unknown as Started;
    void deliver(exchange, { kind: 'request', id: 7, method: 'tools/call', params: {} }, started, (_, reply) => JSON.stringify(reply));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const asking = request({ port: (server.address() as AddressInfo).port, method: 'POST', headers: { accept } });
  const reached = once(server, 'request');
  asking.end();
  await reached;
  let text = '';
  const head = once(asking, 'response').then(([response]) =>
    (response as IncomingMessage).setEncoding('utf8').on('data', (chunk: string) => (text += chunk)),
  );
  return { head, text: () => text, ended: head.then((response) => once(response, 'end')) };
}

function later<T>(): { promise: Promise<T>; resolve(value: T): void; reject(error: unknown): void } {
  return Promise.withResolvers<T>();
}

describe('a call that takes long', () => {
  it('gets an event stream after 15 s, comments every 15 s, and its result as an event', async () => {
    const work = later<{ reply: ToolsReply }>();
    const answer = await ask(work.promise);
    vi.advanceTimersByTime(14_999);
    const early = await Promise.race([answer.head, new Promise((done) => setImmediate(done))]);
    expect(early).toBeUndefined();
    vi.advanceTimersByTime(1);
    const head = await answer.head;
    expect([head.statusCode, head.headers['content-type']]).toEqual([200, 'text/event-stream']);
    for (let comments = 1; comments <= 3; comments++) {
      vi.advanceTimersByTime(15_000);
      await vi.waitFor(() => expect(answer.text()).toBe(': \n\n'.repeat(comments)));
    }
    work.resolve({ reply: RESULT });
    await answer.ended;
    expect(answer.text()).toBe(`${': \n\n'.repeat(3)}event: message\ndata: ${JSON.stringify(ANSWER)}\n\n`);
  });

  it('and fails then, fails on the stream', async () => {
    const work = later<{ reply: ToolsReply }>();
    const answer = await ask(work.promise);
    vi.advanceTimersByTime(15_000);
    await answer.head;
    work.reject(new Error('secret detail'));
    await answer.ended;
    expect(answer.text()).toMatch(/^event: message\ndata: \{"jsonrpc":"2.0","id":7,"error":\{"code":-32603/);
    expect(answer.text()).not.toContain('secret detail');
  });

  it('stays JSON for a client that takes no event stream', async () => {
    const work = later<{ reply: ToolsReply }>();
    const answer = await ask(work.promise, 'application/json');
    vi.advanceTimersByTime(60_000);
    work.resolve({ reply: RESULT });
    expect((await answer.head).headers['content-type']).toBe('application/json');
    await answer.ended;
    expect(JSON.parse(answer.text())).toEqual(ANSWER);
  });
});

describe('a call that streams', () => {
  const progress = { type: 'notification', method: 'notifications/progress', params: { progress: 1 } } as const;
  async function* chunks(...all: ToolsChunk[]): AsyncGenerator<ToolsChunk> {
    yield* all;
  }

  it('is plain JSON when the result comes first', async () => {
    const answer = await ask(Promise.resolve({ stream: chunks({ type: 'result', result: RESULT }) }));
    expect((await answer.head).headers['content-type']).toBe('application/json');
    await answer.ended;
    expect(JSON.parse(answer.text())).toEqual(ANSWER);
  });

  it('is one event for each chunk; a client that takes no stream gets the result', async () => {
    const all = [progress, { type: 'result', result: RESULT }] as const;
    const streamed = await ask(Promise.resolve({ stream: chunks(...all) }));
    await streamed.ended;
    expect(streamed.text().match(/^data: .*/gm)).toHaveLength(2);
    server?.close();
    const plain = await ask(Promise.resolve({ stream: chunks(...all) }), 'application/json');
    await plain.ended;
    expect(JSON.parse(plain.text())).toEqual(ANSWER);
  });

  it('goes on to its end for a client that has left, without a stream', async () => {
    const told = later<void>();
    const read = later<number>();
    const left = async function* (): AsyncGenerator<ToolsChunk> {
      await told.promise;
      yield progress;
      read.resolve(vi.getTimerCount());
      yield { type: 'result', result: RESULT };
    };
    const answer = await ask(Promise.resolve({ stream: left() }));
    answer.head.catch(() => undefined);
    answer.ended.catch(() => undefined);
    server!.closeAllConnections();
    await answer.head.catch(() => undefined);
    vi.advanceTimersByTime(15_000);
    told.resolve();
    expect(await read.promise, 'timers that run').toBe(0);
  });

  it('is answered with an error when it ends without a result, and answered once', async () => {
    const none = await ask(Promise.resolve({ stream: chunks(progress) }));
    await none.ended;
    expect(none.text()).toMatch(/"id":7,"error":\{"code":-32603/);
    server?.close();
    const failing = async function* (): AsyncGenerator<ToolsChunk> {
      yield progress;
      yield { type: 'result', result: RESULT };
      throw new Error('afterwards');
    };
    const twice = await ask(Promise.resolve({ stream: failing() }));
    await twice.ended;
    expect(twice.text().match(/"id":7/g)).toHaveLength(1);
  });
});
