import type { ChatReply, Part } from '../../../../core/chat.ts';
import type { WriteContext } from '../../../../core/contracts/provider.ts';
import { GatewayError } from '../../../../core/errors.ts';
import type { JsonObject } from '../../../../core/json.ts';
import { writeSeal } from '../_seals.ts';
import { callSealBlock, NATIVE } from './block-seals.ts';
import { writeFinish } from './finish.ts';
import { parseInput } from './parse-input.ts';
import { writeUsage } from './usage.ts';

/**
 * A whole message. A call whose arguments broke off at the limit of tokens is left out: there is no object to give. Throws GatewayError
 * `upstream_failed` when arguments are no JSON object otherwise.
 */
export function writeReply(reply: ChatReply, context: WriteContext): JsonObject {
  const cut = reply.finish === 'length' || reply.finish === 'context_length';
  const parts = cut ? reply.parts.filter((part) => part.type !== 'call' || parseInput(part.arguments)) : reply.parts;
  const calls = parts.some((part) => part.type === 'call');
  return {
    id: reply.id ?? context.id,
    type: 'message',
    role: 'assistant',
    model: reply.model ?? context.model,
    content: parts.flatMap(writePart),
    ...writeFinish(reply.finish, reply.stopSequence, calls),
    usage: writeUsage(reply.usage, () => context.estimatedInput),
  };
}

function writePart(part: Part): JsonObject[] {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return part.text === '' ? [] : [{ type: 'text', text: part.text }];
    case 'reasoning': {
      const seal = part.seal ? writeSeal(part.seal, NATIVE) : '';
      if (part.hidden) return [{ type: 'redacted_thinking', data: seal }];
      return part.text === '' && seal === '' ? [] : [{ type: 'thinking', thinking: part.text, signature: seal }];
    }
    case 'call': {
      const input = parseInput(part.arguments);
      if (!input) throw new GatewayError('upstream_failed', `The model called "${part.name}" with arguments that are no JSON object.`);
      return [...(part.seal ? [callSealBlock(part.seal)] : []), { type: 'tool_use', id: part.id, name: part.name, input }];
    }
    default:
      throw new GatewayError('upstream_failed', `The model answered with a part of type ${part.type}, which this format does not have.`);
  }
}
