import type { CacheMark } from '../../../../../core/chat.ts';
import { object, optional, text, wrong } from '../../_read.ts';

/** `cache_control` of a block, a tool or the request. Absent and null are alike. */
export function readCache(value: unknown, place: string): { readonly cache?: CacheMark } {
  const control = optional(value, place, object);
  if (!control) return {};
  if (control['type'] !== 'ephemeral') throw wrong(`${place}.type`, 'must be ephemeral.');
  const ttl = optional(control['ttl'], `${place}.ttl`, text);
  if (ttl === undefined) return { cache: {} };
  if (ttl !== '5m' && ttl !== '1h') throw wrong(`${place}.ttl`, 'must be 5m or 1h.');
  return { cache: { ttl } };
}

/** What is remembered while a request is written. */
export interface Draft {
  readonly dropped: Set<string>;
  /** Breakpoints written so far. */
  marks: number;
}

const MOST_MARKS = 4;

/** The field to spread into a block. Only 5 minutes and 1 hour exist, and 4 breakpoints. */
export function cacheControl(cache: CacheMark | undefined, draft: Draft): { readonly cache_control?: object } {
  if (!cache) return {};
  if (draft.marks >= MOST_MARKS) {
    draft.dropped.add('cache (more than 4 breakpoints)');
    return {};
  }
  draft.marks += 1;
  if (cache.ttl === '12h') draft.dropped.add('cache.ttl (12h: 1h)');
  if (cache.ttl === undefined) return { cache_control: { type: 'ephemeral' } };
  return { cache_control: { type: 'ephemeral', ttl: cache.ttl === '5m' ? '5m' : '1h' } };
}
