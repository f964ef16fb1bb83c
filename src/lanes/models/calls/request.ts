import type { Address, Asked, ChatSurface } from '../../../core/contracts/provider.ts';
import type { JsonObject } from '../../../core/json.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { UpstreamResponse, UpstreamStream } from '../../../core/upstream.ts';
import { retryAfterMs } from '../../../core/units/retry-after.ts';
import { attempt, type Send } from '../../../pipeline/attempts/attempt.ts';
import type { LiveCall } from '../../../pipeline/live-call.ts';
import { ProviderError, reported } from '../provider-error.ts';
import type { Account } from '../routes/account.ts';
import type { Trial } from './arrival.ts';
import { checkKeys, insertField, replaceSoleValue, replaceValue } from '../passing/body-edits.ts';

export function askedOf(call: LiveCall<'models'>, { exchange, model }: Trial): Asked {
  return { model, stream: call.input.stream, headers: exchange.req.headers };
}

/** Where providers are, and what would allow it, is the operator's affair: callers read that it was the provider. */
export function withoutAddress(error: GatewayError, accounts: Iterable<Account>): GatewayError {
  const { code, message } = error;
  // What the hub says of itself names no provider.
  if (!/^(?:upstream_|egress_|model_|content_|context_)/.test(code)) return error;
  let told = message;
  if (code === 'egress_refused') told = 'The hub may not connect to the provider; its log says why.';
  else {
    for (const { provider } of accounts) {
      const host = URL.parse(provider.origin)?.host;
      if (host !== undefined && host !== '') told = told.replaceAll(host, 'the provider');
    }
    if (told !== message) told = told.replace(/^t/, 'T');
  }
  if (told === message) return error;
  const detail = `${message} ${error.detail ?? ''}`.trim();
  const { retryAfterMs: wait, rule } = error;
  if (error instanceof ProviderError) return new ProviderError({ code, message: told, vendor: error.vendor, ...waiting(wait) }, detail);
  return new GatewayError(code, told, { detail, cause: error, ...waiting(wait), ...(rule === undefined ? {} : { rule }) });
}

function waiting(retryAfterMs: number | undefined): { readonly retryAfterMs?: number } {
  return retryAfterMs === undefined ? {} : { retryAfterMs };
}

type Head = Pick<UpstreamResponse, 'status' | 'headers'>;

/** Sends a body to the account that is tried, and throws what the vendor says when it is no success. */
export async function ask<R extends Head & { readonly body: unknown }>(
  call: LiveCall<'models'>,
  { route, account }: Trial,
  request: Address & { readonly body: string | Buffer },
  send: Send<R>,
  whole: (answer: R) => Promise<Buffer> | Buffer,
): Promise<R> {
  const prepared = {
    signers: account.signers,
    request: {
      ...account.request,
      path: request.path,
      headers: request.headers === undefined ? account.request.headers : { ...request.headers, ...account.request.headers },
      body: request.body,
    },
  };
  const answer = await attempt(call, route.chain, prepared, send);
  // Of a stream it is the first chunk: many a vendor sends the head at once.
  if (!call.input.stream) call.firstByteAt = Date.now();
  if (answer.status >= 200 && answer.status < 300) return answer;
  throw failureOf(call, account, answer, await whole(answer));
}

function failureOf(call: LiveCall<'models'>, account: Account, { status, headers }: Head, body: Buffer): ProviderError {
  const failure = account.provider.readFailure(status, headers, parsedOrText(body));
  const wait = failure.retryAfterMs ?? dateOnly(headers['retry-after']);
  return reported(call, account, { ...failure, ...(wait === undefined ? {} : { retryAfterMs: wait }) }, status);
}

function parsedOrText(body: Buffer): unknown {
  const text = body.toString();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Codecs have no clock; seconds they have read, or left out where a wait does not help. */
function dateOnly(header: unknown): number | undefined {
  return typeof header === 'string' && /^\s*\d/.test(header) ? undefined : retryAfterMs(header, Date.now());
}

/** A field that asks for nothing but what happens anyway is not worth a word. */
export function says(body: JsonObject, field: string): boolean {
  const value = body[field];
  return value !== undefined && value !== null && !(field === 'n' && value === 1);
}

/** The body for a surface of the caller's own format: the bytes as they came, but for what the route or the vendor wants otherwise. */
export function passedBody(call: LiveCall<'models'>, trial: Trial, surface: ChatSurface, asked: Asked): string | Buffer {
  const { body } = call.input;
  const refused = (surface.refuses ?? []).filter((field) => says(body, field));
  if (refused.length > 0) call.note('dropped', refused.join(', '));
  const usage =
    asked.stream && surface.codec.format === 'openai-chat' && !asksForUsage(body) && surface.refuses?.includes('stream_options') !== true;
  const options = body['stream_options'];
  const adapts = surface.adapt !== undefined && surface.adapt(body, asked) !== body;
  const rewrites = body !== trial.body || refused.length > 0 || adapts;
  if (rewrites) {
    if (!trial.isPlain) checkKeys(trial.bytes, trial.body);
    return JSON.stringify(rewritten(body, surface, asked, refused, usage));
  }
  const bytes = bytesFor(call, trial, asked.model);
  if (!usage) return bytes;
  const wanted = JSON.stringify({ ...(options as object | null | undefined), include_usage: true });
  return options === undefined ? insertField(bytes, 'stream_options', wanted) : replaceValue(bytes, 'stream_options', wanted);
}

/** A body that passes, for a model: the bytes as they came where nothing else was asked for. Throws GatewayError `bad_request` when it names two models. */
export function bytesFor(call: LiveCall<'models'>, trial: Trial, model: string): Buffer {
  const { body } = call.input;
  if (body !== trial.body) return Buffer.from(JSON.stringify({ ...body, model }));
  if (!trial.isPlain) checkKeys(trial.bytes, trial.body);
  if (body['model'] === model) return trial.bytes;
  return (trial.isPlain ? replaceSoleValue : replaceValue)(trial.bytes, 'model', JSON.stringify(model));
}

function rewritten(body: JsonObject, surface: ChatSurface, asked: Asked, refused: readonly string[], usage: boolean): JsonObject {
  const changed: Record<string, unknown> = { ...body, model: asked.model };
  for (const field of refused) delete changed[field];
  if (usage) changed['stream_options'] = { ...(body['stream_options'] as object | null), include_usage: true };
  return surface.adapt?.(changed, asked) ?? changed;
}

export function asksForUsage(body: JsonObject): boolean {
  const options = body['stream_options'] as { include_usage?: unknown } | null | undefined;
  return options?.include_usage === true;
}

/** A vendor that answers a stream with something else has failed in its own way. */
export function checkEvents({ headers, body }: UpstreamStream, type = 'text/event-stream'): void {
  if (String(headers['content-type'] ?? type).startsWith(type)) return;
  // An answer that nobody reads would hold its connection.
  body[Symbol.asyncIterator]()
    .return?.()
    .catch(() => undefined);
  throw new GatewayError('upstream_failed', 'The provider answered a stream with something else.', {
    detail: `content-type ${String(headers['content-type'])}`,
  });
}

/** Bytes of an error that are read. */
const LARGEST_ERROR = 1_000_000;

export async function collect({ body }: UpstreamStream): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of body) {
    pieces.push(piece);
    size += piece.length;
    if (size > LARGEST_ERROR) break;
  }
  return Buffer.concat(pieces);
}
