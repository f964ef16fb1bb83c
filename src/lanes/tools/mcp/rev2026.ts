import { type JsonObject, isObject } from '../../../core/json.ts';
import type { IncomingHttpHeaders } from 'node:http';
import type { ToolsReply } from '../../../core/tools.ts';
import { RPC, type RpcError } from '../wire-errors.ts';
import { type Rejection, type RpcMessage, type RpcRequest } from './message.ts';

/** Revision 2026-07-28: stateless, the facts of the protocol travel in `_meta` and in headers of every request. */
export const REVISION = '2026-07-28';

export const META = {
  version: 'io.modelcontextprotocol/protocolVersion',
  capabilities: 'io.modelcontextprotocol/clientCapabilities',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  logLevel: 'io.modelcontextprotocol/logLevel',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
  subscription: 'io.modelcontextprotocol/subscriptionId',
} as const;

/** The methods of the revision; all others are answered 404 with -32601 (basic/transports). */
export const METHODS: ReadonlySet<string> = new Set([
  'server/discover',
  'tools/list',
  'tools/call',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'prompts/list',
  'prompts/get',
  'completion/complete',
  'subscriptions/listen',
]);

const LOG_LEVELS: ReadonlySet<unknown> = new Set(['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency']);

/** Where the value of `Mcp-Name` stands in the body (basic/transports, "Standard request headers"). */
const NAME_SOURCE = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
]);

/** Whether a message belongs to this revision: by its `_meta` envelope, else by the header (basic/versioning). */
export function claims(headers: IncomingHttpHeaders, message: RpcMessage): boolean {
  if (message.kind === 'response') return false;
  if (isModern(headers['mcp-protocol-version'])) return true;
  return message.method === 'initialize' ? isOurs(message) : hasClaim(message);
}

/** Revisions are dates; later ones are refused by name, not taken for older ones. */
function isModern(version: unknown): boolean {
  return typeof version === 'string' && version >= REVISION;
}

/** `initialize` is a handshake of older revisions unless a sound envelope says that it is none. */
function isOurs(message: Exclude<RpcMessage, { kind: 'response' }>): boolean {
  const meta = message.params['_meta'];
  return isObject(meta) && isModern(meta[META.version]) && envelopeFault(meta) === undefined;
}

function hasClaim(message: Exclude<RpcMessage, { kind: 'response' }>): boolean {
  const meta = message.params['_meta'];
  return isObject(meta) && Object.hasOwn(meta, META.version);
}

/** Checks envelope and headers in the order that the revision gives them; undefined when the request may be dispatched. */
export function check(headers: IncomingHttpHeaders, request: RpcRequest): Rejection | undefined {
  const header = headers['mcp-protocol-version'] as string | undefined;
  if (request.method === 'initialize' && !isOurs(request))
    return mismatch(header ?? '', 'initialize belongs to revisions before 2026-07-28');
  const meta = request.params['_meta'];
  const fault = envelopeFault(isObject(meta) ? meta : {});
  if (fault !== undefined) return reject(RPC.invalidParams, `Invalid _meta envelope for protocol revision ${REVISION}: ${fault}`);
  const claimed = (meta as JsonObject)[META.version] as string;
  if (header !== undefined && header !== claimed) return mismatch(header, `the body names protocol version ${claimed}`);
  const method = headers['mcp-method'] as string | undefined;
  if (method !== undefined && method !== request.method) return mismatch(method, `the body names method ${request.method}`);
  if (claimed !== REVISION) {
    return reject(RPC.unsupportedVersion, `Unsupported protocol version: ${claimed}`, { supported: [REVISION], requested: claimed });
  }
  if (header === undefined) return mismatch('(missing)', 'the required MCP-Protocol-Version header is absent');
  if (method === undefined) return mismatch('(missing)', 'the required Mcp-Method header is absent');
  return checkName(headers, request);
}

function checkName(headers: IncomingHttpHeaders, request: RpcRequest): Rejection | undefined {
  const field = NAME_SOURCE.get(request.method);
  const value = field === undefined ? undefined : request.params[field];
  if (typeof value !== 'string') return undefined;
  const header = headers['mcp-name'] as string | undefined;
  if (header === value) return undefined;
  if (header === undefined) return mismatch('(missing)', `the body carries params.${field} but the required Mcp-Name header is absent`);
  const decoded = decodeHeader(header);
  if (decoded === undefined) return mismatch(header, 'the Mcp-Name header carries an invalid base64 value');
  return decoded === value ? undefined : mismatch(header, `the body carries params.${field}=${JSON.stringify(value)}`);
}

function envelopeFault(meta: JsonObject): string | undefined {
  for (const key of [META.version, META.capabilities]) if (!Object.hasOwn(meta, key)) return `${key}: missing`;
  if (typeof meta[META.version] !== 'string') return `${META.version}: expected a string`;
  if (!isObject(meta[META.capabilities])) return `${META.capabilities}: expected an object`;
  const info = meta[META.clientInfo];
  if (info !== undefined && !(isObject(info) && typeof info['name'] === 'string' && typeof info['version'] === 'string')) {
    return `${META.clientInfo}: expected an object with name and version`;
  }
  if (meta[META.logLevel] !== undefined && !LOG_LEVELS.has(meta[META.logLevel])) return `${META.logLevel}: not a log level`;
  const token = meta['progressToken'];
  if (token !== undefined && typeof token !== 'string' && typeof token !== 'number') return 'progressToken: expected a string or number';
  return undefined;
}

/** An argument that the tool's schema mirrors into a header by `x-mcp-header`. */
interface MirroredParameter {
  readonly header: string;
  readonly path: readonly string[];
}

const mirrored = new WeakMap<JsonObject, readonly MirroredParameter[]>();

/** `Mcp-Param-*` headers must say what the arguments say, for every argument present that the schema mirrors (SEP-2243). */
export function checkParameterHeaders(inputSchema: JsonObject, args: JsonObject, headers: IncomingHttpHeaders): Rejection | undefined {
  let parameters = mirrored.get(inputSchema);
  if (parameters === undefined) mirrored.set(inputSchema, (parameters = [...findMirrored(inputSchema, [])]));
  for (const { header, path } of parameters) {
    let value: unknown = args;
    for (const key of path) value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    if (value === undefined || value === null || typeof value === 'object') continue;
    const sent = headers[`mcp-param-${header.toLowerCase()}`] as string | undefined;
    const name = `Mcp-Param-${header}`;
    if (sent === undefined) return mismatch('(missing)', `the arguments carry ${path.join('.')} but the ${name} header is absent`);
    const decoded = decodeHeader(sent);
    if (decoded === undefined) return mismatch(sent, `the ${name} header carries an invalid base64 value`);
    const equal = decoded === String(value) || (typeof value === 'number' && /^-?\d+(\.\d+)?$/.test(decoded) && Number(decoded) === value);
    if (!equal) return mismatch(sent, `the arguments carry ${path.join('.')}=${JSON.stringify(value)}`);
  }
  return undefined;
}

function* findMirrored(schema: JsonObject, path: readonly string[]): Generator<MirroredParameter> {
  if (typeof schema['x-mcp-header'] === 'string' && path.length > 0) yield { header: schema['x-mcp-header'], path };
  const { properties } = schema;
  if (!isObject(properties)) return;
  for (const [key, child] of Object.entries(properties)) if (isObject(child)) yield* findMirrored(child, [...path, key]);
}

const CANONICAL_BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The text of a header value, which is written `=?base64?…?=` where it cannot stand as it is; undefined when that is malformed. */
function decodeHeader(raw: string): string | undefined {
  const value = raw.trim();
  if (!value.startsWith('=?base64?') || !value.endsWith('?=')) return value;
  const encoded = value.slice('=?base64?'.length, -2);
  if (!CANONICAL_BASE64.test(encoded)) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : undefined;
}

function reject(code: number, message: string, data?: unknown): Rejection {
  const error: RpcError = data === undefined ? { code, message } : { code, message, data };
  return { status: code === RPC.methodNotFound ? 404 : 400, error };
}

function mismatch(header: string, body: string): Rejection {
  return reject(RPC.headerMismatch, `Bad Request: the request headers and body disagree: ${body}`, { mismatch: { header, body } });
}

export function methodNotFound(method: string): Rejection {
  return reject(RPC.methodNotFound, `Method not found: ${method}`);
}

/** How long a client may keep a list or resource, and who may share it. What depends on the caller is private. */
export interface Caching {
  readonly ttlMs: number;
  readonly cacheScope: 'public' | 'private';
}

/** The `result` of a message as JSON. `serverInfo` is JSON already, for it is the same in every answer. */
export function encodeResult(reply: ToolsReply, serverInfo: string, caching?: Caching): string {
  const cache = caching === undefined ? '' : `,"ttlMs":${caching.ttlMs},"cacheScope":"${caching.cacheScope}"`;
  if (reply._meta !== undefined || reply['resultType'] !== undefined) {
    const meta = { ...reply._meta, [META.serverInfo]: JSON.parse(serverInfo) as unknown };
    return JSON.stringify({ resultType: 'complete', ...caching, ...reply, _meta: meta });
  }
  const body = JSON.stringify(reply);
  const rest = body === '{}' ? '' : `,${body.slice(1, -1)}`;
  return `{"resultType":"complete"${rest}${cache},"_meta":{"${META.serverInfo}":${serverInfo}}}`;
}
