import { AIMessage, type AIMessageChunk, type BaseMessage, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages';
import { ChatOpenAI, type ChatOpenAICallOptions } from '@langchain/openai';
import { type Ask, type Driver, KEY, type Seen, type Turn } from '../ask.ts';
import { openaiFailure } from './openai-chat.ts';

/** `@langchain/openai`, chat completions. */
export const langchain: Driver = {
  name: 'langchain',
  door: 'chat',
  cannot: {
    'reasoning, replayed': 'the client does not send reasoning back',
    'reasoning, streamed and replayed': 'the client does not send reasoning back',
  },
  async chat(base, ask) {
    const model = new ChatOpenAI({
      model: ask.model,
      apiKey: KEY,
      maxRetries: 0,
      streamUsage: true,
      configuration: { baseURL: `${base}/v1` },
      useResponsesApi: false,
      ...(ask.maxTokens !== undefined && { maxTokens: ask.maxTokens }),
      ...(ask.temperature !== undefined && { temperature: ask.temperature }),
      ...(ask.reasoning && { modelKwargs: { reasoning_effort: 'low' } }),
    });
    const input = [...system(ask), ...ask.turns.flatMap(messages)];
    if (!ask.stream) return seen(await model.invoke(input, options(ask)));
    let whole: AIMessageChunk | undefined;
    for await (const chunk of await model.stream(input, options(ask))) {
      ask.onFirst?.();
      whole = whole === undefined ? chunk : whole.concat(chunk);
    }
    if (whole === undefined) throw new Error('the stream had no chunk');
    if (ask.signal?.aborted) throw new DOMException('aborted', 'AbortError');
    return seen(whole);
  },
  failure(thrown) {
    // Some are wrapped in an error of the client's own.
    const failure = openaiFailure((thrown as Error).cause ?? thrown);
    return { ...failure, aborted: failure.aborted || /abort/i.test(String(thrown)) };
  },
};

function options(ask: Ask): Partial<ChatOpenAICallOptions> {
  return {
    ...(ask.tools && { tools: ask.tools.map(({ name, schema }) => ({ type: 'function', function: { name, parameters: schema } })) }),
    ...(ask.choice && { tool_choice: typeof ask.choice === 'string' ? ask.choice : { type: 'function', function: ask.choice } }),
    ...(ask.schema && {
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'answer', schema: ask.schema as Record<string, unknown>, strict: true },
      },
    }),
    ...(ask.json && { response_format: { type: 'json_object' } }),
    ...(ask.stop !== undefined && { stop: [ask.stop] }),
    ...(ask.signal && { signal: ask.signal }),
  };
}

function system({ system: text, cache }: Ask): BaseMessage[] {
  if (text === undefined) return [];
  return [
    new SystemMessage(cache ? { content: [{ type: 'text', text, prompt_cache_breakpoint: { mode: 'explicit' } }] } : { content: text }),
  ];
}

function messages(turn: Turn): BaseMessage[] {
  switch (turn.role) {
    case 'user': {
      const content: Record<string, unknown>[] = [{ type: 'text', text: turn.text }];
      if (turn.png) content.push({ type: 'image_url', image_url: { url: `data:image/png;base64,${turn.png}` } });
      if (turn.pdf) content.push({ type: 'file', file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${turn.pdf}` } });
      return [new HumanMessage({ content: content.length === 1 ? turn.text : (content as never) })];
    }
    case 'assistant':
      return [new AIMessage(turn.text)];
    case 'again':
      return [turn.seen.message as AIMessage];
    case 'tool':
      return turn.results.map(({ id, text }) => new ToolMessage({ tool_call_id: id, content: text }));
  }
}

function seen(message: AIMessage | AIMessageChunk): Seen {
  const { tool_calls: calls = [], usage_metadata: usage, response_metadata: metadata } = message;
  return {
    text: message.text,
    reasoning: String(message.additional_kwargs['reasoning_content'] ?? ''),
    calls: calls.map(({ id = '', name, args }) => ({ id, name, args })),
    finish: String(metadata['finish_reason'] ?? ''),
    ...(usage && {
      usage: {
        input: usage.input_tokens,
        output: usage.output_tokens,
        cacheWrite: usage.input_token_details?.cache_creation,
      },
    }),
    message,
  };
}
