import type { RuleCondition } from '../../../access/permit.ts';
import type { AgentsInput } from '../../../core/agents.ts';
import type { CallRequest } from '../../../core/call.ts';
import type { Consumer } from '../../../core/consumer.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import { LiveCall } from '../../../pipeline/live-call.ts';
import { cardOf, type Agent } from '../registry/agent.ts';
import { agentSegments } from '../segments.ts';
import type { Serving } from './serving.ts';
import type { Wire, WireCall } from '../wires/wire.ts';
import { namedSkill } from '../sources/rest/message-values.ts';
import { admit, skillsOf } from './admit.ts';

/** A request that was understood, on its way through the lane. */
export interface Arrival {
  readonly agent: Agent;
  /** In which the caller speaks. */
  readonly wire: Wire;
  /** Of the request on its wire. */
  readonly id: WireCall['id'];
  /** URIs of the extensions that the caller asks for. */
  readonly extensions: readonly string[];
  /** Asked when the policies have let the call through. */
  readonly conditions: readonly RuleCondition[];
  /** Where the hub is reached. No slash at the end. */
  readonly base: string;
  readonly call: LiveCall<'agents'>;
  /** That of the call, which is for an agent. */
  readonly operation: WireCall['operation'];
  readonly serving: Serving;
}

/** Who calls, and how. */
export interface Approach extends Pick<Arrival, 'wire' | 'extensions' | 'base'> {
  /** Of the call. */
  readonly id: string;
  readonly consumer: Consumer;
  readonly request: CallRequest;
}

/** Throws GatewayError `forbidden` for what the caller may not do with this agent. */
export function arrivalOf(agent: Agent, { operation, params, id }: WireCall, serving: Serving, approach: Approach): Arrival {
  const { consumer, request, wire, extensions, base } = approach;
  const input = inputOf(agent, operation, params);
  const { price } = agent.config;
  const call = new LiveCall<'agents'>({
    id: approach.id,
    lane: 'agents',
    operation,
    route: agent.name,
    consumer,
    request,
    log: serving.log,
    ledger: serving.ledger,
    codec: agentSegments,
    ...(price === undefined || !operation.startsWith('message/') ? {} : { estimate: () => ({ cost: price }) }),
    input,
  });
  const conditions = admit(agent, consumer, operation, input);
  return { agent, wire, id, extensions, conditions, base, call, operation, serving };
}

/** What the call is about, wherever its operation says it. A message to an agent of one skill is for that one. */
function inputOf(agent: Agent, operation: WireCall['operation'], params: JsonObject): AgentsInput {
  const message = isObject(params['message']) ? params['message'] : undefined;
  const isPush = operation.startsWith('tasks/pushNotificationConfig/');
  const skill = message === undefined ? undefined : (namedSkill(message) ?? onlySkill(agent));
  const task = message === undefined ? textOf(isPush ? params['taskId'] : params['id']) : textOf(message['taskId']);
  const context = message === undefined ? textOf(params['contextId']) : textOf(message['contextId']);
  return {
    agent: agent.name,
    params,
    ...(skill === undefined ? {} : { skill }),
    ...(task === undefined ? {} : { task }),
    ...(context === undefined ? {} : { context }),
  };
}

function onlySkill(agent: Agent): string | undefined {
  const [skill, ...others] = skillsOf(cardOf(agent));
  return others.length === 0 ? textOf(skill?.['id']) : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
