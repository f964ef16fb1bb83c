import type { Node, Tree } from './tree.ts';
import { isNode, isText, listOf, OperationFault } from './tree.ts';

/** What of a 2.0 parameter is its schema. */
const SCHEMA_KEYS = [
  'type', 'format', 'items', 'default', 'maximum', 'exclusiveMaximum', 'minimum', 'exclusiveMinimum', 'maxLength', 'minLength', 'pattern',
  'maxItems', 'minItems', 'uniqueItems', 'enum', 'multipleOf', 'x-nullable', 'example', 'x-example',
] as const; // prettier-ignore

const STYLES: Readonly<Record<string, { style: string; explode: boolean }>> = {
  csv: { style: 'form', explode: false },
  ssv: { style: 'spaceDelimited', explode: false },
  tsv: { style: 'tabDelimited', explode: false },
  pipes: { style: 'pipeDelimited', explode: false },
  multi: { style: 'form', explode: true },
};

/** One object per parameter of the document, so that what is computed from it is computed once. */
const converted = new WeakMap<Node, Node>();

/** A 2.0 parameter (path, query, header) in the shape of 3.x. */
export function parameter2(parameter: Node): Node {
  let result = converted.get(parameter);
  if (result === undefined) {
    const { name, in: place, required, description, collectionFormat, deprecated } = parameter;
    const style = STYLES[typeof collectionFormat === 'string' ? collectionFormat : 'csv'] ?? STYLES['csv'];
    const simple = place !== 'query' && style?.style === 'form';
    result = {
      name,
      in: place,
      required,
      description,
      deprecated,
      schema: schemaOf(parameter),
      ...style,
      ...(simple && { style: 'simple', explode: false }),
    };
    converted.set(parameter, result);
  }
  return result;
}

function schemaOf(parameter: Node): Node {
  const schema: Record<string, unknown> = {};
  for (const key of SCHEMA_KEYS) if (parameter[key] !== undefined) schema[key] = parameter[key];
  return schema;
}

/** The `requestBody` that 2.0's body and formData parameters mean; undefined when there are none. */
export function body2(tree: Tree, operation: Node, parameters: readonly Node[], pointer: string): Node | undefined {
  const consumes = texts(operation['consumes'] ?? tree.root['consumes']);
  const body = parameters.find((one) => one['in'] === 'body');
  if (body !== undefined) {
    const types = consumes.length > 0 ? consumes : ['application/json'];
    const media = { schema: body['schema'] ?? {} };
    return {
      required: body['required'],
      description: body['description'],
      content: Object.fromEntries(types.map((type) => [type, media])),
    };
  }
  const fields = parameters.filter((one) => one['in'] === 'formData');
  if (fields.length === 0) return undefined;
  const properties: [string, unknown][] = [];
  const encoding: [string, unknown][] = [];
  for (const field of fields) {
    const { name, collectionFormat } = field;
    if (!isText(name)) throw new OperationFault('invalid_parameter', 'A formData parameter has no name.', pointer);
    properties.push([name, { ...schemaOf(field), description: field['description'] }]);
    const style = STYLES[typeof collectionFormat === 'string' ? collectionFormat : 'csv'];
    if (field['type'] === 'array' && style !== undefined) encoding.push([name, style]);
  }
  const files = fields.some((field) => field['type'] === 'file');
  const multipart = files || (consumes.includes('multipart/form-data') && !consumes.includes('application/x-www-form-urlencoded'));
  const required = fields.filter((field) => field['required'] === true).map((field) => field['name']);
  const schema = { type: 'object', properties: fromPairs(properties), ...(required.length > 0 && { required }) };
  const type = multipart ? 'multipart/form-data' : 'application/x-www-form-urlencoded';
  return { required: required.length > 0, content: { [type]: { schema, encoding: fromPairs(encoding) } } };
}

/** An object with own properties only, whatever the keys are called. */
function fromPairs(pairs: readonly (readonly [string, unknown])[]): Node {
  return Object.fromEntries(pairs);
}

function texts(value: unknown): string[] {
  return listOf(value).filter(isText);
}

/** A 2.0 response as 3.x has it. */
export function response2(tree: Tree, operation: Node, response: Node): Node {
  const { schema } = response;
  const produces = texts(operation['produces'] ?? tree.root['produces']);
  if (!isNode(schema)) return { content: {} };
  const types = produces.length > 0 ? produces : ['application/json'];
  return { content: Object.fromEntries(types.map((type) => [type, { schema }])) };
}

/** The address that host, basePath and schemes mean. */
export function server2(tree: Tree, operation: Node | undefined): string {
  const { host, basePath } = tree.root;
  const base = isText(basePath) ? (basePath.startsWith('/') ? basePath : `/${basePath}`) : '';
  if (!isText(host)) return base;
  const schemes = texts(operation?.['schemes'] ?? tree.root['schemes']);
  const scheme = schemes.includes('https') || schemes.length === 0 ? 'https' : (schemes.find((one) => one === 'http') ?? 'https');
  return `${scheme}://${host}${base}`;
}

/** A 2.0 security definition as 3.x has it. */
export function scheme2(definition: Node): Node {
  const { type, flow, tokenUrl } = definition;
  if (type === 'basic') return { type: 'http', scheme: 'basic' };
  if (type === 'oauth2') return { type: 'oauth2', flows: flow === 'application' ? { clientCredentials: { tokenUrl } } : {} };
  return definition;
}
