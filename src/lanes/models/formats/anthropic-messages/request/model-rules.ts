import type { Effort } from '../../../../../core/chat.ts';

/** How a model is told to think: not at all, by a budget of tokens, by itself (`adaptive`), or either way. */
type Thinking = 'none' | 'budget' | 'either' | 'adaptive';

/** What the Messages API takes depends on the model. Sources: the pages of the models and the guide for API version 2026-10-21, November 2026. */
export interface ModelRules {
  /** 2026-10-21 refuses `temperature`, `top_p` and `top_k` on every model. */
  readonly apiVersion: '2023-06-01' | '2026-10-21';
  /** Takes `temperature`, `top_p` and `top_k`. */
  readonly sampling: boolean;
  /** But not `temperature` and `top_p` in one request. */
  readonly oneSampler: boolean;
  /** Takes `role: system` between turns. */
  readonly systemTurns: boolean;
  /** `max_tokens` for a caller who names none; the API demands one. */
  readonly maxTokens: number;
  readonly thinking: Thinking;
  /** The type of `thinking` that switches it off; absent: it cannot be. */
  readonly off?: 'disabled' | 'between_tools';
  /** Levels of `output_config.effort`, rising; none: the field is refused. */
  readonly efforts: readonly Exclude<Effort, 'none' | 'minimal'>[];
  /** Takes `thinking.display`. */
  readonly display: boolean;
}

const ALL = ['low', 'medium', 'high', 'xhigh', 'max'] as const;

const NEWEST: ModelRules = {
  apiVersion: '2026-10-21',
  sampling: false,
  oneSampler: true,
  systemTurns: true,
  maxTokens: 64_000,
  thinking: 'adaptive',
  off: 'disabled',
  efforts: ALL,
  display: true,
};

const OLDEST: ModelRules = {
  apiVersion: '2023-06-01',
  sampling: true,
  oneSampler: false,
  systemTurns: false,
  maxTokens: 4096,
  thinking: 'none',
  efforts: [],
  display: false,
};

/** `claude-opus-4-1-20250805`, `anthropic.claude-opus-4-6-v1`, `claude-haiku-4-5@20251001`; a date is no minor version. */
const NAMED = /claude-(opus|sonnet|haiku)-(\d+)(?:[-.](\d{1,2})(?!\d))?/;
/** `claude-3-5-sonnet-20241022`, `claude-2.1`, `claude-instant-1.2`. */
const NUMBERED = /claude-(?:instant-)?v?(\d)(?:[-.](\d)(?!\d))?/;

/**
 * The rules of a model by its name. A Claude whose version the name does not say is taken for a new one, but nothing is asked of it that old ones
 * refuse in the conversation itself. A name without `claude` is a model of another maker behind this format: those follow 2023-06-01.
 */
export function modelRules(model: string): ModelRules {
  const name = model.toLowerCase();
  if (/claude-(fable|mythos)/.test(name)) return alwaysThinking();
  const named = NAMED.exec(name);
  if (named) return ruled(named[1] ?? '', Number(named[2]) * 100 + Number(named[3] ?? 0));
  const numbered = NUMBERED.exec(name);
  if (numbered) return ruled('', Number(numbered[1]) * 100 + Number(numbered[2] ?? 0));
  if (name.includes('claude')) return { ...NEWEST, systemTurns: false, maxTokens: 4096 };
  return { ...OLDEST, thinking: 'budget', off: 'disabled' };
}

/** @param version 405 for 4.5 */
function ruled(line: string, version: number): ModelRules {
  if (version < 305) return OLDEST;
  if (version < 307) return { ...OLDEST, maxTokens: 8192 };
  if (version < 406) {
    // Half of what most of them write, because input and max_tokens share a window of 200,000.
    const efforts = line === 'opus' && version === 405 ? ALL.slice(0, 3) : [];
    return { ...OLDEST, oneSampler: version > 400, maxTokens: 32_000, thinking: 'budget', off: 'disabled', efforts };
  }
  if (version === 406) {
    return {
      ...OLDEST,
      oneSampler: true,
      maxTokens: 64_000,
      thinking: 'either',
      off: 'disabled',
      efforts: ['low', 'medium', 'high', 'max'],
    };
  }
  if (version === 407) return { ...NEWEST, systemTurns: false };
  if (version >= 505 && line === 'opus') return alwaysThinking();
  if (version >= 505 && line === 'sonnet') return { ...NEWEST, off: 'between_tools' };
  return NEWEST;
}

function alwaysThinking(): ModelRules {
  const { off: _, ...rules } = NEWEST;
  return rules;
}
