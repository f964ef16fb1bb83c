/** The models lane: what its calls move. The lane itself is built in a later release; policies and types know it from the first. */
export interface ModelsLane {
  operation: 'chat' | 'responses' | 'messages' | 'count_tokens' | 'embeddings' | 'models';
  input: ModelsInput;
  reply: ModelsReply;
  chunk: ModelsChunk;
}

export interface ModelsInput {
  readonly model: string;
  readonly stream: boolean;
  /** The request as the caller's format has it, parsed once. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface ModelsReply {
  readonly body: Readonly<Record<string, unknown>>;
}

export interface ModelsChunk {
  readonly event?: string;
  readonly data: Readonly<Record<string, unknown>>;
}
