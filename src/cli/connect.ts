import { homedir } from 'node:os';
import { findRunningHub } from './admin-access.ts';
import { connect } from './connect/connect.ts';
import { note, print } from './print.ts';
import { hubUrl, type Settings } from './settings.ts';
import { unknown } from './unknown.ts';

export interface ConnectOptions {
  readonly write?: boolean;
  readonly bundle?: string;
}

/** `hubgate connect`: how a client is connected, or its file written. */
export async function connectClient(
  client: string,
  server: string | undefined,
  { write, bundle }: ConnectOptions,
  settings: Settings,
): Promise<void> {
  const { keyed, servers } = await askAbout(settings);
  const place = { platform: process.platform, home: homedir(), cwd: process.cwd() };
  const text = await connect({ client, server, hubUrl: hubUrl(settings), write: write === true, bundle, keyed, ...place });
  if (server !== undefined && servers?.includes(server) === false)
    note(`Warning: ${unknown('server', server, servers)} Until there is one, the client gets a 404.`);
  print(text);
}

interface HubFacts {
  /** Calls need a key; what cannot be known counts as yes, which asks for a key too many. */
  readonly keyed: boolean;
  /** What a client can be connected to; undefined when it cannot be known. */
  readonly servers: readonly string[] | undefined;
}

/** As the running hub says, else the files. Those do not know what the store of a hub declares, so their list only serves to warn. */
async function askAbout(settings: Settings): Promise<HubFacts> {
  if (settings.env.HUBGATE_URL) return { keyed: true, servers: undefined };
  const ask = await findRunningHub(settings);
  if (ask !== undefined) {
    const names = async (kind: string): Promise<string[]> =>
      ((await ask('GET', `/${kind}`)) as { items: { name: string }[] }).items.map(({ name }) => name);
    const servers = await Promise.all(['services', 'servers', 'virtual-servers'].map(names));
    return { keyed: (await names('consumers')).length > 0, servers: servers.flat() };
  }
  const { loadConfig } = await import('../config/load.ts');
  const { config, documents, virtualServers } = await loadConfig({ file: settings.configFile, env: settings.env });
  if (config === undefined) return { keyed: true, servers: undefined };
  const { services = {}, servers = {}, consumers = [] } = config;
  const named = [...virtualServers.keys(), ...Object.keys(services), ...Object.keys(servers), ...documents.map(({ service }) => service)];
  return { keyed: consumers.length > 0, servers: [...new Set(named)] };
}
