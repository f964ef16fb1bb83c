import { Type } from 'typebox';
import type { Static } from 'typebox';
import { oauth2 } from './auth.ts';
import { policies } from './access.ts';
import { condition, description, duration, enabled, flag, glob, list, map, oneOf, secret, secrets, shape, text } from './parts.ts';
import { balance, breaker, health, timeouts, weight } from './targets.ts';

export const Provider = shape(
  {
    type: text("The vendor's wire format, such as openai, anthropic, ollama or demo."),
    apiKey: Type.Optional(secret('The key of the account.')),
    keys: Type.Optional(
      Type.Array(
        shape(
          {
            key: secret('The key.'),
            weight: Type.Optional(weight('The share of calls, against the other keys. Default: 1.')),
            label: Type.Optional(text('What the key is shown as.', { maxLength: 200 })),
          },
          { description: 'One key of the account.' },
        ),
        { description: 'Several keys in place of apiKey. One that the vendor refuses or limits rests while the others work.', minItems: 1 },
      ),
    ),
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
    timeouts: Type.Optional(timeouts),
    breaker: Type.Optional(breaker),
    health: Type.Optional(health('What is asked for with GET; the list of models when absent. Any status below 500 is well.')),
    description: Type.Optional(description),
    enabled: Type.Optional(enabled),
  },
  { description: 'A vendor of models, with an account.' },
);

const Target = shape(
  {
    provider: text('The name of an entry of providers.'),
    model: Type.Optional(text("The provider's name of the model; the caller's when absent.")),
    weight: Type.Optional(weight('The share of calls, against the weights beside it. 0 gets none. Default: 1.')),
  },
  { description: 'A model of a provider.' },
);

export const ModelRoute = shape(
  {
    name: Type.Optional(text('The name of the route; without match, callers use it as the name of the model.')),
    aliases: Type.Optional(
      list(text('Another name of the model.'), 'Names that callers may use besides name, where there is no match.model.'),
    ),
    description: Type.Optional(description),
    match: Type.Optional(
      shape(
        {
          model: Type.Optional(glob('The name of the model that the caller asks for')),
          header: Type.Optional(
            map(glob('The value of the header'), { description: 'Headers and the globs that their values must match.' }),
          ),
          consumer: Type.Optional(glob('Names of consumers')),
          group: Type.Optional(glob('Names of groups that the consumer is in')),
          intent: Type.Optional(text('What the text is about: the name of an entry of intents.')),
        },
        { description: 'Calls that take this route; the first route that matches wins.' },
      ),
    ),
    when: Type.Optional(condition),
    targets: Type.Array(Target, { description: 'Where calls go: shared out by balance.', minItems: 1 }),
    balance: Type.Optional(balance),
    sticky: Type.Optional(
      flag('Calls of one session go to one target: by x-session-id, prompt_cache_key or metadata.user_id.', { default: true }),
    ),
    fallback: Type.Optional(Type.Array(Target, { description: 'Where calls go when no target answers, in this order.' })),
    fallbackOn: Type.Optional(
      list(
        oneOf(['content_refused', 'context_too_long', 'model_refused'], 'An error that another target may not give.'),
        'Refusals of a provider after which the next target is asked. Failures and limits always lead there.',
      ),
    ),
    retries: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 10,
        default: 2,
        description: 'Further tries at the same target when no other is left beside it.',
      }),
    ),
    timeouts: Type.Optional(
      shape(
        {
          firstToken: Type.Optional(duration('To the first token of a stream, for each target that is tried.')),
          total: Type.Optional(duration('For all that is tried, streams to their end.')),
        },
        { description: 'How long calls of the route may take, besides the times of the provider.' },
      ),
    ),
    policies: Type.Optional(policies),
    enabled: Type.Optional(enabled),
  },
  { description: 'Which model answers which call.' },
);

export const ModelApi = shape(
  {
    description: Type.Optional(description),
    access: Type.Optional(
      shape(
        {
          consumers: Type.Optional(list(glob('Names of consumers'), 'Consumers that may call.')),
          groups: Type.Optional(list(text('The name of a group.'), 'Groups whose members may call.')),
        },
        { description: 'Who may call this API. Absent: every consumer.' },
      ),
    ),
    models: Type.Optional(
      Type.Array(ModelRoute, { description: 'Routes of this API; the first match wins. Those at root are not part of it.' }),
    ),
    policies: Type.Optional(policies),
    enabled: Type.Optional(enabled),
  },
  { description: 'Models under a path of their own.' },
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
export type ModelApiConfig = Static<typeof ModelApi>;
