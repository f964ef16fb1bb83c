import type { JsonObject } from '../../../core/json.ts';
import { isObject } from '../../../core/json.ts';
import type { ModelsChunk, ModelsReply } from '../../../core/models.ts';
import { DONE } from '../formats/openai-chat/openai-chat.ts';

const NOTHING: JsonObject = Object.freeze({});

/** A whole answer as it came. Nobody parses it unless a policy looks. */
export class PassedReply implements ModelsReply {
  readonly bytes: Buffer;
  #body: JsonObject | undefined;

  constructor(bytes: Buffer, body?: JsonObject) {
    this.bytes = bytes;
    this.#body = body;
  }

  get body(): JsonObject {
    return (this.#body ??= parsed(this.bytes.toString()));
  }
}

/** Whole frames of a stream as they came: one, where policies look at chunks, else as many as came at once. */
export class PassedChunk implements ModelsChunk {
  readonly bytes: Buffer;
  readonly #reply: (() => ModelsReply) | undefined;
  #frame: { readonly event?: string; readonly data: JsonObject } | undefined;

  /** `reply` is asked for when a policy wants the whole answer that this chunk completes. */
  constructor(bytes: Buffer, reply?: () => ModelsReply) {
    this.bytes = bytes;
    this.#reply = reply;
  }

  get event(): string | undefined {
    return this.#read().event;
  }

  get data(): JsonObject {
    return this.#read().data;
  }

  get reply(): ModelsReply | undefined {
    return this.#reply?.();
  }

  #read(): { readonly event?: string; readonly data: JsonObject } {
    return (this.#frame ??= readFrame(this.bytes.toString()));
  }
}

/** A chunk that policies see: one that spreads it into another keeps its fields. */
export class SeenChunk extends PassedChunk {
  constructor(bytes: Buffer, reply?: () => ModelsReply) {
    super(bytes, reply);
    Object.defineProperties(this, OWN_FIELDS);
  }
}

const OWN_FIELDS: PropertyDescriptorMap = Object.fromEntries(
  (['event', 'data', 'reply'] as const).map((name) => [
    name,
    {
      enumerable: true,
      get(this: PassedChunk): unknown {
        return Reflect.get(PassedChunk.prototype, name, this);
      },
    },
  ]),
);

/** One SSE frame. Data that is no JSON object gives the object of `[DONE]` or `NOTHING`. */
export function readFrame(text: string): { readonly event?: string; readonly data: JsonObject } {
  const lines = text.split(/\r\n|\n|\r/);
  const field = (name: string): string[] =>
    lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).replace(/^ /, ''));
  const [event] = field('event');
  return { ...(event === undefined ? {} : { event }), data: parsed(field('data').join('\n')) };
}

/** The data of a frame was no JSON object, nor the mark of completeness. */
export function isBroken(data: JsonObject): boolean {
  return data === NOTHING;
}

function parsed(text: string): JsonObject {
  // The very object by which it is told when a policy has made another chunk of it.
  if (text.trim() === '[DONE]') return DONE.data;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : NOTHING;
  } catch {
    return NOTHING;
  }
}
