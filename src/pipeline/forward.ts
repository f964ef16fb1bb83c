import type { Lane, Target } from '../core/call.ts';
import { GatewayError } from '../core/errors.ts';
import type { Cancellation, RequestSigner, UpstreamRequest } from '../core/upstream.ts';
import type { Chain } from './chain.ts';
import { guarded } from './guarded.ts';
import type { LiveCall } from './live-call.ts';

/** A request that a lane prepared for one target. */
export interface Prepared {
  readonly target: Target;
  readonly request: UpstreamRequest;
  readonly signers: readonly RequestSigner[];
}

/** How the request is sent: `send` of UpstreamHttp for a whole answer, `open` for one that comes piece by piece. */
export type Send<R> = (request: UpstreamRequest, options: { readonly signal: Cancellation }) => Promise<R>;

/**
 * Sends one prepared request: the only place where a call leaves the hub. Before the attempt the `onAttempt` hooks run; a 401 is tried once
 * more with refreshed credentials, inside the same attempt. Throws GatewayError (`upstream_*`, `egress_refused`, `client_closed`).
 */
export function forward<L extends Lane, R extends { readonly status: number; readonly body: unknown }>(
  call: LiveCall<L>,
  chain: Chain,
  prepared: Prepared,
  send: Send<R>,
): Promise<R> {
  call.attempts += 1;
  call.target = prepared.target;
  // Nothing to wait for, as for nearly all: one promise less.
  if (chain.onAttempt.length === 0 && prepared.signers.length === 0) {
    if (call.cancellation.aborted) throw new GatewayError('client_closed');
    return send(prepared.request, { signal: call.cancellation });
  }
  return attempt(call, chain, prepared, send);
}

async function attempt<L extends Lane, R extends { readonly status: number; readonly body: unknown }>(
  call: LiveCall<L>,
  chain: Chain,
  prepared: Prepared,
  send: Send<R>,
): Promise<R> {
  const attempt = { number: call.attempts, target: prepared.target };
  for (const step of chain.onAttempt) {
    if (step.applies?.(call as never) === false) continue;
    const hook = guarded(step, call, () => step.hooks.onAttempt!(call as never, attempt));
    if (hook instanceof Promise) await hook;
  }
  if (call.cancellation.aborted) throw new GatewayError('client_closed');
  const { signers } = prepared;
  const until = { signal: call.cancellation };
  const response = await send(await signed(prepared, false), until);
  if (response.status !== 401 || !signers.some((signer) => signer.refreshable)) return response;
  await letGo(response);
  return send(await signed(prepared, true), until);
}

/** An answer that nobody reads would hold its connection. */
async function letGo({ body }: { readonly body: unknown }): Promise<void> {
  await (body as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator]?.().return?.();
}

async function signed(prepared: Prepared, refresh: boolean): Promise<UpstreamRequest> {
  let { request } = prepared;
  for (const signer of prepared.signers) {
    const result = signer.sign(request, { refresh });
    request = result instanceof Promise ? await result : result;
  }
  return request;
}
