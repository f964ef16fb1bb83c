import type { Metric } from 'prom-client';
import type { CallEvent } from '../core/call.ts';
import type { CallRecord } from '../core/contracts/call-log.ts';
import type { SemanticStatus } from '../core/contracts/semantics.ts';
import type { Usage } from '../core/usage.ts';
import { Spreads, Sums, type ReadableMetric, type Sum } from './metric-cells.ts';
import { semanticReadings } from './semantic-readings.ts';

/** Counts of calls for Prometheus, since the start of the process. */
export interface Metrics {
  /** Never throws. */
  count(record: CallRecord): void;
  /** All metrics, those of the process included, as text of the format that `contentType` names. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** Values of one label that are told apart; all others together are `other`. */
const DISTINCT = 200;
const OTHER = 'other';
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
type Kind = 'input' | 'output' | 'cache_read' | 'cache_write' | 'reasoning';

export interface MetricsOptions {
  /** How many records were lost since the start. */
  readonly lost?: () => number;
  /** Which models are asked for, and what answers. */
  readonly semantics?: () => readonly SemanticStatus[];
}

export function createMetrics({ lost = () => 0, semantics = () => [] }: MetricsOptions = {}): Metrics {
  return new CallMetrics(lost, semanticReadings(semantics));
}

class CallMetrics implements Metrics {
  /** That of prom-client's text, which need not be loaded to know it. */
  readonly contentType = 'text/plain; version=0.0.4; charset=utf-8';
  readonly #calls = new Sums('hubgate_calls_total', 'Calls that ended, by outcome: ok, failed, or the code of the error.');
  readonly #durations = new Spreads('hubgate_call_duration_seconds', 'From reading a call to its end.', SECONDS);
  readonly #firstBytes = new Spreads(
    'hubgate_first_byte_seconds',
    "From reading a call to the first byte of the upstream's answer.",
    SECONDS,
  );
  readonly #tokens = new Sums('hubgate_tokens_total', 'Tokens by model. Input includes the cache, output includes reasoning.');
  readonly #costs = new Sums('hubgate_cost_usd_total', 'US dollars by model, without calls that have no price.');
  readonly #consumerTokens = new Sums('hubgate_consumer_tokens_total', 'Tokens by consumer.');
  readonly #events = new Sums('hubgate_call_events_total', 'What happened on the way of calls.');
  readonly #toolTokens = new Sums(
    'hubgate_tool_tokens_total',
    'Tokens of the definitions of tools, roughly, in calls whose tools were selected or searched: full are all that there were, offered those that went on.',
  );
  readonly #lost = new Sums('hubgate_records_lost_total', 'Records of calls that were lost.');

  readonly #byCall = new Made((lane: string, operation: string, outcome: string, provider: string) =>
    this.#calls.make({ lane, operation, outcome, provider }),
  );
  readonly #byDuration = new Made((lane: string, provider: string, streamed: string) => this.#durations.make({ lane, provider, streamed }));
  readonly #byFirstByte = new Made((provider: string) => this.#firstBytes.make({ provider }));
  readonly #byModel = new Made((provider: string, model: string) => tokenSums((kind) => this.#tokens.make({ provider, model, kind })));
  readonly #byCost = new Made((provider: string, model: string) => this.#costs.make({ provider, model }));
  readonly #byConsumer = new Made((consumer: string) => tokenSums((kind) => this.#consumerTokens.make({ consumer, kind })));
  readonly #byEvent = new Made((type: string) => this.#events.make({ type }));
  readonly #byTools = new Made((lane: string, route: string) => ({
    full: this.#toolTokens.make({ lane, route, kind: 'full' }),
    offered: this.#toolTokens.make({ lane, route, kind: 'offered' }),
  }));
  readonly #models = new Set<string>();
  readonly #consumers = new Set<string>();
  readonly #lostNow: () => number;
  readonly #readings: readonly ReadableMetric[];
  readonly #lostSum: Sum = this.#lost.make();
  #registry: Promise<{ metrics(): Promise<string> }> | undefined;

  constructor(lost: () => number, readings: readonly ReadableMetric[]) {
    this.#lostNow = lost;
    this.#readings = readings;
  }

  count(record: CallRecord): void {
    const { lane, provider = '', firstByteMs, usage } = record;
    this.#byCall.get(lane, record.operation, record.outcome, provider).value += 1;
    this.#byDuration.get(lane, provider, record.streamed ? 'true' : 'false').add(record.durationMs / 1000);
    if (firstByteMs !== undefined) this.#byFirstByte.get(provider).add(firstByteMs / 1000);
    for (const event of record.events) this.#countEvent(event, record);
    // With usage a vendor has answered, so that what was asked for is a model that exists.
    if (usage === undefined) return;
    const model = bounded(this.#models, record.modelServed ?? record.asked);
    addTokens(this.#byModel.get(provider, model), usage);
    // A model without a price has no sum: 0 would say that it is free.
    if (typeof usage.cost === 'number') this.#byCost.get(provider, model).value += usage.cost;
    addTokens(this.#byConsumer.get(bounded(this.#consumers, record.consumer)), usage);
  }

  #countEvent({ type, figures }: CallEvent, { lane, route }: CallRecord): void {
    this.#byEvent.get(type).value += 1;
    if (figures === undefined || (type !== 'selected' && type !== 'searched')) return;
    const sums = this.#byTools.get(lane, route);
    sums.full.value += figures['full'] ?? 0;
    sums.offered.value += figures['offered'] ?? 0;
  }

  async text(): Promise<string> {
    this.#lostSum.value = this.#lostNow();
    this.#registry ??= this.#load();
    return (await this.#registry).metrics();
  }

  /** prom-client takes some 35 ms and 20 MB to load: only a hub that is scraped pays for it. */
  async #load(): Promise<{ metrics(): Promise<string> }> {
    const { Registry, collectDefaultMetrics } = await import('prom-client');
    const registry = new Registry();
    const own: readonly ReadableMetric[] = [
      this.#calls,
      this.#durations,
      this.#firstBytes,
      this.#tokens,
      this.#costs,
      this.#consumerTokens,
      this.#events,
      this.#toolTokens,
      this.#lost,
      ...this.#readings,
    ];
    for (const metric of own) registry.registerMetric(metric as unknown as Metric);
    collectDefaultMetrics({ register: registry });
    return registry;
  }
}

/** What was made for a combination of labels. Maps in maps find it without making a text of the labels. */
class Made<A extends string[], T> {
  readonly #root = new Map<string, unknown>();
  readonly #make: (...labels: A) => T;

  constructor(make: (...labels: A) => T) {
    this.#make = make;
  }

  get(...labels: A): T {
    let map = this.#root;
    const last = labels.length - 1;
    for (let at = 0; at < last; at += 1) {
      let next = map.get(labels[at]!) as Map<string, unknown> | undefined;
      if (next === undefined) map.set(labels[at]!, (next = new Map()));
      map = next;
    }
    let found = map.get(labels[last]!) as T | undefined;
    if (found === undefined) map.set(labels[last]!, (found = this.#make(...labels)));
    return found;
  }
}

function bounded(seen: Set<string>, value: string): string {
  if (seen.has(value)) return value;
  if (seen.size >= DISTINCT) return OTHER;
  seen.add(value);
  return value;
}

type Tokens = Readonly<Record<Kind, Sum>>;

function tokenSums(make: (kind: Kind) => Sum): Tokens {
  return {
    input: make('input'),
    output: make('output'),
    cache_read: make('cache_read'),
    cache_write: make('cache_write'),
    reasoning: make('reasoning'),
  };
}

function addTokens(tokens: Tokens, usage: Usage): void {
  tokens.input.value += usage.inputTokens ?? 0;
  tokens.output.value += usage.outputTokens ?? 0;
  tokens.cache_read.value += usage.cacheReadTokens ?? 0;
  tokens.cache_write.value += usage.cacheWriteTokens ?? 0;
  tokens.reasoning.value += usage.reasoningTokens ?? 0;
}
