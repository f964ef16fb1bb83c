import type { ModelFailure } from '../../../core/chat.ts';
import type { ChatCodec } from '../../../core/contracts/provider.ts';
import { GatewayError } from '../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import type { Usage } from '../../../core/usage.ts';
import { readFrame } from './passed.ts';

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const QUOTE = 0x22;
const BRACE = 0x7b;
const SMALL_D = 0x64;
const SMALL_E = 0x65;
const USAGE = Buffer.from('"usage"');
const FINISH = Buffer.from('"finish_reason"');
const NO_CHOICES = /"choices"\s*:\s*\[\s*\]/;
const ERROR_NAME = Buffer.from('"error"');
const DONE = /(?:^|[\r\n])data: *\[DONE\]$/;
/** Bytes of a frame that may be the mark of completeness, its name and spaces included. */
const LONGEST_DONE = 256;
const LINE_END = /\r\n|\n|\r/;

/** What ends an answer of a format, by the name of its event. `openai-chat` has no names. */
const LAST_EVENTS: Readonly<Record<string, readonly string[]>> = {
  'anthropic-messages': ['message_stop'],
  'openai-responses': ['response.completed', 'response.incomplete', 'response.failed'],
};

export interface WatchOptions {
  readonly codec: ChatCodec;
  readonly family: string;
  /** The caller did not ask for the usage that the hub asks for: its frame is not passed on. */
  readonly hidesUsage: boolean;
  /** The error to throw when the vendor reports a failure. */
  failure(failure: ModelFailure): Error;
}

/**
 * Looks at the frames of a stream that passes unread: whether it is whole, what it says of usage, whether it reports a failure. Searches bytes and
 * parses the one or two frames that hold usage: parsing all would cost more than moving them.
 */
export class FrameWatch {
  readonly #options: WatchOptions;
  readonly #last: readonly string[] | undefined;
  /** The answer has come to its end, by the vendor's own mark. */
  complete = false;
  /** Frames with data that were no failure. */
  frames = 0;
  #finished = false;
  #first: Buffer | undefined;
  #firstUsage: Buffer | undefined;
  #lastUsage: Buffer | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#last = LAST_EVENTS[options.codec.format];
  }

  /** False for a frame that is not to be passed on. Throws GatewayError for one that is broken or reports a failure. `frame` ends with its blank line. */
  look(frame: Buffer): boolean {
    const event = isPlain(frame) ? frame : tidied(frame);
    if (event === undefined) return true;
    // A copy: the frame is part of a large piece of memory that is used again.
    this.#first ??= Buffer.from(event);
    const end = contentEnd(event);
    const closing = event[end - 1];
    // `}` of an event, `]` of `[DONE]`; what ends otherwise was broken in two on the way.
    if (closing !== 0x7d && closing !== 0x5d) throw new GatewayError('upstream_failed', 'The provider sent an event that is not JSON.');
    const passes = this.#last === undefined ? this.#lookChat(event, end) : this.#lookNamed(event);
    this.frames++;
    return passes;
  }

  /** The very first event was a failure: nothing was generated. */
  get refused(): boolean {
    return this.#first !== undefined && this.frames === 0;
  }

  /** What is left when a stream has ended, as a frame: some servers leave out the blank line after the mark of completeness. Undefined for all else. */
  lastFrame(rest: Buffer): Buffer | undefined {
    const content = rest.subarray(0, contentEnd(rest));
    const isLast =
      this.#last === undefined
        ? isDone(content, content.length)
        : this.#last.includes(eventName(content) ?? '') && Object.keys(readFrame(content.toString()).data).length > 0;
    return isLast ? Buffer.concat([content, Buffer.from('\n\n')]) : undefined;
  }

  get usage(): { readonly usage?: Usage; readonly model?: string } {
    const first = parsedFrame(this.#firstUsage);
    const last = this.#lastUsage === this.#firstUsage ? first : parsedFrame(this.#lastUsage);
    const { codec } = this.#options;
    const model = codec.readUsage(last).model ?? codec.readUsage(first).model ?? codec.readUsage(parsedFrame(this.#first)).model;
    const usage =
      last === first ? codec.readUsage(first).usage : withTotal(codec.readUsage({ usage: joined(rawUsage(first), rawUsage(last)) }).usage);
    return { ...(usage === undefined ? {} : { usage }), ...(model === undefined ? {} : { model }) };
  }

  #lookChat(frame: Buffer, end: number): boolean {
    if (isDone(frame, end)) {
      // Without a reason to finish there was no answer, however well the stream ends.
      if (!this.#finished) throw new GatewayError('upstream_failed', 'The provider answered without a choice.');
      this.complete = true;
      return true;
    }
    if (!this.#finished) this.#finished = hasValue(frame, FINISH, QUOTE);
    const hasUsage = this.#noteUsage(frame);
    if (frame.includes(ERROR_NAME)) this.#throwFailure(frame);
    return !(hasUsage && this.#options.hidesUsage && NO_CHOICES.test(frame.toString('latin1')));
  }

  #lookNamed(frame: Buffer): boolean {
    const name = eventName(frame);
    if (name === 'error' || name === 'response.failed') this.#throwFailure(frame);
    this.#noteUsage(frame);
    if (name !== undefined && this.#last!.includes(name)) this.complete = true;
    return true;
  }

  #noteUsage(frame: Buffer): boolean {
    if (!hasValue(frame, USAGE, BRACE)) return false;
    const copy = Buffer.from(frame);
    this.#firstUsage ??= copy;
    this.#lastUsage = copy;
    return true;
  }

  /** The vendor's words go through the same classification as everywhere; a frame that is no failure after all passes. */
  #throwFailure(frame: Buffer): void {
    const { codec, family } = this.#options;
    const { event, data } = readFrame(frame.toString());
    const events = codec.streamReader(family).read({ ...(event === undefined ? {} : { event }), data: JSON.stringify(data) });
    const failure: ModelFailure | undefined = events.find((one) => one.type === 'error')?.failure;
    if (failure !== undefined) throw this.#options.failure(failure);
  }
}

function parsedFrame(frame: Buffer | undefined): JsonObject {
  return frame === undefined ? {} : readFrame(frame.toString()).data;
}

/** The vendor's own usage, wherever the formats put it: beside the answer, in a message or response that an event carries, in Groq's or Moonshot's place. */
function rawUsage(data: JsonObject): JsonObject {
  const [choice] = Array.isArray(data['choices']) ? (data['choices'] as readonly unknown[]) : [];
  const places = [data, data['message'], data['response'], data['x_groq'], choice];
  for (const place of places) if (isObject(place) && isObject(place['usage'])) return place['usage'];
  return {};
}

/** Joined before they are read: what a number means depends on its neighbours. A later event may repeat counts, leave them out, or say null. */
function joined(first: JsonObject, last: JsonObject): JsonObject {
  return { ...first, ...Object.fromEntries(Object.entries(last).filter(([, value]) => value !== null)) };
}

function withTotal(usage: Usage | undefined): Usage | undefined {
  if (usage?.inputTokens === undefined || usage.outputTokens === undefined) return usage;
  return { ...usage, totalTokens: usage.inputTokens + usage.outputTokens };
}

/** `data: [DONE]`, with any spaces around the mark. */
function isDone(frame: Buffer, end: number): boolean {
  return frame[end - 1] === 0x5d && end <= LONGEST_DONE && DONE.test(frame.toString('latin1', 0, end));
}

/** Where the last line before the blank one ends. */
function contentEnd(frame: Buffer): number {
  let end = frame.length;
  while (end > 0 && (frame[end - 1] === LF || frame[end - 1] === CR || frame[end - 1] === 0x20)) end--;
  return end;
}

/** A value that begins with `first` and is no empty text follows the name, wherever it stands: a text before it may be the name itself. */
function hasValue(frame: Buffer, name: Buffer, first: number): boolean {
  for (let at = frame.indexOf(name); at >= 0; at = frame.indexOf(name, at)) {
    at += name.length;
    while (frame[at] === COLON || frame[at] === 0x20) at++;
    if (frame[at] === first && (first !== QUOTE || frame[at + 1] !== QUOTE)) return true;
  }
  return false;
}

/** It begins with its name or its data and ends with its data, as nearly all do. */
function isPlain(frame: Buffer): boolean {
  const closing = frame[contentEnd(frame) - 1];
  return (frame[0] === SMALL_D || frame[0] === SMALL_E) && (closing === 0x7d || closing === 0x5d);
}

/** Name and data of a frame without its comments and other fields, in this order; undefined without data. */
function tidied(frame: Buffer): Buffer | undefined {
  const lines = frame
    .toString()
    .replace(/^\uFEFF/, '')
    .split(LINE_END);
  const data = lines.filter((line) => line.startsWith('data:'));
  if (data.every((line) => line.slice(5).trim() === '')) return undefined;
  const names = lines.filter((line) => line.startsWith('event:'));
  return Buffer.from(`${[...names, ...data].join('\n')}\n\n`);
}

function eventName(frame: Buffer): string | undefined {
  if (frame.toString('latin1', 0, 6) !== 'event:') return undefined;
  let end = frame.indexOf(LF);
  if (end < 0) end = frame.indexOf(CR);
  return frame.toString('latin1', 6, end < 0 ? frame.length : end).trim();
}
