/** The agents lane: what its calls move. The lane itself is built in a later release; policies and types know it from the first. */
export interface AgentsLane {
  operation:
    | 'message/send'
    | 'message/stream'
    | 'tasks/get'
    | 'tasks/list'
    | 'tasks/cancel'
    | 'tasks/resubscribe'
    | 'tasks/pushNotificationConfig'
    | 'agent/card';
  input: AgentsInput;
  reply: AgentsReply;
  chunk: AgentsChunk;
}

export interface AgentsInput {
  readonly agent: string;
  /** The parameters in A2A 1.0 shape, whatever version the caller speaks. */
  readonly params: Readonly<Record<string, unknown>>;
}

export interface AgentsReply {
  readonly result: Readonly<Record<string, unknown>>;
}

export interface AgentsChunk {
  readonly event: Readonly<Record<string, unknown>>;
}
