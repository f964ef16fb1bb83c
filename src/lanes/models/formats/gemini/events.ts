import type { CallPart, ChatEvent, Finish, Part } from '../../../../core/chat.ts';
import { GatewayError } from '../../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../../core/json.ts';
import { maybe } from '../_read.ts';
import { given } from '../_given.ts';

const FINISH: Readonly<Record<string, Finish>> = {
  STOP: 'stop',
  MAX_TOKENS: 'length',
  SAFETY: 'filtered',
  RECITATION: 'filtered',
  BLOCKLIST: 'filtered',
  PROHIBITED_CONTENT: 'filtered',
  SPII: 'filtered',
  IMAGE_SAFETY: 'filtered',
  IMAGE_PROHIBITED_CONTENT: 'filtered',
  IMAGE_RECITATION: 'filtered',
  // Google stopped the model, and an answer that is cut so is no whole one.
  LANGUAGE: 'filtered',
  OTHER: 'filtered',
  IMAGE_OTHER: 'filtered',
  CONTINUATION: 'pause',
};

/** Gemini's parts as steps of an answer, over all chunks of it. A whole answer is one chunk. */
export class PartReader {
  readonly #family: string;
  #calls = 0;
  /** The last step was reasoning that has no seal yet. */
  #thinking = false;

  constructor(family: string) {
    this.#family = family;
  }

  get hasCalls(): boolean {
    return this.#calls > 0;
  }

  /** `responseId` makes ids for calls that have none. */
  read(parts: readonly unknown[], responseId: string | undefined): ChatEvent[] {
    return parts.flatMap((part) => (isObject(part) ? this.#readPart(part, responseId) : []));
  }

  /** Parts of other kinds (images, code that Google ran) have no place in the neutral form. */
  #readPart(part: JsonObject, responseId: string | undefined): ChatEvent[] {
    const { functionCall, text, thought, thoughtSignature: signature } = part;
    if (isObject(functionCall)) return this.#readCall(functionCall, signature, responseId);
    const sealed = typeof signature === 'string' && signature !== '';
    const events: ChatEvent[] = [];
    if (typeof text === 'string' && text !== '') {
      this.#thinking = thought === true;
      events.push({ type: this.#thinking ? 'reasoning' : 'text', text });
    }
    if (sealed) {
      const seal = { family: this.#family, value: signature };
      // The signature of a text: it holds thoughts that are not shown.
      events.push(this.#thinking && thought === true ? { type: 'seal', seal } : { type: 'seal', seal, hidden: true });
      this.#thinking = false;
    }
    return events;
  }

  #readCall({ id, name, args, partialArgs, willContinue }: JsonObject, signature: unknown, responseId: string | undefined): ChatEvent[] {
    // Pieces come only when `streamFunctionCallArguments` asks for them, and it is never asked.
    if (typeof name !== 'string' || partialArgs !== undefined || willContinue === true) {
      throw new GatewayError('upstream_failed', 'The provider sent a tool call that is not whole.');
    }
    this.#thinking = false;
    const call = this.#calls++;
    const started = given<Extract<ChatEvent, { type: 'call' }>>({
      type: 'call',
      call,
      id: typeof id === 'string' && id !== '' ? id : madeId(responseId ?? name, call),
      name,
      seal: typeof signature === 'string' && signature !== '' ? { family: this.#family, value: signature } : undefined,
    });
    return [started, { type: 'arguments', call, text: JSON.stringify(maybe.object(args)) }];
  }
}

/** The same answer gives the same ids; other formats take no other characters in them. */
function madeId(from: string, call: number): string {
  return `call_${from.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 40)}_${call}`;
}

/** The parts that the steps of a whole answer make. */
export function partsOf(events: readonly ChatEvent[]): Part[] {
  const parts: Part[] = [];
  const calls = new Map<number, number>();
  for (const event of events) {
    const last = parts.at(-1);
    if (event.type === 'text') {
      if (last?.type === 'text') parts[parts.length - 1] = { ...last, text: last.text + event.text };
      else parts.push(event);
    } else if (event.type === 'reasoning') {
      if (last?.type === 'reasoning' && last.seal === undefined) parts[parts.length - 1] = { ...last, text: last.text + event.text };
      else parts.push(event);
    } else if (event.type === 'seal') {
      if (event.hidden !== true && last?.type === 'reasoning') parts[parts.length - 1] = { ...last, seal: event.seal };
      else parts.push({ type: 'reasoning', text: '', seal: event.seal, hidden: true });
    } else if (event.type === 'call') {
      calls.set(event.call, parts.length);
      parts.push(given<CallPart>({ type: 'call', id: event.id, name: event.name, arguments: '', seal: event.seal }));
    } else if (event.type === 'arguments') {
      const at = calls.get(event.call) ?? -1;
      const call = parts[at];
      if (call?.type === 'call') parts[at] = { ...call, arguments: call.arguments + event.text };
    }
  }
  return parts;
}

/** STOP is said of an answer with calls too. */
export function finishOf(reason: string, hasCalls: boolean): Finish {
  const finish = (Object.hasOwn(FINISH, reason) ? FINISH[reason] : undefined) ?? 'stop';
  return finish === 'stop' && hasCalls ? 'tool_calls' : finish;
}
