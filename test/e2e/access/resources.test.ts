import { afterAll, beforeAll, expect, it } from 'vitest';
import { postModern } from '../../support/mcp-clients.ts';
import { startHub, type Hub } from '../../support/start-hub.ts';

/** A source of files behind a template, one of which is listed and one of which is secret. */
const files = `
import { defineToolSource } from 'hubgate/policy';
export default defineToolSource({
  name: 'files',
  options: {},
  create: ({ name }) => ({
    mode: 'session',
    name,
    snapshot: {
      version: '1', state: 'ready', tools: [], prompts: [], features: { subscribe: true },
      resources: [{ uri: 'file:///public/a', name: 'a' }, { uri: 'file:///secret/key', name: 'key' }],
      resourceTemplates: [{ uriTemplate: 'file:///{+path}', name: 'file' }],
    },
    subscribe: () => () => {},
    call: async (call) => ({ contents: [{ uri: call.input.name, text: 'content of ' + call.input.name }] }),
  }),
});
`;
const config = `
extensions: [./files.ts]
servers:
  disk:
    source: files
    access: [{ allow: [{ resource: "*" }], deny: [{ resource: "file:///secret/*" }] }]
`;
const shelf = `
tools: [{ from: disk }]
resources: [{ from: disk, exclude: ["file:///private/*"] }]
`;

let hub: Hub;
beforeAll(async () => {
  hub = await startHub({ files: { 'hubgate.yaml': config, 'files.ts': files, 'virtual-servers/shelf.yaml': shelf } });
});
afterAll(() => hub?.stop());

const read = async (path: string, uri: string): Promise<string> => {
  const { result, error } = await postModern(`${hub.url}${path}`, 'resources/read', { uri });
  return error === undefined ? JSON.stringify(result!.contents) : String(error.code);
};

it.each(['/mcp/disk', '/mcp'])('on %s what the list hides cannot be read through a template', async (path) => {
  const { result } = await postModern(`${hub.url}${path}`, 'resources/list');
  expect(result!.resources).toEqual([expect.objectContaining({ uri: 'file:///public/a' })]);
  expect(await read(path, 'file:///public/other')).toContain('content of file:///public/other');
  expect(await read(path, 'file:///secret/key')).toBe('-32602');
  expect(await read(path, 'file:///secret/unlisted')).toBe('-32602');
});

it('a virtual server keeps out by its own selection what a template would reach', async () => {
  expect(await read('/mcp/shelf', 'file:///public/b')).toContain('content of');
  expect(await read('/mcp/shelf', 'file:///private/b')).toBe('-32602');
});

it('nobody hears of changes of what he may not read', async () => {
  const notifications = { resourceSubscriptions: ['file:///public/a', 'file:///secret/key'] };
  const response = await fetch(`${hub.url}/mcp/disk`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'subscriptions/listen',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'subscriptions/listen',
      params: {
        notifications,
        _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} },
      },
    }),
  });
  const { value } = await response.body!.getReader().read();
  expect(Buffer.from(value!).toString()).toContain('"resourceSubscriptions":["file:///public/a"]');
});
