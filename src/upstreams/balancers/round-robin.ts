import { defineBalancer } from '../../core/contracts/balancer.ts';
import { NO_OPTIONS } from './_no-options.ts';
import { Rotation } from './_rotation.ts';

/** One target after the other, whatever their weights. */
export default defineBalancer({
  name: 'round-robin',
  options: NO_OPTIONS,
  create() {
    const rotation = new Rotation({ alike: true });
    return {
      pick: (targets) => rotation.next(targets),
      figure: () => 'in turn',
    };
  },
});
