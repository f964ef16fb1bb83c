import { isExact } from './json-text.ts';

/** Least characters worth giving to one of several parts that do not all fit. */
const LEAST = 16;

/**
 * JSON of `value` in at most about `limit` characters, still valid: arrays keep their first elements with «… N more of M» as the last, objects
 * their first members, long strings lose their middle. Without `notes` nothing says what is left out, so that types stay what they are.
 */
export function cutJson(value: unknown, limit: number, notes = true): string {
  const whole = JSON.stringify(value);
  if (whole.length <= limit) return whole;
  if (Array.isArray(value)) return cutArray(value, limit, notes);
  if (typeof value === 'object' && value !== null && !isExact(value)) return cutObject(Object.entries(value), limit, notes);
  if (typeof value !== 'string') return whole;
  // Escapes make JSON longer than the text, so what is kept shrinks by as much.
  return JSON.stringify(cutText(value, Math.max(LEAST, Math.floor((limit * value.length) / whole.length) - 8)));
}

function cutArray(items: readonly unknown[], limit: number, notes: boolean): string {
  const note = (kept: number): string => JSON.stringify(`… ${items.length - kept} more of ${items.length}`);
  const texts: string[] = [];
  let room = limit - note(0).length - 3;
  for (const item of items) {
    const text = JSON.stringify(item) ?? 'null';
    if (text.length + 1 > room) {
      if (texts.length === 0 && room > LEAST) texts.push(cutJson(item, room, notes));
      break;
    }
    room -= text.length + 1;
    texts.push(text);
  }
  if (notes && texts.length < items.length) texts.push(note(texts.length));
  return `[${texts.join(',')}]`;
}

function cutObject(entries: readonly (readonly [string, unknown])[], limit: number, notes: boolean): string {
  const sizes = entries.map(([key, value]) => JSON.stringify(key).length + 2 + (JSON.stringify(value) ?? '').length);
  const share = shareOf(sizes, limit - 2);
  const texts: string[] = [];
  let room = limit - 40;
  for (const [index, [key, value]] of entries.entries()) {
    if (value === undefined) continue;
    const name = JSON.stringify(key);
    const size = sizes[index] ?? 0;
    const text = size <= share ? JSON.stringify(value) : cutJson(value, Math.max(LEAST, share - name.length - 2), notes);
    room -= name.length + text.length + 2;
    if (room < 0 && texts.length > 0) {
      if (notes) texts.push(`"…":${JSON.stringify(`${entries.length - index} more of ${entries.length}`)}`);
      break;
    }
    texts.push(`${name}:${text}`);
  }
  return `{${texts.join(',')}}`;
}

/** What each part may have so that all fit: small ones keep their size, the rest is shared alike. */
function shareOf(sizes: readonly number[], limit: number): number {
  let room = limit;
  let left = sizes.length;
  for (const size of [...sizes].sort((a, b) => a - b)) {
    if (size > room / left) break;
    room -= size;
    left -= 1;
  }
  return left === 0 ? limit : Math.floor(room / left);
}

/** Of what is kept of a text, the part that is from its beginning. */
const HEAD_SHARE = 0.7;

/** Cuts the middle out of a text. */
export function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const note = ` … ${text.length - limit} characters left out … `;
  const kept = Math.max(0, limit - note.length);
  const head = text.slice(0, Math.ceil(kept * HEAD_SHARE)).toWellFormed();
  const tail = kept - head.length > 0 ? text.slice(head.length - kept).toWellFormed() : '';
  return head + note + tail;
}

/** As `cutText`, to a limit in bytes of UTF-8. */
export function cutBytes(text: string, limit: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= limit) return text;
  const note = ` … ${bytes.length - limit} bytes left out … `;
  const kept = Math.max(0, limit - Buffer.byteLength(note));
  let head = Math.ceil(kept * HEAD_SHARE);
  let tail = bytes.length - (kept - head);
  while (isInside(bytes, head)) head -= 1;
  while (isInside(bytes, tail)) tail += 1;
  return bytes.toString('utf8', 0, head) + note + bytes.toString('utf8', tail);
}

/** No character begins at this byte. */
function isInside(bytes: Buffer, at: number): boolean {
  return ((bytes[at] ?? 0) & 0xc0) === 0x80;
}
