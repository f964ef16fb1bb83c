import type { AgentCard, AgentInterface } from '@a2a-js/sdk';
import { type Client, ClientFactory, ClientFactoryOptions, DefaultAgentCardResolver } from '@a2a-js/sdk/client';
import { JsonRpcTransportFactory, type RequestOptions, RestTransportFactory } from '@a2a-js/sdk/client';
import type { Binding, Version } from './fixture-agent.ts';

/** How a client calls. */
export interface Speech {
  readonly version: Version;
  readonly binding: Binding;
}

export const SPEECHES: readonly Speech[] = (['1.0', '0.3'] as const).flatMap((version) =>
  (['JSONRPC', 'HTTP+JSON'] as const).map((binding) => ({ version, binding })),
);

/** Where the official client goes, and with what. */
export interface Door {
  /** The agent's own address or the hub's; its card is below it. */
  readonly base: string;
  /** The value of `Authorization`. */
  readonly authorization: string;
}

export interface Peer {
  readonly client: Client;
  /** To be given with each call. */
  readonly options: RequestOptions;
  /** Of the interface that it calls. */
  readonly url: string;
  readonly speech: Speech;
  readonly door: Door;
}

const legacyCompat = { enabled: true };
const resolver = new DefaultAgentCardResolver({ legacyCompat });
const factory = new ClientFactory(
  ClientFactoryOptions.createFrom(ClientFactoryOptions.default, {
    cardResolver: resolver,
    transports: [new JsonRpcTransportFactory({ legacyCompat }), new RestTransportFactory({ legacyCompat })],
  }),
);

export const speechName = ({ version, binding }: Speech): string => `${version} ${binding}`;

/** The official client for the one interface; throws when the card does not have it. */
export async function connect(door: Door, speech: Speech): Promise<Peer> {
  const json = await readCard(door, speech.version);
  // A client of 0.3 knows nothing of what 1.0 has put on the card.
  const { supportedInterfaces: _, ...legacy } = json;
  const card = resolver.normalizeAgentCard(speech.version === '0.3' ? legacy : json);
  const chosen = card.supportedInterfaces?.find(
    (one: AgentInterface) => one.protocolVersion.startsWith(speech.version) && one.protocolBinding === speech.binding,
  );
  if (chosen === undefined)
    throw new Error(`no interface for ${speechName(speech)} on the card: ${JSON.stringify(card.supportedInterfaces)}`);
  const client = await factory.createFromAgentCard({
    ...card,
    supportedInterfaces: [{ ...chosen, tenant: chosen.tenant ?? '' }],
  } as AgentCard);
  return { client, options: { serviceParameters: { Authorization: door.authorization } }, url: chosen.url, speech, door };
}

/** The card as a client of that version gets it. */
export async function readCard({ base, authorization }: Door, version: Version): Promise<Record<string, unknown>> {
  const response = await fetch(`${base}/.well-known/agent-card.json`, {
    headers: { authorization, ...(version === '1.0' && { 'a2a-version': '1.0' }) },
  });
  if (!response.ok) throw new Error(`the card: HTTP ${response.status} ${await response.text()}`);
  return (await response.json()) as Record<string, unknown>;
}
