import type { JsonObject } from './json.ts';
import type { ErrorCode } from './errors.ts';

import type { Usage } from './usage.ts';

/**
 * A conversation with a model in no vendor's words: what every wire format of the models lane is read into and written from, so that n formats
 * need n codecs and not n². A request whose format the upstream speaks itself never takes this form: its bytes pass.
 */
export interface ChatRequest {
  readonly model: string;
  readonly stream: boolean;
  /** What stands before the first turn. */
  readonly system: readonly TextPart[];
  /** In order. Two turns of one role may follow each other; a codec whose format forbids that joins them. */
  readonly turns: readonly Turn[];
  readonly tools: readonly ToolSpec[];
  readonly toolChoice?: ToolChoice;
  /** False: one call in a turn at most. */
  readonly parallelTools?: boolean;
  readonly maxTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly stop?: readonly string[];
  readonly seed?: number;
  readonly frequencyPenalty?: number;
  readonly presencePenalty?: number;
  readonly output?: OutputFormat;
  readonly reasoning?: Reasoning;
  /** Who the caller's own user is, opaque. */
  readonly user?: string;
  readonly serviceTier?: string;
  /** Top-level fields that came and have no place above, by the caller's names: a target of another format cannot take them. */
  readonly unread: readonly string[];
}

export interface Turn {
  /** A tool's answer is a part (`result`) of a user turn. `system` is one that stands between other turns. */
  readonly role: 'user' | 'assistant' | 'system';
  readonly parts: readonly Part[];
}

export type Part = TextPart | ImagePart | DocumentPart | AudioPart | ReasoningPart | CallPart | ResultPart | RefusalPart;

/** A prompt up to and with this part may be kept by the vendor (`cache_control`, `prompt_cache_breakpoint`, `cachePoint`). */
export interface CacheMark {
  readonly ttl?: '5m' | '30m' | '1h' | '12h';
}

export interface TextPart {
  readonly type: 'text';
  readonly text: string;
  readonly cache?: CacheMark;
}

export type Source =
  | { readonly type: 'base64'; readonly mediaType: string; readonly data: string }
  | { readonly type: 'url'; readonly url: string }
  /** A file that the upstream keeps. */
  | { readonly type: 'file'; readonly id: string };

export interface ImagePart {
  readonly type: 'image';
  readonly source: Source;
  /** OpenAI's `detail`. */
  readonly detail?: string;
  readonly cache?: CacheMark;
}

export interface DocumentPart {
  readonly type: 'document';
  /** Plain text has the media type `text/plain` and base64 data as any other. */
  readonly source: Source;
  readonly name?: string;
  readonly cache?: CacheMark;
}

export interface AudioPart {
  readonly type: 'audio';
  readonly data: string;
  /** `wav`, `mp3`. */
  readonly format: string;
}

/** What only the vendor that made it can read, and wants back byte for byte. */
export interface Seal {
  /** Who can read it: the model family, such as `anthropic`, `gemini`, `openai`. A seal never goes to another family. */
  readonly family: string;
  readonly value: string;
}

/** What a model thought. `text` is empty when only the seal is there (redacted or encrypted reasoning: `hidden`). */
export interface ReasoningPart {
  readonly type: 'reasoning';
  readonly text: string;
  readonly seal?: Seal;
  /** The seal holds the reasoning itself (`redacted_thinking`, `encrypted_content`), and is no signature of `text`. */
  readonly hidden?: boolean;
  readonly cache?: CacheMark;
}

/** A model's wish to have a tool called. */
export interface CallPart {
  readonly type: 'call';
  readonly id: string;
  readonly name: string;
  /** A JSON object as text, as it came: never parsed and written again where that can be avoided. Empty text stands for `{}`. */
  readonly arguments: string;
  /** Gemini's `thoughtSignature` on the call. */
  readonly seal?: Seal;
  readonly cache?: CacheMark;
}

/** A tool's answer. */
export interface ResultPart {
  readonly type: 'result';
  readonly callId: string;
  /** The tool's name, where the format says it or an earlier call does. */
  readonly name?: string;
  readonly parts: readonly (TextPart | ImagePart | DocumentPart)[];
  readonly isError?: boolean;
  readonly cache?: CacheMark;
}

export interface RefusalPart {
  readonly type: 'refusal';
  readonly text: string;
}

export interface ToolSpec {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of the arguments; absent: none. */
  readonly parameters?: JsonObject;
  readonly strict?: boolean;
  readonly cache?: CacheMark;
}

export type ToolChoice =
  | { readonly type: 'auto' | 'none' | 'required' }
  | { readonly type: 'tool'; readonly name: string }
  /** One of some tools; `required` says whether one must be called. */
  | { readonly type: 'allowed'; readonly names: readonly string[]; readonly required: boolean };

export type OutputFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json' }
  | {
      readonly type: 'schema';
      readonly name?: string;
      readonly description?: string;
      readonly schema: JsonObject;
      readonly strict?: boolean;
    };

export type Effort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max';

export interface Reasoning {
  /** `none` switches it off. */
  readonly effort?: Effort;
  /** Anthropic's `budget_tokens`, Gemini's `thinkingBudget`. */
  readonly budgetTokens?: number;
  /** Whether the caller wants to read a summary of it. */
  readonly summary?: boolean;
}

/** Why an answer ended. `refusal` is the model's own; `filtered` is the vendor's filter; `pause` wants to be called again. */
export type Finish = 'stop' | 'stop_sequence' | 'length' | 'context_length' | 'tool_calls' | 'refusal' | 'filtered' | 'pause';

/** One whole answer. Formats with several choices give the first. */
export interface ChatReply {
  readonly id?: string;
  /** The model that answered, as the vendor names it. */
  readonly model?: string;
  /** text, reasoning, call, refusal. */
  readonly parts: readonly Part[];
  readonly finish: Finish;
  readonly stopSequence?: string;
  readonly usage?: Usage;
}

/**
 * One step of a streamed answer. Between `start` and `end` come parts in order; text and reasoning that follow each other belong to one part
 * until another kind of step comes. Steps of several calls may be mixed: `call` counts them from 0.
 */
export type ChatEvent =
  | { readonly type: 'start'; readonly id?: string; readonly model?: string }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'refusal'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string }
  /** Closes the reasoning before it; with `hidden` it is a part of its own. */
  | { readonly type: 'seal'; readonly seal: Seal; readonly hidden?: boolean }
  | { readonly type: 'call'; readonly call: number; readonly id: string; readonly name: string; readonly seal?: Seal }
  /** A piece of the JSON text of the arguments. */
  | { readonly type: 'arguments'; readonly call: number; readonly text: string }
  /** Totals so far; a later one replaces what it names. */
  | { readonly type: 'usage'; readonly usage: Usage }
  | { readonly type: 'finish'; readonly finish: Finish; readonly stopSequence?: string }
  /** The vendor reports a failure inside the stream; nothing follows. */
  | { readonly type: 'error'; readonly failure: ModelFailure }
  /** The vendor's own mark of completeness has come: without it, a stream that ends was cut. Once, the last. */
  | { readonly type: 'end' };

/** What a vendor says went wrong, classified. */
export interface ModelFailure {
  readonly code: ErrorCode;
  /** The vendor's words, where they may be shown to the caller (reference: bad requests, refused content); never of a failed login or an unknown model. */
  readonly message?: string;
  /** The vendor's own names for it, for a caller who speaks the vendor's format. */
  readonly vendor?: { readonly type?: string; readonly code?: string; readonly param?: string };
  /** Milliseconds. */
  readonly retryAfterMs?: number;
}
