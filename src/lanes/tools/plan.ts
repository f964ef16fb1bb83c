import { type JsonObject, isObject } from '../../core/json.ts';
import type { Handled } from '../../core/call.ts';
import type { ConditionContext } from '../../core/conditions.ts';
import { GatewayError } from '../../core/errors.ts';
import type { ToolsReply } from '../../core/tools.ts';
import { checkCall } from '../../access/permit.ts';
import { forward } from '../../pipeline/forward.ts';
import type { LiveCall } from '../../pipeline/live-call.ts';
import type { UpstreamHttp } from '../../upstreams/http.ts';
import type { ViewTool } from './doors/view.ts';
import type { Caller } from './serve/caller.ts';
import { fitResult } from './results/fit-result.ts';
import type { Holder, KeptResults } from './results/kept-results.ts';
import { completeNext } from './results/next-page.ts';
import { converse } from './serve/channel.ts';
import { unknownTool } from './wire-errors.ts';

export interface CallTools {
  readonly http: UpstreamHttp;
  readonly results: KeptResults;
}

/** The first revision with links to resources in results. */
const LINKS_SINCE = '2025-06-18';

/** Carries out a `tools/call` that the policies let through: conditions, overrides, then the source of the tool. */
export function callTool(
  call: LiveCall<'tools'>,
  found: ViewTool | undefined,
  caller: Caller,
  tools: CallTools,
): Promise<Handled<'tools'>> | Handled<'tools'> {
  if (found === undefined) throw unknownTool(call.input.name);
  const args = found.input === undefined ? call.input.arguments : found.input(call.input.arguments);
  if (found.conditions.length > 0) checkConditions(call, found, args, caller);
  if (args !== call.input.arguments) call.input = { ...call.input, arguments: args };
  const { source } = found.entry;
  if (source.mode === 'session') {
    const meta = call.input.params['_meta'];
    const chunks = converse(caller, isObject(meta) ? meta : {}, call.signal, (channel) =>
      source.call(call, found.tool.sourceName, channel),
    );
    return { stream: found.output === undefined ? chunks : selecting(chunks, found.output) };
  }
  return callStateless(call, found, caller, tools);
}

async function callStateless(call: LiveCall<'tools'>, found: ViewTool, caller: Caller, tools: CallTools): Promise<Handled<'tools'>> {
  const { source } = found.entry;
  if (source.mode !== 'stateless') throw new GatewayError('internal');
  let prepared = source.prepare(call, found.tool.sourceName, (uri) =>
    tools.results.whole(uri, holderOf(caller), (tool) => caller.view.tool(tool) !== undefined),
  );
  if (prepared instanceof Promise) prepared = await prepared;
  if ('reply' in prepared) return { reply: prepared.reply };
  const target = { name: found.entry.name, upstream: prepared.request.origin };
  const response = await forward(
    call,
    caller.door.facts.chain,
    { target, request: prepared.request, signers: prepared.signers },
    tools.http.send,
  );
  const reply = prepared.decode(response);
  const selected = found.output === undefined ? reply : found.output(reply);
  // The replies of an extension's source are its own affair.
  return { reply: found.entry.kind === 'service' ? presented(selected, call, found, caller, tools.results) : selected };
}

/** The next page in this door's words, and no more than a result may hold: after selection, so that nobody reads in full what an override cuts out. */
function presented(reply: ToolsReply, call: LiveCall<'tools'>, found: ViewTool, caller: Caller, results: KeptResults): ToolsReply {
  return completeNext(
    fitResult(reply, {
      tool: found.tool.name,
      links: caller.protocolVersion >= LINKS_SINCE,
      keep: (result) => results.keep(result, holderOf(caller)),
    }),
    found,
    call.input.params['arguments'],
  );
}

/** Who may read what this caller got. */
export function holderOf({ exchange, door, session }: Caller): Holder {
  return { consumer: exchange.consumer.name, door: door.facts.name, session: session?.id };
}

async function* selecting<C extends { type: string; result?: ToolsReply }>(
  chunks: AsyncIterable<C>,
  output: (reply: ToolsReply) => ToolsReply,
): AsyncGenerator<C> {
  for await (const chunk of chunks) yield chunk.result === undefined ? chunk : { ...chunk, result: output(chunk.result) };
}

function checkConditions(call: LiveCall<'tools'>, found: ViewTool, args: JsonObject, caller: Caller): void {
  const { exchange, body } = caller;
  const context: ConditionContext = {
    consumer: call.consumer,
    request: {
      headers: exchange.req.headers as Record<string, string>,
      ip: exchange.req.socket.remoteAddress ?? '',
      time: new Date(exchange.startedAt),
    },
    call: { lane: 'tools', route: call.route, operation: call.operation, size: body.length },
    tool: {
      name: found.tool.name,
      source: found.tool.source,
      risk: found.tool.risk,
      tags: found.tool.tags,
      annotations: found.tool.definition.annotations ?? {},
    },
    args,
  };
  const verdict = checkCall(found.conditions, context);
  if (verdict.ok) return;
  throw new GatewayError('rule_refused', `A rule of this server refuses the call of ${found.tool.name} with these arguments.`, {
    rule: verdict.rule,
  });
}
