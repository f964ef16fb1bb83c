import { AgentError } from '../../../core/agents.ts';
import { ERRORS, GatewayError, type ErrorCode } from '../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';

/** What the specification says of one error (5.4, 9.5, 11.6). */
interface ErrorKind {
  /** Of JSON-RPC. */
  readonly code: number;
  /** Status of HTTP+JSON; without one the error stands for many things, and the outcome says which. */
  readonly http?: number;
  /** The word of `google.rpc.Code`. */
  readonly status: string;
  /** Of the ErrorInfo. */
  readonly reason: string;
  readonly message: string;
  readonly outcome: ErrorCode;
}

/** `INVALID_PARAMS` is also what the official SDKs say of requests that are no JSON or no JSON-RPC. */
const MALFORMED = { status: 'INVALID_ARGUMENT', reason: 'INVALID_PARAMS', outcome: 'bad_request' } as const;
const PRECONDITION = { http: 400, status: 'FAILED_PRECONDITION', outcome: 'bad_request' } as const;

/** The errors of A2A and of JSON-RPC 2.0. */
export const AGENT_ERRORS = {
  TaskNotFound: { code: -32001, http: 404, status: 'NOT_FOUND', reason: 'TASK_NOT_FOUND', outcome: 'not_found', message: 'Task not found' },
  TaskNotCancelable: {
    ...PRECONDITION,
    code: -32002,
    reason: 'TASK_NOT_CANCELABLE',
    outcome: 'conflict',
    message: 'Task cannot be canceled',
  },
  PushNotificationNotSupported: {
    ...PRECONDITION,
    code: -32003,
    reason: 'PUSH_NOTIFICATION_NOT_SUPPORTED',
    message: 'Push notifications are not supported',
  },
  UnsupportedOperation: { ...PRECONDITION, code: -32004, reason: 'UNSUPPORTED_OPERATION', message: 'This operation is not supported' },
  ContentTypeNotSupported: {
    code: -32005,
    http: 400,
    status: 'INVALID_ARGUMENT',
    reason: 'CONTENT_TYPE_NOT_SUPPORTED',
    outcome: 'unsupported_media_type',
    message: 'The media type is not supported',
  },
  InvalidAgentResponse: {
    code: -32006,
    http: 500,
    status: 'INTERNAL',
    reason: 'INVALID_AGENT_RESPONSE',
    outcome: 'upstream_failed',
    message: 'The agent gave an invalid response',
  },
  ExtendedAgentCardNotConfigured: {
    ...PRECONDITION,
    code: -32007,
    reason: 'EXTENDED_AGENT_CARD_NOT_CONFIGURED',
    message: 'There is no extended agent card',
  },
  ExtensionSupportRequired: {
    ...PRECONDITION,
    code: -32008,
    reason: 'EXTENSION_SUPPORT_REQUIRED',
    message: 'The agent requires an extension that the request does not ask for',
  },
  VersionNotSupported: { ...PRECONDITION, code: -32009, reason: 'VERSION_NOT_SUPPORTED', message: 'The protocol version is not supported' },
  InvalidParams: { ...MALFORMED, code: -32602, http: 400, message: 'Invalid parameters' },
  ParseError: { ...MALFORMED, code: -32700, http: 400, message: 'Invalid JSON payload' },
  InvalidRequest: { ...MALFORMED, code: -32600, message: 'Invalid request' },
  MethodNotFound: {
    code: -32601,
    http: 404,
    status: 'NOT_FOUND',
    reason: 'METHOD_NOT_FOUND',
    outcome: 'not_found',
    message: 'Method not found',
  },
  InternalError: { code: -32603, status: 'INTERNAL', reason: 'INTERNAL_ERROR', outcome: 'internal', message: 'Internal error' },
} as const satisfies Record<string, ErrorKind>;

export type AgentErrorName = keyof typeof AGENT_ERRORS;

export const ERROR_INFO = 'type.googleapis.com/google.rpc.ErrorInfo';
/** Of the ErrorInfo of every error that the specification names. */
export const A2A_DOMAIN = 'a2a-protocol.org';
/** Of the ErrorInfo of what only the hub knows: limits, rules, faults on the way. */
const HUB_DOMAIN = 'hubgate';

const KINDS: ReadonlyMap<number, ErrorKind> = new Map(Object.values(AGENT_ERRORS).map((kind): [number, ErrorKind] => [kind.code, kind]));

/** What the table knows of a code; undefined for a code of the agent's own. */
export function kindOf(code: number): ErrorKind | undefined {
  return KINDS.get(code);
}

/** An error of the specification, with its ErrorInfo. Values of `metadata` are public. */
export function agentError(name: AgentErrorName, message?: string, metadata?: Readonly<Record<string, string>>): AgentError {
  const kind: ErrorKind = AGENT_ERRORS[name];
  return new AgentError(kind.code, message ?? kind.message, [errorInfo(kind.reason, metadata)], kind.outcome);
}

function errorInfo(reason: string, metadata?: Readonly<Record<string, string>>, domain: string = A2A_DOMAIN): JsonObject {
  return { '@type': ERROR_INFO, reason, domain, ...(metadata === undefined ? {} : { metadata }) };
}

export function isErrorInfo(detail: JsonObject): boolean {
  return detail['@type'] === ERROR_INFO && detail['domain'] === A2A_DOMAIN;
}

/**
 * Anything thrown as a caller sees it. Faults of the gateway and of the way to the agent, limits, and refusals are `-32603`, told apart by their
 * HTTP status and by an ErrorInfo of the hub's domain: A2A has no codes for them (specification 3.3.2, "JSON-RPC custom error"). The public message
 * stays, `detail` never gets here.
 */
export function agentErrorFrom(thrown: unknown): AgentError {
  if (thrown instanceof AgentError) return thrown;
  const error = GatewayError.from(thrown);
  // What the pipeline made of an error in the words of A2A.
  if (error.cause instanceof AgentError && error.cause.outcome === error.code) return error.cause;
  const name = nameOf(error);
  const { code, http, reason }: ErrorKind = AGENT_ERRORS[name];
  const details = http === undefined ? hubDetails(error) : [errorInfo(reason)];
  return new AgentError(code, error.message, details, error.code);
}

function nameOf({ code, status }: GatewayError): AgentErrorName {
  if (code === 'bad_request') return 'InvalidParams';
  if (code === 'not_implemented') return 'UnsupportedOperation';
  if (code === 'unsupported_media_type') return 'ContentTypeNotSupported';
  return status >= 500 || [401, 403, 429].includes(status) ? 'InternalError' : 'InvalidRequest';
}

function hubDetails({ code, rule, retryAfterMs }: GatewayError): JsonObject[] {
  const info = errorInfo(code.toUpperCase(), rule === undefined ? undefined : { rule }, HUB_DOMAIN);
  if (retryAfterMs === undefined) return [info];
  return [info, { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${Math.ceil(retryAfterMs / 1000)}s` }];
}

/** The status of HTTP+JSON. */
export function httpStatusOf({ code, outcome }: AgentError): number {
  return kindOf(code)?.http ?? ERRORS[outcome].status;
}

/** The status under JSON-RPC: 200 for what the protocol has a code for, that of the fault for what else went wrong. */
export function rpcStatusOf(error: AgentError): number {
  return kindOf(error.code)?.http !== undefined || error.outcome === 'bad_request' ? 200 : httpStatusOf(error);
}

const WORDS: Readonly<Record<number, string>> = {
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ABORTED',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  501: 'UNIMPLEMENTED',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

/** The word of `google.rpc.Code`. */
export function statusWordOf(error: AgentError): string {
  const kind = kindOf(error.code);
  if (kind?.http !== undefined) return kind.status;
  const http = httpStatusOf(error);
  return WORDS[http] ?? (http < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL');
}

/** The details as 1.0 wants them: an error that the specification names has its ErrorInfo, whoever raised it. */
export function detailsOf({ code, details = [] }: AgentError): readonly JsonObject[] {
  const kind = kindOf(code);
  if (kind?.http === undefined || details.some(isErrorInfo)) return details;
  return [errorInfo(kind.reason), ...details];
}

/** The details in what an agent sent: a list in 1.0, anything in 0.3. */
export function readDetails(data: unknown): JsonObject[] | undefined {
  const list = (Array.isArray(data) ? data : [data]).filter(isObject);
  return list.length === 0 ? undefined : list;
}
