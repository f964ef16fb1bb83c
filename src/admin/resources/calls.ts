import type { Lane } from '../../core/call.ts';
import type { CallQuery, CallRecord } from '../../core/contracts/call-log.ts';
import { ERRORS } from '../../core/errors.ts';
import { Refusal } from '../problem.ts';
import type { AdminRoute, QueryParameter } from '../route.ts';

const LANES = { models: true, tools: true, agents: true } as const satisfies Record<Lane, true>;
const OUTCOMES: readonly string[] = ['ok', 'failed', 'error', ...Object.keys(ERRORS)];
const MAX_LIMIT = 1000;
/** A date, or a time with its zone. */
const ISO = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

const consumer: QueryParameter = { name: 'consumer', description: 'Only calls of this consumer.' };
const TIME = 'a date (from 00:00 UTC on), a time with its zone as in 2026-11-21T08:00:00Z, or milliseconds since 1970';
const from: QueryParameter = { name: 'from', description: `Only calls that began at this time or later: ${TIME}.` };
const to: QueryParameter = { name: 'to', description: `Only calls that began before this time: ${TIME}.` };

const text = (description: string): object => ({ type: 'string', description });
const number = (description: string): object => ({ type: 'number', description });
const count = (description: string): object => ({ type: 'integer', description });

const USAGE = {
  type: 'object',
  description: 'Tokens and money. What is absent is not known.',
  properties: {
    inputTokens: count('All that went in, read from and written to a cache included.'),
    outputTokens: count('All that came out, reasoning included.'),
    totalTokens: { type: 'integer' },
    cacheReadTokens: { type: 'integer' },
    cacheWriteTokens: { type: 'integer' },
    cacheWriteLongTokens: count('Of those written to a cache: kept for an hour or more.'),
    reasoningTokens: { type: 'integer' },
    inputAudioTokens: { type: 'integer' },
    outputAudioTokens: { type: 'integer' },
    estimated: { type: 'boolean', description: 'The vendor did not say: counted by the hub, roughly.' },
    cost: { type: ['number', 'null'], description: 'US dollars; null when the model has no known price.' },
  },
};

const CALL = {
  type: 'object',
  properties: {
    id: text('The request id that the caller got.'),
    startedAt: { type: 'string', format: 'date-time' },
    lane: text('models, tools or agents.'),
    operation: text('Such as chat, or tools/call.'),
    consumer: text('Who called.'),
    route: text('The route, virtual server or source, or agent.'),
    asked: text('The model, tool or agent that was asked for.'),
    target: text('The target that was tried last.'),
    provider: text("The vendor's wire format."),
    modelServed: text('The model that answered, as the vendor names it.'),
    outcome: text('ok, failed (the tool says that it failed), or the code of the error.'),
    status: count('The HTTP status that stands for the outcome.'),
    streamed: { type: 'boolean' },
    attempts: count('Tries at targets.'),
    durationMs: number('Milliseconds from the reading of the call to its end.'),
    firstByteMs: number("Milliseconds to the first byte of the upstream's answer."),
    usage: USAGE,
    events: {
      type: 'array',
      description:
        'What happened on the way: retried, fallback, refused, answered, throttled, dropped, estimated, unpriced, failed, cached, routed, selected, searched, intent or task.',
      items: {
        type: 'object',
        properties: {
          type: { type: 'string' },
          at: number('Milliseconds since the call was read.'),
          detail: { type: 'string' },
          figures: {
            type: 'object',
            additionalProperties: { type: 'number' },
            description: 'Of selected and searched: tokens of definitions, full and offered.',
          },
        },
        required: ['type', 'at'],
      },
    },
  },
  required: [
    'id',
    'startedAt',
    'lane',
    'operation',
    'consumer',
    'route',
    'asked',
    'outcome',
    'status',
    'streamed',
    'attempts',
    'durationMs',
    'events',
  ],
};

const USED = {
  type: 'object',
  properties: {
    consumer: { type: 'string' },
    lane: { type: 'string' },
    model: text('The model that answered, where a vendor named it; else what was asked for: a model, a tool, an agent.'),
    requests: { type: 'integer' },
    inputTokens: { type: 'integer' },
    outputTokens: { type: 'integer' },
    totalTokens: { type: 'integer' },
    usd: number('US dollars, without the calls that have no price.'),
  },
  required: ['consumer', 'lane', 'model', 'requests', 'inputTokens', 'outputTokens', 'totalTokens', 'usd'],
};

/** What was called, and what it used. */
export const callRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/calls',
    operationId: 'listCalls',
    tag: 'calls',
    summary: 'List the calls that consumers made, newest first',
    description:
      'One entry for each call of a model, tool or agent: who called what, where it went, how it ended, how long it took, and its tokens and cost. The texts of calls are not kept. Calls of the last second are in it.',
    query: [
      { name: 'id', description: 'Only the calls of this request, by the x-request-id that its caller got.' },
      consumer,
      { name: 'lane', description: 'Only calls of this lane: models, tools or agents.' },
      { name: 'route', description: 'Only calls through this route, virtual server or source, or agent.' },
      { name: 'provider', description: 'Only calls that a provider of this wire format answered, such as openai.' },
      { name: 'model', description: 'Only calls that asked for this model, tool or agent.' },
      { name: 'outcome', description: 'Only calls that ended so: ok, failed, the code of an error, or error for all but ok.' },
      from,
      to,
      { name: 'limit', description: `How many calls to list, 1 to ${MAX_LIMIT}. Default: 50.` },
      { name: 'cursor', description: 'The next of the answer before, to go on from there.' },
    ],
    answers: {
      200: {
        description: 'The calls.',
        schema: {
          type: 'object',
          properties: { items: { type: 'array', items: CALL }, next: text('The cursor of the next page; absent on the last.') },
          required: ['items'],
        },
      },
    },
    async handle({ query }, { hub }) {
      const { items, next } = await hub.calls.list(readQuery(query));
      return { status: 200, body: { items: items.map(shown), ...(next === undefined ? {} : { next }) } };
    },
  },
  {
    method: 'GET',
    path: '/usage',
    operationId: 'getUsage',
    tag: 'calls',
    summary: 'Sum requests, tokens and cost by consumer, lane and model',
    description: 'Over all calls that are kept, those of the last second too. With from and to, over the calls that began between them.',
    query: [consumer, from, to],
    answers: {
      200: {
        description: 'The sums.',
        schema: { type: 'object', properties: { items: { type: 'array', items: USED } }, required: ['items'] },
      },
    },
    async handle({ query }, { hub }) {
      const items = await hub.calls.usage({ ...named(query, ['consumer']), ...times(query) });
      return { status: 200, body: { items: items.map((item) => ({ ...item, usd: toBillionths(item.usd) })) } };
    },
  },
];

function readQuery(query: URLSearchParams): CallQuery {
  const lane = chosen(query, 'lane', Object.keys(LANES)) as Lane | undefined;
  const outcome = chosen(query, 'outcome', OUTCOMES);
  const asked = query.get('model') || undefined;
  const limit = readLimit(query.get('limit') || undefined);
  return {
    ...named(query, ['id', 'consumer', 'route', 'provider', 'cursor']),
    ...(lane === undefined ? {} : { lane }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(asked === undefined ? {} : { asked }),
    ...(limit === undefined ? {} : { limit }),
    ...times(query),
  };
}

/** Parameters that are taken as they are; an empty one is none. */
function named<K extends string>(query: URLSearchParams, names: readonly K[]): { [key in K]?: string } {
  const given = names.map((name) => [name, query.get(name)] as const).filter(([, value]) => value);
  return Object.fromEntries(given) as { [key in K]?: string };
}

function chosen(query: URLSearchParams, name: string, known: readonly string[]): string | undefined {
  const value = query.get(name) || undefined;
  if (value === undefined || known.includes(value)) return value;
  throw wrong(name, `There is no ${name} "${value}". Known: ${known.join(', ')}.`);
}

function times(query: URLSearchParams): { from?: number; to?: number } {
  const read = (name: 'from' | 'to'): { [key in typeof name]?: number } => {
    const value = query.get(name) || undefined;
    if (value === undefined) return {};
    const time = /^\d{1,15}$/.test(value) ? Number(value) : ISO.test(value) ? Date.parse(value) : Number.NaN;
    if (Number.isNaN(time)) throw wrong(name, `Write ${TIME}.`);
    return { [name]: time };
  };
  return { ...read('from'), ...read('to') };
}

function readLimit(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const limit = /^\d{1,4}$/.test(value) ? Number(value) : 0;
  if (limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw wrong('limit', `Write a number from 1 to ${MAX_LIMIT}.`);
}

function wrong(name: string, message: string): Refusal {
  return new Refusal('bad_request', 'The parameters of this address are not right.', { errors: [{ path: `?${name}`, message }] });
}

/** Sums of dollars end in digits that nobody has paid. */
function toBillionths(usd: number): number {
  return Math.round(usd * 1e9) / 1e9;
}

function shown(record: CallRecord): object {
  return { ...record, startedAt: new Date(record.startedAt).toISOString() };
}
