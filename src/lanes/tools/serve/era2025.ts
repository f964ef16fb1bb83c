import { type JsonObject, isObject } from '../../../core/json.ts';
import type { ServerResponse } from 'node:http';
import type { ToolDefinition, ToolsReply } from '../../../core/tools.ts';
import type { Exchange } from '../../../http/mount.ts';
import { openEventStream } from '../../../http/sse.ts';
import type { LiveCall } from '../../../pipeline/live-call.ts';
import {
  errorMessage,
  idOf,
  notificationMessage,
  readMessage,
  resultMessage,
  type RpcId,
  type RpcMessage,
  type RpcRequest,
} from '../mcp/message.ts';
import { BATCH_REVISION, encodeResult, negotiate, presentTool, REVISIONS, speaks } from '../mcp/rev2025.ts';
import { plainRoot } from '../profiles/plain-root.ts';
import { LIST_KEYS, versionOf, type ListKind } from '../doors/view.ts';
import { hasQuery } from '../../../http/narrowing.ts';
import { start, type Operation } from '../operations.ts';
import { RPC } from '../wire-errors.ts';
import type { Caller } from './caller.ts';
import { deliver, sendJson, sendRejection, takesEvents } from './deliver.ts';
import type { Arrival, Serving } from './serving.ts';
import type { Session } from './session.ts';

const OPERATIONS: ReadonlySet<string> = new Set<Operation>([
  'tools/list',
  'tools/call',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'prompts/list',
  'prompts/get',
  'completion/complete',
  'logging/setLevel',
]);

/** All of a batch runs at once, and all of its answers are held until the last: one body of 4 MiB could ask for 90,000. */
const MOST_IN_BATCH = 100;

/**
 * Answers one message of a revision before 2026-07-28. A client that closes the connection cancels nothing, `notifications/cancelled` does;
 * without a session, where nothing else could, closing cancels.
 */
export async function serve2025(arrival: Arrival, message: RpcMessage, serving: Serving): Promise<void> {
  const { exchange } = arrival;
  const { res } = exchange;
  if (message.kind === 'request' && message.method === 'initialize') return initialize(arrival, message, serving);
  const session = sessionOf(arrival, serving);
  if (session !== undefined && !(session instanceof Object && 'id' in session)) return sendRejection(res, idOf(message), session);
  if (message.kind !== 'request') {
    take(message, session);
    res.writeHead(202).end();
    return undefined;
  }
  const answer = immediate(message, arrival);
  if (answer !== undefined) return sendJson(res, 200, answer);
  const caller = callerOf(arrival, session);
  const started = start(message.method as Operation, message.params, caller, serving);
  const forget = makeCancellable(started.call, message.id, session, res);
  try {
    await deliver(exchange, message, started, (method, reply) => encode(method, reply, caller));
  } finally {
    forget();
  }
}

function makeCancellable(call: LiveCall<'tools'>, id: RpcId, session: Session | undefined, res: ServerResponse): () => void {
  if (session === undefined) {
    res.once('close', () => {
      if (!res.writableFinished) call.abort(new Error('the client closed the request'));
    });
    return () => {};
  }
  session.calls.set(id, call);
  return () => {
    if (session.calls.get(id) === call) session.calls.delete(id);
  };
}

/** Answers a batch (2025-03-26 only): every request on its own, all answers in one list. */
export async function serveBatch(arrival: Arrival, items: readonly unknown[], serving: Serving): Promise<void> {
  const { res } = arrival.exchange;
  const session = sessionOf(arrival, serving);
  if (session !== undefined && !('id' in session)) return sendRejection(res, null, session);
  if (items.length === 0 || session?.protocolVersion !== BATCH_REVISION) {
    const message = `JSON-RPC batches belong to revision ${BATCH_REVISION}; this session speaks ${session?.protocolVersion ?? 'none'}.`;
    return sendRejection(res, null, { status: 400, error: { code: RPC.invalidRequest, message } });
  }
  if (items.length > MOST_IN_BATCH) {
    return sendRejection(res, null, {
      status: 400,
      error: { code: RPC.invalidRequest, message: `A batch holds up to ${MOST_IN_BATCH} messages; ${items.length} came.` },
    });
  }
  const answers = await Promise.all(items.map((item) => answerOne(arrival, item, session, serving)));
  const written = answers.filter((answer) => answer !== undefined);
  if (written.length === 0) res.writeHead(202).end();
  else sendJson(res, 200, `[${written.join(',')}]`);
}

async function answerOne(arrival: Arrival, item: unknown, session: Session, serving: Serving): Promise<string | undefined> {
  const message = readMessage(item);
  if (message === undefined) return errorMessage(idOf(item), { code: RPC.invalidRequest, message: 'Not a JSON-RPC message.' });
  if (message.kind !== 'request') {
    take(message, session);
    return undefined;
  }
  const answer = immediate(message, arrival);
  if (answer !== undefined) return answer;
  const caller = { ...callerOf(arrival, session), canAsk: false };
  const started = start(message.method as Operation, message.params, caller, serving);
  const forget = makeCancellable(started.call, message.id, session, arrival.exchange.res);
  try {
    const handled = await started.handled;
    if ('reply' in handled) return resultMessage(message.id, encode(message.method, handled.reply, caller));
    for await (const chunk of handled.stream) {
      if (chunk.type === 'result') return resultMessage(message.id, encode(message.method, chunk.result, caller));
    }
    return errorMessage(message.id, { code: RPC.internal, message: 'The tool gave no result.' });
  } catch (error) {
    const wire = started.failure(error);
    return 'result' in wire ? resultMessage(message.id, encode(message.method, wire.result, caller)) : errorMessage(message.id, wire.error);
  } finally {
    forget();
  }
}

function initialize({ exchange, door }: Arrival, request: RpcRequest, { sessions }: Serving): void {
  const { protocolVersion: requested, capabilities, clientInfo } = request.params;
  const protocolVersion = negotiate(requested);
  const session = sessions.create({
    consumer: exchange.consumer.name,
    door: door.facts.name,
    protocolVersion,
    clientCapabilities: isObject(capabilities) ? capabilities : {},
    clientInfo: isObject(clientInfo) ? { name: clientInfo['name'], version: clientInfo['version'] } : undefined,
  });
  const view = door.view(exchange.consumer, session.clientInfo?.['name']);
  for (const kind of KINDS) session.seen.set(kind, versionOf(view, kind, hasQuery(exchange)));
  const { instructions } = door.about;
  const result = {
    protocolVersion,
    capabilities: door.capabilities,
    serverInfo: JSON.parse(door.serverInfo) as JsonObject,
    ...(instructions === undefined ? {} : { instructions }),
  };
  sendJson(exchange.res, 200, resultMessage(request.id, JSON.stringify(result)), { 'mcp-session-id': session.id });
}

/** The session of a request, why there is none, or undefined where the door does without. */
function sessionOf(
  { exchange, door }: Arrival,
  { sessions }: Serving,
): Session | { status: number; error: { code: number; message: string } } | undefined {
  const { req, consumer } = exchange;
  const version = req.headers['mcp-protocol-version'] as string | undefined;
  if (version !== undefined && !speaks(version)) {
    return {
      status: 400,
      error: { code: RPC.server, message: `Unsupported protocol version ${version}. Supported: ${REVISIONS.join(', ')}, 2026-07-28.` },
    };
  }
  const id = req.headers['mcp-session-id'] as string | undefined;
  if (id === undefined) {
    if (door.facts.sessions === 'optional') return undefined;
    return {
      status: 400,
      error: { code: RPC.server, message: 'The Mcp-Session-Id header is required. Send initialize first, or speak 2026-07-28.' },
    };
  }
  return (
    sessions.find(id, consumer.name, door.facts.name) ?? {
      status: 404,
      error: { code: -32001, message: 'Session not found. Send initialize again.' },
    }
  );
}

/** Answers that need no source and no policy. */
function immediate(request: RpcRequest, { door }: Arrival): string | undefined {
  if (request.method === 'ping') return resultMessage(request.id, '{}');
  const lacksLogging = request.method === 'logging/setLevel' && door.capabilities['logging'] === undefined;
  if (OPERATIONS.has(request.method) && !lacksLogging) return undefined;
  return errorMessage(request.id, { code: RPC.methodNotFound, message: `Method not found: ${request.method}` });
}

/** Notifications and answers of the client. */
function take(message: Exclude<RpcMessage, RpcRequest>, session: Session | undefined): void {
  if (message.kind === 'response') session?.questions.get(message.id)?.answer(message);
  else if (message.method === 'notifications/cancelled') {
    const id = message.params['requestId'] as string | number;
    session?.calls.get(id)?.abort(new Error('the client cancelled the request'));
  }
}

function callerOf({ exchange, door, body }: Arrival, session: Session | undefined): Caller {
  return {
    exchange,
    door,
    view: door.view(exchange.consumer, session?.clientInfo?.['name']),
    session,
    protocolVersion: session?.protocolVersion ?? REVISIONS[0],
    clientCapabilities: session?.clientCapabilities ?? {},
    clientInfo: session?.clientInfo,
    canAsk: session !== undefined && takesEvents(exchange),
    body,
  };
}

const encodedLists = new WeakMap<ToolsReply, string>();

function encode(method: string, reply: ToolsReply, { exchange, session, view }: Caller): string {
  if (!Object.hasOwn(LIST_KEYS, method)) return encodeResult(reply);
  const kind = method === 'resources/templates/list' ? 'resources' : (method.split('/')[0] as ListKind);
  session?.seen.set(kind, versionOf(view, kind, hasQuery(exchange)));
  let json = encodedLists.get(reply);
  if (json === undefined) {
    const tools = reply['tools'];
    const present = view.profile === 'default' ? (tool: ToolDefinition) => presentTool(rooted(tool)) : presentTool;
    json = encodeResult(Array.isArray(tools) ? { ...reply, tools: tools.map((tool: ToolDefinition) => present(tool)) } : reply);
    encodedLists.set(reply, json);
  }
  return json;
}

function rooted(tool: ToolDefinition): ToolDefinition {
  const inputSchema = plainRoot(tool.inputSchema);
  return inputSchema === tool.inputSchema ? tool : { ...tool, inputSchema };
}

const KINDS: readonly ListKind[] = ['tools', 'resources', 'prompts'];

/** GET: the stream on which a session hears of changes (2025-11-25 basic/transports, "Listening for messages"). */
export function openSessionStream(arrival: Arrival, serving: Serving): void {
  const { exchange, door } = arrival;
  const session = sessionOf(arrival, serving);
  if (session === undefined || !('id' in session)) {
    const missing = { status: 400, error: { code: RPC.server, message: 'The Mcp-Session-Id header is required.' } };
    return sendRejection(exchange.res, null, session ?? missing);
  }
  // A message goes to one stream only, and the newest is the one that somebody reads (2025-11-25 basic/transports, "Multiple Connections").
  for (const older of session.streams) older.end();
  const events = openEventStream(exchange.req, exchange.res);
  // Adding may end it at once.
  let remove = (): void => {};
  const end = (): void => {
    session.streams.delete(stream);
    remove();
    events.end();
  };
  const stream = { end };
  session.streams.add(stream);
  const notify = (method: string, params?: JsonObject): void => {
    events.send(notificationMessage(method, params), { event: 'message' });
  };
  remove = serving.announcements.add({
    consumer: session.consumer,
    door: door.facts.name,
    clientName: session.clientInfo?.['name'],
    seen: session.seen,
    hasQuery: hasQuery(arrival.exchange),
    kinds: KINDS.filter((kind) => isObject(door.capabilities[kind])),
    wantsResource: (uri) => session.subscriptions.has(uri),
    changed: (kind) => notify(`notifications/${kind}/list_changed`),
    resourceUpdated: (uri) => notify('notifications/resources/updated', { uri }),
    end,
  });
  events.onClose(end);
}

/** DELETE: the client ends its session. */
export async function endSession(arrival: Arrival, serving: Serving): Promise<void> {
  const { res }: Exchange = arrival.exchange;
  const session = sessionOf(arrival, serving);
  if (session === undefined || !('id' in session)) {
    return sendRejection(
      res,
      null,
      session ?? { status: 400, error: { code: RPC.server, message: 'The Mcp-Session-Id header is required.' } },
    );
  }
  await serving.sessions.end(session);
  res.writeHead(204).end();
}
