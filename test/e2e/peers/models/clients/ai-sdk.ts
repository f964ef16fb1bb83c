import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import {
  APICallError,
  generateText,
  jsonSchema,
  type LanguageModel,
  type ModelMessage,
  Output,
  streamText,
  tool,
  type ToolSet,
  type UserContent,
} from 'ai';
import { type Ask, type Door, type Driver, type Failure, KEY, parsed, type Seen, type Turn } from '../ask.ts';

/** The name that the openai-compatible provider and its options go by. */
const NAME = 'hub';
const FINISH: Readonly<Record<string, string>> = { 'tool-calls': 'tool_calls' };

// It would print a line about each model whose name it does not know.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

/** `ai` with its OpenAI-compatible provider. */
export const aiCompatible: Driver = {
  ...driver('ai openai-compatible', 'chat', (base, model) =>
    createOpenAICompatible({
      name: NAME,
      baseURL: `${base}/v1`,
      apiKey: KEY,
      includeUsage: true,
      supportsStructuredOutputs: true,
    }).chatModel(model),
  ),
  cannot: { 'cache breakpoint': 'the client has no place for the mark' },
};

/** `ai` with its Anthropic provider. */
export const aiAnthropic: Driver = {
  ...driver('ai anthropic', 'messages', (base, model) => createAnthropic({ baseURL: `${base}/v1`, apiKey: KEY })(model)),
  cannot: {
    'JSON mode': 'the Messages API has JSON with a schema only',
    temperature: 'the client leaves it out for models that it does not know',
  },
};

function driver(name: string, door: Door, at: (base: string, model: string) => LanguageModel): Omit<Driver, 'cannot'> {
  return {
    name,
    door,
    chat: (base, ask) => (ask.stream ? stream(at(base, ask.model), ask) : plain(at(base, ask.model), ask)),
    failure,
  };
}

function failure(thrown: unknown): Failure {
  const api = APICallError.isInstance(thrown) ? thrown : undefined;
  const retryAfter = api?.responseHeaders?.['retry-after'];
  const { error } = parsed(api?.responseBody ?? '') as { error?: { code?: string | null; type?: string } };
  const code = error?.code ?? error?.type;
  return {
    message: String(thrown),
    aborted: (thrown as Error).name === 'AbortError',
    ...(api?.statusCode !== undefined && { status: api.statusCode }),
    ...(retryAfter && { retryAfter }),
    ...(code && { code }),
  };
}

async function plain(model: LanguageModel, ask: Ask): Promise<Seen> {
  return seen(await generateText({ model, ...settings(ask) }));
}

async function stream(model: LanguageModel, ask: Ask): Promise<Seen> {
  // Errors come as parts of the stream; the client would print them as well.
  const result = streamText({ model, ...settings(ask), onError: () => {} });
  for await (const part of result.fullStream) {
    if (part.type === 'error') throw part.error;
    if (part.type === 'abort') throw new DOMException('aborted', 'AbortError');
    if (/-(?:delta|start)$/.test(part.type)) ask.onFirst?.();
  }
  const [text, reasoningText, toolCalls, finishReason, usage, response] = await Promise.all([
    result.text,
    result.reasoningText,
    result.toolCalls,
    result.finishReason,
    result.usage,
    result.response,
  ]);
  return seen({ text, reasoningText, toolCalls, finishReason, usage, response });
}

/** The parts that plain and streamed results have in common. */
interface Result {
  readonly text: string;
  readonly reasoningText: string | undefined;
  readonly toolCalls: readonly { readonly toolCallId: string; readonly toolName: string; readonly input: unknown }[];
  readonly finishReason: string;
  readonly usage: {
    readonly inputTokens: number | undefined;
    readonly outputTokens: number | undefined;
    readonly inputTokenDetails: { readonly cacheWriteTokens: number | undefined };
  };
  readonly response: { readonly messages: readonly ModelMessage[] };
}

function seen({ text, reasoningText, toolCalls, finishReason, usage, response }: Result): Seen {
  return {
    text,
    reasoning: reasoningText ?? '',
    calls: toolCalls.map(({ toolCallId, toolName, input }) => ({ id: toolCallId, name: toolName, args: input })),
    finish: FINISH[finishReason] ?? finishReason,
    usage: { input: usage.inputTokens, output: usage.outputTokens, cacheWrite: usage.inputTokenDetails.cacheWriteTokens },
    message: response.messages,
  };
}

function settings(ask: Ask) {
  const tools: ToolSet = Object.fromEntries((ask.tools ?? []).map(({ name, schema }) => [name, tool({ inputSchema: jsonSchema(schema) })]));
  const mark = { providerOptions: { anthropic: { cacheControl: { type: 'ephemeral' } } } };
  return {
    maxRetries: 0,
    messages: ask.turns.flatMap(messages),
    ...(ask.system !== undefined && {
      instructions: ask.cache ? { role: 'system' as const, content: ask.system, ...mark } : ask.system,
    }),
    ...(ask.tools && { tools }),
    ...(ask.choice && {
      toolChoice: typeof ask.choice === 'string' ? ask.choice : { type: 'tool' as const, toolName: ask.choice.name },
    }),
    ...(ask.schema && { output: Output.object({ schema: jsonSchema(ask.schema) }) }),
    ...(ask.json && { output: Output.json() }),
    ...(ask.reasoning && {
      providerOptions: { [NAME]: { reasoningEffort: 'low' }, anthropic: { thinking: { type: 'enabled', budgetTokens: 1024 } } },
    }),
    ...(ask.maxTokens !== undefined && { maxOutputTokens: ask.maxTokens }),
    ...(ask.stop !== undefined && { stopSequences: [ask.stop] }),
    ...(ask.temperature !== undefined && { temperature: ask.temperature }),
    ...(ask.signal && { abortSignal: ask.signal }),
  };
}

function messages(turn: Turn): ModelMessage[] {
  switch (turn.role) {
    case 'user': {
      const content: Exclude<UserContent, string> = [{ type: 'text', text: turn.text }];
      if (turn.png) content.push({ type: 'file', mediaType: 'image/png', data: turn.png });
      if (turn.pdf) content.push({ type: 'file', mediaType: 'application/pdf', filename: 'a.pdf', data: turn.pdf });
      return [{ role: 'user', content }];
    }
    case 'assistant':
      return [{ role: 'assistant', content: turn.text }];
    case 'again':
      return turn.seen.message as ModelMessage[];
    case 'tool': {
      const content = turn.results.map(({ id, name, text }) => ({
        type: 'tool-result' as const,
        toolCallId: id,
        toolName: name,
        output: { type: 'text' as const, value: text },
      }));
      return [{ role: 'tool', content }];
    }
  }
}
