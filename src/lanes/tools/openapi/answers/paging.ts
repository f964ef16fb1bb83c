/** An argument, or a field of the body, that a next page may need. */
export interface PagingField {
  readonly key: string;
  /** The argument that is the body, for a field of it. */
  readonly body?: string;
  /** The name on the wire, exactly. */
  readonly name: string;
  readonly schema: JsonObject;
}

/** How an operation is paged, by the names of what it takes (openapi.md section 6). */
export interface Paging {
  /** Take a token of the answer before. */
  readonly cursors: readonly PagingField[];
  /** Counts items; `first` is the number of the first one. */
  readonly offset?: PagingField & { readonly first: number };
  /** Counts pages. */
  readonly page?: PagingField;
  /** How many items a page has. */
  readonly limit?: PagingField;
  /** Every query parameter: a link may carry any of them. */
  readonly query: readonly PagingField[];
}

/** What `findPaging` needs to know of an operation. */
export interface PagingSource {
  readonly parameters: readonly { readonly key: string; readonly name: string; readonly place: string }[];
  readonly body?: { readonly key: string };
  /** The schema of all arguments. */
  readonly inputSchema: JsonObject;
}

const CURSOR =
  /^(page)?(cursor|after|(next|page|paging|pagination|starting|start|continuation|nextpage|skip|sync)token|(start|next|end|after|page)cursor|start(ing)?after(id)?|afterid|continuation|continue|marker|startmarker|nextmarker|exclusivestartkey|startkey|bookmark|scrollid)$/;
const OFFSET = /^(page)?(offset|skip|start|startat|startindex|startposition|firstresult)$/;
const PAGE = /^(page|pagenumber|pageno|pagenum|pageindex|currentpage)$/;
const LIMIT =
  /^(limit|perpage|pagesize|pagelimit|top|count|size|maxresults|maxitems|maxkeys|resultsperpage|itemsperpage|pageperpage|first|take|rows)$/;

/** Letters and digits only, in lower case: `page[size]`, `page_size` and `$pageSize` are one name. */
export function plainName(name: string): string {
  return name.replace(/[^A-Za-z0-9]+/g, '').toLowerCase();
}

/** Names that stand for a token and nothing else. */
export function isCursorName(name: string): boolean {
  return CURSOR.test(plainName(name));
}

/** Undefined when nothing in the operation is named as paging is. */
export function findPaging({ parameters, body, inputSchema }: PagingSource): Paging | undefined {
  const properties = propertiesOf(inputSchema, inputSchema);
  const query = parameters
    .filter(({ place }) => place === 'query')
    .map(({ key, name }): PagingField => ({ key, name, schema: schemaOf(properties[key]) }));
  const fields = [...query];
  if (body !== undefined) {
    const inside = propertiesOf(schemaOf(properties[body.key]), inputSchema);
    for (const name of Object.keys(inside)) fields.push({ key: name, name, body: body.key, schema: schemaOf(inside[name]) });
  }
  const named = (pattern: RegExp): PagingField[] => fields.filter(({ name }) => pattern.test(plainName(name)));
  const counted = (field: PagingField): boolean => typesOf(field.schema).some((type) => type === 'integer' || type === 'number');
  // An offset that is a text is a token under that name.
  const offsets = named(OFFSET);
  const tokens = offsets.filter((field) => typesOf(field.schema).length > 0 && !counted(field));
  const offset = offsets.find((field) => !tokens.includes(field));
  const page = named(PAGE).find((field) => typesOf(field.schema).length === 0 || counted(field));
  const cursors = [...named(CURSOR), ...named(PAGE).filter((field) => field !== page), ...tokens];
  const limit = named(LIMIT).find((field) => typesOf(field.schema).length === 0 || counted(field));
  if (cursors.length === 0 && offset === undefined && page === undefined && limit === undefined) return undefined;
  return {
    cursors,
    query,
    ...(offset !== undefined && { offset: { ...offset, first: firstOf(offset) } }),
    ...(page !== undefined && { page }),
    ...(limit !== undefined && { limit }),
  };
}

/** RFC 7644, 3.4.2.4: `startIndex` counts from 1. */
function firstOf({ name, schema }: PagingField): number {
  const { default: usual, minimum } = schema;
  if (typeof usual === 'number') return usual;
  return minimum === 1 || plainName(name) === 'startindex' ? 1 : 0;
}

/** The sentence of a tool's description; undefined when the operation is not paged. */
export function pagingSentence(paging: Paging | undefined): string | undefined {
  if (paging === undefined) return undefined;
  const by = paging.cursors[0] ?? paging.offset ?? paging.page;
  if (by === undefined) return undefined;
  const most = paging.limit?.schema['maximum'];
  const size =
    paging.limit === undefined || (typeof most === 'number' && most < 50) ? '' : `, best at most 50 at a time by ${paging.limit.key}`;
  return `Paged by ${by.key}${size}; an answer with more pages says how to call again.`;
}

function schemaOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

/** Of an object schema, through one reference and through a choice between the object and null. */
function propertiesOf(schema: JsonObject, root: JsonObject): JsonObject {
  const reference = schema['$ref'];
  const followed = typeof reference === 'string' ? schemaOf(schemaOf(root['$defs'])[reference.slice('#/$defs/'.length)]) : schema;
  const branches = Array.isArray(followed['anyOf']) ? (followed['anyOf'] as unknown[]).map(schemaOf) : [];
  const real = branches.filter((branch) => branch['type'] !== 'null');
  const only = real.length === 1 ? real[0] : undefined;
  return schemaOf((only ?? followed)['properties']);
}

/** The types a schema names for itself; none when it does not say. */
export function typesOf(schema: JsonObject): string[] {
  const { type, anyOf } = schema;
  if (typeof type === 'string') return [type];
  if (Array.isArray(type)) return type.filter((one): one is string => typeof one === 'string');
  return Array.isArray(anyOf) ? anyOf.flatMap((branch) => typesOf(schemaOf(branch))) : [];
}
import { type JsonObject, isObject } from '../../../../core/json.ts';
