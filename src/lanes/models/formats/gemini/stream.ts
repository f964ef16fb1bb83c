import type { ChatEvent, ModelFailure } from '../../../../core/chat.ts';
import type { ChatStreamReader, WireFrame } from '../../../../core/contracts/provider.ts';
import type { JsonObject } from '../../../../core/json.ts';
import { frameJson, maybe } from '../_read.ts';
import { finishOf, PartReader } from './events.ts';
import { blocked, errorIn, malformed } from './failure.ts';
import { given } from '../_given.ts';
import { readUsage } from './usage.ts';

/** Each chunk is a whole response with the parts that are new. Nothing marks the end but a reason to finish and the end of the connection. */
export function createStreamReader(family: string): ChatStreamReader {
  return new GeminiStreamReader(family);
}

class GeminiStreamReader implements ChatStreamReader {
  readonly #parts: PartReader;
  #started = false;
  #over = false;
  #answered = false;
  #reason: string | undefined;

  constructor(family: string) {
    this.#parts = new PartReader(family);
  }

  read({ data }: WireFrame): readonly ChatEvent[] {
    if (this.#over) return [];
    const body = frameJson(data);
    const error = errorIn(body);
    if (error !== undefined) return this.#fail(error);
    const { usage } = readUsage(body);
    const events = [...this.#start(body), ...this.#readCandidate(body)];
    if (usage !== undefined) events.push({ type: 'usage', usage });
    const failure = malformed(this.#reason) ?? (this.#answered ? undefined : blocked(body));
    return failure === undefined ? events : [...events, ...this.#fail(failure)];
  }

  /** Only now: a later chunk may have parts, and another reason. */
  close(): readonly ChatEvent[] {
    if (this.#over || this.#reason === undefined) return [];
    this.#over = true;
    return [{ type: 'finish', finish: finishOf(this.#reason, this.#parts.hasCalls) }, { type: 'end' }];
  }

  #start(body: JsonObject): ChatEvent[] {
    if (this.#started) return [];
    this.#started = true;
    return [given<ChatEvent>({ type: 'start', id: maybe.text(body['responseId']), model: maybe.text(body['modelVersion']) })];
  }

  #readCandidate(body: JsonObject): ChatEvent[] {
    const [first] = maybe.list(body['candidates']);
    const candidate = maybe.object(first);
    const events = this.#parts.read(maybe.list(maybe.object(candidate['content'])['parts']), maybe.text(body['responseId']));
    this.#answered ||= events.length > 0;
    this.#reason = maybe.text(candidate['finishReason']) ?? this.#reason;
    return events;
  }

  #fail(failure: ModelFailure): ChatEvent[] {
    this.#over = true;
    return [{ type: 'error', failure }];
  }
}
