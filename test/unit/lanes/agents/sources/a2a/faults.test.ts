import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AgentError } from '../../../../../../src/core/agents.ts';
import { GatewayError } from '../../../../../../src/core/errors.ts';
import { createMask } from '../../../../../../src/lanes/agents/sources/a2a/mask.ts';
import { maskedFault } from '../../../../../../src/lanes/agents/sources/a2a/masked-fault.ts';
import { agent, answerJson, ask, RPC_1_0, sourceOf } from './an-agent.ts';

const REST = { path: '/rest', binding: 'HTTP+JSON', version: '1.0' };
const INFO = {
  '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
  reason: 'TASK_NOT_FOUND',
  domain: 'a2a-protocol.org',
  metadata: { taskId: 't9' },
};

async function failing(
  status: number,
  body: unknown,
  options: { rest?: boolean; headers?: Record<string, string> } = {},
): Promise<unknown> {
  const { cardUrl } = await agent(
    (_, res) => {
      for (const [name, value] of Object.entries(options.headers ?? {})) res.setHeader(name, value);
      if (typeof body === 'string') res.writeHead(status).end(body);
      else answerJson(res, body, status);
    },
    { interfaces: [options.rest === true ? REST : RPC_1_0] },
  );
  return ask(sourceOf(cardUrl), 'tasks/get', { id: 't9' }).then(
    () => 'no error',
    (error: unknown) => error,
  );
}

describe('an error of the agent', () => {
  test.each([
    ['JSON-RPC', 200, { jsonrpc: '2.0', id: 1, error: { code: -32001, message: 'Gone: t9', data: [INFO] } }, false],
    ['HTTP', 404, { error: { code: 404, status: 'NOT_FOUND', message: 'Gone: t9', details: [INFO] } }, true],
  ])('over %s keeps code, message and details', async (_, status, body, rest) => {
    const error = await failing(status, body, { rest });
    expect(error).toBeInstanceOf(AgentError);
    expect(error).toMatchObject({ code: -32001, message: 'Gone: t9', details: [INFO], outcome: 'not_found' });
  });

  test('has no address of the agent in it', async () => {
    const { cardUrl, origin } = await agent(
      (_, res) => answerJson(res, { jsonrpc: '2.0', id: 1, error: { code: -32050, message: `POST ${origin}/secret/base/rpc failed`, data: [{ at: [origin.slice(7), 'fine'], path: '/secret/base/rpc/tasks' }] } }), // prettier-ignore
      { interfaces: [{ ...RPC_1_0, path: '/secret/base/rpc' }] },
    );
    const error: unknown = await ask(sourceOf(cardUrl), 'tasks/get', { id: 't9' }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: -32050, message: 'POST [agent] failed', details: [{ at: ['fine'], path: '[agent]/tasks' }] });
  });

  test('has no secret in it', async () => {
    const { cardUrl } = await agent((_, res) => answerJson(res, { jsonrpc: '2.0', id: 1, error: { code: -32050, message: 'Bad token s3cret', data: [{ s3cret: 's3cret' }] } })); // prettier-ignore
    const way = sourceOf(cardUrl, {}, { redact: (text) => text.replaceAll('s3cret', '[redacted]') });
    await expect(ask(way, 'tasks/get', { id: 't9' })).rejects.toMatchObject({
      message: 'Bad token [redacted]',
      details: [{ '[redacted]': '[redacted]' }],
    });
  });
});

describe('an answer that is none of A2A', () => {
  test.each([
    [401, { error: { code: 401, message: 'No' } }, {}, { code: 'upstream_unauthorized' }],
    [403, 'Forbidden', {}, { code: 'upstream_unauthorized' }],
    [
      429,
      { jsonrpc: '2.0', id: 1, error: { code: -32603, message: 'Slow down' } },
      { 'retry-after': '7' },
      { code: 'upstream_limited', retryAfterMs: 7_000 },
    ],
    [502, '<h1>Bad gateway</h1>', {}, { code: 'upstream_failed' }],
    [503, '<h1>Busy</h1>', { 'retry-after': '3' }, { code: 'upstream_overloaded', retryAfterMs: 3_000 }],
    [504, '', {}, { code: 'upstream_timeout' }],
    [200, '<html>', {}, { code: 'upstream_failed' }],
    [302, '', { location: 'http://elsewhere.test/' }, { code: 'upstream_failed' }],
  ])('with %i is a fault of the way', async (status, body, headers, fault) => {
    for (const rest of [false, true]) {
      const error = await failing(status, body, { rest, headers });
      expect(error).toBeInstanceOf(GatewayError);
      expect(error).toMatchObject(fault);
      expect((error as Error).message).toMatch(/^The agent /);
    }
  });

  test('with 503 and the words of A2A is an error of the agent', async () => {
    const error = await failing(503, { jsonrpc: '2.0', id: 1, error: { code: -32603, message: 'Not now' } });
    expect(error).toMatchObject({ name: 'AgentError', code: -32603, message: 'Not now' });
  });

  test('and none at all name the agent and not its address', async () => {
    const { cardUrl, server } = await agent((_, res) => void res.socket?.destroy());
    const way = sourceOf(cardUrl);
    await expect(ask(way, 'tasks/get', { id: 't9' })).rejects.toMatchObject({ code: 'upstream_unreachable', message: expect.stringMatching(/^The agent closed/), unsent: false }); // prettier-ignore
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
    await expect(ask(way, 'tasks/get', { id: 't9' })).rejects.toMatchObject({ code: 'upstream_unreachable', message: expect.stringMatching(/^The agent could not be reached/), unsent: true }); // prettier-ignore
  });
});

describe('the mask', () => {
  const label = fc.stringMatching(/^[a-z][a-z0-9]{2,9}-[a-z0-9]{1,6}$/);
  const address = fc.record({
    scheme: fc.constantFrom('http', 'https'),
    host: fc.oneof(
      fc.tuple(label, fc.constantFrom('internal', 'corp.example')).map((parts) => parts.join('.')),
      label,
      fc.ipV4(),
      fc.ipV6().map((ip) => `[${ip}]`),
    ),
    port: fc.option(fc.integer({ min: 1024, max: 65_535 }), { nil: undefined }),
    path: fc.array(label, { maxLength: 3 }).map((parts) => parts.map((part) => `/${part}`).join('')),
  });

  test('leaves nothing of an address in messages and details, wherever it stands', () => {
    fc.assert(
      fc.property(
        address,
        fc.constantFrom('', ':', '"', '(', ' at ', 'e='),
        fc.constantFrom('', '.', ')', '/tasks/1', '?a=b', ', twice'),
        (at, before, after) => {
          const url = URL.parse(`${at.scheme}://${at.host}${at.port === undefined ? '' : `:${at.port}`}${at.path}`)!;
          const mask = createMask([url.href], (text) => text);
          const texts = [url.href, `${url.host}`, `//${url.host}${url.pathname}`, encodeURIComponent(url.href)].map(
            (text) => `It was ${before}${text}${after}`,
          );
          for (const text of texts) {
            const error = maskedFault(new AgentError(-32603, text, [{ deep: [{ text }] }]), mask) as AgentError;
            const seen = `${error.message} ${JSON.stringify(error.details)}`.toLowerCase();
            expect(seen).not.toContain(url.hostname);
            expect(error.code).toBe(-32603);
          }
        },
      ),
    );
  });

  test('leaves alone what is no address', () => {
    const mask = createMask(['http://weather:8080/a2a', 'demo:echo/'], (text) => text);
    const details = [
      { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', n: 8080, text: 'The weather in /a2ab is demo:echo at https://example.com/a' },
    ];
    const error = maskedFault(new AgentError(-32603, 'No weather today', details), mask);
    expect(error).toMatchObject({ message: 'No weather today', details });
  });
});
