import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../../src/core/call.ts';
import { GatewayError } from '../../../../src/core/errors.ts';
import type { RequestSigner, UpstreamRequest } from '../../../../src/core/upstream.ts';
import { attempt, beforeAttempt, type Prepared, type Send } from '../../../../src/pipeline/attempts/attempt.ts';
import { composeChain, type BoundPolicy } from '../../../../src/pipeline/chain.ts';
import type { LiveCall } from '../../../../src/pipeline/live-call.ts';
import { toolCall } from '../live-calls.ts';

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const REQUEST: UpstreamRequest = { method: 'GET', origin: 'http://vendor.test', path: '/', headers: {}, trust: 'operator' };
const NOBODY = composeChain([], 'tools');
const target = { name: 'pets', upstream: 'pets' };
const onAttempt = (hook: NonNullable<BoundPolicy['hooks']['onAttempt']>, more: Partial<BoundPolicy> = {}) =>
  composeChain([{ name: 'watch', stage: 'limit', hooks: { onAttempt: hook }, ...more }], 'tools');

/** Answers with each status in turn; `sent` has the requests. */
function answering(...statuses: number[]): { readonly sent: UpstreamRequest[]; readonly send: Send<Answer>; readonly left: () => number } {
  const sent: UpstreamRequest[] = [];
  let left = 0;
  const body = {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.reject(new Error('nobody reads it')),
      return: async () => {
        left += 1;
        return { done: true as const, value: undefined };
      },
    }),
  };
  return {
    sent,
    left: () => left,
    async send(request) {
      sent.push(request);
      return { status: statuses[sent.length - 1] ?? 200, body };
    },
  };
}

/** Writes which of its signatures a request has. */
function signer(name: string, refreshable = false): RequestSigner {
  let fresh = 0;
  return {
    refreshable,
    sign: (request, { refresh }) => {
      fresh += refresh ? 1 : 0;
      return { ...request, headers: { ...request.headers, [name]: `${fresh}` } };
    },
  };
}

const prepared = (...signers: RequestSigner[]): Prepared => ({ request: REQUEST, signers });
function begun(): LiveCall<'tools'> {
  const call = toolCall();
  call.attempts = 2;
  call.target = target;
  return call;
}

describe('one attempt', () => {
  it('sends the request as it is, until the attempt is called off', async () => {
    const call = begun();
    const seen: unknown[] = [];
    const answer = await attempt(call, NOBODY, prepared(), async (request, { signal }) => {
      seen.push(request, signal);
      return { status: 401, body: '' };
    });
    expect(answer.status).toBe(401);
    expect(seen).toEqual([REQUEST, call.attemptCancellation]);
  });

  it('is signed by all, in their order', async () => {
    const { sent, send } = answering();
    const late: RequestSigner = {
      refreshable: false,
      sign: async (request) => ({ ...request, path: `/${Object.keys(request.headers).join()}` }),
    };
    await attempt(begun(), NOBODY, prepared(signer('a'), late, signer('b')), send);
    expect(sent).toMatchObject([{ path: '/a', headers: { a: '0', b: '0' } }]);
  });

  it('with a 401 is sent once more with fresh credentials, and the answer that nobody reads is let go', async () => {
    const { sent, send, left } = answering(401, 401, 200);
    const answer = await attempt(begun(), NOBODY, prepared(signer('token', true)), send);
    expect([answer.status, sent.map(({ headers }) => headers['token']), left()]).toEqual([401, ['0', '1'], 1]);
    const fixed = answering(401);
    expect((await attempt(begun(), NOBODY, prepared(signer('key')), fixed.send)).status).toBe(401);
    expect([fixed.sent.length, fixed.left()]).toEqual([1, 0]);
    const other = answering(403);
    await attempt(begun(), NOBODY, prepared(signer('token', true)), other.send);
    expect(other.sent).toHaveLength(1);
  });

  it('is told to the policies before it is signed and sent, with its number and target', async () => {
    const order: unknown[] = [];
    const chain = onAttempt(async (_, what: Attempt) => {
      await Promise.resolve();
      order.push(what);
    });
    const sign = signer('a');
    const noted: RequestSigner = { ...sign, sign: (...args) => (order.push('sign'), sign.sign(...args)) };
    await attempt(begun(), chain, prepared(noted), async () => (order.push('send'), { status: 200, body: '' }));
    expect(order).toEqual([{ number: 2, target }, 'sign', 'send']);
  });

  it('that a policy refuses is not sent', async () => {
    const { sent, send } = answering();
    const refuse = onAttempt(() => Promise.reject(new GatewayError('limit_exceeded', 'too many')));
    await expect(attempt(begun(), refuse, prepared(), send)).rejects.toMatchObject({ code: 'limit_exceeded' });
    const elsewhere = onAttempt(() => Promise.reject(new GatewayError('forbidden')), { applies: () => false });
    await attempt(begun(), elsewhere, prepared(), send);
    expect(sent).toHaveLength(1);
  });

  it('is not sent for a client who has left, also while the policies were asked', async () => {
    const gone = begun();
    gone.abort(new GatewayError('client_closed'));
    const { sent, send } = answering();
    // Without anything to wait for it throws at once.
    await expect((async () => attempt(gone, NOBODY, prepared(), send))()).rejects.toMatchObject({ code: 'client_closed' });
    const leaving = begun();
    const chain = onAttempt(() => leaving.abort(new GatewayError('client_closed')));
    await expect(attempt(leaving, chain, prepared(), send)).rejects.toMatchObject({ code: 'client_closed' });
    await expect(beforeAttempt(gone, NOBODY)).rejects.toMatchObject({ code: 'client_closed' });
    expect(sent).toEqual([]);
  });
});
