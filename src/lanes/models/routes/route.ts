import type { ModelRouteConfig } from '../../../config/types.ts';
import { compileCondition, compileGlob, type ConditionContext } from '../../../core/conditions.ts';
import type { Consumer } from '../../../core/consumer.ts';
import type { ExplanationStep } from '../../../core/contracts/resource.ts';
import type { Chain } from '../../../pipeline/chain.ts';
import type { ModelPlan } from './choice.ts';

/** What of a request a route may ask about. */
export interface RouteQuestion {
  readonly model: string;
  readonly consumer: Consumer;
  /** Lower-case names. Absent when a route is explained, and nobody has sent a request. */
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
  /** What the text is about: an entry of `intents`, or null for none of them. Absent: nobody has asked, and no route that wants to know takes the call. */
  readonly intent?: string | null;
  /** For `when`; made only when a route has one. */
  context?(): ConditionContext;
}

/** One entry of `models`, compiled for a generation. */
export interface Route {
  /** As the configuration has it, or `route-N`. */
  readonly name: string;
  /** Where it stands in the configuration: a JSON pointer. */
  readonly pointer: string;
  readonly config: ModelRouteConfig;
  readonly plan: ModelPlan;
  readonly chain: Chain;
  /** The target of a call depends on its session. */
  readonly spreads: boolean;
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

/** Compiles a route. Throws ConditionError for a `when` that does not compile. */
export function compileRoute(parts: Pick<Route, 'name' | 'pointer' | 'config' | 'plan' | 'chain'>): Route {
  const { name } = parts;
  const [modelRule, ...rules] = rulesOf(parts.config);
  return {
    ...parts,
    spreads: parts.config.sticky !== false && parts.plan.pools.some(({ choices }) => choices.length > 1),
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
function rulesOf(config: ModelRouteConfig): Rule[] {
  const { match = {}, when } = config;
  const rules = [modelRule(config)];
  if (match.consumer !== undefined) {
    const matches = compileGlob(match.consumer);
    rules.push({ text: `consumer ${match.consumer}`, holds: ({ consumer }) => !consumer.anonymous && matches(consumer.name) });
  }
  if (match.group !== undefined) {
    const matches = compileGlob(match.group);
    rules.push({ text: `group ${match.group}`, holds: ({ consumer }) => consumer.groups.some(matches) });
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
  if (match.intent !== undefined)
    rules.push({ text: `intent ${match.intent}`, needsRequest: true, holds: ({ intent }) => intent === match.intent });
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

function modelRule(config: ModelRouteConfig): Rule {
  const names = modelNames(config);
  if (names === undefined) return { text: 'any model', holds: () => true };
  if (config.match?.model !== undefined) {
    const matches = compileGlob(config.match.model);
    return { text: `model ${config.match.model}`, holds: ({ model }) => matches(model) };
  }
  const known = new Set(names);
  return { text: `called ${names.join(' or ')}`, holds: ({ model }) => known.has(model) };
}

/** The names of models, or the one glob, that a route is for; undefined when it takes any. */
export function modelNames({ name, aliases = [], match = {} }: ModelRouteConfig): readonly string[] | undefined {
  if (match.model !== undefined) return [match.model];
  if (aliases.length > 0) return name === undefined ? aliases : [name, ...aliases];
  return name !== undefined && Object.keys(match).length === 0 ? [name] : undefined;
}
