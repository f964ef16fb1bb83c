import type { CallRequest } from '../core/call.ts';

/** What a caller wants of the cache: `refresh` has the answer made anew and kept, `bypass` neither reads nor keeps. */
export type CacheWish = 'use' | 'refresh' | 'bypass';

/** From `x-hubgate-cache`, and from `cache-control` as HTTP has it (RFC 9111, 5.2.1). Of several wishes the strictest; others are no wish. */
export function cacheWish(headers: CallRequest['headers']): CacheWish {
  const own = headers['x-hubgate-cache'];
  const general = headers['cache-control'];
  if (own === undefined && general === undefined) return 'use';
  const said = `${String(own ?? '')},${String(general ?? '')}`
    .toLowerCase()
    .split(',')
    .map((word) => word.trim());
  if (said.includes('bypass') || said.includes('no-store')) return 'bypass';
  return said.includes('refresh') || said.includes('no-cache') ? 'refresh' : 'use';
}
