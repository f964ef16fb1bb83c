import type { CacheMark } from '../../../../core/chat.ts';
import type { JsonObject } from '../../../../core/json.ts';

/** A mark as an element of its own. Bedrock keeps for five minutes, or for an hour. */
export function cachePoint({ ttl }: CacheMark, dropped: Set<string>): JsonObject {
  if (ttl === '12h') dropped.add('cache.ttl (1h at most)');
  return { cachePoint: { type: 'default', ...(ttl === undefined || ttl === '5m' ? {} : { ttl: '1h' }) } };
}

/** A cache point keeps what stands before it: where nothing does, it is an error. */
export function afterSomething(block: JsonObject, at: number, all: readonly JsonObject[]): boolean {
  if (!('cachePoint' in block)) return true;
  const before = all[at - 1];
  return before !== undefined && !('cachePoint' in before);
}
