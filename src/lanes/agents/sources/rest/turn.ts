import type { JsonObject } from '../../../../core/json.ts';
import type { Call } from '../../../../core/call.ts';
import type { AgentLine } from '../../../../core/contracts/agent-source.ts';
import type { Conversation } from './conversations.ts';

/** One message on its way to the application. */
export interface Turn {
  readonly task: string;
  readonly context: string;
  /** The name of the consumer. */
  readonly owner: string;
  readonly skill: string | undefined;
  readonly conversation: Conversation;
  readonly message: JsonObject;
  /** The call that brought it. */
  readonly call: Call<'agents'>;
  /** Its way to the upstream. */
  readonly line: AgentLine;
  /** The job that asked for the message, of a task that goes on. */
  readonly job: string | undefined;
}

/** What is left of it after a restart of the hub. */
export type LaterTurn = Omit<Turn, 'message' | 'call' | 'line' | 'job'>;
