import type { WriteContext } from '../../../core/contracts/provider.ts';
import type { LiveCall } from '../../../pipeline/live-call.ts';
import type { Arrival } from './arrival.ts';
import { estimateInput } from './estimate.ts';

/** What the writer of a format has to know of a call. */
export function contextOf(call: LiveCall<'models'>, { body }: Arrival): WriteContext {
  return {
    id: call.id.replaceAll('-', ''),
    created: Math.floor(call.startedAt / 1000),
    model: call.input.model,
    body,
    // Read by one format only, and dear for a long prompt.
    get estimatedInput() {
      return estimateInput(call.input.body);
    },
  };
}
