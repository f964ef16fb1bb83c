import { DIGITS, type Reading } from './reading.ts';
import { peer } from './referees/peer.ts';
import { isPart, type Part } from './resolver.ts';

interface PrismHttp {
  getHttpOperationsFromSpec(document: object): Promise<PrismOperation[]>;
}
interface PrismValidator {
  validateInput(options: { resource: PrismOperation; element: object }): { _tag: string; left?: Diagnostic[] };
}
interface PrismOperation {
  readonly method: string;
  readonly path: string;
}
interface Diagnostic {
  readonly path: readonly string[];
  readonly message: string;
  /** 0: an error. */
  readonly severity: number;
}

/** What Prism's mock server finds wrong with a request; undefined when it does not know the operation. */
export type Validate = (method: string, path: string, request: Reading) => string[] | undefined;

/** Prism, which validates requests against their document: https://github.com/stoplightio/prism. Undefined when it cannot read the document. */
export async function prism(document: Part): Promise<Validate | undefined> {
  const { getHttpOperationsFromSpec } = peer('@stoplight/prism-http') as PrismHttp;
  const { validateInput } = peer('@stoplight/prism-http/dist/validator/index.js') as PrismValidator;
  let operations: Map<string, PrismOperation>;
  try {
    const all = await getHttpOperationsFromSpec(structuredClone(document));
    operations = new Map(all.map((one) => [`${one.method.toLowerCase()} ${one.path}`, one]));
  } catch {
    return undefined;
  }
  return (method, path, request) => {
    const resource = operations.get(`${method.toLowerCase()} ${path}`);
    if (resource === undefined) return undefined;
    let result: ReturnType<PrismValidator['validateInput']>;
    try {
      result = validateInput({ resource, element: elementOf(request) });
    } catch {
      // Headers that are lists without a value, and marks in path keys.
      return undefined;
    }
    const faults = result._tag === 'Left' ? (result.left ?? []) : [];
    return faults.filter(({ severity }) => severity === 0).map((fault) => `${fault.path.join('.')}: ${fault.message}`);
  };
}

/** A request as Prism's server hands it over. */
function elementOf({ method, path, query, headers, mediaType, body, cookies }: Reading): object {
  const values: Record<string, string | string[]> = {};
  for (const [name, value] of query) {
    const text = decodeURIComponent(value);
    const before = values[name];
    values[name] = before === undefined ? text : [before, text].flat();
  }
  const cookie = cookies.map(([name, value]) => `${name}=${value}`).join('; ');
  const flat = {
    ...Object.fromEntries(headers),
    ...(mediaType !== undefined && { 'content-type': headers.get('content-type') ?? mediaType }),
    ...(cookie !== '' && { cookie }),
  };
  return { method: method.toLowerCase(), url: { path, query: values }, headers: flat, ...(body !== undefined && { body: bodyOf(body) }) };
}

function bodyOf(body: NonNullable<Reading['body']>): unknown {
  if (body.kind === 'json') return rounded(body.value);
  if (body.kind === 'pairs') return new URLSearchParams(body.pairs.map(([name, value]): [string, string] => [name, value])).toString();
  return body.kind === 'bytes' ? Buffer.from(body.base64, 'base64').toString() : '';
}

/** Prism knows numbers of JavaScript only. */
function rounded(value: unknown): unknown {
  if (typeof value === 'string') return value.startsWith(DIGITS) ? Number(value.slice(DIGITS.length)) : value;
  if (Array.isArray(value)) return value.map(rounded);
  return isPart(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, rounded(item)])) : value;
}
