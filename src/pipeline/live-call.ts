import type { AnyCall, Call, CallEvent, CallRequest, Input, Lane, Lanes, Outcome, Payload, Segment, Target } from '../core/call.ts';
import type { Consumer } from '../core/consumer.ts';
import type { GatewayError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Cancellation } from '../core/upstream.ts';
import type { Usage } from '../core/usage.ts';
import { CallCancellation } from './cancellation.ts';
import type { Step } from './chain.ts';

/** How a lane finds and changes the texts of what it moves. Both are pure. */
export interface SegmentCodec {
  segments(payload: Payload): Iterable<Segment>;
  mapText<T extends Payload>(payload: T, edit: (segment: Segment) => string): T;
}

/** The codec of a lane from its one way of changing texts: reading them is a change that changes nothing. */
export function segmentCodec(mapText: SegmentCodec['mapText']): SegmentCodec {
  return {
    mapText,
    segments(payload) {
      const found: Segment[] = [];
      mapText(payload, (segment) => {
        found.push(segment);
        return segment.text;
      });
      return found;
    },
  };
}

/** The books: what calls cost, and the record of each, which no configuration can forget. Must not throw, and must be quick. */
export interface Ledger {
  /** The usage with its cost; null when no price is known. What has a cost keeps it. */
  priced(usage: Usage, by: Pick<Outcome, 'target' | 'modelServed'>): Usage;
  record(call: AnyCall, outcome: Outcome): void;
}

/** Characters: callers have a say in what is dropped. */
const LONGEST_DETAIL = 2_000;

const NO_EVENTS: readonly CallEvent[] = Object.freeze([]);

export interface CallFacts<L extends Lane> {
  readonly id: string;
  readonly lane: L;
  readonly operation: Lanes[L]['operation'];
  readonly route: string;
  readonly consumer: Consumer;
  readonly request: CallRequest;
  readonly log: Logger;
  readonly input: Input<L>;
  readonly codec: SegmentCodec;
  /** What a call with this input may use and cost, roughly. Absent: nothing that is counted. */
  readonly estimate?: (input: Input<L>) => Usage;
  /** Absent for calls that nobody counts. */
  readonly ledger?: Ledger;
}

const NOTHING: Usage = Object.freeze({});

/** The call that policies see, with what the pipeline keeps about it. The AbortSignal is made only when somebody asks. */
export class LiveCall<L extends Lane> implements Call<L> {
  readonly id: string;
  readonly lane: L;
  readonly operation: Lanes[L]['operation'];
  readonly route: string;
  readonly consumer: Consumer;
  readonly request: CallRequest;
  readonly startedAt = Date.now();
  readonly log: Logger;
  input: Input<L>;
  attempts = 0;
  /** The last that was tried. */
  target: Target | undefined;
  /** The target that was tried last has opened a stream. */
  streamed = false;
  /** The model that answered, as the vendor names it. */
  modelServed: string | undefined;
  usage: Usage | undefined;
  /** Milliseconds since the epoch. */
  firstByteAt: number | undefined;
  /** The hub has answered for the target, which was not asked. */
  answeredHere = false;
  readonly ledger: Ledger | undefined;
  /** Told how the call ended, before everybody else: lets go of the target that answers. */
  settled: ((error: GatewayError | undefined) => void) | undefined;
  #events: CallEvent[] | undefined;
  /** By the place of the step. */
  #concerned: boolean[] | undefined;
  /** The same news as `signal`, for what listens in every call. */
  readonly cancellation = new CallCancellation();
  /** That of the attempt on its way, which may be called off alone. */
  attemptCancellation: Cancellation = this.cancellation;
  readonly #codec: SegmentCodec;
  #estimate: Usage | ((input: Input<L>) => Usage) | undefined;
  #signal: AbortSignal | undefined;

  constructor(facts: CallFacts<L>) {
    this.id = facts.id;
    this.lane = facts.lane;
    this.operation = facts.operation;
    this.route = facts.route;
    this.consumer = facts.consumer;
    this.log = facts.log;
    this.input = facts.input;
    this.request = facts.request;
    this.ledger = facts.ledger;
    this.#codec = facts.codec;
    this.#estimate = facts.estimate;
  }

  /** Whether a use of a policy is for this call. Asked once: what it was asked about may change on the way, and whoever began must hear of the end. */
  concerns({ applies, place }: Pick<Step, 'applies' | 'place'>): boolean {
    if (applies === undefined) return true;
    return ((this.#concerned ??= [])[place] ??= applies(this as never));
  }

  get events(): readonly CallEvent[] {
    return this.#events ?? NO_EVENTS;
  }

  /** Keeps for the record what happened on the way. */
  note(type: CallEvent['type'], detail?: string, figures?: CallEvent['figures']): void {
    const cut = detail?.slice(0, LONGEST_DETAIL);
    const at = Date.now() - this.startedAt;
    (this.#events ??= []).push({ type, at, ...(cut === undefined ? {} : { detail: cut }), ...(figures === undefined ? {} : { figures }) });
  }

  estimate(): Usage {
    if (typeof this.#estimate !== 'function') return this.#estimate ?? NOTHING;
    return (this.#estimate = this.#estimate(this.input));
  }

  get signal(): AbortSignal {
    return (this.#signal ??= signalOf(this.cancellation));
  }

  /** Tells everything that works for this call to stop. */
  abort(reason: unknown): void {
    this.cancellation.abort(reason);
  }

  segments(of?: Payload): Iterable<Segment> {
    return this.#codec.segments(of ?? this.input);
  }

  mapText<T extends Payload>(of: T, edit: (segment: Segment) => string): T {
    return this.#codec.mapText(of, edit);
  }

  rewriteText(edit: (segment: Segment) => string): void {
    this.input = this.#codec.mapText(this.input as Payload, edit) as Input<L>;
  }
}

function signalOf(cancellation: CallCancellation): AbortSignal {
  const controller = new AbortController();
  const handleEvent = (): void => controller.abort(cancellation.reason);
  if (cancellation.aborted) handleEvent();
  else cancellation.addEventListener('abort', { handleEvent });
  return controller.signal;
}
