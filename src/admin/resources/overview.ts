import { AGENT_STATE } from './agents.ts';
import { fieldError, Refusal } from '../problem.ts';
import type { ModelQuestion } from '../hub.ts';
import type { AdminRoute, QueryParameter } from '../route.ts';

const consumer: QueryParameter = { name: 'consumer', description: 'The name of a consumer; needed as soon as the hub has consumers.' };
const server: QueryParameter = {
  name: 'server',
  description: 'A virtual server, service, upstream server or agent; absent: /mcp, which has the tools of all sources.',
};
const FREE = { type: 'object' };
const LIST = { type: 'array', items: FREE };
const SEMANTIC = {
  type: 'object',
  properties: {
    requested: { type: 'string', description: 'The model, as embedding.model or a use names it.' },
    active: {
      type: 'string',
      description: 'The rung that answers: transformers, remote, static, bm25 (words alone) or the name of an extension.',
    },
    model: { type: 'string', description: 'The id of the model that answers; absent for words alone.' },
    dims: { type: 'integer' },
    degraded: { type: 'boolean', description: 'Another one answers than the one that is asked for.' },
    reason: { type: 'string', description: 'Why no better one answers, and what to do.' },
  },
  required: ['requested', 'active', 'degraded'],
};
const STATUS = {
  type: 'object',
  properties: {
    version: { type: 'string' },
    generation: { type: 'integer' },
    config: {
      type: 'object',
      properties: { ok: { type: 'boolean' }, errors: LIST, warnings: LIST },
      required: ['ok', 'errors', 'warnings'],
    },
    sources: { ...LIST, description: 'Services, upstream servers, agents and virtual servers as MCP serves them.' },
    targets: { ...LIST, description: 'What the routes of models call, and what these calls have shown.' },
    agents: { type: 'array', items: AGENT_STATE },
    semantic: {
      ...SEMANTIC,
      properties: { ...SEMANTIC.properties, others: { type: 'array', items: SEMANTIC } },
      description: 'The model of embedding; in others the models that uses name.',
    },
  },
  required: ['version', 'generation', 'config', 'sources', 'targets', 'agents', 'semantic'],
};

/** The hub as a whole: what it serves, to whom, and why. */
export const overviewRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/status',
    operationId: 'getStatus',
    tag: 'hub',
    summary: 'Get the state of the hub',
    description:
      'Its version, the generation that serves, what is wrong with the configuration on disk, the state of each source of tools, target of models and agent, and which model of embeddings answers.',
    answers: { 200: { description: 'The state.', schema: STATUS } },
    handle: (_request, { hub }) => ({ status: 200, body: hub.status() }),
  },
  {
    method: 'POST',
    path: '/reload',
    operationId: 'reload',
    tag: 'hub',
    summary: 'Load the configuration again',
    description:
      'Files are watched, so this is needed only where watching does not work. Answers when the new generation serves; a configuration that is not valid is refused with all that is wrong, and the old one goes on serving.',
    answers: { 200: { description: 'The new generation, with its warnings.', schema: FREE } },
    async handle(_request, { hub }) {
      const { ok, generation, problems } = await hub.reload();
      if (ok) return { status: 200, body: { generation, problems } };
      throw new Refusal('conflict', 'The configuration is not valid; the last good one goes on serving.', {
        errors: problems.map(fieldError),
        members: { generation, problems },
      });
    },
  },
  {
    method: 'GET',
    path: '/tools',
    operationId: 'listTools',
    tag: 'hub',
    summary: 'List the tools that a consumer sees on a server',
    description: 'The same list that tools/list of MCP gives this consumer.',
    query: [server, consumer],
    answers: {
      200: {
        description: 'The tools.',
        schema: { type: 'object', properties: { items: { type: 'array', items: { type: 'object' } } }, required: ['items'] },
      },
    },
    handle({ query }, { hub }) {
      return { status: 200, body: { items: hub.tools(query.get('server') ?? '', hub.consumer(query.get('consumer') || undefined)) } };
    },
  },
  {
    method: 'GET',
    path: '/explain',
    operationId: 'explainTool',
    tag: 'hub',
    summary: 'Explain why a consumer sees a tool, which model a call would take, or who may call an agent',
    description: 'Every rule that acted, in order, with its place in the files. Nothing is called.',
    query: [
      server,
      { name: 'tool', description: 'The name of the tool on that server.' },
      consumer,
      { name: 'model', description: 'In place of server and tool: the name of a model, to learn which route and target it would take.' },
      { name: 'api', description: 'With model: an entry of apis, when it is not that at /v1.' },
      { name: 'headers', description: 'With model: headers of the request, NAME: VALUE, one to a line, for rules that ask about it.' },
      { name: 'text', description: 'With model: what the request says, for the same rules.' },
      {
        name: 'agent',
        description:
          'In place of server and tool: the name of an agent, to learn who may call it and which instances a message would take.',
      },
      { name: 'skill', description: 'With agent: the skill that the message names.' },
    ],
    answers: {
      200: {
        description: 'The explanation.',
        schema: {
          type: 'object',
          properties: { visible: { type: 'boolean' }, callable: { type: 'boolean' }, steps: { type: 'array', items: { type: 'object' } } },
          required: ['visible', 'callable', 'steps'],
        },
      },
    },
    async handle({ query }, { hub }) {
      const consumer = hub.consumer(query.get('consumer') || undefined);
      const model = query.get('model');
      if (model) return { status: 200, body: await hub.explainModel({ model, consumer, ...requestOf(query) }) };
      const agent = query.get('agent');
      const skill = query.get('skill');
      if (agent) return { status: 200, body: await hub.explainAgent({ agent, consumer, ...(skill ? { skill } : {}) }) };
      const tool = query.get('tool');
      if (!tool)
        throw new Refusal('bad_request', 'What shall be explained?', {
          errors: [{ path: '?tool', message: 'Name a tool, a model or an agent.' }],
        });
      return { status: 200, body: await hub.explainTool(query.get('server') ?? '', tool, consumer) };
    },
  },
];

/** The request that a model is asked for in; nothing where nothing is said of it. */
function requestOf(query: URLSearchParams): Pick<ModelQuestion, 'api' | 'request'> {
  const api = query.get('api');
  const headers = query.get('headers');
  const text = query.get('text');
  const lines = (headers ?? '').split('\n').filter((line) => line.trim() !== '');
  const pairs = lines.map((line) => /^([^:]+):(.*)$/.exec(line) ?? [line, line.trim(), '']);
  const request = {
    headers: Object.fromEntries(pairs.map(([, name = '', value = '']) => [name.trim().toLowerCase(), value.trim()])),
    text: text ?? '',
  };
  return { ...(api ? { api } : {}), ...(headers === null && text === null ? {} : { request }) };
}
