import type { ErrorCode } from './errors.ts';
import type { JsonObject } from './json.ts';

/** The agents lane: what its calls move. All shapes are the JSON of A2A 1.0 (specification/a2a.proto), whatever version and binding caller and agent speak; unknown fields survive. */
export interface AgentsLane {
  /** `agents/search` asks the hub which agents there are, and no agent. */
  operation: AgentOperation | 'agents/search';
  input: AgentsInput;
  reply: AgentsReply;
  chunk: AgentsChunk;
}

export const AGENT_OPERATIONS = [
  'message/send',
  'message/stream',
  'tasks/get',
  'tasks/list',
  'tasks/cancel',
  'tasks/resubscribe',
  'tasks/pushNotificationConfig/set',
  'tasks/pushNotificationConfig/get',
  'tasks/pushNotificationConfig/list',
  'tasks/pushNotificationConfig/delete',
  'agent/card',
] as const;
/** What a caller asks of an agent. `agent/card` is the extended card. */
export type AgentOperation = (typeof AGENT_OPERATIONS)[number];

export interface AgentsInput {
  /** Empty for `agents/search`. */
  readonly agent: string;
  /** The skill that the message names in its metadata (`skill` or `skillId`). */
  readonly skill?: string;
  /** The task that the call is about, of a message the one that it continues. */
  readonly task?: string;
  /** The conversation that a message belongs to. */
  readonly context?: string;
  /** The request of the operation: SendMessageRequest, GetTaskRequest, and so on; `{ query, top }` for `agents/search`. */
  readonly params: JsonObject;
}

/**
 * SendMessageResponse (`{ task }` or `{ message }`), Task (`tasks/get`, `tasks/cancel`), ListTasksResponse, TaskPushNotificationConfig (`set`, `get`),
 * ListTaskPushNotificationConfigsResponse, AgentCard; `{}` for `delete`; `{ agents, degraded? }` for `agents/search`.
 */
export interface AgentsReply {
  readonly result: JsonObject;
}

/** StreamResponse: an object with one of `task`, `message`, `statusUpdate`, `artifactUpdate`. */
export interface AgentsChunk {
  readonly event: JsonObject;
  /** On the event that completes a stream: what all of it has come to, a task or a message. */
  readonly reply?: AgentsReply;
}

/** States after which a task changes no more (specification 4.1.3). */
export const ENDED_STATES: ReadonlySet<string> = new Set([
  'TASK_STATE_COMPLETED',
  'TASK_STATE_FAILED',
  'TASK_STATE_CANCELED',
  'TASK_STATE_REJECTED',
]);

/** States in which the agent waits for its caller (specification 4.1.3): a stream ends there too (3.1.2). */
export const WAITING_STATES: ReadonlySet<string> = new Set(['TASK_STATE_INPUT_REQUIRED', 'TASK_STATE_AUTH_REQUIRED']);

/** An error in the words of A2A, which reaches the caller with code, message and details as they are. */
export class AgentError extends Error {
  /** As in JSON-RPC: -32001 for TaskNotFound; those of HTTP+JSON are read back to it. */
  readonly code: number;
  /** `error.data` of JSON-RPC in 1.0: a list of `google.protobuf.Any`, such as ErrorInfo. Undefined where the agent gave none. */
  readonly details: readonly JsonObject[] | undefined;
  /** What it is in the records of the hub. */
  readonly outcome: ErrorCode;

  constructor(code: number, message: string, details?: readonly JsonObject[], outcome: ErrorCode = 'bad_request') {
    super(message);
    this.name = 'AgentError';
    this.code = code;
    this.details = details;
    this.outcome = outcome;
  }
}
