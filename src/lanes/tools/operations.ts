import { type JsonObject, isObject } from '../../core/json.ts';
import type { Handled } from '../../core/call.ts';
import type { Awaitable } from '../../core/contracts/extension.ts';
import { SourceError, type Channel, type SessionToolSource } from '../../core/contracts/tool-source.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { ToolsChunk, ToolsLane, ToolsReply } from '../../core/tools.ts';
import { HttpCallRequest } from '../../http/http-call-request.ts';
import { LiveCall, type Ledger } from '../../pipeline/live-call.ts';
import { run } from '../../pipeline/run.ts';
import { LIST_KEYS, type ExposedEntry, type ListMethod } from './doors/view.ts';
import { exactArguments } from './mcp/exact-arguments.ts';
import { admitted, callTool, holderOf, type CallTools } from './plan.ts';
import { goneResult, isResultUri } from './results/kept-results.ts';
import { toolReplies, toolSegments } from './segments.ts';
import type { Caller } from './serve/caller.ts';
import { converse } from './serve/channel.ts';
import type { Session } from './serve/session.ts';
import { RPC, toWire, type WireFailure } from './wire-errors.ts';

export type Operation = ToolsLane['operation'];

export interface OperationTools extends CallTools {
  readonly log: Logger;
  readonly ledger: Ledger;
  /** Masks known secrets. */
  redact(text: string): string;
}

/** A call on its way: the object that policies see, for whoever may have to abort it, and its answer. */
export interface Started {
  readonly call: LiveCall<'tools'>;
  readonly handled: Promise<Handled<'tools'>>;
  /** What a failure of it looks like on the wire. */
  failure(error: unknown): WireFailure;
}

const NO_ARGUMENTS: JsonObject = Object.freeze({});

/** Runs one MCP operation through the pipeline, whatever the revision it came in. Lists are calls as well. */
export function start(operation: Operation, params: JsonObject, caller: Caller, tools: OperationTools): Started {
  const { exchange, door } = caller;
  const name = nameOf(operation, params);
  const found = operation === 'tools/call' ? caller.view.tool(name) : undefined;
  const given = params['arguments'];
  const args = isObject(given) ? given : NO_ARGUMENTS;
  const call = new LiveCall<'tools'>({
    id: exchange.id,
    lane: 'tools',
    operation,
    route: door.facts.name,
    consumer: exchange.consumer,
    request: new HttpCallRequest(exchange.req, caller.body.length),
    log: tools.log,
    ledger: tools.ledger,
    codec: toolSegments,
    ...(found?.tool.price === undefined ? undefined : { estimate: ({ tool }) => ({ cost: tool?.price ?? null }) }),
    input: { name, tool: found?.tool, arguments: found?.entry.kind === 'service' ? exactArguments(args, caller.body) : args, params },
  });
  const handle = (): Awaitable<Handled<'tools'>> => {
    if (operation === 'tools/call') {
      if (given !== undefined && !isObject(given) && found !== undefined) return { reply: notAnObject(given) };
      return callTool(call, found, caller, tools);
    }
    if (Object.hasOwn(LIST_KEYS, operation)) return { reply: list(operation as ListMethod, params, caller) };
    const kept =
      operation === 'resources/read'
        ? tools.results.read(name, holderOf(caller), (tool) => caller.view.tool(tool) !== undefined)
        : undefined;
    return kept === undefined ? ask(operation, call, caller) : { reply: kept };
  };
  // What a policy answers, such as a kept result, is for those who may call.
  const admit = found === undefined ? undefined : () => void admitted(call, found);
  const handled = run(call, door.facts.chain, toolReplies, handle, admit);
  return { call, handled, failure: (error) => toWire(operation, error, tools.redact) };
}

function nameOf(operation: Operation, params: JsonObject): string {
  const key = operation.startsWith('resources/') ? 'uri' : 'name';
  const name = params[key];
  if (typeof name === 'string') return name;
  return '';
}

function notAnObject(given: unknown): ToolsReply {
  const kind = Array.isArray(given) ? 'a list' : given === null ? 'null' : `a ${typeof given}`;
  return {
    content: [{ type: 'text', text: `The arguments must be a JSON object by the input schema of the tool; ${kind} came.` }],
    isError: true,
  };
}

function list(method: ListMethod, params: JsonObject, { view }: Caller): ToolsReply {
  const page = view.page(method, params['cursor']);
  if (page === undefined)
    throw new GatewayError('bad_request', 'This cursor is none of the list as it is now. Begin again without a cursor.');
  return page;
}

/** Operations that a session source answers itself. */
function ask(operation: Operation, call: LiveCall<'tools'>, caller: Caller): Handled<'tools'> {
  const { params } = call.input;
  if (operation === 'logging/setLevel') return setLevel(call, caller);
  const whole = operation === 'resources/read' ? caller.view.toolInFull(call.input.name) : undefined;
  if (whole !== undefined) return { reply: whole };
  const found = operation === 'completion/complete' ? findReferenced(params, caller) : findNamed(operation, call.input.name, caller);
  const { source } = found.entry;
  if (source.mode !== 'session') throw new GatewayError('not_found', 'This source answers nothing but tool calls.');
  const stream = talk(source, call, found.sourceName, caller);
  return { stream: caller.session === undefined ? stream : remembering(stream, operation, call.input.name, caller.session) };
}

/** Keeps what the session is subscribed to, once the source has agreed. */
async function* remembering(
  stream: AsyncIterable<ToolsChunk>,
  operation: Operation,
  uri: string,
  session: Session,
): AsyncGenerator<ToolsChunk> {
  for await (const chunk of stream) {
    if (chunk.type === 'result' && operation === 'resources/unsubscribe') session.subscriptions.delete(uri);
    if (chunk.type === 'result' && operation === 'resources/subscribe' && !session.subscribe(uri))
      throw new GatewayError('limit_exceeded', 'This session has as many subscriptions as one may have. End some of them first.');
    yield chunk;
  }
}

function talk(source: SessionToolSource, call: LiveCall<'tools'>, name: string, caller: Caller): AsyncGenerator<ToolsChunk> {
  const meta = call.input.params['_meta'];
  return converse(caller, isObject(meta) ? meta : {}, call.signal, (channel) => source.call(call, name, channel));
}

/** The level is told to every session source behind the door. */
function setLevel(call: LiveCall<'tools'>, caller: Caller): Handled<'tools'> {
  const sources = caller.door.facts.entries.map((entry) => entry.source).filter((source) => source.mode === 'session');
  const work = async (channel: Channel): Promise<ToolsReply> => {
    const asked = sources.filter((source) => source.snapshot.features.logging === true);
    await Promise.all(asked.map((source) => source.call(call, '', channel)));
    return {};
  };
  return { stream: converse(caller, {}, call.signal, work) };
}

function findNamed(operation: Operation, name: string, { view }: Caller): Pick<ExposedEntry, 'entry' | 'sourceName'> {
  if (operation === 'prompts/get') {
    const prompt = view.prompts.get(name);
    if (prompt === undefined) throw new SourceError(RPC.invalidParams, `Unknown prompt: ${name}`, undefined, 'not_found');
    return prompt;
  }
  const resource = view.resource(name);
  if (resource !== undefined) return resource;
  if (isResultUri(name)) throw goneResult(name);
  throw new SourceError(RPC.invalidParams, `Unknown resource: ${name}`, { uri: name }, 'not_found');
}

function findReferenced(params: JsonObject, caller: Caller): Pick<ExposedEntry, 'entry' | 'sourceName'> {
  const reference = isObject(params['ref']) ? params['ref'] : {};
  const { type, name, uri } = reference;
  if (type === 'ref/prompt' && typeof name === 'string') return findNamed('prompts/get', name, caller);
  const template = caller.view.templates.find((one) => one.sourceName === uri);
  if (template !== undefined) return template;
  if (typeof uri === 'string') return findNamed('resources/read', uri, caller);
  throw new SourceError(
    RPC.invalidParams,
    'The ref must name a prompt (ref/prompt) or a resource (ref/resource).',
    undefined,
    'bad_request',
  );
}
