import { defineBalancer } from '../../core/contracts/balancer.ts';
import { NO_OPTIONS } from './_no-options.ts';
import { Rotation } from './_rotation.ts';

/** Calls are shared out by weight: 90 and 10 are nine calls in ten and one, in each ten calls. */
export default defineBalancer({
  name: 'weight',
  options: NO_OPTIONS,
  create() {
    const rotation = new Rotation();
    return {
      pick: (targets) => rotation.next(targets),
      figure: ({ weight }) => `weight ${weight}`,
    };
  },
});
