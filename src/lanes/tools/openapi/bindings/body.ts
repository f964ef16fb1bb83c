import type { Node, Tree } from '../document/tree.ts';
import { isNode, isText, listOf, own } from '../document/tree.ts';
import type { Json } from '../schema/json.ts';
import { put } from '../schema/json.ts';
import type { SchemaReader } from '../schema/reader.ts';
import type { BodyBinding, FieldBinding, ParameterStyle } from '../types.ts';

export interface BodyDraft {
  readonly binding: BodyBinding;
  readonly schema: Json;
  readonly references: boolean;
}

type Kind = BodyBinding['kind'];

/** No such type is registered; who writes it means the multipart one. */
const FORM_DATA_MISSPELT = 'application/form-data';

/** What kind of body a media type is, and how much it is wanted when there are several; lower is better. */
function rank(mediaType: string): { kind: Kind; rank: number } {
  const type = mediaType.split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === 'application/json') return { kind: 'json', rank: 0 };
  if (type.endsWith('+json') || type === 'text/json') return { kind: 'json', rank: 1 };
  if (type === '*/*' || type === 'application/*') return { kind: 'json', rank: 2 };
  if (type === 'application/x-www-form-urlencoded') return { kind: 'form', rank: 3 };
  if (type === 'multipart/form-data' || type === FORM_DATA_MISSPELT) return { kind: 'multipart', rank: 4 };
  if (type.startsWith('multipart/')) return { kind: 'multipart', rank: 9 };
  if (type === 'text/plain') return { kind: 'text', rank: 5 };
  if (type.startsWith('text/')) return { kind: 'text', rank: 6 };
  if (type === 'application/octet-stream') return { kind: 'binary', rank: 7 };
  if (/[/+]xml$|yaml$|ndjson$|jsonl$|json-seq$|javascript$|graphql$|sparql/.test(type)) return { kind: 'text', rank: 8 };
  return { kind: 'binary', rank: 10 };
}

const BASE64 = { type: 'string', contentEncoding: 'base64' };
const BASE64_NOTE = 'Base64, or the hubgate:// URI of a result.';

/** A file: its bytes alone, or with a name and type. */
function filePart(schema: Json): Json {
  const { description } = schema;
  const data = { ...BASE64, description: BASE64_NOTE };
  const file = { type: 'object', properties: { data, filename: { type: 'string' }, mimeType: { type: 'string' } }, required: ['data'] };
  return { ...(description !== undefined && { description }), anyOf: [data, file] };
}

/** The argument `body` of an operation; undefined when nothing is to be sent. Throws OperationFault when the document breaks off. */
export function readBody(tree: Tree, schemas: SchemaReader, declared: unknown, method: string, pointer: string): BodyDraft | undefined {
  if (declared === undefined || declared === null) return undefined;
  const requestBody = tree.follow(declared, pointer);
  const { content, description } = requestBody;
  const required = requestBody['required'] === true;
  const choices = isNode(content) ? Object.keys(content).map((mediaType) => ({ mediaType, ...rank(mediaType) })) : [];
  const [choice] = choices.sort((a, b) => a.rank - b.rank);
  if (choice === undefined || !isNode(content)) {
    tree.warn(pointer, 'body_dropped', 'The request body has no content.');
    return undefined;
  }
  const media = own(content, choice.mediaType);
  const source = isNode(media) ? (media['schema'] ?? {}) : {};
  if ((method === 'GET' || method === 'HEAD' || method === 'DELETE') && !required && isEmptyObject(tree, source)) return undefined;
  const isRange = choice.mediaType.includes('*');
  const kind = isRange && choice.kind === 'json' && isBytes(resolved(tree, source)) ? 'binary' : choice.kind;
  const { schema, references, fields } = shaped(tree, schemas, kind, source, isNode(media) ? media : {}, pointer, isRange);
  const named = isText(description) && schema['description'] === undefined ? { ...schema, description } : schema;
  const note = /[/+]xml$/.test(choice.mediaType) ? 'XML text.' : kind === 'binary' ? BASE64_NOTE : '';
  return {
    binding: {
      key: 'body',
      required,
      mediaType: concrete(choice.mediaType, kind),
      kind,
      ...(fields !== undefined && { fields }),
    },
    schema: note === '' ? named : { ...named, description: `${note} ${textOf(named['description'])}`.trim() },
    references,
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Documents made by tools declare a body everywhere, an object without properties; a schema that says less takes some. */
function isEmptyObject(tree: Tree, source: unknown): boolean {
  const schema = resolved(tree, source);
  if (schema?.['type'] !== 'object') return false;
  return Object.entries(schema).every(([key, value]) => {
    if (key === 'additionalProperties') return value === false;
    return ['type', 'title', 'description'].includes(key) || (key === 'properties' && isNode(value) && Object.keys(value).length === 0);
  });
}

function concrete(mediaType: string, kind: Kind): string {
  const isMisspelt = mediaType.toLowerCase().startsWith(FORM_DATA_MISSPELT);
  if (!mediaType.includes('*') && !isMisspelt) return mediaType;
  if (kind === 'json') return 'application/json';
  if (kind === 'multipart') return 'multipart/form-data';
  if (kind === 'binary') return mediaType;
  return kind === 'text' ? 'text/plain' : 'application/octet-stream';
}

function shaped(
  tree: Tree,
  schemas: SchemaReader,
  kind: Kind,
  source: unknown,
  media: Node,
  pointer: string,
  isRange: boolean,
): { schema: Json; references: boolean; fields?: FieldBinding[] } {
  // Only where the document leaves the type open does it matter what the caller says.
  if (kind === 'binary') return { schema: isRange ? filePart({}) : BASE64, references: false };
  if (kind === 'text') {
    const { json } = schemas.read(source, pointer);
    const scalar = json['type'] === 'string' || json['type'] === 'number' || json['type'] === 'integer' || json['type'] === 'boolean';
    return { schema: scalar ? json : { type: 'string' }, references: false };
  }
  if (kind === 'json') {
    const { json, references } = schemas.read(source, pointer);
    return { schema: json, references };
  }
  // A form is read where its root stands, so that its files can be told apart from text of the same schema elsewhere.
  const root = resolved(tree, source);
  const { json, references } = schemas.read(root ?? source, pointer);
  const fields = root === undefined ? [] : fieldsOf(tree, root, media, kind);
  const schema: Json =
    json['properties'] === undefined && json['allOf'] === undefined && json['anyOf'] === undefined
      ? { type: 'object', ...json }
      : { ...json };
  const files = new Set(fields.filter(({ binary }) => binary === true).map(({ name }) => name));
  return { schema: files.size > 0 ? withFiles(schema, files) : schema, references, fields };
}

/** The schema of a form with its files as arguments take them, in the branches of its choices too. */
function withFiles(schema: Json, files: ReadonlySet<string>): Json {
  const result: Json = { ...schema };
  if (schema['properties'] !== undefined) {
    const properties: Json = { ...(schema['properties'] as Json) };
    for (const name of files) if (Object.hasOwn(properties, name)) put(properties, name, fileArgument(properties[name] as Json));
    result['properties'] = properties;
  }
  for (const key of ['allOf', 'anyOf', 'oneOf']) {
    const branches = schema[key];
    if (Array.isArray(branches)) result[key] = branches.map((branch) => withFiles(branch as Json, files));
  }
  return result;
}

/** A file, several, or either. */
function fileArgument(property: Json): Json {
  const choices = property['anyOf'];
  if (Array.isArray(choices)) return { ...property, anyOf: choices.map((choice) => fileArgument(choice as Json)) };
  if (property['type'] === 'array') return { ...property, items: filePart((property['items'] ?? {}) as Json) };
  return property['type'] === 'null' ? property : filePart(property);
}

/** The schema object behind references; undefined when there is none. */
function resolved(tree: Tree, source: unknown): Node | undefined {
  let schema = source;
  for (let hops = 0; hops < 20 && isNode(schema) && isText(schema['$ref']); hops += 1) schema = tree.target(schema['$ref']);
  return isNode(schema) ? schema : undefined;
}

function fieldsOf(tree: Tree, root: Node, media: Node, kind: Kind): FieldBinding[] {
  const encoding = isNode(media['encoding']) ? media['encoding'] : {};
  const fields: FieldBinding[] = [];
  for (const [name, source] of propertiesOf(tree, root, 0)) {
    const property = resolved(tree, source);
    const said = own(encoding, name);
    const entry = isNode(said) ? said : {};
    const { style, explode, allowReserved, contentType } = entry;
    const binary = kind === 'multipart' && property !== undefined && isFile(tree, property, contentType, 0);
    const styled = kind === 'form' || (!binary && !isOld(tree.version));
    const field: FieldBinding = {
      name,
      ...(styled && isText(style) && { style: style as ParameterStyle }),
      ...(styled && typeof explode === 'boolean' && { explode }),
      ...(styled && allowReserved === true && { reserved: true }),
      ...(isText(contentType) && { contentType: contentType.split(',')[0]?.trim() ?? contentType }),
      ...(binary && { binary }),
    };
    if (Object.keys(field).length > 1) fields.push(field);
  }
  return fields;
}

/** OpenAPI 3.0.0 to 3.0.3, Encoding Object, style: "SHALL be ignored if the request body media type is not application/x-www-form-urlencoded". */
function isOld(version: string): boolean {
  return /^3\.0\.[0-3]$/.test(version);
}

function* propertiesOf(tree: Tree, schema: Node, depth: number): Generator<[string, unknown]> {
  if (isNode(schema['properties'])) yield* Object.entries(schema['properties']);
  if (depth > 5) return;
  for (const part of ['allOf', 'anyOf', 'oneOf'].flatMap((key) => listOf(schema[key]))) {
    const node = resolved(tree, part);
    if (node !== undefined) yield* propertiesOf(tree, node, depth + 1);
  }
}

/** Bytes, a list of them, or a choice between these (and null). */
function isFile(tree: Tree, property: Node, contentType: unknown, depth: number): boolean {
  if (isBinary(tree, property, contentType)) return true;
  if (depth > 5) return false;
  const inside = (source: unknown): boolean => {
    const node = resolved(tree, source);
    return node !== undefined && isFile(tree, node, contentType, depth + 1);
  };
  if (property['items'] !== undefined && inside(property['items'])) return true;
  if (listOf(property['allOf']).some(inside)) return true;
  const choices = [...listOf(property['anyOf']), ...listOf(property['oneOf'])].filter((one) => resolved(tree, one)?.['type'] !== 'null');
  return choices.length > 0 && choices.every(inside);
}

/** What says nothing about a schema's values. */
const NOTES: ReadonlySet<string> = new Set(['title', 'description', 'deprecated', 'example', 'examples', 'readOnly', 'writeOnly']);

function isBytes(schema: Node | undefined): boolean {
  return schema?.['type'] === 'file' || schema?.['format'] === 'binary';
}

function isBinary(tree: Tree, property: Node, contentType: unknown): boolean {
  const { contentMediaType, contentEncoding } = property;
  if (isBytes(property)) return true;
  if (contentEncoding !== undefined) return false;
  if (isText(contentMediaType) && !/^text\/|json|xml/.test(contentMediaType)) return true;
  if (!Object.keys(property).every((key) => NOTES.has(key))) return false;
  // OpenAPI 3.1.0, multipart: an empty schema "indicates a media type of application/octet-stream".
  if (!isText(contentType)) return !tree.swagger && !tree.version.startsWith('3.0');
  return !/^text\/|json|xml|\*\/\*/.test(contentType);
}
