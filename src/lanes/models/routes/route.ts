import type { ModelRouteConfig } from '../../../config/types.ts';
import { compileCondition, compileGlob, type ConditionContext } from '../../../core/conditions.ts';
import type { Consumer } from '../../../core/consumer.ts';
import type { ExplanationStep } from '../../../core/contracts/resource.ts';
import type { Chain } from '../../../pipeline/chain.ts';
import type { Account } from './account.ts';

/** What of a request a route may ask about. */
export interface RouteQuestion {
  readonly model: string;
  readonly consumer: Consumer;
  /** Lower-case names. Absent when a route is explained, and nobody has sent a request. */
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
  /** For `when`; made only when a route has one. */
  context?(): ConditionContext;
}

/** One entry of `models`, compiled for a generation. */
export interface Route {
  /** As the configuration has it, or `route-N`. */
  readonly name: string;
  /** Its place in `models`. */
  readonly index: number;
  readonly config: ModelRouteConfig;
  readonly account: Account;
  /** The provider's name of the model, when the route forces one. */
  readonly model: string | undefined;
  readonly chain: Chain;
  /** The name of the model is one that this route is for, whoever asks. */
  takesModel(model: string): boolean;
  /** All else it asks of a call. */
  takes(question: RouteQuestion): boolean;
  /** What it says of a call, rule by rule, up to the first that does not hold. */
  explain(question: RouteQuestion): RouteExplanation;
}

/** `depends`: it asks about the request, of which nothing is known here. */
export interface RouteExplanation {
  readonly verdict: 'takes' | 'depends' | 'no';
  readonly steps: readonly Omit<ExplanationStep, 'file' | 'line'>[];
}

interface Rule {
  readonly text: string;
  /** It asks about the request, of which nothing is known when a route is explained. */
  readonly needsRequest?: boolean;
  holds(question: RouteQuestion): boolean;
}

export interface RouteParts {
  readonly config: ModelRouteConfig;
  readonly index: number;
  readonly account: Account;
  readonly chain: Chain;
}

export function routeName({ name }: ModelRouteConfig, index: number): string {
  return name ?? `route-${index + 1}`;
}

/** Compiles a route. Throws ConditionError for a `when` that does not compile. */
export function compileRoute({ config, index, account, chain }: RouteParts): Route {
  const name = routeName(config, index);
  const [modelRule, ...others] = rulesOf(config);
  const rules = others;
  return {
    name,
    index,
    config,
    account,
    model: config.targets[0]?.model,
    chain,
    takesModel: (model) => modelRule!.holds({ model } as RouteQuestion),
    takes: (question) => rules.every((rule) => rule.holds(question)),
    explain(question) {
      const steps: Omit<ExplanationStep, 'file' | 'line'>[] = [];
      let verdict: RouteExplanation['verdict'] = 'takes';
      for (const rule of [modelRule!, ...rules]) {
        const isUnknown = rule.needsRequest === true && question.headers === undefined;
        const holds = !isUnknown && rule.holds(question);
        const value = isUnknown ? 'asked at each request' : holds;
        steps.push({ rule: `route ${name}: ${rule.text}`, effect: holds ? 'allows' : 'info', value });
        if (isUnknown) verdict = 'depends';
        else if (!holds) return { verdict: 'no', steps };
      }
      return { verdict, steps };
    },
  };
}

/** The first is that of the model. */
function rulesOf({ name, match = {}, when }: ModelRouteConfig): Rule[] {
  const rules = [modelRule(name, match)];
  if (match.consumer !== undefined) {
    const matches = compileGlob(match.consumer);
    rules.push({ text: `consumer ${match.consumer}`, holds: ({ consumer }) => !consumer.anonymous && matches(consumer.name) });
  }
  for (const [header, glob] of Object.entries(match.header ?? {})) {
    const matches = compileGlob(glob);
    const key = header.toLowerCase();
    rules.push({
      text: `header ${header}: ${glob}`,
      needsRequest: true,
      holds: ({ headers }) => [headers?.[key] ?? []].flat().some(matches),
    });
  }
  // What the text is about is not known yet: such a route takes nothing rather than too much.
  if (match.intent !== undefined) rules.push({ text: `intent ${match.intent} (not built yet)`, holds: () => false });
  if (when !== undefined) {
    const condition = compileCondition(when);
    rules.push({
      text: `when ${when}`,
      needsRequest: true,
      holds: ({ context }) => context !== undefined && condition.evaluate(context()),
    });
  }
  return rules;
}

function modelRule(name: string | undefined, match: NonNullable<ModelRouteConfig['match']>): Rule {
  if (match.model !== undefined) {
    const matches = compileGlob(match.model);
    return { text: `model ${match.model}`, holds: ({ model }) => matches(model) };
  }
  if (name !== undefined && Object.keys(match).length === 0) return { text: `called ${name}`, holds: ({ model }) => model === name };
  return { text: 'any model', holds: () => true };
}
