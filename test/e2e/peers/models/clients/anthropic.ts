import Anthropic from '@anthropic-ai/sdk';
import type {
  ContentBlock,
  ContentBlockParam,
  Message,
  MessageCreateParamsNonStreaming,
  MessageParam,
  Tool,
} from '@anthropic-ai/sdk/resources/messages';
import { type Ask, type Driver, type Failure, KEY, type Seen, type Turn } from '../ask.ts';

const FINISH: Readonly<Record<string, string>> = { end_turn: 'stop', stop_sequence: 'stop', max_tokens: 'length', tool_use: 'tool_calls' };

/** `@anthropic-ai/sdk`, messages, with its own accumulator for streams. */
export const anthropic: Driver = {
  name: 'anthropic',
  door: 'messages',
  cannot: { 'JSON mode': 'the Messages API has JSON with a schema only' },
  async chat(base, ask) {
    const client = anthropicAt(base);
    const body = request(ask);
    const options = ask.signal ? { signal: ask.signal } : {};
    if (!ask.stream) return seen(await client.messages.create(body, options));
    const stream = client.messages.stream(body, options);
    stream.on('streamEvent', () => ask.onFirst?.());
    return seen(await stream.finalMessage());
  },
  failure(thrown) {
    return anthropicFailure(thrown);
  },
  async models(base) {
    const names: string[] = [];
    for await (const model of anthropicAt(base).models.list()) names.push(model.id);
    return names;
  },
  async count(base, model, text) {
    const counted = await anthropicAt(base).messages.countTokens({ model, messages: [{ role: 'user', content: text }] });
    return counted.input_tokens;
  },
};

function anthropicAt(base: string): Anthropic {
  return new Anthropic({ baseURL: base, apiKey: KEY, maxRetries: 0 });
}

function anthropicFailure(thrown: unknown): Failure {
  const error = thrown as { status?: number; headers?: Headers; error?: { error?: { type?: string } } };
  const code = error.error?.error?.type;
  return {
    message: String(thrown),
    aborted: thrown instanceof Anthropic.APIUserAbortError,
    ...(typeof error.status === 'number' && { status: error.status }),
    ...(code && { code }),
    ...(error.headers?.get('retry-after') && { retryAfter: error.headers.get('retry-after') ?? '' }),
  };
}

function request(ask: Ask): MessageCreateParamsNonStreaming {
  const mark = { cache_control: { type: 'ephemeral' as const } };
  return {
    model: ask.model,
    max_tokens: ask.maxTokens ?? 4096,
    messages: ask.turns.map(message),
    ...(ask.system !== undefined && { system: ask.cache ? [{ type: 'text', text: ask.system, ...mark }] : ask.system }),
    ...(ask.tools && { tools: ask.tools.map(({ name, schema }) => ({ name, input_schema: schema as Tool['input_schema'] })) }),
    ...(ask.choice && { tool_choice: choice(ask.choice) }),
    ...(ask.schema && { output_config: { format: { type: 'json_schema', schema: ask.schema as Record<string, unknown> } } }),
    ...(ask.reasoning && { thinking: { type: 'enabled', budget_tokens: 1024 } }),
    ...(ask.stop !== undefined && { stop_sequences: [ask.stop] }),
    ...(ask.temperature !== undefined && { temperature: ask.temperature }),
  };
}

function choice(asked: NonNullable<Ask['choice']>): NonNullable<MessageCreateParamsNonStreaming['tool_choice']> {
  if (typeof asked !== 'string') return { type: 'tool', name: asked.name };
  return asked === 'none' ? { type: 'none' } : { type: 'any' };
}

function message(turn: Turn): MessageParam {
  switch (turn.role) {
    case 'user': {
      const content: ContentBlockParam[] = [];
      if (turn.png) content.push({ type: 'image', source: { type: 'base64', media_type: 'image/png', data: turn.png } });
      if (turn.pdf) content.push({ type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: turn.pdf } });
      return { role: 'user', content: content.length === 0 ? turn.text : [...content, { type: 'text', text: turn.text }] };
    }
    case 'assistant':
      return { role: 'assistant', content: turn.text };
    case 'again':
      return { role: 'assistant', content: turn.seen.message as ContentBlock[] as ContentBlockParam[] };
    case 'tool':
      return { role: 'user', content: turn.results.map(({ id, text }) => ({ type: 'tool_result', tool_use_id: id, content: text })) };
  }
}

function seen({ content, stop_reason: reason, usage }: Message): Seen {
  const written = usage?.cache_creation_input_tokens ?? 0;
  return {
    text: content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join(''),
    reasoning: content.flatMap((block) => (block.type === 'thinking' ? [block.thinking] : [])).join(''),
    calls: content.flatMap((block) => (block.type === 'tool_use' ? [{ id: block.id, name: block.name, args: block.input }] : [])),
    finish: FINISH[reason ?? ''] ?? String(reason),
    ...(usage && {
      usage: {
        input: usage.input_tokens + written + (usage.cache_read_input_tokens ?? 0),
        output: usage.output_tokens,
        cacheWrite: written,
      },
    }),
    message: content,
  };
}
