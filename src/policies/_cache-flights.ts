import type { Reply } from '../core/call.ts';
import { GatewayError } from '../core/errors.ts';
import type { CachedCall, CachedLane } from './_cache-key.ts';

type Answer = Reply<CachedLane>;

interface Flight {
  leader: CachedCall;
  /** Those who wait, in the order in which they came. Undefined: lead. */
  readonly waiting: Map<CachedCall, (reply: Answer | undefined) => void>;
}

/** Equal calls at the same time, by key: one leads and is carried out, the others wait for what it brings. Each leaves when it ends. */
export class Flights {
  readonly #flights = new Map<string, Flight>();

  has(key: string): boolean {
    return this.#flights.has(key);
  }

  /**
   * Undefined when the call leads; else a promise of the leader's reply, or of undefined when the leader has failed and the call leads from
   * now on. Rejects with GatewayError when the call is aborted.
   */
  join(key: string, call: CachedCall): Promise<Answer | undefined> | undefined {
    const flight = this.#flights.get(key);
    if (flight !== undefined) return wait(flight, call);
    this.#flights.set(key, { leader: call, waiting: new Map() });
    return undefined;
  }

  /** Gives all who wait the reply; the flight is over. */
  land(key: string, reply: Answer): void {
    const flight = this.#flights.get(key);
    if (flight === undefined) return;
    this.#flights.delete(key);
    for (const tell of flight.waiting.values()) tell(reply);
  }

  /** The call had an answer that is not shared. All who wait are let go: theirs will most likely not be either, and one after the other takes ever longer. */
  scatter(key: string, call: CachedCall): void {
    const flight = this.#flights.get(key);
    if (flight?.leader !== call) return this.leave(key, call);
    this.#flights.delete(key);
    for (const tell of flight.waiting.values()) tell(undefined);
  }

  /** The call has failed, or gone away. When it led, the next in line leads. */
  leave(key: string, call: CachedCall): void {
    const flight = this.#flights.get(key);
    if (flight === undefined) return;
    if (flight.leader !== call) {
      flight.waiting.get(call)?.(undefined);
      return;
    }
    const [next] = flight.waiting.keys();
    if (next === undefined) {
      this.#flights.delete(key);
      return;
    }
    flight.leader = next;
    flight.waiting.get(next)?.(undefined);
  }
}

function wait({ waiting }: Flight, call: CachedCall): Promise<Answer | undefined> {
  const { signal } = call;
  return new Promise((resolve, reject) => {
    const gone = (): void => {
      waiting.delete(call);
      reject(signal.reason instanceof GatewayError ? signal.reason : new GatewayError('client_closed'));
    };
    if (signal.aborted) return gone();
    signal.addEventListener('abort', gone, { once: true });
    waiting.set(call, (reply) => {
      waiting.delete(call);
      signal.removeEventListener('abort', gone);
      resolve(reply);
    });
    return undefined;
  });
}
