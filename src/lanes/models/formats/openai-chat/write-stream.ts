import type { ChatEvent, Finish, Seal } from '../../../../core/chat.ts';
import type { ChatStreamWriter, WriteContext } from '../../../../core/contracts/provider.ts';
import { isObject, type JsonObject } from '../../../../core/json.ts';
import type { ModelsChunk } from '../../../../core/models.ts';
import type { Usage } from '../../../../core/usage.ts';
import { maybe } from '../_read.ts';
import { given } from '../_given.ts';
import { writeCallSeal, writeDetail } from './reasoning.ts';
import { writeFinish } from './reply.ts';
import { writeUsage } from './usage.ts';

/** The last event, which is no JSON: `data: [DONE]`. Told by the identity of its `data`. */
export const DONE: ModelsChunk = Object.freeze({ data: Object.freeze({}) });

/** Events as `chat.completion.chunk`: https://platform.openai.com/docs/api-reference/chat-streaming. */
export function streamWriter(context: WriteContext): ChatStreamWriter {
  const writer = new Writer(context);
  return { write: (event) => writer.write(event) };
}

class Writer {
  readonly #context: WriteContext;
  #head: JsonObject | undefined;
  #chunks: ModelsChunk[] = [];
  #finish: Finish | undefined;
  #usage: Usage | undefined;
  /** Calls, and whether they have arguments. */
  readonly #calls = new Map<number, boolean>();
  #details = 0;
  #thought = '';
  #done = false;

  constructor(context: WriteContext) {
    this.#context = context;
  }

  write(event: ChatEvent): readonly ModelsChunk[] {
    if (this.#done) return [];
    this.#chunks = [];
    this.#take(event);
    return this.#chunks;
  }

  #take(event: ChatEvent): void {
    switch (event.type) {
      case 'start':
        this.#start(event.id, event.model);
        return;
      case 'text':
        return this.#delta({ content: event.text });
      case 'refusal':
        return this.#delta({ refusal: event.text });
      case 'reasoning':
        this.#thought += event.text;
        return this.#delta({ reasoning_content: event.text });
      case 'seal':
        return this.#seal(event.seal, event.hidden);
      case 'call': {
        this.#calls.set(event.call, false);
        const call = { index: event.call, id: event.id, type: 'function', function: { name: event.name, arguments: '' } };
        return this.#delta({ tool_calls: [{ ...call, ...writeCallSeal(event.seal) }] });
      }
      case 'arguments':
        this.#calls.set(event.call, true);
        return this.#delta({ tool_calls: [{ index: event.call, function: { arguments: event.text } }] });
      case 'usage':
        this.#usage = { ...this.#usage, ...event.usage };
        return;
      case 'finish':
        this.#finish = event.finish;
        return;
      case 'error':
        // Who reads throws it.
        return;
      case 'end':
        return this.#end();
    }
  }

  /** The text goes along, so that a caller who sends the message back says which text is signed. */
  #seal(seal: Seal, hidden: boolean | undefined): void {
    const text = hidden === true ? '' : this.#thought;
    if (hidden !== true) this.#thought = '';
    this.#delta({ reasoning_details: [writeDetail(given({ text, seal, hidden }), this.#details++, (family) => family)] });
  }

  #start(id: string | undefined, model: string | undefined): JsonObject {
    if (this.#head !== undefined) return this.#head;
    this.#head = headOf({ id: id ?? this.#context.id, created: this.#context.created, model: model ?? this.#context.model });
    this.#chunks.push(chunk(this.#head, this.#context, { role: 'assistant', content: '' }));
    return this.#head;
  }

  #delta(delta: JsonObject, finish?: Finish): void {
    const head = this.#start(undefined, undefined);
    this.#chunks.push(chunk(head, this.#context, delta, finish === undefined ? null : writeFinish(finish)));
  }

  #end(): void {
    this.#done = true;
    // Clients parse what they have gathered, and nothing is no JSON.
    for (const [index, filled] of this.#calls) {
      if (!filled) this.#delta({ tool_calls: [{ index, function: { arguments: '{}' } }] });
    }
    this.#delta({}, this.#finish ?? (this.#calls.size > 0 ? 'tool_calls' : 'stop'));
    const usage = this.#usage && writeUsage(this.#usage);
    this.#chunks.push(...last(this.#start(undefined, undefined), this.#context, usage));
  }
}

function headOf(fields: JsonObject): JsonObject {
  return { ...fields, object: 'chat.completion.chunk' };
}

function wantsUsage({ body }: WriteContext): boolean {
  return maybe.object(body['stream_options'])['include_usage'] === true;
}

/** With usage asked for, every event before it has a null in its place. */
function chunk(head: JsonObject, context: WriteContext, delta: JsonObject, finish: unknown = null, index = 0): ModelsChunk {
  const usage = wantsUsage(context) ? { usage: null } : {};
  return { data: { ...head, choices: [{ index, delta, logprobs: null, finish_reason: finish }], ...usage } };
}

function last(head: JsonObject, context: WriteContext, usage: unknown): ModelsChunk[] {
  return wantsUsage(context) && isObject(usage) ? [{ data: { ...head, choices: [], usage } }, DONE] : [DONE];
}

/** A whole `chat.completion` as the stream that would have brought it; its last event carries it, for the policy that looks next. */
export function replay(body: JsonObject, context: WriteContext): readonly ModelsChunk[] {
  const { choices, usage, object: _, ...fields } = body;
  const head = headOf({ id: context.id, created: context.created, model: context.model, ...fields });
  const chunks = maybe
    .list(choices)
    .filter(isObject)
    .flatMap((choice, at) => {
      const index = maybe.number(choice['index']) ?? at;
      const { role, content, tool_calls: calls, ...rest } = maybe.object(choice['message']);
      const spoken = Object.fromEntries(Object.entries({ ...rest, content }).filter(([, value]) => value !== null && value !== undefined));
      const deltas = [
        { role: role ?? 'assistant', content: '' },
        ...(Object.keys(spoken).length > 0 ? [spoken] : []),
        ...maybe
          .list(calls)
          .filter(isObject)
          .map((call, one) => ({ tool_calls: [{ index: one, ...call }] })),
      ];
      const ended = chunk(head, context, {}, choice['finish_reason'] ?? 'stop', index);
      return [...deltas.map((delta) => chunk(head, context, delta, null, index)), ended];
    });
  const ends = last(head, context, usage);
  return [...chunks, ...ends.slice(0, -1), { ...DONE, reply: { body } }];
}
