import type { Handled } from '../../../core/call.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json.ts';
import type { Arrival } from './arrival.ts';

/**
 * The four operations on push configurations of a task that is the caller's: what the caller gave is kept by the hub, the agent hears of an address of
 * the hub's. `ask` sends the operation of the call to the instance that has the task.
 */
export async function carryOutPush(
  { call, agent, wire, serving: { push } }: Arrival,
  instance: string,
  ask: (params: JsonObject) => Promise<Handled<'agents'>>,
): Promise<Handled<'agents'>> {
  const { params, task = '' } = call.input;
  const caller = { agent: agent.name, owner: call.consumer.name, version: wire.version, instance };
  if (call.operation === 'tasks/pushNotificationConfig/get') return { reply: { result: await push.get(caller, params) } };
  if (call.operation === 'tasks/pushNotificationConfig/list') return { reply: { result: await push.list(caller, params) } };
  if (call.operation === 'tasks/pushNotificationConfig/delete') {
    const told = await push.delete(caller, params);
    // Nothing is delivered any more, whatever the agent says to it.
    if (told !== undefined)
      await ask(told).catch((error: unknown) => call.log.warn({ err: error, agent: agent.name }, 'the agent keeps a push configuration'));
    return { reply: { result: {} } };
  }
  if (call.operation !== 'tasks/pushNotificationConfig/set') throw new GatewayError('internal');
  const order = await push.set(caller, params);
  try {
    await ask(order.params);
  } catch (error) {
    await order.drop();
    throw error;
  }
  await order.bind(task);
  return { reply: { result: { ...order.config, taskId: task } } };
}
