import { defineBalancer, type BalancedTarget } from '../../core/contracts/balancer.ts';
import { lowest } from './_lowest.ts';
import { NO_OPTIONS } from './_no-options.ts';
import { Rotation } from './_rotation.ts';

const price = (target: BalancedTarget): number => target.price ?? Infinity;

/** The cheapest target; those that cost the same in turn, by weight. One without a known price comes last. */
export default defineBalancer({
  name: 'cost',
  options: NO_OPTIONS,
  create() {
    const rotation = new Rotation();
    const cheapest: number[] = [];
    return {
      pick(targets) {
        lowest(targets, price, cheapest);
        return rotation.next(targets, cheapest);
      },
      // The digits that follow are left over from adding up.
      figure: (target) => (target.price === undefined ? 'no known price' : `$${Number(target.price.toPrecision(6))} a million tokens`),
    };
  },
});
