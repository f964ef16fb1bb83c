import { afterAll, beforeAll, expect, it } from 'vitest';
import { askAdmin } from '../../support/ask-admin.ts';
import { openLegacySession, postModern } from '../../support/mcp-clients.ts';
import { startHub, type Hub } from '../../support/start-hub.ts';

/** A policy that takes its time to be made, so that a key can go while a generation is built. */
const slow = `
import { definePolicy } from 'hubgate/policy';
export default definePolicy({
  name: 'slow',
  stage: 'observe',
  options: {},
  create: async ({ ms = 0 }) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return {};
  },
});
`;
const config = (ms: number): string => `
extensions: [./slow.ts]
services:
  shop: { spec: openapi-specs/shop.json, baseUrl: demo:petstore }
consumers: [{ name: alice }]
policies: [{ slow: { ms: ${ms} } }]
`;
const document = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'Shop', version: '1' },
  paths: { '/pets': { get: { operationId: 'listPets', responses: {} } } },
});

let hub: Hub;
beforeAll(async () => {
  hub = await startHub({ files: { 'hubgate.yaml': config(0), 'slow.ts': slow, 'openapi-specs/shop.json': document } });
});
afterAll(() => hub?.stop());

async function makeKey(): Promise<{ id: string; headers: Record<string, string> }> {
  const { status, body } = await askAdmin(hub, 'POST', '/consumers/alice/keys', {});
  expect(status).toBe(201);
  const { id, key } = body as { id: string; key: string };
  return { id, headers: { authorization: `Bearer ${key}` } };
}
const statusWith = async (headers: Record<string, string>): Promise<number> =>
  (await postModern(`${hub.url}/mcp/shop`, 'tools/list', {}, { headers })).status;

it('a key works when it is made, and neither calls nor open streams outlive it', async () => {
  const { id, headers } = await makeKey();
  expect(await statusWith(headers)).toBe(200);
  const session = await openLegacySession(`${hub.url}/mcp/shop`, { headers });
  const stream = await fetch(`${hub.url}/mcp/shop`, { headers: { ...session.headers, accept: 'text/event-stream' } });
  const ended = stream.text();
  expect((await askAdmin(hub, 'DELETE', `/consumers/alice/keys/${id}`)).status).toBe(204);
  expect(await statusWith(headers)).toBe(401);
  await ended;
});

it('a key that is deleted while a generation is built does not come back with it', async () => {
  const { id, headers } = await makeKey();
  await hub.write('hubgate.yaml', config(1500));
  const reload = askAdmin(hub, 'POST', '/reload');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect((await askAdmin(hub, 'DELETE', `/consumers/alice/keys/${id}`)).status).toBe(204);
  expect(await statusWith(headers)).toBe(401);
  expect((await reload).status).toBe(200);
  expect(await statusWith(headers)).toBe(401);
});
