import { type JsonObject, isObject } from '../../../../core/json.ts';
import type { UpstreamResponse } from '../../../../core/upstream.ts';
import { checkArguments } from '../arguments.ts';
import type { CompiledOperation } from '../types.ts';
import { isCursorName, plainName, typesOf } from './paging.ts';
import type { Paging, PagingField } from './paging.ts';
import { hasMore, listOf, nextLinks, nextTokens, numberUnder, scopesOf, TOTAL, TOTAL_PAGES } from './page-signs.ts';
import type { Token } from './page-signs.ts';

/** What an answer says about where it goes on. */
export interface PagedAnswer {
  readonly link: string | undefined;
  readonly headers: UpstreamResponse['headers'];
  /** The parsed body. */
  readonly value: unknown;
}

/** What one call changes for the next page: each field with its value. */
type Change = readonly (readonly [PagingField, unknown])[];

/** The key in `_meta` under which a result says what its next page is: the arguments of a call, or the URI of a kept result. */
export const NEXT_PAGE = 'hubgate/next';

const LONGEST_VALUE = 4096;
/** Ways on that are tried; answers offer one or two. */
const MOST_CHANGES = 20;
/** A larger `start` is a point in time. */
const LARGEST_OFFSET = 100_000_000;

/**
 * The arguments that would give the next page, as far as they differ from `args`: to be laid over them, and one level deep over an argument that
 * is an object. Undefined when the answer does not say that there is more, or no arguments that fit the tool's schema lead there. Never an
 * address: of a link only what is an argument is taken, unless `isClean` finds a secret in it.
 */
export function nextArguments(
  operation: CompiledOperation,
  paging: Paging,
  answer: PagedAnswer,
  args: JsonObject,
  isClean: (text: string) => boolean,
): JsonObject | undefined {
  for (const change of changes(paging, answer, args).take(MOST_CHANGES)) {
    const next: Record<string, unknown> = {};
    let isNew = false;
    for (const [field, given] of change) {
      const value = fittingType(given, field.schema);
      if (typeof value === 'string' && (value.length > LONGEST_VALUE || !isClean(value))) continue;
      if (String(value) === String(valueOf(field, args) ?? '')) continue;
      isNew = true;
      if (field.body === undefined) next[field.key] = value;
      else next[field.body] = { ...(next[field.body] as JsonObject | undefined), [field.key]: value };
    }
    if (isNew && checkArguments(operation, overlaid(args, next)) === undefined) return next;
  }
  return undefined;
}

/** `changes` laid over `args`. */
export function overlaid(args: JsonObject, next: JsonObject): JsonObject {
  const merged: Record<string, unknown> = { ...args };
  for (const [key, value] of Object.entries(next)) {
    const before = merged[key];
    merged[key] = isObject(value) && isObject(before) ? { ...before, ...value } : value;
  }
  return merged;
}

function valueOf(field: PagingField, args: JsonObject): unknown {
  const holder = field.body === undefined ? args : args[field.body];
  return isObject(holder) && Object.hasOwn(holder, field.key) ? holder[field.key] : undefined;
}

function fittingType(value: unknown, schema: JsonObject): unknown {
  const types = typesOf(schema);
  if (types.length === 0 || types.includes(typeof value)) return value;
  if (typeof value === 'number') return types.includes('integer') ? value : String(value);
  const isNumeric = types.includes('integer') || types.includes('number');
  return typeof value === 'string' && isNumeric && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
}

/** The ways on, surest first. */
function* changes(paging: Paging, { link, headers, value }: PagedAnswer, args: JsonObject): Generator<Change> {
  const target = link === undefined ? undefined : targetOf(link, 'next');
  if (target !== undefined) yield fromUrl(paging, target, args);
  const scopes = [...scopesOf(value)];
  const isLast = target === undefined && link !== undefined && ['first', 'prev', 'last'].some((one) => targetOf(link, one) !== undefined);
  const more = isLast ? false : hasMore(scopes);
  if (more === false) return;
  for (const url of nextLinks(scopes)) yield fromUrl(paging, url, args);
  for (const token of nextTokens(scopes, new Set(paging.cursors.map(({ name }) => plainName(name))))) yield* fromToken(paging, token);
  const list = listOf(value);
  if (list === undefined || list.length === 0) return;
  if (more === true) yield* fromLastItem(paging, list);
  yield* counted(paging, { list, more, scopes, headers, args });
}

/** RFC 8288: the target of the link with this relation. */
function targetOf(link: string, wanted: string): string | undefined {
  for (const [, target = '', parameters = ''] of link.slice(0, 16_384).matchAll(/<([^<>]*)>([^<]*)/g)) {
    const relation = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/i.exec(parameters);
    if ((relation?.[1] ?? relation?.[2] ?? '').toLowerCase().split(/\s+/).includes(wanted)) return target;
  }
  return undefined;
}

/**
 * The paging parameters that the link changes; when it changes none, whatever other query parameters it changes, if it has none but arguments:
 * otherwise what leads on may be the one that cannot be given.
 */
function fromUrl({ cursors, offset, page, limit, query }: Paging, target: string, args: JsonObject): Change {
  const url = URL.parse(target, 'http://unknown.invalid/');
  if (url === null) return [];
  const given = query
    .filter(
      ({ name, schema }) =>
        url.searchParams.getAll(name).length === 1 && !typesOf(schema).some((type) => type === 'array' || type === 'object'),
    )
    .map((field) => [field, url.searchParams.get(field.name) ?? ''] as const);
  const known = new Set([...cursors, offset, page].map((field) => field?.name));
  const paged = given.filter(([field]) => known.has(field.name));
  if (paged.some(([field, value]) => String(valueOf(field, args) ?? '') !== value)) return paged;
  const names = new Set(given.map(([field]) => field.name));
  return [...url.searchParams.keys()].every((name) => names.has(name)) ? given.filter(([field]) => field.name !== limit?.name) : [];
}

/** A token belongs to the argument that is named like it, else to the first one that takes tokens. */
function* fromToken({ cursors, offset, page }: Paging, { name, value }: Token): Generator<Change> {
  const stem = (one: string): string => plainName(one).replace(/^(next|end|start|starting|page)+/, '');
  const alike = cursors.find((field) => plainName(field.name) === name) ?? cursors.find((field) => stem(field.name) === stem(name));
  const usual = cursors.find((field) => isCursorName(field.name));
  const isNumber = typeof value === 'number' || /^\d{1,15}$/.test(value);
  if (alike !== undefined) yield [[alike, value]];
  else if (isNumber && page !== undefined && name.endsWith('page')) yield [[page, Number(value)]];
  else if (isNumber && offset !== undefined && /(offset|start|skip|index)$/.test(name)) yield [[offset, Number(value)]];
  else if (usual !== undefined) yield [[usual, value]];
  else if (isNumber && name === 'next') {
    if (page !== undefined) yield [[page, Number(value)]];
    else if (offset !== undefined) yield [[offset, Number(value)]];
  }
}

const AFTER_ITEM = /after(id)?$|^marker$|^startkey$/;

/** `has_more` and no token: the identifier of the last item is the cursor (Stripe's way). */
function* fromLastItem({ cursors }: Paging, list: readonly unknown[]): Generator<Change> {
  const field = cursors.find(({ name }) => AFTER_ITEM.test(plainName(name)));
  const last = list.at(-1);
  const id = isObject(last) ? last['id'] : undefined;
  if (field !== undefined && (typeof id === 'string' || typeof id === 'number')) yield [[field, id]];
}

interface Counting {
  readonly list: readonly unknown[];
  readonly more: boolean | undefined;
  readonly scopes: readonly JsonObject[];
  readonly headers: UpstreamResponse['headers'];
  readonly args: JsonObject;
}

/** By number: only when a total, a flag, or a page as full as was asked for says that there is more. */
function* counted({ offset, page, limit }: Paging, { list, more, scopes, headers, args }: Counting): Generator<Change> {
  const total = numberUnder(scopes, TOTAL) ?? headerNumber(headers, 'x-total-count', 'x-total');
  const size = limit === undefined ? undefined : (valueOf(limit, args) ?? limit.schema['default']);
  const isFull = typeof size === 'number' && size > 0 && list.length >= size;
  if (offset !== undefined) {
    const at = Number(valueOf(offset, args) ?? offset.first);
    const passed = at + list.length - (offset.first === 1 ? 1 : 0);
    const isCount = at <= LARGEST_OFFSET;
    if (isCount && (more ?? (total === undefined ? isFull && offset.body === undefined : passed < total)))
      yield [[offset, at + list.length]];
  }
  if (page === undefined) return;
  const { default: usual, minimum } = page.schema;
  const first = typeof usual === 'number' ? usual : minimum === 0 ? 0 : 1;
  const at = Number(valueOf(page, args) ?? first);
  const pages = numberUnder(scopes, TOTAL_PAGES) ?? headerNumber(headers, 'x-total-pages');
  const seen = typeof size === 'number' ? (at - first + 1) * size : undefined;
  const known = pages !== undefined ? at - first + 1 < pages : total !== undefined && seen !== undefined ? seen < total : undefined;
  if (more ?? known ?? (isFull && page.body === undefined)) yield [[page, at + 1]];
}

function headerNumber(headers: UpstreamResponse['headers'], ...names: readonly string[]): number | undefined {
  const text = names.map((name) => headers[name]).find((value) => typeof value === 'string' && /^\d{1,12}$/.test(value));
  return text === undefined ? undefined : Number(text);
}
