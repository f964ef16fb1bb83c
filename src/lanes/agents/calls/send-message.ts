import type { Handled } from '../../../core/call.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import { agentError } from '../wires/agent-errors.ts';
import { admit } from './admit.ts';
import type { Arrival } from './arrival.ts';
import { askAboutTask, ONCE } from './ask.ts';
import { freePlan, instanceOf, planOf } from './plans.ts';

/** Sends a message to the instance that has its task or its conversation, or to one that takes new ones. */
export async function sendMessage(arrival: Arrival): Promise<Handled<'agents'>> {
  const { call, agent, wire, serving } = arrival;
  const { task, context, params } = call.input;
  const bound = task === undefined ? await conversation(arrival, context) : await ownTask(arrival, task, context);
  await checkReferences(arrival, params);
  const { configuration } = params;
  // To be told of a task is a right of its own, whether it is asked for apart or with the message.
  if (isObject(configuration) && configuration['taskPushNotificationConfig'] !== undefined)
    admit(agent, call.consumer, 'tasks/pushNotificationConfig/set', {});
  const order = await serving.push.inline({ agent: agent.name, owner: call.consumer.name, version: wire.version }, params);
  const plan = bound === undefined ? freePlan(arrival) : planOf(arrival, bound);
  const way = { ...ONCE, session: bound === undefined ? context : undefined };
  try {
    return await askAboutTask(arrival, plan, way, order?.params ?? params, order);
  } catch (error) {
    await order?.drop();
    throw error;
  }
}

/** The instance that has the task. Throws AgentError TaskNotFound for a task of others, InvalidParams for another conversation than its own. */
async function ownTask({ call, agent, serving }: Arrival, task: string, context: string | undefined): Promise<string> {
  const record = await serving.book.owned(agent.name, task, call.consumer.name);
  if (context !== undefined && record.context !== '' && context !== record.context)
    throw agentError('InvalidParams', 'message.contextId: the task belongs to another conversation. Leave it out.');
  return record.instance;
}

/** The instance that has the conversation, if there is one and it still has a place. Agents go by the id alone: nobody names somebody else's. */
async function conversation(arrival: Arrival, context: string | undefined): Promise<string | undefined> {
  if (context === undefined) return undefined;
  const { call, agent, serving } = arrival;
  // What the hub carries out itself it keeps apart by consumer.
  if (agent.config.rest !== undefined) return undefined;
  const found = await serving.book.claim(agent.name, context, call.consumer.name);
  if (found === 'foreign')
    throw agentError('InvalidParams', 'message.contextId: there is no such conversation of yours. Leave it out to begin one.');
  return found.instance === undefined ? undefined : instanceOf(agent, found.instance)?.id;
}

/** A message must not lead the agent to what is not the caller's. Throws AgentError TaskNotFound. */
async function checkReferences({ call, agent, serving }: Arrival, { message }: JsonObject): Promise<void> {
  const references = isObject(message) ? message['referenceTaskIds'] : undefined;
  if (!Array.isArray(references)) return;
  for (const task of references) await serving.book.owned(agent.name, String(task), call.consumer.name);
}
