import { Type } from 'typebox';
import type { Static } from 'typebox';
import type { Secret } from '../../core/secret.ts';
import { duration, flag, list, map, oneOf, shape, text } from './parts.ts';

const place = (what: string) =>
  text(`Where ${what} stands in the answer: a dotted path such as output.text, a JSON pointer, or "." for all of it.`);
const texts = (description: string) => list(Type.String({ minLength: 1 }), description);
const values = (description: string) => map(Type.String(), { description });

const Request = shape(
  {
    method: Type.Optional(
      oneOf(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'], 'The HTTP method. Default: POST for the message, GET for poll.'),
    ),
    path: Type.Optional(text('The path below url, such as /chat or /orders/${data.order}; values are encoded for it.')),
    query: Type.Optional(values('Query parameters by name, such as { q: "${text}" }; one whose value is not there is left out.')),
    headers: Type.Optional(values('Headers by name; one whose value is not there is left out.')),
    body: Type.Optional(
      Type.Unknown({ description: 'The JSON body. A text that is "${data}" and nothing else stands for the value as it is, of any type.' }),
    ),
  },
  { description: 'The HTTP request that a message becomes.' },
);

const States = shape(
  {
    completed: Type.Optional(texts('The application is done.')),
    failed: Type.Optional(texts('It has failed.')),
    rejected: Type.Optional(texts('It will not do it.')),
    canceled: Type.Optional(texts('The job was called off.')),
    input: Type.Optional(texts('It needs another message before it goes on.')),
    working: Type.Optional(texts('It is still at work.')),
    message: Type.Optional(texts('It is done, and answers with a plain message in place of a task.')),
  },
  { description: 'What the words at state mean. Of those that stand nowhere, an answer is completed and a job is working.' },
);

const answer = {
  text: Type.Optional(place('the text of the answer')),
  data: Type.Optional(place('JSON for the caller')),
  files: Type.Optional(place('the address of a file, or a list of them,')),
  note: Type.Optional(place('a sentence on how it stands, such as a question or the progress,')),
  error: Type.Optional(place('the sentence that says what went wrong')),
  conversation: Type.Optional(place("the application's own id of the conversation")),
  job: Type.Optional(place('the id of the job that poll and cancel ask about')),
  state: Type.Optional(place('the word for the state')),
  states: Type.Optional(States),
};

const Response = shape(answer, { description: 'What is taken from a JSON answer. Without text, data and files: all of it.' });

const Stream = shape(
  {
    format: Type.Optional(
      oneOf(['sse', 'ndjson'], 'What the events are, where the content type of the answer does not say it. Default: sse.'),
    ),
    type: Type.Optional(text('Where the type of an event stands in its JSON; the name of the server-sent event when absent.')),
    text: Type.Optional(text('Where a piece of the text stands in an event; the whole event when absent.')),
    texts: Type.Optional(texts('Types of the events that carry text; all when absent.')),
    replace: Type.Optional(texts('Types of the events whose text replaces all that came before.')),
    note: Type.Optional(text('Where a sentence on the progress stands.')),
    data: Type.Optional(text('Where JSON for the caller stands.')),
    conversation: Type.Optional(text("Where the application's own id of the conversation stands.")),
    job: Type.Optional(text('Where the id that cancel asks about stands.')),
    end: Type.Optional(texts('Types of the events, or whole events such as [DONE], after which nothing comes.')),
    finish: Type.Optional(text('Where an event says that the answer is complete, by a value that is not null.')),
    errors: Type.Optional(texts('Types of the events that report a failure.')),
    error: Type.Optional(
      text('Where the sentence that says what went wrong stands. Without errors, any event that has it reports a failure.'),
    ),
  },
  { description: 'How an answer that comes as server-sent events or as lines of JSON is read.' },
);

const Poll = shape(
  {
    request: Type.Optional(Request),
    interval: Type.Optional(duration('The time between two questions.', { default: '2s' })),
    timeout: Type.Optional(duration('When the job is given up.', { default: '24h' })),
    response: Type.Optional(Response),
  },
  { description: 'Asks for a job until it has ended. It begins when response.job is there in the answer to the message.' },
);

const exchange = {
  request: Type.Optional(Request),
  response: Type.Optional(Response),
  stream: Type.Optional(Stream),
  poll: Type.Optional(Poll),
  cancel: Type.Optional(Request),
  answer: Type.Optional(
    oneOf(
      ['task', 'message'],
      'What callers get: a task with an artifact, or a plain message once the whole answer is there. Default: task.',
    ),
  ),
};

const modes = (what: string) => texts(`Media types ${what}, in place of text/plain and application/json.`);

const Skill = shape(
  {
    id: text('The name of the skill, which messages have in metadata.skill.'),
    name: Type.Optional(text('The name that people see; id when absent.')),
    description: text('What it does.'),
    tags: Type.Optional(texts('Words to find it by.')),
    examples: Type.Optional(texts('Messages that it takes.')),
    ...exchange,
  },
  { description: 'One skill on the agent card; what it does not set is that of the agent.' },
);

/** An HTTP API that answers as an agent. */
export const AgentRest = shape(
  {
    spec: Type.Optional(text('The OpenAPI document whose operations become skills: a path relative to this file, or a URL.')),
    url: Type.Optional(text('Where the application is; path stands below it.', { format: 'base-url' })),
    preset: Type.Optional(oneOf(['openai-chat', 'dify', 'model-studio'], 'An application whose requests and answers the hub knows.')),
    model: Type.Optional(text('The model of openai-chat; ${model} in templates.')),
    instructions: Type.Optional(text('The system message of openai-chat.')),
    app: Type.Optional(
      Type.Unsafe<Secret>({
        type: 'string',
        minLength: 1,
        secret: 'named',
        description: 'The id of the application at model-studio; ${app} in templates. Callers never see it.',
      }),
    ),
    streaming: Type.Optional(flag('Whether a preset asks for its answer piece by piece.', { default: true })),
    ...exchange,
    skills: Type.Optional(
      Type.Array(Skill, { description: 'The skills on the agent card; one for the whole agent when absent.', minItems: 1 }),
    ),
    inputModes: Type.Optional(modes('that the agent takes')),
    outputModes: Type.Optional(modes('that it answers with')),
    version: Type.Optional(text('The version on the agent card. Default: 1.0.0.')),
  },
  { description: 'An HTTP API that answers as an agent: by an OpenAPI document, a preset, or templates of your own.' },
);

export type AgentRestConfig = Static<typeof AgentRest>;
export type RestRequestConfig = Static<typeof Request>;
export type RestAnswerConfig = Static<typeof Response>;
export type RestStreamConfig = Static<typeof Stream>;
export type RestPollConfig = Static<typeof Poll>;
export type RestSkillConfig = Static<typeof Skill>;
