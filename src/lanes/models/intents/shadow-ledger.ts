import type { Ledger, LiveCall } from '../../../pipeline/live-call.ts';
import type { FoundIntent } from './intent-finder.ts';

/** The books for calls that do not wait for their intent: the record does, so that it is there and counted however quickly the answer came. */
export function shadowLedger(ledger: Ledger, found: Promise<FoundIntent>, call: () => Pick<LiveCall<'models'>, 'events'>): Ledger {
  return {
    priced: (usage, by) => ledger.priced(usage, by),
    record: (asked, outcome) => void found.then(() => ledger.record(asked, { ...outcome, events: call().events })),
  };
}
