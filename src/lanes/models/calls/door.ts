import type { DoorCodec } from '../../../core/contracts/provider.ts';
import type { ModelsOperation } from '../../../core/models.ts';
import { anthropicMessages } from '../formats/anthropic-messages/anthropic-messages.ts';
import { openaiChat } from '../formats/openai-chat/openai-chat.ts';
import { openaiResponses } from '../formats/openai-responses/openai-responses.ts';
import type { ErrorFormat } from '../wire-errors.ts';

/** A path of the lane that takes a request with a body. */
export interface Door {
  readonly path: string;
  readonly operation: ModelsOperation;
  readonly errors: ErrorFormat;
  /** The format of the conversation; absent where there is none (`embeddings`). */
  readonly codec?: DoorCodec;
}

export const DOORS: readonly Door[] = [
  { path: '/v1/chat/completions', operation: 'chat', errors: 'openai', codec: openaiChat },
  { path: '/v1/responses', operation: 'responses', errors: 'openai', codec: openaiResponses },
  { path: '/v1/messages', operation: 'messages', errors: 'anthropic', codec: anthropicMessages },
  { path: '/v1/messages/count_tokens', operation: 'count_tokens', errors: 'anthropic', codec: anthropicMessages },
  { path: '/v1/embeddings', operation: 'embeddings', errors: 'openai' },
];
