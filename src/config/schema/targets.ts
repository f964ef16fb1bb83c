import { Type } from 'typebox';
import { atLeastOne, duration, shape, text } from './parts.ts';

export const weight = (description: string) => Type.Number({ minimum: 0, maximum: 1_000_000, description });

export const breaker = shape(
  {
    failures: Type.Optional(atLeastOne('Failures in a row after which no more calls go there.', 5)),
    rate: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, maximum: 1, description: 'The share of failures that has the same effect.', default: 0.5 }),
    ),
    minimum: Type.Optional(atLeastOne('Calls inside the window before the share counts.', 20)),
    window: Type.Optional(duration('The time over which the share is taken.', { default: '10s' })),
    open: Type.Optional(
      duration('How long no calls go there; then one tries. Doubled while it fails, up to a minute.', { default: '10s' }),
    ),
  },
  { description: 'When a target that fails is left alone.' },
);

/** Asks an upstream again and again whether it is well; `path` says what is asked. */
export const health = (path: string) =>
  shape(
    {
      path: Type.Optional(text(path)),
      interval: Type.Optional(duration('How often.', { default: '30s' })),
      timeout: Type.Optional(duration('How long an answer may take.', { default: '5s' })),
      unhealthyAfter: Type.Optional(atLeastOne('Failed checks in a row after which no calls go there.', 3)),
      healthyAfter: Type.Optional(atLeastOne('Good ones after which they do again.', 1)),
    },
    { description: 'Asks again and again whether the upstream is well. Without it, only calls tell.' },
  );

export const timeouts = shape(
  {
    connect: Type.Optional(duration('Until the connection stands.')),
    firstByte: Type.Optional(duration('From sending to the first byte of the answer.')),
    idle: Type.Optional(duration('Between two parts of a streamed answer.')),
    total: Type.Optional(duration('From sending to the end of the answer.')),
  },
  { description: 'How long each part of a request may take.' },
);

/** The name of a balancer, or an object of one key that holds its options. */
type BalanceConfig = string | Readonly<Record<string, unknown>>;

export const balance = Type.Unsafe<BalanceConfig>({
  type: ['string', 'object'],
  minLength: 1,
  minProperties: 1,
  maxProperties: 1,
  default: 'weight',
  description:
    'How targets are chosen: weight, round-robin, least-busy, latency, cost, error-rate, or a balancer of your own; an object of one key holds its options.',
  hint: 'Write the name of a balancer such as latency, or an object such as { my-balancer: { option: 1 } }.',
});
