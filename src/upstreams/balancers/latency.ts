import type { AnyCall } from '../../core/call.ts';
import { defineBalancer, type BalancedTarget, type Balancer } from '../../core/contracts/balancer.ts';
import { NO_OPTIONS } from './_no-options.ts';
import { Rotation } from './_rotation.ts';

/** A target that has answered less often is cold: its figures say little. */
const WARM_SAMPLES = 5;
/** One call in so many goes to a cold target while others are warm. */
const EXPLORED_EACH = 10;
/** One in so many goes to any: a target that was slow once would else never be measured again. */
const MEASURED_EACH = 50;

/** The quicker of two targets drawn by lot, calls on their way and weight reckoned in. For streams the time to the first chunk counts. */
export default defineBalancer({ name: 'latency', options: NO_OPTIONS, create: createLatency });

function createLatency(): Balancer {
  const rotation = new Rotation();
  const exploring = new Rotation();
  const warm: number[] = [];
  const cold: number[] = [];
  let picks = 0;
  return {
    pick(targets, call) {
      const streams = isStream(call);
      picks += 1;
      warm.length = 0;
      cold.length = 0;
      for (let index = 0; index < targets.length; index++) {
        (isWarm(targets[index]!, streams) ? warm : cold).push(index);
      }
      if (warm.length === 0 || picks % MEASURED_EACH === 0) return rotation.next(targets);
      if (cold.length > 0 && picks % EXPLORED_EACH === 0) return exploring.next(targets, cold);
      return quicker(targets, warm, streams);
    },
    figure(target, call) {
      const ms = latencyOf(target, call !== undefined && isStream(call));
      return ms === undefined ? 'not measured yet' : `${Math.round(ms)} ms`;
    },
  };
}

/** Power of two choices: as good as the best of all in the long run, and many calls at once do not all run to the same target. (Mitzenmacher 2001.) */
function quicker(targets: readonly BalancedTarget[], warm: readonly number[], streams: boolean): number {
  const at = Math.floor(Math.random() * warm.length);
  const one = warm[at]!;
  if (warm.length === 1) return one;
  const other = warm[(at + 1 + Math.floor(Math.random() * (warm.length - 1))) % warm.length]!;
  return score(targets[one]!, streams) <= score(targets[other]!, streams) ? one : other;
}

function score(target: BalancedTarget, streams: boolean): number {
  return ((latencyOf(target, streams) ?? 0) * (target.figures.inFlight + 1)) / target.weight;
}

function isWarm(target: BalancedTarget, streams: boolean): boolean {
  return target.figures.samples >= WARM_SAMPLES && latencyOf(target, streams) !== undefined;
}

function latencyOf({ figures }: BalancedTarget, streams: boolean): number | undefined {
  return streams ? figures.firstChunkMs : figures.latencyMs;
}

/** Only the models lane knows beforehand whether the answer comes as a stream. */
function isStream(call: AnyCall): boolean {
  return call.lane === 'models' && call.input.stream;
}
