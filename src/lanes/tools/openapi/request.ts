import type { JsonObject } from '../../../core/json.ts';
import type { ReadResource } from '../../../core/contracts/tool-source.ts';
import type { UpstreamRequest } from '../../../core/upstream.ts';
import type { CompiledOperation, CompiledService, ParameterBinding } from './types.ts';
import { encodeBody } from './wire/body.ts';
import { type Exact, exactNumbers } from './wire/exact-numbers.ts';
import { cookieText, headerText, pathText, queryText } from './wire/styles.ts';
import { ArgumentFault, textOf } from './wire/values.ts';
import { wholeSchema } from './whole-schema.ts';

/** Where requests of an operation go. */
export interface RequestTarget {
  /** `http(s)://host[:port]`, or the name of a service inside the process such as `demo:petstore`. */
  readonly origin: string;
  /** What stands before every path; empty, or begins with `/` and does not end with one. */
  readonly prefix: string;
  readonly userAgent?: string;
}

const NO_DEFINITIONS: CompiledService['definitions'] = new Map();

/** What an operation alone does not know. */
export interface RequestContext {
  /** What the whole schemas of operations refer to. */
  readonly definitions?: CompiledService['definitions'];
  /** Without it no resource can be a file. */
  readonly readResource?: ReadResource;
}

export type BuiltRequest = { readonly request: Omit<UpstreamRequest, 'trust'> } | { readonly fault: string };

/** An address as origin and prefix. Undefined for what is not http(s) or a name inside the process. */
export function targetOf(address: string): { origin: string; prefix: string } | undefined {
  const inside = /^((?:demo|hub):[a-z][a-z0-9-]*)(\/[^?#]*)?$/.exec(address);
  if (inside !== null) return { origin: inside[1] ?? '', prefix: (inside[2] ?? '').replace(/\/+$/, '') };
  const url = URL.parse(address);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined;
  return { origin: `${url.protocol}//${url.host}`, prefix: url.pathname.replace(/\/+$/, '') };
}

/** Writes arguments that `checkArguments` let through as a request; `fault` says which argument cannot be written. Credentials come later, by signers. */
export function buildRequest(
  operation: CompiledOperation,
  args: JsonObject,
  target: RequestTarget,
  { definitions = NO_DEFINITIONS, readResource = () => undefined }: RequestContext = {},
): BuiltRequest {
  try {
    const exact = exactNumbers(args, () => (operation.whole?.schema === undefined ? operation.tool.definition.inputSchema : wholeSchema(operation.whole.schema, definitions))); // prettier-ignore
    const path = pathOf(operation, args, target.prefix, exact);
    // Without a prototype: a header may be called `__proto__`.
    const headers = Object.assign(Object.create(null) as Record<string, string>, { accept: operation.accept });
    if (target.userAgent !== undefined) headers['user-agent'] = target.userAgent;
    const query = placeRest(operation, args, headers, exact);
    const whole = query === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${query}`;
    const { method, body: binding } = operation;
    const value = binding === undefined ? undefined : argument(args, binding.key);
    if (binding === undefined || value === undefined) return { request: { method, origin: target.origin, path: whole, headers } };
    const { body, contentType } = encodeBody(binding, value, { exact, readResource });
    headers['content-type'] = contentType;
    return { request: { method, origin: target.origin, path: whole, headers, body } };
  } catch (error) {
    if (error instanceof ArgumentFault) return { fault: error.message };
    throw error;
  }
}

function argument(args: JsonObject, key: string): unknown {
  return Object.hasOwn(args, key) ? args[key] : undefined;
}

/** The argument of a parameter, its numbers as JSON writes them where it is written as JSON. */
function valueOf({ key, style }: ParameterBinding, args: JsonObject, exact: Exact): unknown {
  const value = argument(args, key);
  return style === 'content' && value !== undefined ? exact(value, key) : value;
}

function pathOf(operation: CompiledOperation, args: JsonObject, prefix: string, exact: Exact): string {
  let path = prefix;
  for (const part of operation.route) {
    if (typeof part === 'string') {
      path += part;
      continue;
    }
    const binding = operation.parameters[part];
    if (binding === undefined) continue;
    const value = valueOf(binding, args, exact);
    const text = value === undefined || value === null ? '' : pathText(binding, value);
    if (text === '' || climbs(value)) {
      throw new ArgumentFault(
        `${binding.key}: ${text === '' ? 'a value that is not empty' : 'a value other than "." and "..", also as a part'} is wanted in the path.`,
      );
    }
    path += text;
  }
  // What single values cannot do, two in one segment can.
  if (path.includes('/.') && /\/\.{1,2}([/;]|$)/.test(path)) throw new ArgumentFault('The arguments make a path with "." or ".." in it.');
  return path === '' ? '/' : path;
}

/**
 * True for `.` and `..`, and for a value of which a part between separators is `..`, as it stands or decoded once. Servers that know parameters of
 * segments (RFC 3986, 3.3) cut them off at the `;`.
 */
function climbs(value: unknown): boolean {
  if (typeof value === 'object') return Object.values(value ?? {}).some(climbs);
  if (typeof value !== 'string' || (!value.includes('.') && !value.includes('%'))) return false;
  // One by one: an escape that is none must not keep the others from being seen.
  const text = value.replace(/%[0-7][0-9a-f]/gi, decodeURIComponent);
  return /^\.(;|$)/.test(text) || /(^|[/\\])\.\.([/\\;]|$)/.test(text);
}

/** Puts headers and cookies on `headers` and gives the query. */
function placeRest(operation: CompiledOperation, args: JsonObject, headers: Record<string, string>, exact: Exact): string {
  let query = operation.fixedQuery;
  let cookies = '';
  for (const binding of operation.parameters) {
    const { place } = binding;
    if (place === 'path') continue;
    const value = valueOf(binding, args, exact);
    if (value === undefined || value === null) continue;
    if (place === 'query' || place === 'querystring') {
      const text = place === 'query' ? queryText(binding, value) : wholeQuery(binding.style, value, binding);
      if (text !== '') query += query === '' ? text : `&${text}`;
    } else if (place === 'cookie') {
      const text = cookieText(binding, value);
      if (text !== '') cookies += cookies === '' ? text : `; ${text}`;
    } else {
      const text = headerText(binding, value);
      if (text !== undefined) headers[binding.name.toLowerCase()] = text;
    }
  }
  if (cookies !== '') headers['cookie'] = headers['cookie'] === undefined ? cookies : `${headers['cookie']}; ${cookies}`;
  return query;
}

/** 3.2's `in: querystring`: the argument is all of the query. */
function wholeQuery(style: string, value: unknown, binding: Parameters<typeof queryText>[0]): string {
  if (typeof value === 'string') return encodeURI(value.toWellFormed()).replaceAll('#', '%23');
  return style === 'form' ? queryText(binding, value) : encodeURIComponent(textOf(value));
}
