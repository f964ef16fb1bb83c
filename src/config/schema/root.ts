import { Type } from 'typebox';
import type { Static } from 'typebox';
import { Consumer, Credential, policies, search } from './access.ts';
import { Agent } from './agents.ts';
import { ModelApi, ModelRoute, Price, Provider } from './models.ts';
import { Embedding, Intent, IntentRouting } from './semantics.ts';
import { duration, flag, list, map, named, shape, size, text } from './parts.ts';
import { Server, Service } from './tools.ts';

const count = (description: string, fallback: number) => Type.Optional(Type.Integer({ minimum: 1, description, default: fallback }));

const Documents = shape(
  {
    fileSize: Type.Optional(size('The largest file.', { default: '64MB' })),
    urlSize: Type.Optional(size('The largest document fetched by URL.', { default: '16MB' })),
    urlTimeout: Type.Optional(duration('How long fetching a document may take.', { default: '10s' })),
    operations: count('The most operations of one document.', 20_000),
    references: count('The most references followed.', 100_000),
    depth: count('The deepest nesting.', 200),
    aliases: count('The most expansions of YAML aliases.', 10_000),
    cpuTime: Type.Optional(duration('How long reading one document may compute.', { default: '30s' })),
    memory: Type.Optional(size('How much memory reading one document may take.', { default: '700MB' })),
  },
  { description: 'Limits on OpenAPI documents.' },
);

export const Root = shape(
  {
    services: Type.Optional(named(Service, 'HTTP APIs described by OpenAPI, by name. A document in openapi-specs/ needs no entry.')),
    servers: Type.Optional(named(Server, 'Upstream MCP servers and tool-source extensions, by name.')),
    consumers: Type.Optional(list(Consumer, 'Who may call. With none, the hub is open on loopback only.')),
    policies: Type.Optional(policies),
    search: Type.Optional(search),
    extensions: Type.Optional(
      list(text('A file or folder, relative to this file.'), "Users' own code: policies, balancers and tool sources."),
    ),
    publicUrl: Type.Optional(text('The address at which callers reach the hub.', { format: 'url' })),
    allowedHosts: Type.Optional(
      list(
        text('A host, with a port when it is not the usual one.', { format: 'host' }),
        'Host headers that are served, besides loopback and publicUrl.',
      ),
    ),
    allowedOrigins: Type.Optional(
      list(
        text('An origin such as https://app.example.com.', { format: 'origin' }),
        'Origins of web pages that may call, besides loopback and publicUrl.',
      ),
    ),
    egress: Type.Optional(
      shape(
        {
          allow: Type.Optional(
            list(
              text('A CIDR such as 10.0.0.0/8, or HOST:PORT.', { format: 'egress' }),
              'Addresses that may be reached although they are not public.',
            ),
          ),
        },
        { description: 'Which addresses the hub may connect to.' },
      ),
    ),
    documents: Type.Optional(Documents),
    metrics: Type.Optional(
      shape(
        { open: Type.Optional(flag('Serves /metrics without the admin token.', { default: false })) },
        { description: 'The Prometheus endpoint.' },
      ),
    ),
    allowLiteralSecrets: Type.Optional(
      flag('Takes secrets that stand in the file as they are. For trying things out.', { default: false }),
    ),
    providers: Type.Optional(map(Provider, { description: 'Vendors of models, by name.', propertyNames: { format: 'entry' } })),
    models: Type.Optional(Type.Array(ModelRoute, { description: 'Routes of the models lane; the first match wins.' })),
    apis: Type.Optional(
      map(ModelApi, {
        description: 'Model APIs of their own under /apis/NAME/v1, by name. `v1` stands for /v1 itself: its routes are those of models.',
        propertyNames: { format: 'entry' },
      }),
    ),
    prices: Type.Optional(list(Price, 'Prices of models; the first that matches wins.')),
    agents: Type.Optional(map(Agent, { description: 'A2A agents, by name.', propertyNames: { format: 'name' } })),
    embedding: Type.Optional(Embedding),
    intents: Type.Optional(
      map(Intent, {
        description: 'What texts may be about, by name: routes ask for one with match.intent.',
        propertyNames: { format: 'entry' },
      }),
    ),
    intentRouting: Type.Optional(IntentRouting),
    credentials: Type.Optional(
      Type.Array(Credential, { description: 'Ways besides keys in which callers prove who they are.', unbuilt: 'credentials' }),
    ),
  },
  { title: 'hubgate.yaml', description: 'The configuration of a hub.' },
);

export type HubConfig = Static<typeof Root>;
export type ConsumerConfig = Static<typeof Consumer>;
