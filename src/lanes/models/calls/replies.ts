import type { LaneReplies } from '../../../pipeline/run.ts';
import type { LiveCall } from '../../../pipeline/live-call.ts';
import type { Arrival } from './arrival.ts';
import { contextOf } from './write-context.ts';

/** How a streamed answer completes: its last event carries all of it. A reply that a policy gives in its place is streamed anew. */
export function modelReplies(call: LiveCall<'models'>, arrival: Arrival): LaneReplies<'models'> {
  const { codec } = arrival.door;
  return {
    failed: () => false,
    completed: (chunk) => chunk.reply,
    replay: (reply) => codec?.replay(reply.body, contextOf(call, arrival)) ?? [],
    urgent: () => false,
  };
}
