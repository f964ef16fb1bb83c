import { randomBytes } from 'node:crypto';
import { createAdminIdentify } from '../admin/mounts.ts';
import type { Consumer } from '../core/consumer.ts';
import { createEdge } from '../http/server.ts';
import type { Hub } from './hub.ts';

/** The MCP endpoints of a hub that listens nowhere, for one caller who is taken for a consumer. */
export interface ActingDoor {
  readonly url: string;
  /** What lets this caller in, and nobody else on this machine. */
  readonly key: string;
  close(): Promise<void>;
}

/** Opens the tools lane on a free loopback port, for the command line to call a tool as a consumer whose key it has not. */
export async function actAs(hub: Hub, consumer: Consumer): Promise<ActingDoor> {
  const key = randomBytes(32).toString('base64url');
  const isCaller = createAdminIdentify(key);
  const edge = createEdge({
    rules: () => ({ allowedHosts: [], allowedOrigins: [] }),
    identify: (req) => (isCaller(req) === undefined ? undefined : consumer),
    mounts: hub.lanes.tools.mounts,
    log: hub.log,
  });
  const { url } = await edge.listen({ host: '127.0.0.1', port: 0 });
  return { url, key, close: () => edge.close({ graceMs: 0 }) };
}
