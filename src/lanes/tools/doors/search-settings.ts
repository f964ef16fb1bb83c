import type { SearchConfig } from '../../../config/types.ts';

/** When search tools stand in for a long list, and how they search. */
export interface SearchSettings {
  readonly mode: 'on' | 'off' | 'auto';
  /** How many tools a search finds when the caller does not say. */
  readonly top: number;
  /** Exposed names of tools that stay in the list. */
  readonly pinned: readonly string[];
  readonly model?: string | undefined;
  /** Agents can be searched for too. */
  readonly agents: boolean;
}

/** `auto` searches above this many tools (DESIGN 2.2). */
const LONG_LIST = 40;
const TOP = 8;

export const NO_SEARCH: SearchSettings = { mode: 'off', top: TOP, pinned: [], agents: false };

export function searchSettings({ mode, top = TOP, pinned = [], model }: SearchConfig = { mode: 'auto' }, agents = false): SearchSettings {
  return { mode, top, pinned, model, agents };
}

/** Whether a caller who sees that many tools gets search tools in their place. */
export function isSearched({ mode }: SearchSettings, tools: number): boolean {
  return mode === 'on' || (mode === 'auto' && tools > LONG_LIST);
}
