import type { Effort, Reasoning } from '../../../../core/chat.ts';
import type { JsonObject } from '../../../../core/json.ts';
import { given } from '../_given.ts';

/**
 * How a model is told to think, by its name: Gemini 3 and later (and aliases such as `gemini-flash-latest`) by level, 2.5 by budget, older ones and
 * Gemma not at all. Of a model with another name only summaries are asked.
 */
type Kind = 'level' | 'budget' | 'none' | 'unknown';

/** Thinks by level, and checks signatures of thoughts on the calls that it gets back. */
export function isGemini3(model: string): boolean {
  return kindOf(model) === 'level';
}

function kindOf(model: string): Kind {
  if (/^(?:gemini-(?:1|2\.0)|gemma)/.test(model)) return 'none';
  if (model.startsWith('gemini-2.5')) return 'budget';
  return model.startsWith('gemini-') ? 'level' : 'unknown';
}

/** `generationConfig.thinkingConfig`. What the model cannot be told goes into `dropped`. */
export function writeThinking(reasoning: Reasoning | undefined, model: string, dropped: Set<string>): JsonObject | undefined {
  if (reasoning === undefined) return undefined;
  const kind = kindOf(model);
  if (kind === 'none') {
    if (reasoning.effort !== 'none') dropped.add('reasoning (this model does not reason)');
    return undefined;
  }
  if (kind === 'unknown' && (reasoning.effort !== undefined || reasoning.budgetTokens !== undefined)) {
    dropped.add('reasoning (how much is not known of this model)');
  }
  const config = given<JsonObject>({
    thinkingLevel: kind === 'level' ? levelOf(reasoning, model, dropped) : undefined,
    thinkingBudget: kind === 'budget' ? budgetOf(reasoning, model, dropped) : undefined,
    includeThoughts: reasoning.effort === 'none' || reasoning.summary === false ? undefined : true,
  });
  return Object.keys(config).length === 0 ? undefined : config;
}

const LEVELS: Readonly<Record<Exclude<Effort, 'none'>, string>> = {
  minimal: 'MINIMAL',
  low: 'LOW',
  medium: 'MEDIUM',
  high: 'HIGH',
  xhigh: 'HIGH',
  max: 'HIGH',
};

function levelOf({ effort, budgetTokens }: Reasoning, model: string, dropped: Set<string>): string | undefined {
  // Pro models have no level below this one.
  const least = model.includes('-pro') ? 'LOW' : 'MINIMAL';
  if (effort === 'none') {
    dropped.add('reasoning (this model always reasons: asked for the least)');
    return least;
  }
  if (effort !== undefined) return effort === 'minimal' ? least : LEVELS[effort];
  if (budgetTokens === undefined) return undefined;
  if (budgetTokens <= BUDGETS.low) return 'LOW';
  return budgetTokens <= BUDGETS.medium ? 'MEDIUM' : 'HIGH';
}

/** Google's own table for OpenAI's `reasoning_effort`. */
const BUDGETS: Readonly<Record<Exclude<Effort, 'none'>, number>> = {
  minimal: 1024,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 32_768,
  max: 32_768,
};

/** A budget outside a model's range is a 400: ai.google.dev/gemini-api/docs/thinking has the ranges. */
function budgetOf({ effort, budgetTokens }: Reasoning, model: string, dropped: Set<string>): number | undefined {
  const pro = model.includes('-pro');
  const most = pro ? 32_768 : 24_576;
  const flash = model.includes('-flash-lite') ? 512 : 1;
  const least = pro ? 128 : flash;
  if (effort === 'none') {
    if (!pro) return 0;
    dropped.add('reasoning (this model always reasons: asked for the least)');
    return least;
  }
  const asked = budgetTokens ?? (effort === undefined ? undefined : BUDGETS[effort]);
  return asked === undefined ? undefined : Math.min(Math.max(asked, least), most);
}
