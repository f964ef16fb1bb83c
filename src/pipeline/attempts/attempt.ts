import type { Lane } from '../../core/call.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Cancellation, RequestSigner, UpstreamRequest } from '../../core/upstream.ts';
import type { Chain } from '../chain.ts';
import { guarded } from '../guarded.ts';
import type { LiveCall } from '../live-call.ts';

/** A request that a lane prepared for the target that is tried. */
export interface Prepared {
  readonly request: UpstreamRequest;
  readonly signers: readonly RequestSigner[];
}

/** How the request is sent: `send` of UpstreamHttp for a whole answer, `open` for one that comes piece by piece. */
export type Send<R> = (request: UpstreamRequest, options: { readonly signal: Cancellation }) => Promise<R>;

/**
 * Sends one prepared request for the attempt that `forward` has begun: the only place where a call leaves the hub. Before it the `onAttempt` hooks
 * run; a 401 is tried once more with refreshed credentials. Throws GatewayError (`upstream_*`, `egress_refused`, `client_closed`).
 */
export function attempt<L extends Lane, R extends { readonly status: number; readonly body: unknown }>(
  call: LiveCall<L>,
  chain: Chain,
  prepared: Prepared,
  send: Send<R>,
): Promise<R> {
  // Nothing to wait for, as for nearly all: one promise less.
  if (chain.onAttempt.length > 0 || prepared.signers.length > 0) return signedAttempt(call, chain, prepared, send);
  if (call.cancellation.aborted) throw new GatewayError('client_closed');
  return send(prepared.request, { signal: call.attemptCancellation });
}

async function signedAttempt<L extends Lane, R extends { readonly status: number; readonly body: unknown }>(
  call: LiveCall<L>,
  chain: Chain,
  prepared: Prepared,
  send: Send<R>,
): Promise<R> {
  await beforeAttempt(call, chain);
  const { signers } = prepared;
  const until = { signal: call.attemptCancellation };
  const response = await send(await signed(prepared, false), until);
  if (response.status !== 401 || !signers.some((signer) => signer.refreshable)) return response;
  await letGo(response);
  return send(await signed(prepared, true), until);
}

/** The `onAttempt` hooks, for what does not go out as one request. Throws what they throw, and `client_closed`. */
export async function beforeAttempt<L extends Lane>(call: LiveCall<L>, chain: Chain): Promise<void> {
  if (chain.onAttempt.length > 0 && call.target !== undefined) {
    const what = { number: call.attempts, target: call.target };
    for (const step of chain.onAttempt) {
      if (!call.concerns(step)) continue;
      const hook = guarded(step, call, () => step.hooks.onAttempt!(call as never, what));
      if (hook instanceof Promise) await hook;
    }
  }
  if (call.cancellation.aborted) throw new GatewayError('client_closed');
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
