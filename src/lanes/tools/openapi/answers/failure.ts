import type { ToolsReply } from '../../../../core/tools.ts';
import { errorResult } from '../../../../core/tools.ts';
import type { UpstreamResponse } from '../../../../core/upstream.ts';
import type { CompiledOperation } from '../types.ts';
import { cutBytes } from '../wire/cut.ts';
import { readProblem, statusText } from '../wire/problem.ts';
import type { Problem } from '../wire/problem.ts';
import { decodeText, headerOf, isJson, isText, plainType } from './media.ts';

/** What the words about a failure need besides the answer. */
export interface FailureContext {
  /** Masks known secrets, in what is said about a failure. */
  readonly redact: (text: string) => string;
  /** Security schemes that the document asks for and the configuration does not fill. */
  readonly missing?: readonly string[];
  /** The name of the service, for messages. */
  readonly service?: string;
}

/** Bytes of a failure in words, and those of them that are always left for what the answer says. */
const ERROR_LIMIT = 4096;
const LEAST_SAID = 500;
/** What lies beyond is not read: 4 KB of it are shown. */
const READ_BYTES = 256 * 1024;

const SHOWN_HEADERS = /^(retry-after|x-request-id|ratelimit(-[a-z]+)?|x-ratelimit-[a-z-]+)$/;

/** A status of 400 and above as a result with `isError`: what the answer says in 4 KB, the few headers that help, and what to do next. */
export function failureReply(operation: CompiledOperation, response: UpstreamResponse, context: FailureContext): ToolsReply {
  const { status, headers, body } = response;
  const { title, detail, errors } = problemOf(headers, body, context.redact);
  const said = [title, detail].filter((part) => part !== undefined).join(': ');
  const lines = [`HTTP ${statusText(status)}${said === '' ? '' : `: ${said}`}`, ...errors.map((error) => `- ${error}`)];
  const retryAfter = headerOf(headers, 'retry-after');
  const advice = adviceFor(operation, status, retryAfter && context.redact(retryAfter), context) + wantedScope(headers, status);
  const shown = Object.entries(headers)
    .filter(([name, value]) => value !== undefined && SHOWN_HEADERS.test(name))
    .slice(0, 12)
    .map(([name]) => `${name}: ${context.redact(headerOf(headers, name) ?? '').slice(0, 200)}`);
  const next = [advice, ...shown].filter((line) => line !== '').join('\n');
  // What to do next must survive the cut.
  const tail = `\n${cutBytes(context.redact(next), ERROR_LIMIT - LEAST_SAID - 1)}`.trimEnd();
  const head = cutBytes(context.redact(lines.join('\n')), ERROR_LIMIT - Buffer.byteLength(tail));
  return errorResult(head + tail);
}

/** Texts are masked before anything is cut: half a secret would not be known again. */
function problemOf(headers: UpstreamResponse['headers'], body: Buffer, redact: FailureContext['redact']): Problem {
  const type = headerOf(headers, 'content-type') ?? '';
  const plain = plainType(type);
  if (plain !== '' && !isJson(plain) && !isText(plain)) return { errors: [] };
  return readProblem(redact(decodeText(body.subarray(0, READ_BYTES), type)), plain.includes('html'));
}

function adviceFor(operation: CompiledOperation, status: number, retryAfter: string | undefined, context: FailureContext): string {
  const service = context.service ?? 'NAME';
  if (status === 401 || status === 403) {
    const missing = context.missing ?? [];
    if (missing.length > 0) {
      return `The hub has no credential for this operation: ${missing.join(', or ')} is wanted. The operator sets it under services.${service}.auth; no argument helps.`;
    }
    const used = [...new Set(operation.security.alternatives.flat().map((use) => scopesOf(use.name, use.scopes)))].join(', ');
    const which = used === '' ? '' : ` (${used})`;
    return status === 401
      ? `The API did not take the hub's credential${which}. The operator checks services.${service}.auth; no argument helps.`
      : `The hub's credential${which} does not allow this. Ask the operator, or do without it.`;
  }
  if (status === 404 || status === 410)
    return 'There is nothing under these arguments. Check the identifiers, for instance with a tool that lists or searches.';
  if (status === 409 || status === 412) return 'It is in another state than the call expects. Read it again before the next try.';
  if (status === 408 || status === 429 || status >= 500) {
    const when =
      retryAfter === undefined
        ? 'Try again later'
        : `Try again after ${/^\d+$/.test(retryAfter) ? `${retryAfter} s` : retryAfter.slice(0, 60)}`;
    const unsure = status >= 500 && operation.tool.risk !== 'read' ? '; the request may have been carried out, so check first' : '';
    return `${when}${unsure}.`;
  }
  return 'Correct the arguments that the answer names and call again.';
}

/** The scope that the API names itself (RFC 6750, 3: `WWW-Authenticate: Bearer …, scope="…"`). */
function wantedScope(headers: UpstreamResponse['headers'], status: number): string {
  if (status !== 401 && status !== 403) return '';
  const scope = /\bscope="([\x21\x23-\x5b\x5d-\x7e ]{1,300})"/i.exec(headerOf(headers, 'www-authenticate') ?? '')?.[1];
  return scope === undefined ? '' : ` It asks for the scope "${scope}".`;
}

function scopesOf(name: string, scopes: readonly string[]): string {
  return scopes.length === 0 ? name : `${name} with ${scopes.join(' ')}`;
}
