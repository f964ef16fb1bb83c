import { GatewayError } from '../core/errors.ts';
import { parseDuration } from '../core/units/duration.ts';
import { parseSize } from '../core/units/size.ts';
import { CACHE_SCOPES, type CacheScope } from './_cache-key.ts';

/** What every policy that keeps answers can be told. */
export interface KeepingOptions {
  readonly ttl?: string;
  readonly scope?: CacheScope;
  readonly maxSize?: string;
}

export interface KeepingSettings {
  readonly ttlMs: number;
  readonly scope: CacheScope;
  readonly maxBytes: number;
}

/** The JSON Schema of each of `KeepingOptions`. */
export const KEEPING_OPTIONS = {
  ttl: { type: 'string', description: 'How long an answer is kept, such as 30s, 5m, 1h; at most 24d. Default: 5m.' },
  scope: {
    enum: [...CACHE_SCOPES],
    description:
      'Whose calls share answers: those of one consumer, of consumers who are in the same groups, or all. A consumer in no group shares with nobody under group. Default: consumer.',
  },
  maxSize: { type: 'string', description: 'Larger answers are not kept, such as 64KB. Default: 1MB.' },
} as const;

export function readKeeping({ ttl = '5m', scope = 'consumer', maxSize = '1MB' }: KeepingOptions): KeepingSettings {
  const ttlMs = parseDuration(ttl);
  if (ttlMs === undefined) throw new GatewayError('bad_request', `ttl: "${ttl}" is no time. Write 30s, 5m or 1h; at most 24d.`);
  const maxBytes = parseSize(maxSize);
  if (maxBytes === undefined) throw new GatewayError('bad_request', `maxSize: "${maxSize}" is no size. Write 64KB or 1MB.`);
  return { ttlMs, scope, maxBytes };
}
