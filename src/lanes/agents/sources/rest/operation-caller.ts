import type { Call } from '../../../../core/call.ts';
import { isObject, type JsonObject } from '../../../../core/json.ts';
import type { AgentLine } from '../../../../core/contracts/agent-source.ts';
import type { Cancellation } from '../../../../core/upstream.ts';
import type { AppAnswer } from './answers/app-answer.ts';
import type { Exchange } from './exchange.ts';
import { argumentsOf, partsOf, textOf } from './message-values.ts';

/** One operation of a document, as it stands on the agent card. */
export interface OperationSkill {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  /** JSON Schema of the arguments. */
  readonly inputSchema: JsonObject;
}

export interface OperationAnswer {
  readonly text: string;
  readonly structured?: JsonObject | undefined;
  readonly isError: boolean;
}

/** The operations of an OpenAPI document, compiled and called by somebody else: this lane knows no documents. */
export interface OperationCaller {
  /** Names the document and how it is called: another key is another caller. */
  readonly key: string;
  /** Those of this moment. */
  readonly skills: readonly OperationSkill[];
  readonly title?: string | undefined;
  readonly version?: string | undefined;
  /** Why there are no skills, or none but older ones. */
  readonly error?: string | undefined;
  /** What its calls have in common. */
  readonly upstream: string;
  /** Base URLs that its requests go to, as far as they are known: callers must not see them. */
  readonly addresses: readonly string[];
  /** Calls `listener` when `skills` has changed; returns the way to stop. */
  subscribe(listener: () => void): () => void;
  /** Throws GatewayError where another try may help; what else the API answers, errors too, is an answer. */
  call(id: string, args: JsonObject, options: OperationCall): Promise<OperationAnswer>;
}

/** For whom an operation is called, and on which way. */
export interface OperationCall {
  readonly call: Call<'agents'>;
  readonly line: AgentLine;
  /** Fires when the task is canceled. */
  readonly signal: Cancellation;
}

/** A skill that calls one operation. Its arguments are the data of the message; of an operation with one argument, its text. */
export function operationExchange(caller: OperationCaller, skill: OperationSkill): Exchange {
  return {
    answersPlainly: false,
    needsTurns: false,
    async begin({ message, call, line }, { signal }) {
      return { type: 'answer', answer: answerOf(await caller.call(skill.id, argumentsFor(skill, message), { call, line, signal })) };
    },
  };
}

/** What an operation is called with. Pure. */
export function argumentsFor({ inputSchema }: OperationSkill, message: JsonObject): JsonObject {
  const data = argumentsOf(message);
  if (isObject(data)) return data;
  const text = textOf(partsOf(message));
  const only = onlyArgument(inputSchema);
  return only === undefined || text === '' ? {} : { [only]: text };
}

/** The one argument that must be there, or that there is, when it takes text. */
function onlyArgument({ properties, required }: JsonObject): string | undefined {
  if (!isObject(properties)) return undefined;
  const needed = Array.isArray(required) && required.length > 0 ? (required as unknown[]) : Object.keys(properties);
  const [name, ...more] = needed;
  if (typeof name !== 'string' || more.length > 0 || !Object.hasOwn(properties, name)) return undefined;
  const schema = properties[name];
  return isObject(schema) && schema['type'] === 'string' ? name : undefined;
}

function answerOf({ text, structured, isError }: OperationAnswer): AppAnswer {
  if (isError) return { state: 'failed', parts: [], note: text };
  const parts: JsonObject[] = text === '' ? [] : [{ text }];
  if (structured !== undefined) parts.push({ data: structured, mediaType: 'application/json' });
  return { state: 'completed', parts };
}
