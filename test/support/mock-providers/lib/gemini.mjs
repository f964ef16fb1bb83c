// Gemini: generateContent (and its stream, as SSE or as one JSON array), countTokens, embeddings, models.
import { answer, countWords, embedding, pieces, signature } from './model.mjs';
import { onlyFields, Refusal, sse } from './serve.mjs';

const FIELDS = new Set(
  'contents systemInstruction system_instruction tools toolConfig tool_config safetySettings safety_settings generationConfig generation_config cachedContent cached_content labels store serviceTier model'.split(
    ' ',
  ),
);
const STATUS = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
  529: 'UNAVAILABLE',
};
const unknownName = (field) => `Invalid JSON payload received. Unknown name "${field}": Cannot find field.`;

function problem(status, fault, message) {
  const details =
    status === 429 ? [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${fault?.retry ?? 1}s` }] : undefined;
  const text =
    { 429: 'You exceeded your current quota.', 503: 'The model is overloaded. Please try again later.' }[status] ??
    'Internal error encountered.';
  return { error: { code: status, message: message ?? text, status: STATUS[status] ?? 'INTERNAL', ...(details && { details }) } };
}

const textOf = (content) => (content?.parts ?? []).map((p) => p.text ?? '').join('');

/** For calls that another model made: the real API lets it pass. */
const FOREIGN = 'skip_thought_signature_validator';
const callSignature = ({ name, args }) => signature('gemini', `${name} ${JSON.stringify(args)}`);

/** Gemini 3 wants the signature of the first call of each model turn back, byte for byte; older ones take its absence. */
function checkSignatures(content, i, model) {
  const calls = content.parts.filter((p) => p.functionCall);
  for (const { text, thoughtSignature } of content.parts)
    if (
      text !== undefined &&
      thoughtSignature !== undefined &&
      !/^gemini:text .*\u00ff\u07ff/s.test(Buffer.from(thoughtSignature, 'base64').toString())
    )
      throw new Refusal(400, 'Thought signature is not valid.');
  for (const [j, { functionCall, thoughtSignature }] of calls.entries()) {
    if (thoughtSignature === undefined && j === 0 && content.role === 'model' && model.includes('gemini-3'))
      throw new Refusal(
        400,
        `Function call is missing a thought_signature in functionCall parts. Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures: function call \`default_api:${functionCall.name}\`, position ${i}.`,
      );
    if (thoughtSignature !== undefined && thoughtSignature !== FOREIGN && thoughtSignature !== callSignature(functionCall))
      throw new Refusal(400, 'Thought signature is not valid.');
  }
}

const STOP = new Set(['args', 'response', 'parameters', 'parametersJsonSchema', 'responseSchema', 'responseJsonSchema']);
const camel = (v) =>
  Array.isArray(v)
    ? v.map(camel)
    : v && typeof v === 'object'
      ? Object.fromEntries(
          Object.entries(v).map(([k, x]) => {
            const c = k.replace(/_([a-z])/g, (_, l) => l.toUpperCase());
            return [c, STOP.has(c) ? x : camel(x)];
          }),
        )
      : v;
function toAsk(body, model) {
  body = camel(body);
  onlyFields(body, FIELDS, unknownName);
  const contents = [body.contents ?? []].flat();
  if (!contents.length) throw new Refusal(400, '* GenerateContentRequest.contents: contents is not specified');
  const config = body.generationConfig ?? body.generation_config ?? {};
  const mode = (body.toolConfig ?? body.tool_config)?.functionCallingConfig;
  return {
    model,
    system: textOf(body.systemInstruction ?? body.system_instruction),
    turns: contents.map((content, i) => {
      if (content.role && !['user', 'model', 'function'].includes(content.role))
        throw new Refusal(400, 'Please use a valid role: user, model.');
      checkSignatures(content, i, model);
      const results = content.parts.filter((p) => p.functionResponse);
      if (results.some((p) => !p.functionResponse.name))
        throw new Refusal(400, '* GenerateContentRequest.contents: function_response.name: Name cannot be empty.');
      if (results.length && !contents[i - 1]?.parts?.some((p) => p.functionCall))
        throw new Refusal(400, 'Please ensure that function response turn comes immediately after a function call turn.');
      return {
        role: content.role === 'model' ? 'assistant' : 'user',
        text: textOf(content),
        images: content.parts
          .filter((p) => p.inlineData ?? p.inline_data)
          .map((p) => p.inlineData ?? p.inline_data)
          .map((d) => ({ mime: d.mimeType ?? d.mime_type, size: Buffer.from(d.data, 'base64').length })),
        results: results.map((p) => ({
          id: p.functionResponse.id,
          text:
            p.functionResponse.response?.output ??
            p.functionResponse.response?.result ??
            p.functionResponse.response?.content ??
            JSON.stringify(p.functionResponse.response),
        })),
      };
    }),
    tools: (body.tools ?? [])
      .flatMap((t) => t.functionDeclarations ?? t.function_declarations ?? [])
      .map((f) => ({ name: f.name, schema: f.parametersJsonSchema ?? f.parameters })),
    choice:
      { ANY: mode?.allowedFunctionNames?.length === 1 ? { name: mode.allowedFunctionNames[0] } : 'required', NONE: 'none' }[mode?.mode] ??
      'auto',
    schema: config.responseJsonSchema ?? config.responseSchema ?? config._responseJsonSchema,
    json: config.responseMimeType === 'application/json',
    maxTokens: config.maxOutputTokens,
    stop: config.stopSequences,
    reasoning: config.thinkingConfig?.includeThoughts,
  };
}

function generate(request) {
  const { body, model, fault, query, path } = request;
  const a = answer(toAsk(body, model), { hugeKb: fault?.kind === 'huge' ? (fault.kb ?? 1024) : undefined });
  const usageMetadata = {
    promptTokenCount: a.usage.input,
    candidatesTokenCount: a.usage.output - a.usage.reasoning,
    totalTokenCount: a.usage.input + a.usage.output,
    ...(a.usage.reasoning && { thoughtsTokenCount: a.usage.reasoning }),
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: a.usage.input }],
  };
  const response = (parts, finishReason) => ({
    ...(fault?.kind !== 'empty' && {
      candidates: [{ content: { role: 'model', parts }, ...(finishReason && { finishReason }), index: 0 }],
    }),
    ...(fault?.kind !== 'no-usage' && { usageMetadata }),
    modelVersion: model,
    responseId: 'mock',
  });
  const parts = [];
  if (a.reasoning) parts.push({ text: a.reasoning, thought: true });
  // Gemini 3 signs what it said after thinking: on the text, or in a stream on an empty one that follows it.
  const signed = a.reasoning && a.text && model.includes('gemini-3') && { thoughtSignature: signature('gemini', `text ${a.text}`) };
  const streams = path.endsWith(':streamGenerateContent');
  if (a.text) parts.push({ text: a.text, ...(!streams && signed) });
  if (signed && streams) parts.push({ text: '', ...signed });
  for (const [i, { id, name, args }] of a.calls.entries())
    parts.push({ functionCall: { id, name, args }, ...(i === 0 && { thoughtSignature: callSignature({ name, args }) }) });
  const finish = a.finish === 'length' ? 'MAX_TOKENS' : 'STOP';
  if (!streams) return { json: response(parts, finish) };

  const chunks = parts.flatMap((p) => (p.text ? pieces(p.text).map((text) => [{ ...p, text }]) : [[p]]));
  if (!chunks.length) chunks.push([{ text: '' }]);
  const bodies = chunks.map((c, i) => response(c, i === chunks.length - 1 ? finish : undefined));
  if (query.get('alt') === 'sse')
    return {
      stream: {
        type: 'text/event-stream',
        frames: bodies.map((b) => `data: ${JSON.stringify(b)}\r\n\r\n`),
        malformed: 'data: {"candidates":[{"content":{"parts":[{"te\r\n\r\n',
        error: sse(problem(503)),
      },
    };
  return {
    stream: {
      type: 'application/json',
      frames: bodies.map((b, i) => `${i ? ',\r\n' : '['}${JSON.stringify(b)}${i === bodies.length - 1 ? ']' : ''}`),
      malformed: ',{"candidates":[',
      error: `,\r\n${JSON.stringify(problem(503))}]`,
    },
  };
}

const vector = ({ content, outputDimensionality, embedContentConfig }) => ({
  values: embedding(textOf(content), outputDimensionality ?? embedContentConfig?.outputDimensionality ?? 8),
});
const model = (id) => ({
  name: `models/${id}`,
  version: '001',
  displayName: id,
  inputTokenLimit: 1_000_000,
  outputTokenLimit: 8192,
  supportedGenerationMethods: ['generateContent', 'countTokens', 'embedContent'],
});
const at = (verb) => new RegExp(`^/v1(?:beta)?/models/(?<model>.+):${verb}$`);

export const gemini = {
  name: 'gemini',
  authorize({ headers, query }) {
    const key = headers['x-goog-api-key'] ?? query.get('key') ?? /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
    if (!key)
      throw new Refusal(
        403,
        "Method doesn't allow unregistered callers. Please use API Key or other form of API consumer identity to call this API.",
      );
    if (key.includes('bad')) throw new Refusal(400, 'API key not valid. Please pass a valid API key.');
  },
  fail: (status, fault, message, code) => ({
    status,
    headers: {},
    json: problem(
      status,
      fault,
      code === 'model_not_found'
        ? message.replace(/^The model '(.*)' does not exist$/, 'models/$1 is not found for API version v1beta')
        : message,
    ),
  }),
  says: { 'too-long': [400, 'The input token count (1048600) exceeds the maximum number of tokens allowed (1048576).'] },
  routes: [
    ['POST', at('generateContent'), generate],
    ['POST', at('streamGenerateContent'), generate],
    [
      'POST',
      at('countTokens'),
      ({ body }) => ({
        json: {
          totalTokens: [body.contents ?? body.generateContentRequest?.contents ?? []].flat().reduce((n, c) => n + countWords(textOf(c)), 0),
        },
      }),
    ],
    [
      'POST',
      at('embedContent'),
      ({ body }) => ({ json: { embedding: vector(body), usageMetadata: { promptTokenCount: countWords(textOf(body.content)) } } }),
    ],
    ['POST', at('batchEmbedContents'), ({ body }) => ({ json: { embeddings: body.requests.map(vector) } })],
    ['GET', /^\/v1(?:beta)?\/models$/, () => ({ json: { models: ['gemini-mock', 'embedding-mock'].map(model) } })],
    ['GET', /^\/v1(?:beta)?\/models\/(?<model>[^:]+)$/, ({ model: id }) => ({ json: model(id) })],
  ],
};
