import type { ChatRequest, Effort, Reasoning } from '../../../../core/chat.ts';
import type { JsonObject } from '../../../../core/json.ts';
import { hasLostReasoning, mustCall } from '../_thinking-bars.ts';

export interface WrittenReasoning {
  /** For `additionalModelRequestFields`. */
  readonly fields: JsonObject;
  /** For `outputConfig`. */
  readonly effort?: string;
  /** Fields of ChatRequest that the model refuses. */
  readonly forbids: ReadonlySet<string>;
}

type Level = 'low' | 'medium' | 'high' | 'xhigh' | 'max';

/** Tokens to think with, for models that take no effort. */
const BUDGETS: Readonly<Record<Level, number>> = { low: 2_048, medium: 8_192, high: 16_384, xhigh: 32_768, max: 32_768 };
const SMALLEST_BUDGET = 1_024;
const NOTHING: ReadonlySet<string> = new Set();
const SAMPLING: ReadonlySet<string> = new Set(['temperature', 'topP', 'topK']);
/** While a model of Anthropic thinks. */
const WHILE_THINKING: ReadonlySet<string> = new Set(['temperature', 'topK']);

/** How much the model should think, in the words of its vendor. */
export function writeReasoning(ask: ChatRequest, model: string, family: string, dropped: Set<string>): WrittenReasoning {
  if (family === 'anthropic') return writeThinking(ask, model, dropped);
  const { reasoning } = ask;
  const level = levelOf(reasoning);
  if (level !== undefined && isNova(model)) {
    return { fields: { reasoningConfig: { type: 'enabled', maxReasoningEffort: upToHigh(level) } }, forbids: NOTHING };
  }
  if (level !== undefined && model.includes('openai.')) return { fields: { reasoning_effort: upToHigh(level) }, forbids: NOTHING };
  if (reasoning !== undefined && reasoning.effort !== 'none') dropped.add('reasoning (not for this model over Converse)');
  return { fields: {}, forbids: NOTHING };
}

const isNova = (model: string): boolean => /amazon\.nova-(?:[2-9]|\d\d)/.test(model);
const upToHigh = (level: Level): string => (level === 'low' || level === 'medium' ? level : 'high');

function levelOf(reasoning: Reasoning | undefined): Level | undefined {
  const effort: Effort | undefined = reasoning?.effort;
  if (effort === 'none') return undefined;
  return effort === 'minimal' ? 'low' : effort;
}

/** Models of Anthropic think adaptively from 4.6 on, and within a budget up to 4.6; those after it choose their sampling themselves. */
function writeThinking(ask: ChatRequest, model: string, dropped: Set<string>): WrittenReasoning {
  const version = versionOf(model);
  const sampling = version > 4.6 ? SAMPLING : NOTHING;
  const { reasoning } = ask;
  if (reasoning === undefined) return { fields: {}, forbids: sampling };
  if (reasoning.effort === 'none') return { fields: version >= 4.6 ? { thinking: { type: 'disabled' } } : {}, forbids: sampling };
  const level = levelOf(reasoning);
  const { budgetTokens } = reasoning;
  if (level === undefined && budgetTokens === undefined) return { fields: {}, forbids: sampling };
  if (mustCall(ask)) {
    dropped.add('reasoning (not while a tool must be called)');
    return { fields: {}, forbids: sampling };
  }
  if (version > 4.6 || (version === 4.6 && budgetTokens === undefined)) {
    if (budgetTokens !== undefined) dropped.add('reasoning.budgetTokens (this model takes an effort)');
    const thinking = { type: 'adaptive', ...(reasoning.summary === true ? { display: 'summarized' } : {}) };
    return {
      fields: { thinking },
      ...(level === undefined ? {} : { effort: level }),
      forbids: sampling === SAMPLING ? SAMPLING : WHILE_THINKING,
    };
  }
  if (hasLostReasoning(ask, 'anthropic')) {
    dropped.add('reasoning (the calls of the last turn came without theirs)');
    return { fields: {}, forbids: NOTHING };
  }
  const wanted = Math.max(budgetTokens ?? BUDGETS[level ?? 'medium'], SMALLEST_BUDGET);
  const budget = Math.min(wanted, (ask.maxTokens ?? Infinity) - 1);
  if (budget < SMALLEST_BUDGET) {
    dropped.add('reasoning (maxTokens leaves no room for it)');
    return { fields: {}, forbids: NOTHING };
  }
  return { fields: { thinking: { type: 'enabled', budget_tokens: budget } }, forbids: WHILE_THINKING };
}

/** 4.6 of `anthropic.claude-opus-4-6-v1`, 3.7 of `claude-3-7-sonnet-20250219`; 0 where the name does not say. */
function versionOf(model: string): number {
  const [, major = '0', minor = '0'] = /claude-(?:[a-z]+-)?(\d{1,2})(?!\d)(?:-(\d)(?!\d))?/.exec(model) ?? [];
  return Number(`${major}.${minor}`);
}
