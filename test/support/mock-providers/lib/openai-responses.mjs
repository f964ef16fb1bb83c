// OpenAI's Responses API. Azure reuses it.
import { answer, argumentPieces, imageOf, pieces, signature } from './model.mjs';
import { CREATED, hasBreakpoint } from './openai-parts.mjs';
import { onlyFields, Refusal, sse } from './serve.mjs';

const RESPONSE_FIELDS = new Set(
  `model input instructions stream stream_options max_output_tokens max_tool_calls temperature top_p top_logprobs tools tool_choice
  parallel_tool_calls text reasoning store metadata user previous_response_id conversation include truncation background service_tier prompt
  safety_identifier prompt_cache_key prompt_cache_retention prompt_cache_options context_management moderation`.split(/\s+/),
);
const textOf = (content) => (typeof content === 'string' ? content : (content ?? []).map((part) => part.text ?? '').join(''));
const stored = new Map(); // response id -> the turns up to and including it

function responsesAsk(body, model) {
  const items = typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : (body.input ?? []);
  const turns = [...(stored.get(body.previous_response_id) ?? [])];
  const calls = new Set(
    [...turns, ...items].filter((i) => i.type === 'function_call' || i.calls).flatMap((i) => i.calls?.map((c) => c.id) ?? [i.call_id]),
  );
  if (body.previous_response_id && !stored.has(body.previous_response_id))
    throw new Refusal(400, `Previous response with id '${body.previous_response_id}' not found.`, 'previous_response_not_found');
  for (const item of items) {
    if (item.type === 'reasoning') {
      const text = (item.summary ?? []).map((part) => part.text).join('');
      if (item.encrypted_content && item.encrypted_content !== signature('openai', text))
        throw new Refusal(400, 'The encrypted content could not be verified.', 'invalid_encrypted_content');
    } else if (item.type === 'function_call_output') {
      if (!calls.has(item.call_id))
        throw new Refusal(400, `No tool call found for function call output with call_id ${item.call_id}.`, null);
      const result = { id: item.call_id, text: typeof item.output === 'string' ? item.output : JSON.stringify(item.output) };
      if (turns.at(-1)?.role === 'tool') turns.at(-1).results.push(result);
      else turns.push({ role: 'tool', text: '', results: [result] });
    } else if (!item.type || item.type === 'message') {
      if (item.role === 'system' || item.role === 'developer') continue;
      const parts = typeof item.content === 'string' ? [{ type: 'input_text', text: item.content }] : (item.content ?? []);
      turns.push({
        role: item.role,
        text: parts
          .filter((p) => p.type.endsWith('text'))
          .map((p) => p.text)
          .join(''),
        images: parts
          .filter((p) => p.type === 'input_image' || p.type === 'input_file')
          .map((p) => imageOf(p.image_url ?? p.file_data ?? '')),
      });
    }
  }
  const format = body.text?.format;
  return {
    model,
    system: [body.instructions ?? [], ...items.filter((i) => i.role === 'system' || i.role === 'developer').map((i) => textOf(i.content))]
      .flat()
      .join('\n'),
    turns,
    tools: (body.tools ?? []).filter((t) => t.type === 'function').map((t) => ({ name: t.name, schema: t.parameters })),
    choice: body.tool_choice?.name ? { name: body.tool_choice.name } : body.tool_choice,
    parallel: body.parallel_tool_calls,
    schema: format?.type === 'json_schema' ? format.schema : undefined,
    json: format?.type === 'json_object',
    maxTokens: body.max_output_tokens,
    reasoning: !!body.reasoning?.effort && body.reasoning.effort !== 'none',
    cache: hasBreakpoint(items),
  };
}

let responseCount = 0;

export function responses({ body, model, fault }) {
  onlyFields(body, RESPONSE_FIELDS, (f) => `Unknown parameter: '${f}'.`);
  if (body.input === undefined) throw new Refusal(400, "Missing required parameter: 'input'.", 'missing_required_parameter');
  const ask = responsesAsk(body, model);
  const a = answer(ask, { hugeKb: fault?.kind === 'huge' ? (fault.kb ?? 1024) : undefined });
  const id = `resp_mock_${++responseCount}`;
  const output = [];
  if (a.reasoning) {
    const summary = body.reasoning.summary ? [{ type: 'summary_text', text: a.reasoning }] : [];
    const sealed = body.include?.includes('reasoning.encrypted_content') && {
      encrypted_content: signature('openai', summary.length > 0 ? a.reasoning : ''),
    };
    output.push({ id: 'rs_mock', type: 'reasoning', summary, ...sealed });
  }
  for (const [i, c] of a.calls.entries())
    output.push({
      id: `fc_mock_${i + 1}`,
      type: 'function_call',
      status: 'completed',
      call_id: c.id,
      name: c.name,
      arguments: JSON.stringify(c.args),
    });
  if (!a.calls.length && fault?.kind !== 'empty')
    output.push({
      id: 'msg_mock',
      type: 'message',
      status: 'completed',
      role: 'assistant',
      content: [{ type: 'output_text', text: a.text, annotations: [], logprobs: [] }],
    });
  if (body.store !== false) stored.set(id, [...ask.turns, { role: 'assistant', text: a.text, calls: a.calls }]);
  const done =
    a.finish === 'length'
      ? { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }
      : { status: 'completed', incomplete_details: null };
  const shell = {
    id,
    object: 'response',
    created_at: CREATED,
    error: null,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    model,
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    previous_response_id: body.previous_response_id ?? null,
    reasoning: { effort: body.reasoning?.effort ?? null, summary: null },
    store: body.store ?? true,
    temperature: body.temperature ?? 1,
    text: body.text ?? { format: { type: 'text' } },
    tool_choice: body.tool_choice ?? 'auto',
    tools: body.tools ?? [],
    top_p: body.top_p ?? 1,
    truncation: 'disabled',
    user: null,
    metadata: body.metadata ?? {},
  };
  const usage = {
    input_tokens: a.usage.input,
    input_tokens_details: { cached_tokens: 0, cache_write_tokens: a.usage.cacheWrite },
    output_tokens: a.usage.output,
    output_tokens_details: { reasoning_tokens: a.usage.reasoning },
    total_tokens: a.usage.input + a.usage.output,
  };
  const whole = { ...shell, ...done, output, usage: fault?.kind === 'no-usage' ? null : usage };
  if (!body.stream) return { headers: { 'x-request-id': 'req_mock' }, json: whole };

  let sequence_number = 0;
  const event = (type, data) => sse({ type, sequence_number: sequence_number++, ...data }, type);
  const starting = { ...shell, status: 'in_progress', incomplete_details: null, output: [], usage: null };
  const frames = [event('response.created', { response: starting }), event('response.in_progress', { response: starting })];
  for (const [output_index, item] of output.entries()) {
    const at = { item_id: item.id, output_index };
    if (item.type === 'message') {
      const part = (text) => ({ type: 'output_text', text, annotations: [], logprobs: [] });
      frames.push(event('response.output_item.added', { output_index, item: { ...item, status: 'in_progress', content: [] } }));
      frames.push(event('response.content_part.added', { ...at, content_index: 0, part: part('') }));
      for (const delta of pieces(a.text))
        frames.push(event('response.output_text.delta', { ...at, content_index: 0, delta, logprobs: [] }));
      frames.push(event('response.output_text.done', { ...at, content_index: 0, text: a.text, logprobs: [] }));
      frames.push(event('response.content_part.done', { ...at, content_index: 0, part: part(a.text) }));
    } else if (item.type === 'function_call') {
      frames.push(event('response.output_item.added', { output_index, item: { ...item, status: 'in_progress', arguments: '' } }));
      for (const delta of argumentPieces(JSON.parse(item.arguments)))
        frames.push(event('response.function_call_arguments.delta', { ...at, delta }));
      frames.push(event('response.function_call_arguments.done', { ...at, name: item.name, arguments: item.arguments }));
    } else {
      frames.push(event('response.output_item.added', { output_index, item: { ...item, summary: [] } }));
      for (const [summary_index, part] of item.summary.entries()) {
        const inside = { ...at, summary_index };
        frames.push(event('response.reasoning_summary_part.added', { ...inside, part: { type: 'summary_text', text: '' } }));
        for (const delta of pieces(part.text)) frames.push(event('response.reasoning_summary_text.delta', { ...inside, delta }));
        frames.push(event('response.reasoning_summary_text.done', { ...inside, text: part.text }));
        frames.push(event('response.reasoning_summary_part.done', { ...inside, part }));
      }
    }
    frames.push(event('response.output_item.done', { output_index, item }));
  }
  frames.push(event(`response.${done.status}`, { response: whole }));
  return {
    stream: {
      type: 'text/event-stream; charset=utf-8',
      frames,
      malformed: 'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"oo\n\n',
      error: event('error', { code: 'server_error', message: 'The server had an error while processing your request', param: null }),
    },
  };
}
