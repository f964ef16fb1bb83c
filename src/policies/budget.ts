import type { AnyCall } from '../core/call.ts';
import { definePolicy } from '../core/contracts/policy.ts';
import { GatewayError } from '../core/errors.ts';
import { createAlerts, WEBHOOK, type WebhookOption } from './_alerts.ts';
import { capsOf, expected, rateSchema, type Cap, type RateOption } from './_caps.ts';
import { counterTables, type Counter } from './_counters.ts';
import { BY, shown } from './_dimensions.ts';
import { Metering, type Refused } from './_metering.ts';
import { amountWords, limitWords, reservedWords } from './_words.ts';

interface Budget {
  readonly usd?: RateOption;
  readonly tokens?: RateOption;
  readonly unpriced?: 'allow' | 'refuse';
}

interface Options extends Budget {
  readonly by?: string | readonly string[];
  readonly consumers?: Readonly<Record<string, Budget>>;
  readonly webhook?: WebhookOption;
  readonly alerts?: readonly number[];
}

const BUDGET = {
  usd: rateSchema('US dollars in a period of the calendar, such as 50/month; a list where all must hold.'),
  tokens: rateSchema('Tokens of models in a period of the calendar, such as 1M/day; a list where all must hold.'),
  unpriced: { enum: ['allow', 'refuse'], description: 'What becomes of calls to a model without a known price. Default: allow.' },
};

/** What may be spent in a day, a week, a month. Reserved before a call from an estimate, settled by what it has cost. */
export default definePolicy<Options>({
  name: 'budget',
  stage: 'limit',
  options: {
    type: 'object',
    additionalProperties: false,
    properties: {
      by: BY,
      ...BUDGET,
      consumers: {
        type: 'object',
        additionalProperties: {
          type: 'object',
          additionalProperties: false,
          properties: BUDGET,
          dependentRequired: { unpriced: ['usd'] },
        },
        description: 'Budgets of single consumers, by name.',
      },
      webhook: WEBHOOK,
      alerts: {
        type: 'array',
        items: { type: 'number', exclusiveMinimum: 0, maximum: 100 },
        description: 'Per cent of a budget at which the webhook is told. Default: 50, 80, 100.',
      },
    },
    dependentRequired: { unpriced: ['usd'], alerts: ['webhook'] },
  },
  create({ by, consumers = {}, webhook, alerts: thresholds = [50, 80, 100], ...budget }, host) {
    const caps = capsIn(budget);
    const own = new Map(Object.entries(consumers).map(([name, theirs]) => [name, capsIn(theirs)]));
    if (caps.length === 0 && own.size === 0) throw new GatewayError('bad_request', 'Say what the budget is: usd, tokens, or consumers.');
    const priced = new Set<Cap>();
    if (budget.unpriced === 'refuse') for (const cap of caps) priced.add(cap);
    for (const [name, { unpriced }] of Object.entries(consumers))
      if (unpriced === 'refuse') for (const cap of own.get(name)!) priced.add(cap);
    const alerts = webhook === undefined ? undefined : createAlerts(host, { webhook, thresholds, by, caps });
    const metering = new Metering(host, {
      name: 'budget',
      tables: counterTables({ by, caps, own, followed: alerts !== undefined }),
      refusal,
      standing: ({ unit, limit }, value) =>
        `${amountWords(unit, value)} used or reserved, ${amountWords(unit, Math.max(0, limit - value))} left`,
      expected: (counter, call) => {
        const amount = expected(counter.cap.unit, call);
        if (amount === undefined && priced.has(counter.cap)) refuseUnpriced(counter, call);
        return amount;
      },
      ...(alerts === undefined ? {} : { settled: alerts.check }),
    });
    return alerts === undefined ? metering : Object.assign(metering, { onServe: alerts.serve, [Symbol.asyncDispose]: alerts.release });
  },
});

function capsIn({ usd, tokens }: Budget): readonly Cap[] {
  return [...capsOf('usd', usd, true), ...capsOf('tokens', tokens, true)];
}

/** Only models have prices that somebody must know: a tool costs nothing unless the configuration says so. */
function refuseUnpriced({ cap, subject }: Counter, call: AnyCall): void {
  if (cap.unit !== 'usd' || call.lane !== 'models') return;
  const message = `The model ${shown(call.input.model)} has no known price, and the budget${subject.words} takes none without. Ask for another model, or have its price set under prices in the configuration.`;
  throw new GatewayError('rule_refused', message, { rule: 'budget' });
}

function refusal({ counter: { cap, subject, period }, value, reserved, retryAfterMs }: Refused): GatewayError {
  const { unit, limit, per } = cap;
  const what = `The budget of ${limitWords(unit, limit, per)}${subject.words}`;
  const used = value - reserved;
  if (used < limit) return new GatewayError('limit_exceeded', `${what} ${reservedWords(unit, used, reserved)}`, { rule: 'budget' });
  const message = `${what} is used up (${amountWords(unit, used)} used). It begins anew ${dateWords(period!.until)}.`;
  return new GatewayError('limit_exceeded', message, { rule: 'budget', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
}

/** `on 2026-12-01`, `at 2026-11-21 08:05 UTC`. */
function dateWords(at: number): string {
  const text = new Date(at).toISOString();
  return text.endsWith('T00:00:00.000Z') ? `on ${text.slice(0, 10)}` : `at ${text.slice(0, 10)} ${text.slice(11, 16)} UTC`;
}
