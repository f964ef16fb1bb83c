// Anthropic: messages (with thinking, tools, images, structured output), token counting, models.
import { answer, argumentPieces, imageOf, pieces, signature } from './model.mjs';
import { onlyFields, Refusal, sse } from './serve.mjs';

const FIELDS = new Set(
  `model messages max_tokens system stream temperature top_p top_k stop_sequences tools tool_choice metadata thinking
  service_tier container mcp_servers context_management output_config output_format inference_geo cache_control diagnostics betas speed`.split(
    /\s+/,
  ),
);
const TYPES = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};
const TEXTS = { 429: 'This request would exceed your rate limit.', 529: 'Overloaded', 500: 'Internal server error' };

const problem = (status, message) => ({
  type: 'error',
  error: { type: TYPES[status] ?? 'api_error', message: message ?? TEXTS[status] ?? 'Error' },
  request_id: 'req_mock',
});

const blocks = (content) => (typeof content === 'string' ? [{ type: 'text', text: content }] : (content ?? []));
const textOf = (content) =>
  blocks(content)
    .filter((b) => b.type === 'text')
    .map((b) => b.text)
    .join('');

/** The version from which sampling is the model's own affair, and system messages may stand between turns. */
const NEWER = '2026-10-21';

function checkThinking({ thinking, max_tokens: max, tool_choice: choice, messages }) {
  if (['enabled', 'adaptive'].includes(thinking?.type) && ['any', 'tool'].includes(choice?.type))
    throw new Refusal(400, 'Thinking may not be enabled when tool_choice forces tool use.');
  if (thinking?.type !== 'enabled') return;
  checkLoop(messages ?? []);
  if (!(thinking.budget_tokens >= 1024))
    throw new Refusal(400, 'thinking.enabled.budget_tokens: Input should be greater than or equal to 1024');
  if (thinking.budget_tokens >= max) throw new Refusal(400, '`max_tokens` must be greater than `thinking.budget_tokens`.');
}

/** In a loop of tools, the answer with the calls begins with what was thought before them. */
function checkLoop(messages) {
  const last = messages.findLastIndex((m) => m.role === 'assistant');
  const content = blocks(messages[last]?.content);
  const [{ type } = {}] = content;
  if (content.some((b) => b.type === 'tool_use') && type !== 'thinking' && type !== 'redacted_thinking')
    throw new Refusal(
      400,
      `messages.${last}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${type}\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block (preceeding the lastmost set of \`tool_use\` and \`tool_result\` blocks).`,
    );
}

/** Reasoning comes back as it went out, or not at all. */
function checkSignatures(content, i) {
  for (const [j, b] of content.entries()) {
    if (b.type === 'thinking' && b.signature !== signature('anthropic', b.thinking))
      throw new Refusal(400, `messages.${i}.content.${j}: Invalid \`signature\` in \`thinking\` block`);
    if (b.type === 'redacted_thinking' && !b.data?.startsWith('mock-redacted'))
      throw new Refusal(400, `messages.${i}.content.${j}: Invalid \`data\` in \`redacted_thinking\` block`);
  }
}

/** All cache marks of a request: at most four. */
function cacheMarks(body) {
  const parts = [
    ...(Array.isArray(body.system) ? body.system : []),
    ...(body.tools ?? []),
    ...body.messages.flatMap((m) => blocks(m.content)),
  ];
  const marks = parts.filter((part) => part.cache_control).length;
  if (marks > 4) throw new Refusal(400, `A maximum of 4 blocks with cache_control may be provided. Found ${marks}.`);
  return marks;
}

function toAsk(body, model, { counting = false, version } = {}) {
  onlyFields(body, FIELDS, (field) => `${field}: Extra inputs are not permitted`);
  const newer = version >= NEWER;
  const sampling = newer && ['temperature', 'top_p', 'top_k'].find((field) => body[field] !== undefined);
  if (sampling) throw new Refusal(400, `${sampling}: Extra inputs are not permitted`);
  if (!counting) checkThinking(body);
  if (!counting && !(body.max_tokens >= 1)) throw new Refusal(400, 'max_tokens: Field required');
  if (!Array.isArray(body.messages) || !body.messages.length) throw new Refusal(400, 'messages: at least one message is required');
  if (body.temperature > 1 || body.temperature < 0) throw new Refusal(400, 'temperature: range: 0..1');
  if (body.messages[0].role !== 'user') throw new Refusal(400, 'messages: first message must use the "user" role');
  const turns = [];
  let calls = new Set(); // tool_use ids of the assistant message just before
  for (const [i, m] of body.messages.entries()) {
    if (m.role === 'system' && newer && i > 0) continue;
    if (!['user', 'assistant'].includes(m.role)) throw new Refusal(400, `messages.${i}.role: Input should be 'user' or 'assistant'`);
    const content = blocks(m.content);
    if (content.some((b) => b.type === 'text' && b.text === '')) throw new Refusal(400, `messages: text content blocks must be non-empty`);
    checkSignatures(content, i);
    const results = content.filter((b) => b.type === 'tool_result');
    const stray = results.find((r) => !calls.has(r.tool_use_id));
    if (stray)
      throw new Refusal(
        400,
        `messages.${i}.content.0: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray.tool_use_id}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
      );
    const unanswered = [...calls].filter((id) => !results.some((r) => r.tool_use_id === id));
    if (unanswered.length)
      throw new Refusal(
        400,
        `messages.${i}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${unanswered.join(', ')}.`,
      );
    calls = new Set(m.role === 'assistant' ? content.filter((b) => b.type === 'tool_use').map((b) => b.id) : []);
    turns.push({
      role: m.role,
      text: textOf(content),
      images: content
        .filter((b) => b.type === 'image' || b.type === 'document')
        .map((b) =>
          b.source.type === 'base64'
            ? { mime: b.source.media_type, size: Buffer.from(b.source.data, 'base64').length }
            : imageOf(b.source.url ?? ''),
        ),
      results: results.map((r) => ({ id: r.tool_use_id, text: textOf(r.content) })),
    });
  }
  const choice = body.tool_choice;
  const format = body.output_config?.format ?? body.output_format;
  return {
    model,
    system: textOf(body.system),
    turns,
    tools: (body.tools ?? []).filter((t) => t.input_schema).map((t) => ({ name: t.name, schema: t.input_schema })),
    choice: { any: 'required', none: 'none', tool: { name: choice?.name } }[choice?.type] ?? 'auto',
    parallel: !choice?.disable_parallel_tool_use,
    schema: format?.type === 'json_schema' ? format.schema : undefined,
    maxTokens: body.max_tokens,
    stop: body.stop_sequences,
    reasoning: ['enabled', 'adaptive', 'between_tools'].includes(body.thinking?.type),
    cache: cacheMarks(body) > 0,
  };
}

function messages({ body, model, fault, headers: { 'anthropic-version': version } }) {
  const ask = toAsk(body, model, { version });
  const a = answer(ask, { hugeKb: fault?.kind === 'huge' ? (fault.kb ?? 1024) : undefined });
  const content = [];
  if (a.reasoning) content.push({ type: 'thinking', thinking: a.reasoning, signature: signature('anthropic', a.reasoning) });
  if (a.text && fault?.kind !== 'empty') content.push({ type: 'text', text: a.text });
  for (const c of a.calls) content.push({ type: 'tool_use', id: c.id.replace('call_', 'toolu_'), name: c.name, input: c.args });
  const stopped = ask.stop?.find((s) => answer({ ...ask, stop: [] }).text.includes(s));
  const stop_reason =
    a.finish === 'tool_calls' ? 'tool_use' : a.finish === 'length' ? 'max_tokens' : stopped ? 'stop_sequence' : 'end_turn';
  const usage = {
    input_tokens: a.usage.input - a.usage.cacheWrite,
    cache_creation_input_tokens: a.usage.cacheWrite,
    cache_read_input_tokens: 0,
    output_tokens: a.usage.output,
    service_tier: 'standard',
  };
  const shell = { id: 'msg_mock', type: 'message', role: 'assistant', model, stop_sequence: stopped ?? null };
  const headers = { 'request-id': 'req_mock', 'anthropic-ratelimit-requests-remaining': '99' };
  if (!body.stream) return { headers, json: { ...shell, content, stop_reason, usage: fault?.kind === 'no-usage' ? undefined : usage } };

  const event = (type, data) => sse({ type, ...data }, type);
  const told = (tokens) => (fault?.kind === 'no-usage' ? undefined : tokens);
  const frames = [
    event('message_start', {
      message: { ...shell, content: [], stop_reason: null, stop_sequence: null, usage: told({ ...usage, output_tokens: 1 }) },
    }),
    event('ping'),
  ];
  for (const [index, block] of content.entries()) {
    const delta = (d) => frames.push(event('content_block_delta', { index, delta: d }));
    frames.push(
      event('content_block_start', {
        index,
        content_block: {
          text: { type: 'text', text: '' },
          thinking: { type: 'thinking', thinking: '', signature: '' },
          tool_use: { ...block, input: {} },
        }[block.type],
      }),
    );
    if (block.type === 'text') for (const text of pieces(block.text)) delta({ type: 'text_delta', text });
    if (block.type === 'tool_use')
      for (const partial_json of ['', ...argumentPieces(block.input)]) delta({ type: 'input_json_delta', partial_json });
    if (block.type === 'thinking') {
      for (const thinking of pieces(block.thinking)) delta({ type: 'thinking_delta', thinking });
      delta({ type: 'signature_delta', signature: block.signature });
    }
    frames.push(event('content_block_stop', { index }));
  }
  frames.push(
    event('message_delta', { delta: { stop_reason, stop_sequence: stopped ?? null }, usage: told({ output_tokens: usage.output_tokens }) }),
    event('message_stop'),
  );
  return {
    stream: {
      type: 'text/event-stream; charset=utf-8',
      headers,
      frames,
      malformed: 'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"oo\n\n',
      error: sse(problem(529), 'error'),
    },
  };
}

const model = (id) => ({ type: 'model', id, display_name: id, created_at: '2026-01-01T00:00:00Z' });

export const anthropic = {
  name: 'anthropic',
  authorize({ headers }) {
    const key = headers['x-api-key'] ?? /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
    if (!key || key.includes('bad')) throw new Refusal(401, key ? 'invalid x-api-key' : 'x-api-key header is required');
    if (!headers['anthropic-version']) throw new Refusal(400, 'anthropic-version: header is required');
  },
  fail: (status, fault, message, code) => ({
    status,
    headers: {
      'request-id': 'req_mock',
      ...(status === 429 && { 'retry-after': String(fault?.retry ?? 1) }),
      ...([429, 529, 500].includes(status) && { 'x-should-retry': 'true' }),
    },
    json: problem(status, code === 'model_not_found' ? message.replace(/^The model '(.*)' does not exist$/, 'model: $1') : message),
  }),
  says: {
    'too-long': [400, 'prompt is too long: 208310 tokens > 200000 maximum'],
    'no-credit': [402, 'Your credit balance is too low to access the Anthropic API.'],
  },
  routes: [
    ['POST', /^\/v1\/messages$/, messages],
    [
      'POST',
      /^\/v1\/messages\/count_tokens$/,
      ({ body, model: id, headers }) => ({
        json: { input_tokens: answer(toAsk(body, id, { counting: true, version: headers['anthropic-version'] })).usage.input },
      }),
    ],
    [
      'GET',
      /^\/v1\/models$/,
      () => ({ json: { data: [model('claude-mock')], has_more: false, first_id: 'claude-mock', last_id: 'claude-mock' } }),
    ],
    ['GET', /^\/v1\/models\/(?<model>[^/]+)$/, ({ model: id }) => ({ json: model(id) })],
  ],
};
