import { isObject } from '../../../../core/json.ts';
import { STATUS_CODES } from 'node:http';
import { shorten } from '../schema/json.ts';

/** What an error answer says, in the few words that help. */
export interface Problem {
  readonly title?: string;
  readonly detail?: string;
  /** One line per field. */
  readonly errors: readonly string[];
}

const MOST_ERRORS = 20;
const LONGEST_LINE = 300;
const LONGEST_DETAIL = 1500;

/** Where an error keeps its list; the first that is one is read. */
const LISTS = ['errors', 'details', 'invalid-params', 'invalidParams', 'violations', 'fieldErrors', 'validationErrors', 'fields', 'detail'];

/** Reads problem+json, `{error: {message}}`, `{message}`, `{errors: […]}`, HTML and plain text. */
export function readProblem(body: string, isHtml: boolean): Problem {
  const text = body.trim();
  if (text === '') return { errors: [] };
  if (text.startsWith('{') || text.startsWith('[')) {
    try {
      return fromJson(JSON.parse(text));
    } catch {
      // Not JSON after all.
    }
  }
  if (isHtml || /^<(!doctype|html)/i.test(text)) {
    const head = text.slice(0, 20_000);
    const titles = [/<title[^>]{0,200}>([^<]{1,500})/i, /<h1[^>]{0,200}>([^<]{1,500})/i].map((tag) => tag.exec(head)?.[1]?.trim());
    const title = titles.find((one) => one !== undefined && one !== '');
    return { ...(title !== undefined && { title }), errors: [] };
  }
  return { detail: shorten(text, LONGEST_DETAIL), errors: [] };
}

function fromJson(value: unknown): Problem {
  if (Array.isArray(value)) return { errors: linesOf(value) };
  if (!isObject(value)) return { detail: String(value), errors: [] };
  const inner = [value['error'], value['fault'], value['problem']].find(isObject);
  const source = inner ?? value;
  const title = firstText(source, ['title', 'code', 'type', 'status', 'error']) ?? firstText(value, ['title']);
  const detail = firstText(source, ['detail', 'message', 'error_description', 'description', 'reason', 'msg', 'errorMessage', 'Message']);
  const errors = linesOf(LISTS.map((key) => source[key]).find(isListed) ?? value['errors'] ?? value['messages']);
  if (detail !== undefined || errors.length > 0) {
    return { ...(title !== undefined && title !== detail && { title }), ...(detail !== undefined && { detail }), errors };
  }
  return { ...(title !== undefined && { title }), detail: shorten(JSON.stringify(value), LONGEST_DETAIL), errors: [] };
}

function firstText(source: Readonly<Record<string, unknown>>, keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const value = source[key];
    if (typeof value === 'string' && value.trim() !== '' && value !== 'about:blank') return shorten(value.trim(), LONGEST_DETAIL);
  }
  return undefined;
}

function isListed(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : isObject(value) && Object.keys(value).length > 0;
}

/** Lists inside of the entries of a list are taken out of them (google.rpc.BadRequest: `details: [{fieldViolations: […]}]`). */
function* entriesOf(errors: readonly unknown[]): Generator<unknown> {
  for (const error of errors) {
    const inner = isObject(error) ? [error['fieldViolations'], error['violations'], error['errors']].find(Array.isArray) : undefined;
    if (inner === undefined) yield error;
    else yield* inner as unknown[];
  }
}

function linesOf(errors: unknown): string[] {
  if (isObject(errors)) {
    return Object.entries(errors).slice(0, MOST_ERRORS).map(([field, said]) => shorten(`${field}: ${sayingOf(said)}`, LONGEST_LINE)); // prettier-ignore
  }
  if (!Array.isArray(errors)) return [];
  return [...entriesOf(errors.slice(0, MOST_ERRORS))].slice(0, MOST_ERRORS).map((error: unknown) => {
    if (!isObject(error)) return shorten(sayingOf(error), LONGEST_LINE);
    const place =
      error['field'] ??
      error['path'] ??
      error['pointer'] ??
      error['param'] ??
      error['name'] ??
      error['location'] ??
      error['loc'] ??
      error['source'];
    const said = firstText(error, ['message', 'detail', 'msg', 'reason', 'title', 'description', 'code']);
    const where = Array.isArray(place) ? place.map(sayingOf).join('.') : place === undefined ? '' : sayingOf(place);
    return shorten([where, said ?? JSON.stringify(error)].filter((part) => part !== '').join(': '), LONGEST_LINE);
  });
}

function sayingOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(sayingOf).join('; ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `404 Not Found`. */
export function statusText(status: number): string {
  const phrase = STATUS_CODES[status];
  return phrase === undefined ? String(status) : `${status} ${phrase}`;
}
