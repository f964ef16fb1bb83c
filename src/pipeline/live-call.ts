import type { AnyCall, Call, CallEvent, Input, Lane, Lanes, Outcome, Payload, Segment, Target } from '../core/call.ts';
import type { Consumer } from '../core/consumer.ts';
import type { Logger } from '../core/logger.ts';
import type { Usage } from '../core/usage.ts';
import { CallCancellation } from './cancellation.ts';

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

/** Keeps what became of a call: the record, which no configuration can forget. Must not throw, and must be quick. */
export type Record = (call: AnyCall, outcome: Outcome) => void;

/** Characters: callers have a say in what is dropped. */
const LONGEST_DETAIL = 2_000;

const NO_EVENTS: readonly CallEvent[] = Object.freeze([]);

export interface CallFacts<L extends Lane> {
  readonly id: string;
  readonly lane: L;
  readonly operation: Lanes[L]['operation'];
  readonly route: string;
  readonly consumer: Consumer;
  readonly log: Logger;
  readonly input: Input<L>;
  readonly codec: SegmentCodec;
  /** Absent for calls that nobody counts. */
  readonly record?: Record;
}

/** The call that policies see, with what the pipeline keeps about it. The AbortSignal is made only when somebody asks. */
export class LiveCall<L extends Lane> implements Call<L> {
  readonly id: string;
  readonly lane: L;
  readonly operation: Lanes[L]['operation'];
  readonly route: string;
  readonly consumer: Consumer;
  readonly startedAt = Date.now();
  readonly log: Logger;
  input: Input<L>;
  attempts = 0;
  /** The last that was tried. */
  target: Target | undefined;
  /** The model that answered, as the vendor names it. */
  modelServed: string | undefined;
  usage: Usage | undefined;
  /** Milliseconds since the epoch. */
  firstByteAt: number | undefined;
  readonly record: Record | undefined;
  #events: CallEvent[] | undefined;
  /** The same news as `signal`, for what listens in every call. */
  readonly cancellation = new CallCancellation();
  readonly #codec: SegmentCodec;
  #signal: AbortSignal | undefined;

  constructor(facts: CallFacts<L>) {
    this.id = facts.id;
    this.lane = facts.lane;
    this.operation = facts.operation;
    this.route = facts.route;
    this.consumer = facts.consumer;
    this.log = facts.log;
    this.input = facts.input;
    this.record = facts.record;
    this.#codec = facts.codec;
  }

  get events(): readonly CallEvent[] {
    return this.#events ?? NO_EVENTS;
  }

  /** Keeps for the record what happened on the way. */
  note(type: CallEvent['type'], detail?: string): void {
    const cut = detail?.slice(0, LONGEST_DETAIL);
    (this.#events ??= []).push({ type, at: Date.now() - this.startedAt, ...(cut === undefined ? {} : { detail: cut }) });
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
