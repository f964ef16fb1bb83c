import { Type } from 'typebox';
import { peerAuth } from './auth.ts';
import { access, policies } from './access.ts';
import { condition, description, duration, enabled, flag, glob, icons, list, map, secret, secrets, shape, text } from './parts.ts';

export const Provider = shape(
  {
    type: text("The vendor's wire format, such as openai, anthropic, ollama or demo."),
    apiKey: Type.Optional(secret('The key of the account.')),
    baseUrl: Type.Optional(text("Where the provider answers, in place of the vendor's own address.", { format: 'base-url' })),
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
          intent: Type.Optional(text('What the text is about, by name.')),
        },
        { description: 'Calls that take this route; the first route that matches wins.' },
      ),
    ),
    when: Type.Optional(condition),
    targets: list(Target, 'Where calls go, by weight.'),
    fallback: Type.Optional(list(Target, 'Where calls go when no target answers, in this order.')),
    policies: Type.Optional(policies),
    enabled: Type.Optional(enabled),
  },
  { description: 'Which model answers which call.' },
);

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
