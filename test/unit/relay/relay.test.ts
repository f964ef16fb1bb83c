/** What the relay makes of each message and each way in which a hub can fail, against a scripted HTTP server. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { RELAY } from './process.ts';

interface Seen {
  method: string;
  headers: IncomingMessage['headers'];
  body: string;
}
interface Message {
  id?: number;
  method?: string;
  params?: { cursor?: string; sse?: boolean };
}
type Script = (seen: Seen & { json: Message }, response: ServerResponse, request: IncomingMessage) => void;

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function hub(script: Script, port = 0) {
  const seen: Seen[] = [];
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const one = { method: request.method ?? '', headers: request.headers, body };
    seen.push(one);
    script({ ...one, json: body === '' ? {} : JSON.parse(body) }, response, request);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const close = () => (server.closeAllConnections(), server.close());
  ends.push(close);
  const { port: bound } = server.address() as AddressInfo;
  return { seen, close, port: bound, url: `http://127.0.0.1:${bound}/mcp/petstore` };
}

class Running {
  child: ChildProcessWithoutNullStreams;
  lines: string[] = [];
  notes = '';

  constructor(url: string, env: Record<string, string> = {}, args: string[] = [RELAY]) {
    this.child = spawn(process.execPath, args, { env: { HUBGATE_URL: url, ...env } });
    ends.push(() => this.child.kill('SIGKILL'));
    let rest = '';
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const pieces = (rest + text).split('\n');
      rest = pieces.pop() ?? '';
      this.lines.push(...pieces);
    });
    this.child.stderr.on('data', (chunk: Buffer) => (this.notes += chunk.toString()));
  }

  say(...messages: (string | object)[]): void {
    for (const message of messages) this.child.stdin.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`);
  }

  async answer(count = 1): Promise<unknown> {
    await vi.waitUntil(() => this.lines.length >= count, { timeout: 5000 });
    return JSON.parse(this.lines[count - 1] ?? '');
  }

  async end(): Promise<number | null> {
    this.child.stdin.end();
    if (this.child.exitCode === null) await once(this.child, 'exit');
    return this.child.exitCode;
  }
}

const META = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} };
const modern = (id: number, method: string, params: object = {}) => ({ jsonrpc: '2.0', id, method, params: { ...params, _meta: META } });
const legacy = (id: number, method: string, params: object = {}) => ({ jsonrpc: '2.0', id, method, params });
const json = (response: ServerResponse, body: object, headers: Record<string, string> = {}, status = 200) =>
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify({ jsonrpc: '2.0', ...body }));
const stream = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' });
const INITIALIZE = legacy(0, 'initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } });
const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' };
const welcome = {
  protocolVersion: '2025-11-25',
  capabilities: { tools: { listChanged: true } },
  serverInfo: { name: 'hub', version: '1' },
};

/** Answers what opens a session; the rest goes to `script`. */
const session =
  (script: Script): Script =>
  (seen, response, request) => {
    if (seen.json.method === 'initialize') json(response, { id: seen.json.id, result: welcome }, { 'mcp-session-id': 's1' });
    else if (String(seen.json.method).startsWith('notifications/')) response.writeHead(202).end();
    else script(seen, response, request);
  };

describe('headers', () => {
  it('are those of MCP 2026-07-28 for a message with its envelope', async () => {
    const schema = {
      properties: { where: { properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } }, n: { 'x-mcp-header': 'N' } },
    };
    const { url, seen } = await hub(({ json: { id, method } }, response) =>
      json(response, { id, result: method === 'tools/list' ? { tools: [{ name: 'grüße', inputSchema: schema }] } : {} }),
    );
    const relay = new Running(url, { HUBGATE_KEY: 'hg_secret' });
    relay.say(modern(1, 'tools/list'));
    await relay.answer();
    relay.say(modern(2, 'tools/call', { name: 'grüße', arguments: { where: { region: ' padded ' }, n: 42 } }));
    await relay.answer(2);
    relay.say(modern(3, 'resources/read', { uri: 'file:///a b' }));
    await relay.answer(3);
    expect(seen[0]?.headers).toMatchObject({
      authorization: 'Bearer hg_secret',
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/list',
    });
    expect(seen[0]?.headers).not.toHaveProperty('mcp-name');
    expect(seen[1]?.headers).toMatchObject({
      'mcp-name': '=?base64?Z3LDvMOfZQ==?=',
      'mcp-param-region': '=?base64?IHBhZGRlZCA=?=',
      'mcp-param-n': '42',
    });
    expect(seen[2]?.headers).toMatchObject({ 'mcp-name': 'file:///a b' });
    expect(relay.notes + relay.lines.join('')).not.toContain('hg_secret');
  });

  it('carry every tool name so that it can be read back', async () => {
    const { url, seen } = await hub(({ json: { id } }, response) => json(response, { id, result: {} }));
    const relay = new Running(url);
    const names = fc.sample(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', ' x', '=?base64?YQ==?=', 'a\nb', '\t')), 60);
    for (const [id, name] of names.entries()) relay.say(modern(id, 'tools/call', { name: name.toWellFormed() }));
    await relay.answer(names.length);
    for (const { headers, body } of seen) {
      const value = String(headers['mcp-name']);
      const [, encoded] = /^=\?base64\?(.*)\?=$/.exec(value) ?? [];
      expect(encoded === undefined ? value : Buffer.from(encoded, 'base64').toString()).toBe(JSON.parse(body).params.name);
    }
  });

  it('are those of the session for MCP 2025-11-25, which ends with DELETE', async () => {
    const { url, seen } = await hub(
      session(({ method, json: { id } }, response) =>
        method === 'POST' ? json(response, { id, result: {} }) : response.writeHead(405).end(),
      ),
    );
    const relay = new Running(url);
    relay.say(INITIALIZE);
    await relay.answer();
    relay.say(INITIALIZED, legacy(1, 'tools/list'));
    await relay.answer(2);
    expect(await relay.end()).toBe(0);
    const calls = seen
      .filter(({ method }) => method !== 'GET')
      .map(({ method, body, headers }) => [
        body === '' ? method : JSON.parse(body).method,
        headers['mcp-session-id'],
        headers['mcp-protocol-version'],
      ]);
    expect(calls).toEqual([
      ['initialize', undefined, undefined],
      ['notifications/initialized', 's1', '2025-11-25'],
      ['tools/list', 's1', '2025-11-25'],
      ['DELETE', 's1', '2025-11-25'],
    ]);
    expect(seen.find(({ method }) => method === 'GET')?.headers).toMatchObject({ accept: 'text/event-stream', 'mcp-session-id': 's1' });
  });

  it('are learnt from the list when a server wants an argument in one', async () => {
    const tool = (name: string) => ({ name, inputSchema: { properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } } });
    const { url, seen } = await hub(({ headers, json: { id, method, params } }, response) => {
      if (method === 'tools/list' && params?.cursor === undefined)
        json(response, { id, result: { tools: [tool('a')], nextCursor: 'more' } });
      else if (method === 'tools/list') json(response, { id, result: { tools: [tool('b')] } });
      else if (headers['mcp-param-region'] === undefined)
        json(response, { id, error: { code: -32020, message: 'Header mismatch' } }, {}, 400);
      else json(response, { id, result: {} });
    });
    const relay = new Running(url);
    relay.say(modern(1, 'tools/call', { name: 'b', arguments: { region: 'eu' } }));
    expect(await relay.answer()).toMatchObject({ id: 1, result: {} });
    expect(seen.map(({ body }) => JSON.parse(body).method)).toEqual(['tools/call', 'tools/list', 'tools/list', 'tools/call']);
    expect(relay.lines).toHaveLength(1);
  });
});

describe('messages', () => {
  it('go through byte for byte, one a line', async () => {
    const { url, seen } = await hub(({ json: { id, params } }, response) => {
      const answer = `{"jsonrpc":"2.0",\r\n "id":${id}, "result":{"big":12345678901234567890,"x":"\u2028"}}`;
      if (params?.sse === true) stream(response).end(`event: message\ndata: ${answer.replace('\r\n ', '\ndata:')}\n\n`);
      else response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
    });
    const relay = new Running(url);
    const line = '{"jsonrpc":"2.0","id":1, "method":"prompts/get","params":{"n":12345678901234567890,"x":"\u2028 ü"}}';
    relay.say('', 'no json', line);
    await relay.answer();
    relay.say({ jsonrpc: '2.0', id: 2, method: 'prompts/get', params: { sse: true } });
    await relay.answer(2);
    expect(seen[0]?.body).toBe(line);
    expect(relay.lines).toEqual([
      '{"jsonrpc":"2.0",  "id":1, "result":{"big":12345678901234567890,"x":"\u2028"}}',
      '{"jsonrpc":"2.0", "id":2, "result":{"big":12345678901234567890,"x":"\u2028"}}',
    ]);
    expect(relay.notes).toContain('no JSON-RPC message');
  });

  it('of a stream come one by one, cut wherever the network cuts them', async () => {
    const { url } = await hub(async ({ json: { id } }, response) => {
      stream(response).write(': hello\n\ndata: {"jsonrpc":"2.0","method":"notifications/message","params":{"data":"ü"}}\n\n');
      await sleep(300);
      for (const byte of Buffer.from(`data: {"jsonrpc":"2.0","id":${id},"result":{"text":"żółć"}}\r\n\r\n`)) {
        response.write(Buffer.from([byte]));
        await sleep(1);
      }
      response.end();
    });
    const relay = new Running(url);
    relay.say(modern(1, 'tools/call', { name: 'a' }));
    expect(await relay.answer(1)).toMatchObject({ params: { data: 'ü' } });
    expect(relay.lines).toHaveLength(1);
    expect(await relay.answer(2)).toMatchObject({ result: { text: 'żółć' } });
  });

  it('keep a notification before the requests that follow it', async () => {
    const order: string[] = [];
    const { url } = await hub(async ({ json: { id, method } }, response) => {
      if (method === 'notifications/roots/list_changed') await sleep(150);
      order.push(String(method));
      if (id === undefined) response.writeHead(202).end();
      else json(response, { id, result: {} });
    });
    const relay = new Running(url);
    relay.say({ jsonrpc: '2.0', method: 'notifications/roots/list_changed' }, legacy(1, 'tools/list'));
    await relay.answer();
    expect(order).toEqual(['notifications/roots/list_changed', 'tools/list']);
  });

  it('of a batch are sent one by one', async () => {
    const { url } = await hub(({ json: { id } }, response) => json(response, { id, result: {} }));
    const relay = new Running(url);
    relay.say([legacy(1, 'ping'), legacy(2, 'ping')]);
    await relay.answer(2);
    expect(relay.lines.map((line) => JSON.parse(line).id).sort()).toEqual([1, 2]);
  });
});

describe('cancelling', () => {
  it('closes the HTTP request of a 2026-07-28 request', async () => {
    const closed = vi.fn();
    const { url, seen } = await hub((_, response) => void stream(response.on('close', closed)).write(':\n\n'));
    const relay = new Running(url);
    relay.say(modern(1, 'tools/call', { name: 'slow' }), modern(2, 'subscriptions/listen', { notifications: {} }));
    await vi.waitFor(() => expect(seen).toHaveLength(2), { timeout: 5000 });
    relay.say({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
    await vi.waitFor(() => expect(closed).toHaveBeenCalledTimes(1));
    relay.say({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2 } });
    await vi.waitFor(() => expect(closed).toHaveBeenCalledTimes(2));
    await sleep(400);
    expect(seen).toHaveLength(2);
    expect(relay.lines).toEqual([]);
  });

  it('is told to the hub in a 2025-11-25 session, and the stream that ends without an answer is no failure', async () => {
    let open: ServerResponse | undefined;
    const { url, seen } = await hub((one, response, request) => {
      if (one.json.method === 'notifications/cancelled') open?.end();
      if (one.json.method === 'tools/call') open = stream(response);
      else session((_, response) => response.writeHead(405).end())(one, response, request);
    });
    const relay = new Running(url);
    relay.say(INITIALIZE);
    await relay.answer();
    relay.say(INITIALIZED, legacy(1, 'tools/call', { name: 'slow' }));
    await vi.waitFor(() => expect(open).toBeDefined());
    relay.say({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
    await vi.waitFor(() => expect(seen.some(({ body }) => body.includes('notifications/cancelled'))).toBe(true));
    expect(await relay.end()).toBe(0);
    expect(relay.lines).toHaveLength(1);
  });
});

describe('a hub that fails', () => {
  it('never gets a call twice, and the client hears why', async () => {
    const { url, seen } = await hub((_, response) => response.destroy());
    const relay = new Running(url);
    relay.say(modern(1, 'tools/call', { name: 'pay' }));
    expect(await relay.answer()).toMatchObject({
      id: 1,
      error: { code: -32000, message: expect.stringMatching(/broke after tools\/call was sent.*may have been done/) },
    });
    expect(seen).toHaveLength(1);
  });

  it('is asked again for what only reads', async () => {
    let times = 0;
    const { url } = await hub(({ json: { id } }, response) => {
      times += 1;
      if (times === 1) response.destroy();
      else if (times === 2) stream(response).write('data: {"jso', () => response.destroy());
      else if (times === 3) response.writeHead(503, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>');
      else json(response, { id, result: { tools: [] } });
    });
    const relay = new Running(url);
    relay.say(modern(1, 'tools/list'));
    expect(await relay.answer()).toMatchObject({ id: 1, result: { tools: [] } });
  });

  it('is waited for when it is away, then named with the way to start it', async () => {
    const { url, close } = await hub(() => undefined);
    close();
    Reflect.set(globalThis, Symbol.for('hubgate.relay.imported'), true);
    const { Relay } = await import(RELAY);
    const [input, output, notes] = [new PassThrough(), new PassThrough(), [] as string[]];
    const relay = new Relay({ url, input, output, log: (note: string) => notes.push(note), patience: 700 });
    void relay.run();
    input.write(`${JSON.stringify(modern(7, 'tools/call', { name: 'a' }))}\n`);
    const began = Date.now();
    const [line] = await once(output, 'data');
    expect(Date.now() - began).toBeGreaterThan(200);
    expect(JSON.parse(String(line))).toEqual({
      jsonrpc: '2.0',
      id: 7,
      error: { code: -32000, message: expect.stringContaining(`The hub is not reachable at ${url}`) },
    });
    expect(String(line)).toContain('hubgate serve');
    expect(notes).toEqual([expect.stringContaining('is away')]);
    input.end();
  });

  it.each([
    [400, '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no"}}', { code: -32600, message: 'no' }],
    [
      403,
      '{"error":{"code":"forbidden","message":"This consumer may not do that."}}',
      { code: -32000, message: 'The hub answered HTTP 403: This consumer may not do that.' },
    ],
    [429, '{"title":"Too many","detail":"Wait."}', { code: -32000, message: 'The hub answered HTTP 429: Wait.' }],
    [404, '', { code: -32000, message: 'The hub answered HTTP 404: Not Found' }],
    [500, 'oops', { code: -32000, message: 'The hub answered HTTP 500: oops' }],
    [200, 'null', { code: -32000, message: 'The hub answered HTTP 200: null' }],
  ])('with HTTP %i %s is answered with an error that has the id', async (status, body, error) => {
    const { url } = await hub((_, response) => response.writeHead(status, { 'content-type': 'application/json' }).end(body));
    const relay = new Running(url);
    relay.say(modern(5, 'tools/call', { name: 'a' }));
    expect(await relay.answer()).toEqual({ jsonrpc: '2.0', id: 5, error });
  });

  it('and cannot be reached by the address says so at once', async () => {
    const { url } = await hub((_, response) => response.end());
    const relay = new Running(url.replace('http:', 'https:'));
    relay.say(modern(1, 'tools/list'));
    expect(await relay.answer()).toMatchObject({ error: { message: expect.stringContaining('did not answer') } });
  });
});

describe('a session', () => {
  it('that the hub has lost is opened again once, and the requests are repeated', async () => {
    let current = 0;
    const { url, seen } = await hub(({ method, headers, json: { id, method: name } }, response) => {
      if (name === 'initialize') return json(response, { id, result: welcome }, { 'mcp-session-id': `s${++current}` });
      if (headers['mcp-session-id'] === 's1' && seen.length > 3) return response.writeHead(404).end();
      if (method === 'GET') return response.writeHead(405).end();
      return id === undefined ? response.writeHead(202).end() : json(response, { id, result: { session: headers['mcp-session-id'] } });
    });
    const relay = new Running(url);
    relay.say(INITIALIZE);
    await relay.answer();
    relay.say(INITIALIZED);
    await vi.waitFor(() => expect(seen).toHaveLength(3), { timeout: 5000 });
    relay.say(legacy(0.5, 'ping'), legacy(2, 'tools/call', { name: 'a' }), legacy(3, 'tools/call', { name: 'b' }));
    await vi.waitFor(() => expect(relay.lines.filter((line) => line.includes('"session":"s2"')).length).toBeGreaterThanOrEqual(2), {
      timeout: 5000,
    });
    expect(seen.filter(({ body }) => body.includes('"initialize"'))).toHaveLength(2);
    expect(relay.lines.filter((line) => line.includes('notifications/tools/list_changed'))).toHaveLength(1);
    expect(relay.lines.join('')).not.toContain('hubgate-relay');
  });

  it('whose new opening is refused too gives the reason', async () => {
    let opened = false;
    const { url } = await hub(({ json: { id, method } }, response) => {
      if (method !== 'initialize' || opened) return response.writeHead(404).end('{"error":{"message":"No such server."}}');
      opened = true;
      return json(response, { id, result: welcome }, { 'mcp-session-id': 's1' });
    });
    const relay = new Running(url);
    relay.say(INITIALIZE);
    await relay.answer();
    relay.say(legacy(1, 'tools/list'));
    expect(await relay.answer(2)).toMatchObject({ id: 1, error: { message: 'The hub answered HTTP 404: No such server.' } });
  });

  it('whose hub ends the stream of a call in order fetches the rest', async () => {
    const { url, seen } = await hub(
      session(({ method, headers }, response) => {
        if (method === 'POST') stream(response).end('id: e1\nretry: 50\ndata:\n\n');
        else if (headers['last-event-id'] === 'e1')
          stream(response).end('id: e2\ndata: {"jsonrpc":"2.0","id":1,"result":{"late":true}}\n\n');
        else response.writeHead(405).end();
      }),
    );
    const relay = new Running(url);
    relay.say(INITIALIZE);
    await relay.answer();
    relay.say(INITIALIZED, legacy(1, 'tools/call', { name: 'slow' }));
    expect(await relay.answer(2)).toMatchObject({ id: 1, result: { late: true } });
    expect(seen.filter(({ body }) => body.includes('tools/call'))).toHaveLength(1);
  });
});

describe('a host', () => {
  it('may import the relay instead of starting node on it, and is not kept waiting', async () => {
    const { url } = await hub(({ json: { id } }, response) => json(response, { id, result: {} }));
    const relay = new Running(url, {}, [
      '--input-type=module',
      '-e',
      `await import(${JSON.stringify(RELAY)}); console.log('{"loaded":true}')`,
    ]);
    expect(await relay.answer()).toEqual({ loaded: true });
    relay.say(modern(1, 'tools/list'));
    expect(await relay.answer(2)).toMatchObject({ id: 1, result: {} });
    expect(await relay.end()).toBe(0);
  });
});

describe('the end', () => {
  it('of stdin waits for answers in flight', async () => {
    const { url } = await hub(async ({ json: { id } }, response) => {
      await sleep(500);
      json(response, { id, result: { late: true } });
    });
    const relay = new Running(url);
    relay.say(modern(1, 'tools/call', { name: 'a' }), modern(2, 'subscriptions/listen'));
    expect(await relay.end()).toBe(0);
    expect(relay.lines.map((line) => JSON.parse(line))).toContainEqual({ jsonrpc: '2.0', id: 1, result: { late: true } });
  });

  it('comes with SIGTERM while a call and streams are open', async () => {
    const { url, seen } = await hub((_, response) => void stream(response).write(':\n\n'));
    const relay = new Running(url);
    relay.say(modern(1, 'tools/call', { name: 'a' }), modern(2, 'subscriptions/listen'));
    await vi.waitFor(() => expect(seen).toHaveLength(2), { timeout: 5000 });
    relay.child.kill('SIGTERM');
    const [code] = await once(relay.child, 'exit');
    expect(code).toBe(0);
    expect(relay.lines).toEqual([]);
  });

  it.each([
    ['', 'HUBGATE_URL is not set'],
    ['ftp://hub', 'not an http or https address'],
    ['nonsense', 'Invalid URL'],
  ])('comes at once with the address "%s"', async (url, reason) => {
    const relay = new Running(url);
    const [code] = await once(relay.child, 'exit');
    expect(code).toBe(1);
    await vi.waitFor(() => expect(relay.notes).toContain(reason));
  });
});
