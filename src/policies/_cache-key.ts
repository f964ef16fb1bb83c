import { hash } from 'node:crypto';
import type { CallOf } from '../core/contracts/policy.ts';
import type { Consumer } from '../core/consumer.ts';
import { isObject, type JsonObject } from '../core/json.ts';
import { canonicalJson } from './_cache-canonical.ts';

export type CachedLane = 'models' | 'tools';
export type CachedCall = CallOf<CachedLane>;

/** Whose calls share answers. `group`: those who are in the same groups; a consumer without any shares with nobody. */
export const CACHE_SCOPES = ['consumer', 'group', 'all'] as const;
export type CacheScope = (typeof CACHE_SCOPES)[number];

/** Counted up when an entry, or what is in a key, changes: what an older hub has kept is not found. */
const SHAPE = 1;
/** Headers of callers that go on to vendors or say how an answer is written. */
const HEADERS = { models: ['anthropic-version', 'anthropic-beta', 'openai-beta'], tools: ['mcp-protocol-version'] } as const;

/**
 * Equal for calls that have the same answer: all of the request counts, apart from how it is spelt and whether the answer is streamed. Undefined for
 * a call that is not to be cached, because the vendor acts while it answers, or two readers could read it differently. `body` stands for that of a
 * call of a model.
 */
export function cacheKey(call: CachedCall, scope: CacheScope, body?: JsonObject): string | undefined {
  const asked = call.lane === 'models' ? askedOfModel(body ?? call.input.body) : askedOfTool(call);
  if (asked === undefined) return undefined;
  const { lane, route, operation, consumer, request, input } = call;
  const name = 'model' in input ? input.model : input.name;
  const headers = HEADERS[lane].map((header) => request.headers[header]);
  return hash('sha256', `${JSON.stringify([SHAPE, sharers(consumer, scope), lane, route, operation, name, headers])}${asked}`, 'base64url');
}

function sharers({ name, groups, anonymous }: Consumer, scope: CacheScope): unknown {
  if (scope === 'all') return scope;
  return scope === 'group' && groups.length > 0 ? groups.toSorted() : { name, anonymous };
}

function askedOfModel(body: JsonObject): string | undefined {
  if (acts(body)) return undefined;
  const { stream, stream_options: _, ...asked } = body;
  return canonicalJson(stream === null || typeof stream === 'boolean' ? asked : { ...asked, stream });
}

/** Fields with which a vendor does something beyond its answer, searches, or reads what it keeps and may change. */
const ACTING = ['background', 'container', 'conversation', 'mcp_servers', 'plugins', 'prompt', 'search_parameters', 'web_search_options'];

function acts(body: JsonObject): boolean {
  const { tools } = body;
  if (ACTING.some((field) => body[field] !== undefined && body[field] !== null && body[field] !== false)) return true;
  return Array.isArray(tools) && !tools.every(isCallersOwn);
}

/** A tool that the caller carries out; all others are the vendor's, which runs them while it answers. Anthropic's of the caller may have no type. */
function isCallersOwn(tool: unknown): boolean {
  if (!isObject(tool)) return false;
  const { type } = tool;
  return type === 'function' || type === 'custom' || ((type === undefined || type === null) && isObject(tool['input_schema']));
}

/** `_meta` keys of the protocol, of tracing and of clients that are other ones in every request and mean nothing to a tool. */
const PASSING_META = /^(?:progressToken|traceparent|tracestate|baggage|claudecode\/toolUseId|io\.modelcontextprotocol\/.*)$/;

function askedOfTool({ input }: CallOf<'tools'>): string | undefined {
  const { name: _, arguments: given, _meta: meta, ...more } = input.params;
  // A task, or the answer to a question of the tool: no plain call.
  if (Object.keys(more).length > 0) return undefined;
  const { tool } = input;
  // HTTP services never see it.
  const counted = tool?.operation === undefined && isObject(meta) ? Object.entries(meta).filter(([key]) => !PASSING_META.test(key)) : [];
  return canonicalJson({
    source: tool?.source,
    tool: tool?.sourceName,
    arguments: input.arguments,
    given,
    meta: Object.fromEntries(counted),
  });
}
