// Ollama: its own API (NDJSON streams) and its OpenAI-compatible one. No authentication.
import { answer, countWords, embedding, pieces } from './model.mjs';
import { Refusal } from './serve.mjs';
import { chat as openaiChat, embeddings as openaiEmbeddings } from './openai.mjs';

const created_at = '2026-01-01T00:00:00Z';

function toAsk(body, model) {
  const messages = body.messages ?? [{ role: 'user', content: body.prompt ?? '', images: body.images }];
  const turns = [];
  for (const m of messages.filter((m) => m.role !== 'system')) {
    if (m.role === 'tool') {
      const result = { id: m.tool_name ?? m.name, text: m.content };
      if (turns.at(-1)?.role === 'tool') turns.at(-1).results.push(result);
      else turns.push({ role: 'tool', text: '', results: [result] });
    } else
      turns.push({
        role: m.role,
        text: m.content ?? '',
        images: (m.images ?? []).map((i) => ({ mime: 'image', size: Buffer.from(i, 'base64').length })),
      });
  }
  return {
    model,
    turns,
    system:
      body.system ??
      messages
        .filter((m) => m.role === 'system')
        .map((m) => m.content)
        .join('\n'),
    tools: (body.tools ?? []).map((t) => ({ name: t.function.name, schema: t.function.parameters })),
    schema: typeof body.format === 'object' ? body.format : undefined,
    json: body.format === 'json',
    maxTokens: body.options?.num_predict > 0 ? body.options.num_predict : undefined,
    stop: [body.options?.stop ?? []].flat(),
    reasoning: !!body.think,
  };
}

const reply =
  (wrap) =>
  ({ body, model, fault }) => {
    const a = answer(toAsk(body, model), { hugeKb: fault?.kind === 'huge' ? (fault.kb ?? 1024) : undefined });
    const base = { model: body.model, created_at };
    const end = {
      done: true,
      done_reason: a.finish === 'length' ? 'length' : 'stop',
      total_duration: 5_000_000,
      load_duration: 1_000_000,
      ...(fault?.kind !== 'no-usage' && {
        prompt_eval_count: a.usage.input,
        prompt_eval_duration: 1_000_000,
        eval_count: a.usage.output,
        eval_duration: 3_000_000,
      }),
    };
    const tool_calls = a.calls.map((c) => ({ function: { name: c.name, arguments: c.args } }));
    if (fault?.kind === 'empty') a.text = '';
    if (body.stream === false) return { json: { ...base, ...wrap(a.text, a.reasoning, tool_calls), ...end } };
    const lines = [
      ...pieces(a.reasoning).map((p) => wrap('', p, [])),
      ...pieces(a.text).map((p) => wrap(p, '', [])),
      ...(tool_calls.length ? [wrap('', '', tool_calls)] : []),
    ].map((w) => ({ ...base, ...w, done: false }));
    return {
      stream: {
        type: 'application/x-ndjson',
        frames: [...lines, { ...base, ...wrap('', '', []), ...end }].map((l) => `${JSON.stringify(l)}\n`),
        malformed: '{"model":"mock","message":{"content":"oo\n',
        error: '{"error":"an error was encountered while running the model: unexpected EOF"}\n',
      },
    };
  };
const chat = reply((content, thinking, tool_calls) => ({
  message: { role: 'assistant', content, ...(thinking && { thinking }), ...(tool_calls.length && { tool_calls }) },
}));
const generate = reply((response, thinking) => ({ response, ...(thinking && { thinking }) }));

const show = {
  license: '',
  modelfile: '',
  parameters: '',
  template: '',
  details: { format: 'gguf', family: 'mock', parameter_size: '1B', quantization_level: 'Q4_0' },
  model_info: {},
  capabilities: ['completion', 'tools', 'vision'],
};
const tag = (name) => ({ name, model: name, modified_at: created_at, size: 1, digest: 'mock', details: show.details });
const embed = ({ body }) => {
  const inputs = [body.input ?? ''].flat();
  return {
    json: {
      model: body.model,
      embeddings: inputs.map((t) => embedding(t, body.dimensions ?? 8)),
      total_duration: 1,
      load_duration: 1,
      prompt_eval_count: inputs.reduce((n, t) => n + countWords(t), 0),
    },
  };
};

/** Content is text and images inside the request, nothing else. */
function checkParts({ messages = [] }) {
  for (const part of messages.flatMap((m) => (Array.isArray(m.content) ? m.content : []))) {
    if (!['text', 'image_url'].includes(part.type)) throw new Refusal(400, 'invalid message format');
    if (part.type === 'image_url' && !/^data:(?:image\/(?:jpeg|jpg|png|webp))?;base64,/.test(part.image_url?.url ?? part.image_url))
      throw new Refusal(400, 'invalid image input');
  }
}

// It takes tool_choice and does not look at it, and thinks in `reasoning`.
const compatible = (request) => {
  checkParts(request.body);
  return openaiChat({ ...request, body: { ...request.body, tool_choice: undefined } }, { reasoning: 'reasoning' });
};

export const ollama = {
  name: 'ollama',
  fail: (status, _fault, message, code) => ({
    status,
    headers: {},
    json: {
      error:
        code === 'model_not_found'
          ? message.replace(/^The model '(.*)' does not exist$/, "model '$1' not found")
          : (message ??
            { 429: 'too many requests', 503: 'server busy, please try again.  maximum pending requests exceeded' }[status] ??
            'internal error'),
    },
  }),
  routes: [
    ['POST', /^\/api\/chat$/, chat],
    ['POST', /^\/api\/generate$/, generate],
    ['POST', /^\/api\/embed$/, embed],
    ['POST', /^\/api\/embeddings$/, ({ body }) => ({ json: { embedding: embedding(body.prompt ?? '') } })],
    ['POST', /^\/api\/show$/, () => ({ json: show })],
    ['GET', /^\/api\/tags$/, () => ({ json: { models: [tag('llama-mock:latest')] } })],
    ['GET', /^\/api\/version$/, () => ({ json: { version: '0.13.0' } })],
    ['GET', /^\/$/, () => ({ json: '"Ollama is running"' })],
    ['POST', /^\/v1\/chat\/completions$/, compatible],
    ['POST', /^\/v1\/embeddings$/, openaiEmbeddings],
    [
      'GET',
      /^\/v1\/models$/,
      () => ({ json: { object: 'list', data: [{ id: 'llama-mock:latest', object: 'model', created: 1767225600, owned_by: 'library' }] } }),
    ],
  ],
};
