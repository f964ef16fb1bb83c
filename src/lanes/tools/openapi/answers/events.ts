import type { Taking, UpstreamResponse } from '../../../../core/upstream.ts';
import { minified } from '../wire/json-text.ts';

/** How answers of many records are written: server-sent events, JSON lines, or JSON text sequences (RFC 7464). */
export type RecordFormat = 'events' | 'lines' | 'sequence';

export interface StreamLimits {
  readonly ms: number;
  readonly events: number;
  readonly bytes: number;
}

/**
 * Clients give a call 60 s as a rule, so 20 s leave time for a slow start. A thousand events, or 2 MB, are several times what a model reads of
 * one result; what does not fit is kept for reading in pages.
 */
const LIMITS: StreamLimits = { ms: 20_000, events: 1000, bytes: 2_000_000 };

const LINES =
  /^application\/(x-)?(ndjson|jsonl|jsonlines|json-lines|ldjson|stream\+json|json-stream)$|^text\/(x-)?(ndjson|jsonl|jsonlines)$/;

/** By the media type alone, in lower case and without parameters. */
export function recordFormat(type: string): RecordFormat | undefined {
  if (type === 'text/event-stream') return 'events';
  if (type === 'application/json-seq') return 'sequence';
  return LINES.test(type) ? 'lines' : undefined;
}

/** Says of an answer whether it is a stream that may never end, and how much of it to take. One with a length ends. */
export function takingFrom(limits: StreamLimits = LIMITS): (headers: UpstreamResponse['headers']) => Taking | undefined {
  return (headers) => {
    const type = headers['content-type'];
    if (typeof type !== 'string' || headers['content-length'] !== undefined) return undefined;
    const format = recordFormat((type.split(';', 1)[0] ?? '').trim().toLowerCase());
    if (format === undefined) return undefined;
    const count = counterOf(format);
    let bytes = 0;
    return {
      ms: limits.ms,
      isFull(chunk) {
        bytes += chunk.length;
        return count(chunk) >= limits.events || bytes >= limits.bytes;
      },
    };
  };
}

/** Counts the records that are complete, over pieces of whatever size. Comments, which keep a connection alive, are none. */
function counterOf(format: RecordFormat): (chunk: Buffer) => number {
  let count = 0;
  let lineLength = 0;
  let isComment = false;
  let hasContent = false;
  return (chunk) => {
    for (const byte of chunk) {
      if (format === 'sequence') count += byte === 0x1e ? 1 : 0;
      else if (byte === 0x0a) {
        const isBlank = lineLength === 0;
        if (!isBlank && !isComment) hasContent = true;
        if (hasContent && (format === 'lines' || isBlank)) {
          count += 1;
          hasContent = false;
        }
        lineLength = 0;
        isComment = false;
      } else if (byte !== 0x0d) {
        if (lineLength === 0) isComment = format === 'events' && byte === 0x3a;
        lineLength += 1;
      }
    }
    return count;
  };
}

/** The records of an answer, each as JSON text. */
export interface ReadRecords {
  readonly records: readonly string[];
  /** Why the list may not be all of it; absent when the answer ended by itself. */
  readonly note?: string;
}

/** What was collected of a stream. A record that was cut off is left out; one that is not JSON is a string. */
export function readRecords(text: string, format: RecordFormat, partial: UpstreamResponse['partial'], limits = LIMITS): ReadRecords {
  const all = format === 'events' ? readEvents(text, partial !== undefined) : readLines(text, format, partial !== undefined);
  const records = partial === undefined ? all : all.slice(0, limits.events);
  return partial === undefined ? { records } : { records, note: noteFor(partial, records.length, limits) };
}

function noteFor(partial: NonNullable<UpstreamResponse['partial']>, count: number, { ms }: StreamLimits): string {
  const those = count === 1 ? 'the 1 record' : `the ${count} records`;
  if (partial === 'full') return `These are the first ${count} records of a stream that may go on.`;
  if (partial === 'broken') return `The stream broke off; ${those} that came until then ${count === 1 ? 'is' : 'are'} above.`;
  return `The stream was still open after ${ms / 1000} s or the timeout of the service; ${those} that came until then ${count === 1 ? 'is' : 'are'} above.`;
}

function readLines(text: string, format: RecordFormat, isPartial: boolean): string[] {
  const parts = text.split(format === 'sequence' ? '\u001e' : /\r\n|\n|\r/);
  if (isPartial) parts.pop();
  return parts.map((part) => part.trim()).filter((part) => part !== '').map(asJson); // prettier-ignore
}

/** HTML Living Standard, "Interpreting an event stream". An event without its blank line counts when the answer ended there. */
function readEvents(text: string, isPartial: boolean): string[] {
  const records: string[] = [];
  let data: string[] = [];
  let type = '';
  let id: string | undefined;
  const dispatch = (): void => {
    if (data.length > 0) {
      const said = asJson(data.join('\n'));
      const named = type === '' ? '' : `"event":${JSON.stringify(type)},`;
      records.push(`{${named}${id === undefined ? '' : `"id":${JSON.stringify(id)},`}"data":${said}}`);
    }
    data = [];
    type = '';
    id = undefined;
  };
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (line === '') {
      dispatch();
      continue;
    }
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
    if (field === 'data') data.push(value);
    else if (field === 'event') type = value;
    else if (field === 'id') id = value;
  }
  if (!isPartial) dispatch();
  return records;
}

/** The text itself when it is JSON, so that numbers keep their digits. */
function asJson(text: string): string {
  try {
    JSON.parse(text);
    return minified(text);
  } catch {
    return JSON.stringify(text);
  }
}
