import { Type } from 'typebox';
import type { Static } from 'typebox';
import { oauth2, peerAuth } from './auth.ts';
import { access, policies } from './access.ts';
import { condition, description, duration, enabled, flag, glob, icons, map, secret, secrets, shape, text } from './parts.ts';

export const Provider = shape(
  {
    type: text("The vendor's wire format, such as openai, anthropic, ollama or demo."),
    apiKey: Type.Optional(secret('The key of the account.')),
    baseUrl: Type.Optional(text("Where the provider answers, in place of the vendor's own address.", { format: 'base-url' })),
    api: Type.Optional(text('Which of several interfaces of the vendor to use, such as openai at bedrock.')),
    apiVersion: Type.Optional(text('Azure: the date of the API; absent, its v1 API is used.')),
    region: Type.Optional(text('Bedrock, Vertex: the region, such as eu-central-1.')),
    project: Type.Optional(text('Vertex: the project.')),
    accessKeyId: Type.Optional(text('Bedrock: the id of the access key.')),
    secretAccessKey: Type.Optional(secret('Bedrock: the secret of the access key.')),
    sessionToken: Type.Optional(secret('Bedrock: the token of a temporary access key.')),
    serviceAccount: Type.Optional(secret('Vertex: the JSON of a service account.')),
    oauth2: Type.Optional(oauth2),
    options: Type.Optional(map(Type.Unknown(), { description: 'What a provider of your own wants to know.' })),
    headers: Type.Optional(secrets('Headers to send with every request.')),
    timeouts: Type.Optional(
      shape(
        {
          connect: Type.Optional(duration('Until the connection stands.')),
          firstByte: Type.Optional(duration('From sending to the first byte of the answer.')),
          idle: Type.Optional(duration('Between two parts of a streamed answer.')),
          total: Type.Optional(duration('From sending to the end of the answer.')),
        },
        { description: 'How long each part of a request may take.' },
      ),
    ),
    description: Type.Optional(description),
    enabled: Type.Optional(enabled),
  },
  { description: 'A vendor of models, with an account.' },
);

const Target = shape(
  {
    provider: text('The name of an entry of providers.'),
    model: Type.Optional(text("The provider's name of the model; the caller's when absent.")),
    weight: Type.Optional(Type.Number({ minimum: 0, description: 'The share of calls, against the weights beside it.' })),
  },
  { description: 'A model of a provider.' },
);

export const ModelRoute = shape(
  {
    name: Type.Optional(text('The name of the route; without match, callers use it as the name of the model.')),
    description: Type.Optional(description),
    match: Type.Optional(
      shape(
        {
          model: Type.Optional(glob('The name of the model that the caller asks for')),
          header: Type.Optional(
            map(glob('The value of the header'), { description: 'Headers and the globs that their values must match.' }),
          ),
          consumer: Type.Optional(glob('Names of consumers')),
          intent: Type.Optional(text('What the text is about, by name.', { unbuilt: 'models with match.intent' })),
        },
        { description: 'Calls that take this route; the first route that matches wins.' },
      ),
    ),
    when: Type.Optional(condition),
    targets: Type.Array(Target, { description: 'Where calls go. The first of them; by weight once balancing is built.', minItems: 1 }),
    fallback: Type.Optional(
      Type.Array(Target, { description: 'Where calls go when no target answers, in this order.', unbuilt: 'fallback of models' }),
    ),
    policies: Type.Optional(policies),
    enabled: Type.Optional(enabled),
  },
  { description: 'Which model answers which call.' },
);

const perMillion = (what: string) => Type.Number({ minimum: 0, description: `US dollars for a million tokens ${what}.` });

export const Price = shape(
  {
    model: glob('Names of models as the provider has them'),
    provider: Type.Optional(glob('Types of providers')),
    input: perMillion('of input'),
    output: perMillion('of output'),
    cacheRead: Type.Optional(perMillion('read from the cache of the provider; as input when absent')),
    cacheWrite: Type.Optional(perMillion('written to the cache of the provider; as input when absent')),
  },
  { description: 'What a model costs, in place of the price list that comes with the hub.' },
);

export type ProviderConfig = Static<typeof Provider>;
export type ModelRouteConfig = Static<typeof ModelRoute>;

export const Agent = shape(
  {
    card: Type.Optional(text('The URL of the agent card, or demo:NAME.', { format: 'base-url' })),
    rest: Type.Optional(
      shape(
        { spec: text('The OpenAPI document: a path relative to this file, or a URL.') },
        { description: 'An HTTP API that answers as an agent.' },
      ),
    ),
    auth: Type.Optional(peerAuth),
    publicCard: Type.Optional(flag('Shows the agent card without a credential.', { default: false })),
    access: Type.Optional(access),
    policies: Type.Optional(policies),
    enabled: Type.Optional(enabled),
    description: Type.Optional(description),
    icons: Type.Optional(icons),
  },
  { description: 'An A2A agent.' },
);
