import type { BodyBinding, FieldBinding } from '../types.ts';
import { formParts, formText } from './styles.ts';
import type { Writing } from './styles.ts';
import { ArgumentFault, isObject, textOf } from './values.ts';

export interface EncodedBody {
  readonly body: string | Uint8Array | FormData;
  /** Absent for multipart: whoever sends it makes the boundary and says so. */
  readonly contentType?: string;
}

/** Digits as text that are too long for a number of JavaScript's. */
const LONG = /"-?\d{16,40}"/;

/**
 * Writes the argument `body` as the media type wants it. `numbers`: JSON pointers into the arguments, of texts that JSON writes as the numbers that
 * their digits are. Throws ArgumentFault.
 */
export function encodeBody(binding: BodyBinding, value: unknown, numbers: () => ReadonlySet<string>): EncodedBody {
  const contentType = binding.mediaType;
  switch (binding.kind) {
    case 'json': {
      const body = JSON.stringify(value);
      return { body: LONG.test(body) ? JSON.stringify(withNumbers(value, `/${binding.key}`, numbers())) : body, contentType };
    }
    case 'text':
      return { body: textOf(value), contentType };
    case 'binary':
      return { body: bytesOf(value, binding.key), contentType };
    case 'form':
      return { body: form(binding, value), contentType };
    default:
      return { body: multipart(binding, value) };
  }
}

/** A copy in which the texts at `numbers` stand for their digits. */
function withNumbers(value: unknown, pointer: string, numbers: ReadonlySet<string>): unknown {
  if (typeof value === 'string') return numbers.has(pointer) ? rawJson(value) : value;
  if (Array.isArray(value)) return value.map((item, index) => withNumbers(item, `${pointer}/${index}`, numbers));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withNumbers(item, `${pointer}/${escaped(name)}`, numbers)]));
}

/** JSON.stringify writes it as it is; JSON has no leading zeros. TypeScript does not know JSON.rawJSON yet. */
function rawJson(digits: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): object }).rawJSON(digits.replace(/^(-?)0+(?=\d)/, '$1'));
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function form(binding: BodyBinding, value: unknown): string {
  const fields = fieldsOf(binding);
  const texts: string[] = [];
  for (const [name, item] of members(binding, value)) {
    if (item === null || item === undefined) continue;
    const text = formText(writing(name, item, fields.get(name)), item);
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

function multipart(binding: BodyBinding, value: unknown): FormData {
  const fields = fieldsOf(binding);
  const data = new FormData();
  for (const [name, item] of members(binding, value)) {
    if (item === null || item === undefined) continue;
    const field = fields.get(name);
    if (isStyled(field)) {
      for (const [key, text] of formParts(writing(name, item, field), item)) data.append(key, text);
      continue;
    }
    for (const part of Array.isArray(item) && !isJson(field) ? (item as unknown[]) : [item])
      appendPart(data, name, part, field, binding.key);
  }
  return data;
}

function isJson(field: FieldBinding | undefined): boolean {
  return field?.contentType?.includes('json') === true;
}

function appendPart(data: FormData, name: string, part: unknown, field: FieldBinding | undefined, key: string): void {
  const type = field?.contentType;
  if (field?.binary === true) {
    const { filename, mimeType } = isObject(part) ? part : {};
    const bytes = bytesOf(isObject(part) ? part['data'] : part, `${key}.${name}`);
    const contentType =
      typeof mimeType === 'string' ? mimeType : type === undefined || type.includes('*') ? 'application/octet-stream' : type;
    data.append(name, new File([bytes], typeof filename === 'string' && filename !== '' ? filename : name, { type: contentType }));
  } else if (typeof part === 'object' || isJson(field)) {
    data.append(name, new Blob([JSON.stringify(part)], { type: type ?? 'application/json' }));
  } else if (type !== undefined && type !== 'text/plain' && !type.includes('*')) {
    data.append(name, new Blob([textOf(part)], { type }));
  } else data.append(name, textOf(part));
}

function members(binding: BodyBinding, value: unknown): [string, unknown][] {
  if (!isObject(value)) throw new ArgumentFault(`${binding.key}: an object with the fields of the form is wanted.`);
  return Object.entries(value);
}

function fieldsOf(binding: BodyBinding): ReadonlyMap<string, FieldBinding> {
  return new Map((binding.fields ?? []).map((field) => [field.name, field]));
}

function bytesOf(value: unknown, key: string): Uint8Array<ArrayBuffer> {
  const text = typeof value === 'string' ? value.replace(/^data:[^,]{0,200};base64,/, '').replace(/\s+/g, '') : undefined;
  if (text === undefined || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) throw new ArgumentFault(`${key}: the bytes in base64 are wanted.`);
  return new Uint8Array(Buffer.from(text, 'base64'));
}
