import OpenAI from 'openai';
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionContentPart,
  ChatCompletionCreateParamsNonStreaming,
  ChatCompletionMessage,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions';
import { type Ask, type Driver, type Failure, KEY, parsed, type Seen, type Turn } from '../ask.ts';

/** `openai`, chat completions, with its own accumulator for streams. */
export const openaiChat: Driver = {
  name: 'openai chat',
  door: 'chat',
  cannot: {},
  async chat(base, ask) {
    const client = openaiAt(base);
    const body = request(ask);
    return ask.stream ? stream(client, body, ask) : seen(await client.chat.completions.create(body, options(ask)));
  },
  failure: openaiFailure,
  async embed(base, model, encoding) {
    // The client asks for base64 itself when nothing is said, and decodes it.
    const explicit = encoding === 'float' ? { encoding_format: 'float' as const } : {};
    const { data } = await openaiAt(base).embeddings.create({ model, input: ['hello there', 'again'], ...explicit });
    if (data.length !== 2) throw new Error(`${data.length} vectors for two texts`);
    return data[0]?.embedding ?? [];
  },
  async models(base) {
    const names: string[] = [];
    for await (const model of openaiAt(base).models.list()) names.push(model.id);
    return names;
  },
};

export function openaiAt(base: string): OpenAI {
  return new OpenAI({ baseURL: `${base}/v1`, apiKey: KEY, maxRetries: 0 });
}

export function openaiFailure(thrown: unknown): Failure {
  const error = thrown as { status?: number; headers?: Headers; code?: string | null };
  return {
    message: String(thrown),
    aborted: thrown instanceof OpenAI.APIUserAbortError,
    ...(typeof error.status === 'number' && { status: error.status }),
    ...(error.code && { code: error.code }),
    ...(error.headers?.get('retry-after') && { retryAfter: error.headers.get('retry-after') ?? '' }),
  };
}

const options = (ask: Ask): { signal?: AbortSignal } => (ask.signal ? { signal: ask.signal } : {});

function request(ask: Ask): ChatCompletionCreateParamsNonStreaming {
  return {
    model: ask.model,
    messages: [...system(ask), ...ask.turns.flatMap(messages)],
    ...(ask.tools && {
      tools: ask.tools.map(({ name, schema }) => ({ type: 'function', function: { name, parameters: schema as Record<string, unknown> } })),
    }),
    ...(ask.choice && { tool_choice: typeof ask.choice === 'string' ? ask.choice : { type: 'function', function: ask.choice } }),
    ...(ask.schema && {
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'answer', schema: ask.schema as Record<string, unknown>, strict: true },
      },
    }),
    ...(ask.json && { response_format: { type: 'json_object' } }),
    ...(ask.reasoning && { reasoning_effort: 'low' }),
    ...(ask.maxTokens !== undefined && { max_completion_tokens: ask.maxTokens }),
    ...(ask.stop !== undefined && { stop: ask.stop }),
    ...(ask.temperature !== undefined && { temperature: ask.temperature }),
  };
}

function system({ system: text, cache }: Ask): ChatCompletionMessageParam[] {
  if (text === undefined) return [];
  const mark = { prompt_cache_breakpoint: { mode: 'explicit' } };
  return [{ role: 'system', content: cache ? [{ type: 'text', text, ...mark } as { type: 'text'; text: string }] : text }];
}

function messages(turn: Turn): ChatCompletionMessageParam[] {
  switch (turn.role) {
    case 'user': {
      const parts: ChatCompletionContentPart[] = [{ type: 'text', text: turn.text }];
      if (turn.png) parts.push({ type: 'image_url', image_url: { url: `data:image/png;base64,${turn.png}` } });
      if (turn.pdf) parts.push({ type: 'file', file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${turn.pdf}` } });
      return [{ role: 'user', content: parts.length === 1 ? turn.text : parts }];
    }
    case 'assistant':
      return [{ role: 'assistant', content: turn.text }];
    case 'again':
      return [turn.seen.message as ChatCompletionMessage];
    case 'tool':
      return turn.results.map(({ id, text }) => ({ role: 'tool', tool_call_id: id, content: text }));
  }
}

/** Fields beyond OpenAI's own: vendors use one name or the other. */
type Reasoned = { reasoning_content?: string; reasoning?: string; reasoning_details?: unknown[] };

function seen({ choices, usage }: ChatCompletion): Seen {
  const [choice] = choices;
  const message = choice?.message as (ChatCompletionMessage & Reasoned) | undefined;
  const details = usage?.prompt_tokens_details as { cache_write_tokens?: number } | undefined;
  return {
    text: message?.content ?? '',
    reasoning: message?.reasoning_content ?? message?.reasoning ?? '',
    calls: (message?.tool_calls ?? []).flatMap((call) =>
      call.type === 'function' ? [{ id: call.id, name: call.function.name, args: parsed(call.function.arguments) }] : [],
    ),
    finish: choice?.finish_reason ?? '',
    ...(usage && {
      usage: { input: usage.prompt_tokens, output: usage.completion_tokens, cacheWrite: details?.cache_write_tokens },
    }),
    message,
  };
}

async function stream(client: OpenAI, body: ChatCompletionCreateParamsNonStreaming, ask: Ask): Promise<Seen> {
  const runner = client.chat.completions.stream({ ...body, stream: true, stream_options: { include_usage: true } }, options(ask));
  const extras = new StreamExtras();
  runner.on('chunk', (chunk) => {
    ask.onFirst?.();
    extras.take(chunk);
  });
  const whole = await runner.finalChatCompletion();
  for (const choice of whole.choices) extras.addTo(choice.message);
  return seen(whole);
}

/** Fields that the client's accumulator does not know: it keeps the last piece of each. */
class StreamExtras {
  readonly #calls = new Map<number, unknown>();
  readonly #details: unknown[] = [];
  readonly #reasoning: { reasoning_content?: string; reasoning?: string } = {};

  take({ choices: [choice] }: ChatCompletionChunk): void {
    const delta = choice?.delta as (ChatCompletionChunk.Choice.Delta & Reasoned) | undefined;
    for (const field of ['reasoning_content', 'reasoning'] as const)
      if (delta?.[field]) this.#reasoning[field] = (this.#reasoning[field] ?? '') + delta[field];
    this.#details.push(...(delta?.reasoning_details ?? []));
    for (const call of delta?.tool_calls ?? []) {
      const { extra_content: extra } = call as { extra_content?: unknown };
      if (extra) this.#calls.set(call.index, extra);
    }
  }

  addTo(message: ChatCompletionMessage): void {
    Object.assign(message, this.#reasoning);
    if (this.#details.length > 0) Object.assign(message, { reasoning_details: this.#details });
    for (const [index, extra] of this.#calls) Object.assign(message.tool_calls?.[index] ?? {}, { extra_content: extra });
  }
}
