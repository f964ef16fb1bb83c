import { Bytes, Digits } from '../draw.ts';
import { type BodyPart, type Content, mediaTypeOf, normalized, type Reading, readAddress, readContent } from '../reading.ts';
import { isPart } from '../resolver.ts';
import { peer } from './peer.ts';
import type { Case, Referee } from './referee.ts';
import { parameter3, shallow } from './shallow.ts';

interface Entry {
  readonly name: string;
  readonly value: string;
  readonly contentType?: string;
}
interface HarRequest {
  readonly method: string;
  readonly url: string;
  readonly queryString: readonly Entry[];
  readonly headers: readonly Entry[];
  readonly cookies: readonly Entry[];
  readonly postData?: { readonly mimeType: string; readonly text?: string; readonly params?: readonly Entry[] };
}
interface Peer {
  readonly Oas: new (document: object) => { operation(path: string, method: string): unknown };
  readonly oasToHar: (oas: unknown, operation: unknown, values: object) => { log: { entries: { request: HarRequest }[] } };
}

/** @readme/oas-to-har, which stands behind the request snippets of ReadMe: https://github.com/readmeio/oas */
export function readmeHar(): Referee {
  const { Oas, oasToHar } = { Oas: named(peer('oas')), oasToHar: named(peer('@readme/oas-to-har')) } as Peer;
  return {
    name: 'oas-to-har',
    judges: () => true,
    async request(one) {
      const { operation } = one;
      const oas = new Oas(documentOf(one));
      const har = oasToHar(oas, oas.operation(operation.template, operation.method.toLowerCase()), valuesOf(one));
      const [entry] = har.log.entries;
      if (entry === undefined) throw new Error('oas-to-har wrote nothing');
      return read(entry.request, operation.method);
    },
  };
}

function named(module: unknown): unknown {
  return (module as { default?: unknown }).default ?? module;
}

/** 2.0 is read as the 3.0 it means. */
function documentOf({ operation, resolver }: Case): object {
  const { template: path, method, version, body, parameters } = operation;
  const content = Object.entries(body?.content ?? {}).map(([type, { schema, encoding }]) => [
    type,
    { schema: shallow(schema, resolver), encoding },
  ]);
  const only = {
    parameters: parameters.map((one) => parameter3(one, resolver)),
    ...(body !== undefined && { requestBody: { content: Object.fromEntries(content) as object } }),
    responses: {},
  };
  const openapi = version.startsWith('2') ? '3.0.3' : version;
  return {
    openapi,
    info: { title: '', version: '' },
    servers: [{ url: 'http://api.test' }],
    paths: { [path]: { [method.toLowerCase()]: only } },
  };
}

function valuesOf({ call }: Case): object {
  const values: Record<string, Record<string, unknown>> = { path: {}, query: {}, header: {}, cookie: {} };
  for (const [place, value] of call.parameters) {
    const colon = place.indexOf(':');
    (values[place.slice(0, colon)] ??= {})[place.slice(colon + 1)] = structuredClone(value);
  }
  const header = { ...values['header'], ...(call.mediaType !== undefined && { 'content-type': call.mediaType }) };
  if (call.body === undefined) return { ...values, header };
  const body = asUrls(call.body);
  return { ...values, header, ...(call.mediaType?.includes('urlencoded') === true ? { formData: body } : { body }) };
}

function asUrls(value: unknown): unknown {
  if (value instanceof Bytes) return `data:application/octet-stream;name=file;base64,${value.base64}`;
  if (value instanceof Digits) return value.text;
  if (Array.isArray(value)) return value.map(asUrls);
  return isPart(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asUrls(item)])) : value;
}

async function read(har: HarRequest, method: string): Promise<Reading> {
  const { path, query } = readAddress(har.url.replace(/^https?:\/\/[^/?#]*/, '').replace(/#.*$/s, ''));
  const headers = new Map(har.headers.map(({ name, value }) => [name.toLowerCase(), value]));
  const mediaType = mediaTypeOf(har.postData?.mimeType);
  const content = har.postData === undefined ? undefined : await contentOf(har.postData, mediaType);
  const pairs = (entries: readonly Entry[]) => entries.map(({ name, value }) => [name, normalized(value)] as const);
  return {
    method: har.method.toUpperCase() === method.toUpperCase() ? method : har.method,
    path,
    query: [...query, ...pairs(har.queryString)],
    headers,
    cookies: pairs(har.cookies),
    ...(content !== undefined && { mediaType, body: content }),
  } as Reading;
}

async function contentOf(
  { text, params }: NonNullable<HarRequest['postData']>,
  mediaType: string | undefined,
): Promise<Content | undefined> {
  if (params === undefined) return readContent(unwrapped(text), mediaType);
  if (mediaType !== 'multipart/form-data') return { kind: 'pairs', pairs: params.map(({ name, value }) => [name, value] as const) };
  const parts = params.map(({ name, value, contentType }): BodyPart => {
    const data = /^data:([^;,]*)[^,]*;base64,(.*)$/s.exec(value);
    if (data !== null) return { name, type: data[1] ?? '', base64: data[2] ?? '' };
    return { name, type: contentType ?? '', base64: Buffer.from(value).toString('base64') };
  });
  return { kind: 'parts', parts };
}

/** Bytes come as the address they went in as. */
function unwrapped(text: string | undefined): string | Uint8Array | undefined {
  const data = /^data:[^,]*;base64,(.*)$/s.exec(text ?? '');
  return data === null ? text : Buffer.from(data[1] ?? '', 'base64');
}
