import type { ChatCodec } from '../../../../core/contracts/provider.ts';
import { readReply } from './reply.ts';
import { writeRequest } from './request.ts';
import { createStreamReader } from './stream.ts';
import { readUsage } from './usage.ts';

/** generateContent and streamGenerateContent of the Gemini API and of Vertex AI. */
export const gemini: ChatCodec = {
  format: 'gemini',
  framing: 'sse',
  writeRequest,
  readReply,
  streamReader: createStreamReader,
  readUsage,
};
