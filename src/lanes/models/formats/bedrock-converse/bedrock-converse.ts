import type { ChatCodec } from '../../../../core/contracts/provider.ts';
import { readUsage } from './outcome.ts';
import { readReply } from './reply.ts';
import { writeRequest } from './request.ts';
import { createStreamReader } from './stream.ts';

/**
 * Converse and ConverseStream of Amazon Bedrock: one format for the models of all its vendors. Reasoning is read with the given family on its
 * signatures; writing leaves out the model, which stands in the path.
 */
export const bedrockConverse: ChatCodec = {
  format: 'bedrock-converse',
  framing: 'aws-event-stream',
  writeRequest,
  readReply,
  streamReader: createStreamReader,
  readUsage(body) {
    const usage = readUsage(body['usage']);
    return usage === undefined ? {} : { usage };
  },
};
