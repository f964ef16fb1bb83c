import { AgentError, type AgentOperation, type AgentsChunk } from '../../../core/agents.ts';
import type { Handled } from '../../../core/call.ts';
import type { AgentLine } from '../../../core/contracts/agent-source.ts';
import type { TaskRecord } from '../../../core/contracts/store.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json.ts';
import type { Cancellation } from '../../../core/upstream.ts';
import { attempt, type Send } from '../../../pipeline/attempts/attempt.ts';
import { forward, type Plan, type Way } from '../../../pipeline/forward.ts';
import type { Instance } from '../registry/agent.ts';
import type { PushOrder } from '../tasks/push-relay.ts';
import { AGENT_ERRORS } from '../wires/agent-errors.ts';
import type { Arrival } from './arrival.ts';
import { TaskAssembly } from './assemble-task.ts';
import { instanceOf } from './plans.ts';
import { TaskWatch } from './task-watch.ts';

/** What changes something is asked once: what may have been carried out is not tried again. */
export const ONCE = { peeks: true, once: true } as const satisfies Way<'agents'>;
export const AGAIN = { peeks: true } as const satisfies Way<'agents'>;

/** For one of many tasks in a list: what is known of the others is not held up by one that hangs. */
const READ_MS = 5_000;

/** Forwards the call of the arrival with these params. */
export async function ask(arrival: Arrival, plan: Plan<Instance>, way: Way<'agents'>, params: JsonObject): Promise<Handled<'agents'>> {
  return (await asked(arrival, plan, way, params)).handled;
}

/** The same for what is about a task: what is said of it is kept before the caller hears it. */
export async function askAboutTask(
  arrival: Arrival,
  plan: Plan<Instance>,
  way: Way<'agents'>,
  params: JsonObject,
  order?: PushOrder,
): Promise<Handled<'agents'>> {
  const { handled, instance } = await asked(arrival, plan, way, params);
  const watch = new TaskWatch(arrival, instance, order);
  if ('stream' in handled) return { stream: watched(handled.stream, watch, new TaskAssembly(arrival.call)) };
  await watch.see(handled.reply.result);
  await watch.end();
  return handled;
}

async function asked(arrival: Arrival, plan: Plan<Instance>, way: Way<'agents'>, params: JsonObject) {
  const { call } = arrival;
  let instance = '';
  const handled = await forward(call, plan, way, (choice) => {
    instance = choice.id;
    charge(arrival);
    return choice.source.call(call, lineTo(arrival, arrival.operation, params));
  });
  return { handled, instance };
}

async function* watched(chunks: AsyncIterable<AgentsChunk>, watch: TaskWatch, assembly: TaskAssembly): AsyncGenerator<AgentsChunk> {
  try {
    for await (const { event } of chunks) {
      await watch.see(event);
      yield assembly.chunk(event);
    }
  } finally {
    await watch.end();
  }
}

/** A task as its instance has it now; undefined when that does not know it any more. Throws when it cannot be asked. */
export async function readTask(arrival: Arrival, { instance: id, task }: TaskRecord): Promise<JsonObject | undefined> {
  const { call, agent } = arrival;
  const instance = instanceOf(agent, id);
  if (instance?.gauge.available(Date.now()) !== true) throw new GatewayError('unavailable');
  const { historyLength } = call.input.params;
  const params = { id: task, ...(historyLength === undefined ? {} : { historyLength }) };
  const run = instance.gauge.begin(Date.now());
  try {
    const handled = await instance.source.call(call, lineTo(arrival, 'tasks/get', params, AbortSignal.timeout(READ_MS)));
    run.ended(Date.now(), 'ok');
    return 'reply' in handled ? handled.reply.result : undefined;
  } catch (error) {
    run.ended(Date.now(), error instanceof AgentError ? 'neutral' : 'failed');
    if (error instanceof AgentError && error.code === AGENT_ERRORS.TaskNotFound.code) return undefined;
    throw error;
  }
}

function lineTo(arrival: Arrival, operation: AgentOperation, params: JsonObject, limit?: Cancellation): AgentLine {
  const { call, agent, wire, extensions, serving } = arrival;
  return {
    operation,
    params,
    speaks: wire,
    extensions,
    send: (request, signers, until = limit) => attempt(call, agent.chain, { request, signers }, calledOffBy(serving.http.send, until)),
    open: (request, signers, until = limit) => attempt(call, agent.chain, { request, signers }, calledOffBy(serving.http.open, until)),
  };
}

/** What goes on when its caller leaves is called off by something else than the call. */
function calledOffBy<R>(send: Send<R>, until: Cancellation | undefined): Send<R> {
  return until === undefined ? send : (request) => send(request, { signal: until });
}

/** What the operator has set for one message, whether the agent does its work or not. */
function charge({ call, agent }: Arrival): void {
  if (call.operation.startsWith('message/') && agent.config.price !== undefined) call.usage = { cost: agent.config.price };
}
