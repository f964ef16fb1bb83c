import type { Handled } from '../../../core/call.ts';
import type { TaskRecord } from '../../../core/contracts/store.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json.ts';
import { cardOf } from '../registry/agent.ts';
import { listTasks } from '../tasks/list-tasks.ts';
import { agentError } from '../wires/agent-errors.ts';
import { checkConditions } from './admit.ts';
import type { Arrival } from './arrival.ts';
import { AGAIN, ask, askAboutTask, ONCE, readTask } from './ask.ts';
import { freePlan, planOf } from './plans.ts';
import { capabilities, publicCard } from './public-card.ts';
import { carryOutPush } from './push.ts';
import { sendMessage } from './send-message.ts';

const PUSH = 'tasks/pushNotificationConfig/';

/** Carries out a call that the policies let through. Throws AgentError in the words of A2A, and GatewayError. */
export async function carryOut(arrival: Arrival): Promise<Handled<'agents'>> {
  const { call, agent, conditions, serving } = arrival;
  checkConditions(call, agent, conditions);
  checkCapability(arrival);
  const { operation, input, consumer } = call;
  if (operation === 'message/send' || operation === 'message/stream') return await sendMessage(arrival);
  if (operation === 'agent/card') return await extendedCard(arrival);
  if (operation === 'tasks/list') {
    const read = (record: TaskRecord): Promise<JsonObject | undefined> => readTask(arrival, record);
    return { reply: { result: await listTasks(input.params, { book: serving.book, agent: agent.name, owner: consumer.name, read }) } };
  }
  const { instance } = await serving.book.owned(agent.name, input.task ?? '', consumer.name);
  const plan = planOf(arrival, instance);
  if (operation.startsWith(PUSH)) return await carryOutPush(arrival, instance, (params) => ask(arrival, plan, ONCE, params));
  return await askAboutTask(arrival, plan, operation === 'tasks/cancel' ? ONCE : AGAIN, input.params);
}

/** What the card says that the agent cannot do is refused in the words of the specification (3.3.4), as the agent would. */
function checkCapability({ agent, call: { operation } }: Arrival): void {
  const card = cardOf(agent);
  if (card === undefined) return;
  const can = capabilities(card);
  if ((operation === 'message/stream' || operation === 'tasks/resubscribe') && !can('streaming'))
    throw agentError('UnsupportedOperation', 'This agent does not stream. Use message/send and tasks/get.');
  if (operation.startsWith(PUSH) && !can('pushNotifications')) throw agentError('PushNotificationNotSupported');
}

/** For this caller alone, and asked for each time. */
async function extendedCard(arrival: Arrival): Promise<Handled<'agents'>> {
  const { call, agent, base, serving } = arrival;
  const handled = await ask(arrival, freePlan(arrival), AGAIN, call.input.params);
  if ('stream' in handled) throw new GatewayError('upstream_failed');
  return { reply: { result: publicCard(agent, handled.reply.result, call.consumer, base, serving) } };
}
