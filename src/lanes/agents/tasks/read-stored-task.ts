import type { AgentSource } from '../../../core/contracts/agent-source.ts';
import type { TaskRecord } from '../../../core/contracts/store.ts';
import type { JsonObject } from '../../../core/json.ts';
import { LiveCall } from '../../../pipeline/live-call.ts';
import { attempt } from '../../../pipeline/attempts/attempt.ts';
import { composeChain } from '../../../pipeline/chain.ts';
import type { AgentsHost } from '../host.ts';
import { agentSegments } from '../segments.ts';

const NO_POLICIES = composeChain([], 'agents');

/** A task as its instance has it, read by the hub itself for its owner: nobody called, so no policy is asked and nothing is recorded. */
export async function readStoredTask(
  source: AgentSource,
  { agent, task, owner }: TaskRecord,
  { http, log }: Pick<AgentsHost, 'http' | 'log'>,
): Promise<JsonObject | undefined> {
  const params = { id: task };
  const call = new LiveCall<'agents'>({
    id: `push-${task}`,
    lane: 'agents',
    operation: 'tasks/get',
    route: agent,
    consumer: { name: owner, groups: [], anonymous: false },
    request: { headers: {}, ip: '', size: 0 },
    log,
    codec: agentSegments,
    input: { agent, task, params },
  });
  const handled = await source.call(call, {
    operation: 'tasks/get',
    params,
    extensions: [],
    send: (request, signers) => attempt(call, NO_POLICIES, { request, signers }, http.send),
    open: (request, signers) => attempt(call, NO_POLICIES, { request, signers }, http.open),
  });
  return 'reply' in handled ? handled.reply.result : undefined;
}
