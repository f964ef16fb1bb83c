import type { AdminRoute } from './route.ts';

const PROBLEM = {
  type: 'object',
  description: 'RFC 9457.',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    detail: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          path: { type: 'string', description: 'JSON pointer into the body, ?name of a parameter, or FILE:LINE:COLUMN.' },
          message: { type: 'string' },
        },
        required: ['path', 'message'],
      },
    },
  },
  required: ['type', 'title', 'status', 'errors'],
};

const IF_MATCH = {
  name: 'If-Match',
  in: 'header',
  description: 'The revision that the entry must have, in quotes; else the answer is 412.',
  schema: { type: 'string' },
};

/** The routes as an OpenAPI 3.1 document; those that are hidden are left out. Paths start with `base`. */
export function describeRoutes(routes: readonly AdminRoute[], base: string, version: string): object {
  const shown = Map.groupBy(
    routes.filter(({ hidden }) => hidden !== true),
    ({ path }) => `${base}${path}`,
  );
  const paths = [...shown].map(([path, group]) => [
    path,
    Object.fromEntries(group.map((route) => [route.method.toLowerCase(), operation(route)])),
  ]);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Hubgate admin API',
      version,
      description:
        'Reads and changes what a hub serves: services, servers, virtual servers with their access lists, models, agents, consumers and their keys. Changes are served when they are answered.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ adminToken: [] }],
    tags: [...new Set([...shown.values()].flat().map(({ tag }) => tag))].map((name) => ({ name })),
    paths: Object.fromEntries(paths) as object,
    components: {
      securitySchemes: { adminToken: { type: 'http', scheme: 'bearer', description: 'The admin token of the hub.' } },
      schemas: { Problem: PROBLEM },
    },
  };
}

function operation({
  operationId,
  tag,
  summary,
  description,
  path,
  params = {},
  query = [],
  conditional,
  body,
  answers,
}: AdminRoute): object {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);
  const parameters = [
    ...names.map((name) => ({ name, in: 'path', required: true, description: params[name], schema: { type: 'string' } })),
    ...query.map((one) => ({
      name: one.name,
      in: 'query',
      required: one.required ?? false,
      description: one.description,
      schema: { type: 'string' },
    })),
    ...(conditional === true ? [IF_MATCH] : []),
  ];
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: body.optional !== true, content: { 'application/json': { schema: body.schema } } } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, { description, schema }]) => [
          status,
          { description, ...(schema === undefined ? {} : { content: { 'application/json': { schema } } }) },
        ]),
      ),
      default: {
        description: 'What is wrong.',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}
