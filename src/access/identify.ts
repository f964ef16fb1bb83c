import type { Consumer } from '../core/consumer.ts';
import { ANONYMOUS } from '../core/consumer.ts';
import type { ConsumerDirectory } from './consumers.ts';

const PLACES = ['authorization', 'x-api-key', 'api-key'];
const LENGTHS = new Set(PLACES.map((name) => name.length));

/**
 * Who calls: by `Authorization: Bearer KEY`, `x-api-key` or `api-key`, and by nothing else in the request. Undefined when nobody is known by
 * it; then too when one of these headers comes twice or two of them hold different keys. In open mode everybody is anonymous, whatever they send.
 */
export function identify(request: { readonly rawHeaders: readonly string[] }, directory: ConsumerDirectory): Consumer | undefined {
  if (directory.open) return ANONYMOUS;
  const key = findKey(request.rawHeaders, directory.byHeader);
  return key === undefined ? undefined : directory.find(key);
}

/** Reads the headers as they came: node drops a second Authorization without a word. */
function findKey(raw: readonly string[], byHeader: Map<string, string>): string | undefined {
  let seen = 0;
  let found: string | undefined;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const written = raw[at]!;
    if (!LENGTHS.has(written.length)) continue;
    const name = written.toLowerCase();
    const place = PLACES.indexOf(name);
    if (place < 0) continue;
    if (seen & (1 << place)) return undefined;
    seen |= 1 << place;
    const key = name === 'authorization' ? bearerKey(raw[at + 1]!, byHeader) : decode(raw[at + 1]!.trim());
    if (key === undefined || key === '') continue;
    if (found !== undefined && found !== key) return undefined;
    found = key;
  }
  return found;
}

const MOST_RECENT = 1_000;
/** Characters of a header that is kept: callers who are not known yet may send what they like. */
const LONGEST_KEPT = 256;

/** Reading a header costs five times as much as finding it among those that came lately. Whose key it is, is asked each time. */
function bearerKey(value: string, recent: Map<string, string>): string | undefined {
  const known = recent.get(value);
  if (known !== undefined) return known;
  const found = bearer(value);
  if (found === undefined) return undefined;
  const key = decode(found);
  if (value.length > LONGEST_KEPT) return key;
  if (recent.size >= MOST_RECENT) recent.clear();
  recent.set(value, key);
  return key;
}

function bearer(value: string): string | undefined {
  return /^bearer +(.*)$/i.exec(value)?.[1]?.trim();
}

/** Node reads headers as Latin-1; a key outside ASCII was sent as UTF-8. */
function decode(key: string): string {
  return /^[\x20-\x7e]*$/.test(key) ? key : Buffer.from(key, 'latin1').toString();
}
