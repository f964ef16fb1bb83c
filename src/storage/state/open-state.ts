import type { State } from '../../core/contracts/state.ts';
import { MemoryState, type MemoryStateOptions } from './memory-state.ts';

/**
 * Opens what nodes share: `memory:` is this node's own memory.
 * @throws Error that says what is wrong and what to do.
 */
export async function openState(url: string, options: MemoryStateOptions): Promise<State> {
  const [scheme] = url.split(':', 1);
  // Only the scheme is shown: what follows may hold a password.
  if (scheme === 'redis' || scheme === 'rediss') throw new Error('HUBGATE_STATE: Redis is not built yet. Use memory: for now.');
  if (url !== 'memory:') throw new Error('HUBGATE_STATE: the state is memory:.');
  return new MemoryState(options);
}
