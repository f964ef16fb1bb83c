import type { Exchange } from '../../../http/mount.ts';
import type { Door } from '../doors/catalog.ts';
import type { OperationTools } from '../operations.ts';
import type { Announcements } from './announcements.ts';
import type { Sessions } from './session.ts';

/** What serving a request needs beside the request. */
export interface Serving extends OperationTools {
  readonly sessions: Sessions;
  readonly announcements: Announcements;
}

/** A request at the door it came to, its body read. */
export interface Arrival {
  readonly exchange: Exchange;
  readonly door: Door;
  /** Of the request, as it came. */
  readonly body: Buffer;
}
