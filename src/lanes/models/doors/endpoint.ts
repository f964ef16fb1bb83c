import type { IncomingMessage } from 'node:http';
import type { Handled } from '../../../core/call.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { Consumer } from '../../../core/consumer.ts';
import { sendJson } from '../../../http/answers.ts';
import { readBody } from '../../../http/body.ts';
import type { Exchange, Mount } from '../../../http/mount.ts';
import { forward } from '../../../pipeline/forward.ts';
import type { LiveCall } from '../../../pipeline/live-call.ts';
import { run } from '../../../pipeline/run.ts';
import { sessionOf } from './session-of.ts';
import type { ModelsHost } from '../host.ts';
import { ROOT_API, type ModelApi } from '../routes/api.ts';
import type { ModelsGeneration } from '../routes/build.ts';
import { chooseRoute } from '../routes/choose.ts';
import { planFor } from '../routes/plan-for.ts';
import type { ErrorFormat } from '../wire-errors.ts';
import type { Arrival } from '../calls/arrival.ts';
import { converse } from '../calls/conversation.ts';
import { countTokens } from '../calls/count-tokens.ts';
import { admit, intentOf, readRequest, type AskedIntent } from './admit.ts';
import { begins } from './begins.ts';
import { deliver, sendFailure } from './deliver.ts';
import { DOORS, type Door } from '../calls/door.ts';
import { embed } from '../calls/embeddings.ts';
import { anthropicList, anthropicModel, listModels, openaiList, openaiModel, ownerOf } from './model-list.ts';
import { modelReplies } from '../calls/replies.ts';

/** Bytes of a request: pictures and files travel in it. */
const LARGEST_BODY = 64_000_000;

/** Pins the current generation for one call. */
export type EnterGeneration = () => { readonly models: ModelsGeneration; leave(): void };

/** All paths of the lane: under `/v1`, and under `/apis/NAME/v1` for the APIs of the configuration. */
export function endpoints(enter: EnterGeneration, host: ModelsHost): Mount[] {
  const exists = ({ api = '' }: Readonly<Record<string, string>>): boolean => {
    const { models, leave } = enter();
    leave();
    return models.apis.has(api);
  };
  return ['', '/apis/:api'].flatMap((base): Mount[] => {
    const common = base === '' ? {} : { exists };
    const lists = (exchange: Exchange, { api, name }: Readonly<Record<string, string>>) => list(exchange, { api, name }, enter, host);
    return [
      ...DOORS.map((door): Mount => ({
        ...common,
        path: `${base}${door.path}`,
        methods: ['POST'],
        handle: (exchange, { api }) => post(exchange, door, api, enter, host),
      })),
      { ...common, path: `${base}/v1/models`, methods: ['GET'], handle: lists },
      // Names of models may hold slashes.
      { ...common, path: `${base}/v1/models/*name`, methods: ['GET'], handle: lists },
    ];
  });
}

/** The API of that name, that at `/v1` without one. Throws GatewayError `not_found`, and `forbidden` for a consumer that may not call it. */
export function apiOf(generation: ModelsGeneration, name: string | undefined, consumer: Consumer): ModelApi {
  const api = generation.apis.get(name ?? ROOT_API);
  if (api === undefined) throw new GatewayError('not_found');
  if (!api.admits(consumer))
    throw new GatewayError('forbidden', 'This key is not good for this API. Use that of a consumer whom its access names.');
  return api;
}

async function post(exchange: Exchange, door: Door, api: string | undefined, enter: EnterGeneration, host: ModelsHost): Promise<void> {
  const { models, leave: done } = enter();
  let intent: AskedIntent | undefined;
  try {
    const owner = apiOf(models, api, exchange.consumer);
    checkContent(exchange.req);
    const bytes = await readBody(exchange.req, { limit: LARGEST_BODY });
    const request = readRequest(exchange, door, bytes);
    intent = intentOf(request, owner, models.intents);
    const { arrival, call } = admit(request, owner, host, intent?.isShadow ? { shadow: intent.found } : { intent: await intent?.found });
    // The answer is done when the client is gone: what works for the call stops.
    const leave = (): void => {
      if (!exchange.res.writableFinished) call.abort(new GatewayError('client_closed'));
    };
    if (exchange.res.closed) leave();
    else exchange.res.on('close', leave);
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
    // In shadow the record of the call waits for it.
    await intent?.found;
    done();
  }
}

function checkContent({ headers }: IncomingMessage): void {
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = headers;
  if (type !== 'application/json' && !/^application\/json\s*(?:;|$)/i.test(type)) throw new GatewayError('unsupported_media_type');
  if (encoding !== 'identity') throw new GatewayError('unsupported_media_type', 'Send the body as it is, without a content-encoding.');
}

export function carryOut(call: LiveCall<'models'>, arrival: Arrival): Promise<Handled<'models'>> {
  const { route, door } = arrival;
  const { operation, codec } = door;
  const way = {
    peeks: true,
    begins,
    session: route.spreads ? sessionOf(arrival) : undefined,
    firstChunkMs: call.input.stream ? route.config.timeouts?.firstToken : undefined,
  };
  return forward(call, planFor(route, operation), way, (choice, key) => {
    const model = choice.model ?? call.input.model;
    if (choice.model === undefined) call.target = choice.targetFor(model);
    const trial = { ...arrival, account: choice.accounts.all[key]!, model };
    if (codec === undefined) return embed(call, trial);
    return operation === 'count_tokens' ? countTokens(call, trial, codec) : converse(call, trial, codec);
  });
}

interface Asked {
  readonly api: string | undefined;
  readonly name: string | undefined;
}

async function list(exchange: Exchange, { api: apiName, name }: Asked, enter: EnterGeneration, host: ModelsHost): Promise<void> {
  // Anthropic's clients say which version of its API they mean; the two lists differ.
  const format: ErrorFormat = exchange.req.headers['anthropic-version'] === undefined ? 'openai' : 'anthropic';
  const { models, leave } = enter();
  const { req, consumer } = exchange;
  try {
    const api = apiOf(models, apiName, consumer);
    const listed = await listModels(api, consumer, host);
    if (name === undefined) return sendJson(exchange.res, 200, format === 'openai' ? openaiList(listed) : anthropicList(listed));
    // A name need not be listed to be one that a route takes.
    const route = chooseRoute(api, { model: name, consumer, headers: req.headers });
    const found = listed.find(({ id }) => id === name) ?? { id: name, owner: ownerOf(route) };
    return sendJson(exchange.res, 200, format === 'openai' ? openaiModel(found) : anthropicModel(found));
  } catch (thrown) {
    return sendFailure(exchange.res, exchange.id, format, GatewayError.from(thrown), host.redact);
  } finally {
    leave();
  }
}
