import type { ChatReply, ModelFailure } from '../../../../core/chat.ts';
import { GatewayError } from '../../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../../core/json.ts';
import { maybe } from '../_read.ts';
import { finishOf, PartReader, partsOf } from './events.ts';
import { blocked, errorIn, malformed } from './failure.ts';
import { given } from '../_given.ts';
import { readUsage } from './usage.ts';

/** A whole `GenerateContentResponse`. Throws GatewayError `content_refused` for a blocked prompt, `upstream_failed` for what is no answer. */
export function readReply(body: JsonObject, family: string): ChatReply {
  const [candidate] = maybe.list(body['candidates']);
  const reason = maybe.text(maybe.object(candidate)['finishReason']);
  const failure = errorIn(body) ?? blocked(body) ?? malformed(reason);
  if (failure !== undefined) throw raised(failure);
  if (!isObject(candidate)) throw new GatewayError('upstream_failed', 'The provider sent an answer without a candidate.');
  const id = maybe.text(body['responseId']);
  const reader = new PartReader(family);
  const parts = partsOf(reader.read(maybe.list(maybe.object(candidate['content'])['parts']), id));
  return given<ChatReply>({ id, ...readUsage(body), parts, finish: finishOf(reason ?? 'STOP', reader.hasCalls) });
}

function raised({ code, message, vendor, retryAfterMs }: ModelFailure): GatewayError {
  return new GatewayError(code, message, given<{ detail?: string; retryAfterMs?: number }>({ detail: vendor?.type, retryAfterMs }));
}
