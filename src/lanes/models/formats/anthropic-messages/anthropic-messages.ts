import type { DoorCodec } from '../../../../core/contracts/provider.ts';
import { readReply } from './read-reply.ts';
import { readRequest } from './request/read-request.ts';
import { writeRequest } from './request/write-request.ts';
import { streamReader } from './read-stream.ts';
import { replay } from './replay.ts';
import { usageOf } from './usage.ts';
import { writeReply } from './write-reply.ts';
import { streamWriter } from './write-stream.ts';

/** Anthropic's Messages API, of both versions: 2023-06-01 and 2026-10-21. */
export const anthropicMessages: DoorCodec = {
  format: 'anthropic-messages',
  framing: 'sse',
  readRequest,
  writeRequest,
  readReply,
  writeReply,
  streamReader,
  streamWriter,
  replay,
  readUsage: usageOf,
  fieldNames: {
    model: 'model',
    stream: 'stream',
    system: 'system',
    turns: 'messages',
    tools: 'tools',
    toolChoice: 'tool_choice',
    parallelTools: 'tool_choice.disable_parallel_tool_use',
    maxTokens: 'max_tokens',
    temperature: 'temperature',
    topP: 'top_p',
    topK: 'top_k',
    stop: 'stop_sequences',
    output: 'output_config.format',
    reasoning: 'thinking',
    user: 'metadata.user_id',
    serviceTier: 'service_tier',
  },
};
