import type { ChatRequest } from '../../../core/chat.ts';

/** A model of Anthropic does not think when it has to call a tool. */
export function mustCall({ toolChoice, tools }: ChatRequest): boolean {
  if (toolChoice === undefined || tools.length === 0) return false;
  return toolChoice.type === 'required' || toolChoice.type === 'tool' || (toolChoice.type === 'allowed' && toolChoice.required);
}

/** With a budget, a model of Anthropic wants to see what it thought before the calls that are answered now. */
export function hasLostReasoning({ turns }: ChatRequest, family: string): boolean {
  const last = turns.findLastIndex(({ role }) => role === 'assistant');
  const before = turns.slice(0, last + 1).findLastIndex(({ role }) => role !== 'assistant');
  const parts = turns.slice(before + 1, last + 1).flatMap((turn) => turn.parts);
  return parts.some(({ type }) => type === 'call') && !parts.some((part) => part.type === 'reasoning' && part.seal?.family === family);
}
