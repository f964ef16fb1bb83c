import type { AnyCall } from '../../../core/call.ts';
import type { ConditionContext } from '../../../core/conditions.ts';
import { GatewayError } from '../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import { askedText, type ModelsInput, type ModelsOperation } from '../../../core/models.ts';
import type { Usage } from '../../../core/usage.ts';
import { parseJson } from '../../../http/body.ts';
import { HttpCallRequest } from '../../../http/http-call-request.ts';
import { conditionContext } from '../../../pipeline/condition-context.ts';
import { LiveCall } from '../../../pipeline/live-call.ts';
import type { Arrival, Asker } from '../calls/arrival.ts';
import type { Door } from '../calls/door.ts';
import { expectedUsage } from '../calls/estimate.ts';
import type { ModelsHost } from '../host.ts';
import { describeIntent } from '../intents/describe-intent.ts';
import type { FoundIntent, IntentFinder } from '../intents/intent-finder.ts';
import { shadowLedger } from '../intents/shadow-ledger.ts';
import { isPlain } from '../passing/body-edits.ts';
import type { ModelApi } from '../routes/api.ts';
import { asksForIntent, chooseRoute } from '../routes/choose.ts';
import type { Route, RouteQuestion } from '../routes/route.ts';
import { modelSegments } from '../segments.ts';

/** Characters of the name of a model; the ids of inference profiles are the longest. */
const LONGEST_NAME = 512;
/** What is read of the user's messages to find the intent: two of them where the last is as short as "yes, do that". Examples of intents are hardly longer. */
const ASKED = { enough: 20, most: 2 } as const;

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

/** The intent of a call. In shadow nobody waits for it but the record. */
export interface AskedIntent {
  readonly isShadow: boolean;
  /** Never rejects, and resolves in the time that the configuration gives. */
  readonly found: Promise<FoundIntent>;
}

/** What the text is about, where the choice of a route depends on that; undefined where it does not. Vectors of two models are never mixed, so embeddings have none. */
export function intentOf(
  { door, input, question }: ReadRequest<Asker>,
  api: ModelApi,
  intents: IntentFinder | undefined,
): AskedIntent | undefined {
  if (intents === undefined || door.operation === 'embeddings' || !asksForIntent(api, question)) return undefined;
  const text = askedText(input.body, ASKED);
  const found = text === '' ? Promise.resolve({ tookMs: 0, reason: 'the user has said nothing' }) : intents.find(text);
  return { isShadow: intents.isShadow, found };
}

/** Chooses the route, by the intent if it is there, and begins the call; `shadow` is for its record alone. Throws GatewayError `model_unknown`. */
export function admit<From extends Asker>(
  { input, request, question, ...read }: ReadRequest<From>,
  api: ModelApi,
  host: ModelsHost,
  { intent, shadow }: { readonly intent?: FoundIntent | undefined; readonly shadow?: Promise<FoundIntent> | undefined } = {},
): { readonly arrival: Arrival<From>; readonly call: LiveCall<'models'> } {
  const { exchange, door } = read;
  const { operation } = door;
  let route: Route | undefined;
  const callOf = (): LiveCall<'models'> => {
    const call: LiveCall<'models'> = new LiveCall({
      id: exchange.id,
      lane: 'models',
      operation,
      route: route?.name ?? '',
      consumer: exchange.consumer,
      request,
      log: host.log,
      ledger: shadow === undefined ? host.ledger : shadowLedger(host.ledger, shadow, () => call),
      codec: modelSegments,
      estimate: route === undefined ? NOTHING : estimateFor(route, operation, host),
      input,
    });
    if (intent !== undefined) call.note('intent', describeIntent(intent, false));
    void shadow?.then((found) => call.note('intent', describeIntent(found, true)));
    return call;
  };
  try {
    route = chooseRoute(api, intent === undefined ? question : { ...question, intent: intent.verdict?.name ?? null });
  } catch (error) {
    // A wrong name is what operators look for first; without a route there is no chain to end the call.
    const call = callOf();
    const outcome = { ok: false, error: GatewayError.from(error), durationMs: Date.now() - call.startedAt, attempts: 0, streamed: false };
    call.ledger?.record(call as AnyCall, { ...outcome, events: call.events });
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
