import { readError } from './read-error.ts';
import type { ChatReply, Part, Seal } from '../../../../core/chat.ts';
import { GatewayError } from '../../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../../core/json.ts';
import { maybe } from '../_read.ts';
import { readSeal } from '../_seals.ts';
import { callSeal } from './block-seals.ts';
import { readFinish } from './finish.ts';
import { readUsage } from './usage.ts';

/** A whole message. Blocks of tools that ran at the vendor are left out. Throws GatewayError `upstream_failed` for what is no message. */
export function readReply(body: JsonObject, family: string): ChatReply {
  if (body['type'] === 'error') {
    const { code, message } = readError(maybe.object(body['error']));
    throw new GatewayError(code, message);
  }
  if (!Array.isArray(body['content'])) throw new GatewayError('upstream_failed', 'The provider sent an answer without content.');
  const parts: Part[] = [];
  let seal: Seal | undefined;
  for (const block of body['content'].filter(isObject)) {
    const part = readBlock(block, family);
    if (part?.type === 'reasoning' && part.hidden) {
      const ofCall = callSeal(part.seal);
      if (ofCall) seal = ofCall;
      else parts.push(part);
    } else if (part?.type === 'call') {
      parts.push(seal ? { ...part, seal } : part);
      seal = undefined;
    } else if (part) {
      parts.push(part);
    }
  }
  const refusal = readRefusal(body['stop_details']);
  if (refusal !== undefined) parts.push({ type: 'refusal', text: refusal });
  const calls = parts.some((part) => part.type === 'call');
  const id = maybe.text(body['id']);
  const model = maybe.text(body['model']);
  const stopSequence = maybe.text(body['stop_sequence']);
  const usage = readUsage(maybe.object(body['usage']));
  return {
    ...(id !== undefined && { id }),
    ...(model !== undefined && { model }),
    parts,
    finish: readFinish(maybe.text(body['stop_reason']), calls),
    ...(stopSequence !== undefined && { stopSequence }),
    ...(usage && { usage }),
  };
}

function readBlock(block: JsonObject, family: string): Part | undefined {
  switch (block['type']) {
    case 'text':
      return { type: 'text', text: maybe.text(block['text']) ?? '' };
    case 'thinking': {
      const signature = maybe.text(block['signature']);
      return { type: 'reasoning', text: maybe.text(block['thinking']) ?? '', ...(signature && { seal: readSeal(signature, family) }) };
    }
    case 'redacted_thinking':
      return { type: 'reasoning', text: '', seal: readSeal(maybe.text(block['data']) ?? '', family), hidden: true };
    case 'tool_use':
      return {
        type: 'call',
        id: maybe.text(block['id']) ?? '',
        name: maybe.text(block['name']) ?? '',
        arguments: JSON.stringify(maybe.object(block['input'])),
      };
    default:
      return undefined;
  }
}

/** The vendor's words for a refusal, in `stop_details`. */
export function readRefusal(details: unknown): string | undefined {
  return maybe.text(maybe.object(details)['explanation']);
}
