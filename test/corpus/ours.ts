import { checkArguments } from '../../src/lanes/tools/openapi/arguments.ts';
import { buildRequest } from '../../src/lanes/tools/openapi/request.ts';
import type { CompiledOperation, CompiledService } from '../../src/lanes/tools/openapi/types.ts';
import { Bytes, type Call, Digits } from './draw.ts';
import type { DeclaredOperation } from './operation.ts';
import { mediaTypeOf, type Reading, readAddress, readContent, readPairs } from './reading.ts';
import { isPart, type Part, type Resolver } from './resolver.ts';
import { formOf } from '../support/form-of.ts';

/** Header parameters that no argument can set (DESIGN 2.4, "Not arguments"). */
export const CONNECTION = new Set(
  'host content-length connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding upgrade expect accept-encoding'.split(
    ' ',
  ),
);

/** The argument of a parameter; undefined when the tool has none. */
export function argumentOf(compiled: CompiledOperation, place: string, name: string): string | undefined {
  return compiled.parameters.find(
    (one) => one.place === place && (one.name === name || (place === 'header' && one.name.toLowerCase() === name.toLowerCase())),
  )?.key;
}

/** What the document declares and the tool has no argument for; empty for a tool that is complete. */
export function missingArguments(compiled: CompiledOperation, operation: DeclaredOperation, resolver: Resolver): string[] {
  const missing = operation.parameters
    .filter(
      ({ place, name }) =>
        ['path', 'query', 'header', 'cookie', 'querystring'].includes(place) && !(place === 'header' && CONNECTION.has(name.toLowerCase())),
    )
    .filter(({ place, name }) => argumentOf(compiled, place, name) === undefined)
    .map(({ place, name }) => `${place}:${name}`);
  return compiled.body === undefined && isBodyWanted(operation, resolver) ? [...missing, 'body'] : missing;
}

/** Documents made by tools declare an object without properties as the body of everything: where none is needed it need not be an argument. */
function isBodyWanted({ body, method }: DeclaredOperation, resolver: Resolver): boolean {
  const media = Object.values(body?.content ?? {});
  if (media.length === 0) return false;
  if (body?.required === true || !['GET', 'HEAD', 'DELETE'].includes(method)) return true;
  return !media.every(({ schema }) => isEmptyObject(resolver.at(schema)));
}

/** An object that declares nothing; `additionalProperties` of its own would. */
function isEmptyObject(schema: Part | undefined): boolean {
  if (schema?.['type'] !== 'object') return false;
  return Object.entries(schema).every(([key, value]) => {
    if (key === 'additionalProperties') return value === false;
    return /^(?:type|title|description)$/.test(key) || (key === 'properties' && isPart(value) && Object.keys(value).length === 0);
  });
}

/** The key of the document's `content` that the tool's body is for. */
export function chosenMediaType(compiled: CompiledOperation, operation: DeclaredOperation): string | undefined {
  if (compiled.body === undefined || operation.body === undefined) return undefined;
  const keys = Object.keys(operation.body.content);
  return keys.find((key) => key === compiled.body?.mediaType) ?? keys.find((key) => key.includes('*')) ?? keys[0];
}

/** The same call in the arguments of the tool. Parameters without one are left out. */
export function argumentsOf(compiled: CompiledOperation, call: Call): Record<string, unknown> {
  const args: Record<string, unknown> = {};
  for (const [place, value] of call.parameters) {
    const colon = place.indexOf(':');
    const key = argumentOf(compiled, place.slice(0, colon), place.slice(colon + 1));
    if (key !== undefined) args[key] = value;
  }
  if (call.body !== undefined && compiled.body !== undefined) args[compiled.body.key] = inBase64(call.body);
  return args;
}

function inBase64(value: unknown): unknown {
  if (value instanceof Bytes) return value.base64;
  if (value instanceof Digits) return value.text;
  if (Array.isArray(value)) return value.map(inBase64);
  return isPart(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inBase64(item)])) : value;
}

/** Lines why the tool refuses the arguments, or the request that the hub makes of them. */
export async function ourRequest(
  compiled: CompiledOperation,
  args: Readonly<Record<string, unknown>>,
  definitions: CompiledService['definitions'],
): Promise<{ refused: string[] } | { reading: Reading }> {
  const faults = checkArguments(compiled, args);
  if (faults !== undefined) return { refused: faults };
  const built = buildRequest(compiled, args, { origin: 'http://api.test', prefix: '' }, { definitions });
  if ('fault' in built) return { refused: [built.fault] };
  const { method, path, headers, body } = built.request;
  const flat = new Map(Object.entries(headers).map(([name, value]) => [name, String(value)]));
  const mediaType = mediaTypeOf(flat.get('content-type'));
  const content = await readContent(mediaType === 'multipart/form-data' ? await formOf(body, headers) : body, mediaType);
  const cookies = readPairs(flat.get('cookie') ?? '', '; ');
  return {
    reading: {
      method,
      ...readAddress(path),
      headers: flat,
      cookies,
      ...(content !== undefined && { mediaType, body: content }),
    } as Reading,
  };
}
