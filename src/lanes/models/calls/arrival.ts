import type { RequestHead } from '../../../http/http-call-request.ts';
import type { Exchange } from '../../../http/mount.ts';
import type { ModelsHost } from '../host.ts';
import type { Account } from '../routes/account.ts';
import type { Route } from '../routes/route.ts';
import type { Door } from './door.ts';
import type { JsonObject } from '../../../core/json.ts';

/** What the lane has to know of who asks; without an answer to write to where that is the hub itself. */
export interface Asker extends Pick<Exchange, 'id' | 'consumer' | 'startedAt'> {
  readonly req: RequestHead;
}

/** A request at its door, read, and the route it takes. */
export interface Arrival<From extends Asker = Asker> {
  readonly exchange: From;
  readonly door: Door;
  /** Of the request, as it came. */
  readonly bytes: Buffer;
  /** The same, parsed. A policy may put another in its place, in `call.input.body`. */
  readonly body: JsonObject;
  /** No reader can take the bytes for another request: `checkKeys` need not look. */
  readonly isPlain: boolean;
  readonly route: Route;
  readonly host: ModelsHost;
}

/** The same on its way to one target. */
export interface Trial extends Arrival {
  readonly account: Account;
  /** The provider's name of the model. */
  readonly model: string;
}
