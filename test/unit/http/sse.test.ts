import { createServer, get } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openEventStream } from '../../../src/http/sse.ts';
import type { EventStream, EventStreamOptions } from '../../../src/http/sse.ts';

const stop: (() => void)[] = [];
afterEach(() => stop.splice(0).forEach((end) => end()));

/** A server that opens a stream for the first request and hands it over. */
async function serve(options?: EventStreamOptions): Promise<{ port: number; stream: Promise<EventStream>; res: Promise<ServerResponse> }> {
  const stream = Promise.withResolvers<EventStream>();
  const res = Promise.withResolvers<ServerResponse>();
  const server = createServer((req, answer) => {
    stream.resolve(openEventStream(req, answer, options));
    res.resolve(answer);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  stop.push(() => (server.closeAllConnections(), server.close()));
  return { port: (server.address() as AddressInfo).port, stream: stream.promise, res: res.promise };
}

const read = async (answer: IncomingMessage): Promise<string> => Buffer.concat(await answer.toArray()).toString();

function request(port: number): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => get({ port, host: '127.0.0.1', agent: false }, resolve).on('error', reject));
}

describe('openEventStream', () => {
  it('opens before the first event, with headers that keep it from being held back', async () => {
    const { port, stream } = await serve({ headers: { 'mcp-session-id': 's1' } });
    const answer = await request(port);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'mcp-session-id': 's1',
    });
    (await stream).end();
    expect(await read(answer)).toBe('');
  });

  it('frames events so that no text can break out of its field', async () => {
    const { port, stream } = await serve();
    const answer = await request(port);
    const events = await stream;
    expect(events.send('{"a":1}')).toBe(true);
    events.send('one\ntwo\r\nthree\rfour', { event: 'note\nevent: forged', id: '7\r\n', retry: 500 });
    events.comment('still\nhere');
    events.end();
    expect(events.closed).toBe(true);
    expect(events.send('too late')).toBe(false);
    expect(await read(answer)).toBe(
      'data: {"a":1}\n\nevent: note event: forged\nid: 7  \nretry: 500\ndata: one\ndata: two\ndata: three\ndata: four\n\n: still here\n\n',
    );
  });

  it('keeps an idle connection open with comments', async () => {
    const { port, stream } = await serve({ keepAliveMs: 20 });
    const answer = await request(port);
    const first = await new Promise((resolve) => answer.once('data', (chunk) => resolve(String(chunk))));
    expect(first).toBe(': \n\n');
    (await stream).end();
  });

  it('tells when the reader goes away, once, early or late', async () => {
    const { port, stream } = await serve();
    const answer = await request(port);
    const events = await stream;
    const gone = new Promise<void>((resolve) => events.onClose(resolve));
    answer.destroy();
    await gone;
    expect(events.closed).toBe(true);
    await new Promise<void>((resolve) => events.onClose(resolve));
  });

  it('is closed on a response that is closed already, and starts nothing', async () => {
    const arrived = Promise.withResolvers<[IncomingMessage, ServerResponse]>();
    const server = createServer((req, res) => res.once('close', () => arrived.resolve([req, res])));
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    stop.push(() => server.close());
    const asking = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: false }).on('error', () => {});
    server.once('request', () => asking.destroy());
    const [req, res] = await arrived.promise;
    const timers = vi.spyOn(globalThis, 'setInterval');
    const events = openEventStream(req, res);
    expect([events.closed, events.send('late'), res.headersSent, timers.mock.calls.length]).toEqual([true, false, false, 0]);
    timers.mockRestore();
    await events.drained();
    await new Promise<void>((resolve) => events.onClose(resolve));
    events.end();
  });

  it('asks for patience with a slow reader, and goes on when it has caught up', async () => {
    const { port, stream } = await serve();
    const answer = await request(port);
    const events = await stream;
    const block = 'x'.repeat(1_000_000);
    let sent = 0;
    let drained = true;
    while (drained && sent < 50) {
      expect(events.send(block)).toBe(false);
      sent += 1;
      drained = await Promise.race([events.drained().then(() => true), sleep(50, false)]);
    }
    expect(drained).toBe(false);
    const waiting = events.drained();
    const text = read(answer);
    await waiting;
    await events.drained();
    expect(events.send('last')).toBe(true);
    events.end();
    expect(await text).toHaveLength(sent * (block.length + 8) + 'data: last\n\n'.length);
  });

  it('cuts off a reader that does not read', async () => {
    const { port, stream, res } = await serve();
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'));
    stop.push(() => socket.destroy());
    socket.pause();
    const events = await stream;
    const block = 'x'.repeat(1_000_000);
    let sent = 0;
    while (!events.closed && sent < 100) {
      events.send(block);
      sent += 1;
      expect((await res).writableLength).toBeLessThan(8_100_000);
    }
    expect(events.closed).toBe(true);
    await events.drained();
  });
});
