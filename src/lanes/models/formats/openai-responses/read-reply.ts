import type { ChatReply, Finish, Part, Seal } from '../../../../core/chat.ts';
import { GatewayError } from '../../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../../core/json.ts';
import { maybe } from '../_read.ts';
import { readFailure } from './failure.ts';
import { readResponseUsage } from './usage.ts';

/** A whole response. Throws the vendor's failure when it has failed, and GatewayError `upstream_failed` when it is no finished response. */
export function readReply(body: JsonObject, family: string): ChatReply {
  if (isObject(body['error'])) {
    const failure = readFailure(body);
    throw new GatewayError(failure.code, failure.message);
  }
  if (!Array.isArray(body['output']) || !isFinished(body['status'])) {
    throw new GatewayError('upstream_failed', 'The provider gave no finished response.');
  }
  const parts = body['output'].flatMap((item) => readOutputItem(maybe.object(item), family));
  const id = maybe.text(body['id']);
  const model = maybe.text(body['model']);
  const usage = readResponseUsage(body);
  return {
    ...(id !== undefined && { id }),
    ...(model !== undefined && { model }),
    parts,
    finish: readFinish(body, {
      called: parts.some((part) => part.type === 'call'),
      refused: parts.some((part) => part.type === 'refusal'),
    }),
    ...(usage && { usage }),
  };
}

const isFinished = (status: unknown): boolean =>
  status === undefined || status === null || status === 'completed' || status === 'incomplete';

/** Why a response ended; what was seen in it decides where the response only says that it did. */
export function readFinish(response: JsonObject, seen: { readonly called: boolean; readonly refused: boolean }): Finish {
  const reason = maybe.object(response['incomplete_details'])['reason'];
  if (reason === 'content_filter') return 'filtered';
  if (reason === 'max_output_tokens' || reason === 'max_messages') return 'length';
  if (seen.called) return 'tool_calls';
  return seen.refused ? 'refusal' : 'stop';
}

/** An item of `output` as parts; none for items of hosted tools, which a conversation that was converted never asks for. */
function readOutputItem(item: JsonObject, family: string): Part[] {
  switch (item['type']) {
    case 'message':
      return maybe.list(item['content']).flatMap((part) => readContent(maybe.object(part)));
    case 'function_call':
    case 'custom_tool_call': {
      const { id, name } = callOf(item);
      return name === undefined ? [] : [{ type: 'call', id: id ?? '', name, arguments: argumentsOf(item) ?? '' }];
    }
    case 'reasoning': {
      const text = reasoningText(item);
      const seal = sealOf(item, family);
      return [
        ...(text === '' ? [] : [{ type: 'reasoning' as const, text }]),
        ...(seal ? [{ type: 'reasoning' as const, text: '', seal, hidden: true }] : []),
      ];
    }
    default:
      return [];
  }
}

function readContent(part: JsonObject): Part[] {
  const text = maybe.text(part['text']);
  if (part['type'] === 'output_text' && text !== undefined) return [{ type: 'text', text }];
  const refusal = maybe.text(part['refusal']);
  return part['type'] === 'refusal' && refusal !== undefined ? [{ type: 'refusal', text: refusal }] : [];
}

/** The id that the result of a call names, and the tool. Vendors that give no `call_id` mean the item's own id. */
export function callOf(item: JsonObject): { readonly id: string | undefined; readonly name: string | undefined } {
  return { id: maybe.text(item['call_id']) ?? maybe.text(item['id']), name: maybe.text(item['name']) };
}

/** The whole arguments of a call, as a JSON object's text; the free text of a custom tool is the field `input` of one. */
export function argumentsOf(item: JsonObject): string | undefined {
  if (item['type'] !== 'custom_tool_call') return maybe.text(item['arguments']);
  const input = maybe.text(item['input']);
  return input === undefined ? undefined : JSON.stringify({ input });
}

/** Summaries, then plain reasoning, a blank line between them. */
export function reasoningText(item: JsonObject): string {
  const texts = [...maybe.list(item['summary']), ...maybe.list(item['content'])].map((part) => maybe.text(maybe.object(part)['text']));
  return texts.filter((text) => text !== undefined && text !== '').join('\n\n');
}

/** `encrypted_content`, which only models of its family can read. */
export function sealOf(item: JsonObject, family: string): Seal | undefined {
  const value = maybe.text(item['encrypted_content']);
  return value === undefined || value === '' ? undefined : { family, value };
}
