import type { RequestSigner, UpstreamRequest, UpstreamResponse, UpstreamStream } from '../../../../../core/upstream.ts';
import type { AgentLine } from '../../../../../core/contracts/agent-source.ts';
import type { UpstreamHttp } from '../../../../../upstreams/http.ts';
import type { Secret } from '../../../../../core/secret.ts';
import type { FilledRequest } from '../template/template.ts';

/** The way to the application for one task: it does not end with the call that began the task. */
export interface AppLine {
  open(request: FilledRequest): Promise<UpstreamStream>;
  send(request: FilledRequest): Promise<UpstreamResponse>;
  /** Fires when the task is canceled, and when the hub stops. */
  readonly signal: AbortSignal;
}

/** Milliseconds, as `timeouts:` of the agent has them. */
export interface AppTimeouts {
  readonly connect?: number;
  readonly firstByte?: number;
  readonly idle?: number;
  readonly total?: number;
}

export interface AppAccess {
  readonly origin: string;
  readonly trust: UpstreamRequest['trust'];
  /** Credentials and whatever else the operator sends with every request. */
  readonly signers: readonly RequestSigner[];
  readonly headers: Readonly<Record<string, Secret>>;
  readonly timeouts: AppTimeouts;
}

/** An application may think for long. */
const TOTAL_MS = 600_000;
/** For what is asked beside the conversation: a job, its end. */
const ASIDE_MS = 30_000;
const LARGEST = 16_000_000;

/** Through the call that brought the message: its hooks run. */
export function callLine(access: AppAccess, line: AgentLine, signal: AbortSignal): AppLine {
  return {
    signal,
    open: (request) => line.open(addressed(access, request), access.signers, signal),
    send: (request) => line.send(addressed(access, request, ASIDE_MS), access.signers, signal),
  };
}

/** When no call is there: for a job that is watched, and for tasks that go on after a restart. Credentials are as fresh as in a call. */
export function ownLine(access: AppAccess, http: Pick<UpstreamHttp, 'send' | 'open'>, signal: AbortSignal): AppLine {
  return {
    signal,
    open: async (request) => {
      const answer = await http.open(await signed(access, addressed(access, request), false), { signal });
      if (answer.status !== 401 || !isRefreshable(access)) return answer;
      await answer.body[Symbol.asyncIterator]().return?.();
      return http.open(await signed(access, addressed(access, request), true), { signal });
    },
    send: async (request) => {
      const answer = await http.send(await signed(access, addressed(access, request, ASIDE_MS), false), { signal });
      if (answer.status !== 401 || !isRefreshable(access)) return answer;
      return http.send(await signed(access, addressed(access, request, ASIDE_MS), true), { signal });
    },
  };
}

function isRefreshable({ signers }: AppAccess): boolean {
  return signers.some((signer) => signer.refreshable);
}

async function signed({ signers }: AppAccess, request: UpstreamRequest, refresh: boolean): Promise<UpstreamRequest> {
  let result = request;
  for (const signer of signers) result = await signer.sign(result, { refresh });
  return result;
}

function addressed({ origin, trust, headers, timeouts }: AppAccess, request: FilledRequest, limitMs = Infinity): UpstreamRequest {
  const { connect, firstByte, idle, total = TOTAL_MS } = timeouts;
  const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value.reveal()] as const);
  const { method, path, body } = request;
  return {
    method,
    origin,
    path,
    headers: { ...request.headers, ...Object.fromEntries(own) },
    trust,
    timeoutMs: Math.min(total, limitMs),
    maxBytes: LARGEST,
    ...(body === undefined ? {} : { body }),
    ...(connect === undefined ? {} : { connectMs: connect }),
    ...(firstByte === undefined ? {} : { firstByteMs: firstByte }),
    idleMs: idle ?? Math.min(total, TOTAL_MS),
  };
}
