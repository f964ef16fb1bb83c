import { type JsonObject, isObject } from '../../../core/json.ts';
import type { ToolsReply } from '../../../core/tools.ts';
import { openEventStream } from '../../../http/sse.ts';
import { errorMessage, notificationMessage, resultMessage, type RpcNotification, type RpcRequest } from '../mcp/message.ts';
import { check, checkParameterHeaders, encodeResult, META, methodNotFound, METHODS, REVISION, type Caching } from '../mcp/rev2026.ts';
import { LIST_KEYS, versionOf, type ListKind } from '../doors/view.ts';
import { hasQuery } from '../../../http/narrowing.ts';
import { start, type Operation } from '../operations.ts';
import { RPC } from '../wire-errors.ts';
import type { Caller } from './caller.ts';
import { deliver, sendJson, sendRejection } from './deliver.ts';
import type { Arrival, Serving } from './serving.ts';

/** Lists depend on the caller, so they are private; changes are announced, so a client need not come back before. Milliseconds. */
const LIST_CACHING: Caching = { ttlMs: 5000, cacheScope: 'private' };
/** Contents of resources are the source's business. */
const READ_CACHING: Caching = { ttlMs: 0, cacheScope: 'private' };
const MOST_LISTENERS = 10_000;
const MOST_RESOURCES = 1000;

/** Answers one message of revision 2026-07-28: stateless; a client that closes the connection cancels its request. */
export async function serve2026(arrival: Arrival, message: RpcRequest | RpcNotification, serving: Serving): Promise<void> {
  const { exchange, door } = arrival;
  const { req, res } = exchange;
  if (message.kind === 'notification') {
    res.writeHead(202).end();
    return undefined;
  }
  const rejection = check(req.headers, message) ?? (METHODS.has(message.method) ? undefined : methodNotFound(message.method));
  if (rejection !== undefined) return sendRejection(res, message.id, rejection);
  const caller = callerOf(arrival, message.params);
  if (message.method === 'server/discover') {
    const { instructions } = door.about;
    const found = {
      supportedVersions: [REVISION],
      capabilities: door.capabilities,
      ...(instructions === undefined ? {} : { instructions }),
    };
    return sendJson(res, 200, resultMessage(message.id, encodeResult(found, door.serverInfo, LIST_CACHING)));
  }
  if (message.method === 'subscriptions/listen') return listen(caller, message, serving);
  if (message.method === 'tools/call') {
    const schema = caller.view.tool(String(message.params['name']))?.shown.inputSchema;
    const args = message.params['arguments'];
    const mismatch = schema === undefined || !isObject(args) ? undefined : checkParameterHeaders(schema, args, req.headers);
    if (mismatch !== undefined) return sendRejection(res, message.id, mismatch);
  }
  const started = start(message.method as Operation, message.params, caller, serving);
  res.once('close', () => {
    if (!res.writableFinished) started.call.abort(new Error('the client closed the request'));
  });
  return deliver(exchange, message, started, (method, reply) => encode(method, reply, caller));
}

function callerOf({ exchange, door, body }: Arrival, params: JsonObject): Caller {
  const meta = params['_meta'] as JsonObject;
  const clientInfo = meta[META.clientInfo] as JsonObject | undefined;
  return {
    exchange,
    door,
    view: door.view(exchange.consumer, clientInfo?.['name']),
    session: undefined,
    protocolVersion: REVISION,
    clientCapabilities: meta[META.capabilities] as JsonObject,
    clientInfo,
    canAsk: false,
    body,
  };
}

const encodedLists = new WeakMap<ToolsReply, string>();

/** Pages of lists are the same object in every answer until they change, so their JSON is kept with them. */
function encode(method: string, reply: ToolsReply, { door }: Caller): string {
  if (!Object.hasOwn(LIST_KEYS, method))
    return encodeResult(reply, door.serverInfo, method === 'resources/read' ? READ_CACHING : undefined);
  let json = encodedLists.get(reply);
  if (json === undefined) {
    // While a document is being read the list is about to change.
    const settled = door.facts.entries.every((entry) => entry.source.snapshot.state !== 'loading');
    json = encodeResult(reply, door.serverInfo, settled ? LIST_CACHING : READ_CACHING);
    encodedLists.set(reply, json);
  }
  return json;
}

const FILTERS = new Map<string, ListKind>([
  ['toolsListChanged', 'tools'],
  ['promptsListChanged', 'prompts'],
  ['resourcesListChanged', 'resources'],
]);

/** `subscriptions/listen`: an acknowledgement first, then what was asked for, each stamped with the id of the subscription. */
function listen(caller: Caller, request: RpcRequest, { announcements }: Serving): void {
  const { exchange, door, view } = caller;
  const filter = request.params['notifications'];
  if (!isObject(filter)) {
    const error = { code: RPC.invalidParams, message: "'notifications' is required and must be a subscription filter." };
    return sendJson(exchange.res, 200, errorMessage(request.id, error));
  }
  if (announcements.count >= MOST_LISTENERS) {
    return sendJson(exchange.res, 200, errorMessage(request.id, { code: RPC.internal, message: 'Subscription limit reached.' }));
  }
  const { capabilities } = door;
  const kinds = [...FILTERS].filter(([key, kind]) => filter[key] === true && isObject(capabilities[kind])).map(([, kind]) => kind);
  const subscribable = isObject(capabilities['resources']) && capabilities['resources']['subscribe'] === true;
  const asked = subscribable && Array.isArray(filter['resourceSubscriptions']) ? filter['resourceSubscriptions'].map(String) : [];
  const uris = asked.slice(0, MOST_RESOURCES).filter((uri) => view.resource(uri) !== undefined);
  const honored = {
    ...Object.fromEntries([...FILTERS].filter(([, kind]) => kinds.includes(kind)).map(([key]) => [key, true])),
    ...(uris.length === 0 ? {} : { resourceSubscriptions: uris }),
  };
  const events = openEventStream(exchange.req, exchange.res);
  const stamp = { [META.subscription]: request.id };
  const notify = (method: string, params: JsonObject): void => {
    events.send(notificationMessage(method, { ...params, _meta: stamp }), { event: 'message' });
  };
  notify('notifications/subscriptions/acknowledged', { notifications: honored });
  const end = (): void => {
    events.send(resultMessage(request.id, encodeResult({ _meta: stamp }, door.serverInfo)), { event: 'message' });
    events.end();
  };
  if (kinds.length === 0 && uris.length === 0) return end();
  const remove = announcements.add({
    consumer: exchange.consumer.name,
    door: door.facts.name,
    clientName: caller.clientInfo?.['name'],
    seen: new Map(kinds.map((kind) => [kind, versionOf(view, kind, hasQuery(exchange))])),
    hasQuery: hasQuery(exchange),
    kinds,
    wantsResource: (uri) => uris.includes(uri),
    changed: (kind) => notify(`notifications/${kind}/list_changed`, {}),
    resourceUpdated: (uri) => notify('notifications/resources/updated', { uri }),
    end,
  });
  events.onClose(remove);
}
