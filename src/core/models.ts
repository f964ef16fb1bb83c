/** The models lane: what its calls move. Bodies are those of the format that the caller speaks, so that unknown fields survive. */
export interface ModelsLane {
  operation: ModelsOperation;
  input: ModelsInput;
  reply: ModelsReply;
  chunk: ModelsChunk;
}

/** `chat`, `responses` and `embeddings` are OpenAI's, `messages` and `count_tokens` Anthropic's; `models` is the list, in both. */
export type ModelsOperation = 'chat' | 'responses' | 'messages' | 'count_tokens' | 'embeddings' | 'models';

export interface ModelsInput {
  /** As the caller asks for it. */
  readonly model: string;
  readonly stream: boolean;
  /** The request as the caller's format has it, parsed once. */
  readonly body: JsonObject;
}

/** A whole answer in the caller's format. Parsed when somebody looks. */
export interface ModelsReply {
  readonly body: JsonObject;
}

/** One event of a streamed answer in the caller's format. Parsed when somebody looks. */
export interface ModelsChunk {
  /** The name of the event, in formats that name theirs. */
  readonly event?: string;
  /** The JSON of the event; an empty object for one that is none, such as `[DONE]`. */
  readonly data: JsonObject;
  /** On the event that completes the answer: all of it. */
  readonly reply?: ModelsReply;
}
import type { JsonObject } from './json.ts';
