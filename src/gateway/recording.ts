import { join } from 'node:path';
import type { HubConfig } from '../config/types.ts';
import type { CallLog } from '../core/contracts/call-log.ts';
import type { Logger } from '../core/logger.ts';
import type { HubSemantics } from '../embedding/semantics.ts';
import { openCallLog } from '../storage/calls/open-call-log.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import { createPrices, preloadPrices, type PriceOf } from '../telemetry/prices.ts';
import { createRecorder, type Recorder } from '../telemetry/recorder.ts';

/** What becomes of calls once they have ended: the log of records, and the metrics. */
export class Recording {
  readonly calls: CallLog;
  readonly metrics: Metrics;
  readonly ledger: Recorder;
  #prices: PriceOf = createPrices();

  /** A store in memory has its records there too. */
  constructor({ dataDir, store }: { readonly dataDir: string; readonly store: string }, log: Logger, semantics: HubSemantics) {
    const path = store === 'sqlite::memory:' ? ':memory:' : join(dataDir, 'calls.db');
    this.calls = openCallLog({ path, log });
    this.metrics = createMetrics({ lost: () => this.calls.lost, semantics: () => semantics.status() });
    this.ledger = createRecorder({ log: this.calls, metrics: this.metrics, prices: () => this.#prices });
  }

  /** To be told of each configuration that serves. */
  follow({ prices, providers = {} }: HubConfig): void {
    // Reading the list takes a while that no call should wait for.
    if (Object.values(providers).some(({ type }) => type !== 'demo')) preloadPrices();
    this.#prices = createPrices(prices);
  }
}
