import { Bytes, Digits } from '../draw.ts';
import type { Content } from '../reading.ts';
import { mediaTypeOf, type Reading, readAddress, readContent, readPairs } from '../reading.ts';
import { isPart, type Part } from '../resolver.ts';
import { peer } from './peer.ts';
import type { Case, Referee } from './referee.ts';
import { parameter3, shallow } from './shallow.ts';

interface SwaggerClient {
  execute(execution: object): Promise<unknown>;
}

interface Sent {
  readonly url: string;
  readonly request: { readonly method?: string; readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown };
}

/** swagger-client, which stands behind Swagger UI: https://github.com/swagger-api/swagger-js */
export function swaggerClient(): Referee {
  const client = (peer('swagger-client') as { default?: SwaggerClient }).default ?? (peer('swagger-client') as SwaggerClient);
  return {
    name: 'swagger-client',
    judges: () => true,
    async request(one) {
      const { operation, call } = one;
      let sent: Sent | undefined;
      await client.execute({
        spec: specOf(one),
        pathName: operation.template,
        method: operation.method.toLowerCase(),
        parameters: parametersOf(one),
        ...(call.body !== undefined && {
          requestContentType: call.mediaType,
          ...(operation.body?.name === undefined && { requestBody: asFiles(call.body) }),
        }),
        userFetch: (url: string, request: Sent['request']) => {
          sent = { url, request };
          return Promise.resolve(Response.json({}));
        },
      });
      if (sent === undefined) throw new Error('swagger-client sent nothing');
      return read(sent, operation.method);
    },
  };
}

async function read({ url, request }: Sent, wanted: string): Promise<Reading> {
  const headers = new Map(Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]));
  const address = url.replace(/^https?:\/\/[^/?#]*/, '').replace(/#.*$/s, '');
  const { body } = request;
  const declared = mediaTypeOf(headers.get('content-type'));
  const mediaType = body instanceof FormData ? 'multipart/form-data' : declared;
  const content: Content | undefined = await readContent(body, mediaType);
  const method = request.method?.toUpperCase() === wanted.toUpperCase() ? wanted : (request.method ?? '');
  return {
    method,
    ...readAddress(address),
    headers,
    cookies: readPairs(headers.get('cookie') ?? '', '; '),
    ...(content !== undefined && { mediaType, body: content }),
  } as Reading;
}

function specOf({ operation, resolver }: Case): object {
  const { template: path, method, version, raw, body } = operation;
  if (version.startsWith('2')) {
    // It sends defaults of optional parameters; 2.0: "Declares the value of the parameter that the server will use if none is provided".
    const parameters = (raw['parameters'] as Part[]).map((one): Part => ({
      ...one,
      default: undefined,
      ...(one['in'] === 'body' && { schema: {} }),
    }));
    const declared = new Set(parameters.map((one) => `${String(one['in'])}:${String(one['name'])}`));
    const more = operation.parameters.filter(({ place, name }) => !declared.has(`${place}:${name}`)).map(({ name, place }) => ({ name, in: place, type: 'string', required: true })); // prettier-ignore
    const consumes = raw['consumes'] ?? resolver.root['consumes'];
    const only = { operationId: 'one', parameters: [...parameters.filter((one) => kept(one, operation)), ...more], ...(consumes !== undefined && { consumes }), responses: {} }; // prettier-ignore
    return {
      swagger: '2.0',
      info: { title: '', version: '' },
      host: 'api.test',
      schemes: ['http'],
      paths: { [path]: { [method.toLowerCase()]: only } },
    };
  }
  const content = Object.entries(body?.content ?? {}).map(([type, { schema, encoding }]) => [
    type,
    { schema: shallow(schema, resolver), encoding },
  ]);
  const only = {
    operationId: 'one',
    parameters: operation.parameters.map((one) => parameter3(one, resolver)),
    ...(body !== undefined && { requestBody: { content: Object.fromEntries(content) as object } }),
    responses: {},
  };
  const item = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query'].includes(method.toLowerCase())
    ? { [method.toLowerCase()]: only }
    : { additionalOperations: { [method]: only } };
  return { openapi: version, info: { title: '', version: '' }, servers: [{ url: 'http://api.test' }], paths: { [path]: item } };
}

function kept(one: Part, { parameters }: Case['operation']): boolean {
  const { in: place, name } = one;
  return place === 'body' || place === 'formData' || parameters.some((other) => other.place === place && other.name === name);
}

function parametersOf({ operation, call }: Case): Part {
  const parameters: Record<string, unknown> = {};
  for (const [place, value] of call.parameters) parameters[place.replace(':', '.')] = value;
  if (call.body === undefined || operation.body?.name === undefined) return parameters;
  if (operation.body.name !== '') parameters[`body.${operation.body.name}`] = asFiles(call.body);
  else for (const [name, value] of Object.entries(call.body as Part)) parameters[`formData.${name}`] = asFiles(value);
  return parameters;
}

function asFiles(value: unknown): unknown {
  if (value instanceof Bytes) return Buffer.from(value.base64, 'base64');
  // TypeScript does not know JSON.rawJSON yet.
  if (value instanceof Digits) return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(value.text);
  if (Array.isArray(value)) return value.map(asFiles);
  return isPart(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asFiles(item)])) : value;
}
