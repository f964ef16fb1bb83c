import { isObject } from '../../../../core/json.ts';
import type { ReadResource } from '../../../../core/contracts/tool-source.ts';
import type { BodyBinding, FieldBinding } from '../types.ts';
import { type Exact, mayHaveLongDigits } from './exact-numbers.ts';
import { type GivenFile, readFile } from './files.ts';
import { type Part, writeParts } from './parts.ts';
import { formParts, formText } from './styles.ts';
import type { Writing } from './styles.ts';
import { ArgumentFault, textOf } from './values.ts';

export interface EncodedBody {
  readonly body: string | Uint8Array;
  readonly contentType: string;
}

/** What the value of an argument does not say itself. */
export interface BodyContext {
  readonly exact: Exact;
  readonly readResource: ReadResource;
}

/** Writes the argument `body` as the media type wants it. Throws ArgumentFault. */
export function encodeBody(binding: BodyBinding, value: unknown, context: BodyContext): EncodedBody {
  const contentType = binding.mediaType;
  switch (binding.kind) {
    case 'json': {
      const body = JSON.stringify(value);
      return { body: mayHaveLongDigits(body) ? JSON.stringify(context.exact(value, binding.key)) : body, contentType };
    }
    case 'text':
      return { body: textOf(value), contentType };
    case 'binary':
      return binary(binding, readFile(value, binding.key, context.readResource));
    case 'form':
      return { body: form(binding, value, context), contentType };
    default:
      return writeParts(multipart(binding, value, context), contentType);
  }
}

/** A range in the document leaves the type to who sends the bytes. */
function binary({ mediaType }: BodyBinding, { bytes, type }: GivenFile): EncodedBody {
  if (!mediaType.includes('*')) return { body: bytes, contentType: mediaType };
  const isInside = type !== undefined && (mediaType === '*/*' || type.startsWith(mediaType.replace('*', '')));
  return { body: bytes, contentType: isInside ? type : 'application/octet-stream' };
}

function form(binding: BodyBinding, value: unknown, { exact }: BodyContext): string {
  const fields = fieldsOf(binding);
  const texts: string[] = [];
  for (const [name, item] of members(binding, value)) {
    if (item === null || item === undefined) continue;
    const written = writing(name, item, fields.get(name));
    const text = formText(written, written.style === 'content' ? exact(item, binding.key, name) : item);
    if (text !== '') texts.push(text);
  }
  return texts.join('&');
}

/** OpenAPI 3.1.1, Encoding Object: one of the three is enough for the others to have their defaults and for contentType to be ignored. */
function isStyled(field: FieldBinding | undefined): boolean {
  return field?.style !== undefined || field?.explode !== undefined || field?.reserved !== undefined;
}

/** Arrays repeat the key and objects are JSON, unless the document says otherwise. */
function writing(name: string, item: unknown, field: FieldBinding | undefined): Writing {
  const { style, explode, reserved = false, contentType } = field ?? {};
  const plain = !isStyled(field);
  if ((plain && isObject(item)) || (plain && contentType?.includes('json') === true))
    return { name, style: 'content', explode: false, reserved };
  return { name, style: style ?? 'form', explode: explode ?? (style ?? 'form') === 'form', reserved };
}

function multipart(binding: BodyBinding, value: unknown, context: BodyContext): Part[] {
  const fields = fieldsOf(binding);
  const parts: Part[] = [];
  for (const [name, item] of members(binding, value)) {
    if (item === null || item === undefined) continue;
    const field = fields.get(name);
    if (isStyled(field)) {
      parts.push(...formParts(writing(name, item, field), item).map(([key, content]) => ({ name: key, content })));
    } else if (field?.binary === true) {
      const files = Array.isArray(item) ? (item as unknown[]) : [item];
      parts.push(...files.map((file) => filePart(name, readFile(file, `${binding.key}.${name}`, context.readResource), field)));
    } else {
      const list = Array.isArray(item) && !isJson(field) ? (item as unknown[]) : undefined;
      const json = (one: unknown, ...path: number[]): string => JSON.stringify(context.exact(one, binding.key, name, ...path));
      if (list === undefined) parts.push(part(name, item, field, () => json(item)));
      else parts.push(...list.map((one, index) => part(name, one, field, () => json(one, index))));
    }
  }
  return parts;
}

function isJson(field: FieldBinding | undefined): boolean {
  return field?.contentType?.includes('json') === true;
}

function filePart(name: string, { bytes, filename = name, type }: GivenFile, { contentType }: FieldBinding): Part {
  const declared = contentType === undefined || contentType.includes('*') ? 'application/octet-stream' : contentType;
  return { name, content: bytes, filename, type: type ?? declared };
}

/** An object or a list inside a list is JSON. */
function part(name: string, value: unknown, field: FieldBinding | undefined, json: () => string): Part {
  const { contentType: type } = field ?? {};
  if (typeof value === 'object' || isJson(field)) return { name, content: json(), type: type ?? 'application/json' };
  const plain = type === undefined || type === 'text/plain' || type.includes('*');
  return { name, content: textOf(value), ...(!plain && { type }) };
}

function members(binding: BodyBinding, value: unknown): [string, unknown][] {
  if (!isObject(value)) throw new ArgumentFault(`${binding.key}: an object with the fields of the form is wanted.`);
  return Object.entries(value);
}

const fieldsByName = new WeakMap<BodyBinding, ReadonlyMap<string, FieldBinding>>();

function fieldsOf(binding: BodyBinding): ReadonlyMap<string, FieldBinding> {
  let fields = fieldsByName.get(binding);
  if (fields === undefined) fieldsByName.set(binding, (fields = new Map(binding.fields?.map((field) => [field.name, field]))));
  return fields;
}
