import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../../src/core/errors.ts';
import { failure, silent, timedOut, tooLarge, type Progress } from '../../../src/upstreams/failures.ts';

const NOT_SENT: Progress = { host: 'a.test', sent: false, answered: false };
const SENT: Progress = { host: 'a.test', sent: true, answered: false };
const ANSWERED: Progress = { host: 'a.test', sent: true, answered: true };
const error = (code: string, name = 'Error', message = 'http://user:pw@a.test/x?key=1'): Error & { code: string } =>
  Object.assign(new Error(message), { code, name });

describe('what never left is known to be unsent', () => {
  it.each<[string, GatewayError, boolean]>([
    ['a name that does not resolve', failure(error('ENOTFOUND'), NOT_SENT), true],
    ['no connection in time', failure(error('UND_ERR_CONNECT_TIMEOUT'), NOT_SENT), true],
    ['a request that cannot be written', failure(error('UND_ERR_INVALID_ARG', 'Error', 'invalid header'), NOT_SENT), true],
    ['time that was up before', timedOut(NOT_SENT, 1_000), true],
    ['a connection that closed after it', failure(error('ECONNRESET'), SENT), false],
    ['an answer that is not HTTP', failure(error('HPE_INVALID', 'HTTPParserError'), SENT), false],
    ['time that was up after', timedOut(SENT, 1_000), false],
    ['an answer that broke off', failure(error('ECONNRESET'), ANSWERED), false],
    ['an answer that stopped', silent(ANSWERED, 1_000), false],
    ['an answer that is too large', tooLarge('a.test', 5), false],
  ])('%s', (_, { unsent, message }, expected) => {
    expect(unsent).toBe(expected);
    expect(message).not.toMatch(/pw|key=/);
  });

  it('a person reads the same', () => {
    for (const made of [failure, (_: unknown, progress: Progress) => timedOut(progress, 1_000)])
      for (const progress of [NOT_SENT, SENT]) {
        const { unsent, message } = made(error('ECONNRESET'), progress);
        expect(message).toContain(unsent ? 'The request was not sent.' : 'may have been carried out');
      }
  });

  it('an error that is the hub’s already stays as it is', () => {
    const own = new GatewayError('egress_refused', 'no', { unsent: true });
    expect(failure(own, SENT)).toBe(own);
  });
});

it('an error is not unsent unless somebody knows', () => {
  expect(new GatewayError('upstream_failed').unsent).toBe(false);
  expect(GatewayError.from(new Error('x')).unsent).toBe(false);
  expect(GatewayError.from(new GatewayError('upstream_failed', undefined, { unsent: true })).unsent).toBe(true);
});
