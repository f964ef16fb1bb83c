import type { RestRequestConfig } from '../../../../../config/types.ts';
import type { JsonObject } from '../../../../../core/json.ts';
import { agentError } from '../../../wires/agent-errors.ts';
import { asText, below } from './place.ts';

/** A request that was filled in. Header names are lower case. */
export interface FilledRequest {
  readonly method: string;
  /** Encoded, with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A request with places for values. Throws AgentError -32602 for values that cannot stand where they should. */
export type RequestTemplate = (values: JsonObject) => FilledRequest;

/** A template that cannot be used; the message names the place and the fix. */
export class TemplateError extends Error {}

export interface TemplateSettings {
  /** Where in the configuration the template stands, for messages: `rest.request`. */
  readonly at: string;
  /** The path of the base URL, without a slash at its end. */
  readonly base: string;
  readonly method: string;
  /** What may stand in `${…}`, up to the first dot. */
  readonly names: ReadonlySet<string>;
}

/** A text in pieces: literal ones, and the steps to a value. */
type Pieces = readonly (string | readonly string[])[];
type Filling = (values: JsonObject) => unknown;

/** `${name}` and `${name.key}`; `$${` is a literal `${`. */
const VARIABLE = /\$(\$?)\{([^{}]*)\}/g;
const NAME = /^[A-Za-z]\w*(?:\.[^.\s]+)*$/;
/** What the connection itself says. */
const OWN_HEADERS = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'upgrade', 'te', 'trailer', 'expect']);
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7E\x80-\xFF]*$/;

/**
 * Compiles a request of the configuration. Values are never put in raw: in a path and a query they are percent-encoded, in a body they are JSON
 * values, and in a header they must be such as a header can hold. Throws TemplateError.
 */
export function compileRequest(config: RestRequestConfig, settings: TemplateSettings): RequestTemplate {
  const { at } = settings;
  const method = config.method ?? settings.method;
  const path = compilePath(config.path ?? '', settings);
  const query = Object.entries(config.query ?? {}).map(
    ([name, text]) => [name, compileText(text, `${at}.query.${name}`, settings)] as const,
  );
  const headers = compileHeaders(config.headers ?? {}, settings);
  const body = config.body === undefined ? undefined : compileJson(config.body, `${at}.body`, settings);
  if (body !== undefined && method === 'GET') throw new TemplateError(`${at}: a GET has no body. Use query, or set another method.`);
  return (values) => {
    const search = new URLSearchParams();
    for (const [name, fill] of query) {
      const value = fill(values);
      for (const item of Array.isArray(value) ? (value as unknown[]) : [value])
        if (isThere(item)) search.append(name, asText(item).toWellFormed());
    }
    const filled: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
    for (const [name, fill] of headers) {
      const value = fill(values);
      if (isThere(value)) filled[name] = checkHeader(name, asText(value));
    }
    return {
      method,
      path: path(values) + (search.size === 0 ? '' : `?${search}`),
      headers: filled,
      ...(body === undefined ? {} : { body: JSON.stringify(body(values) ?? null) }),
    };
  };
}

/** A JSON template: texts may name values by `${…}`; a key or an item whose whole value is not there is left out. */
function compileJson(template: unknown, at: string, settings: Pick<TemplateSettings, 'names'>): Filling {
  if (typeof template === 'string') return compileText(template, at, settings);
  if (Array.isArray(template)) {
    const items = template.map((item, index) => compileJson(item, `${at}.${index}`, settings));
    return (values) => items.map((fill) => fill(values)).filter((item) => item !== undefined);
  }
  if (typeof template !== 'object' || template === null) return () => template;
  const entries = Object.entries(template).map(([key, item]) => [key, compileJson(item, `${at}.${key}`, settings)] as const);
  return (values) =>
    Object.fromEntries(entries.map(([key, fill]) => [key, fill(values)] as const).filter(([, value]) => value !== undefined));
}

function compileText(text: string, at: string, settings: Pick<TemplateSettings, 'names'>): Filling {
  const pieces = piecesOf(text, at, settings.names);
  const [only = ''] = pieces;
  if (pieces.length === 1 && typeof only !== 'string') return (values) => lookUp(values, only);
  return (values) => pieces.map((piece) => (typeof piece === 'string' ? piece : asText(lookUp(values, piece)))).join('');
}

function compilePath(text: string, { at, base, names }: TemplateSettings): (values: JsonObject) => string {
  if (text !== '' && !text.startsWith('/')) throw new TemplateError(`${at}.path: begin it with a slash.`);
  const pieces = piecesOf(text, `${at}.path`, names);
  if (pieces.some((piece) => typeof piece === 'string' && /[?#]/.test(piece)))
    throw new TemplateError(`${at}.path: parameters stand at query, not behind a "?".`);
  const literal = pieces.map((piece) => (typeof piece === 'string' ? encodeURI(piece).replaceAll('%25', '%') : piece));
  return (values) => {
    const filled = literal.map((piece) => (typeof piece === 'string' ? piece : encodeValue(lookUp(values, piece), piece)));
    const path = `${base}${filled.join('')}` || '/';
    // A segment of dots would lead out of the place that the operator named.
    if (path.split('/').some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment)))
      throw agentError('InvalidParams', 'A value of the message cannot stand in a path.');
    return path;
  };
}

function encodeValue(value: unknown, steps: readonly string[]): string {
  const text = asText(value).toWellFormed();
  if (text === '') throw agentError('InvalidParams', `The message has no ${steps.join('.')}, which this agent needs.`);
  return encodeURIComponent(text);
}

function compileHeaders(config: Readonly<Record<string, string>>, settings: TemplateSettings): (readonly [string, Filling])[] {
  return Object.entries(config).map(([key, text]) => {
    const name = key.toLowerCase();
    const at = `${settings.at}.headers.${key}`;
    if (!HEADER_NAME.test(key)) throw new TemplateError(`${at}: this is no name of a header.`);
    if (OWN_HEADERS.has(name)) throw new TemplateError(`${at}: the hub sets this header itself.`);
    return [name, compileText(text, at, settings)] as const;
  });
}

function checkHeader(name: string, value: string): string {
  if (!HEADER_VALUE.test(value))
    throw agentError(
      'InvalidParams',
      `A value of the message cannot stand in the header ${name}: it has characters that headers have not.`,
    );
  return value;
}

function piecesOf(text: string, at: string, names: ReadonlySet<string>): Pieces {
  const pieces: (string | readonly string[])[] = [];
  let literal = '';
  let end = 0;
  for (const match of text.matchAll(VARIABLE)) {
    const [whole, escaped, name = ''] = match;
    literal += text.slice(end, match.index);
    end = match.index + whole.length;
    if (escaped !== '') {
      literal += whole.slice(1);
      continue;
    }
    const steps = name.split('.');
    if (!NAME.test(name) || !names.has(steps[0]!))
      throw new TemplateError(`${at}: there is no value \${${name}}. Known here: ${[...names].join(', ')}. Write $\${ for a literal \${.`);
    if (literal !== '') pieces.push(literal);
    literal = '';
    pieces.push(steps);
  }
  literal += text.slice(end);
  return literal === '' && pieces.length > 0 ? pieces : [...pieces, literal];
}

function lookUp(values: JsonObject, steps: readonly string[]): unknown {
  let found: unknown = values;
  for (const step of steps) found = below(found, step);
  return found ?? undefined;
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null;
}
