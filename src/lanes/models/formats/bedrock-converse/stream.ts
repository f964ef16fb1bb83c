import type { ChatEvent } from '../../../../core/chat.ts';
import type { ChatStreamReader, WireFrame } from '../../../../core/contracts/provider.ts';
import { GatewayError } from '../../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../../core/json.ts';
import { frameJson, maybe } from '../_read.ts';
import { describe, failureOf } from './failure.ts';
import { isMalformed, readFinish, readUsage } from './outcome.ts';

/** `ConverseStreamOutput`. The usage comes after the stop: the stop is held until then. */
export function createStreamReader(family: string): ChatStreamReader {
  return new ConverseStreamReader(family);
}

class ConverseStreamReader implements ChatStreamReader {
  readonly #family: string;
  /** Which call a content block is. */
  readonly #calls = new Map<unknown, number>();
  #started = false;
  #over = false;
  #signature = '';
  #stopReason: string | undefined;

  constructor(family: string) {
    this.#family = family;
  }

  read({ event = '', data }: WireFrame): readonly ChatEvent[] {
    if (this.#over) return [];
    if (event.startsWith('!')) return this.#fail(event.slice(1), data);
    const body = frameJson(data);
    const events = this.#readEvent(event, body);
    if (this.#started || events.length === 0) return events;
    this.#started = true;
    return [{ type: 'start' }, ...events];
  }

  close(): readonly ChatEvent[] {
    return this.#over || this.#stopReason === undefined ? [] : this.#finish(this.#stopReason);
  }

  #readEvent(event: string, body: JsonObject): readonly ChatEvent[] {
    switch (event) {
      case 'messageStart':
        if (this.#started) return [];
        this.#started = true;
        return [{ type: 'start' }];
      case 'contentBlockStart':
        return this.#startBlock(body);
      case 'contentBlockDelta':
        return this.#readDelta(body);
      case 'contentBlockStop':
        return this.#takeSignature();
      case 'messageStop':
        this.#stopReason = maybe.text(body['stopReason']) ?? '';
        return this.#takeSignature();
      case 'metadata':
        return this.#readMetadata(body);
      default:
        return [];
    }
  }

  #startBlock({ contentBlockIndex, start }: JsonObject): readonly ChatEvent[] {
    const { toolUse } = maybe.object(start);
    if (!isObject(toolUse)) return [];
    const { toolUseId: id, name } = toolUse;
    if (typeof id !== 'string' || typeof name !== 'string') throw new GatewayError('upstream_failed');
    const call = this.#calls.size;
    this.#calls.set(contentBlockIndex, call);
    return [{ type: 'call', call, id, name }];
  }

  #readDelta({ contentBlockIndex, delta }: JsonObject): readonly ChatEvent[] {
    const { text, toolUse, reasoningContent } = maybe.object(delta);
    if (typeof text === 'string') return text === '' ? [] : [{ type: 'text', text }];
    if (isObject(reasoningContent)) return this.#readReasoning(reasoningContent);
    if (!isObject(toolUse)) return [];
    const call = this.#calls.get(contentBlockIndex);
    if (call === undefined) throw new GatewayError('upstream_failed', 'The provider sent arguments of a tool call that it did not start.');
    const { input } = toolUse;
    return typeof input === 'string' && input !== '' ? [{ type: 'arguments', call, text: input }] : [];
  }

  #readReasoning({ text, signature, redactedContent }: JsonObject): readonly ChatEvent[] {
    // A signature may come in pieces, and is of use as a whole only.
    if (typeof signature === 'string') this.#signature += signature;
    if (typeof redactedContent === 'string')
      return [{ type: 'seal', hidden: true, seal: { family: this.#family, value: redactedContent } }];
    return typeof text === 'string' && text !== '' ? [{ type: 'reasoning', text }] : [];
  }

  #takeSignature(): readonly ChatEvent[] {
    if (this.#signature === '') return [];
    const value = this.#signature;
    this.#signature = '';
    return [{ type: 'seal', seal: { family: this.#family, value } }];
  }

  #readMetadata(body: JsonObject): readonly ChatEvent[] {
    const usage = readUsage(body['usage']);
    const seen: readonly ChatEvent[] = usage === undefined ? [] : [{ type: 'usage', usage }];
    return this.#stopReason === undefined ? seen : [...seen, ...this.#finish(this.#stopReason)];
  }

  #finish(stopReason: string): readonly ChatEvent[] {
    this.#over = true;
    if (isMalformed(stopReason)) return [{ type: 'error', failure: describe('upstream_failed', undefined, stopReason) }];
    return [{ type: 'finish', finish: readFinish(stopReason, this.#calls.size > 0) }, { type: 'end' }];
  }

  #fail(exception: string, data: string): readonly ChatEvent[] {
    this.#over = true;
    const message = messageOf(data);
    return [{ type: 'error', failure: failureOf(exception, message) ?? describe('upstream_failed', undefined, exception) }];
  }
}

function messageOf(data: string): string | undefined {
  try {
    const body: unknown = JSON.parse(data);
    return isObject(body) ? (maybe.text(body['message']) ?? maybe.text(body['Message'])) : undefined;
  } catch {
    return undefined;
  }
}
