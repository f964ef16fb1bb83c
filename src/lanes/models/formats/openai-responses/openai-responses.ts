import type { DoorCodec } from '../../../../core/contracts/provider.ts';
import { readReply } from './read-reply.ts';
import { readRequest } from './request/read-request.ts';
import { writeRequest } from './request/write-request.ts';
import { streamReader } from './stream/read-stream.ts';
import { replay } from './stream/replay.ts';
import { streamWriter } from './stream/write-stream.ts';
import { readUsage } from './usage.ts';
import { writeReply } from './write-reply.ts';

/** OpenAI's Responses API without its memory: named events, items, and exactly one event that completes the answer. */
export const openaiResponses: DoorCodec = {
  format: 'openai-responses',
  framing: 'sse',
  fieldNames: {
    model: 'model',
    stream: 'stream',
    system: 'instructions',
    turns: 'input',
    tools: 'tools',
    toolChoice: 'tool_choice',
    parallelTools: 'parallel_tool_calls',
    maxTokens: 'max_output_tokens',
    temperature: 'temperature',
    topP: 'top_p',
    output: 'text.format',
    reasoning: 'reasoning',
    user: 'safety_identifier',
    serviceTier: 'service_tier',
  },
  readRequest,
  writeRequest,
  readReply,
  streamReader,
  readUsage,
  writeReply,
  streamWriter,
  replay,
};
