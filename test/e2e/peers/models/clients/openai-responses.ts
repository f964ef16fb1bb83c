import type OpenAI from 'openai';
import type {
  Response,
  ResponseCreateParamsNonStreaming,
  ResponseInputContent,
  ResponseInputItem,
  ResponseOutputItem,
} from 'openai/resources/responses/responses';
import { type Ask, type Driver, parsed, type Seen, type Turn } from '../ask.ts';
import { openaiAt, openaiFailure } from './openai-chat.ts';

/** `openai`, responses: stateless, as the hub serves them. */
export const openaiResponses: Driver = {
  name: 'openai responses',
  door: 'responses',
  cannot: { 'stop sequence': 'the Responses API has no stop sequences' },
  async chat(base, ask) {
    const client = openaiAt(base);
    const body = request(ask);
    return ask.stream ? stream(client, body, ask) : seen(await client.responses.create(body, options(ask)));
  },
  failure: openaiFailure,
};

const options = (ask: Ask): { signal?: AbortSignal } => (ask.signal ? { signal: ask.signal } : {});

function request(ask: Ask): ResponseCreateParamsNonStreaming {
  return {
    model: ask.model,
    store: false,
    input: [...marked(ask), ...ask.turns.flatMap(items)],
    ...(ask.system !== undefined && !ask.cache && { instructions: ask.system }),
    ...(ask.tools && {
      tools: ask.tools.map(({ name, schema }) => ({
        type: 'function',
        name,
        parameters: schema as Record<string, unknown>,
        strict: false,
      })),
    }),
    ...(ask.choice && { tool_choice: typeof ask.choice === 'string' ? ask.choice : { type: 'function', name: ask.choice.name } }),
    ...(ask.schema && {
      text: { format: { type: 'json_schema', name: 'answer', schema: ask.schema as Record<string, unknown>, strict: true } },
    }),
    ...(ask.json && { text: { format: { type: 'json_object' } } }),
    ...(ask.reasoning && { reasoning: { effort: 'low', summary: 'auto' }, include: ['reasoning.encrypted_content'] }),
    ...(ask.maxTokens !== undefined && { max_output_tokens: ask.maxTokens }),
    ...(ask.temperature !== undefined && { temperature: ask.temperature }),
  };
}

/** Instructions cannot carry a mark: a message can. */
function marked({ system, cache }: Ask): ResponseInputItem[] {
  if (system === undefined || !cache) return [];
  const part = { type: 'input_text', text: system, prompt_cache_breakpoint: { mode: 'explicit' } } as ResponseInputContent;
  return [{ role: 'system', content: [part] }];
}

function items(turn: Turn): ResponseInputItem[] {
  switch (turn.role) {
    case 'user': {
      const content: ResponseInputContent[] = [{ type: 'input_text', text: turn.text }];
      if (turn.png) content.push({ type: 'input_image', detail: 'auto', image_url: `data:image/png;base64,${turn.png}` });
      if (turn.pdf) content.push({ type: 'input_file', filename: 'a.pdf', file_data: `data:application/pdf;base64,${turn.pdf}` });
      return [{ role: 'user', content: content.length === 1 ? turn.text : content }];
    }
    case 'assistant':
      return [{ role: 'assistant', content: turn.text }];
    case 'again':
      return turn.seen.message as ResponseOutputItem[] as ResponseInputItem[];
    case 'tool':
      return turn.results.map(({ id, text }) => ({ type: 'function_call_output', call_id: id, output: text }));
  }
}

function seen(response: Response): Seen {
  const { output, usage } = response;
  const calls = output.flatMap((item) =>
    item.type === 'function_call' ? [{ id: item.call_id, name: item.name, args: parsed(item.arguments) }] : [],
  );
  const details = usage?.input_tokens_details as { cache_write_tokens?: number } | undefined;
  return {
    text: response.output_text,
    reasoning: output.flatMap((item) => (item.type === 'reasoning' ? item.summary.map((part) => part.text) : [])).join(''),
    calls,
    finish: finish(response, calls.length),
    ...(usage && { usage: { input: usage.input_tokens, output: usage.output_tokens, cacheWrite: details?.cache_write_tokens } }),
    message: output,
  };
}

function finish({ status, incomplete_details: details }: Response, calls: number): string {
  if (status === 'completed') return calls > 0 ? 'tool_calls' : 'stop';
  return details?.reason === 'max_output_tokens' ? 'length' : `${status} ${details?.reason ?? ''}`;
}

/** Compares what the deltas said with the whole that ends the stream. */
async function stream(client: OpenAI, body: ResponseCreateParamsNonStreaming, ask: Ask): Promise<Seen> {
  const runner = client.responses.stream({ ...body, stream: true }, options(ask));
  let text = '';
  let last = -1;
  const args = new Map<number, string>();
  for await (const event of runner) {
    ask.onFirst?.();
    if (event.sequence_number <= last) throw new Error(`sequence number ${event.sequence_number} after ${last}`);
    last = event.sequence_number;
    if (event.type === 'response.output_text.delta') text += event.delta;
    if (event.type === 'response.function_call_arguments.delta')
      args.set(event.output_index, (args.get(event.output_index) ?? '') + event.delta);
  }
  const whole = seen(await runner.finalResponse());
  if (text !== whole.text) throw new Error(`the deltas say ${JSON.stringify(text)}, the whole ${JSON.stringify(whole.text)}`);
  const streamed = [...args.values()].map(parsed);
  const calls = whole.calls.map((call) => call.args);
  if (JSON.stringify(streamed) !== JSON.stringify(calls)) throw new Error(`the deltas call with ${JSON.stringify(streamed)}`);
  return whole;
}
