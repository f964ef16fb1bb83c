import type { ChatRequest, Effort, Reasoning } from '../../../../../core/chat.ts';
import type { JsonObject } from '../../../../../core/json.ts';
import { number, object, optional, text, wrong } from '../../_read.ts';
import { hasLostReasoning, mustCall } from '../../_thinking-bars.ts';
import type { ModelRules } from './model-rules.ts';

const EFFORTS: readonly string[] = ['low', 'medium', 'high', 'xhigh', 'max'] satisfies Effort[];

/** From `thinking` and `output_config.effort`. An empty object is thinking as the model sees fit. */
export function readReasoning(body: JsonObject): Reasoning | undefined {
  const thinking = optional(body['thinking'], 'thinking', object);
  const asked = optional(optional(body['output_config'], 'output_config', object)?.['effort'], 'output_config.effort', text);
  if (asked !== undefined && !EFFORTS.includes(asked)) throw wrong('output_config.effort', `must be one of ${EFFORTS.join(', ')}.`);
  const effort = asked as Effort | undefined;
  if (!thinking) return effort === undefined ? undefined : { effort };
  const type = text(thinking['type'], 'thinking.type');
  if (type === 'disabled' || type === 'between_tools') return { effort: 'none' };
  if (type !== 'adaptive' && type !== 'enabled') throw wrong('thinking.type', 'must be adaptive, enabled, between_tools or disabled.');
  const display = optional(thinking['display'], 'thinking.display', text);
  return {
    ...(effort !== undefined && { effort }),
    ...(type === 'enabled' && { budgetTokens: number(thinking['budget_tokens'], 'thinking.budget_tokens') }),
    // A caller of this format that switches thinking on expects to read it.
    summary: display !== 'omitted',
  };
}

/** Tokens to think with, where the model takes no effort. */
const BUDGETS: Readonly<Record<Exclude<Effort, 'none'>, number>> = {
  minimal: 1024,
  low: 2048,
  medium: 8192,
  high: 16_384,
  xhigh: 24_576,
  max: 24_576,
};
const SMALLEST_BUDGET = 1024;

export interface WrittenReasoning {
  readonly thinking?: JsonObject;
  readonly effort?: string;
  /** A budget has to fit below it. */
  readonly maxTokens: number;
}

/** `thinking`, `output_config.effort` and `max_tokens` for a model. What the model cannot do goes into `dropped`. */
export function writeReasoning(ask: ChatRequest, family: string, rules: ModelRules, dropped: Set<string>): WrittenReasoning {
  const { reasoning, maxTokens: asked } = ask;
  const maxTokens = asked ?? rules.maxTokens;
  if (!reasoning) return { maxTokens };
  if (reasoning.effort === 'none') return { ...switchedOff(rules, dropped), maxTokens };
  if (rules.thinking === 'none') {
    dropped.add('reasoning (the model does not think)');
    return { maxTokens };
  }
  const effort = level(reasoning.effort, rules, dropped);
  const byBudget = rules.thinking === 'budget' || (rules.thinking === 'either' && reasoning.budgetTokens !== undefined);
  const bar = barOf(ask, byBudget, family);
  if (bar !== undefined) {
    dropped.add(`reasoning (${bar})`);
    return { ...(rules.off && { thinking: { type: rules.off } }), ...effort, maxTokens };
  }
  const display = shown(reasoning.summary, rules, dropped);
  if (!byBudget) {
    if (reasoning.budgetTokens !== undefined) dropped.add('reasoning.budgetTokens (the model sets its own budget)');
    return { thinking: { type: 'adaptive', ...display }, ...effort, maxTokens };
  }
  const budget = reasoning.budgetTokens ?? BUDGETS[reasoning.effort ?? 'medium'];
  const fitted = fitBudget(budget, asked, maxTokens, dropped);
  if (fitted === undefined) return { ...effort, maxTokens };
  return { thinking: { type: 'enabled', budget_tokens: fitted.budget, ...display }, ...effort, maxTokens: fitted.maxTokens };
}

/** Why the API would refuse this request with thinking. */
function barOf(ask: ChatRequest, byBudget: boolean, family: string): string | undefined {
  if (mustCall(ask)) return 'not while a tool must be called';
  return byBudget && hasLostReasoning(ask, family) ? 'the calls of the last turn came without theirs' : undefined;
}

function switchedOff(rules: ModelRules, dropped: Set<string>): { thinking?: JsonObject; effort?: string } {
  if (rules.thinking === 'none') return {};
  if (rules.off) return { thinking: { type: rules.off } };
  dropped.add('reasoning.effort (the model always thinks: low)');
  return { effort: 'low' };
}

function level(effort: Effort | undefined, rules: ModelRules, dropped: Set<string>): { effort?: string } {
  if (effort === undefined || effort === 'none' || rules.efforts.length === 0) return {};
  const wanted = effort === 'minimal' ? 'low' : effort;
  if (rules.efforts.includes(wanted)) return { effort: wanted };
  // Levels are left out in the middle and at the top: the next lower one is `high`.
  dropped.add(`reasoning.effort (${wanted}: high)`);
  return { effort: 'high' };
}

function shown(summary: boolean | undefined, rules: ModelRules, dropped: Set<string>): { display?: string } {
  if (summary === undefined) return {};
  if (rules.display) return { display: summary ? 'summarized' : 'omitted' };
  if (!summary) dropped.add('reasoning.summary (the model always shows its thinking)');
  return {};
}

/** 1,024 at least and less than `max_tokens`: a limit that the caller named holds, ours grows. Undefined: there is no room. */
function fitBudget(
  wanted: number,
  asked: number | undefined,
  maxTokens: number,
  dropped: Set<string>,
): { budget: number; maxTokens: number } | undefined {
  const budget = Math.max(SMALLEST_BUDGET, wanted);
  if (budget < maxTokens) return { budget, maxTokens };
  if (asked === undefined) return { budget, maxTokens: budget + maxTokens };
  if (maxTokens <= SMALLEST_BUDGET) {
    dropped.add('reasoning (maxTokens leaves no room for it)');
    return undefined;
  }
  dropped.add('reasoning.budgetTokens (cut below maxTokens)');
  return { budget: maxTokens - 1, maxTokens };
}
