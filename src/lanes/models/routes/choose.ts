import { GatewayError } from '../../../core/errors.ts';
import { ROOT_API, type ModelApi } from './api.ts';
import type { Route, RouteQuestion } from './route.ts';

/** Names whose routes are kept: globs are not asked twice. Callers choose names, so there is a bound. */
const MAX_KNOWN = 1_000;
const known = new WeakMap<ModelApi, Map<string, readonly Route[]>>();

/** The first route that takes the call. Throws GatewayError `model_unknown`. */
export function chooseRoute(api: ModelApi, question: RouteQuestion): Route {
  for (const route of routesFor(api, question.model)) if (route.takes(question)) return route;
  throw unknownModel(api, question.model);
}

/** Whether what the text is about decides which route takes the call: one asks for an intent, and holds but for that, before any that takes the call without. */
export function asksForIntent(api: ModelApi, question: RouteQuestion): boolean {
  const routes = routesFor(api, question.model);
  if (!routes.some(({ config }) => config.match?.intent !== undefined)) return false;
  for (const route of routes) {
    const intent = route.config.match?.intent;
    if (route.takes(intent === undefined ? question : { ...question, intent })) return intent !== undefined;
  }
  return false;
}

function routesFor(api: ModelApi, model: string): readonly Route[] {
  let byModel = known.get(api);
  if (byModel === undefined) known.set(api, (byModel = new Map()));
  let routes = byModel.get(model);
  if (routes === undefined) {
    routes = api.routes.filter((route) => route.takesModel(model));
    // What nobody takes is not kept: anybody may ask for anything.
    if (routes.length === 0) return routes;
    if (byModel.size >= MAX_KNOWN) byModel.clear();
    byModel.set(model, routes);
  }
  return routes;
}

function unknownModel({ name, routes }: ModelApi, model: string): GatewayError {
  const isRoot = name === ROOT_API;
  const next =
    routes.length === 0
      ? ` This hub has no routes of models here: add one under \`${isRoot ? 'models' : `apis.${name}.models`}:\` in hubgate.yaml.`
      : ` GET ${isRoot ? '' : `/apis/${name}`}/v1/models lists what you may call.`;
  return new GatewayError('model_unknown', `There is no model "${model.slice(0, 200)}" for you here.${next}`);
}
