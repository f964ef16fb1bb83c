import { isObject } from '../../../../core/json.ts';
import type { ParameterBinding } from '../types.ts';
import { ArgumentFault, encode, encodeForm, encodeReserved, encodeReservedInPath, textOf } from './values.ts';

type Encoding = (text: string) => string;

/** How one value is written: the part of a binding that matters here. */
export type Writing = Pick<ParameterBinding, 'name' | 'style' | 'explode' | 'reserved'>;

const SEPARATORS: Readonly<Record<string, string>> = { spaceDelimited: '%20', pipeDelimited: '%7C', tabDelimited: '%09' };

/** Name and value, both encoded. */
type Pair = readonly [name: string, value: string];

/** `name=value` pairs of a query, joined by `&`; empty when there is nothing to send. */
export function queryText(binding: Writing, value: unknown): string {
  return joined(pairs(binding, value, binding.reserved ? encodeReserved : encode));
}

/** One field of an urlencoded body. */
export function formText(binding: Writing, value: unknown): string {
  return joined(pairs(binding, value, binding.reserved ? encodeReserved : encodeForm));
}

/** Names and values of the parts of a multipart body that one field becomes, as they are: a part has its own bounds. */
export function formParts(binding: Writing, value: unknown): readonly Pair[] {
  return pairs(binding, value, asIs);
}

function joined(list: readonly Pair[]): string {
  const [first] = list;
  if (first === undefined) return '';
  return list.length === 1 ? `${first[0]}=${first[1]}` : list.map(([name, text]) => `${name}=${text}`).join('&');
}

function asIs(text: string): string {
  return text;
}

function pairs(binding: Writing, value: unknown, encoding: Encoding): readonly Pair[] {
  const { name, style, explode } = binding;
  const key = encoding === encodeReserved ? encode(name) : encoding(name);
  if (value === null || value === undefined) return [];
  if (style === 'content') return [[key, encoding(JSON.stringify(value))]];
  if (Array.isArray(value)) {
    const items = itemsOf(value);
    if (items.length === 0) return [];
    if (style === 'deepObject') return deep(key, items, encoding);
    const texts = items.map((item) => encoding(textOf(item)));
    return explode ? texts.map((text) => [key, text] as const) : [[key, texts.join(separator(style, encoding))]];
  }
  if (isObject(value)) {
    const entries = entriesOf(value);
    if (entries.length === 0) return [];
    if (style === 'deepObject') return deep(key, value, encoding);
    if (explode) return entries.flatMap(([member, item]) => repeated(encoding(member), item, encoding));
    return [[key, entries.flatMap(([member, item]) => [encoding(member), encoding(textOf(item))]).join(separator(style, encoding))]];
  }
  return [[key, encoding(textOf(value))]];
}

function separator(style: string, encoding: Encoding): string {
  const text = SEPARATORS[style] ?? ',';
  return encoding === asIs ? decodeURIComponent(text) : text;
}

/** A member of an exploded object; an array in it repeats the key. */
function repeated(key: string, value: unknown, encoding: Encoding): readonly Pair[] {
  if (!Array.isArray(value)) return [[key, encoding(textOf(value))]];
  return value.map((item) => [key, encoding(textOf(item))] as const);
}

/** A list of scalars repeats its key; objects and lists in a list are counted, or their members could not be told apart. */
function deep(key: string, value: unknown, encoding: Encoding): readonly Pair[] {
  if (typeof value !== 'object' || value === null) return [[key, encoding(textOf(value))]];
  const flat = Array.isArray(value) && value.every((item) => typeof item !== 'object' || item === null);
  const [open, close] = [encoding('['), encoding(']')];
  return entriesOf(value as Readonly<Record<string, unknown>>).flatMap(([name, item]) =>
    deep(flat ? key : `${key}${open}${encoding(name)}${close}`, item, encoding),
  );
}

/** RFC 6570, 2.3: members that are undefined are ignored. */
function itemsOf(value: readonly unknown[]): readonly unknown[] {
  return value.filter((item) => item !== null && item !== undefined);
}

function entriesOf(value: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.entries(value).filter(([, item]) => item !== null && item !== undefined);
}

/** The text for a place in a path: simple, label or matrix. Empty when there is nothing to write. */
export function pathText(binding: ParameterBinding, value: unknown): string {
  const { style, explode } = binding;
  const encoding = binding.reserved ? encodeReservedInPath : encode;
  if (style === 'content') return encoding(JSON.stringify(value));
  const prefix = style === 'label' ? '.' : style === 'matrix' ? ';' : '';
  const name = encode(binding.name);
  if (Array.isArray(value)) {
    const texts = itemsOf(value).map((item) => encoding(textOf(item)));
    if (texts.length === 0) return '';
    if (style === 'matrix') return explode ? texts.map((text) => `;${name}=${text}`).join('') : `;${name}=${texts.join(',')}`;
    return prefix + texts.join(joint(binding));
  }
  if (isObject(value)) {
    const entries = entriesOf(value).map(([key, item]) => [encoding(key), encoding(textOf(item))] as const);
    if (entries.length === 0) return '';
    if (style === 'matrix' && explode) return entries.map(([key, text]) => `;${key}=${text}`).join('');
    if (style === 'matrix') return `;${name}=${entries.flat().join(',')}`;
    return prefix + entries.map(([key, text]) => (explode ? `${key}=${text}` : `${key}${joint(binding)}${text}`)).join(joint(binding));
  }
  const text = encoding(textOf(value));
  return style === 'matrix' ? `;${name}=${text}` : prefix + text;
}

function joint({ style, explode, dots }: ParameterBinding): string {
  if (style === 'label') return explode || dots === true ? '.' : ',';
  return SEPARATORS[style] ?? ',';
}

/** The value of a header: not encoded, on one line, latin-1. Undefined when there is nothing to send. Throws ArgumentFault. */
export function headerText(binding: ParameterBinding, value: unknown): string | undefined {
  const text = rawHeader(binding, value);
  if (text === undefined) return undefined;
  if (/[\r\n\0]/.test(text)) throw new ArgumentFault(`${binding.key}: the value of a header must be one line, without CR, LF and NUL.`);
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(text))
    throw new ArgumentFault(`${binding.key}: the value of a header takes Latin-1 characters only.`);
  return text;
}

function rawHeader({ style, explode }: ParameterBinding, value: unknown): string | undefined {
  if (style === 'content') return latinJson(value);
  const separator = style === 'simple' ? ',' : decodeURIComponent(SEPARATORS[style] ?? ',');
  if (typeof value !== 'object') return textOf(value);
  const texts = Array.isArray(value)
    ? itemsOf(value).map(textOf)
    : entriesOf(value as Readonly<Record<string, unknown>>).map(([key, item]) => `${key}${explode ? '=' : ','}${textOf(item)}`);
  return texts.length === 0 ? undefined : texts.join(separator);
}

/** RFC 8259, 7: any character may be escaped, so that all JSON fits into a header. */
function latinJson(value: unknown): string {
  return JSON.stringify(value).replace(/[^\x20-\x7e\x80-\xff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** `name=value` for the Cookie header, several joined by `; `; empty when there is nothing to send. Throws ArgumentFault. */
export function cookieText(binding: ParameterBinding, value: unknown): string {
  const plain = binding.style === 'cookie';
  const encoding = plain ? cookieValue(binding.key) : encode;
  const name = plain ? binding.name : encode(binding.name);
  if (binding.style === 'content') return `${name}=${encode(JSON.stringify(value))}`;
  const { explode } = binding;
  if (Array.isArray(value)) {
    const texts = itemsOf(value).map((item) => encoding(textOf(item)));
    if (texts.length === 0) return '';
    return explode ? texts.map((text) => `${name}=${text}`).join('; ') : `${name}=${texts.join(',')}`;
  }
  if (!isObject(value)) return `${name}=${encoding(textOf(value))}`;
  const entries = entriesOf(value).map(([key, item]) => [encoding(key), encoding(textOf(item))] as const);
  if (entries.length === 0) return '';
  return explode ? entries.map(([key, text]) => `${key}=${text}`).join('; ') : `${name}=${entries.flat().join(',')}`;
}

function cookieValue(key: string): Encoding {
  return (text) => {
    if (/[^\x21-\x7e]|[;]/.test(text)) throw new ArgumentFault(`${key}: this cookie is sent as it stands, and takes no blanks and no ";".`);
    return text;
  };
}
