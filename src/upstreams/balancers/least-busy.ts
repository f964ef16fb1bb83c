import { defineBalancer, type BalancedTarget } from '../../core/contracts/balancer.ts';
import { lowest } from './_lowest.ts';
import { NO_OPTIONS } from './_no-options.ts';
import { Rotation } from './_rotation.ts';

const busy = ({ figures, weight }: BalancedTarget): number => figures.inFlight / weight;

/** The target with the fewest calls on their way for its weight; those that are equal in turn, by weight. */
export default defineBalancer({
  name: 'least-busy',
  options: NO_OPTIONS,
  create() {
    const rotation = new Rotation();
    const idlest: number[] = [];
    return {
      pick(targets) {
        lowest(targets, busy, idlest);
        return rotation.next(targets, idlest);
      },
      figure: ({ figures }) => `${figures.inFlight} in flight`,
    };
  },
});
