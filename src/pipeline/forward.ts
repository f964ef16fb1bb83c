import type { Lane, Target } from '../core/call.ts';
import { GatewayError } from '../core/errors.ts';
import type { RequestSigner, UpstreamRequest, UpstreamResponse } from '../core/upstream.ts';
import type { UpstreamHttp } from '../upstreams/http.ts';
import type { Chain } from './chain.ts';
import { guarded } from './guarded.ts';
import type { LiveCall } from './live-call.ts';

/** A request that a lane prepared for one target. */
export interface Prepared {
  readonly target: Target;
  readonly request: UpstreamRequest;
  readonly signers: readonly RequestSigner[];
}

/**
 * Sends one prepared request: the only place where a call leaves the hub. Before the attempt the `onAttempt` hooks run; a 401 is tried once
 * more with refreshed credentials, inside the same attempt. Throws GatewayError (`upstream_*`, `egress_refused`, `client_closed`).
 */
export async function forward<L extends Lane>(
  call: LiveCall<L>,
  chain: Chain,
  prepared: Prepared,
  http: UpstreamHttp,
): Promise<UpstreamResponse> {
  call.attempts += 1;
  if (chain.onAttempt.length > 0) {
    const attempt = { number: call.attempts, target: prepared.target };
    for (const step of chain.onAttempt) {
      if (step.applies?.(call as never) === false) continue;
      const hook = guarded(step, call, () => step.hooks.onAttempt!(call as never, attempt));
      if (hook instanceof Promise) await hook;
    }
  }
  if (call.cancellation.aborted) throw new GatewayError('client_closed');
  const { signers } = prepared;
  const until = { signal: call.cancellation };
  if (signers.length === 0) return http.send(prepared.request, until);
  const response = await http.send(await signed(prepared, false), until);
  if (response.status !== 401 || !signers.some((signer) => signer.refreshable)) return response;
  return http.send(await signed(prepared, true), until);
}

async function signed(prepared: Prepared, refresh: boolean): Promise<UpstreamRequest> {
  let { request } = prepared;
  for (const signer of prepared.signers) {
    const result = signer.sign(request, { refresh });
    request = result instanceof Promise ? await result : result;
  }
  return request;
}
