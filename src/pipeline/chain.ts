import type { PolicyUse } from '../config/types.ts';
import type { AnyCall, Lane } from '../core/call.ts';
import { STAGES, type PolicyHooks, type Question, type Stage } from '../core/contracts/policy.ts';

/** One use of a policy, created for a generation. */
export interface BoundPolicy {
  readonly name: string;
  readonly stage: Stage;
  readonly lanes?: readonly Lane[];
  readonly hooks: PolicyHooks;
  /** What happens when a hook throws something that is no GatewayError, or is late. Default: `refuse` in `limit` and `guard`, else `skip`. */
  readonly onFailure?: 'refuse' | 'skip';
  /** Milliseconds that one hook may take. */
  readonly timeoutMs?: number;
  /** False for calls that this use does not concern (`match:`). */
  readonly applies?: (call: AnyCall) => boolean;
  /** The same of a call that nobody has made; what only the request tells counts as yes. */
  readonly concerns?: (question: Question) => boolean;
}

/** Makes the policies of one place for a generation. */
export interface PolicyBinder {
  /** `place` says where in the configuration they stand, such as `services/billing`; empty at root. */
  bind(uses: readonly PolicyUse[] | undefined, place: string): Promise<readonly BoundPolicy[]>;
}

/** A policy at its place in the order of one chain. */
export interface Step extends BoundPolicy {
  readonly place: number;
  readonly refusesOnFailure: boolean;
  readonly observes: boolean;
}

type HookName = 'onCall' | 'onAttempt' | 'onStream' | 'onReply' | 'onEnd' | 'explain';

/** The hooks of one route, sorted once per generation: a hook that nobody wrote costs nothing per call. */
export interface Chain {
  readonly onCall: readonly Step[];
  readonly onAttempt: readonly Step[];
  /** Steps that a reply or stream passes on its way back, last stage first. */
  readonly onReply: readonly Step[];
  readonly onStream: readonly Step[];
  readonly onEnd: readonly Step[];
  /** Those that can say what they would do. */
  readonly explaining: readonly Step[];
  /** Names of the policies that make streams wait, for the configuration check. */
  readonly holding: readonly string[];
}

/** Sorts policies by stage, inside a stage by the order given, and leaves out those of other lanes. */
export function composeChain(policies: readonly BoundPolicy[], lane: Lane): Chain {
  const steps: Step[] = policies
    .filter((policy) => policy.lanes === undefined || policy.lanes.includes(lane))
    .map((policy, index) => ({ policy, index }))
    .sort((a, b) => STAGES.indexOf(a.policy.stage) - STAGES.indexOf(b.policy.stage) || a.index - b.index)
    .map(({ policy }, place) => ({
      ...policy,
      place,
      observes: policy.stage === 'observe',
      refusesOnFailure: policy.stage !== 'observe' && (policy.onFailure ?? defaultFailure(policy.stage)) === 'refuse',
    }));
  const having = (hook: HookName): Step[] => steps.filter((step) => step.hooks[hook] !== undefined);
  const back = steps.toReversed();
  const holds = (step: Step): boolean => step.hooks.onReply !== undefined && step.hooks.onStream === undefined && !step.observes;
  return {
    onCall: having('onCall'),
    onAttempt: having('onAttempt'),
    onReply: back.filter((step) => step.hooks.onReply !== undefined),
    onStream: back.filter((step) => step.hooks.onStream !== undefined || step.hooks.onReply !== undefined),
    onEnd: having('onEnd'),
    explaining: having('explain'),
    holding: steps.filter(holds).map((step) => step.name),
  };
}

function defaultFailure(stage: Stage): 'refuse' | 'skip' {
  return stage === 'limit' || stage === 'guard' ? 'refuse' : 'skip';
}
