import type { JsonObject } from '../../../core/json.ts';
import type { ContentBlock, ToolsReply } from '../../../core/tools.ts';
import type { UpstreamResponse } from '../../../core/upstream.ts';
import { readRecords, recordFormat } from './answers/events.ts';
import { failureReply } from './answers/failure.ts';
import type { FailureContext } from './answers/failure.ts';
import { decodeText, headerOf, isJson, isText, looksLikeJson, plainType } from './answers/media.ts';
import { NEXT_PAGE, nextArguments } from './answers/next-page.ts';
import type { Paging } from './answers/paging.ts';
import { structuredFrom } from './answers/structured.ts';
import { outputFaults } from './arguments.ts';
import type { CompiledOperation } from './types.ts';
import { minified } from './wire/json-text.ts';
import { statusText } from './wire/problem.ts';

export interface ResponseContext extends FailureContext {
  /** Masks this service's own credentials, in an answer that echoes them. */
  readonly redactOwn?: (text: string) => string;
  /** How the operation is paged; absent when nothing in it says so. */
  readonly paging?: Paging;
}

/** Faults of a larger answer are found one at a time, so only few can be left out: all of them at once cost too much memory. Characters. */
const MENDED_WHOLE = 1_000_000;

/**
 * An HTTP answer as a tool's result, whole however long it is. Pure; never throws for what an upstream sent. `_meta` names the arguments
 * of this call, `args`, that would change for the next page.
 */
export function decodeResponse(
  operation: CompiledOperation,
  response: UpstreamResponse,
  context: ResponseContext,
  args: JsonObject = {},
): ToolsReply {
  const { status } = response;
  if (status >= 400) return failureReply(operation, response, context);
  const reply = status >= 300 ? redirectReply(response, context) : contentReply(operation, response, context, args);
  // Clients refuse a result without structured content where the tool promises it.
  return operation.output === undefined || 'structuredContent' in reply ? reply : { ...reply, structuredContent: {} };
}

function contentReply(operation: CompiledOperation, response: UpstreamResponse, context: ResponseContext, args: JsonObject): ToolsReply {
  const { body, headers, status, partial } = response;
  const type = headerOf(headers, 'content-type') ?? '';
  const plain = plainType(type);
  const format = recordFormat(plain);
  if (format !== undefined && (body.length > 0 || partial !== undefined)) {
    const { records, note } = readRecords(shownText(body, type, context), format, partial);
    return { content: texts([`[${records.join(',')}]`, note]) };
  }
  if (body.length === 0) return textReply(statusText(status) + madeAt(status, headers, context));
  if (isJson(plain) || (plain === '' && looksLikeJson(body)))
    return jsonReply(operation, shownText(body, type, context), response, context, args);
  if (/^(image\/(?!svg)|audio\/)/.test(plain)) return mediaReply(plain, body);
  if (isText(plain)) return textReply(shownText(body, type, context));
  return resourceReply(operation, plain, body);
}

function texts(lines: readonly (string | undefined)[]): ContentBlock[] {
  return lines.filter((text) => text !== undefined).map((text) => ({ type: 'text', text }));
}

function textReply(text: string): ToolsReply {
  return { content: [{ type: 'text', text }] };
}

function shownText(body: Buffer, type: string, { redactOwn }: ResponseContext): string {
  const text = decodeText(body, type);
  return redactOwn === undefined ? text : redactOwn(text);
}

const NOTES = {
  all: undefined,
  part: 'The structured content leaves out what does not keep to the documented schema; the text has all of it.',
  nothing:
    'The structured content is empty: the answer breaks the documented schema as a whole or in many places, or is nested too deeply. The text has all of it.',
};

function jsonReply(
  operation: CompiledOperation,
  text: string,
  response: UpstreamResponse,
  context: ResponseContext,
  args: JsonObject,
): ToolsReply {
  const { output } = operation;
  if (output === undefined && context.paging === undefined) return textReply(minified(text));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return textReply(text);
  }
  const next = context.paging && nextPage(operation, context.paging, response, value, context, args);
  const _meta = next && { [NEXT_PAGE]: next };
  if (output === undefined) return { ...textReply(minified(text)), ...(_meta && { _meta }) };
  const faultsOf = (one: unknown): string[] => {
    const faults = outputFaults(operation, one, false);
    return faults.length === 0 || text.length > MENDED_WHOLE ? faults : outputFaults(operation, one, true);
  };
  const structured = structuredFrom(output === 'wrapped' ? { result: value } : value, faultsOf);
  return {
    content: texts([minified(text), NOTES[structured.kept]]),
    structuredContent: structured.value,
    ...(_meta && { _meta }),
  };
}

function nextPage(
  operation: CompiledOperation,
  paging: Paging,
  { headers }: UpstreamResponse,
  value: unknown,
  { redact, redactOwn }: ResponseContext,
  args: JsonObject,
): JsonObject | undefined {
  // A link may repeat the credential that the request carried.
  const isClean = (text: string): boolean => redact(text) === text && (redactOwn === undefined || redactOwn(text) === text);
  return nextArguments(operation, paging, { link: headerOf(headers, 'link'), headers, value }, args, isClean);
}

function mediaReply(mimeType: string, body: Buffer): ToolsReply {
  return { content: [{ type: mimeType.startsWith('image/') ? 'image' : 'audio', data: body.toString('base64'), mimeType }] };
}

function resourceReply(operation: CompiledOperation, type: string, body: Buffer): ToolsReply {
  const mimeType = type === '' ? 'application/octet-stream' : type;
  const resource: JsonObject = { uri: `hubgate:result/${operation.tool.definition.name}`, mimeType, blob: body.toString('base64') };
  return { content: [{ type: 'resource', resource }] };
}

/** RFC 9110, 15.3.2 and 15.3.3: where what was made, or will be, is found; as a path, for where the API itself is is not the caller's business. */
function madeAt(status: number, headers: UpstreamResponse['headers'], context: ResponseContext): string {
  const location = status === 201 || status === 202 ? headerOf(headers, 'location') : undefined;
  const url = location === undefined ? null : URL.parse(location, 'http://unknown.invalid/');
  return url === null ? '' : `\nLocation: ${context.redact(url.pathname + url.search).slice(0, 2000)}`;
}

function redirectReply(response: UpstreamResponse, context: ResponseContext): ToolsReply {
  const location = headerOf(response.headers, 'location');
  const text = location === undefined ? '' : `\nLocation: ${context.redact(location).slice(0, 2000)}\nRedirects are not followed.`;
  return textReply(`HTTP ${statusText(response.status)}${text}`);
}
