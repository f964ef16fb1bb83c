import { createServer as createTcpServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CallCancellation } from '../../../src/pipeline/cancellation.ts';
import type { UpstreamStream } from '../../../src/core/upstream.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import type { InProcessService } from '../../../src/upstreams/http.ts';
import { http, request, serve } from './upstream.ts';

async function whole({ body }: UpstreamStream): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

async function until(condition: () => boolean, withinMs: number): Promise<number> {
  const start = performance.now();
  while (!condition()) {
    if (performance.now() - start > withinMs) throw new Error(`not within ${withinMs} ms`);
    await sleep(2);
  }
  return performance.now() - start;
}

/** A server whose connections are counted and whose answer is written by hand. */
async function tcp(answer: (socket: Socket, turn: number) => void): Promise<{ origin: string; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createTcpServer((socket) => {
    sockets.push(socket);
    let turn = 0;
    socket.on('error', () => {}).on('data', () => answer(socket, (turn += 1)));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets };
}
const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
const part = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const END = '0\r\n\r\n';
const closed = (socket: Socket | undefined): boolean => socket?.destroyed === true || socket?.readableEnded === true;

describe('a streamed answer', () => {
  it('comes piece by piece, each when it was sent', async () => {
    const go = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { origin } = await serve(async (_, res) => {
      res.writeHead(201, { 'x-a': 'b' }).write('one');
      for (const [at, { promise }] of go.entries()) {
        await promise;
        res.write(`two${at}`);
      }
      res.end();
    });
    const { status, headers, body } = await http().open(request(origin));
    expect({ status, a: headers['x-a'] }).toEqual({ status: 201, a: 'b' });
    const pieces = body[Symbol.asyncIterator]();
    expect(String((await pieces.next()).value)).toBe('one');
    for (const [at, { resolve }] of go.entries()) {
      const next = pieces.next();
      expect(await Promise.race([next.then(() => 'early'), sleep(20, 'waits')])).toBe('waits');
      resolve();
      expect(String((await next).value)).toBe(`two${at}`);
    }
    expect(await pieces.next()).toEqual({ done: true, value: undefined });
    expect(await pieces.next()).toEqual({ done: true, value: undefined });
  });

  it('with a status of failure is an answer', async () => {
    const { origin } = await serve((_, res) => void res.writeHead(429).end('slow down'));
    const answer = await http().open(request(origin));
    expect(answer.status).toBe(429);
    expect(await whole(answer)).toBe('slow down');
  });

  it('waits for a slow reader, and goes on', async () => {
    let sent = 0;
    const total = 40_000_000;
    const { origin } = await serve((_, res) => {
      const block = Buffer.alloc(100_000, 'x');
      const push = (): void => {
        while (sent < total) {
          sent += block.length;
          if (!res.write(block)) return void res.once('drain', push);
        }
        res.end();
      };
      push();
    });
    const answer = await http().open(request(origin));
    await sleep(200);
    const held = sent;
    expect(held).toBeLessThan(total / 2);
    await sleep(100);
    expect(sent).toBe(held);
    expect((await whole(answer)).length).toBe(total);
  });

  it('is for who is there: a reader that pauses for longer than the idle time is no idle vendor', async () => {
    const { origin } = await serve((_, res) => void res.end(Buffer.alloc(3_000_000, 'x')));
    const answer = await http().open(request(origin, { idleMs: 200 }));
    await sleep(1_500);
    expect((await whole(answer)).length).toBe(3_000_000);
  });
});

describe('calling off', () => {
  it.each(['before the head', 'between two pieces', 'while pieces wait'])('%s closes the socket at once', async (when) => {
    const { origin, sockets } = await tcp((socket) => {
      if (when === 'before the head') return;
      socket.write(HEAD + part('one'));
      if (when === 'while pieces wait') for (let i = 0; i < 100; i++) socket.write(part('x'.repeat(60_000)));
    });
    const signal = new CallCancellation();
    const opened = http().open(request(origin), { signal });
    opened.catch(() => undefined);
    const answer = when === 'before the head' ? undefined : await opened;
    await until(() => sockets.length === 1, 1_000);
    const pieces = answer?.body[Symbol.asyncIterator]();
    if (when === 'between two pieces') await pieces?.next();
    await sleep(20);
    const reader = pieces === undefined || when === 'while pieces wait' ? opened : pieces.next();
    signal.abort(new GatewayError('client_closed'));
    if (when !== 'while pieces wait') await expect(reader).rejects.toMatchObject({ code: 'client_closed' });
    else await expect(whole(answer!)).rejects.toMatchObject({ code: 'client_closed' });
    expect(await until(() => closed(sockets[0]), 250)).toBeLessThan(150);
  });

  it('before it begins sends nothing', async () => {
    const { origin, sockets } = await tcp(() => {});
    const signal = new CallCancellation();
    signal.abort(new GatewayError('client_closed'));
    await expect(http().open(request(origin), { signal })).rejects.toMatchObject({ code: 'client_closed' });
    await sleep(20);
    expect(sockets).toHaveLength(0);
  });

  it('after the end does nothing', async () => {
    const { origin } = await serve((_, res) => void res.end('ok'));
    const signal = new CallCancellation();
    const answer = await http().open(request(origin), { signal });
    expect(await whole(answer)).toBe('ok');
    signal.abort(new GatewayError('client_closed'));
    expect(await answer.body[Symbol.asyncIterator]().next()).toMatchObject({ done: true });
  });
});

describe('leaving the loop', () => {
  it('just before the end keeps the connection for the next request', async () => {
    const { origin, sockets } = await tcp((socket) => {
      socket.write(HEAD + part('data: [DONE]\n\n'));
      setTimeout(() => socket.write(END), 20);
    });
    const up = http();
    for (let turn = 0; turn < 3; turn++) {
      for await (const piece of (await up.open(request(origin))).body) {
        expect(String(piece)).toContain('[DONE]');
        break;
      }
      await sleep(60);
    }
    expect(sockets).toHaveLength(1);
    expect(closed(sockets[0])).toBe(false);
  });

  it('in the middle closes the connection soon, and the next request has another', async () => {
    const { origin, sockets } = await tcp((socket) => {
      socket.write(HEAD);
      const timer = setInterval(() => socket.write(part('more')), 5);
      socket.on('close', () => clearInterval(timer));
    });
    const up = http();
    for await (const _ of (await up.open(request(origin))).body) break;
    expect(await until(() => closed(sockets[0]), 1_000)).toBeLessThan(250);
    for await (const piece of (await up.open(request(origin))).body) {
      expect(String(piece)).toContain('more');
      break;
    }
    expect(sockets).toHaveLength(2);
  });

  it('while the sender was held back closes the connection too', async () => {
    const { origin, sockets } = await tcp((socket) => {
      socket.write(HEAD);
      for (let i = 0; i < 200; i++) socket.write(part('x'.repeat(60_000)));
    });
    const answer = await http().open(request(origin));
    await sleep(50);
    for await (const _ of answer.body) break;
    await until(() => closed(sockets[0]), 500);
    expect(closed(sockets[0])).toBe(true);
  });
});

describe('time limits', () => {
  const code = 'upstream_timeout';

  it('of the first byte', async () => {
    const { origin, sockets } = await tcp(() => {});
    const start = performance.now();
    await expect(http().open(request(origin, { firstByteMs: 60, timeoutMs: 5_000 }))).rejects.toMatchObject({
      code,
      message: expect.stringContaining('0.06 s'),
    });
    expect(performance.now() - start).toBeLessThan(500);
    await until(() => closed(sockets[0]), 250);
  });

  it('of the first byte end with it', async () => {
    const { origin } = await tcp((socket) => {
      socket.write(HEAD + part('one'));
      setTimeout(() => socket.write(part('two') + END), 200);
    });
    expect(await whole(await http().open(request(origin, { firstByteMs: 60, timeoutMs: 5_000 })))).toBe('onetwo');
  });

  it('of silence in the middle; what came before is read', async () => {
    const { origin, sockets } = await tcp((socket) => void socket.write(HEAD + part('one')));
    const pieces = (await http().open(request(origin, { idleMs: 100, timeoutMs: 30_000 }))).body[Symbol.asyncIterator]();
    expect(String((await pieces.next()).value)).toBe('one');
    await expect(pieces.next()).rejects.toMatchObject({ code, message: expect.stringContaining('stopped in the middle') });
    await until(() => closed(sockets[0]), 250);
  });

  it('of the whole', async () => {
    const { origin, sockets } = await tcp((socket) => {
      socket.write(HEAD);
      const timer = setInterval(() => socket.write(part('more')), 10);
      socket.on('close', () => clearInterval(timer));
    });
    await expect(whole(await http().open(request(origin, { firstByteMs: 1_000, timeoutMs: 150 })))).rejects.toMatchObject({ code });
    await until(() => closed(sockets[0]), 250);
  });
});

describe('what breaks', () => {
  it.each(['cut in a piece', 'cut between pieces', 'reset'])(
    '%s is an error after what came, and none of it is taken for the end',
    async (how) => {
      const { origin } = await tcp((socket) => {
        socket.write(HEAD + part('one') + (how === 'cut in a piece' ? 'ff\r\nhalf' : ''));
        setTimeout(() => (how === 'reset' ? socket.resetAndDestroy() : socket.end()), 20);
      });
      const seen: string[] = [];
      const read = async (): Promise<void> => {
        for await (const piece of (await http().open(request(origin))).body) seen.push(String(piece));
      };
      await expect(read()).rejects.toMatchObject({ name: 'GatewayError', code: 'upstream_failed' });
      expect(seen.join('')).toBe(how === 'cut in a piece' ? 'onehalf' : 'one');
    },
  );

  it('before the head is told of the head', async () => {
    const { origin } = await tcp((socket) => void socket.destroy());
    await expect(http().open(request(origin, { method: 'POST' }))).rejects.toMatchObject({ code: 'upstream_unreachable' });
  });

  it('a compressed stream is refused, and its connection let go', async () => {
    const { origin, sockets } = await tcp((socket) => void socket.write(HEAD.replace('\r\n\r\n', '\r\ncontent-encoding: gzip\r\n\r\n')));
    await expect(http().open(request(origin))).rejects.toMatchObject({
      code: 'upstream_failed',
      message: expect.stringContaining('compresses'),
    });
    await until(() => closed(sockets[0]), 250);
  });
});

describe('services inside the process', () => {
  it('answer whole or in pieces', async () => {
    const body = (async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from('a');
      yield Buffer.from('b');
    })();
    const services = new Map<string, InProcessService>([
      ['demo:whole', () => Promise.resolve({ status: 200, headers: {}, body: Buffer.from('ab') })],
      ['demo:pieces', () => Promise.resolve({ status: 200, headers: {}, body })],
    ]);
    const up = http({ services });
    expect(await whole(await up.open(request('demo:whole')))).toBe('ab');
    expect(await whole(await up.open(request('demo:pieces')))).toBe('ab');
    expect((await up.send(request('demo:whole'))).body.toString()).toBe('ab');
  });
});
