import { definePolicy } from '../core/contracts/policy.ts';
import { GatewayError } from '../core/errors.ts';
import { capsOf, expected, rateSchema, type Cap, type RateOption } from './_caps.ts';
import { counterTables } from './_counters.ts';
import { BY } from './_dimensions.ts';
import { Metering, type Refused } from './_metering.ts';
import { amountWords, limitWords, reservedWords, waitWords } from './_words.ts';

interface Limits {
  readonly requests?: RateOption;
  readonly tokens?: RateOption;
  readonly concurrent?: number;
  readonly streams?: number;
}

interface Options extends Limits {
  readonly by?: string | readonly string[];
  readonly consumers?: Readonly<Record<string, Limits>>;
}

const LIMITS = {
  requests: rateSchema('Calls in a time, such as 600/min; a list where all must hold.'),
  tokens: rateSchema('Tokens of models in a time, such as 200k/min; a list where all must hold.'),
  concurrent: { type: 'integer', minimum: 1, description: 'Calls that may be under way at a time.' },
  streams: { type: 'integer', minimum: 1, description: 'Streams that may be open at a time.' },
};

/** How many calls, tokens, calls at a time and open streams there may be. Reserved before a call, settled by what it has used. */
export default definePolicy<Options>({
  name: 'rate-limit',
  stage: 'limit',
  options: {
    type: 'object',
    additionalProperties: false,
    properties: {
      by: BY,
      ...LIMITS,
      consumers: {
        type: 'object',
        additionalProperties: { type: 'object', additionalProperties: false, properties: LIMITS },
        description: 'Limits of single consumers, by name.',
      },
    },
  },
  create({ by, consumers, ...limits }, host) {
    const caps = limitsOf(limits);
    const own = new Map(Object.entries(consumers ?? {}).map(([name, theirs]) => [name, limitsOf(theirs)]));
    if (caps.length === 0 && own.size === 0)
      throw new GatewayError('bad_request', 'Say what is limited: requests, tokens, concurrent, streams, or consumers.');
    return new Metering(host, {
      name: 'rate-limit',
      tables: counterTables({ by, caps, own, followed: false }),
      refusal,
      standing: ({ unit, limit }, value) =>
        `${amountWords(unit, value)} ${STATES[unit]}, ${amountWords(unit, Math.max(0, limit - value))} left`,
      expected: ({ cap }, call) => expected(cap.unit, call),
    });
  },
});

/** Those of tokens last: they may have to be waited for, and what refuses at once is asked first. */
function limitsOf({ requests, tokens, concurrent, streams }: Limits): readonly Cap[] {
  const caps = [...capsOf('requests', requests, false)];
  if (concurrent !== undefined) caps.push({ unit: 'concurrent', limit: concurrent, calendar: false });
  if (streams !== undefined) caps.push({ unit: 'streams', limit: streams, calendar: false });
  return [...caps, ...capsOf('tokens', tokens, false)];
}

const STATES = { requests: 'used', tokens: 'used or reserved', usd: 'used or reserved', concurrent: 'under way', streams: 'open' } as const;

function refusal({ counter: { cap, subject }, value, reserved, retryAfterMs }: Refused): GatewayError {
  const { unit, limit, per } = cap;
  const what = `The limit of ${limitWords(unit, limit, per)}${subject.words}`;
  const used = value - reserved;
  if (unit === 'tokens' && used < limit)
    return new GatewayError('limit_exceeded', `${what} ${reservedWords(unit, used, reserved)}`, { rule: 'rate-limit' });
  const counted = unit === 'tokens' ? `${amountWords(unit, used)} used` : `${amountWords(unit, value)} ${STATES[unit]}`;
  const next =
    per === undefined
      ? ' Try again when one of them has ended.'
      : retryAfterMs === undefined
        ? ''
        : ` Try again in ${waitWords(retryAfterMs)}.`;
  const message = `${what} is reached (${counted}).${next}`;
  return new GatewayError('limit_exceeded', message, { rule: 'rate-limit', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
}
