import { isPart, type Part, partsOf, type Resolver } from './resolver.ts';

/** An operation as its document declares it, read without the hub: 2.0 in the words of 3.x, defaults filled in. */
export interface DeclaredOperation {
  readonly method: string;
  /** The key of `paths`. */
  readonly path: string;
  /** The same without marks of RFC 6570, which OpenAPI does not know: `{id}` for `{;id*}`. */
  readonly template: string;
  /** `3.0.3` */
  readonly version: string;
  readonly parameters: readonly Declared[];
  readonly body?: DeclaredBody;
  /** As it stands, with its references: what swagger-client gets of a 2.0 document. */
  readonly raw: Part;
}

export interface Declared {
  readonly name: string;
  readonly place: string;
  readonly required: boolean;
  readonly style: string;
  readonly explode: boolean;
  readonly reserved: boolean;
  /** Media type of a `content` parameter. */
  readonly content?: string;
  readonly schema: unknown;
  /** 2.0's own word. */
  readonly collectionFormat?: string;
}

export interface DeclaredBody {
  readonly required: boolean;
  readonly content: Readonly<Record<string, { readonly schema: unknown; readonly encoding: Part }>>;
  /** 2.0: name of the body parameter; empty for form fields. */
  readonly name?: string;
}

const MARKED = /\{[;.+]?([^{}/*]+)\*?\}/g;
const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query']);
/** OpenAPI 3.0.3, Parameter Object: "If in is "header" and the name field is "Accept", "Content-Type" or "Authorization", the parameter definition SHALL be ignored." */
const IGNORED_HEADERS = new Set(['accept', 'content-type', 'authorization']);
const FORMATS: Readonly<Record<string, readonly [style: string, explode: boolean]>> = {
  csv: ['form', false],
  ssv: ['spaceDelimited', false],
  tsv: ['tabDelimited', false],
  pipes: ['pipeDelimited', false],
  multi: ['form', true],
};

/** Every operation of a document that can be read. */
export function* declaredOperations(resolver: Resolver): Generator<DeclaredOperation> {
  const { root } = resolver;
  const version = String(root['openapi'] ?? root['swagger'] ?? '');
  for (const [path, value] of Object.entries(isPart(root['paths']) ? root['paths'] : {})) {
    const item = resolver.at(value);
    if (item === undefined || path.startsWith('x-')) continue;
    const more = isPart(item['additionalOperations']) ? Object.entries(item['additionalOperations']) : [];
    const all = [...Object.entries(item).filter(([key]) => METHODS.has(key)).map(([key, one]) => [key.toUpperCase(), one] as const), ...more]; // prettier-ignore
    for (const [method, operation] of all) if (isPart(operation)) yield read(resolver, version, method, path, item, operation);
  }
}

function read(resolver: Resolver, version: string, method: string, path: string, item: Part, raw: Part): DeclaredOperation {
  const found = new Map<string, Part>();
  for (const value of [...list(item['parameters']), ...list(raw['parameters'])]) {
    const parameter = resolver.at(value);
    if (parameter === undefined) continue;
    const name = String(parameter['name']);
    found.set(`${String(parameter['in'])}:${parameter['in'] === 'header' ? name.toLowerCase() : name}`, parameter);
  }
  const all = [...found.values()];
  const template = path.replace(MARKED, '{$1}');
  const places = new Set([...template.matchAll(/\{([^{}/]+)\}/g)].map((match) => match[1] ?? ''));
  const parameters = all
    .filter((one) => one['in'] !== 'body' && one['in'] !== 'formData')
    .map((one) => declared(one, version))
    .filter(({ place, name }) => (place === 'path' ? places.has(name) : place !== 'header' || !IGNORED_HEADERS.has(name.toLowerCase())))
    .filter(({ place, name }) => !isCredential(resolver, raw, place, name));
  for (const name of places) {
    if (!parameters.some((one) => one.place === 'path' && one.name === name))
      parameters.push({
        name,
        place: 'path',
        required: true,
        style: 'simple',
        explode: false,
        reserved: false,
        schema: { type: 'string' },
      });
  }
  const body = version.startsWith('2') ? body2(resolver.root, raw, all) : body3(resolver, raw);
  return { method, path, template, version, parameters, raw: { ...raw, parameters: all }, ...(body !== undefined && { body }) };
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function declared(one: Part, version: string): Declared {
  const place = String(one['in']);
  const base = {
    name: String(one['name']),
    place,
    required: place === 'path' || one['required'] === true,
    reserved: one['allowReserved'] === true,
  };
  if (version.startsWith('2')) {
    const collectionFormat = String(one['collectionFormat'] ?? 'csv');
    const [style, explode] = FORMATS[collectionFormat] ?? ['form', false];
    const simple = place !== 'query' && style === 'form';
    return { ...base, style: simple ? 'simple' : style, explode: !simple && explode, schema: one, collectionFormat };
  }
  const [content, media] = isPart(one['content']) ? (Object.entries(one['content'])[0] ?? []) : [];
  const style = String(one['style'] ?? (place === 'query' || place === 'cookie' ? 'form' : 'simple'));
  const explode = typeof one['explode'] === 'boolean' ? one['explode'] : style === 'form' || style === 'cookie';
  const schema = content === undefined ? (one['schema'] ?? { type: 'string' }) : isPart(media) ? media['schema'] : {};
  return { ...base, style, explode, schema, ...(content !== undefined && { content }) };
}

/** Parameters that a security scheme of the operation names too are the credential. */
function isCredential({ root }: Resolver, raw: Part, place: string, name: string): boolean {
  const components = isPart(root['components']) ? root['components'] : {};
  const schemes = root['securityDefinitions'] ?? components['securitySchemes'];
  const alternatives = partsOf(raw['security'] ?? root['security']);
  return alternatives
    .flatMap((one) => Object.keys(one))
    .map((key) => (isPart(schemes) ? schemes[key] : undefined))
    .some(
      (one) => isPart(one) && one['type'] === 'apiKey' && one['in'] === place && String(one['name']).toLowerCase() === name.toLowerCase(),
    );
}

function body3(resolver: Resolver, raw: Part): DeclaredBody | undefined {
  const body = resolver.at(raw['requestBody']);
  if (body === undefined || !isPart(body['content'])) return undefined;
  const content = Object.entries(body['content']).map(([type, media]) => {
    const { schema = {}, encoding } = isPart(media) ? media : {};
    return [type, { schema, encoding: isPart(encoding) ? encoding : {} }] as const;
  });
  return { required: body['required'] === true, content: Object.fromEntries(content) };
}

function body2(root: Part, raw: Part, all: readonly Part[]): DeclaredBody | undefined {
  const consumes = list(raw['consumes'] ?? root['consumes']).map(String);
  const body = all.find((one) => one['in'] === 'body');
  if (body !== undefined) {
    const types = consumes.length > 0 ? consumes : ['application/json'];
    const media = { schema: body['schema'] ?? {}, encoding: {} };
    return {
      required: body['required'] === true,
      name: String(body['name']),
      content: Object.fromEntries(types.map((type) => [type, media])),
    };
  }
  const fields = all.filter((one) => one['in'] === 'formData');
  if (fields.length === 0) return undefined;
  const required = fields.filter((one) => one['required'] === true).map((one) => one['name']);
  const schema = {
    type: 'object',
    properties: Object.fromEntries(fields.map((one) => [String(one['name']), { ...one, required: undefined }])),
    required,
  };
  const encoding = fields
    .filter((one) => one['type'] === 'array')
    .map((one) => {
      const [style, explode] = FORMATS[String(one['collectionFormat'] ?? 'csv')] ?? ['form', false];
      return [String(one['name']), { style, explode }] as const;
    });
  const media = { schema, encoding: Object.fromEntries(encoding) };
  const types = consumes.filter((type) => /form/.test(type));
  const kinds =
    types.length > 0
      ? types
      : fields.some((one) => one['type'] === 'file')
        ? ['multipart/form-data']
        : ['application/x-www-form-urlencoded'];
  return { required: required.length > 0, name: '', content: Object.fromEntries(kinds.map((type) => [type, media])) };
}
