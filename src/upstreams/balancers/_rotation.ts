import type { BalancedTarget } from '../../core/contracts/balancer.ts';

/** What adding up fractions may be off by: who is owed the same is served in order. */
const ALIKE = 1e-9;

/** What one target is owed, in picks. */
interface Account {
  owed: number;
}

/**
 * Smooth weighted round robin, as nginx has it: over any row of picks each target comes close to its share, never in bursts. What a target is owed
 * is kept by its name and in picks, so that shares hold whatever targets are there from pick to pick.
 */
export class Rotation {
  readonly #accounts = new Map<string, Account>();
  readonly #alike: boolean;

  /** `alike`: weights do not count. */
  constructor({ alike = false }: { readonly alike?: boolean } = {}) {
    this.#alike = alike;
  }

  /** The index of the next, among those whose indices are given; without them among all. */
  next(targets: readonly BalancedTarget[], among?: readonly number[]): number {
    const count = among === undefined ? targets.length : among.length;
    let total = 0;
    for (let at = 0; at < count; at++) total += this.#weight(targets[among === undefined ? at : among[at]!]!);
    let best = 0;
    let most: Account | undefined;
    for (let at = 0; at < count; at++) {
      const index = among === undefined ? at : among[at]!;
      const account = this.#account(targets[index]!);
      account.owed += this.#weight(targets[index]!) / total;
      if (most !== undefined && account.owed <= most.owed + ALIKE) continue;
      most = account;
      best = index;
    }
    if (most !== undefined) most.owed -= 1;
    return best;
  }

  #account({ target }: BalancedTarget): Account {
    let account = this.#accounts.get(target.name);
    if (account === undefined) this.#accounts.set(target.name, (account = { owed: 0 }));
    return account;
  }

  #weight({ weight }: BalancedTarget): number {
    return this.#alike ? 1 : weight;
  }
}
