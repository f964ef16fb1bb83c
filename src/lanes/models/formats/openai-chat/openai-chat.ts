import type { ChatCodec, DoorCodec } from '../../../../core/contracts/provider.ts';
import { FIELD_NAMES, readRequest } from './read-request.ts';
import { streamReader } from './read-stream.ts';
import { readReply, writeReply } from './reply.ts';
import { readUsage } from './usage.ts';
import type { ChatQuirks } from './write-messages.ts';
import { writeRequest } from './write-request.ts';
import { DONE, replay, streamWriter } from './write-stream.ts';

export { DONE };
export type { ChatQuirks };

/** OpenAI itself. */
export const OPENAI_QUIRKS: ChatQuirks = {
  maxTokens: 'max_completion_tokens',
  reasoning: 'none',
  cache: 'prompt_cache_breakpoint',
  allowedTools: true,
};

/** The half that providers need, for a vendor that speaks this format in its own way. */
export function openaiChatWith(quirks: ChatQuirks): ChatCodec {
  return {
    format: 'openai-chat',
    framing: 'sse',
    writeRequest: (ask, options) => writeRequest(ask, options, quirks),
    readReply,
    streamReader,
    readUsage,
  };
}

/** OpenAI's `/v1/chat/completions`. */
export const openaiChat: DoorCodec = {
  ...openaiChatWith(OPENAI_QUIRKS),
  readRequest,
  fieldNames: FIELD_NAMES,
  writeReply,
  streamWriter,
  replay,
};
