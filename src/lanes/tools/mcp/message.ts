import { isObject, type JsonObject } from '../../../core/json.ts';
import type { RpcError } from '../wire-errors.ts';

export type RpcId = string | number;

export interface RpcRequest {
  readonly kind: 'request';
  readonly id: RpcId;
  readonly method: string;
  readonly params: JsonObject;
}

export interface RpcNotification {
  readonly kind: 'notification';
  readonly method: string;
  readonly params: JsonObject;
}

export interface RpcResponse {
  readonly kind: 'response';
  readonly id: RpcId;
  readonly result?: JsonObject;
  readonly error?: RpcError;
}

export type RpcMessage = RpcRequest | RpcNotification | RpcResponse;

/** A message refused before it is dispatched: the HTTP status and the JSON-RPC error that says why. */
export interface Rejection {
  readonly status: number;
  readonly error: RpcError;
}

const NONE: JsonObject = Object.freeze({});

/** Reads one JSON-RPC 2.0 message (section 4 and 5); undefined when it is none. `params` that are absent read as empty. */
export function readMessage(value: unknown): RpcMessage | undefined {
  if (!isObject(value) || value['jsonrpc'] !== '2.0') return undefined;
  const { id, method, params } = value;
  if (method === undefined) return readResponse(value);
  if (typeof method !== 'string' || (params !== undefined && !isObject(params))) return undefined;
  if (id === undefined) return { kind: 'notification', method, params: params ?? NONE };
  if (typeof id !== 'string' && typeof id !== 'number') return undefined;
  return { kind: 'request', id, method, params: params ?? NONE };
}

function readResponse(value: JsonObject): RpcResponse | undefined {
  const { id, result, error } = value;
  if (typeof id !== 'string' && typeof id !== 'number') return undefined;
  if (isObject(result)) return { kind: 'response', id, result };
  if (isObject(error) && typeof error['code'] === 'number') return { kind: 'response', id, error: error as unknown as RpcError };
  return undefined;
}

/** The id of something that may not even be a message, for the answer that refuses it. */
export function idOf(value: unknown): RpcId | null {
  const id = isObject(value) ? value['id'] : undefined;
  return typeof id === 'string' || typeof id === 'number' ? id : null;
}

export function errorMessage(id: RpcId | null, error: RpcError): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error });
}

export function notificationMessage(method: string, params?: JsonObject): string {
  return JSON.stringify(params === undefined ? { jsonrpc: '2.0', method } : { jsonrpc: '2.0', method, params });
}

/** A result message from a result that is already JSON. */
export function resultMessage(id: RpcId, result: string): string {
  return `{"jsonrpc":"2.0","id":${typeof id === 'number' ? id : JSON.stringify(id)},"result":${result}}`;
}
