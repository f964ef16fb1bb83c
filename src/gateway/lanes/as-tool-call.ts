import type { Call } from '../../core/call.ts';
import type { JsonObject } from '../../core/json.ts';

/** A call of an agent as a source of tools reads it: the same caller, for one operation. */
export function asToolCall(call: Call<'agents'>, name: string, args: JsonObject): Call<'tools'> {
  const { id, route, consumer, request, startedAt, signal, log } = call;
  const never = (): never => {
    throw new Error('nobody changes the texts of this call');
  };
  return {
    id,
    lane: 'tools',
    operation: 'tools/call',
    route,
    consumer,
    request,
    startedAt,
    signal,
    log,
    input: { name, arguments: args, params: { name, arguments: args } },
    segments: () => [],
    mapText: never,
    rewriteText: never,
    estimate: () => ({}),
    note: (type, detail, figures) => call.note(type, detail, figures),
  };
}
