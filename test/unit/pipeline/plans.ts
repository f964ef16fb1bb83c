import type { Handled } from '../../../src/core/call.ts';
import { GatewayError, type ErrorCode } from '../../../src/core/errors.ts';
import type { ToolsChunk, ToolsReply } from '../../../src/core/tools.ts';
import type { Cancellation } from '../../../src/core/upstream.ts';
import type { Balancer } from '../../../src/core/contracts/balancer.ts';
import type { Attempting, Choice, Plan, Pool } from '../../../src/pipeline/forward.ts';
import type { LiveCall } from '../../../src/pipeline/live-call.ts';
import { Gauge, type GaugeSettings } from '../../../src/upstreams/health/gauge.ts';
import { KeyRing, type RingKey } from '../../../src/upstreams/health/key-ring.ts';
import { RetryBudget } from '../../../src/upstreams/health/retry-budget.ts';

const REPLY: ToolsReply = { content: [{ type: 'text', text: 'done' }] };
export const note = (n: number): ToolsChunk => ({ type: 'notification', method: 'notifications/message', params: { data: n } });
export const RESULT: ToolsChunk = { type: 'result', result: REPLY };

/** The first of those that can be tried: what is chosen is then the plan's doing. */
const FIRST: Balancer = { pick: () => 0, figure: () => '' };

/** A breaker that never opens. */
export const NEVER: GaugeSettings = { breaker: { failures: 1e9, minimum: 1e9 } };

export interface ChoiceParts {
  readonly upstream?: string;
  readonly weight?: number;
  readonly keys?: readonly RingKey[];
  readonly settings?: GaugeSettings;
}

/** A target with a gauge of its own, and keys where they are given. */
export function choiceOf(name: string, { upstream = name, weight = 1, keys, settings }: ChoiceParts = {}): Choice {
  const gauge = new Gauge(settings);
  return { target: { name, upstream }, weight, gauge, figures: gauge, ...(keys === undefined ? {} : { keys: new KeyRing(keys) }) };
}

export function planOf(pools: readonly (readonly Choice[])[], more: Partial<Plan> = {}): Plan {
  return {
    pools: pools.map((choices): Pool => ({ choices, balancer: FIRST })),
    retries: 2,
    budget: new RetryBudget(),
    ...more,
  };
}

export function failure(code: ErrorCode, retryAfterMs?: number): GatewayError {
  return new GatewayError(code, undefined, retryAfterMs === undefined ? {} : { retryAfterMs });
}

/** Rejects as whatever is sent does, once it is called off. */
export function calledOff(cancellation: Cancellation): Promise<never> {
  return new Promise((_, reject) => {
    if (cancellation.aborted) reject(cancellation.reason as Error);
    else cancellation.addEventListener('abort', { handleEvent: () => reject(cancellation.reason as Error) });
  });
}

/** What an attempt becomes: a failure, a reply, the chunks of a stream (a failure among them breaks it off, `hang` waits until it is called off). */
export type Fate = GatewayError | 'reply' | 'hang' | readonly (ToolsChunk | GatewayError | 'hang')[];

/** Plays the fates of each target, one an attempt; the last of them goes on for ever. `tried` says `NAME`, or `NAME#KEY` where there are keys. */
export function playing(
  call: LiveCall<'tools'>,
  fates: Readonly<Record<string, readonly Fate[]>>,
): { readonly tried: string[]; readonly attempting: Attempting<'tools', Choice> } {
  const tried: string[] = [];
  const times = new Map<string, number>();
  return {
    tried,
    async attempting({ target: { name }, keys }, key) {
      tried.push(keys === undefined ? name : `${name}#${key}`);
      const turn = times.get(name) ?? 0;
      times.set(name, turn + 1);
      const own = fates[name] ?? [];
      return handledBy(call, own[Math.min(turn, own.length - 1)] ?? 'reply');
    },
  };
}

export async function handledBy(call: LiveCall<'tools'>, fate: Fate): Promise<Handled<'tools'>> {
  if (fate === 'reply') return { reply: REPLY };
  if (fate === 'hang') return calledOff(call.attemptCancellation);
  if (fate instanceof GatewayError) throw fate;
  return { stream: playChunks(fate, call.attemptCancellation) };
}

async function* playChunks(
  chunks: readonly (ToolsChunk | GatewayError | 'hang')[],
  cancellation: Cancellation,
): AsyncGenerator<ToolsChunk> {
  for (const chunk of chunks) {
    if (chunk === 'hang') await calledOff(cancellation);
    else if (chunk instanceof GatewayError) throw chunk;
    else yield chunk;
  }
}
