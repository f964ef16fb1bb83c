import { SourceError } from '../../core/contracts/tool-source.ts';
import { GatewayError, type ErrorCode } from '../../core/errors.ts';
import { errorResult, type ToolsReply } from '../../core/tools.ts';

/** A JSON-RPC error object. */
export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** JSON-RPC 2.0 section 5.1 and the codes that MCP reserves (2026-07-28 basic, changelog). */
export const RPC = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  server: -32000,
  headerMismatch: -32020,
  missingCapability: -32021,
  unsupportedVersion: -32022,
} as const;

/** Errors of a call that are JSON-RPC errors even for `tools/call`; all others become results that the model can act on. */
const PROTOCOL: Partial<Record<ErrorCode, number>> = {
  tool_unknown: RPC.invalidParams,
  bad_request: RPC.invalidParams,
  unauthenticated: RPC.server,
  internal: RPC.internal,
};

/** A result with `isError` where the model should read it, else a JSON-RPC error. */
export type WireFailure = { readonly result: ToolsReply } | { readonly error: RpcError };

/** What a failed operation looks like on the wire. Policies and sources choose their words, so what they say is masked. */
export function toWire(operation: string, thrown: unknown, redact: (text: string) => string): WireFailure {
  if (thrown instanceof SourceError) {
    return { error: { code: thrown.code, message: redact(thrown.message), ...(thrown.data === undefined ? {} : { data: thrown.data }) } };
  }
  const error = GatewayError.from(thrown);
  const code = PROTOCOL[error.code];
  if (code !== undefined) return { error: { code, message: redact(error.message) } };
  if (operation !== 'tools/call') return { error: { code: RPC.server, message: redact(error.message) } };
  return { result: errorResult(redact(sentence(error))) };
}

/** Hidden and unknown tools are told apart by nothing: the same words, built in the same way. */
export function unknownTool(name: string): GatewayError {
  return new GatewayError('tool_unknown', `Unknown tool: ${name}`);
}

function sentence(error: GatewayError): string {
  const rule = error.rule === undefined ? '' : ` Rule: ${error.rule}.`;
  const saysWhen = /try again|begins anew/i.test(error.message);
  const wait = error.retryAfterMs === undefined || saysWhen ? '' : ` Try again in ${Math.ceil(error.retryAfterMs / 1000)} s.`;
  const next = wait !== '' || saysWhen || !error.retryable ? '' : ' This may pass: try again in a moment, or go on without this tool.';
  return `${error.message}${rule}${wait}${next}`;
}
