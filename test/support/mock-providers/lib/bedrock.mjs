// Amazon Bedrock: Converse and ConverseStream (AWS event-stream framing). The SigV4 signature is
// recomputed and must match; Bedrock API keys (Bearer) are accepted too.
import { Sha256 } from '@aws-crypto/sha256-js';
import { EventStreamCodec } from '@smithy/eventstream-codec';
import { SignatureV4 } from '@smithy/signature-v4';
import { fromUtf8, toUtf8 } from '@smithy/util-utf8';
import { answer, argumentPieces, pieces, signature } from './model.mjs';
import { onlyFields, Refusal } from './serve.mjs';

export const CREDENTIALS = { accessKeyId: 'AKIAMOCK', secretAccessKey: 'mock-secret' };
const codec = new EventStreamCodec(toUtf8, fromUtf8);
const EXCEPTION = {
  400: 'ValidationException',
  401: 'UnrecognizedClientException',
  403: 'AccessDeniedException',
  404: 'ResourceNotFoundException',
  408: 'ModelTimeoutException',
  413: 'RequestEntityTooLargeException',
  424: 'ModelErrorException',
  429: 'ThrottlingException',
  500: 'InternalServerException',
  503: 'ServiceUnavailableException',
  529: 'ServiceUnavailableException',
};
const MESSAGE = { 429: 'Too many requests, please wait before trying again.', 503: 'The service is currently unavailable.' };

/** Recomputes the request's signature from its own headers and our copy of the secret. */
async function authorize({ method, url, headers, raw }) {
  const auth = headers.authorization ?? '';
  if (auth.startsWith('Bearer ')) {
    if (auth.includes('bad'))
      throw new Refusal(403, 'Authentication failed: Please make sure your API Key is valid.', 'AccessDeniedException');
    return;
  }
  const [, keyId, date, region, service, signed, signature] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      auth,
    ) ?? [];
  if (!signature) throw new Refusal(403, 'Missing Authentication Token', 'MissingAuthenticationTokenException');
  if (keyId !== CREDENTIALS.accessKeyId)
    throw new Refusal(403, 'The security token included in the request is invalid.', 'UnrecognizedClientException');
  const amzDate = headers['x-amz-date'] ?? '';
  if (service !== 'bedrock' || !amzDate.startsWith(date))
    throw new Refusal(403, 'Credential should be scoped to correct service: bedrock.', 'InvalidSignatureException');
  const target = new URL(url, `http://${headers.host}`);
  const names = signed.split(';');
  const signer = new SignatureV4({
    credentials: CREDENTIALS,
    region,
    service,
    sha256: Sha256,
    applyChecksum: names.includes('x-amz-content-sha256'),
  });
  const again = await signer.sign(
    {
      method,
      protocol: 'http:',
      hostname: target.hostname,
      port: target.port ? Number(target.port) : undefined,
      path: target.pathname,
      query: Object.fromEntries(target.searchParams),
      headers: Object.fromEntries(names.map((name) => [name, headers[name]])),
      body: raw,
    },
    {
      signingDate: new Date(amzDate.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z')),
      signableHeaders: new Set(names),
    },
  );
  if (!again.headers.authorization.endsWith(signature))
    throw new Refusal(
      403,
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.',
      'InvalidSignatureException',
    );
}

const textOf = (content) => (content ?? []).map((b) => b.text ?? '').join('');

const FIELDS = new Set(
  `messages system inferenceConfig toolConfig guardrailConfig additionalModelRequestFields promptVariables additionalModelResponseFieldPaths
  requestMetadata performanceConfig serviceTier outputConfig`.split(/\s+/),
);
const THINKING = new Set(['enabled', 'adaptive']);

/** Reasoning comes back as it went out, tools are described as long as the history has any, and there is no tool choice "none". */
function check(body) {
  onlyFields(body, FIELDS, (field) => `The request contains an unknown field: ${field}`);
  const content = (body.messages ?? []).flatMap((m) => m.content);
  for (const { reasoningContent: r } of content)
    if (r?.reasoningText && r.reasoningText.signature !== signature('bedrock', r.reasoningText.text))
      throw new Refusal(400, 'The model returned the following errors: Invalid `signature` in `thinking` block');
  if (!body.toolConfig && content.some((b) => b.toolUse || b.toolResult))
    throw new Refusal(400, 'The toolConfig field must be defined when using toolUse and toolResult content blocks.');
  const choice = Object.keys(body.toolConfig?.toolChoice ?? { auto: {} });
  if (choice.length !== 1 || !['auto', 'any', 'tool'].includes(choice[0]))
    throw new Refusal(400, 'The toolChoice field must have one of: auto, any, tool.');
  if (body.toolConfig && !body.toolConfig.tools?.length)
    throw new Refusal(400, 'The value at toolConfig.tools has length 0, it must be at least 1.');
  for (const { document: d } of content)
    if (d && !/^[\w\s()[\]-]{1,200}$/.test(d.name ?? ''))
      throw new Refusal(
        400,
        'The document file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, and square brackets.',
      );
}

const hasCachePoint = (body) =>
  [...(body.system ?? []), ...(body.toolConfig?.tools ?? []), ...body.messages.flatMap((m) => m.content)].some((b) => b.cachePoint);

function toAsk(body, model) {
  check(body);
  if (!Array.isArray(body.messages) || !body.messages.length)
    throw new Refusal(400, 'A conversation must start with a user message. Try again with a conversation that starts with a user message.');
  const turns = body.messages.map((m, i) => {
    if (m.role === body.messages[i - 1]?.role) throw new Refusal(400, 'A conversation must alternate between user and assistant roles.');
    const results = m.content.filter((b) => b.toolResult).map((b) => b.toolResult);
    const asked = (body.messages[i - 1]?.content ?? []).filter((b) => b.toolUse).map((b) => b.toolUse.toolUseId);
    if (results.some((r) => !asked.includes(r.toolUseId)) || asked.some((id) => !results.some((r) => r.toolUseId === id)))
      throw new Refusal(
        400,
        `The number of toolResult blocks at messages.${i}.content does not match the number of toolUse blocks of previous turn.`,
      );
    return {
      role: m.role,
      text: textOf(m.content),
      images: m.content
        .filter((b) => b.image || b.document)
        .map(({ image, document }) => ({
          mime: image ? `image/${image.format}` : `application/${document.format}`,
          size: Buffer.from((image ?? document).source.bytes ?? '', 'base64').length,
        })),
      results: results.map((r) => ({ id: r.toolUseId, text: r.content.map((c) => c.text ?? JSON.stringify(c.json)).join('') })),
    };
  });
  if (turns[0].role !== 'user') throw new Refusal(400, 'A conversation must start with a user message.');
  const { tools = [], toolChoice } = body.toolConfig ?? {};
  return {
    model,
    turns,
    system: textOf(body.system),
    tools: tools.filter((t) => t.toolSpec).map((t) => ({ name: t.toolSpec.name, schema: t.toolSpec.inputSchema.json })),
    choice: toolChoice?.tool ? { name: toolChoice.tool.name } : toolChoice?.any ? 'required' : 'auto',
    maxTokens: body.inferenceConfig?.maxTokens,
    stop: body.inferenceConfig?.stopSequences,
    reasoning: THINKING.has(body.additionalModelRequestFields?.thinking?.type),
    schema: schemaOf(body.outputConfig?.textFormat),
    cache: hasCachePoint(body),
  };
}

const schemaOf = (format) => (format?.type === 'json_schema' ? JSON.parse(format.structure.jsonSchema.schema) : undefined);

const frame = (type, kind, body) =>
  Buffer.from(
    codec.encode({
      headers: {
        [kind === 'exception' ? ':exception-type' : ':event-type']: { type: 'string', value: type },
        ':content-type': { type: 'string', value: 'application/json' },
        ':message-type': { type: 'string', value: kind },
      },
      body: fromUtf8(JSON.stringify(body)),
    }),
  );

function converse({ body, model, fault, path }) {
  const ask = toAsk(body, model);
  const a = answer(ask, { hugeKb: fault?.kind === 'huge' ? (fault.kb ?? 1024) : undefined });
  const stopped = ask.stop?.some((s) => answer({ ...ask, stop: [] }).text.includes(s));
  const stopReason = { stop: stopped ? 'stop_sequence' : 'end_turn', length: 'max_tokens', tool_calls: 'tool_use' }[a.finish];
  const usage = {
    inputTokens: a.usage.input - a.usage.cacheWrite,
    cacheReadInputTokens: 0,
    cacheWriteInputTokens: a.usage.cacheWrite,
    outputTokens: a.usage.output,
    totalTokens: a.usage.input + a.usage.output,
  };
  const content = [];
  if (a.reasoning)
    content.push({ reasoningContent: { reasoningText: { text: a.reasoning, signature: signature('bedrock', a.reasoning) } } });
  if (a.text && fault?.kind !== 'empty') content.push({ text: a.text });
  for (const c of a.calls) content.push({ toolUse: { toolUseId: c.id.replace('call_', 'tooluse_'), name: c.name, input: c.args } });
  const headers = { 'x-amzn-requestid': 'mock' };
  if (!path.endsWith('converse-stream'))
    return {
      headers,
      json: {
        output: { message: { role: 'assistant', content } },
        stopReason,
        ...(fault?.kind !== 'no-usage' && { usage }),
        metrics: { latencyMs: 5 },
      },
    };

  const event = (type, data) => frame(type, 'event', data);
  const frames = [event('messageStart', { role: 'assistant' })];
  for (const [contentBlockIndex, block] of content.entries()) {
    const delta = (d) => frames.push(event('contentBlockDelta', { contentBlockIndex, delta: d }));
    if (block.text) for (const text of pieces(block.text)) delta({ text });
    if (block.reasoningContent) {
      for (const text of pieces(a.reasoning)) delta({ reasoningContent: { text } });
      delta({ reasoningContent: { signature: signature('bedrock', a.reasoning) } });
    }
    if (block.toolUse) {
      const { toolUseId, name, input } = block.toolUse;
      frames.push(event('contentBlockStart', { contentBlockIndex, start: { toolUse: { toolUseId, name } } }));
      for (const input_ of argumentPieces(input)) delta({ toolUse: { input: input_ } });
    }
    frames.push(event('contentBlockStop', { contentBlockIndex }));
  }
  frames.push(
    event('messageStop', { stopReason }),
    event('metadata', { ...(fault?.kind !== 'no-usage' && { usage }), metrics: { latencyMs: 5 } }),
  );
  const broken = event('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'oops' } });
  broken[broken.length - 1] ^= 0xff; // the checksum no longer fits
  return {
    stream: {
      type: 'application/vnd.amazon.eventstream',
      headers,
      frames,
      malformed: broken,
      error: frame('throttlingException', 'exception', { message: MESSAGE[429] }),
    },
  };
}

export const bedrock = {
  name: 'bedrock',
  authorize,
  fail(status, _fault, message, code) {
    const type = code?.endsWith('Exception')
      ? code
      : code === 'model_not_found'
        ? 'ValidationException'
        : (EXCEPTION[status] ?? 'InternalServerException');
    return {
      status: code === 'model_not_found' ? 400 : status === 529 ? 503 : status,
      headers: { 'x-amzn-errortype': type, 'x-amzn-requestid': 'mock' },
      json: {
        message:
          code === 'model_not_found'
            ? 'The provided model identifier is invalid.'
            : (message ?? MESSAGE[status] ?? 'The system encountered an unexpected error.'),
      },
    };
  },
  says: { 'too-long': [400, 'Input is too long for requested model.'] },
  routes: [
    ['POST', /^\/model\/(?<model>[^/]+)\/converse(-stream)?$/, converse],
    [
      'POST',
      /^\/model\/(?<model>[^/]+)\/count-tokens$/,
      ({ body, model }) => ({ json: { inputTokens: answer(toAsk(body.input.converse, model)).usage.input } }),
    ],
  ],
};
