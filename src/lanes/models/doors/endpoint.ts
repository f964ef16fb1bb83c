import type { AnyCall, Handled } from '../../../core/call.ts';
import type { ConditionContext } from '../../../core/conditions.ts';
import { GatewayError } from '../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import { sendJson } from '../../../http/answers.ts';
import { parseJson, readBody } from '../../../http/body.ts';
import type { Exchange, Mount } from '../../../http/mount.ts';
import { LiveCall } from '../../../pipeline/live-call.ts';
import { run } from '../../../pipeline/run.ts';
import type { ModelsHost } from '../host.ts';
import type { ModelsGeneration } from '../routes/build.ts';
import { chooseRoute } from '../routes/choose.ts';
import { modelSegments } from '../segments.ts';
import type { ErrorFormat } from '../wire-errors.ts';
import type { Arrival } from '../calls/arrival.ts';
import { converse } from '../calls/conversation.ts';
import { countTokens } from '../calls/count-tokens.ts';
import { deliver, sendFailure } from './deliver.ts';
import { DOORS, type Door } from '../calls/door.ts';
import { embed } from '../calls/embeddings.ts';
import { anthropicList, anthropicModel, listModels, openaiList, openaiModel } from './model-list.ts';
import { modelReplies } from '../calls/replies.ts';

/** Bytes of a request: pictures and files travel in it. */
const LARGEST_BODY = 64_000_000;

/** Characters of the name of a model; the ids of inference profiles are the longest. */
const LONGEST_NAME = 512;

/** Pins the current generation for one call. */
export type EnterGeneration = () => { readonly models: ModelsGeneration; leave(): void };

/** All paths of the lane under `/v1`. */
export function endpoints(enter: EnterGeneration, host: ModelsHost): Mount[] {
  return [
    ...DOORS.map((door): Mount => ({ path: door.path, methods: ['POST'], handle: (exchange) => post(exchange, door, enter, host) })),
    { path: '/v1/models', methods: ['GET'], handle: (exchange) => list(exchange, undefined, enter, host) },
    // Names of models may hold slashes.
    { path: '/v1/models/*name', methods: ['GET'], handle: (exchange, params) => list(exchange, params['name'], enter, host) },
  ];
}

async function post(exchange: Exchange, door: Door, enter: EnterGeneration, host: ModelsHost): Promise<void> {
  const { models, leave } = enter();
  try {
    const arrival = await read(exchange, door, models, host);
    const call = callOf(exchange, door, arrival.body, host, arrival.route.name);
    // The answer is done when the client is gone: what works for the call stops.
    exchange.res.once('close', () => {
      if (!exchange.res.writableFinished) call.abort(new GatewayError('client_closed'));
    });
    await deliver(
      call,
      arrival,
      run(call, arrival.route.chain, modelReplies(call, arrival), () => carryOut(call, arrival)),
    );
  } catch (thrown) {
    const error = GatewayError.from(thrown);
    if (exchange.res.headersSent || error.code === 'client_closed' || error.code === 'internal') throw error;
    sendFailure(exchange.res, exchange.id, door.errors, error, host.redact);
  } finally {
    leave();
  }
}

async function read(exchange: Exchange, door: Door, generation: ModelsGeneration, host: ModelsHost): Promise<Arrival> {
  const { req, consumer } = exchange;
  if (!/^application\/json\s*(?:;|$)/i.test(req.headers['content-type'] ?? '')) throw new GatewayError('unsupported_media_type');
  if ((req.headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new GatewayError('unsupported_media_type', 'Send the body as it is, without a content-encoding.');
  const bytes = await readBody(req, { limit: LARGEST_BODY });
  const body = parseJson(bytes);
  if (!isObject(body)) throw new GatewayError('bad_request', 'The request body must be a JSON object.');
  const { model } = body;
  if (typeof model !== 'string' || model === '') throw new GatewayError('bad_request', 'model: the name of a model is needed.');
  if (model.length > LONGEST_NAME) throw new GatewayError('bad_request', `model: a name has ${LONGEST_NAME} characters at most.`);
  // It becomes a part of paths, where these mean something else.
  if (model === '.' || model === '..') throw new GatewayError('bad_request', 'model: this is no name of a model.');
  const question = { model, consumer, headers: req.headers, context: () => contextOf(exchange, door, body, bytes.length) };
  try {
    return { exchange, door, bytes, body, route: chooseRoute(generation, question), host };
  } catch (error) {
    recordUnrouted(exchange, door, body, host, GatewayError.from(error));
    throw error;
  }
}

/** A wrong name is what operators look for first; without a route there is no chain to end the call. */
function recordUnrouted(exchange: Exchange, door: Door, body: JsonObject, host: ModelsHost, error: GatewayError): void {
  const call = callOf(exchange, door, body, host, '');
  const outcome = { ok: false, error, durationMs: Date.now() - call.startedAt, attempts: 0, streamed: false, events: call.events };
  host.record(call as AnyCall, outcome);
}

function contextOf({ req, consumer, startedAt }: Exchange, { operation }: Door, body: JsonObject, size: number): ConditionContext {
  return {
    consumer,
    request: { headers: req.headers as Record<string, string>, ip: req.socket.remoteAddress ?? '', time: new Date(startedAt) },
    call: { lane: 'models', route: '', operation, model: String(body['model']), size },
  };
}

function callOf(exchange: Exchange, door: Door, body: JsonObject, host: ModelsHost, route: string): LiveCall<'models'> {
  return new LiveCall<'models'>({
    id: exchange.id,
    lane: 'models',
    operation: door.operation,
    route,
    consumer: exchange.consumer,
    log: host.log,
    record: host.record,
    codec: modelSegments,
    input: { model: body['model'] as string, stream: body['stream'] === true && streams(door), body },
  });
}

/** What some callers say of every request means nothing where no conversation is held. */
function streams({ codec, operation }: Door): boolean {
  return codec !== undefined && operation !== 'count_tokens';
}

function carryOut(call: LiveCall<'models'>, arrival: Arrival): Promise<Handled<'models'>> {
  const { operation, codec } = arrival.door;
  if (codec === undefined) return embed(call, arrival);
  return operation === 'count_tokens' ? countTokens(call, arrival, codec) : converse(call, arrival, codec);
}

async function list(exchange: Exchange, name: string | undefined, enter: EnterGeneration, host: ModelsHost): Promise<void> {
  // Anthropic's clients say which version of its API they mean; the two lists differ.
  const format: ErrorFormat = exchange.req.headers['anthropic-version'] === undefined ? 'openai' : 'anthropic';
  const { models, leave } = enter();
  try {
    const listed = await listModels(models, exchange.consumer, host);
    if (name === undefined) return sendJson(exchange.res, 200, format === 'openai' ? openaiList(listed) : anthropicList(listed));
    // A name need not be listed to be one that a route takes.
    const { req, consumer } = exchange;
    const route = chooseRoute(models, { model: name, consumer, headers: req.headers });
    const found = listed.find(({ id }) => id === name) ?? { id: name, owner: route.account.name };
    return sendJson(exchange.res, 200, format === 'openai' ? openaiModel(found) : anthropicModel(found));
  } catch (thrown) {
    return sendFailure(exchange.res, exchange.id, format, GatewayError.from(thrown), host.redact);
  } finally {
    leave();
  }
}
