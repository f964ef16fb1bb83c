import type { Effort, Reasoning } from '../../../core/chat.ts';

/** A budget in tokens says roughly which effort is meant. */
export function effortOf({ effort, budgetTokens }: Reasoning): Effort | undefined {
  if (effort !== undefined || budgetTokens === undefined) return effort;
  if (budgetTokens < 1) return budgetTokens === 0 ? 'none' : undefined;
  if (budgetTokens < 4096) return 'low';
  return budgetTokens < 16_384 ? 'medium' : 'high';
}
