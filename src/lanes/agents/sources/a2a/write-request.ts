import type { AgentOperation } from '../../../../core/agents.ts';
import type { JsonObject } from '../../../../core/json.ts';
import type { UpstreamRequest } from '../../../../core/upstream.ts';
import { agentError } from '../../wires/agent-errors.ts';
import { pathBelow } from './address.ts';
import type { CalledInterface } from './choose-interface.ts';
import { LARGEST_ANSWER } from './read-answer.ts';

/** Milliseconds; those of the configuration. */
export interface CallTimeouts {
  readonly connect?: number | undefined;
  readonly firstByte?: number | undefined;
  readonly idle?: number | undefined;
  readonly total?: number | undefined;
}

export interface RequestFacts {
  readonly timeouts: CallTimeouts;
  readonly trust: UpstreamRequest['trust'];
}

/** An agent may work for minutes before it says anything. */
const WORK_MS = 600_000;
/** Questions about tasks are answered from memory. */
const QUESTION_MS = 60_000;
/** Of a stream: an agent that works says nothing meanwhile. */
const SILENCE_MS = 600_000;

export function isStream(operation: AgentOperation): boolean {
  return operation === 'message/stream' || operation === 'tasks/resubscribe';
}

/**
 * One request to an agent, but for its credentials. The tenant of the interface takes the place of the caller's, which is one of the hub's. Throws
 * AgentError UnsupportedOperation for what the agent's version does not know.
 */
export function writeRequest(
  operation: AgentOperation,
  params: JsonObject,
  { wire, address, tenant }: CalledInterface,
  extensions: readonly string[],
  { timeouts, trust }: RequestFacts,
): UpstreamRequest {
  const { tenant: _, ...rest } = params;
  const written = wire.writeRequest(operation, tenant === undefined ? rest : { ...rest, tenant });
  if (written === undefined) throw agentError('UnsupportedOperation', `A2A ${wire.version} has no ${operation}.`);
  const { connect, firstByte, idle, total } = timeouts;
  const whole = operation === 'message/send' ? WORK_MS : QUESTION_MS;
  const limits = isStream(operation)
    ? { timeoutMs: total ?? Infinity, firstByteMs: firstByte ?? WORK_MS, idleMs: idle ?? SILENCE_MS }
    : {
        timeoutMs: total ?? whole,
        ...(firstByte === undefined ? {} : { firstByteMs: firstByte }),
        ...(idle === undefined ? {} : { idleMs: idle }),
      };
  return {
    method: written.method,
    origin: address.origin,
    path: pathBelow(address, written.path),
    headers: { ...written.headers, ...extensionHeader(wire.version, extensions) },
    ...(written.body === undefined ? {} : { body: JSON.stringify(written.body) }),
    trust,
    maxBytes: LARGEST_ANSWER,
    ...limits,
    ...(connect === undefined ? {} : { connectMs: connect }),
  };
}

function extensionHeader(version: string, extensions: readonly string[]): Readonly<Record<string, string>> {
  if (extensions.length === 0) return {};
  return { [version === '0.3' ? 'x-a2a-extensions' : 'a2a-extensions']: extensions.join(', ') };
}
