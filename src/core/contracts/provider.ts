import type { JsonObject } from '../json.ts';
import type { ChatEvent, ChatReply, ChatRequest, ModelFailure } from '../chat.ts';
import type { ModelsChunk } from '../models.ts';
import type { Secret } from '../secret.ts';

import type { Usage } from '../usage.ts';
import type { OAuth2ClientCredentials } from '../auth.ts';
import type { Extension } from './extension.ts';

/**
 * A vendor of models: where its surfaces are, how one proves oneself there, and which wire format each speaks. Pure: nothing here sends, waits,
 * or asks the clock. The lane picks a surface, the pipeline sends.
 */
export interface Provider {
  /** `http(s)://host[:port]`, or a service inside the process (`demo:model`). */
  readonly origin: string;
  readonly auth: ProviderAuth;
  /** Ways to hold a conversation, the best for conversion first. A caller whose format is among them is passed through byte for byte. */
  readonly chat: readonly ChatSurface[];
  readonly embeddings?: EmbeddingsSurface;
  readonly countTokens?: CountSurface;
  /** Names of its models. */
  readonly models?: {
    readonly path: string;
    /** Beside authentication. */
    readonly headers?: Readonly<Record<string, string>>;
    read(body: JsonObject): readonly string[];
  };
  /** The family of a model by its name: whose seals (signatures of reasoning) it takes back. */
  family(model: string): string;
  /** What a failed answer means. `body` is the parsed JSON, or the text when it is none. */
  readFailure(status: number, headers: WireHeaders, body: unknown): ModelFailure;
}

/** Header names are lower case. */
export type WireHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export type ProviderAuth =
  | { readonly type: 'none' }
  /** Fixed headers such as `authorization: Bearer KEY`, the secret in them revealed when the request is built. */
  | { readonly type: 'header'; readonly name: string; readonly prefix?: string; readonly value: Secret }
  | {
      readonly type: 'sigv4';
      readonly service: string;
      readonly region: string;
      readonly accessKeyId: string;
      readonly secretAccessKey: Secret;
      readonly sessionToken?: Secret;
    }
  /** A service account of Google, as the JSON file that Google gives. */
  | { readonly type: 'google'; readonly serviceAccount: Secret }
  | { readonly type: 'oauth2'; readonly client: OAuth2ClientCredentials & { readonly tokenUrl: string } };

/** What is known when a request is to be addressed. */
export interface Asked {
  /** The vendor's name of the model. */
  readonly model: string;
  readonly stream: boolean;
  /** Of the caller's request. Only what the vendor's own format defines may go on, such as `anthropic-beta`. */
  readonly headers: WireHeaders;
}

export interface Address {
  /** Path with query, encoded; starts with `/`. */
  readonly path: string;
  /** Beside authentication and content type. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** One way to hold a conversation with a vendor. */
export interface ChatSurface {
  readonly codec: ChatCodec;
  address(asked: Asked): Address;
  /** What the vendor wants otherwise than its format says, such as no `model` in the body. Gives a changed copy, or the same object. */
  adapt?(body: JsonObject, asked: Asked): JsonObject;
  /** Top-level fields that this vendor ignores or refuses: the lane takes them out and reports them. */
  readonly refuses?: readonly string[];
  /** Links to images and documents have to be fetched and put in by the hub. */
  readonly inlinesMedia?: boolean;
  /** Links that the vendor reads itself all the same, such as those to files it keeps. */
  readonly keepsLink?: (url: string) => boolean;
}

export interface EmbeddingsSurface {
  address(asked: Asked): Address;
  /** Absent: it speaks OpenAI's format, so bytes pass. */
  readonly codec?: EmbeddingsCodec;
}

export interface EmbeddingsCodec {
  /** From a body of OpenAI's `/embeddings`, whose `input` may be a text, texts, tokens or lists of tokens. Throws GatewayError `bad_request`. */
  write(body: JsonObject, model: string): { readonly body: JsonObject; readonly dropped: readonly string[] };
  read(body: JsonObject): { readonly vectors: readonly (readonly number[])[]; readonly usage: Usage };
}

export interface CountSurface {
  readonly path: (model: string) => string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Absent: it speaks Anthropic's format, so bytes pass. */
  write?(ask: ChatRequest): JsonObject;
  read?(body: JsonObject): number;
}

/** Where the frames of a streamed answer begin and end. */
export type Framing = 'sse' | 'aws-event-stream';

/** One frame of a streamed answer: an SSE event, or a message of an AWS event stream. */
export interface WireFrame {
  /** SSE: the `event:` field. AWS: `:event-type`, or `:exception-type` with an `!` before it. */
  readonly event?: string;
  /** SSE: the joined `data:` lines. AWS: the payload. */
  readonly data: string;
}

export interface WriteOptions {
  /** The vendor's name of the model. */
  readonly model: string;
  /** Seals of other families are left out. */
  readonly family: string;
}

/** A request in a wire format, and what of the neutral form it could not hold. */
export interface WrittenRequest {
  readonly body: JsonObject;
  /** Names of fields of ChatRequest (`seed`, `topK`), or paths such as `turns[2].parts[0] (audio)`, each with a reason in brackets where it helps. */
  readonly dropped: readonly string[];
}

/** The half of a wire format that providers need: requests out, answers in. Pure; throws GatewayError `bad_request` for what has no counterpart and must not be dropped. */
export interface ChatCodec {
  /** `openai-chat`, `openai-responses`, `anthropic-messages`, `gemini`, `bedrock-converse`. */
  readonly format: string;
  readonly framing: Framing;
  writeRequest(ask: ChatRequest, options: WriteOptions): WrittenRequest;
  /** Throws GatewayError `upstream_failed` for a body that is no answer. */
  readReply(body: JsonObject, family: string): ChatReply;
  /** A new one for each stream. */
  streamReader(family: string): ChatStreamReader;
  /** Usage and served model in a body of this format; for what passes unread. Takes the whole body or the JSON of one event. */
  readUsage(body: JsonObject): { readonly usage?: Usage; readonly model?: string };
}

export interface ChatStreamReader {
  /** Throws GatewayError `upstream_failed` for a frame that cannot be read. */
  read(frame: WireFrame): readonly ChatEvent[];
  /** The connection ended as HTTP has it. Gives `end` where the format has no terminator of its own and all has come; else nothing. */
  close(): readonly ChatEvent[];
}

/** A format that callers speak: both halves. */
export interface DoorCodec extends ChatCodec {
  /** Throws GatewayError `bad_request` that names the field. */
  readRequest(body: JsonObject): ChatRequest;
  /** What callers call a field of ChatRequest: `maxTokens` → `max_tokens`. */
  readonly fieldNames: Readonly<Partial<Record<keyof ChatRequest, string>>>;
  writeReply(reply: ChatReply, context: WriteContext): JsonObject;
  /** A new one for each stream. */
  streamWriter(context: WriteContext): ChatStreamWriter;
  /** The frames of a whole reply of this format, as a stream would have brought them. */
  replay(body: JsonObject, context: WriteContext): readonly ModelsChunk[];
}

/** What a writer has to know and may not find out by itself. */
export interface WriteContext {
  /** Of the answer, where the vendor gave none; unique. */
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created: number;
  /** The name under which the caller asked. */
  readonly model: string;
  /** The request as it came, for formats that repeat parts of it. */
  readonly body: JsonObject;
  /** Tokens of the request, roughly: for formats that want them before the vendor says. */
  readonly estimatedInput: number;
}

export interface ChatStreamWriter {
  /** The frames that this step becomes; often none or several. `end` gives what completes the answer, `error` the format's own error event. */
  write(event: ChatEvent): readonly ModelsChunk[];
}

/** The account of a vendor as the configuration has it. */
export interface ProviderOptions {
  readonly baseUrl?: string;
  readonly apiKey?: Secret;
  /** Bedrock, Vertex. */
  readonly region?: string;
  readonly project?: string;
  readonly apiVersion?: string;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: Secret;
  readonly sessionToken?: Secret;
  readonly serviceAccount?: Secret;
  readonly oauth2?: OAuth2ClientCredentials;
  /** Which of several interfaces of the vendor to use, such as `openai` at Bedrock. */
  readonly api?: string;
}

/** A kind of vendor; named by `type:` of an entry in `providers`. `options` says which keys of ProviderOptions it takes. */
export interface ProviderExtension extends Extension<'provider', ProviderOptions, Provider> {}

/** Gives a provider its types; adds what is the same in all of them. */
export function defineProvider(provider: Omit<ProviderExtension, 'kind' | 'apiVersion'>): ProviderExtension {
  return { kind: 'provider', apiVersion: 1, ...provider };
}

/** Keys of an entry of `providers` that are the hub's own affair and no option of the vendor's. */
const ENTRY_KEYS: ReadonlySet<string> = new Set(['type', 'keys', 'headers', 'timeouts', 'breaker', 'health', 'description', 'enabled']);

/** What of an entry of `providers` the provider is made from. */
export function providerOptions(entry: object): object {
  return Object.fromEntries(Object.entries(entry).filter(([key]) => !ENTRY_KEYS.has(key)));
}
