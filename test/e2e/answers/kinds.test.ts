import type { JsonObject } from '../../../src/core/json.ts';
import type { Client } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendJson, startEchoServer, type EchoServer } from '../../support/echo-server.ts';
import { connectSdk, SDK_MODES } from '../../support/mcp-clients.ts';
import { startHub, type Hub } from '../../support/start-hub.ts';

const TABLE = `id,name\n${Array.from({ length: 20_000 }, (_, id) => `${id},thing ${id}\n`).join('')}`;
const PICTURE = Buffer.from('89504e470d0a1a0a', 'hex');
const PAGES = [['a', 'b'], ['c'], []];

const thing = { type: 'object', properties: { id: { type: 'integer' }, name: { type: 'string' } } };
const answering = (schema: JsonObject): JsonObject => ({ 200: { description: 'ok', content: { 'application/json': { schema } } } });
const get = (operationId: string, responses: JsonObject = {}): JsonObject => ({ get: { operationId, responses } });
const search = {
  type: 'object',
  properties: { '@cursor': { type: 'string' }, words: { type: 'string' } },
};
const document = {
  openapi: '3.1.0',
  info: { title: 'Things', version: '1' },
  paths: {
    '/one': get('one', answering(thing)),
    '/all': get('all', answering({ type: 'array', items: thing })),
    '/none': get('none', answering(thing)),
    '/made': get('made'),
    '/picture': get('picture'),
    '/table': get('table'),
    '/records': get('records'),
    '/wrong': get('wrong', answering(thing)),
    '/search': {
      post: {
        operationId: 'search',
        requestBody: { required: true, content: { 'application/json': { schema: search } } },
        responses: answering({ type: 'object', properties: { items: { type: 'array', items: { type: 'string' } } } }),
      },
    },
  },
};

let upstream: EchoServer;
let hub: Hub;

beforeAll(async () => {
  upstream = await startEchoServer(({ path, body }, response) => {
    const send = (type: string, content: string | Buffer): void => void response.writeHead(200, { 'content-type': type }).end(content);
    switch (path) {
      case '/one':
        return sendJson(response, 200, { id: 7, name: 'seven' });
      case '/all':
        return sendJson(response, 200, [{ id: 7, name: 'seven' }, { id: 8 }]);
      case '/none':
        return void response.writeHead(204).end();
      case '/made':
        return void response.writeHead(201, { location: `${upstream.url}/things/9` }).end();
      case '/picture':
        return send('image/png', PICTURE);
      case '/table':
        return send('text/csv', TABLE);
      case '/records':
        return send('application/json-seq', '\u001e{"n":1}\n\u001e{"n":2}\n');
      case '/wrong':
        return sendJson(
          response,
          422,
          { title: 'Unprocessable', detail: 'Two things are wrong.', errors: [{ field: 'id', message: 'is not a number' }] },
          { 'content-type': 'application/problem+json', 'x-request-id': 'r-1' },
        );
      default: {
        const at = Number((JSON.parse(body.toString()) as JsonObject)['@cursor'] ?? 0);
        return sendJson(response, 200, { items: PAGES[at], '@cursor': at < 2 ? String(at + 1) : null });
      }
    }
  });
  hub = await startHub({
    files: {
      'hubgate.yaml': `services: { api: { spec: documents/api.json, baseUrl: "${upstream.url}", outputSchemas: true } }\n`,
      'documents/api.json': JSON.stringify(document),
      'virtual-servers/names.yaml': 'tools: [{ from: api }]\noverrides: { api.all: { select: [name] } }\n',
      'virtual-servers/strict.yaml': 'tools: [{ from: api }]\nprofile: openai\n',
    },
  });
});
afterAll(async () => {
  await hub?.stop();
  await upstream?.stop();
});

describe.each(SDK_MODES)('a client of SDK mode %j', (mode) => {
  /** It has seen the list, so it checks structured content against the schemas in it. */
  async function using<T>(server: string, use: (client: Client) => Promise<T>): Promise<T> {
    const client = await connectSdk(`${hub.url}/mcp/${server}`, mode);
    try {
      await client.listTools();
      return await use(client);
    } finally {
      await client.close();
    }
  }
  const call = (name: string, server = 'api') => using(server, (client) => client.callTool({ name, arguments: {} }));

  it.each<[string, JsonObject]>([
    ['one', { content: [{ type: 'text', text: '{"id":7,"name":"seven"}' }], structuredContent: { id: 7, name: 'seven' } }],
    ['all', { structuredContent: { result: [{ id: 7, name: 'seven' }, { id: 8 }] } }],
    ['none', { content: [{ type: 'text', text: '204 No Content' }], structuredContent: {} }],
    ['made', { content: [{ type: 'text', text: '201 Created\nLocation: /things/9' }] }],
    ['picture', { content: [{ type: 'image', data: PICTURE.toString('base64'), mimeType: 'image/png' }] }],
    ['records', { content: [{ type: 'text', text: '[{"n":1},{"n":2}]' }] }],
  ])('is given what %s answers', async (name, expected) => {
    const result = await call(name);
    expect(result).toMatchObject(expected);
    expect(result.isError ?? false).toBe(false);
  });

  it('is given the chosen fields of a list, in the text and in the structured content', async () => {
    expect(await call('all', 'names')).toMatchObject({
      content: [{ type: 'text', text: '[{"name":"seven"}]' }],
      structuredContent: { result: [{ name: 'seven' }] },
    });
  });

  it('is told what is wrong and what to do, as a result', async () => {
    const { isError, content } = await call('wrong');
    const text = (content as { text?: string }[])[0]?.text ?? '';
    expect(isError).toBe(true);
    expect(text.split('\n')).toEqual([
      'HTTP 422 Unprocessable Entity: Unprocessable: Two things are wrong.',
      '- id: is not a number',
      'Correct the arguments that the answer names and call again.',
      'x-request-id: r-1',
    ]);
  });

  it('reads a long text to its end, page by page', async () => {
    const read = await using('api', async (client) => {
      const { content } = await client.callTool({ name: 'table', arguments: {} });
      let uri = (content as { type: string; uri?: string }[]).find(({ type }) => type === 'resource_link')?.uri;
      const pages: string[] = [];
      while (uri !== undefined) {
        const { contents, _meta } = await client.readResource({ uri });
        pages.push((contents[0] as { text: string }).text);
        uri = _meta?.['hubgate/next'] as string | undefined;
      }
      return pages;
    });
    expect(read.length).toBeGreaterThan(1);
    expect(read.join('')).toBe(TABLE);
  });

  it.each(['api', 'strict'])('follows pages in the body of a request to their end, on %s', async (server) => {
    const pages = await using(server, async (client) => {
      const found: unknown[] = [];
      let args: JsonObject | undefined = { body: { words: 'x' } };
      while (args !== undefined && found.length < 5) {
        const { structuredContent, _meta } = await client.callTool({ name: 'search', arguments: args });
        found.push((structuredContent as JsonObject)['items']);
        args = _meta?.['hubgate/next'] as JsonObject | undefined;
      }
      return found;
    });
    expect(pages).toEqual(PAGES);
  });
});
