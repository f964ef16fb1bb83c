import type { Explanation, ExplanationStep } from '../../../core/contracts/resource.ts';
import type { Question } from '../../../core/contracts/policy.ts';
import { explainRules } from '../../../pipeline/explain-rules.ts';
import { describeIntent } from '../intents/describe-intent.ts';
import type { IntentFinder } from '../intents/intent-finder.ts';
import type { GaugeStatus } from '../../../upstreams/health/gauge.ts';
import type { KeyStatus } from '../../../upstreams/health/key-ring.ts';
import type { ModelApi } from './api.ts';
import type { ModelsGeneration } from './build.ts';
import { asksForIntent } from './choose.ts';
import type { ModelChoice } from './choice.ts';
import type { Route, RouteQuestion } from './route.ts';

/** `text` is what the request says; absent where no request is known. */
export type ExplainedQuestion = RouteQuestion & { readonly text?: string };

/** Milliseconds that learning and a model may take: who explains has time. */
const PATIENCE_MS = 10_000;

/**
 * Which route and targets a call would take, rule by rule, with what is known of each target now and where limits stand, without calling. Routes
 * that ask about a request of which nothing is known may take it before the one that does.
 */
export async function explainModel(generation: ModelsGeneration, api: ModelApi, asked: ExplainedQuestion): Promise<Explanation> {
  const { model, consumer } = asked;
  const steps: ExplanationStep[] = [];
  if (!api.admits(consumer)) {
    const rule = `access of the API ${api.name} does not name ${consumer.name}`;
    return { visible: false, callable: false, steps: [{ rule, effect: 'hides', ...placeOf(generation, `/apis/${api.name}/access`) }] };
  }
  let mayBeTaken = false;
  const { step, question } = await aboutIntent(generation.intents, api, asked);
  if (step !== undefined) steps.push({ ...step, ...placeOf(generation, '/intents') });
  for (const route of api.routes) {
    const place = placeOf(generation, route.pointer);
    const { verdict, steps: own } = route.explain(question);
    steps.push(...own.map((step) => ({ ...step, ...place })));
    if (verdict === 'no') continue;
    const targets = targetSteps(route, model);
    steps.push(...targets.map((step) => ({ ...step, effect: verdict === 'takes' ? step.effect : ('info' as const), ...place })));
    steps.push(...(await explainRules(route.chain, { consumer, lane: 'models', route: route.name, model, ...requestOf(question) })));
    if (verdict === 'takes') return { visible: true, callable: targets.some(({ effect }) => effect === 'allows'), steps };
    mayBeTaken = true;
  }
  if (mayBeTaken) steps.push({ rule: 'taken or not: the request decides', effect: 'info' });
  else if (api.routes.some((route) => route.takesModel(model)))
    steps.push({ rule: `no route for ${model} takes a call of ${consumer.name}`, effect: 'hides' });
  else {
    const known = api.routes.map(({ config, name }) => config.match?.model ?? config.name ?? name);
    steps.push({ rule: `no route takes ${model}`, effect: 'hides', value: { unknown: 'model', known } });
  }
  return { visible: mayBeTaken, callable: mayBeTaken, steps };
}

/** What the text is about, where a route asks for that. */
async function aboutIntent(
  intents: IntentFinder | undefined,
  api: ModelApi,
  { text, ...question }: ExplainedQuestion,
): Promise<{ readonly step?: ExplanationStep; readonly question: RouteQuestion }> {
  if (text === undefined || intents === undefined || !asksForIntent(api, question)) return { question };
  if (text === '') return { question: { ...question, intent: null } };
  await intents.ready(PATIENCE_MS);
  const found = await intents.find(text, PATIENCE_MS);
  const { verdict } = found;
  const step: ExplanationStep = {
    rule: `intent ${describeIntent(found, intents.isShadow)}`,
    effect: 'info',
    ...(verdict === undefined ? {} : { value: { intent: verdict.name ?? null, ...verdict } }),
  };
  return { step, question: { ...question, intent: intents.isShadow ? null : (verdict?.name ?? null) } };
}

/** For limits by header. */
function requestOf({ headers }: RouteQuestion): Pick<Question, 'request'> {
  return headers === undefined ? {} : { request: { headers, ip: '', size: 0 } };
}

/** Routes of the store stand in no file. */
function placeOf({ merged }: ModelsGeneration, pointer: string): Pick<ExplanationStep, 'file' | 'line'> {
  const place = /^\/models\/\D/.test(pointer) ? undefined : merged.locate(pointer);
  return place === undefined ? {} : { file: place.file, line: place.line };
}

function targetSteps({ name, plan, config }: Route, asked: string): ExplanationStep[] {
  const now = Date.now();
  return plan.pools.flatMap(({ choices, balancer }, rank) => {
    const list = rank === 0 ? 'target' : `fallback ${rank}`;
    return choices.map((choice): ExplanationStep => {
      const { accounts } = choice;
      const model = choice.model ?? asked;
      const forced = choice.model === undefined ? 'the name passes' : 'the route forces the name';
      const by = balancerName(config.balance);
      const told = balancer.figure(choice);
      const figure = choices.length === 1 ? '' : `; ${told.startsWith(by) ? told : `${by}: ${told}`}`;
      const { health, retryAt } = targetState(choice, now);
      const state = retryAt === undefined ? HEALTH[health] : `${HEALTH[health]}, to be tried in ${Math.ceil((retryAt - now) / 1000)} s`;
      return {
        rule: `${list} ${accounts.name} (${accounts.type} at ${accounts.all[0].provider.origin}), model ${model}: ${forced}; ${state}${figure}`,
        effect: retryAt === undefined ? 'allows' : 'refuses',
        value: { route: name, provider: accounts.name, type: accounts.type, model, ...targetState(choice, now) },
      };
    });
  });
}

function balancerName(balance: Route['config']['balance']): string {
  return typeof balance === 'object' ? (Object.keys(balance)[0] ?? '') : (balance ?? 'weight');
}

const HEALTH: Readonly<Record<GaugeStatus['health'], string>> = {
  healthy: 'healthy',
  unhealthy: 'unhealthy by its health check',
  resting: 'resting',
  open: 'breaker open',
  probing: 'breaker half-open',
};

type TargetState = GaugeStatus & { readonly weight: number; readonly keys?: readonly KeyStatus[] };

/** What is known of a target now, for explanations and for the status. It rests while all its keys do. */
export function targetState({ gauge, keys, weight }: ModelChoice, now: number): TargetState {
  const seen = { weight, ...gauge.status(now), ...(keys.size === 1 ? {} : { keys: keys.status(now) }) };
  const freeAt = keys.retryAt(now);
  if (freeAt <= now) return seen;
  return { ...seen, health: seen.health === 'healthy' ? 'resting' : seen.health, retryAt: Math.max(freeAt, seen.retryAt ?? 0) };
}
