import { setTimeout as pause } from 'node:timers/promises';
import { isObject, type JsonObject } from '../core/json.ts';
import type { UpstreamRequest, UpstreamResponse, UpstreamStream } from '../core/upstream.ts';

/** Milliseconds between two pieces of a streamed answer, so that one sees it stream. */
const PACE_MS = 15;
const NAME = 'demo';
/** 2026-01-01; the model was never trained. */
const CREATED = 1_767_225_600;
const DIMENSIONS = 64;

interface Said {
  readonly text: string;
  readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
}

/**
 * A model inside the hub that speaks OpenAI's chat and embeddings: it repeats what it is told, calls the first tool it is offered, tells what the
 * tool answered, and fills in a JSON schema. No weights, no network: it is there so that every door answers on the first run.
 */
export async function demoModel(request: UpstreamRequest): Promise<UpstreamResponse | UpstreamStream> {
  const body = parsed(request.body);
  if (request.method === 'GET' && request.path === '/v1/models')
    return json(200, { object: 'list', data: [{ id: NAME, object: 'model', created: CREATED, owned_by: 'hubgate' }] });
  if (request.path === '/v1/embeddings') return json(200, embed(body));
  if (request.path !== '/v1/chat/completions')
    return json(404, { error: { message: 'The demo model has no such address.', type: 'invalid_request_error' } });
  const { messages } = body;
  if (!Array.isArray(messages) || messages.length === 0)
    return json(400, {
      error: { message: 'messages: at least one message is needed.', type: 'invalid_request_error', param: 'messages', code: null },
    });
  const said = answer(body, messages.filter(isObject));
  return body['stream'] === true ? streamed(body, said) : json(200, completion(body, said));
}

function answer(body: JsonObject, messages: readonly JsonObject[]): Said {
  const last = messages.at(-1) ?? {};
  if (last['role'] === 'tool') return { text: `The tool says: ${textOf(last['content'])}`, calls: [] };
  const asked = textOf(last['content']);
  const tool = chosenTool(body, asked);
  if (tool !== undefined)
    return { text: '', calls: [{ id: 'call_demo_1', name: String(tool['name']), arguments: JSON.stringify(sample(tool['parameters'])) }] };
  const format = isObject(body['response_format']) ? body['response_format'] : {};
  const wanted = isObject(format['json_schema']) ? format['json_schema']['schema'] : undefined;
  if (wanted !== undefined) return { text: JSON.stringify(sample(wanted)), calls: [] };
  const pictures = Array.isArray(last['content'])
    ? last['content'].filter((part) => isObject(part) && part['type'] === 'image_url').length
    : 0;
  const seen = pictures === 0 ? '' : ` (and ${pictures === 1 ? 'a picture' : `${pictures} pictures`})`;
  return {
    text: `You said: "${asked}"${seen}. I am the demo model inside this hub: I repeat, and I call tools when I am offered some.`,
    calls: [],
  };
}

function chosenTool({ tools, tool_choice: choice }: JsonObject, asked: string): JsonObject | undefined {
  if (!Array.isArray(tools) || choice === 'none') return undefined;
  const functions = tools.flatMap((tool) => (isObject(tool) && isObject(tool['function']) ? [tool['function']] : []));
  const forced = isObject(choice) && isObject(choice['function']) ? choice['function']['name'] : undefined;
  return functions.find(({ name }) => name === forced) ?? functions.find(({ name }) => asked.includes(String(name))) ?? functions[0];
}

/** The smallest value that a schema takes, as far as a demo must know schemas. */
function sample(schema: unknown): unknown {
  if (!isObject(schema)) return {};
  const { const: only, enum: choices, default: preset, anyOf, type, properties, items } = schema;
  if (only !== undefined || preset !== undefined) return only ?? preset;
  if (Array.isArray(choices)) return choices[0];
  if (Array.isArray(anyOf)) return sample(anyOf[0]);
  const kind = Array.isArray(type) ? type[0] : type;
  if (kind === 'object' || isObject(properties))
    return Object.fromEntries(Object.entries(isObject(properties) ? properties : {}).map(([key, value]) => [key, sample(value)]));
  if (kind === 'array') return items === undefined ? [] : [sample(items)];
  if (kind === 'integer' || kind === 'number') return typeof schema['minimum'] === 'number' ? schema['minimum'] : 1;
  return kind === 'boolean' ? true : kind === 'null' ? null : 'demo';
}

function completion(body: JsonObject, { text, calls }: Said): JsonObject {
  const message = {
    role: 'assistant',
    content: calls.length > 0 ? null : text,
    refusal: null,
    ...(calls.length > 0 && {
      tool_calls: calls.map((call) => ({ id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } })),
    }),
  };
  return {
    ...shell(body, 'chat.completion'),
    choices: [{ index: 0, message, logprobs: null, finish_reason: calls.length > 0 ? 'tool_calls' : 'stop' }],
    usage: usage(body, { text, calls }),
  };
}

function streamed(body: JsonObject, said: Said): UpstreamStream {
  return { status: 200, headers: { 'content-type': 'text/event-stream; charset=utf-8' }, body: pieces(body, said) };
}

async function* pieces(body: JsonObject, said: Said): AsyncGenerator<Buffer> {
  const options = body['stream_options'];
  const counts = isObject(options) && options['include_usage'] === true;
  const chunk = (choices: readonly object[], more: object = {}): Buffer =>
    Buffer.from(
      `data: ${JSON.stringify({ ...shell(body, 'chat.completion.chunk'), choices, ...(counts && { usage: null }), ...more })}\n\n`,
    );
  const delta = (change: object, finish: string | null = null): object => ({
    index: 0,
    delta: change,
    logprobs: null,
    finish_reason: finish,
  });
  yield chunk([delta({ role: 'assistant', content: said.calls.length > 0 ? null : '' })]);
  for (const piece of said.text.match(/\s*\S+/g) ?? []) {
    await pause(PACE_MS);
    yield chunk([delta({ content: piece })]);
  }
  for (const [index, { id, name, arguments: text }] of said.calls.entries()) {
    yield chunk([delta({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] })]);
    await pause(PACE_MS);
    yield chunk([delta({ tool_calls: [{ index, function: { arguments: text } }] })]);
  }
  yield chunk([delta({}, said.calls.length > 0 ? 'tool_calls' : 'stop')]);
  if (counts) yield chunk([], { usage: usage(body, said) });
  yield Buffer.from('data: [DONE]\n\n');
}

/** Words stand for tokens. */
function usage({ messages }: JsonObject, { text, calls }: Said): JsonObject {
  const prompt = words((messages as readonly unknown[]).map((message) => (isObject(message) ? textOf(message['content']) : '')).join(' '));
  const output = words(text) + calls.reduce((sum, call) => sum + 1 + words(call.arguments), 0);
  return { prompt_tokens: prompt, completion_tokens: output, total_tokens: prompt + output };
}

/** Vectors that are near each other when texts share words: each word adds one to a place that its letters choose. */
function embed({ input, model, encoding_format: format }: JsonObject): JsonObject {
  const texts = (Array.isArray(input) && typeof input[0] !== 'number' ? input : [input]).map(String);
  const data = texts.map((text, index) => {
    const vector = new Float32Array(DIMENSIONS);
    for (const word of text.toLowerCase().match(/\w+/g) ?? []) {
      const place = [...word].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % DIMENSIONS, 7);
      vector[place] = (vector[place] ?? 0) + 1;
    }
    const length = Math.hypot(...vector) || 1;
    const unit = vector.map((value) => value / length);
    return { object: 'embedding', index, embedding: format === 'base64' ? Buffer.from(unit.buffer).toString('base64') : [...unit] };
  });
  const tokens = texts.reduce((sum, text) => sum + words(text), 0);
  return { object: 'list', model, data, usage: { prompt_tokens: tokens, total_tokens: tokens } };
}

function shell({ model }: JsonObject, object: string): JsonObject {
  return { id: 'chatcmpl-demo', object, created: CREATED, model };
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part) => (isObject(part) && typeof part['text'] === 'string' ? part['text'] : '')).join('');
}

function words(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}

function parsed(body: UpstreamRequest['body']): JsonObject {
  if (body === undefined || body instanceof FormData) return {};
  try {
    const value: unknown = JSON.parse(Buffer.from(body as Uint8Array).toString());
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function json(status: number, value: object): UpstreamResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(value)) };
}
