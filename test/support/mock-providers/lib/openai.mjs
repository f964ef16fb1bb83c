// OpenAI: chat completions, responses, embeddings, models. Azure and Ollama reuse the chat part.
import { answer, argumentPieces, countWords, embedding, imageOf, pieces } from './model.mjs';
import { bearer, CREATED, hasBreakpoint, OPENAI_SAYS, openaiError } from './openai-parts.mjs';
import { responses } from './openai-responses.mjs';
import { onlyFields, Refusal, sse } from './serve.mjs';

const CHAT_FIELDS = new Set(
  `model messages stream stream_options max_tokens max_completion_tokens temperature top_p n stop seed tools tool_choice
  parallel_tool_calls response_format frequency_penalty presence_penalty logit_bias logprobs top_logprobs user metadata store reasoning_effort
  modalities audio prediction service_tier functions function_call verbosity web_search_options safety_identifier prompt_cache_key
  prompt_cache_retention prompt_cache_options moderation`.split(/\s+/),
);

// ---- chat completions ------------------------------------------------------------------------

const textOf = (content) =>
  typeof content === 'string'
    ? content
    : (content ?? [])
        .filter((p) => p.type === 'text' || p.type === 'refusal')
        .map((p) => p.text ?? p.refusal)
        .join('');

function chatAsk(body, model) {
  if (!Array.isArray(body.messages) || !body.messages.length)
    throw new Refusal(400, "Missing required parameter: 'messages'.", 'missing_required_parameter');
  const turns = [];
  const open = new Set(); // tool calls that still need their tool message
  for (const m of body.messages) {
    if (m.role === 'system' || m.role === 'developer') continue;
    if (m.role === 'tool') {
      if (!open.delete(m.tool_call_id))
        throw new Refusal(
          400,
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
          null,
        );
      const result = { id: m.tool_call_id, text: textOf(m.content) };
      if (turns.at(-1)?.role === 'tool') turns.at(-1).results.push(result);
      else turns.push({ role: 'tool', text: '', results: [result] });
      continue;
    }
    if (open.size)
      throw new Refusal(
        400,
        `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. Missing: ${[...open].join(', ')}`,
        null,
      );
    if (!['user', 'assistant'].includes(m.role))
      throw new Refusal(
        400,
        `Invalid value: '${m.role}'. Supported values are: 'system', 'assistant', 'user', 'tool', and 'developer'.`,
        'invalid_value',
      );
    for (const c of m.tool_calls ?? []) open.add(c.id);
    turns.push({
      role: m.role,
      text: textOf(m.content),
      images: Array.isArray(m.content)
        ? m.content
            .filter((p) => p.type === 'image_url' || p.type === 'file')
            .map((p) => imageOf(p.image_url?.url ?? p.file.file_data ?? ''))
        : [],
    });
  }
  if (open.size)
    throw new Refusal(
      400,
      `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. Missing: ${[...open].join(', ')}`,
      null,
    );
  if (body.temperature > 2 || body.temperature < 0)
    throw new Refusal(400, `Invalid 'temperature': must be between 0 and 2.`, 'decimal_out_of_range');
  const format = body.response_format;
  const choice = body.tool_choice;
  return {
    model,
    system: body.messages
      .filter((m) => m.role === 'system' || m.role === 'developer')
      .map((m) => textOf(m.content))
      .join('\n'),
    turns,
    tools: (body.tools ?? []).map((t) => ({ name: t.function.name, schema: t.function.parameters })),
    choice: choice?.function ? { name: choice.function.name } : choice,
    parallel: body.parallel_tool_calls,
    schema: format?.type === 'json_schema' ? format.json_schema.schema : undefined,
    json: format?.type === 'json_object',
    maxTokens: body.max_completion_tokens ?? body.max_tokens,
    stop: [body.stop ?? []].flat(),
    reasoning: !!body.reasoning_effort && body.reasoning_effort !== 'none',
    cache: hasBreakpoint(body.messages),
  };
}

const chatUsage = ({ input, output, reasoning, cacheWrite }) => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
  prompt_tokens_details: { cached_tokens: 0, cache_write_tokens: cacheWrite, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: reasoning, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
});
const toolCall = (c) => ({ id: c.id, type: 'function', function: { name: c.name, arguments: JSON.stringify(c.args) } });

/** `extras` lets Azure add its content filter fields, and others name the field that their reasoning is in. */
export function chat({ body, model, fault }, extras = {}) {
  const a = answer(chatAsk(body, model), { hugeKb: fault?.kind === 'huge' ? (fault.kb ?? 1024) : undefined });
  const base = { id: 'chatcmpl-mock', created: CREATED, model, service_tier: 'default', system_fingerprint: 'fp_mock' };
  const usage = fault?.kind === 'no-usage' ? undefined : chatUsage(a.usage);
  const choices = fault?.kind === 'empty' ? 0 : (body.n ?? 1);
  if (!body.stream) {
    const message = {
      role: 'assistant',
      content: a.calls.length ? null : a.text,
      refusal: null,
      annotations: [],
      ...(extras.reasoning && a.reasoning && { [extras.reasoning]: a.reasoning }),
      ...(a.calls.length && { tool_calls: a.calls.map(toolCall) }),
    };
    return {
      headers: { 'x-request-id': 'req_mock', 'openai-processing-ms': '5', 'x-ratelimit-remaining-requests': '99' },
      json: {
        ...base,
        object: 'chat.completion',
        ...extras.top,
        choices: Array.from({ length: choices }, (_, index) => ({
          index,
          message,
          logprobs: null,
          finish_reason: a.finish,
          ...extras.choice,
        })),
        usage,
      },
    };
  }
  const wantsUsage = body.stream_options?.include_usage && usage;
  const chunk = (list, more = {}) =>
    sse({ ...base, object: 'chat.completion.chunk', choices: list, ...(wantsUsage && { usage: null }), ...more });
  const delta = (index, d, finish_reason = null) => ({ index, delta: d, logprobs: null, finish_reason, ...extras.choice });
  const frames = extras.first ? [sse({ ...extras.first, id: '', object: '', created: 0, model: '', choices: [] })] : [];
  for (let index = 0; index < choices; index++) {
    frames.push(chunk([delta(index, { role: 'assistant', content: a.calls.length ? null : '', refusal: null })]));
    if (extras.reasoning) for (const piece of pieces(a.reasoning)) frames.push(chunk([delta(index, { [extras.reasoning]: piece })]));
    for (const piece of pieces(a.text)) frames.push(chunk([delta(index, { content: piece })]));
    for (const [i, c] of a.calls.entries()) {
      frames.push(
        chunk([delta(index, { tool_calls: [{ index: i, id: c.id, type: 'function', function: { name: c.name, arguments: '' } }] })]),
      );
      for (const piece of argumentPieces(c.args))
        frames.push(chunk([delta(index, { tool_calls: [{ index: i, function: { arguments: piece } }] })]));
    }
    frames.push(chunk([delta(index, {}, a.finish)]));
  }
  if (wantsUsage) frames.push(chunk([], { usage }));
  frames.push(sse('[DONE]'));
  return {
    stream: {
      type: 'text/event-stream; charset=utf-8',
      headers: { 'x-request-id': 'req_mock' },
      frames,
      malformed: 'data: {"id":"chatcmpl-mock","choices":[{"delta":{"content":"oo\n\n',
      error: sse({
        error: { message: 'The server had an error while processing your request', type: 'server_error', param: null, code: null },
      }),
    },
  };
}

// ---- the rest --------------------------------------------------------------------------------

export function embeddings({ body, model, fault }) {
  if (body.input === undefined) throw new Refusal(400, "Missing required parameter: 'input'.", 'missing_required_parameter');
  const inputs = Array.isArray(body.input) && typeof body.input[0] !== 'number' ? body.input : [body.input];
  const vector = (input) => {
    const numbers = embedding(JSON.stringify(input), body.dimensions ?? 8);
    return body.encoding_format === 'base64' ? Buffer.from(Float32Array.from(numbers).buffer).toString('base64') : numbers;
  };
  const tokens = inputs.reduce((n, i) => n + (typeof i === 'string' ? countWords(i) : i.length), 0);
  return {
    json: {
      object: 'list',
      model,
      data: fault?.kind === 'empty' ? [] : inputs.map((input, index) => ({ object: 'embedding', index, embedding: vector(input) })),
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    },
  };
}

const model = (id) => ({ id, object: 'model', created: CREATED, owned_by: 'mock' });
export const MODELS = ['gpt-mock', 'gpt-mock-mini', 'text-embedding-mock'];

export const openai = {
  name: 'openai',
  authorize: bearer,
  fail: openaiError,
  says: OPENAI_SAYS,
  routes: [
    [
      'POST',
      /^\/v1\/chat\/completions$/,
      (request) => {
        onlyFields(request.body, CHAT_FIELDS);
        return chat(request);
      },
    ],
    ['POST', /^\/v1\/responses$/, responses],
    ['POST', /^\/v1\/embeddings$/, embeddings],
    ['GET', /^\/v1\/models$/, () => ({ json: { object: 'list', data: MODELS.map(model) } })],
    ['GET', /^\/v1\/models\/(?<model>[^/]+)$/, ({ model: id }) => ({ json: model(id) })],
  ],
};
