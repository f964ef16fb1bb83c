import { Type } from 'typebox';
import { shape, text } from '../../config/schema/parts.ts';
import type { ToolExample, TextExample } from '../hub.ts';
import { MOST_FOUND } from '../../http/narrowing.ts';
import { plainSchema } from '../plain-schema.ts';
import { Refusal } from '../problem.ts';
import type { AdminRoute } from '../route.ts';

/** What a batch may have: the hub works on it in one go. */
const MOST_EXAMPLES = 1000;

const model = Type.Optional(
  text("The model of embeddings, as embedding.model of the configuration names it; that of the server's search when absent."),
);
const server = Type.Optional(
  text('A virtual server, service, upstream server or agent; absent: /mcp, which has the tools of all sources.'),
);
const consumer = Type.Optional(text('The name of a consumer; needed as soon as the hub has consumers.'));

const EvalTools = shape({
  server,
  consumer,
  model,
  top: Type.Optional(
    Type.Array(Type.Integer({ minimum: 1, maximum: MOST_FOUND }), {
      minItems: 1,
      maxItems: 20,
      description: 'How many tools are offered. Default: 1, 5, 10 and 20.',
    }),
  ),
  queries: Type.Array(
    shape({
      query: text('What somebody wants to do.', { maxLength: 4000 }),
      tools: Type.Array(text('The name of a tool, as tools/list shows it.'), {
        minItems: 1,
        description: 'The tools that should be found.',
      }),
    }),
    { minItems: 1, maxItems: MOST_EXAMPLES, description: 'Questions, with the tools that should be found.' },
  ),
});
interface EvalTools {
  readonly server?: string;
  readonly consumer?: string;
  readonly model?: string;
  readonly top?: readonly number[];
  readonly queries: readonly ToolExample[];
}

const EvalRoutes = shape({
  model: Type.Optional(
    text('The model of embeddings, as embedding.model of the configuration names it; that of intentRouting when absent.'),
  ),
  texts: Type.Array(
    shape({
      text: text('What a caller wrote.', { maxLength: 4000 }),
      intent: Type.Optional(text('The intent that it has; none when it is about none of them.')),
      route: Type.Optional(text('In place of intent: the name of the route that it should take.')),
    }),
    { minItems: 1, maxItems: MOST_EXAMPLES, description: 'Texts, each with its intent or its route.' },
  ),
});
interface EvalRoutes {
  readonly model?: string;
  readonly texts: readonly TextExample[];
}

const NUMBER = { type: 'number' };
const TEXT = { type: 'string' };
const BY_TOP = { type: 'object', additionalProperties: NUMBER };
const DEGRADED = {
  type: 'object',
  description: 'Only when the model that was asked for is not the one that answered.',
  properties: { requested: TEXT, active: TEXT, reason: TEXT },
  required: ['requested', 'active', 'reason'],
};
const EVIDENCE = {
  score: { ...NUMBER, description: 'From 0 to 1, by words and meaning; comparable inside one answer only.' },
  words: { type: 'array', items: TEXT, description: 'Words of the query that the tool has, in their stems.' },
  lexical: { ...NUMBER, description: 'The score by words alone.' },
  cosine: { ...NUMBER, description: 'The cosine to the query; absent for words alone.' },
};
const FOUND = {
  type: 'object',
  properties: {
    tools: {
      type: 'array',
      items: {
        type: 'object',
        properties: { name: TEXT, title: TEXT, description: TEXT, ...EVIDENCE, inputSchema: { type: 'object' } },
        required: ['name', 'description', 'score', 'words', 'lexical', 'inputSchema'],
      },
    },
    model: { ...TEXT, description: 'The model that answered; absent for words alone.' },
    degraded: DEGRADED,
  },
  required: ['tools'],
};
const UNKNOWN = {
  type: 'array',
  items: { type: 'object', properties: { name: TEXT, near: TEXT }, required: ['name'] },
  description: 'Names that name nothing, with the one that was most likely meant.',
};
const TOOLS_JUDGED = {
  type: 'object',
  properties: {
    tools: { type: 'integer', description: 'How many tools the consumer sees.' },
    tokens: { ...NUMBER, description: 'Tokens of all their definitions, roughly.' },
    model: TEXT,
    degraded: DEGRADED,
    unknown: UNKNOWN,
    figures: {
      type: 'object',
      description: 'Means over the questions, from 0 to 1; recall, all and offered (tokens of definitions) by how many tools are offered.',
      properties: { queries: { type: 'integer' }, recall: BY_TOP, all: BY_TOP, offered: BY_TOP, ndcg10: NUMBER, mrr: NUMBER },
    },
    results: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          query: TEXT,
          expected: { type: 'array', items: TEXT },
          found: { type: 'array', items: { type: 'object' } },
          offered: BY_TOP,
        },
      },
      description: 'In the order of the questions: what was found, the best first.',
    },
  },
  required: ['tools', 'tokens', 'unknown', 'figures', 'results'],
};
const LABEL = { type: ['string', 'null'], description: 'null: none of the intents.' };
const ROUTES_JUDGED = {
  type: 'object',
  properties: {
    intents: { type: 'array', items: TEXT },
    scorer: TEXT,
    model: TEXT,
    degraded: DEGRADED,
    unknown: UNKNOWN,
    figures: {
      type: 'object',
      description: 'Of all texts, from 0 to 1. inScope: of those that have an intent; none: of those that have none.',
      properties: {
        texts: { type: 'integer' },
        accuracy: NUMBER,
        inScope: NUMBER,
        none: NUMBER,
        classes: { type: 'array', items: { type: 'object' } },
        confused: { type: 'array', items: { type: 'object' } },
      },
    },
    results: {
      type: 'array',
      items: {
        type: 'object',
        properties: { text: TEXT, expected: LABEL, given: LABEL, scores: { type: 'array', items: { type: 'object' } } },
      },
      description: 'In the order of the texts.',
    },
  },
  required: ['intents', 'unknown', 'figures', 'results'],
};

/** Finding tools by what they do, and how well that and the finding of intents work. */
export const searchRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/tools/search',
    operationId: 'searchTools',
    tag: 'search',
    summary: 'Find tools by what they do',
    description: 'What search_tools finds for this consumer, with the evidence: which words, and which score by words and by meaning.',
    query: [
      { name: 'query', description: 'What the tool shall do, in your own words.', required: true },
      {
        name: 'server',
        description: 'A virtual server, service, upstream server or agent; absent: /mcp, which has the tools of all sources.',
      },
      { name: 'consumer', description: 'The name of a consumer; needed as soon as the hub has consumers.' },
      { name: 'top', description: `How many to find, from 1 to ${MOST_FOUND}; as many as search_tools finds there when absent.` },
    ],
    answers: { 200: { description: 'The tools, best first.', schema: FOUND } },
    async handle({ query }, { hub }) {
      const consumer = hub.consumer(query.get('consumer') || undefined);
      const body = await hub.searchTools({
        server: query.get('server') ?? '',
        consumer,
        query: query.get('query') as string,
        ...readTop(query.get('top')),
      });
      return { status: 200, body };
    },
  },
  {
    method: 'POST',
    path: '/eval/tools',
    operationId: 'evaluateTools',
    tag: 'search',
    summary: 'Measure how well tools are found',
    description: `Searches for each question and compares what is found with what should be. Nothing is called. Up to ${MOST_EXAMPLES} questions at a time.`,
    body: { schema: plainSchema(EvalTools), checked: EvalTools },
    answers: { 200: { description: 'The figures, and what was found for each question.', schema: TOOLS_JUDGED } },
    async handle({ body }, { hub }) {
      const { server = '', consumer: name, queries, top, model } = body as EvalTools;
      const consumer = hub.consumer(name);
      const question = { server, consumer, queries, ...(top === undefined ? {} : { top }), ...(model === undefined ? {} : { model }) };
      return { status: 200, body: await hub.evaluateTools(question) };
    },
  },
  {
    method: 'POST',
    path: '/eval/routes',
    operationId: 'evaluateRoutes',
    tag: 'search',
    summary: 'Measure how well the intent of texts is found',
    description: `Finds the intent of each text and compares it with what it should be. No model is called. Up to ${MOST_EXAMPLES} texts at a time.`,
    body: { schema: plainSchema(EvalRoutes), checked: EvalRoutes },
    answers: { 200: { description: 'The figures, and what each text was taken for.', schema: ROUTES_JUDGED } },
    async handle({ body }, { hub }) {
      return { status: 200, body: await hub.evaluateRoutes(body as EvalRoutes) };
    },
  },
];

function readTop(text: string | null): { top?: number } {
  if (!text) return {};
  const top = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (top >= 1 && top <= MOST_FOUND) return { top };
  const message = `It is a number from 1 to ${MOST_FOUND}.`;
  throw new Refusal('bad_request', 'The parameters of this address are not right.', { errors: [{ path: '?top', message }] });
}
