import { type JsonObject, isObject } from '../../../../core/json.ts';
import { plainName } from './paging.ts';

/** Members in which answers keep what they say about paging. */
const CONTAINERS =
  /^(meta|metadata|paging|pagination|page|pageinfo|paginginfo|paginginformation|links|cursors?|responsemetadata|resultinfo|next|pager|result|response|data|listinfo|searchinfo)$/;
const MOST_SCOPES = 24;
/** What has more members is data rather than words about them. */
const MOST_MEMBERS = 1000;
const DEEPEST = 3;

const LINK = /^(odata)?next(link|url|uri|href|page|pageurl|pageuri|pagelink|records(url)?)?$/;
const TOKEN =
  /^next(cursor|token|pagetoken|page|pageid|pagecursor|pagenumber|continuationtoken|marker|offset|start|skip|index|key|id|startat|startindex)?$|^(end|after)cursor$|^continuationtoken$|^continue$|^pageafter$/;
const MORE =
  /^(hasmore|hasnext|hasnextpage|hasmoreitems|hasmoreresults|more|moreresults|morerecords|moredata|ismore|truncated|istruncated|moreavailable)$/;
const LAST = /^(last|islast|islastpage|lastpage|isfinal)$/;

export const TOTAL =
  /^(total|totalcount|totalresults|totalitems|totalelements|totalrecords|totalsize|totalhits|totalrows|totalnumber|totalentries|recordcount|resultcount|odatacount)$/;
export const TOTAL_PAGES = /^(totalpages|pagecount|lastpage|numpages|numberofpages|pages|pagetotal|pagestotal|totalpagecount)$/;

/** The answer itself and the parts of it that speak of paging, nearest first. `next: {…}` keeps its name in front of what it holds. */
export function* scopesOf(value: unknown): Generator<JsonObject> {
  const queue: [unknown, number][] = [[value, 0]];
  for (let index = 0; index < queue.length && index < MOST_SCOPES; index += 1) {
    const [scope, depth] = queue[index] as [unknown, number];
    if (!isObject(scope)) continue;
    yield scope;
    if (depth === DEEPEST) continue;
    for (const key of keysOf(scope)) {
      const plain = plainName(key);
      const inner = scope[key];
      if (typeof inner !== 'object' || inner === null || !CONTAINERS.test(plain)) continue;
      if (plain === 'next' && isObject(inner)) queue.push([nextMembers(inner), DEEPEST]);
      else if (plain === 'links' && Array.isArray(inner)) queue.push([relationOf(inner), DEEPEST]);
      else queue.push([inner, depth + 1]);
    }
  }
}

/** `next: {href}`, `next: {cursor}` as `next_href`, `next_cursor`. */
function nextMembers(next: JsonObject): JsonObject {
  return Object.fromEntries(keysOf(next).map((key) => [`next_${key}`, next[key]]));
}

/** `links: [{rel: 'next', href}]` */
function relationOf(links: readonly unknown[]): JsonObject {
  const next = links.slice(0, 50).find((link): link is JsonObject => isObject(link) && link['rel'] === 'next');
  return next === undefined ? {} : { next_href: next['href'] };
}

/** The first keys. */
function keysOf(scope: JsonObject): string[] {
  return Object.keys(scope).slice(0, MOST_MEMBERS);
}

function* members(scopes: readonly JsonObject[], pattern: RegExp): Generator<readonly [string, unknown]> {
  for (const scope of scopes) {
    for (const key of keysOf(scope)) if (pattern.test(plainName(key))) yield [plainName(key), scope[key]];
  }
}

const ADDRESS = /^(https?:\/\/|\/|\?)/i;

/** Addresses of the next page. */
export function* nextLinks(scopes: readonly JsonObject[]): Generator<string> {
  for (const [, value] of members(scopes, LINK)) if (typeof value === 'string' && ADDRESS.test(value)) yield value;
}

export interface Token {
  /** As `plainName` writes it. */
  readonly name: string;
  readonly value: string | number;
}

/** Tokens and numbers of the next page; also what has the very name of an argument that takes tokens. */
export function* nextTokens(scopes: readonly JsonObject[], cursors: ReadonlySet<string>): Generator<Token> {
  const isToken = (value: unknown): value is string | number =>
    (typeof value === 'string' && value !== '' && !ADDRESS.test(value)) || (typeof value === 'number' && value > 0);
  for (const [name, value] of members(scopes, TOKEN)) if (isToken(value)) yield { name, value };
  for (const scope of scopes) {
    for (const key of keysOf(scope)) {
      const value = scope[key];
      if (cursors.has(plainName(key)) && isToken(value)) yield { name: plainName(key), value };
    }
  }
}

/** By a flag, or by a next page that is named and is none. Undefined when the answer does not say. */
export function hasMore(scopes: readonly JsonObject[]): boolean | undefined {
  for (const [, value] of members(scopes, MORE)) if (typeof value === 'boolean') return value;
  for (const [, value] of members(scopes, LAST)) if (typeof value === 'boolean') return !value;
  const next = [...members(scopes, LINK), ...members(scopes, TOKEN)];
  return next.length > 0 && next.every(([, value]) => value === null || value === '' || value === false) ? false : undefined;
}

/** The first number under such a name. */
export function numberUnder(scopes: readonly JsonObject[], pattern: RegExp): number | undefined {
  for (const [, value] of members(scopes, pattern)) if (typeof value === 'number' && value >= 0) return value;
  return undefined;
}

const LISTS = /^(items|data|results|value|values|records|entries|resources|hits|rows|list|elements|nodes|content|objects)$/;

/** The list that an answer is about: itself, the one under a usual name, or the only one in it. */
export function listOf(value: unknown, depth = 0): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value;
  if (!isObject(value)) return undefined;
  const lists = keysOf(value).filter((key) => Array.isArray(value[key]));
  const usual = lists.find((key) => LISTS.test(plainName(key))) ?? (lists.length === 1 ? lists[0] : undefined);
  if (usual !== undefined) return value[usual] as readonly unknown[];
  if (depth === 2) return undefined;
  for (const key of ['data', 'result', 'results', 'response', '_embedded', 'page']) {
    const inner = Object.hasOwn(value, key) ? listOf(value[key], depth + 1) : undefined;
    if (inner !== undefined) return inner;
  }
  return undefined;
}
