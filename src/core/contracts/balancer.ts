import type { AnyCall, Target } from '../call.ts';
import type { Extension } from './extension.ts';

/** What the hub has seen of a target. Averages move: the last dozens of calls weigh most. */
export interface TargetFigures {
  /** Calls on their way to it now, open streams included. */
  readonly inFlight: number;
  /** Answers that the averages are made of. 0: nothing is known yet. */
  readonly samples: number;
  /** Milliseconds to the whole answer; absent until one came. */
  readonly latencyMs?: number;
  /** Milliseconds to the first chunk of a stream; absent until one came. */
  readonly firstChunkMs?: number;
  /** From 0 to 1. */
  readonly failureRate: number;
}

/** A target that could be tried now, as a balancer sees it. */
export interface BalancedTarget {
  readonly target: Target;
  /** The share of calls that the configuration gives it, above 0. */
  readonly weight: number;
  /** US dollars for a million tokens in and as many out; absent when unknown. */
  readonly price?: number | undefined;
  readonly figures: TargetFigures;
}

/** Chooses between targets. One instance serves the targets of one route, for one generation; what of them is offered changes from call to call. */
export interface Balancer {
  /** The index of the one to try. There are at least two, all healthy, none of them tried in this call yet. Called for every call: be quick, never wait. */
  pick(targets: readonly BalancedTarget[], call: AnyCall): number;
  /** What it goes by, of one target, for people: `182 ms`, `weight 90`. */
  figure(target: BalancedTarget, call?: AnyCall): string;
}

export interface BalancerExtension<Options = unknown> extends Extension<'balancer', Options, Balancer> {}

/** Gives a balancer its types; adds what is the same in all of them. */
export function defineBalancer<Options>(balancer: Omit<BalancerExtension<Options>, 'kind' | 'apiVersion'>): BalancerExtension<Options> {
  return { kind: 'balancer', apiVersion: 1, ...balancer };
}
