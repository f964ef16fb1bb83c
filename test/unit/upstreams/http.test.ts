import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import zlib from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createEgress } from '../../../src/upstreams/egress.ts';
import { http, request, serve } from './upstream.ts';

/** A TCP server that answers each piece it receives as `answer` says. */
async function tcp(answer: (text: string, turn: number) => string | undefined): Promise<{ origin: string; connections: () => number }> {
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections += 1;
    let turn = 0;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      const reply = answer(chunk.toString(), (turn += 1));
      if (reply === undefined) socket.destroy();
      else socket.write(reply);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, connections: () => connections };
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

describe('a request', () => {
  it('goes out as it was built and comes back whole', async () => {
    const { origin } = await serve((req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.on('end', () => {
        res.setHeader('set-cookie', ['a=1', 'b=2']);
        res.writeHead(201, { 'content-type': 'application/json' });
        res.write('{"half":');
        setTimeout(
          () =>
            res.end(
              JSON.stringify({ method: req.method, url: req.url, headers: req.headers, body: Buffer.concat(chunks).toString() }) + '}',
            ),
          10,
        );
      });
    });
    const answer = await http().send(
      request(origin, {
        method: 'POST',
        path: '/a%2Fb?x=%20',
        headers: { 'x-one': '1', 'x-list': ['a', 'b'], 'accept-encoding': 'gzip' },
        body: 'grüße',
      }),
    );
    expect(answer.status).toBe(201);
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(JSON.parse(answer.body.toString()).half).toMatchObject({
      method: 'POST',
      url: '/a%2Fb?x=%20',
      headers: { 'x-one': '1', 'x-list': 'a, b', 'accept-encoding': 'identity', 'user-agent': 'hubgate', 'content-length': '7' },
      body: 'grüße',
    });
  });

  it('carries bytes and forms', async () => {
    const { origin } = await serve((req, res) => {
      res.setHeader('content-type', req.headers['content-type'] ?? 'none');
      req.pipe(res);
    });
    const up = http();
    const bytes = await up.send(request(origin, { method: 'PUT', body: new Uint8Array([0, 255, 10]) }));
    expect([...bytes.body]).toEqual([0, 255, 10]);
    const form = new FormData();
    form.set('name', 'Rex');
    form.set('photo', new Blob([new Uint8Array([1, 2])], { type: 'image/png' }), 'rex.png');
    const answer = await up.send(request(origin, { method: 'POST', headers: { 'content-type': 'multipart/form-data' }, body: form }));
    const back = await new Response(new Uint8Array(answer.body), {
      headers: { 'content-type': String(answer.headers['content-type']) },
    }).formData();
    expect(back.get('name')).toBe('Rex');
    expect(back.get('photo')).toMatchObject({ name: 'rex.png', type: 'image/png', size: 2 });
  });

  it('follows no redirect', async () => {
    const { origin } = await serve((_req, res) => res.writeHead(302, { location: 'http://169.254.169.254/' }).end());
    expect(await http().send(request(origin))).toMatchObject({ status: 302, headers: { location: 'http://169.254.169.254/' } });
  });

  it('with a header that cannot be sent says which, not what', async () => {
    const failed = http().send(request('http://127.0.0.1:9', { headers: { 'x-key': 'secret\r\nx-forged: 1' } }));
    await expect(failed).rejects.toMatchObject({ code: 'bad_request', message: expect.stringMatching(/^(?!.*secret).*x-key/) });
  });

  it('passes over informational answers', async () => {
    const { origin } = await tcp(() => `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${OK}`);
    expect(await http().send(request(origin))).toMatchObject({ status: 200, body: Buffer.from('ok') });
  });

  it('uses connections again', async () => {
    const { origin, connections } = await tcp(() => OK);
    const up = http();
    for (let i = 0; i < 5; i++) await up.send(request(origin)).then(() => sleep(5));
    expect(connections()).toBe(1);
  });
});

describe('limits', () => {
  it('refuse an answer that is too large, announced or not, and cut it off', async () => {
    let closed = 0;
    const { origin } = await serve((req, res) => {
      res.on('close', () => (closed += 1));
      if (req.url === '/announced') res.writeHead(200, { 'content-length': 1_000_000 }).write('x');
      else res.write('x'.repeat(2_000));
    });
    const up = http();
    for (const path of ['/announced', '/chunked']) {
      await expect(up.send(request(origin, { path, maxBytes: 1_000 }))).rejects.toMatchObject({
        code: 'upstream_too_large',
        message: expect.stringContaining('1000 bytes'),
      });
    }
    await expect.poll(() => closed).toBe(2);
  });

  it('take an answer of exactly the limit, and any announced length on HEAD', async () => {
    const { origin } = await serve(
      (req, res) => void (req.method === 'HEAD' ? res.writeHead(200, { 'content-length': 5_000 }).end() : res.end('x'.repeat(1_000))),
    );
    const up = http();
    expect((await up.send(request(origin, { maxBytes: 1_000 }))).body).toHaveLength(1_000);
    expect((await up.send(request(origin, { method: 'HEAD', maxBytes: 1_000 }))).status).toBe(200);
  });

  it('end a silent or endless answer in time, and say that the request may have been carried out', async () => {
    let closed = 0;
    const { origin } = await serve((req, res) => {
      res.on('close', () => (closed += 1));
      if (req.url === '/endless') {
        const timer = setInterval(() => res.write('x'), 10);
        res.on('close', () => clearInterval(timer));
      }
    });
    const up = http();
    const silent = up.send(request(origin, { path: '/silent?key=secret', timeoutMs: 100 }));
    await expect(silent).rejects.toMatchObject({
      code: 'upstream_timeout',
      message: expect.stringMatching(/^127\.0\.0\.1:\d+ did not answer within 0\.1 s\. .*may have been carried out/),
    });
    await expect(up.send(request(origin, { path: '/endless', timeoutMs: 100 }))).rejects.toThrow(/did not finish its answer/);
    await expect.poll(() => closed).toBe(2);
  });

  it('say when a request had not been sent yet', async () => {
    const { origin } = await serve(() => {});
    const up = http({ maxSockets: 1 });
    const first = up.send(request(origin, { timeoutMs: 300 }));
    const second = up.send(request(origin, { timeoutMs: 50 }));
    await expect(second).rejects.toThrow(/The request was not sent/);
    await expect(first).rejects.toThrow(/may have been carried out/);
  });
});

describe('cancelling', () => {
  it('closes the connection of the request', async () => {
    const closed = Promise.withResolvers<void>();
    const { origin } = await serve((_req, res) => void res.on('close', closed.resolve));
    const controller = new AbortController();
    const sent = http().send(request(origin), { signal: controller.signal });
    sent.catch(() => {});
    await sleep(30);
    const before = performance.now();
    controller.abort();
    await expect(sent).rejects.toMatchObject({ code: 'client_closed' });
    await closed.promise;
    expect(performance.now() - before).toBeLessThan(250);
  });

  it('sends nothing when it comes first', async () => {
    let requests = 0;
    const { origin } = await serve((_req, res) => ((requests += 1), res.end()));
    await expect(http().send(request(origin), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'client_closed' });
    expect(requests).toBe(0);
  });

  it('leaves no listener on the signal', async () => {
    const { origin } = await serve((_req, res) => res.end('ok'));
    const { signal } = new AbortController();
    let listening = 0;
    signal.addEventListener = new Proxy(signal.addEventListener, {
      apply: (add, of, args) => ((listening += 1), Reflect.apply(add, of, args)),
    });
    signal.removeEventListener = new Proxy(signal.removeEventListener, {
      apply: (remove, of, args) => ((listening -= 1), Reflect.apply(remove, of, args)),
    });
    await http().send(request(origin), { signal });
    expect(listening).toBe(0);
  });
});

describe('connections that die', () => {
  /** Answers the first request of each connection, and closes the connection at the second. */
  const dying = (): ReturnType<typeof tcp> => tcp((_text, turn) => (turn === 1 ? OK : undefined));

  it('are replaced once, unseen, for what may be sent twice', async () => {
    const { origin, connections } = await dying();
    const up = http();
    const all = await Promise.all(Array.from({ length: 10 }, () => up.send(request(origin))));
    await sleep(5);
    all.push(...(await Promise.all(Array.from({ length: 10 }, () => up.send(request(origin))))));
    expect(all.map((answer) => answer.status)).toEqual(Array(20).fill(200));
    expect(connections()).toBe(20);
  });

  it('fail a POST, which may have been carried out', async () => {
    const { origin, connections } = await dying();
    const up = http();
    await up.send(request(origin));
    await sleep(5);
    const post = up.send(request(origin, { method: 'POST', body: '{}' }));
    await expect(post).rejects.toMatchObject({
      code: 'upstream_unreachable',
      message: expect.stringContaining('may have been carried out'),
    });
    expect(connections()).toBe(1);
  });

  it('are not replaced when they were new, or die twice', async () => {
    const { origin, connections } = await tcp(() => undefined);
    await expect(http().send(request(origin))).rejects.toMatchObject({ code: 'upstream_unreachable' });
    expect(connections()).toBe(1);
  });

  it('in the middle of an answer are an error, not a short answer', async () => {
    const { origin } = await serve((_req, res) => {
      res.writeHead(200, { 'content-length': 100 }).write('half');
      setTimeout(() => res.destroy(), 20);
    });
    await expect(http().send(request(origin))).rejects.toMatchObject({
      code: 'upstream_failed',
      message: expect.stringContaining('broke off'),
    });
  });

  it('or were never made name host and reason, nothing else of the address', async () => {
    const { origin, server } = await serve(() => {});
    await new Promise((resolve) => server.close(resolve));
    const failed = http().send(request(origin, { path: '/x?key=secret' }));
    await expect(failed).rejects.toMatchObject({
      code: 'upstream_unreachable',
      message: `${origin.slice(7)} could not be reached: the connection was refused. The request was not sent.`,
    });
    await expect(http().send(request('http://nowhere.invalid'))).rejects.toThrow(
      /nowhere\.invalid could not be reached: the name does not resolve/,
    );
  });

  it('speak something else than HTTP', async () => {
    const { origin } = await tcp(() => '220 mail ready\r\n');
    await expect(http().send(request(origin))).rejects.toMatchObject({ code: 'upstream_failed' });
  });
});

describe('encoded answers', () => {
  const text = 'hello '.repeat(100);
  const encodings: [string, Buffer][] = [
    ['gzip', zlib.gzipSync(text)],
    ['deflate', zlib.deflateSync(text)],
    ['br', zlib.brotliCompressSync(text)],
    ['zstd', zlib.zstdCompressSync(text)],
  ];

  it.each(encodings)('are read: %s', async (encoding, body) => {
    const { origin } = await serve((_req, res) => res.writeHead(200, { 'content-encoding': encoding, 'x-other': '1' }).end(body));
    const answer = await http().send(request(origin));
    expect(answer.body.toString()).toBe(text);
    expect([answer.headers['content-encoding'], answer.headers['x-other']]).toEqual([undefined, '1']);
  });

  it('are bounded, and refused when they are twice encoded, unknown or broken', async () => {
    const bomb = zlib.gzipSync(Buffer.alloc(5_000_000));
    const { origin } = await serve((req, res) => {
      const [encoding, body] = {
        '/bomb': ['gzip', bomb],
        '/twice': ['gzip, gzip', bomb],
        '/odd': ['rot13', 'x'],
        '/broken': ['gzip', 'x'],
      }[req.url as '/bomb'];
      res.writeHead(200, { 'content-encoding': encoding as string }).end(body);
    });
    const up = http();
    await expect(up.send(request(origin, { path: '/bomb', maxBytes: 1_000_000 }))).rejects.toMatchObject({ code: 'upstream_too_large' });
    for (const path of ['/twice', '/odd', '/broken'])
      await expect(up.send(request(origin, { path }))).rejects.toMatchObject({ code: 'upstream_failed' });
  });
});

describe('egress', () => {
  it('is checked for names and for literal addresses, before anything is sent', async () => {
    let connections = 0;
    const { port, server } = await serve((_req, res) => res.end('ok'));
    server.on('connection', () => (connections += 1));
    const up = http();
    for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1']) {
      const sent = up.send(request(`http://${host}:${port}`, { trust: 'public' }));
      await expect(sent, host).rejects.toMatchObject({ code: 'egress_refused', message: expect.stringContaining('egress: { allow:') });
    }
    expect(connections).toBe(0);
    expect((await up.send(request(`http://localhost:${port}`))).status).toBe(200);
  });

  it('does not lend an operator’s connection to a public address', async () => {
    const { origin } = await serve((_req, res) => res.end('ok'));
    const up = http();
    await up.send(request(origin));
    await expect(up.send(request(origin, { trust: 'public' }))).rejects.toMatchObject({ code: 'egress_refused' });
  });

  it('obeys changed rules at the next request, open connections or not', async () => {
    const { origin, port } = await serve((_req, res) => res.end('ok'));
    let egress = createEgress({ allow: [`127.0.0.1:${port}`], ownPorts: [] });
    const up = http({ egress: () => egress });
    expect((await up.send(request(origin, { trust: 'public' }))).status).toBe(200);
    egress = createEgress({ allow: [], ownPorts: [] });
    await expect(up.send(request(origin, { trust: 'public' }))).rejects.toMatchObject({ code: 'egress_refused' });
  });

  it('knows no other schemes, credentials in addresses, or unknown services', async () => {
    for (const origin of ['ftp://x', 'http://user:secret@x', 'http://x/path', 'demo:unknown', 'file:///etc/passwd', '']) {
      await expect(http().send(request(origin))).rejects.toMatchObject({
        code: 'egress_refused',
        message: expect.not.stringContaining('secret'),
      });
    }
  });

  it('is not asked about services inside the process', async () => {
    const services = new Map([['demo:echo', async () => ({ status: 200, headers: {}, body: Buffer.from('inside') })]]);
    expect((await http({ services }).send(request('demo:echo'))).body.toString()).toBe('inside');
  });
});

describe('an answer that may never end', () => {
  const taking = (ms: number, most = 1_000_000) => {
    let bytes = 0;
    return { ms, isFull: (chunk: Buffer) => (bytes += chunk.length) >= most };
  };
  const endless = async () => {
    let closed = 0;
    const { origin } = await serve((_, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      const timer = setInterval(() => res.write('data: 1\n\n'), 5);
      res.on('close', () => {
        clearInterval(timer);
        closed += 1;
      });
    });
    return { origin, closed: () => closed };
  };

  it('is taken until it is enough or its time is over, and its connection is let go', async () => {
    const { origin, closed } = await endless();
    const up = http();
    const full = await up.send(request(origin, { taking: () => taking(5000, 20) }));
    expect([full.status, full.partial, full.body.length >= 20]).toEqual([200, 'full', true]);
    const timed = await up.send(request(origin, { taking: () => taking(60) }));
    expect([timed.partial, timed.body.toString().startsWith('data: 1\n\n')]).toEqual(['time', true]);
    const bounded = await up.send(request(origin, { timeoutMs: 80, taking: () => taking(5000) }));
    expect(bounded.partial).toBe('time');
    const large = await up.send(request(origin, { maxBytes: 15, taking: () => taking(5000) }));
    expect([large.partial, large.body.length <= 15]).toEqual(['full', true]);
    await sleep(50);
    expect(closed()).toBe(4);
  });

  it('is as it came when the connection breaks, and whole when it ends by itself', async () => {
    const { origin } = await serve((req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('data: 1\n\n');
      if (req.url === '/broken') setTimeout(() => res.destroy(), 20);
      else res.end('data: 2\n\n');
    });
    const up = http();
    expect(await up.send(request(origin, { path: '/broken', taking: () => taking(5000) }))).toMatchObject({ partial: 'broken' });
    const whole = await up.send(request(origin, { taking: () => taking(5000) }));
    expect([whole.partial, whole.body.toString()]).toEqual([undefined, 'data: 1\n\ndata: 2\n\n']);
  });

  it('fails as before when nobody takes a part of it', async () => {
    const { origin } = await endless();
    await expect(http().send(request(origin, { timeoutMs: 60, taking: () => undefined }))).rejects.toMatchObject({
      code: 'upstream_timeout',
    });
  });
});
