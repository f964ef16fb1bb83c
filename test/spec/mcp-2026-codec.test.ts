import fc from 'fast-check';
import { createMcpHandler, isLegacyRequest, Server } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import { readMessage } from '../../src/lanes/tools/mcp/message.ts';
import { check, checkParameterHeaders, claims, encodeResult, META, methodNotFound, METHODS } from '../../src/lanes/tools/mcp/rev2026.ts';

/** The SDK as the oracle: what our lean codec refuses and accepts has to be what the SDK's own handler does with the same request. */
const handler = createMcpHandler(
  () => {
    const server = new Server({ name: 'oracle', version: '1.0.0' }, { capabilities: { tools: {}, resources: {}, prompts: {} } });
    server.setRequestHandler('tools/list', () => ({ tools: [] }));
    server.setRequestHandler('tools/call', () => ({ content: [] }));
    server.setRequestHandler('resources/read', () => ({ contents: [] }));
    server.setRequestHandler('prompts/get', () => ({ messages: [] }));
    return server;
  },
  { legacy: 'reject' },
);

const VERSIONS = ['2026-07-28', '2025-11-25', '2099-01-01'];
const optional = <T>(values: readonly T[]) => fc.constantFrom(undefined, ...values);
const encoded = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`;

const requests = fc.record({
  method: fc.constantFrom('tools/list', 'tools/call', 'resources/read', 'prompts/get', 'ping', 'initialize', 'no/such'),
  name: fc.constantFrom('find', 'fünd', 'a b'),
  meta: fc.record({
    version: optional<unknown>([...VERSIONS, 7]),
    capabilities: optional<unknown>([{}, { sampling: {} }, 'none']),
    clientInfo: optional<unknown>([{ name: 'c', version: '1' }, { name: 'c' }]),
    logLevel: optional<unknown>(['info', 'loud']),
    progressToken: optional<unknown>([1, 'p']),
  }),
  withMeta: fc.boolean(),
  versionHeader: optional(VERSIONS),
  methodHeader: fc.constantFrom<'right' | 'wrong' | 'none'>('right', 'right', 'right', 'wrong', 'none'),
  nameHeader: fc.constantFrom<'right' | 'encoded' | 'wrong' | 'broken' | 'none'>('right', 'encoded', 'encoded', 'wrong', 'broken', 'none'),
});

function build(of: typeof requests extends fc.Arbitrary<infer T> ? T : never) {
  const key = of.method === 'resources/read' ? 'uri' : 'name';
  const named = ['tools/call', 'resources/read', 'prompts/get'].includes(of.method);
  const meta = Object.fromEntries(
    (
      [
        [META.version, of.meta.version],
        [META.capabilities, of.meta.capabilities],
        [META.clientInfo, of.meta.clientInfo],
        [META.logLevel, of.meta.logLevel],
        ['progressToken', of.meta.progressToken],
      ] as const
    ).filter(([, value]) => value !== undefined),
  );
  const params = { ...(named ? { [key]: of.name } : {}), ...(of.withMeta ? { _meta: meta } : {}) };
  const headers: Record<string, string> = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  if (of.versionHeader !== undefined) headers['mcp-protocol-version'] = of.versionHeader;
  if (of.methodHeader !== 'none') headers['mcp-method'] = of.methodHeader === 'right' ? of.method : 'tools/other';
  const plain = /^[\x21-\x7e]+$/.test(of.name) ? of.name : encoded(of.name);
  const nameHeaders = { right: plain, encoded: encoded(of.name), wrong: 'other', broken: '=?base64?*?=', none: undefined };
  const nameHeader = nameHeaders[of.nameHeader];
  if (nameHeader !== undefined) headers['mcp-name'] = nameHeader;
  return { headers, body: { jsonrpc: '2.0', id: 1, method: of.method, params } };
}

describe('revision 2026-07-28 read by the lean codec', () => {
  it('belongs to the era that the SDK says, and is refused with the same status and code', async () => {
    await fc.assert(
      fc.asyncProperty(requests.map(build), async ({ headers, body }) => {
        const asRequest = () => new Request('http://localhost/mcp', { method: 'POST', headers, body: JSON.stringify(body) });
        const message = readMessage(body);
        if (message?.kind !== 'request') throw new Error('not a request');
        const legacy = await isLegacyRequest(asRequest());
        // An initialize under a modern header is refused by both sides, whichever era it is counted in.
        expect(claims(headers, message)).toBe(!legacy);
        if (legacy) return;
        const answer = await handler.fetch(asRequest());
        const rejection = check(headers, message) ?? (METHODS.has(message.method) ? undefined : methodNotFound(message.method));
        const theirs =
          answer.status === 200
            ? undefined
            : { status: answer.status, code: ((await answer.json()) as { error: { code: number } }).error.code };
        expect(rejection === undefined ? undefined : { status: rejection.status, code: rejection.error.code }).toEqual(theirs);
      }),
      { numRuns: 600 },
    );
  });

  it('takes the values of mirrored arguments from headers, plain or base64, and refuses what differs', () => {
    const schema = {
      type: 'object',
      properties: { region: { type: 'string', 'x-mcp-header': 'Region' }, level: { type: 'integer', 'x-mcp-header': 'Level' } },
    };
    expect(checkParameterHeaders(schema, { region: 'eu', level: 3 }, { 'mcp-param-region': 'eu', 'mcp-param-level': '3' })).toBeUndefined();
    expect(checkParameterHeaders(schema, { region: 'ü' }, { 'mcp-param-region': encoded('ü') })).toBeUndefined();
    expect(checkParameterHeaders(schema, {}, { 'mcp-param-region': 'eu' })).toBeUndefined();
    expect(checkParameterHeaders(schema, { region: 'eu' }, {})).toMatchObject({ status: 400, error: { code: -32020 } });
    expect(checkParameterHeaders(schema, { region: 'eu' }, { 'mcp-param-region': 'us' })).toMatchObject({ error: { code: -32020 } });
    expect(checkParameterHeaders(schema, { region: 'eu' }, { 'mcp-param-region': '=?base64?*?=' })).toMatchObject({
      error: { code: -32020 },
    });
  });
});

describe('results of revision 2026-07-28 written by the lean codec', () => {
  const info = JSON.stringify({ name: 'hub', version: '1' });

  it('are the same JSON whether the fast or the careful way wrote them', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (result) => {
        delete result['_meta'];
        delete result['resultType'];
        delete result['__proto__'];
        const fast = JSON.parse(encodeResult(result, info, { ttlMs: 5, cacheScope: 'private' })) as object;
        const careful = JSON.parse(encodeResult({ ...result, _meta: {} }, info, { ttlMs: 5, cacheScope: 'private' })) as object;
        expect(fast).toEqual({ ...careful, ...('ttlMs' in result ? {} : { ttlMs: 5 }) });
      }),
    );
  });

  it('keep a result type that the source chose', () => {
    const written = JSON.parse(encodeResult({ resultType: 'input_required', requestState: 's' }, info)) as { resultType: string };
    expect(written.resultType).toBe('input_required');
  });
});
