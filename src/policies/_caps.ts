import type { AnyCall, Lane, Outcome } from '../core/call.ts';
import { GatewayError } from '../core/errors.ts';
import { parseRate, windowOf, type Rate, type Span } from '../core/units/rate.ts';
import type { Usage } from '../core/usage.ts';

/** What may be limited. `concurrent` and `streams` are held, the others are used up. */
export type Unit = 'requests' | 'tokens' | 'usd' | 'concurrent' | 'streams';

/** One limit, whoever it is for. */
export interface Cap {
  readonly unit: Unit;
  /** Money in billionths of a dollar. */
  readonly limit: number;
  /** Absent for what is held. */
  readonly per?: Span;
  /** Its time is the calendar's and does not slide. */
  readonly calendar: boolean;
}

/** A limit as options have it: text in files, parsed where it comes from a consumer's own limits. */
export type RateOption = string | Rate | readonly (string | Rate)[];

/** The JSON Schema of such options. */
export function rateSchema(description: string): object {
  const one = {
    type: ['string', 'object'],
    format: 'rate',
    hint: 'Write an amount and a time: 600/min, 200k/min, 50/month.',
    required: ['amount', 'per'],
    properties: { amount: { type: 'number', minimum: 0 }, per: { enum: ['second', 'minute', 'hour', 'day', 'week', 'month'] } },
  };
  return { ...one, type: [...one.type, 'array'], items: one, description };
}

export function capsOf(unit: Unit, option: RateOption | undefined, calendar: boolean): readonly Cap[] {
  if (option === undefined) return [];
  const caps = [option].flat().map((given) => capOf(unit, given as string | Rate, calendar));
  const spans = new Set(caps.map(({ per }) => per));
  if (spans.size < caps.length) throw new GatewayError('bad_request', `${unit} has two limits for the same time. Keep one.`);
  return caps;
}

function capOf(unit: Unit, given: string | Rate, calendar: boolean): Cap {
  const rate = typeof given === 'string' ? parseRate(given) : given;
  if (rate === undefined) throw new GatewayError('bad_request', `${unit}: write an amount and a time: 600/min, 200k/min, 50/month.`);
  const { amount, per } = rate;
  if (unit !== 'usd' && !Number.isInteger(amount))
    throw new GatewayError('bad_request', `${unit}: ${amount} is not a whole number. Take a longer time, such as 30/min for 0.5/s.`);
  return { unit, limit: unit === 'usd' ? billionths(amount) : amount, per, calendar: calendar || windowOf(per) === undefined };
}

/** Sums of dollars are not exact in binary, those of billionths are. Rounded up, but not for what is only an error of binary. */
export function billionths(dollars: number): number {
  return Math.ceil(dollars * 1e9 - 0.001);
}

/** What reaches an upstream, or a model of the hub's own, to have work done. Lists, subscriptions and questions about tasks are free. */
const WORK: ReadonlySet<string> = new Set<AnyCall['operation']>([
  'chat',
  'responses',
  'messages',
  'embeddings',
  'count_tokens',
  'tools/call',
  'resources/read',
  'prompts/get',
  'completion/complete',
  'message/send',
  'message/stream',
  'agents/search',
]);

/** No vendor asks anything for it. */
const COSTS_NOTHING: ReadonlySet<string> = new Set<AnyCall['operation']>(['count_tokens', 'agents/search']);

export function concerns(unit: Unit, call: AnyCall): boolean {
  if (!appliesTo(unit, call.lane)) return false;
  if (unit === 'streams') return opensStream(call);
  return WORK.has(call.operation) && !((unit === 'tokens' || unit === 'usd') && COSTS_NOTHING.has(call.operation));
}

/** What is known only when a call has ended. */
export function isUsedUp(unit: Unit): boolean {
  return unit === 'tokens' || unit === 'usd';
}

/** Tools use no tokens and open no streams that last. */
export function appliesTo(unit: Unit, lane: Lane): boolean {
  return lane !== 'tools' || (unit !== 'tokens' && unit !== 'streams');
}

function opensStream(call: AnyCall): boolean {
  if (call.lane === 'models') return call.input.stream;
  return call.operation === 'message/stream' || call.operation === 'tasks/resubscribe';
}

/** What a call will use; undefined when nobody knows. */
export function expected(unit: Unit, call: AnyCall): number | undefined {
  if (unit !== 'tokens' && unit !== 'usd') return 1;
  return amountIn(unit, call.estimate());
}

/** What a call has used. Where it was sent and nobody knows, what was reserved stands: being cut off in time must not make calls free. */
export function used(unit: Unit, outcome: Outcome, reserved: number): number {
  if (unit !== 'tokens' && unit !== 'usd') return 1;
  if (outcome.attempts === 0) return 0;
  const { ok, error, usage } = outcome;
  if (usage === undefined) return ok || error?.code === 'client_closed' ? reserved : 0;
  return amountIn(unit, usage) ?? reserved;
}

function amountIn(unit: 'tokens' | 'usd', { cost, totalTokens, inputTokens, outputTokens }: Usage): number | undefined {
  if (unit === 'usd') return typeof cost === 'number' ? billionths(cost) : undefined;
  if (totalTokens !== undefined) return totalTokens;
  return inputTokens === undefined && outputTokens === undefined ? undefined : (inputTokens ?? 0) + (outputTokens ?? 0);
}
