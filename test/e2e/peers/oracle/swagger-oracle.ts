import type { JsonObject } from '../../../../src/core/json.ts';
import SwaggerClient from 'swagger-client';
import { type EchoServer, type RecordedRequest, sendJson, startEchoServer } from '../../../support/echo-server.ts';
import type { ListedTool } from './arguments.ts';

export interface Oracle {
  /** The request that swagger-client sends for the same arguments, as it arrived. */
  send(tool: ListedTool, args: JsonObject, mediaType: string | undefined): Promise<RecordedRequest>;
  stop(): Promise<void>;
}

/** swagger-client in front of an echo server of its own. It reads the document and knows nothing of the hub but which argument has which wire name. */
export async function startOracle(document: JsonObject): Promise<Oracle> {
  const echo = await startEchoServer((_, response) => sendJson(response, 200, {}));
  return {
    async send(tool, args, mediaType) {
      const { path } = tool.operation;
      const method = tool.operation.method.toLowerCase();
      const spec = { ...only(document, path, method), ...placed(document, echo) };
      const { spec: operation, errors } = await SwaggerClient.resolveSubtree(spec, ['paths', path, method]);
      if (!isObject(operation)) throw new Error(`swagger-client cannot read ${method} ${path}: ${JSON.stringify(errors)}`);
      const resolved = { ...spec, paths: { [path]: { [method]: operation } } };
      const before = echo.requests.length;
      await SwaggerClient.execute({
        spec: resolved,
        pathName: path,
        method,
        contextUrl: echo.url,
        parameters: parametersOf(tool, args, operation),
        ...bodyOf(tool, args, operation, mediaType),
      });
      const request = echo.requests.at(-1);
      if (request === undefined || echo.requests.length !== before + 1)
        throw new Error('swagger-client sent nothing, or more than one request');
      return request;
    },
    stop: () => echo.stop(),
  };
}

/**
 * The document with one operation, what that refers to, and no answers: they say nothing about a request. The whole of a large document costs
 * swagger-client a second for each operation.
 */
function only(document: JsonObject, path: string, method: string): JsonObject {
  const { [method]: whole, parameters } = (document['paths'] as Record<string, JsonObject>)[path] as JsonObject;
  const operation = { ...without(whole as JsonObject, 'servers', 'callbacks'), responses: {} };
  const item = { ...(parameters !== undefined && { parameters }), [method]: operation };
  const kept: Record<string, unknown> = { ...without(document, 'components', 'definitions', 'parameters'), paths: { [path]: item } };
  const seen = new Set<string>();
  const waiting: unknown[] = [item];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    for (const [, reference = ''] of JSON.stringify(part).matchAll(/"\$ref":"#\/([^"]*)"/g)) {
      if (seen.has(reference)) continue;
      seen.add(reference);
      const keys = reference.split('/').map((key) => decodeURIComponent(key).replaceAll('~1', '/').replaceAll('~0', '~'));
      // Two or three keys lead to a component; what stands deeper comes with it.
      const depth = keys[0] === 'components' ? 3 : 2;
      const found = copy(document, kept, keys.slice(0, depth));
      if (found !== undefined) waiting.push(found);
    }
  }
  return kept;
}

function without(object: JsonObject, ...keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

/** Puts what stands under `keys` in `from` under the same keys in `to`; gives it. */
function copy(from: JsonObject, to: Record<string, unknown>, keys: readonly string[]): unknown {
  let source: unknown = from;
  let target = to;
  for (const [index, key] of keys.entries()) {
    source = isObject(source) ? source[key] : undefined;
    if (index === keys.length - 1) target[key] = source;
    else target = target[key] = { ...(target[key] as object | undefined) } as Record<string, unknown>;
  }
  return source;
}

/** The document's servers, with the echo server in front of the same path. */
function placed(document: JsonObject, echo: EchoServer): JsonObject {
  if (document['swagger'] !== undefined) return { host: new URL(echo.url).host, schemes: ['http'] };
  return { servers: [{ url: echo.url }] };
}

function parametersOf(tool: ListedTool, args: JsonObject, operation: JsonObject): Record<string, unknown> {
  const parameters: Record<string, unknown> = {};
  for (const [key, binding] of Object.entries(tool.operation.bindings)) {
    if (!Object.hasOwn(args, key) || args[key] === null) continue;
    const colon = binding.indexOf(':');
    if (colon > 0) parameters[`${binding.slice(0, colon)}.${binding.slice(colon + 1)}`] = args[key];
  }
  const { body } = args;
  if (body === undefined) return parameters;
  for (const { name, in: place } of (operation['parameters'] ?? []) as { name: string; in: string }[]) {
    if (place === 'body') parameters[name] = body;
    if (place === 'formData' && isObject(body) && Object.hasOwn(body, name)) parameters[name] = body[name];
  }
  return parameters;
}

function bodyOf(
  tool: ListedTool,
  args: JsonObject,
  operation: JsonObject,
  mediaType: string | undefined,
): { requestBody?: unknown; requestContentType?: string } {
  if (args['body'] === undefined || mediaType === undefined) return {};
  if (operation['requestBody'] === undefined) return { requestContentType: mediaType };
  // Bytes are base64 in the arguments of a tool, and bytes for every other client.
  const { body } = tool.inputSchema['properties'] as Record<string, JsonObject>;
  const isBinary = body?.['contentEncoding'] === 'base64' && typeof args['body'] === 'string';
  return { requestBody: isBinary ? Buffer.from(args['body'] as string, 'base64') : args['body'], requestContentType: mediaType };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
