import type { JsonObject } from '../../src/core/json.ts';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

type Headers = Readonly<Record<string, string>>;

/** How SDK v2 finds the revision: 2025-11-25 only, what the server prefers, or exactly one. */
export type Negotiation = 'legacy' | 'auto' | { readonly pin: string };

export const SDK_MODES: readonly Negotiation[] = ['legacy', 'auto', { pin: '2026-07-28' }];

const CLIENT_INFO = { name: 'hubgate-test', version: '1.0.0' };
export const ACCEPT = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const NAME_FIELD = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
]);

/** A connected client of the official SDK; `close` it. */
export async function connectSdk(url: string, mode: Negotiation, headers: Headers = {}, capabilities: JsonObject = {}): Promise<Client> {
  const client = new Client(CLIENT_INFO, { versionNegotiation: { mode }, capabilities });
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  return client;
}

/** The bare answer to one POST, with the JSON-RPC messages of its body: one of a JSON answer, all of an event stream. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Response['headers'];
  readonly text: string;
  readonly messages: readonly JsonObject[];
  /** `result` of the last message. */
  readonly result: JsonObject | undefined;
  /** `error` of the last message. */
  readonly error: { readonly code: number; readonly message: string; readonly data?: unknown } | undefined;
}

/** Posts a body, JSON or text as it is. */
export async function post(url: string, body: unknown, headers: Headers = {}): Promise<RawAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...ACCEPT, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  const messages = readMessages(response.headers.get('content-type') ?? '', text);
  const last = messages.at(-1);
  return {
    status: response.status,
    headers: response.headers,
    text,
    messages,
    result: last?.result as RawAnswer['result'],
    error: last?.error as RawAnswer['error'],
  };
}

interface ModernOptions {
  readonly headers?: Headers;
  readonly meta?: JsonObject;
  readonly id?: number | string;
}

/** One request of 2026-07-28, complete with envelope and mirrored headers; `headers` and `meta` override them. */
export function modernRequest(
  method: string,
  params: JsonObject,
  { headers = {}, meta = {}, id = 1 }: ModernOptions,
): { headers: Headers; body: object } {
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': CLIENT_INFO,
  };
  const named = params[NAME_FIELD.get(method) ?? ''];
  const mirrored = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...(typeof named === 'string' && { 'mcp-name': named }) };
  return {
    headers: { ...mirrored, ...headers },
    body: { jsonrpc: '2.0', id, method, params: { ...params, _meta: { ...envelope, ...meta } } },
  };
}

/** Sends one request of 2026-07-28. */
export function postModern(url: string, method: string, params: JsonObject = {}, options: ModernOptions = {}): Promise<RawAnswer> {
  const { headers, body } = modernRequest(method, params, options);
  return post(url, body, headers);
}

export interface LegacySession {
  readonly id: string;
  /** The result of `initialize`. */
  readonly initialized: JsonObject;
  /** What every request of the session carries. */
  readonly headers: Headers;
  request(method: string, params?: JsonObject): Promise<RawAnswer>;
  notify(method: string, params?: JsonObject): Promise<RawAnswer>;
  /** Ends the session with DELETE; gives the status. */
  end(): Promise<number>;
}

/** Initializes a session of 2025-11-25, or of the older revision asked for. */
export async function openLegacySession(
  url: string,
  {
    headers = {},
    capabilities = {},
    revision = '2025-11-25',
    clientInfo = CLIENT_INFO,
  }: { headers?: Headers; capabilities?: JsonObject; revision?: string; clientInfo?: JsonObject } = {},
): Promise<LegacySession> {
  const params = { protocolVersion: revision, capabilities, clientInfo };
  const answer = await post(url, { jsonrpc: '2.0', id: 0, method: 'initialize', params }, headers);
  const id = answer.headers.get('mcp-session-id');
  if (answer.status !== 200 || !answer.result || id === null) throw new Error(`initialize answered ${answer.status}: ${answer.text}`);
  const carried = { ...headers, 'mcp-session-id': id, 'mcp-protocol-version': String(answer.result.protocolVersion) };
  let count = 0;
  const session: LegacySession = {
    id,
    initialized: answer.result,
    headers: carried,
    request: (method, given) => post(url, { jsonrpc: '2.0', id: ++count, method, ...(given && { params: given }) }, carried),
    notify: (method, given) => post(url, { jsonrpc: '2.0', method, ...(given && { params: given }) }, carried),
    end: async () => (await fetch(url, { method: 'DELETE', headers: carried })).status,
  };
  await session.notify('notifications/initialized');
  return session;
}

function readMessages(contentType: string, text: string): JsonObject[] {
  if (contentType.startsWith('application/json')) return [JSON.parse(text)].flat() as JsonObject[];
  if (!contentType.startsWith('text/event-stream')) return [];
  return text
    .split(/\r?\n\r?\n/)
    .map((event) =>
      event
        .split(/\r?\n/)
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5))
        .join('\n'),
    )
    .filter((data) => data.trim() !== '')
    .map((data) => JSON.parse(data) as JsonObject);
}
