import { mcpUrl } from './connect/mcp-url.ts';

interface StdioOptions {
  /** A virtual server, service or upstream server; absent: every tool the consumer may use. */
  readonly server?: string | undefined;
  /** `HUBGATE_URL` (the hub's address, default from `HUBGATE_HOST` and `HUBGATE_PORT`) and `HUBGATE_KEY`. */
  readonly env: NodeJS.ProcessEnv;
}

interface RelayModule {
  relayStdio(settings: { url: string; key: string | undefined }): Promise<void>;
}

/**
 * `hubgate stdio [SERVER]`: the relay of the `.mcpb` bundles in this process. It ends the process when stdin ends.
 * @throws {TypeError} for a server name or address that cannot be one
 */
export async function runStdio({ server, env }: StdioOptions): Promise<void> {
  const url = mcpUrl(env.HUBGATE_URL || defaultHub(env), server);
  Reflect.set(globalThis, Symbol.for('hubgate.relay.imported'), true);
  const { relayStdio } = (await import(new URL('../../relay/relay.mjs', import.meta.url).href)) as RelayModule;
  await relayStdio({ url, key: env.HUBGATE_KEY });
}

/** A hub that listens on every address is reached on this machine by loopback. */
function defaultHub(env: NodeJS.ProcessEnv): string {
  const host = env.HUBGATE_HOST && !['0.0.0.0', '::'].includes(env.HUBGATE_HOST) ? env.HUBGATE_HOST : '127.0.0.1';
  return `http://${host.includes(':') ? `[${host}]` : host}:${env.HUBGATE_PORT || '8700'}`;
}
