import * as sdk from '@a2a-js/sdk/errors';
import { describe, expect, it } from 'vitest';
import { AgentError } from '../../../../../src/core/agents.ts';
import { GatewayError } from '../../../../../src/core/errors.ts';
import {
  AGENT_ERRORS,
  agentError,
  agentErrorFrom,
  httpStatusOf,
  rpcStatusOf,
  statusWordOf,
  type AgentErrorName,
} from '../../../../../src/lanes/agents/wires/agent-errors.ts';
import { wireOf } from '../../../../../src/lanes/agents/wires/wires.ts';

const SDK = {
  TaskNotFound: sdk.TaskNotFoundError,
  TaskNotCancelable: sdk.TaskNotCancelableError,
  PushNotificationNotSupported: sdk.PushNotificationNotSupportedError,
  UnsupportedOperation: sdk.UnsupportedOperationError,
  ContentTypeNotSupported: sdk.ContentTypeNotSupportedError,
  InvalidAgentResponse: sdk.InvalidAgentResponseError,
  ExtendedAgentCardNotConfigured: sdk.ExtendedAgentCardNotConfiguredError,
  ExtensionSupportRequired: sdk.ExtensionSupportRequiredError,
  VersionNotSupported: sdk.VersionNotSupportedError,
  InvalidParams: sdk.RequestMalformedError,
};

describe('the table', () => {
  it('has the nine errors of A2A', () => {
    const codes = Object.values(AGENT_ERRORS).map(({ code }) => code as number);
    expect(codes.filter((code) => code > -32100)).toEqual([-32001, -32002, -32003, -32004, -32005, -32006, -32007, -32008, -32009]);
  });

  it.each(Object.entries(SDK))('writes %s as the official SDK does', (name, Kind) => {
    const error = agentError(name as AgentErrorName, 'Words.', { a: 'b' });
    const theirs = new Kind({ message: 'Words.', metadata: { a: 'b' } });
    expect(wireOf('1.0', 'JSONRPC').writeError(error, 1)).toMatchObject({ status: 200, body: { error: sdk.toJsonRpcError(theirs) } });
    const status = sdk.restStatusFor(theirs);
    expect(wireOf('1.0', 'HTTP+JSON').writeError(error, null)).toMatchObject({ status, body: sdk.toRestErrorBody(theirs, status) });
  });

  it.each([
    ['ParseError', -32700, 400, 200],
    ['InvalidRequest', -32600, 400, 200],
    ['MethodNotFound', -32601, 404, 200],
    ['InvalidParams', -32602, 400, 200],
    ['InternalError', -32603, 500, 500],
  ] as const)('has %s of JSON-RPC', (name, code, rest, rpc) => {
    const error = agentError(name);
    expect([error.code, httpStatusOf(error), rpcStatusOf(error)]).toEqual([code, rest, rpc]);
  });

  it('takes words and metadata', () => {
    expect(agentError('TaskNotFound', 'No task 7.', { taskId: '7' })).toMatchObject({
      message: 'No task 7.',
      outcome: 'not_found',
      details: [{ reason: 'TASK_NOT_FOUND', metadata: { taskId: '7' } }],
    });
  });
});

describe('agentErrorFrom', () => {
  it.each([
    ['upstream_unreachable', -32603, 502, 502, 'UNAVAILABLE'],
    ['upstream_failed', -32603, 502, 502, 'UNAVAILABLE'],
    ['unavailable', -32603, 503, 503, 'UNAVAILABLE'],
    ['upstream_timeout', -32603, 504, 504, 'DEADLINE_EXCEEDED'],
    ['internal', -32603, 500, 500, 'INTERNAL'],
    ['limit_exceeded', -32603, 429, 429, 'RESOURCE_EXHAUSTED'],
    ['rule_refused', -32603, 403, 403, 'PERMISSION_DENIED'],
    ['forbidden', -32603, 403, 403, 'PERMISSION_DENIED'],
    ['unauthenticated', -32603, 401, 401, 'UNAUTHENTICATED'],
    ['bad_request', -32602, 400, 200, 'INVALID_ARGUMENT'],
    ['not_implemented', -32004, 400, 200, 'FAILED_PRECONDITION'],
    ['unsupported_media_type', -32005, 400, 200, 'INVALID_ARGUMENT'],
    ['body_too_large', -32600, 413, 413, 'INVALID_ARGUMENT'],
    ['not_found', -32600, 404, 404, 'NOT_FOUND'],
  ] as const)('makes %s %i with HTTP %i, %i under JSON-RPC', (code, rpc, http, rpcHttp, word) => {
    const error = agentErrorFrom(new GatewayError(code, 'Public words.', { detail: 'secret' }));
    expect([error.code, httpStatusOf(error), rpcStatusOf(error), statusWordOf(error)]).toEqual([rpc, http, rpcHttp, word]);
    expect(error).toMatchObject({ message: 'Public words.', outcome: code });
    expect(JSON.stringify([error.message, error.details])).not.toContain('secret');
  });

  it('names the rule, and says when to try again', () => {
    expect(agentErrorFrom(new GatewayError('rule_refused', undefined, { rule: 'office-hours' })).details).toEqual([
      { '@type': expect.any(String), reason: 'RULE_REFUSED', domain: 'hubgate', metadata: { rule: 'office-hours' } },
    ]);
    expect(agentErrorFrom(new GatewayError('limit_exceeded', undefined, { retryAfterMs: 1200 })).details?.[1]).toEqual({
      '@type': 'type.googleapis.com/google.rpc.RetryInfo',
      retryDelay: '2s',
    });
  });

  it('keeps an error of A2A, also one that has been through the pipeline', () => {
    const error = new AgentError(-32001, 'gone', [{ a: 1 }], 'not_found');
    expect(agentErrorFrom(error)).toBe(error);
    expect(agentErrorFrom(GatewayError.from(error))).toBe(error);
  });

  it('tells nothing of what it does not know', () => {
    expect(agentErrorFrom(new TypeError('x is not a function'))).toMatchObject({ code: -32603, outcome: 'internal' });
    expect(JSON.stringify(agentErrorFrom('a secret'))).not.toContain('a secret');
  });
});
