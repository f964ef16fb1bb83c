import type { JsonObject } from '../../../core/json.ts';
import { randomBytes } from 'node:crypto';
import { SourceError } from '../../../core/contracts/tool-source.ts';
import type { ToolsReply } from '../../../core/tools.ts';
import { NEXT_PAGE } from '../openapi/answers/next-page.ts';
import { RPC } from '../wire-errors.ts';

/** Who may read a kept result: nobody else than who got it, where it was got. */
export interface Holder {
  readonly consumer: string;
  /** The name of the door that the tool was called on. */
  readonly door: string;
  /** The id of the session; absent for callers without one, whom the id of the result alone must tell apart in open mode. */
  readonly session: string | undefined;
}

/** One result as it is put away. */
export interface WholeResult {
  readonly body: Buffer;
  readonly mimeType: string;
  /** UTF-8, to be read as text; otherwise as base64. */
  readonly isText: boolean;
  /** The tool's name on the door: who may not use it any more reads nothing of it. */
  readonly tool: string;
}

export interface KeptLimits {
  /** Bytes of all results; the oldest go first. */
  readonly bytes: number;
  /** Bytes of one consumer's, so that nobody drives out the others'. */
  readonly consumerBytes: number;
  readonly ageMs: number;
  readonly textPage: number;
  /** A multiple of 3, so that the base64 of all pages is the base64 of the whole. */
  readonly binaryPage: number;
}

/**
 * An answer has 32 MB at most, so a consumer may keep any one of them. 80,000 bytes of text stay under the 25,000 tokens that clients take as
 * one result, escapes included; a megabyte of bytes is what is given inline too.
 */
export const KEPT_LIMITS: KeptLimits = {
  bytes: 128 * 1024 * 1024,
  consumerBytes: 40 * 1024 * 1024,
  ageMs: 15 * 60_000,
  textPage: 80_000,
  binaryPage: 1024 * 1024 - 1,
};

const PREFIX = 'hubgate://results/';
const URI = /^hubgate:\/\/results\/([\w-]{24})(?:\?from=(\d{1,12}))?$/;
/** Random bytes of an id: knowing it is needed, and guessing it is hopeless. */
const ID_BYTES = 18;
/** How far before its end a page of text may be cut so that it ends between values. */
const SEARCH_BYTES = 4096;

interface Kept extends WholeResult {
  readonly holder: Holder;
  readonly until: number;
}

export function isResultUri(uri: string): boolean {
  return uri.startsWith(PREFIX);
}

/** The same words for what never was, is gone, or is somebody else's. */
export function goneResult(uri: string): SourceError {
  const minutes = Math.round(KEPT_LIMITS.ageMs / 60_000);
  const message = `There is no such result here, or no longer: results are kept for up to ${minutes} minutes, for the caller who got them. Call the tool again.`;
  return new SourceError(RPC.invalidParams, message, { uri }, 'not_found');
}

/** Answers too long for one result, in memory, for a while. Not on any list: a result names its URI. */
export class KeptResults {
  readonly #limits: KeptLimits;
  readonly #now: () => number;
  /** Oldest first: all live equally long. */
  readonly #kept = new Map<string, Kept>();
  readonly #byConsumer = new Map<string, number>();
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: KeptLimits = KEPT_LIMITS, now: () => number = Date.now) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Bytes that are kept now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The URI under which the holder reads it, until it is too old or newer ones need its place; undefined when it is too large to be kept. */
  keep(result: WholeResult, holder: Holder): string | undefined {
    const { bytes, consumerBytes, ageMs } = this.#limits;
    const size = result.body.length;
    if (size > Math.min(bytes, consumerBytes)) return undefined;
    this.#sweep();
    for (const [id, kept] of this.#kept) {
      if ((this.#byConsumer.get(holder.consumer) ?? 0) + size <= consumerBytes) break;
      if (kept.holder.consumer === holder.consumer) this.#drop(id, kept);
    }
    for (const [id, kept] of this.#kept) {
      if (this.#bytes + size <= bytes) break;
      this.#drop(id, kept);
    }
    const id = randomBytes(ID_BYTES).toString('base64url');
    this.#kept.set(id, { ...result, holder, until: this.#now() + ageMs });
    this.#bytes += size;
    this.#byConsumer.set(holder.consumer, (this.#byConsumer.get(holder.consumer) ?? 0) + size);
    this.#timer ??= setTimeout(() => this.#sweep(), ageMs + 1000).unref();
    return PREFIX + id;
  }

  /**
   * A page as `resources/read` answers: the part from byte `from` on, and while there is more the next URI in `_meta` and as a second content.
   * Undefined for what is not kept for this holder. Throws SourceError when nothing begins at `from`.
   */
  read(uri: string, holder: Holder, mayUse: (tool: string) => boolean): ToolsReply | undefined {
    const [, id = '', from = '0'] = URI.exec(uri) ?? [];
    const kept = this.#of(id, holder, mayUse);
    if (kept === undefined) return undefined;
    const { body, mimeType, isText } = kept;
    const start = isText ? boundary(body, Number(from)) : Number(from);
    if (start >= body.length && start > 0) {
      const message = `This result has ${body.length} bytes; nothing begins at ${from}.`;
      throw new SourceError(RPC.invalidParams, message, { uri }, 'bad_request');
    }
    const end = isText ? textEnd(body, start, this.#limits.textPage) : Math.min(body.length, start + this.#limits.binaryPage);
    const part = isText ? { text: body.toString('utf8', start, end) } : { blob: body.toString('base64', start, end) };
    const page: JsonObject = { uri, mimeType, ...part };
    if (end === body.length) return { contents: [page] };
    const next = `${PREFIX}${id}?from=${end}`;
    const left = `Bytes ${start} to ${end} of ${body.length} so far. More: read ${next}`;
    return {
      contents: [
        { ...page, _meta: { [NEXT_PAGE]: next } },
        { uri: next, mimeType: 'text/plain', text: left },
      ],
      _meta: { [NEXT_PAGE]: next },
    };
  }

  /** All of it, for a tool that takes a file; undefined as in `read`. */
  whole(uri: string, holder: Holder, mayUse: (tool: string) => boolean): WholeResult | undefined {
    return this.#of(URI.exec(uri)?.[1] ?? '', holder, mayUse);
  }

  #of(id: string, holder: Holder, mayUse: (tool: string) => boolean): Kept | undefined {
    const kept = this.#kept.get(id);
    const isTheirs = kept !== undefined && kept.until > this.#now() && isSame(kept.holder, holder) && mayUse(kept.tool);
    return isTheirs ? kept : undefined;
  }

  #sweep(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const [id, kept] of this.#kept) {
      if (kept.until > this.#now()) {
        this.#timer = setTimeout(() => this.#sweep(), kept.until - this.#now() + 1000).unref();
        return;
      }
      this.#drop(id, kept);
    }
  }

  #drop(id: string, { body, holder: { consumer } }: Kept): void {
    this.#kept.delete(id);
    this.#bytes -= body.length;
    const left = (this.#byConsumer.get(consumer) ?? 0) - body.length;
    if (left > 0) this.#byConsumer.set(consumer, left);
    else this.#byConsumer.delete(consumer);
  }
}

function isSame(a: Holder, b: Holder): boolean {
  return a.consumer === b.consumer && a.door === b.door && a.session === b.session;
}

/** The first byte at or after `from` at which a character begins. */
function boundary(body: Buffer, from: number): number {
  let start = from;
  while (start < body.length && ((body[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return start;
}

/** Where a page of text ends: after a line, else after a comma, else between two characters. */
function textEnd(body: Buffer, start: number, size: number): number {
  let end = start + size;
  if (end >= body.length) return body.length;
  while (end > start + 1 && ((body[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  const last = body.subarray(Math.max(start, end - SEARCH_BYTES), end);
  const cut = last.lastIndexOf(0x0a) + 1 || last.lastIndexOf(0x2c) + 1;
  return cut > 0 ? end - last.length + cut : end;
}
