import { Type } from 'typebox';
import type { Static } from 'typebox';
import { access, policies } from './access.ts';
import { AgentRest } from './agent-rest.ts';
import { peerAuth } from './auth.ts';
import { condition, description, enabled, flag, icons, list, map, oneOf, secrets, shape, text } from './parts.ts';
import { balance, breaker, health, timeouts, weight } from './targets.ts';

const card = text('Where the agent card is, or the address of the agent, below which it is looked for; demo:echo is inside the hub.', {
  format: 'base-url',
});

const Target = shape(
  {
    card,
    auth: Type.Optional(peerAuth),
    weight: Type.Optional(weight('The share of new conversations, against the weights beside it. 0 gets none. Default: 1.')),
    when: Type.Optional(condition),
  },
  { description: 'One instance of the agent. With when, it gets the calls for which that is true, before those without.' },
);

const Signatures = shape(
  {
    keys: Type.Optional(
      Type.Array(map(Type.Unknown()), { description: 'Public keys as JWK that the card may be signed with.', minItems: 1 }),
    ),
    jwks: Type.Optional(text('Where such keys are fetched, as a JWK set.', { format: 'url' })),
    require: Type.Optional(flag('Takes no card without a good signature.', { default: false })),
  },
  { description: "How the signatures on the agent's card are checked." },
);

export const Agent = shape(
  {
    card: Type.Optional(card),
    targets: Type.Optional(Type.Array(Target, { description: 'Several instances, in place of card.', minItems: 1 })),
    rest: Type.Optional(AgentRest),
    auth: Type.Optional(peerAuth),
    headers: Type.Optional(secrets('Headers to send with every request.')),
    bindings: Type.Optional(
      list(
        oneOf(['JSONRPC', 'HTTP+JSON'], 'A binding.'),
        'The bindings that the agent is called by, in this order; as its card has them when absent.',
      ),
    ),
    extensions: Type.Optional(
      list(text('The URI of an extension.'), 'Extensions that callers may ask the agent for; those on its card when absent.'),
    ),
    signatures: Type.Optional(Signatures),
    publicCard: Type.Optional(flag('Shows the agent card without a credential.', { default: false })),
    balance: Type.Optional(balance),
    breaker: Type.Optional(breaker),
    health: Type.Optional(
      health('What is asked for with GET, below the address of the card; the card when absent. Any status below 500 is well.'),
    ),
    timeouts: Type.Optional(timeouts),
    price: Type.Optional(Type.Number({ minimum: 0, description: 'US dollars for one message.' })),
    access: Type.Optional(access),
    policies: Type.Optional(policies),
    enabled: Type.Optional(enabled),
    description: Type.Optional(description),
    icons: Type.Optional(icons),
  },
  { description: 'An A2A agent.' },
);

export type AgentConfig = Static<typeof Agent>;
export type AgentTargetConfig = Static<typeof Target>;
