import type { JsonObject } from '../../../../core/json.ts';
import { createAddressFilter } from '../../cards/address-filter.ts';
import { readAddress } from './address.ts';

/** Takes out of what an agent says what callers must not see: its addresses, and secrets. */
export interface Mask {
  /** Undefined where nothing can be left of the text. */
  text(text: string): string | undefined;
  /** Texts of which nothing can be left are not there. */
  details(details: readonly JsonObject[]): readonly JsonObject[];
}

const ADDRESS = '[agent]';
/** Where agent cards stand says nothing about one of them. */
const WELL_KNOWN = /\/\.well-known\/[\w.-]+$/;
/** A host of one word that no sentence has, `weather-svc`: it says where the agent is by itself, which `agent` does not. */
const MADE_UP = /^(?=.*[-_\d])[^.:]+$/;

/**
 * Masks hosts in whatever spelling, the paths that the agent is called by, and what `redact` knows.
 *
 * @param urls the agent's own; `host:port` where gRPC has no more
 */
export function createMask(urls: readonly string[], redact: (text: string) => string): Mask {
  const outside = urls.filter((url) => !url.startsWith('demo:'));
  const clean = createAddressFilter({ base: ADDRESS, interfaces: outside, internal: [] });
  const paths = outside
    .map((url) => readAddress(url)?.path.replace(WELL_KNOWN, '').replace(/\/+$/, '') ?? '')
    .filter((path) => path.length > 1);
  const names = outside.map((url) => URL.parse(url)?.hostname ?? '').filter((host) => MADE_UP.test(host));
  const known = [...new Set([...paths, ...names])].sort((one, other) => other.length - one.length);
  const pattern = new RegExp(`(?<![\\w%-])(?:${known.map((one) => RegExp.escape(one)).join('|')})(?![\\w-])`, 'gi');
  const edit = (text: string): string => (known.length === 0 ? redact(text) : redact(text).replace(pattern, ADDRESS));
  return {
    text: (text) => {
      const cleaned = clean(text) as string | undefined;
      return cleaned === undefined ? undefined : edit(cleaned);
    },
    details: (details) => mapTexts(clean(details), edit) as JsonObject[],
  };
}

function mapTexts(value: unknown, edit: (text: string) => string): unknown {
  if (typeof value === 'string') return edit(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, edit));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [edit(key), mapTexts(item, edit)]));
}
