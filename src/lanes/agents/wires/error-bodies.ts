import { AgentError } from '../../../core/agents.ts';
import { GatewayError, type ErrorCode } from '../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import {
  AGENT_ERRORS,
  A2A_DOMAIN,
  detailsOf,
  ERROR_INFO,
  httpStatusOf,
  isErrorInfo,
  kindOf,
  readDetails,
  statusWordOf,
  type AgentErrorName,
} from './agent-errors.ts';
import type { VersionName } from './wire.ts';

/** The error object of JSON-RPC; also the whole body of an error in HTTP+JSON 0.3. */
export function errorObject(error: AgentError, version: VersionName): JsonObject {
  const { code, message } = error;
  if (version === '1.0') {
    const data = detailsOf(error);
    return { code, message, ...(data.length === 0 ? {} : { data }) };
  }
  // The SDKs of 0.3 know no ErrorInfo. What else an agent has said passes, a single object as it came.
  const data = (error.details ?? []).filter((detail) => !isErrorInfo(detail));
  return { code, message, ...(data.length === 0 ? {} : { data: data.length === 1 ? data[0] : data }) };
}

/** Status and body of an error in HTTP+JSON: `google.rpc.Status` in 1.0, the error object of JSON-RPC in 0.3, as the official SDK has it. */
export function restError(error: AgentError, version: VersionName): { readonly status: number; readonly body: JsonObject } {
  const status = httpStatusOf(error);
  if (version === '1.0') {
    const { message } = error;
    return { status, body: { error: { code: status, status: statusWordOf(error), message, details: detailsOf(error) } } };
  }
  const unknownMethod = error.code === AGENT_ERRORS.MethodNotFound.code;
  return { status: unknownMethod ? 501 : status, body: errorObject(error, version) };
}

/** The error in the answer of an agent over JSON-RPC; undefined where there is none. `status` is that of HTTP. */
export function readRpcError(body: unknown, status: number): AgentError | undefined {
  if (!isObject(body) || !isObject(body['error'])) return undefined;
  return readErrorObject(body['error'], status);
}

/** The error that an agent sent over HTTP+JSON, of either version; undefined for what is none. */
export function readRestError(body: unknown, status: number): AgentError | undefined {
  if (!isObject(body)) return undefined;
  if (isObject(body['error'])) return readStatus(body['error'], status);
  return readErrorObject(body, status) ?? readTyped(body, status);
}

function readErrorObject({ code, message, data }: JsonObject, status: number): AgentError | undefined {
  if (typeof code !== 'number' || !Number.isInteger(code)) return undefined;
  return heard(code, message, readDetails(data), status);
}

/** A body of `google.rpc.Status`: the ErrorInfo says which error it is, else the code has to. Some agents put that of JSON-RPC into it. */
function readStatus({ code: given, message, details }: JsonObject, status: number): AgentError | undefined {
  const list = readDetails(details);
  const info = list?.find((detail) => detail['@type'] === ERROR_INFO && (detail['domain'] ?? A2A_DOMAIN) === A2A_DOMAIN);
  const found = Object.values(AGENT_ERRORS).find(({ reason }) => reason === info?.['reason']);
  const code = found?.code ?? (typeof given === 'number' ? kindOf(given)?.code : undefined) ?? BY_STATUS.get(status);
  return code === undefined ? undefined : heard(code, message, list, status);
}

/** Agents of a2a-python 0.3 name the class of the error in `type`, or say nothing but a message. */
function readTyped({ type, message }: JsonObject, status: number): AgentError | undefined {
  if (typeof message !== 'string') return undefined;
  const name = typeof type === 'string' ? type.replace(/Error$/, '') : '';
  const code = Object.hasOwn(AGENT_ERRORS, name) ? AGENT_ERRORS[name as AgentErrorName].code : BY_STATUS.get(status);
  return code === undefined ? undefined : heard(code, message, undefined, status);
}

const BY_STATUS: ReadonlyMap<number, number> = new Map([
  [400, AGENT_ERRORS.InvalidParams.code],
  [404, AGENT_ERRORS.TaskNotFound.code],
  [500, AGENT_ERRORS.InternalError.code],
  [501, AGENT_ERRORS.UnsupportedOperation.code],
]);

function heard(code: number, message: unknown, details: JsonObject[] | undefined, status: number): AgentError {
  const kind = kindOf(code);
  const text = typeof message === 'string' && message !== '' ? message : (kind?.message ?? 'The agent gave an error.');
  const fault = code === AGENT_ERRORS.InternalError.code;
  return new AgentError(code, text, details, fault ? (FAULTS.get(status) ?? 'upstream_failed') : (kind?.outcome ?? 'bad_request'));
}

const FAULTS: ReadonlyMap<number, ErrorCode> = new Map([
  [401, 'upstream_unauthorized'],
  [403, 'upstream_unauthorized'],
  [429, 'upstream_limited'],
  [503, 'upstream_overloaded'],
  [504, 'upstream_timeout'],
]);

const SENTENCES: Partial<Record<ErrorCode, string>> = {
  upstream_unauthorized: "The agent does not accept the hub's credential.",
  upstream_limited: 'The agent limits the rate of requests. Try again later.',
  upstream_overloaded: 'The agent is overloaded. Try again shortly.',
  upstream_timeout: 'The agent did not answer in time.',
  upstream_failed: 'The agent gave an answer that could not be read.',
};

/** What an answer is that is none of A2A: told by its status where that says something. */
export function notAnAnswer(status: number, detail: string): GatewayError {
  const code = FAULTS.get(status) ?? 'upstream_failed';
  return new GatewayError(code, SENTENCES[code], { detail: `HTTP ${status}: ${detail}` });
}
