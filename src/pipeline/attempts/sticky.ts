import { hash } from 'node:crypto';
import type { BalancedTarget } from '../../core/contracts/balancer.ts';

/**
 * The target that a session has, by weighted rendezvous hashing: the same on every node, and another only when its target is gone, or when one
 * that came suits it better. Shares follow the weights over many sessions. (Thaler, Ravishankar 1998; weights by Schindelhauer, Schomaker 2005.)
 */
export function stickyIndex(targets: readonly BalancedTarget[], session: string): number {
  let best = 0;
  let highest = -Infinity;
  for (const [index, { target, weight }] of targets.entries()) {
    const score = -weight / Math.log(fraction(`${session}\n${target.name}`));
    if (score > highest) {
      highest = score;
      best = index;
    }
  }
  return best;
}

/** Between 0 and 1, both excluded. */
function fraction(text: string): number {
  return (Number.parseInt(hash('sha1', text).slice(0, 12), 16) + 0.5) / 2 ** 48;
}
