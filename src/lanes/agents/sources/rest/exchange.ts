import type { AppAnswer } from './answers/app-answer.ts';
import type { AppLine } from './answers/app-line.ts';
import type { AppPiece } from './answers/app-stream.ts';
import type { LaterTurn, Turn } from './turn.ts';

/** How the application took a message. */
export type Begun =
  | { readonly type: 'answer'; readonly answer: AppAnswer }
  /** Pieces of an answer, to be read once. */
  | { readonly type: 'pieces'; readonly pieces: AsyncIterable<AppPiece> }
  /** It works on, under this id. */
  | { readonly type: 'job'; readonly job: string; readonly answer: AppAnswer };

/** How the hub asks about jobs. */
export interface Polling {
  /** Milliseconds between two questions. */
  readonly intervalMs: number;
  /** Milliseconds from the first until the job is given up. */
  readonly timeoutMs: number;
  /** One question; `working` as long as the job has not ended. Throws GatewayError where another try may help. */
  ask(turn: LaterTurn, job: string, line: AppLine): Promise<AppAnswer>;
}

/** One way of talking to an application: what a skill does. */
export interface Exchange {
  /**
   * Hands one message over. Throws GatewayError where another try may help, and AgentError for a message that cannot be handed over; what the
   * application refuses is an answer.
   */
  begin(turn: Turn, line: AppLine): Promise<Begun>;
  /** Absent where there are no jobs. */
  readonly polling?: Polling;
  /** Calls off what works under the id. */
  cancel?(turn: LaterTurn, job: string, line: AppLine): Promise<void>;
  /** Callers get a plain message in place of a task. */
  readonly answersPlainly: boolean;
  /** The application is told all that was said before, each time. */
  readonly needsTurns: boolean;
}

/** The way to the application, as one configuration has it: credentials, address and templates. */
export interface AppWay {
  /** Undefined for a skill that is not there, or not any more. Throws GatewayError `unavailable` while the configuration cannot be used. */
  exchangeOf(skill: string | undefined): Exchange | undefined;
  line(signal: AbortSignal): AppLine;
  /** Masks secrets and addresses in what the application says. */
  redact(text: string): string;
}
