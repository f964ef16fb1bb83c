import type { JsonObject } from '../../../core/json.ts';
import type { ToolsReply } from '../../../core/tools.ts';
import type { Exchange } from '../../../http/mount.ts';
import type { Door } from '../doors/catalog.ts';
import type { View } from '../doors/view.ts';
import type { Session } from './session.ts';

/** Who asks, on which door, in which revision: what every operation needs and no codec decides. */
export interface Caller {
  readonly exchange: Exchange;
  readonly door: Door;
  readonly view: View;
  readonly session: Session | undefined;
  readonly protocolVersion: string;
  readonly clientCapabilities: JsonObject;
  readonly clientInfo: JsonObject | undefined;
  /** True when questions can go down the stream of a call and answers come back (sessions only). */
  readonly canAsk: boolean;
  /** Of the request, as it came. */
  readonly body: Buffer;
}

/** Writes a reply of one method as the JSON of `result`. */
export type EncodeResult = (method: string, reply: ToolsReply) => string;
