import type { JsonObject } from '../../../../src/core/json.ts';

/** The doors of the models lane, by what their clients speak. */
export type Door = 'chat' | 'responses' | 'messages';

export interface Tool {
  readonly name: string;
  readonly schema: JsonObject;
}

export type Turn =
  | { readonly role: 'user'; readonly text: string; readonly png?: string; readonly pdf?: string }
  | { readonly role: 'assistant'; readonly text: string }
  /** What the client saw before, given back in the client's own words. */
  | { readonly role: 'again'; readonly seen: Seen }
  | { readonly role: 'tool'; readonly results: readonly { readonly id: string; readonly name: string; readonly text: string }[] };

/** One request to a model, told alike for all clients. */
export interface Ask {
  readonly model: string;
  readonly stream?: boolean;
  readonly system?: string;
  readonly turns: readonly Turn[];
  readonly tools?: readonly Tool[];
  readonly choice?: 'none' | 'required' | { readonly name: string };
  readonly schema?: JsonObject;
  /** Any JSON object. */
  readonly json?: boolean;
  readonly reasoning?: boolean;
  readonly maxTokens?: number;
  readonly stop?: string;
  readonly temperature?: number;
  /** Marks the end of the system prompt for the vendor's cache. */
  readonly cache?: boolean;
  readonly signal?: AbortSignal;
  /** Called at the first piece of a streamed answer. */
  readonly onFirst?: () => void;
}

/** One answer, told alike for all clients. */
export interface Seen {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly { readonly id: string; readonly name: string; readonly args: unknown }[];
  readonly finish: 'stop' | 'length' | 'tool_calls' | string;
  /** Tokens, those from and for a cache included. */
  readonly usage?: { readonly input: number | undefined; readonly output: number | undefined; readonly cacheWrite?: number | undefined };
  /** In the client's own shape, for `again`. */
  readonly message: unknown;
}

/** An error as a client shows it. */
export interface Failure {
  /** Absent when it came inside a stream, or the connection broke. */
  readonly status?: number;
  readonly retryAfter?: string;
  /** `code` of OpenAI's errors, `type` of Anthropic's. */
  readonly code?: string;
  readonly message: string;
  /** The client's own word for: the caller ended it. */
  readonly aborted: boolean;
}

/** An official client at one door. `base` is the address without `/v1`. */
export interface Driver {
  readonly name: string;
  readonly door: Door;
  /** What this client cannot say, or does not show: name of a case → why. */
  readonly cannot: Readonly<Record<string, string>>;
  /** Throws what the client throws. */
  chat(base: string, ask: Ask): Promise<Seen>;
  failure(thrown: unknown): Failure;
  embed?(base: string, model: string, encoding: 'float' | 'base64'): Promise<readonly number[]>;
  models?(base: string): Promise<readonly string[]>;
  count?(base: string, model: string, text: string): Promise<number>;
}

export const KEY = 'sk-mock';

/** Parsed, or the text itself where it is no JSON: the case then shows it. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text === '' ? '{}' : text);
  } catch {
    return text;
  }
}
