import { type JsonObject, isObject } from '../../core/json.ts';
import type { Handled } from '../../core/call.ts';
import { GatewayError, type ErrorCode } from '../../core/errors.ts';
import { retryAfterMs } from '../../core/units/retry-after.ts';
import type { ToolsReply } from '../../core/tools.ts';
import type { UpstreamResponse } from '../../core/upstream.ts';
import { checkCall } from '../../access/permit.ts';
import { attempt } from '../../pipeline/attempts/attempt.ts';
import { conditionContext } from '../../pipeline/condition-context.ts';
import { forward, type Way } from '../../pipeline/forward.ts';
import type { LiveCall } from '../../pipeline/live-call.ts';
import type { UpstreamHttp } from '../../upstreams/http.ts';
import { passingStatus } from '../../upstreams/passing-status.ts';
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
  const args = admitted(call, found);
  if (args !== call.input.arguments) call.input = { ...call.input, arguments: args };
  return found.entry.source.mode === 'session' ? callSession(call, found, caller) : callStateless(call, found, caller, tools);
}

/** The arguments as the source gets them. Throws GatewayError `rule_refused` where the caller may not call with them. */
export function admitted(call: LiveCall<'tools'>, found: ViewTool): JsonObject {
  const args = found.input === undefined ? call.input.arguments : found.input(call.input.arguments);
  if (found.conditions.length > 0) checkConditions(call, found, args);
  return args;
}

/** A conversation cannot be begun again by somebody else: it is tried once. */
const ONCE: Way<'tools'> = { peeks: false, retries: 0 };
const AGAIN: Way<'tools'> = { peeks: false };

function callSession(call: LiveCall<'tools'>, found: ViewTool, caller: Caller): Promise<Handled<'tools'>> {
  const { source, plan } = found.entry;
  if (source.mode !== 'session') throw new GatewayError('internal');
  return forward(call, plan, ONCE, () => {
    charge(call, found);
    const meta = call.input.params['_meta'];
    const chunks = converse(caller, isObject(meta) ? meta : {}, call.signal, (channel) =>
      source.call(call, found.tool.sourceName, channel),
    );
    return { stream: found.output === undefined ? chunks : selecting(chunks, found.output) };
  });
}

async function callStateless(call: LiveCall<'tools'>, found: ViewTool, caller: Caller, tools: CallTools): Promise<Handled<'tools'>> {
  const { source, plan } = found.entry;
  if (source.mode !== 'stateless') throw new GatewayError('internal');
  let prepared = source.prepare(call, found.tool.sourceName, (uri) =>
    tools.results.whole(uri, holderOf(caller), (tool) => caller.view.tool(tool) !== undefined),
  );
  if (prepared instanceof Promise) prepared = await prepared;
  if ('reply' in prepared) return { reply: prepared.reply };
  const { request, signers, retryable, decode } = prepared;
  const { chain } = caller.door.facts;
  const response = await answerOf(
    () =>
      forward(call, plan, mayRepeat(retryable, found) ? AGAIN : ONCE, async ({ target }) => {
        call.target = { ...target, upstream: request.origin };
        charge(call, found);
        const answer = await attempt(call, chain, { request, signers }, tools.http.send);
        const code = passingStatus(answer.status);
        if (code !== undefined) throw new UnwellAnswer(code, answer);
        return { reply: decode(answer) };
      }),
    decode,
  );
  if (!('reply' in response)) return response;
  const { reply } = response;
  const selected = found.output === undefined ? reply : found.output(reply);
  // The replies of an extension's source are its own affair.
  return { reply: found.entry.kind === 'service' ? presented(selected, call, found, caller, tools.results) : selected };
}

/** As the operator says, else as the document does. */
function mayRepeat(retryable: boolean, { tool }: ViewTool): boolean {
  return tool.definition.annotations?.idempotentHint ?? retryable;
}

/** What the operator has set for one call, whether the tool does its work or not. */
function charge(call: LiveCall<'tools'>, { tool }: ViewTool): void {
  if (tool.price !== undefined) call.usage = { cost: tool.price };
}

/** An answer that another try may better. */
class UnwellAnswer extends GatewayError {
  readonly answer: UpstreamResponse;

  constructor(code: ErrorCode, answer: UpstreamResponse) {
    const wait = retryAfterMs(answer.headers['retry-after'], Date.now());
    super(code, undefined, wait === undefined ? {} : { retryAfterMs: wait });
    this.name = 'UnwellAnswer';
    this.answer = answer;
  }
}

/** When nothing helped, the last answer is what the model reads. */
async function answerOf(
  work: () => Promise<Handled<'tools'>>,
  decode: (answer: UpstreamResponse) => ToolsReply,
): Promise<Handled<'tools'>> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UnwellAnswer) return { reply: decode(error.answer) };
    throw error;
  }
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

function checkConditions(call: LiveCall<'tools'>, found: ViewTool, args: JsonObject): void {
  const context = conditionContext(call, {
    tool: {
      name: found.tool.name,
      source: found.tool.source,
      risk: found.tool.risk,
      tags: found.tool.tags,
      annotations: found.tool.definition.annotations ?? {},
    },
    args,
  });
  const verdict = checkCall(found.conditions, context);
  if (verdict.ok) return;
  throw new GatewayError('rule_refused', `A rule of this server refuses the call of ${found.tool.name} with these arguments.`, {
    rule: verdict.rule,
  });
}
