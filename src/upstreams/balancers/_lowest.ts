import type { BalancedTarget } from '../../core/contracts/balancer.ts';

/** Fills `into` with the indices of the targets that share the lowest score. */
export function lowest(targets: readonly BalancedTarget[], score: (target: BalancedTarget) => number, into: number[]): void {
  let least = Infinity;
  into.length = 0;
  for (let index = 0; index < targets.length; index++) {
    const scored = score(targets[index]!);
    if (scored > least) continue;
    if (scored < least) {
      least = scored;
      into.length = 0;
    }
    into.push(index);
  }
}
