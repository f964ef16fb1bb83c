import type { ChatReply, Part } from '../../../../core/chat.ts';
import { GatewayError } from '../../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../../core/json.ts';
import { maybe } from '../_read.ts';
import { isMalformed, readFinish, readUsage } from './outcome.ts';

/** `ConverseResponse`. Throws GatewayError `upstream_failed` for a body that is none, and for one whose answer Bedrock calls malformed. */
export function readReply(body: JsonObject, family: string): ChatReply {
  const message = maybe.object(body['output'])['message'];
  const stopReason = body['stopReason'];
  if (!isObject(message) || typeof stopReason !== 'string') throw new GatewayError('upstream_failed');
  if (isMalformed(stopReason)) throw new GatewayError('upstream_failed', `The model gave no answer that can be read (${stopReason}).`);
  const parts = maybe.list(message['content']).flatMap((block) => readBlock(maybe.object(block), family));
  const usage = readUsage(body['usage']);
  const finish = readFinish(
    stopReason,
    parts.some(({ type }) => type === 'call'),
  );
  return { parts, finish, ...(usage === undefined ? {} : { usage }) };
}

function readBlock(block: JsonObject, family: string): readonly Part[] {
  const { text, toolUse, reasoningContent, citationsContent } = block;
  if (typeof text === 'string') return text === '' ? [] : [{ type: 'text', text }];
  if (isObject(toolUse)) return [readCall(toolUse)];
  if (isObject(reasoningContent)) return readReasoning(reasoningContent, family);
  // A text with citations is a text; what it cites has no place in the neutral form.
  if (isObject(citationsContent)) return maybe.list(citationsContent['content']).flatMap((piece) => readBlock(maybe.object(piece), family));
  return [];
}

function readCall({ toolUseId, name, input }: JsonObject): Part {
  if (typeof toolUseId !== 'string' || typeof name !== 'string') throw new GatewayError('upstream_failed');
  return { type: 'call', id: toolUseId, name, arguments: JSON.stringify(input ?? {}) };
}

function readReasoning({ reasoningText, redactedContent }: JsonObject, family: string): readonly Part[] {
  if (typeof redactedContent === 'string') {
    return [{ type: 'reasoning', text: '', hidden: true, seal: { family, value: redactedContent } }];
  }
  const { text = '', signature } = maybe.object(reasoningText);
  if (typeof text !== 'string') return [];
  return [{ type: 'reasoning', text, ...(typeof signature === 'string' ? { seal: { family, value: signature } } : {}) }];
}
