import { setImmediate } from 'node:timers/promises';
import type { RoutesEvaluation, TextExample } from '../../admin/hub.ts';
import type { HubConfig, ModelRouteConfig } from '../../config/types.ts';
import { routeName } from '../../core/contracts/resource.ts';
import type { Degraded, Verdict } from '../../core/contracts/semantics.ts';
import { GatewayError } from '../../core/errors.ts';
import { intentFinder, type IntentFinder } from '../../lanes/models/intents/intent-finder.ts';
import type { Hub } from '../hub.ts';
import { routingFigures, type RouteResult, type RoutingFigures } from './classification.ts';
import { checkModelName } from './named-models.ts';
import { unknownNames, type UnknownName } from './evaluate-tools.ts';
import { PATIENCE_MS, untilReady } from './until-ready.ts';

/** What `POST eval/routes` answers. */
export interface RoutesEvaluated {
  /** All that there are. */
  readonly intents: readonly string[];
  /** Which scorer it was. */
  readonly scorer?: string;
  /** The id of the model that answered; absent for words alone. */
  readonly model?: string;
  readonly degraded?: Degraded;
  readonly unknown: readonly UnknownName[];
  readonly figures: RoutingFigures;
  readonly results: readonly RouteResult[];
}

/** As people write that a text is about none of the intents. */
export const NONE = 'none';

/** Milliseconds that one text may take: nobody waits for it. */
const LONGEST_MS = 30_000;

/** Finds the intent of each text, as routes do. Throws GatewayError `bad_request` when there are no intents, and for a model that may not be asked for, `unavailable` while nothing is learnt. */
export async function evaluateRoutes({ semantics, slot }: Hub, { texts, model }: RoutesEvaluation): Promise<RoutesEvaluated> {
  const { config } = slot.current.content.merged;
  checkModelName(model, config);
  const { intents = {}, intentRouting = {} } = config;
  const settings = { intents, intentRouting: model === undefined ? intentRouting : { ...intentRouting, model } };
  const finder = intentFinder(settings, semantics, undefined);
  if (finder === undefined)
    throw new GatewayError(
      'bad_request',
      'The configuration has no intents, so texts are not told apart by what they are about. Add some under `intents:`.',
    );
  await finder.ready(PATIENCE_MS);
  await untilReady(semantics, () => verdictOf(finder, texts[0]?.text ?? ''));
  const names = Object.keys(intents);
  const intentOf = intentsOfRoutes(config);
  const results: RouteResult[] = [];
  let last: Verdict | undefined;
  for (const example of texts) {
    last = await verdictOf(finder, example.text);
    results.push({ text: example.text, expected: expectedOf(example, intentOf), given: last.name ?? null, scores: last.scores });
    // Others wait for the same thread.
    await setImmediate();
  }
  return {
    intents: names,
    ...(last === undefined ? {} : { scorer: last.scorer }),
    ...(last?.model === undefined ? {} : { model: last.model }),
    ...(last?.degraded === undefined ? {} : { degraded: last.degraded }),
    unknown: [
      ...unknownNames(
        texts.flatMap(({ route }) => route ?? []),
        [...intentOf.keys()],
      ),
      ...unknownNames(
        texts.flatMap(({ intent }) => (intent === undefined || intent === NONE ? [] : intent)),
        names,
      ),
    ],
    figures: routingFigures(results, names),
    results,
  };
}

async function verdictOf(finder: IntentFinder, text: string): Promise<Verdict> {
  const { verdict, reason } = await finder.find(text, LONGEST_MS);
  if (verdict === undefined) throw new GatewayError('unavailable', `The intents cannot be told: ${reason}.`);
  return verdict;
}

/** By the names that records have: a route of an API stands behind the API's name. */
function intentsOfRoutes({ models = [], apis = {} }: HubConfig): Map<string, string | null> {
  const named = (routes: readonly ModelRouteConfig[], prefix: string): [string, string | null][] =>
    routes.map((route, at) => [`${prefix}${routeName(route, at)}`, route.match?.intent ?? null]);
  return new Map([...named(models, ''), ...Object.entries(apis).flatMap(([api, { models: own = [] }]) => named(own, `${api}/`))]);
}

/** A route that asks for no intent is where texts go that have none. One that there is not stands for itself. */
function expectedOf({ intent, route }: TextExample, intentOf: ReadonlyMap<string, string | null>): string | null {
  if (route === undefined) return intent === undefined || intent === NONE ? null : intent;
  const known = intentOf.get(route);
  return known === undefined ? route : known;
}
