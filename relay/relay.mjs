#!/usr/bin/env node
// @ts-check
/*
 * Hubgate's stdio relay (Apache-2.0): newline-delimited JSON-RPC on stdin and stdout <-> MCP Streamable HTTP at HUBGATE_URL.
 * One file without dependencies, because Claude Desktop runs it out of an .mcpb bundle by its own Node (18 or later);
 * `hubgate stdio` runs the same file. It passes MCP 2025-11-25 (sessions) and 2026-07-28 (stateless), told apart by each message.
 *
 * Messages go through as they came, byte for byte. Only JSON-RPC goes to stdout; notes go to stderr; the key goes nowhere but
 * into the Authorization header.
 */
import http from 'node:http';
import https from 'node:https';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';

/** @typedef {{ jsonrpc?: string, id?: string | number | null, method?: string, params?: any, result?: any, error?: any }} Message */
/** @typedef {{ header: string, path: string[] }} MirroredArgument an argument that is repeated in a header (`x-mcp-header`) */
/** @typedef {{ id?: string, version?: string, initialize: Message, capabilities: any, initialized: boolean, abort: AbortController }} Session */
/**
 * A request on its way. `quiet`: the relay asks for itself and keeps the answer. `session`: the one the last attempt was sent in.
 * @typedef {{ message: Message, raw: string, modern?: string, quiet?: boolean, answer?: Message, cancelled?: boolean, waiting?: boolean,
 *   listed?: boolean, renewed?: boolean, session?: Session, resumeFrom?: string, resumeAfter?: number, abort: AbortController }} Entry
 */
/** @typedef {{ url: string, key?: string, input: NodeJS.ReadableStream, output: NodeJS.WritableStream, log: (note: string) => void, patience?: number }} Options */

const FIRST_WAIT = 250;
const LONGEST_WAIT = 5_000;
/** A request waits this long (ms) for a hub that is away: less than the 30 s after which the first clients give up (the SDK: 60 s). */
const PATIENCE = 25_000;
const CONNECT_TIMEOUT = 10_000;
const GRACE = 5_000;
const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';
const SUBSCRIPTION_KEY = 'io.modelcontextprotocol/subscriptionId';
const AWAY = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
]);
/** What may be sent again when the connection broke after it was sent. A `tools/call` may not: it may have been done. */
const REPEATABLE =
  /^(initialize|ping|server\/discover|.+\/list|resources\/(read|subscribe|unsubscribe)|prompts\/get|completion\/complete|logging\/setLevel|notifications\/.+)$/;
const NAMED = new Set(['tools/call', 'prompts/get', 'resources/read']);

/** The connection failed. `sent`: the hub may have got the request. */
class Broken extends Error {
  /** @param {string} message @param {boolean} sent @param {string} [code] of the socket */
  constructor(message, sent, code) {
    super(message);
    this.sent = sent;
    this.code = code;
  }
}

/** @param {http.IncomingMessage} response @returns {AsyncGenerator<Buffer>} throws Broken */
async function* chunksOf(response) {
  try {
    yield* response;
  } catch (error) {
    throw new Broken(/** @type {Error} */ (error).message, true);
  }
}

/** @param {AsyncIterable<Buffer | string>} stream @returns {AsyncGenerator<string>} lines; only LF ends one, since JSON may hold U+2028 */
async function* linesOf(stream) {
  const decoder = new StringDecoder('utf8');
  let parts = [];
  for await (const chunk of stream) {
    const pieces = (typeof chunk === 'string' ? chunk : decoder.write(chunk)).split('\n');
    for (const [index, piece] of pieces.entries()) {
      parts.push(piece);
      if (index === pieces.length - 1) continue;
      yield parts.join('').replace(/\r$/, '');
      parts = [];
    }
  }
  if (parts.join('') !== '') yield parts.join('');
}

/** @param {http.IncomingMessage} response @returns {AsyncGenerator<{ data: string, id?: string, retry?: number }>} server-sent events */
async function* eventsOf(response) {
  /** @type {{ data: string[], id?: string, retry?: number }} */
  let event = { data: [] };
  for await (const line of linesOf(chunksOf(response))) {
    if (line === '') {
      yield { ...event, data: event.data.join('\n') };
      event = { data: [] };
      continue;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') event.data.push(value);
    else if (field === 'id') event.id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) event.retry = Number(value);
  }
}

/** @param {http.IncomingMessage} response */
async function textOf(response) {
  const chunks = [];
  for await (const chunk of chunksOf(response)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** @param {string} text @returns {any} undefined when it is no JSON */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {any} value */
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A header value as MCP 2026-07-28 wants it: awkward ones as base64 of their UTF-8. @param {string} value */
function headerValue(value) {
  const plain = /^[\t\x20-\x7e]+$/.test(value) && value === value.trim() && !/^=\?base64\?.*\?=$/.test(value);
  return plain ? value : `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`;
}

/** The arguments that a tool wants mirrored into `Mcp-Param-*` headers. @param {any} schema @param {string[]} path @returns {MirroredArgument[]} */
function mirrored(schema, path = []) {
  if (!isObject(schema)) return [];
  const header = schema['x-mcp-header'];
  const own = path.length > 0 && typeof header === 'string' && /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(header) ? [{ header, path }] : [];
  const nested = isObject(schema.properties) ? Object.entries(schema.properties) : [];
  return [...own, ...nested.flatMap(([name, property]) => mirrored(property, [...path, name]))];
}

/** @param {Message} message @param {string} version @param {MirroredArgument[]} mirrors @returns {Record<string, string>} */
function modernHeaders(message, version, mirrors) {
  const method = String(message.method);
  /** @type {Record<string, string>} */
  const headers = { 'mcp-protocol-version': version, 'mcp-method': method };
  const name = message.params?.name ?? message.params?.uri;
  if (NAMED.has(method) && typeof name === 'string') headers['mcp-name'] = headerValue(name);
  for (const { header, path } of mirrors) {
    let value = message.params?.arguments;
    for (const step of path) value = isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
    if (['string', 'boolean'].includes(typeof value) || (typeof value === 'number' && (Number.isSafeInteger(value) || value % 1 !== 0)))
      headers[`mcp-param-${header.toLowerCase()}`] = headerValue(String(value));
  }
  return headers;
}

/**
 * One HTTP request on a connection of its own: a pooled one may have died with the hub, and then nobody knows whether a call was received.
 * @param {URL} url @param {'GET' | 'POST' | 'DELETE'} method @param {Record<string, string>} headers @param {string | undefined} body
 * @param {AbortSignal} signal @returns {Promise<http.IncomingMessage>} rejects with Broken
 */
function send(url, method, headers, body, signal) {
  return new Promise((resolve, reject) => {
    const secure = url.protocol === 'https:';
    const request = (secure ? https : http).request(url, { method, headers, agent: false, signal }, resolve);
    let connected = false;
    const late = () => request.destroy(Object.assign(new Error(`no connection within ${CONNECT_TIMEOUT / 1000} s`), { code: 'ETIMEDOUT' }));
    const timer = setTimeout(late, CONNECT_TIMEOUT);
    request.on('socket', (socket) => {
      socket.setKeepAlive(true, 30_000);
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        connected = true;
        clearTimeout(timer);
      });
    });
    request.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
      clearTimeout(timer);
      reject(new Broken(error.message || String(error.code), connected, error.code));
    });
    request.end(body);
  });
}

/** Waits that grow from FIRST_WAIT to LONGEST_WAIT, and start again after a stream that lived. */
function backoff() {
  let wait = FIRST_WAIT;
  return (/** @type {number} */ lived) => {
    const now = lived > LONGEST_WAIT ? FIRST_WAIT : wait;
    wait = Math.min(now * 2, LONGEST_WAIT);
    return now;
  };
}

export class Relay {
  /** @type {Options} */ #options;
  /** @type {URL} */ #url;
  /** @type {Map<string | number, Entry>} */ #entries = new Map();
  /** @type {Set<Promise<void>>} requests that the end of stdin waits for */ #pending = new Set();
  /** @type {Map<string, MirroredArgument[]>} by tool */ #mirrors = new Map();
  /** @type {Session | undefined} of MCP 2025-11-25 */ #session;
  /** @type {Promise<void> | undefined} */ #renewing;
  /** @type {Promise<void>} what has to reach the hub before anything later does */ #order = Promise.resolve();
  #stop = new AbortController();
  #away = false;
  #ownIds = 0;
  #said = '';

  /** @param {Options} options `url` is the MCP endpoint @throws {TypeError} when it is no http or https URL */
  constructor(options) {
    this.#options = options;
    this.#url = new URL(options.url);
    if (!/^https?:$/.test(this.#url.protocol)) throw new TypeError(`${options.url} is not an http or https address`);
    if (this.#url.pathname === '/') this.#url.pathname = '/mcp';
    options.output.on('error', () => void this.stop(0));
  }

  /** Reads until the input ends, then waits up to 5 s for answers in flight. */
  async run() {
    for await (const line of linesOf(/** @type {any} */ (this.#options.input))) {
      if (line.trim() === '') continue;
      const parsed = parse(line);
      if (Array.isArray(parsed)) for (const message of parsed) this.#accept(message, JSON.stringify(message));
      else this.#accept(parsed, line);
    }
    await this.stop(GRACE);
  }

  /** Ends: waits up to `grace` ms for answers in flight, closes every stream and the session. @param {number} grace */
  async stop(grace) {
    if (this.#stop.signal.aborted) return;
    await Promise.race([Promise.allSettled([this.#order, ...this.#pending]), sleep(grace, undefined, { ref: false })]);
    this.#stop.abort();
    for (const entry of this.#entries.values()) entry.abort.abort();
    const session = this.#session;
    session?.abort.abort();
    if (session?.id === undefined) return;
    await this.#send('DELETE', this.#sessionHeaders(session), undefined, AbortSignal.timeout(1_000)).then(
      (response) => response.resume(),
      () => undefined,
    );
  }

  /** @param {Message | undefined} message @param {string} raw */
  #accept(message, raw) {
    if (message === undefined || !isObject(message)) return this.#note('a line on stdin is no JSON-RPC message, left out');
    if (message.method === undefined || message.id === undefined) return this.#forward(message, raw);
    const entry = this.#entry(message, raw);
    const id = /** @type {string | number} */ (message.id);
    this.#entries.set(id, entry);
    const done = this.#order.then(() => this.#request(entry)).finally(() => this.#entries.get(id) === entry && this.#entries.delete(id));
    if (message.method === 'subscriptions/listen') return;
    this.#pending.add(done);
    void done.finally(() => this.#pending.delete(done));
  }

  /** A notification, or the client's answer to a request of the hub. Later messages wait until the hub has it. @param {Message} message @param {string} raw */
  #forward(message, raw) {
    if (message.method === 'notifications/cancelled') {
      const entry = this.#entries.get(message.params?.requestId);
      if (entry !== undefined) entry.cancelled = true;
      if (entry?.modern !== undefined || entry?.waiting) entry.abort.abort();
      if (entry?.modern !== undefined || this.#session === undefined) return;
    }
    const entry = { ...this.#entry(message, raw), abort: this.#stop };
    this.#order = this.#deliver(entry, this.#order);
  }

  /** @param {Entry} entry @param {Promise<void>} earlier never rejects, nor does what is returned */
  async #deliver(entry, earlier) {
    await earlier;
    const { method } = entry.message;
    try {
      const response = await this.#patiently(entry, () => this.#post(entry));
      response.resume();
      if (Number(response.statusCode) >= 400) this.#note(`${method ?? 'an answer'}: HTTP ${response.statusCode}`);
      if (method !== 'notifications/initialized' || this.#session === undefined || this.#session.initialized) return;
      this.#session.initialized = true;
      void this.#hear(this.#session);
    } catch (error) {
      this.#note(`${method ?? 'an answer'}: ${/** @type {Error} */ (error).message}`);
    }
  }

  /** @param {Message} message @param {string} raw @returns {Entry} */
  #entry(message, raw) {
    const version = message.params?._meta?.[VERSION_KEY];
    return { message, raw, ...(typeof version === 'string' && { modern: version }), abort: new AbortController() };
  }

  /** @param {Entry} entry */
  async #request(entry) {
    try {
      if (entry.message.method === 'subscriptions/listen') await this.#subscribe(entry);
      else await this.#patiently(entry, () => this.#attempt(entry));
    } catch (error) {
      if (entry.cancelled || entry.abort.signal.aborted) return;
      const { message } = /** @type {Error} */ (error);
      this.#write(JSON.stringify({ jsonrpc: '2.0', id: entry.message.id, error: { code: -32000, message } }));
    }
  }

  /** Tries again while the hub is away and it is safe. @template T @param {Entry} entry @param {() => Promise<T>} attempt @returns {Promise<T>} */
  async #patiently(entry, attempt) {
    const deadline = Date.now() + (this.#options.patience ?? PATIENCE);
    const next = backoff();
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof Broken) || entry.abort.signal.aborted || entry.cancelled) throw error;
        const wait = next(0);
        const failure = this.#failure(error, entry, Date.now() + wait > deadline);
        if (failure !== undefined) throw new Error(failure, { cause: error });
        if (!this.#away) this.#note(`the hub at ${this.#where} is away (${error.message}), trying again`);
        this.#away = true;
        entry.waiting = true;
        await sleep(wait, undefined, { signal: entry.abort.signal });
        entry.waiting = false;
      }
    }
  }

  /** Why there is no point in trying again, if so. @param {Broken} error @param {Entry} entry @param {boolean} late */
  #failure({ message, code, sent }, entry, late) {
    const { method } = entry.message;
    if (code !== undefined && !AWAY.has(code)) return `The hub at ${this.#where} did not answer: ${message}`;
    if (sent && method !== undefined && !REPEATABLE.test(method)) {
      return `The connection to the hub broke after ${method} was sent. It was not sent again because it may have been done.`;
    }
    return late
      ? `The hub is not reachable at ${this.#where} (${message}). Start it with "hubgate serve", or correct HUBGATE_URL.`
      : undefined;
  }

  /** @param {Entry} entry */
  #post(entry) {
    const { message } = entry;
    if (entry.modern !== undefined) {
      const mirrors = message.method === 'tools/call' ? (this.#mirrors.get(message.params?.name) ?? []) : [];
      return this.#send('POST', modernHeaders(message, entry.modern, mirrors), entry.raw, entry.abort.signal);
    }
    if (message.method === 'initialize') return this.#send('POST', {}, entry.raw, entry.abort.signal);
    if (this.#session !== undefined) entry.session = this.#session;
    return this.#send('POST', this.#sessionHeaders(entry.session), entry.raw, entry.abort.signal);
  }

  /** One try: sends the request and passes on everything up to its answer. @param {Entry} entry @returns {Promise<void>} */
  async #attempt(entry) {
    entry.resumeFrom = undefined;
    const response = await this.#post(entry);
    const status = Number(response.statusCode);
    if (status === 404 && entry.session?.id !== undefined && !entry.renewed) {
      response.resume();
      entry.renewed = true;
      await this.#renew(entry.session);
      return this.#attempt(entry);
    }
    if (status === 401) {
      response.resume();
      const what = this.#options.key ? 'The hub refused the key' : 'The hub wants a key';
      const refusal = `${what} (HTTP 401). Set HUBGATE_KEY in the settings of this client; "hubgate keys create CONSUMER" makes a key.`;
      // Clients that probe for a revision drop the error's text.
      this.#note(refusal);
      throw new Error(refusal);
    }
    if (status === 200 && isStream(response)) return this.#stream(entry, response);
    const text = await textOf(response);
    const answer = parse(text);
    if (isObject(answer) && (answer.error !== undefined || answer.result !== undefined) && answer.jsonrpc === '2.0') {
      if (answer.error?.code === -32020 && entry.message.method === 'tools/call' && !entry.listed) {
        entry.listed = true;
        await this.#listTools(entry);
        return this.#attempt(entry);
      }
      const raw = answer.id === entry.message.id ? text : JSON.stringify({ ...answer, id: entry.message.id });
      return this.#answer(entry, answer, raw, response);
    }
    const reason = answer?.error?.message ?? answer?.detail ?? answer?.title ?? text.slice(0, 300);
    const refusal = `The hub answered HTTP ${status}: ${reason || http.STATUS_CODES[status]}`;
    if (status >= 502 && status <= 504 && REPEATABLE.test(String(entry.message.method))) throw new Broken(refusal, true);
    throw new Error(refusal);
  }

  /** Passes a stream on up to the answer. @param {Entry} entry @param {http.IncomingMessage} response @returns {Promise<void>} */
  async #stream(entry, response) {
    for await (const { data, id, retry } of eventsOf(response)) {
      if (id !== undefined) entry.resumeFrom = id;
      if (retry !== undefined) entry.resumeAfter = retry;
      const message = data === '' ? undefined : parse(data);
      if (message === undefined) continue;
      if (message.id === entry.message.id && message.method === undefined) return this.#answer(entry, message, data, response);
      this.#write(data);
    }
    if (entry.modern !== undefined || entry.cancelled || entry.resumeFrom === undefined) throw new Broken('the stream ended early', true);
    // MCP 2025-11-25: a hub that ends the stream of a call in order has kept the rest for a GET with the last event's id.
    await sleep(Math.min(entry.resumeAfter ?? FIRST_WAIT, LONGEST_WAIT), undefined, { signal: entry.abort.signal });
    const headers = { ...this.#sessionHeaders(entry.session), 'last-event-id': entry.resumeFrom };
    const rest = await this.#send('GET', headers, undefined, entry.abort.signal).catch(() => undefined);
    if (rest?.statusCode === 200) return this.#stream(entry, rest);
    rest?.resume();
    throw new Broken('the stream ended early', true);
  }

  /** @param {Entry} entry @param {Message} answer @param {string} raw @param {http.IncomingMessage} response */
  #answer(entry, answer, raw, response) {
    const { message } = entry;
    if (message.method === 'initialize' && answer.result !== undefined) {
      this.#session?.abort.abort();
      const id = response.headers['mcp-session-id'];
      const { protocolVersion: version, capabilities } = answer.result;
      const session = { version, initialize: message, capabilities, initialized: false, abort: new AbortController() };
      this.#session = typeof id === 'string' ? { ...session, id } : session;
    }
    if (message.method === 'tools/list' && entry.modern !== undefined) {
      for (const tool of Array.isArray(answer.result?.tools) ? answer.result.tools : []) {
        this.#mirrors.set(String(tool?.name), mirrored(tool?.inputSchema));
      }
    }
    entry.answer = answer;
    if (!entry.quiet) this.#write(raw);
  }

  /** Asks the hub on the relay's own behalf. @param {Message} message @param {Entry} [on] whose life the request shares @returns {Promise<Message>} */
  async #ask(message, on) {
    const own = { ...message, jsonrpc: '2.0', id: `hubgate-relay-${++this.#ownIds}` };
    const entry = { ...this.#entry(own, JSON.stringify(own)), quiet: true, renewed: true, abort: on?.abort ?? this.#stop };
    await this.#patiently(entry, () => this.#attempt(entry));
    return entry.answer ?? own;
  }

  /** Reads the list of tools, to learn which arguments go into headers. @param {Entry} entry the call that was refused for want of them */
  async #listTools(entry) {
    let cursor;
    do {
      const params = { _meta: entry.message.params?._meta, ...(cursor !== undefined && { cursor }) };
      const { result } = await this.#ask({ method: 'tools/list', params }, entry);
      cursor = result?.nextCursor === cursor ? undefined : result?.nextCursor;
    } while (typeof cursor === 'string');
  }

  /** The hub does not know the session any more: opens a new one as the client opened the old one. @param {Session} lost */
  async #renew(lost) {
    if (this.#session !== lost) return;
    this.#renewing ??= (async () => {
      const { error } = await this.#ask(lost.initialize);
      if (error !== undefined) throw new Error(`The hub has lost the session and refuses a new one: ${error.message}`);
      const session = /** @type {Session} */ (/** @type {unknown} */ (this.#session));
      if (!lost.initialized) return;
      const raw = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });
      (await this.#send('POST', this.#sessionHeaders(session), raw, session.abort.signal)).resume();
      session.initialized = true;
      this.#note('the hub had lost the session, a new one is open');
      this.#announce(lost.capabilities);
      void this.#hear(session);
    })().finally(() => (this.#renewing = undefined));
    return this.#renewing;
  }

  /** Lists may have changed while the hub was away. @param {any} capabilities of the server */
  #announce(capabilities) {
    for (const kind of ['tools', 'prompts', 'resources']) {
      if (capabilities?.[kind]?.listChanged) this.#write(JSON.stringify({ jsonrpc: '2.0', method: `notifications/${kind}/list_changed` }));
    }
  }

  /** The session's GET stream (MCP 2025-11-25): what the hub sends by itself. Opened again as often as it ends. @param {Session} session */
  async #hear(session) {
    const { signal } = session.abort;
    const next = backoff();
    let lost = false;
    /** @type {string | undefined} */
    let last;
    while (!signal.aborted) {
      const began = Date.now();
      try {
        const headers = { ...this.#sessionHeaders(session), ...(last !== undefined && { 'last-event-id': last }) };
        const response = await this.#send('GET', headers, undefined, signal);
        const status = Number(response.statusCode);
        if (status !== 200 || !isStream(response)) response.resume();
        if (status === 404 && session.id !== undefined) return await this.#renew(session);
        if (status < 500 && status !== 429 && (status !== 200 || !isStream(response))) return;
        if (lost && status === 200) this.#announce(session.capabilities);
        lost = status !== 200;
        for await (const { data, id } of eventsOf(response)) {
          if (id !== undefined) last = id;
          if (data !== '' && parse(data) !== undefined) this.#write(data);
        }
      } catch (error) {
        if (!(error instanceof Broken) && !signal.aborted) this.#note(/** @type {Error} */ (error).message);
        lost = true;
      }
      await sleep(next(Date.now() - began), undefined, { signal }).catch(() => undefined);
    }
  }

  /** `subscriptions/listen` (MCP 2026-07-28): open until the client cancels it, over every restart of the hub. @param {Entry} entry */
  async #subscribe(entry) {
    const { signal } = entry.abort;
    const next = backoff();
    let acknowledged = false;
    while (!signal.aborted) {
      const began = Date.now();
      try {
        const response = await this.#post(entry);
        if (response.statusCode !== 200 || !isStream(response)) {
          if (Number(response.statusCode) < 500) return await this.#refusedSubscription(entry, response);
          response.resume();
        } else {
          for await (const { data } of eventsOf(response)) {
            const message = data === '' ? undefined : parse(data);
            if (message === undefined) continue;
            if (message.id === entry.message.id && message.error !== undefined) return this.#write(data);
            // The hub ends it in order when it shuts down; the client would not ask again, so the relay does.
            if (message.id === entry.message.id) break;
            const again = message.method === 'notifications/subscriptions/acknowledged' && acknowledged;
            if (message.method === 'notifications/subscriptions/acknowledged') acknowledged = true;
            if (again) this.#announceTo(entry, message.params?.notifications);
            else this.#write(data);
          }
        }
      } catch (error) {
        if (!(error instanceof Broken) || (error.code !== undefined && !AWAY.has(error.code))) throw error;
      }
      await sleep(next(Date.now() - began), undefined, { signal });
    }
  }

  /** @param {Entry} entry @param {http.IncomingMessage} response */
  async #refusedSubscription(entry, response) {
    const text = await textOf(response);
    const answer = parse(text);
    if (isObject(answer?.error) && answer.jsonrpc === '2.0') return this.#write(JSON.stringify({ ...answer, id: entry.message.id }));
    throw new Error(`The hub answered HTTP ${response.statusCode} to subscriptions/listen`);
  }

  /** @param {Entry} entry a subscription that was opened again @param {any} filter what the hub said it will send */
  #announceTo(entry, filter) {
    for (const kind of ['tools', 'prompts', 'resources']) {
      if (!filter?.[`${kind}ListChanged`]) continue;
      const params = { _meta: { [SUBSCRIPTION_KEY]: entry.message.id } };
      this.#write(JSON.stringify({ jsonrpc: '2.0', method: `notifications/${kind}/list_changed`, params }));
    }
  }

  /** @param {'GET' | 'POST' | 'DELETE'} method @param {Record<string, string>} headers @param {string | undefined} body @param {AbortSignal} signal */
  async #send(method, headers, body, signal) {
    const accept = method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream';
    const { key } = this.#options;
    const auth = key ? { authorization: `Bearer ${key}` } : undefined;
    const type = body === undefined ? undefined : { 'content-type': 'application/json' };
    const response = await send(this.#url, method, { accept, 'user-agent': 'hubgate-relay', ...auth, ...type, ...headers }, body, signal);
    if (this.#away) this.#note(`the hub at ${this.#where} is back`);
    this.#away = false;
    return response;
  }

  /** @param {Session | undefined} session @returns {Record<string, string>} */
  #sessionHeaders(session) {
    return {
      ...(session?.id !== undefined && { 'mcp-session-id': session.id }),
      ...(session?.version !== undefined && { 'mcp-protocol-version': session.version }),
    };
  }

  /** A note, unless it is what was said last. @param {string} text */
  #note(text) {
    if (text !== this.#said) this.#options.log(text);
    this.#said = text;
  }

  get #where() {
    return this.#url.origin + this.#url.pathname;
  }

  /** Line breaks in JSON stand between tokens only, so a blank does for each. @param {string} json */
  #write(json) {
    if (!this.#stop.signal.aborted) this.#options.output.write(`${json.replaceAll(/[\r\n]+/g, ' ')}\n`);
  }
}

/** @param {http.IncomingMessage} response */
function isStream(response) {
  return /^text\/event-stream\b/i.test(response.headers['content-type'] ?? '');
}

/** Runs the relay on this process's stdin and stdout and ends the process. @param {{ url?: string, key?: string }} settings */
export async function relayStdio({ url, key }) {
  const log = (/** @type {string} */ note) => void process.stderr.write(`hubgate relay: ${note}\n`);
  // A host leaves "${user_config.…}" as it stands when the person left the field empty.
  const given = (/** @type {string | undefined} */ value) => (value?.startsWith('${') ? '' : (value ?? '').trim());
  try {
    if (given(url) === '')
      throw new TypeError('HUBGATE_URL is not set; it holds the address of the hub, such as http://127.0.0.1:8700/mcp');
    const relay = new Relay({ url: given(url), key: given(key), input: process.stdin, output: process.stdout, log });
    const ended = new Promise((resolve) => {
      for (const name of ['SIGTERM', 'SIGINT']) process.once(name, () => void relay.stop(0).then(resolve, resolve));
    });
    await Promise.race([relay.run(), ended]);
    process.stdout.write('', () => process.exit(0));
  } catch (error) {
    log(/** @type {Error} */ (error).message);
    process.exit(1);
  }
}

// Claude Desktop's host imports this file instead of starting node on it, so there is no argv to compare with: it runs unless told
// not to, and does not keep the import waiting.
if (!Reflect.has(globalThis, Symbol.for('hubgate.relay.imported'))) {
  void relayStdio({ url: process.env.HUBGATE_URL, key: process.env.HUBGATE_KEY });
}
