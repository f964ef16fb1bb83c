import type { Chunk, Reply } from '../core/call.ts';
import { compileGlob } from '../core/conditions.ts';
import type { Awaitable } from '../core/contracts/extension.ts';
import { definePolicy, type PolicyHooks } from '../core/contracts/policy.ts';
import type { State } from '../core/contracts/state.ts';
import { parseDuration } from '../core/units/duration.ts';
import { GatewayError } from '../core/errors.ts';
import { parseSize } from '../core/units/size.ts';
import { readEntry, writeEntry } from './_cache-entry.ts';
import { Flights } from './_cache-flights.ts';
import { CACHE_SCOPES, cacheKey, type CachedCall, type CachedLane, type CacheScope } from './_cache-key.ts';
import { cacheWish } from './_cache-wish.ts';

export interface CacheOptions {
  readonly ttl?: string;
  readonly scope?: CacheScope;
  readonly tools?: boolean | readonly string[];
  readonly maxSize?: string;
}

/** Answers a call with what an equal one got before, and calls that are equal at the same time with what the first of them gets. */
export default definePolicy<CacheOptions, CachedLane>({
  name: 'cache',
  stage: 'cache',
  lanes: ['models', 'tools'],
  options: {
    type: 'object',
    additionalProperties: false,
    properties: {
      ttl: { type: 'string', description: 'How long an answer is kept, such as 30s, 5m, 1h; at most 24d. Default: 5m.' },
      scope: {
        enum: [...CACHE_SCOPES],
        description:
          'Whose calls share answers: those of one consumer, of consumers who are in the same groups, or all. A consumer in no group shares with nobody under group. Default: consumer.',
      },
      tools: {
        type: ['boolean', 'array'],
        items: { type: 'string', minLength: 1 },
        description:
          'Results of tools that are annotated as read-only are kept too: of all of them, or of those whose names match one of these globs. Default: false.',
      },
      maxSize: { type: 'string', description: 'Larger answers are not kept, such as 64KB. Default: 1MB.' },
    },
  },
  create: (options, host) => cacheHooks(settingsOf(options), host.state),
});

interface Settings {
  readonly ttlMs: number;
  readonly scope: CacheScope;
  /** Whether results of the tool of this name are kept. */
  readonly takes: (tool: string) => boolean;
  readonly maxBytes: number;
}

function settingsOf({ ttl = '5m', scope = 'consumer', tools = false, maxSize = '1MB' }: CacheOptions): Settings {
  const ttlMs = parseDuration(ttl);
  if (ttlMs === undefined) throw new GatewayError('bad_request', `ttl: "${ttl}" is no time. Write 30s, 5m or 1h; at most 24d.`);
  const maxBytes = parseSize(maxSize);
  if (maxBytes === undefined) throw new GatewayError('bad_request', `maxSize: "${maxSize}" is no size. Write 64KB or 1MB.`);
  const globs = typeof tools === 'boolean' ? [] : tools.map(compileGlob);
  return { ttlMs, scope, maxBytes, takes: typeof tools === 'boolean' ? () => tools : (name) => globs.some((glob) => glob(name)) };
}

function cacheHooks({ ttlMs, scope, takes, maxBytes }: Settings, state: State): PolicyHooks<CachedLane> {
  const flights = new Flights();
  /** Of calls on their way that the cache has to do with. */
  const keys = new WeakMap<CachedCall, string>();

  const lead = (call: CachedCall, how: 'miss' | 'refresh'): undefined => {
    call.note('cached', how);
    // Two readers may read the bytes of a body differently: what others get must answer what the hub has read. A new body is written from that.
    if (scope !== 'consumer' && call.lane === 'models') call.input = { ...call.input, body: { ...call.input.body } };
  };

  const follow = (call: CachedCall, key: string): Awaitable<Reply<CachedLane> | undefined> => {
    const answer = flights.join(key, call);
    if (answer === undefined) return lead(call, 'miss');
    return answer.then((reply) => {
      if (reply === undefined) return lead(call, 'miss');
      call.note('cached', 'joined');
      return reply;
    });
  };

  const answer = (call: CachedCall, key: string, text: string | undefined): Awaitable<Reply<CachedLane> | undefined> => {
    const reply = text === undefined ? undefined : readEntry(call, text);
    if (reply !== undefined) {
      call.note('cached', 'hit');
      return reply;
    }
    // One that was late, and ended meanwhile, would lead for ever.
    return keys.has(call) ? follow(call, key) : undefined;
  };

  const keep = (call: CachedCall, key: string, reply: Reply<CachedLane>): void => {
    const text = writeEntry(call, reply);
    if (text === undefined) return flights.scatter(key, call);
    if (Buffer.byteLength(text) <= maxBytes) state.set(key, text, ttlMs);
    flights.land(key, reply);
  };

  return {
    onCall(call) {
      if (!isConcerned(call, takes)) return undefined;
      const wish = cacheWish(call.request.headers);
      const key = wish === 'bypass' ? undefined : cacheKey(call, scope);
      if (key === undefined) return call.note('cached', 'bypass');
      keys.set(call, key);
      if (wish === 'refresh') return lead(call, 'refresh');
      if (flights.has(key)) return follow(call, key);
      const text = state.get(key);
      return text instanceof Promise ? text.then((late) => answer(call, key, late)) : answer(call, key, text);
    },
    onReply(call, reply) {
      const key = keys.get(call);
      if (key !== undefined) keep(call, key, reply);
    },
    onStream(call, chunks) {
      const key = keys.get(call);
      return key === undefined ? chunks : watched(chunks, (reply) => keep(call, key, reply));
    },
    onEnd(call) {
      const key = keys.get(call);
      if (key === undefined) return;
      keys.delete(call);
      flights.leave(key, call);
    },
  };
}

function isConcerned(call: CachedCall, takes: Settings['takes']): boolean {
  if (call.lane === 'models') return call.operation !== 'models';
  const { tool } = call.input;
  return call.operation === 'tools/call' && tool?.definition.annotations?.readOnlyHint === true && takes(tool.name);
}

/** Passes the chunks on as they come, and gives `keep` the reply that they complete. The answer to a tool that has asked its caller is nobody else's. */
async function* watched(
  chunks: AsyncIterable<Chunk<CachedLane>>,
  keep: (reply: Reply<CachedLane>) => void,
): AsyncGenerator<Chunk<CachedLane>> {
  let asked = false;
  for await (const chunk of chunks) {
    if ('type' in chunk && chunk.type === 'request') asked = true;
    const reply = 'type' in chunk ? (chunk.type === 'result' ? chunk.result : undefined) : chunk.reply;
    if (reply !== undefined && !asked) keep(reply);
    yield chunk;
  }
}
