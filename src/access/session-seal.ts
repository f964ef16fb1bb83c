import { GatewayError } from '../core/errors.ts';
import { Seal } from '../core/seal.ts';

const DAY = 24 * 60 * 60 * 1000;
/** A header has to carry it. */
const LONGEST = 8192;
const PLACE = 'mcp session';

/** Turns what a session is made of into its id, and back: the hub keeps nothing, so an id outlives restarts and works on every node. */
export interface SessionSeal {
  /** Milliseconds from sealing after which an id is no longer taken. */
  readonly maxAgeMs: number;
  /**
   * An id of URL-safe visible ASCII. `session` is JSON.
   * @throws GatewayError `bad_request` when the id would be longer than a header can be.
   */
  seal(session: object): string;
  /** Undefined for an id that is not ours, was changed, or is too old. */
  open(id: string): object | undefined;
}

/** `secretKey` is the hub's, 32 bytes. An application stays connected for days and does not recover from a lost session, hence the long age. */
export function createSessionSeal(secretKey: Buffer, { maxAgeMs = 30 * DAY, now = Date.now } = {}): SessionSeal {
  const sealer = new Seal(secretKey, 'sessions');
  return {
    maxAgeMs,
    seal(session) {
      const id = sealer.seal(JSON.stringify({ issued: now(), session }), PLACE);
      if (id.length > LONGEST)
        throw new GatewayError('bad_request', 'What the client declares about itself is too long to open a session.');
      return id;
    },
    open(id) {
      const text = id.length > LONGEST ? undefined : sealer.open(id, PLACE);
      if (text === undefined) return undefined;
      const { issued, session } = JSON.parse(text) as { issued: number; session: object };
      const age = now() - issued;
      return age < maxAgeMs ? session : undefined;
    },
  };
}
