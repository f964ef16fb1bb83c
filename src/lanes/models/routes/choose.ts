import type { Consumer } from '../../../core/consumer.ts';
import type { Explanation, ExplanationStep } from '../../../core/contracts/resource.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { ModelsGeneration } from './build.ts';
import type { Route, RouteQuestion } from './route.ts';

/** Names whose routes are kept: globs are not asked twice. Callers choose names, so there is a bound. */
const MAX_KNOWN = 1_000;
const known = new WeakMap<ModelsGeneration, Map<string, readonly Route[]>>();

/** The first route that takes the call. Throws GatewayError `model_unknown`. */
export function chooseRoute(generation: ModelsGeneration, question: RouteQuestion): Route {
  const route = routesFor(generation, question.model).find((one) => one.takes(question));
  if (route !== undefined) return route;
  throw unknownModel(generation, question.model);
}

function routesFor(generation: ModelsGeneration, model: string): readonly Route[] {
  let byModel = known.get(generation);
  if (byModel === undefined) known.set(generation, (byModel = new Map()));
  let routes = byModel.get(model);
  if (routes === undefined) {
    routes = generation.routes.filter((route) => route.takesModel(model));
    // What nobody takes is not kept: anybody may ask for anything.
    if (routes.length === 0) return routes;
    if (byModel.size >= MAX_KNOWN) byModel.clear();
    byModel.set(model, routes);
  }
  return routes;
}

function unknownModel({ routes }: ModelsGeneration, model: string): GatewayError {
  const next =
    routes.length === 0
      ? ' This hub has no routes of models: add one under `models:` in hubgate.yaml.'
      : ' GET /v1/models lists what you may call.';
  return new GatewayError('model_unknown', `There is no model "${model.slice(0, 200)}" for you here.${next}`);
}

/** Which route and target a call would take, rule by rule, without calling. Routes that ask about the request may take it before the one that does. */
export function explainModel(generation: ModelsGeneration, model: string, consumer: Consumer): Explanation {
  const { merged } = generation;
  const steps: ExplanationStep[] = [];
  let mayBeTaken = false;
  for (const route of generation.routes) {
    const pointer = merged.origin('models', route.name) === 'file' ? merged.locate(`/models/${route.index}`) : undefined;
    const place = pointer === undefined ? {} : { file: pointer.file, line: pointer.line };
    const { verdict, steps: own } = route.explain({ model, consumer });
    steps.push(...own.map((step) => ({ ...step, ...place })));
    if (verdict === 'no') continue;
    steps.push({ ...targetStep(route, model), effect: verdict === 'takes' ? 'allows' : 'info', ...place });
    if (verdict === 'takes') return { visible: true, callable: true, steps };
    mayBeTaken = true;
  }
  if (mayBeTaken) steps.push({ rule: 'taken or not: the request decides', effect: 'info' });
  else if (generation.routes.some((route) => route.takesModel(model)))
    steps.push({ rule: `no route for ${model} takes a call of ${consumer.name}`, effect: 'hides' });
  else {
    const known = generation.routes.map((route) => route.config.match?.model ?? route.name);
    steps.push({ rule: `no route takes ${model}`, effect: 'hides', value: { unknown: 'model', known } });
  }
  return { visible: mayBeTaken, callable: mayBeTaken, steps };
}

function targetStep({ name, account, model: forcedName }: Route, asked: string): Pick<ExplanationStep, 'rule' | 'value'> {
  const model = forcedName ?? asked;
  const forced = forcedName === undefined ? 'the name passes' : 'the route forces the name';
  return {
    rule: `target ${account.name} (${account.type} at ${account.provider.origin}), model ${model}: ${forced}`,
    value: { route: name, provider: account.name, type: account.type, model },
  };
}
