import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askAdmin } from '../../support/ask-admin.ts';
import { sendJson, startEchoServer, type EchoServer } from '../../support/echo-server.ts';
import { openListen } from '../../support/mcp-streams.ts';
import { startHub, type Hub } from '../../support/start-hub.ts';
import { callText, documentOf, sourceOf, toolsOf } from './document.ts';

let upstream: EchoServer;
let hub: Hub;
let isUp = false;
let startedAt = 0;

beforeAll(async () => {
  upstream = await startEchoServer(async ({ path }, response) => {
    if (path === '/late.json')
      return isUp ? sendJson(response, 200, documentOf(['late'], '/api')) : void response.writeHead(503).end('not yet');
    if (path === '/slow.json') return void setTimeout(() => sendJson(response, 200, documentOf(['slow'])), 5_000).unref();
    if (path === '/large.json')
      return void response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(`{"openapi": "3.1.0", "x": "${'x'.repeat(200_000)}"}`);
    if (path === '/endless.json') {
      response.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => response.write('x'.repeat(50_000)), 5);
      return void response.on('close', () => clearInterval(timer));
    }
    if (path === '/page.json') return void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>login</html>');
    return sendJson(response, 200, { path });
  });
  startedAt = Date.now();
  hub = await startHub({
    files: {
      'hubgate.yaml': `
documents: { urlSize: 100KB, urlTimeout: 300ms, fileSize: 100KB }
services:
  late: { url: "${upstream.url}/late.json" }
  slow: { url: "${upstream.url}/slow.json" }
  large: { url: "${upstream.url}/large.json" }
  endless: { url: "${upstream.url}/endless.json" }
  page: { url: "${upstream.url}/page.json" }
  large-file: { spec: documents/large.json }
  missing-file: { spec: documents/missing.json }
  healthy: { spec: documents/healthy.json, baseUrl: "${upstream.url}" }
`,
      'documents/healthy.json': JSON.stringify(documentOf(['healthy'])),
      'documents/large.json': JSON.stringify(documentOf(['large'], undefined, { 'x-long': 'x'.repeat(200_000) })),
      'virtual-servers/desk.yaml': 'tools: [{ from: healthy }, { from: late }]\n',
    },
  });
});
afterAll(async () => {
  await hub?.stop();
  await upstream?.stop();
});

describe('while documents cannot be had', () => {
  it('the hub gets ready, and the rest serves', async () => {
    await expect.poll(async () => (await fetch(`${hub.url}/readyz`)).status, { timeout: 5_000 }).toBe(200);
    expect(await callText(hub, 'healthy', 'healthy')).toBe('{"path":"/healthy"}');
    expect(await toolsOf(hub, 'desk')).toEqual(['healthy']);
    expect((await askAdmin(hub, 'GET', '/status')).body.config.ok).toBe(true);
  });

  it.each([
    ['late', /answered 503 where a document was expected/],
    ['slow', /did not answer within 0\.3 s/],
    ['large', /larger than 102400 bytes/],
    ['endless', /larger than 102400 bytes|did not finish its answer within 0\.3 s/],
    ['page', /OpenAPI|not valid|cannot be read/i],
    ['large-file', /larger than 100KB\. Raise documents\.fileSize/],
    ['missing-file', /There is no file documents\/missing\.json/],
  ])('%s says why', async (name, why) => {
    expect(await sourceOf(hub, name)).toMatchObject({ state: 'failed', tools: 0, error: expect.stringMatching(why) as string });
    expect((await askAdmin(hub, 'GET', `/services/${name}/report`)).body).toMatchObject({
      ok: false,
      error: { message: expect.stringMatching(why) as string },
    });
  });
});

it('a document that was down at the start is tried again, appears without a touch, and is announced', { timeout: 20_000 }, async () => {
  const events = await openListen(`${hub.url}/mcp/desk`);
  isUp = true;
  await expect.poll(() => toolsOf(hub, 'late'), { timeout: 12_000, interval: 200 }).toEqual(['late']);
  expect(Date.now() - startedAt).toBeGreaterThan(4_500);
  expect(await callText(hub, 'late', 'late')).toBe('{"path":"/api/late"}');
  expect(await toolsOf(hub, 'desk')).toEqual(['healthy', 'late']);
  expect(await sourceOf(hub, 'late')).toMatchObject({ state: 'ready', tools: 1 });
  await events.next('notifications/tools/list_changed', 0);
  events.close();
  expect(upstream.requests.filter(({ path }) => path === '/late.json').length).toBeLessThanOrEqual(3);
});
