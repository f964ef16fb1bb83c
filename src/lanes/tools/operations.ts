import { type JsonObject, isObject } from '../../core/json.ts';
import type { CallEvent, Handled } from '../../core/call.ts';
import type { Awaitable } from '../../core/contracts/extension.ts';
import { SourceError, type Channel, type SessionToolSource } from '../../core/contracts/tool-source.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { ToolsChunk, ToolsLane, ToolsReply } from '../../core/tools.ts';
import { HttpCallRequest } from '../../http/http-call-request.ts';
import { LiveCall, type Ledger } from '../../pipeline/live-call.ts';
import { run } from '../../pipeline/run.ts';
import { fewTools, LIST_KEYS, type ExposedEntry, type ListMethod, type View, type ViewTool } from './doors/view.ts';
import { exactArguments } from './mcp/exact-arguments.ts';
import { admitted, callTool, holderOf, type CallTools } from './plan.ts';
import { goneResult, isResultUri } from './results/kept-results.ts';
import { answerSearch, isLoading, noSuchTool, unknownArguments, type Searching } from './search/answer-search.ts';
import { askedTool, type AskedTool } from './search/asked-tool.ts';
import { tokensOfAll, tokensOfFew } from './search/definition-tokens.ts';
import { readNarrowing, type Narrowing } from '../../http/narrowing.ts';
import { toolReplies, toolSegments } from './segments.ts';
import type { Caller } from './serve/caller.ts';
import { converse } from './serve/channel.ts';
import type { Session } from './serve/session.ts';
import { RPC, toWire, type WireFailure } from './wire-errors.ts';

export type Operation = ToolsLane['operation'];

export interface OperationTools extends CallTools {
  readonly log: Logger;
  readonly ledger: Ledger;
  readonly searching: Searching;
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
export function start(operation: Operation, sent: JsonObject, caller: Caller, tools: OperationTools): Started {
  const { exchange, door } = caller;
  const asked = operation === 'tools/call' ? askedTool(sent, caller.view) : undefined;
  const { name, found, params } = asked ?? { name: nameOf(operation, sent), found: undefined, params: sent };
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
    input: {
      name,
      tool: found?.tool,
      arguments: found?.entry.kind === 'service' ? exactArguments(args, caller.body, asked?.inside) : args,
      params,
    },
  });
  const handle = (): Awaitable<Handled<'tools'>> => {
    if (asked !== undefined) return answerCall(call, asked, caller, tools);
    if (Object.hasOwn(LIST_KEYS, operation)) return list(operation as ListMethod, call, caller, tools);
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

function answerCall(call: LiveCall<'tools'>, { name, found, search, params, unknown }: AskedTool, caller: Caller, tools: OperationTools) {
  const given = params['arguments'];
  const isThere = search !== undefined || found !== undefined;
  if (isThere && given !== undefined && !isObject(given)) return { reply: notAnObject(given) };
  if (search !== undefined && unknown.length > 0) return { reply: unknownArguments(search, unknown) };
  if (search !== undefined && search !== 'call_tool') {
    return answerSearch(search, call, caller, tools.searching).then((reply) => ({ reply }));
  }
  if (search !== undefined && found === undefined) return { reply: noSuchTool(name, isLoading(caller.door)) };
  return callTool(call, found, caller, tools);
}

function notAnObject(given: unknown): ToolsReply {
  const kind = Array.isArray(given) ? 'a list' : given === null ? 'null' : `a ${typeof given}`;
  return {
    content: [{ type: 'text', text: `The arguments must be a JSON object by the input schema of the tool; ${kind} came.` }],
    isError: true,
  };
}

function list(method: ListMethod, call: LiveCall<'tools'>, { exchange, view }: Caller, tools: OperationTools): Awaitable<Handled<'tools'>> {
  const { cursor } = call.input.params;
  const narrowing = method === 'tools/list' ? readNarrowing(exchange) : undefined;
  if (method === 'tools/list' && narrowing === undefined && view.searchTools.size > 0) noteListed(call, view);
  if (narrowing === undefined) return { reply: known(view.page(method, cursor)) };
  return narrowed(call, view, narrowing, tools.searching).then((found) => ({ reply: known(fewTools(found, cursor)) }));
}

async function narrowed(call: LiveCall<'tools'>, view: View, { query, top }: Narrowing, { finder }: Searching): Promise<ViewTool[]> {
  const { tools, model } = await finder.find(view, query, top ?? view.search.top, { model: view.search.model, signal: call.signal });
  const offered = tokensOfFew(tools.map(({ tool }) => tool.shown));
  call.note('searched', `${tools.length} of ${view.tools.size} tools by ${model ?? 'words alone'}`, figures(view, offered));
  return tools.map(({ tool }) => tool);
}

/** What the list is short of, in tokens. */
function noteListed(call: LiveCall<'tools'>, view: View): void {
  call.note('searched', `search in place of ${view.tools.size} tools`, figures(view, tokensOfFew(view.listed)));
}

function figures(view: View, offered: number): CallEvent['figures'] {
  const full = tokensOfAll(view);
  return full === undefined ? undefined : { full, offered };
}

function known(page: ToolsReply | undefined): ToolsReply {
  if (page !== undefined) return page;
  throw new GatewayError('bad_request', 'This cursor is none of the list as it is now. Begin again without a cursor.');
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
