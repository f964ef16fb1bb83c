import type { AnyCall } from '../../../core/call.ts';
import type { ConditionContext } from '../../../core/conditions.ts';
import { GatewayError } from '../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import type { ModelsInput, ModelsOperation } from '../../../core/models.ts';
import type { Usage } from '../../../core/usage.ts';
import { parseJson } from '../../../http/body.ts';
import { HttpCallRequest } from '../../../http/http-call-request.ts';
import { conditionContext } from '../../../pipeline/condition-context.ts';
import { LiveCall } from '../../../pipeline/live-call.ts';
import type { Arrival, Asker } from '../calls/arrival.ts';
import type { Door } from '../calls/door.ts';
import { expectedUsage } from '../calls/estimate.ts';
import type { ModelsHost } from '../host.ts';
import { askedText } from '../intents/asked-text.ts';
import { describeIntent } from '../intents/describe-intent.ts';
import type { FoundIntent, IntentFinder } from '../intents/intent-finder.ts';
import { isPlain } from '../passing/body-edits.ts';
import type { ModelApi } from '../routes/api.ts';
import { asksForIntent, chooseRoute } from '../routes/choose.ts';
import type { Route, RouteQuestion } from '../routes/route.ts';
import { modelSegments } from '../segments.ts';

/** Characters of the name of a model; the ids of inference profiles are the longest. */
const LONGEST_NAME = 512;

/** A request at its door, read, and no route chosen yet. */
export interface ReadRequest<From extends Asker> extends Pick<Arrival<From>, 'exchange' | 'door' | 'bytes' | 'body' | 'isPlain'> {
  readonly input: ModelsInput;
  readonly request: HttpCallRequest;
  readonly question: RouteQuestion;
}

/** Throws GatewayError `bad_request` for one that is wrong. */
export function readRequest<From extends Asker>(exchange: From, door: Door, bytes: Buffer): ReadRequest<From> {
  const { req, consumer } = exchange;
  const text = bytes.toString();
  const body = parseJson(bytes, text);
  if (!isObject(body)) throw new GatewayError('bad_request', 'The request body must be a JSON object.');
  const model = nameOf(body);
  const input = { model, stream: body['stream'] === true && streams(door), body };
  const request = new HttpCallRequest(req, bytes.length);
  const { operation } = door;
  const asked = { lane: 'models', operation, route: '', consumer, request, startedAt: exchange.startedAt, model } as const;
  const context = (): ConditionContext => conditionContext({ ...asked, segments: () => modelSegments.segments(input) });
  const question = { model, consumer, headers: req.headers, context };
  return { exchange, door, bytes, body, isPlain: isPlain(text, body), input, request, question };
}

/** What the text is about, where the choice of a route depends on that; undefined where it does not. Vectors of two models are never mixed, so embeddings have none. */
export function intentOf(
  { door, input, question }: ReadRequest<Asker>,
  api: ModelApi,
  intents: IntentFinder | undefined,
): { readonly isShadow: boolean; readonly found: Promise<FoundIntent> } | undefined {
  if (intents === undefined || door.operation === 'embeddings' || !asksForIntent(api, question)) return undefined;
  const text = askedText(input);
  return text === '' ? undefined : { isShadow: intents.isShadow, found: intents.find(text) };
}

/** Chooses the route and begins the call. Throws GatewayError `model_unknown`. */
export function admit<From extends Asker>(
  { input, request, question, ...read }: ReadRequest<From>,
  api: ModelApi,
  host: ModelsHost,
  intent?: FoundIntent,
): { readonly arrival: Arrival<From>; readonly call: LiveCall<'models'> } {
  const { exchange, door } = read;
  const { operation } = door;
  let route: Route | undefined;
  const callOf = (): LiveCall<'models'> => {
    const call = new LiveCall<'models'>({
      id: exchange.id,
      lane: 'models',
      operation,
      route: route?.name ?? '',
      consumer: exchange.consumer,
      request,
      log: host.log,
      ledger: host.ledger,
      codec: modelSegments,
      estimate: route === undefined ? NOTHING : estimateFor(route, operation, host),
      input,
    });
    if (intent !== undefined) call.note('intent', describeIntent(intent, false));
    return call;
  };
  try {
    route = chooseRoute(api, intent === undefined ? question : { ...question, intent: intent.verdict?.name ?? null });
  } catch (error) {
    // A wrong name is what operators look for first; without a route there is no chain to end the call.
    const call = callOf();
    const outcome = { ok: false, error: GatewayError.from(error), durationMs: Date.now() - call.startedAt, attempts: 0, streamed: false };
    host.ledger.record(call as AnyCall, { ...outcome, events: call.events });
    throw error;
  }
  return { arrival: { ...read, route, host }, call: callOf() };
}

/** Throws GatewayError `bad_request` for what cannot be the name of a model. */
function nameOf({ model }: JsonObject): string {
  if (typeof model !== 'string' || model === '') throw new GatewayError('bad_request', 'model: the name of a model is needed.');
  if (model.length > LONGEST_NAME) throw new GatewayError('bad_request', `model: a name has ${LONGEST_NAME} characters at most.`);
  // It becomes a part of paths, where these mean something else.
  if (model === '.' || model === '..') throw new GatewayError('bad_request', 'model: this is no name of a model.');
  return model;
}

const NOTHING = (): Usage => ({});

/** What a call may use and cost, at the dearest target that it is meant for. */
function estimateFor({ plan }: Route, operation: ModelsOperation, { ledger }: ModelsHost): (input: ModelsInput) => Usage {
  return ({ model, body }) => {
    if (operation === 'count_tokens') return {};
    const [{ choices }] = plan.pools as [(typeof plan.pools)[number]];
    const dearest = choices.reduce((one, other) => ((other.price ?? 0) > (one.price ?? 0) ? other : one));
    return ledger.priced(expectedUsage(body, operation), { target: dearest.targetFor(model) });
  };
}

/** What some callers say of every request means nothing where no conversation is held. */
function streams({ codec, operation }: Door): boolean {
  return codec !== undefined && operation !== 'count_tokens';
}
