import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AgentCard } from '@a2a-js/sdk';
import { createLegacyAwarePushNotificationSender } from '@a2a-js/sdk/compat/v0_3/server';
import { DefaultRequestHandler, InMemoryPushNotificationStore, InMemoryTaskStore } from '@a2a-js/sdk/server';
import { agentCardHandler, jsonRpcHandler, restHandler, UserBuilder } from '@a2a-js/sdk/server/express';
import express from 'express';
import { FixtureExecutor } from './fixture-executor.ts';

export type Version = '1.0' | '0.3';
export type Binding = 'JSONRPC' | 'HTTP+JSON';

export interface FixtureOptions {
  readonly versions: readonly Version[];
  readonly bindings: readonly Binding[];
  /** What it answers to "who". */
  readonly name?: string;
  /** The bearer token that it wants. */
  readonly token?: string;
  /** Of loopback; a free one when absent. */
  readonly port?: number;
  /** Milliseconds that a "long N" takes for each of its N chunks. */
  readonly tickMs?: number;
}

export interface FixtureAgent {
  /** Of its origin. Its card is at the well-known path. */
  readonly url: string;
  readonly port: number;
  /** Messages that it has got. */
  messages(): number;
  /** Requests that it works on. */
  inFlight(): number;
  /** Cuts all connections and listens no more, as a killed process does. */
  kill(): Promise<void>;
}

const TICK_MS = 120;
const LARGEST_BODY = '16mb';

/**
 * An agent made with the official SDK: that of the acceptance kit without gRPC, which answers callers of both versions alike. What it does is chosen by the text; see
 * `FixtureExecutor`. With 0.3 alone it is as agents were before there was a header for versions.
 */
export async function startFixtureAgent(options: FixtureOptions): Promise<FixtureAgent> {
  const { versions, token, name = 'fixture', tickMs = TICK_MS } = options;
  const executor = new FixtureExecutor(name, tickMs);
  const app = express();
  const server = app.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;

  const card = cardOf(options, url);
  const store = new InMemoryPushNotificationStore();
  const sender = createLegacyAwarePushNotificationSender(store);
  const extended = async (): Promise<AgentCard> => ({
    ...card,
    skills: [...card.skills, skill('hidden', 'Hidden', 'Only on the extended card')],
  });
  const handler = new DefaultRequestHandler(card, new InMemoryTaskStore(), executor, undefined, store, sender, extended);
  const legacyCompat = { enabled: versions.includes('0.3') };
  const served = { requestHandler: handler, userBuilder: UserBuilder.noAuthentication, legacyCompat };
  // The SDK's own readers stop at 100 kB.
  const large = express.json({ limit: LARGEST_BODY, type: ['application/json', 'application/a2a+json'] });
  app.use((req, res, next) => (Number(req.headers['content-length']) > 90_000 ? large(req, res, next) : next()));
  let inFlight = 0;
  app.use('/a2a', (_req, res, next) => {
    inFlight += 1;
    res.once('close', () => (inFlight -= 1));
    next();
  });
  if (!versions.includes('1.0')) {
    app.use((req, _res, next) => {
      delete req.headers['a2a-version'];
      next();
    });
  }
  // It writes the shape in memory of security schemes, unless it is given JSON.
  const provider = legacyCompat.enabled ? handler : async () => AgentCard.toJSON(card) as AgentCard;
  app.use('/.well-known/agent-card.json', agentCardHandler({ agentCardProvider: provider, legacyCompat }));
  app.use('/a2a', (req, res, next) => {
    if (token === undefined || req.get('authorization') === `Bearer ${token}`) return next();
    res
      .status(401)
      .set('www-authenticate', 'Bearer')
      .json({ error: { code: 401, status: 'UNAUTHENTICATED', message: 'Unauthorized' } });
  });
  app.use('/a2a/jsonrpc', jsonRpcHandler(served));
  app.use('/a2a/rest', restHandler(served));
  return { url, port, messages: () => executor.messages, inFlight: () => inFlight, kill: () => kill(server) };
}

async function kill(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

const skill = (id: string, name: string, description: string): AgentCard['skills'][number] => ({
  id,
  name,
  description,
  tags: ['test'],
  examples: ['hello', 'long 5'],
  inputModes: [],
  outputModes: [],
  securityRequirements: [],
});

function cardOf({ versions, bindings, token }: FixtureOptions, base: string): AgentCard {
  const urls = { JSONRPC: `${base}/a2a/jsonrpc`, 'HTTP+JSON': `${base}/a2a/rest` };
  const bearer = { scheme: { $case: 'httpAuthSecurityScheme' as const, value: { description: '', scheme: 'Bearer', bearerFormat: '' } } };
  return {
    name: 'Fixture agent',
    description: 'Does what the scenarios ask for',
    version: '1.0.0',
    supportedInterfaces: versions.flatMap((protocolVersion) =>
      bindings.map((protocolBinding) => ({ url: urls[protocolBinding], protocolBinding, tenant: '', protocolVersion })),
    ),
    provider: { organization: 'Hubgate tests', url: 'https://example.com' },
    documentationUrl: 'https://example.com/docs',
    iconUrl: '',
    capabilities: { streaming: true, pushNotifications: true, extendedAgentCard: true, extensions: [] },
    securitySchemes: token === undefined ? {} : { bearer },
    securityRequirements: token === undefined ? [] : [{ schemes: { bearer: { list: [] } } }],
    defaultInputModes: ['text/plain', 'application/json'],
    defaultOutputModes: ['text/plain', 'application/json'],
    skills: [skill('echo', 'Echo', 'Repeats what it is told')],
    signatures: [],
  };
}
