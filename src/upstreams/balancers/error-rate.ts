import { defineBalancer, type BalancedTarget } from '../../core/contracts/balancer.ts';
import { lowest } from './_lowest.ts';
import { NO_OPTIONS } from './_no-options.ts';
import { Rotation } from './_rotation.ts';

/** Targets are alike within a twentieth: one failure more or less must not move all traffic. */
const STEPS = 20;
const EXPLORED_EACH = 20;

const step = ({ figures }: BalancedTarget): number => Math.floor(figures.failureRate * STEPS);

/** The target that fails least; those that are equal in turn, by weight. One call in twenty goes to another, so that it can show that it is well again. */
export default defineBalancer({
  name: 'error-rate',
  options: NO_OPTIONS,
  create() {
    const rotation = new Rotation();
    const exploring = new Rotation();
    const best: number[] = [];
    const others: number[] = [];
    let picks = 0;
    return {
      pick(targets) {
        lowest(targets, step, best);
        if (best.length === targets.length) return rotation.next(targets);
        picks += 1;
        if (picks % EXPLORED_EACH !== 0) return rotation.next(targets, best);
        others.length = 0;
        for (let index = 0; index < targets.length; index++) if (!best.includes(index)) others.push(index);
        return exploring.next(targets, others);
      },
      figure: ({ figures }) => `${Math.round(figures.failureRate * 100)} % failed`,
    };
  },
});
