import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Hub, startHub } from '../../support/start-hub.ts';

const document = (parameters: readonly object[]): object => ({
  openapi: '3.1.0',
  info: { title: 'Shop', version: '1' },
  servers: [{ url: 'https://shop.example' }],
  paths: { '/orders': { get: { operationId: 'orders', parameters, responses: {} } } },
});
const limit = { name: 'limit', in: 'query', schema: { type: 'integer' } };

let hub: Hub;
beforeAll(async () => {
  hub = await startHub({ files: { 'hubgate.yaml': '{}', 'openapi-specs/file.json': JSON.stringify(document([limit])) } });
});
afterAll(() => hub?.stop());

async function ask(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const answer = await fetch(`${hub.adminUrl}/admin/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${hub.adminToken}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  expect(answer.status).toBeLessThan(300);
  return (await answer.json()) as Record<string, unknown>;
}
const narrowed = {
  changed: [
    {
      tool: 'orders',
      method: 'GET',
      path: '/orders',
      notice: 'breaking',
      changes: [{ code: 'argument_required', notice: 'breaking', argument: 'limit', message: expect.any(String) }],
    },
  ],
};

it('a document that is put again: the report says what a consumer notices, and keeps it', async () => {
  await ask('PUT', 'services/stored', { document: document([limit]) });
  expect(await ask('GET', 'services/stored/report')).not.toHaveProperty('changes');
  await ask('PUT', 'services/stored', { document: document([{ ...limit, required: true }]) });
  expect(await ask('GET', 'services/stored/report')).toMatchObject({
    changes: narrowed,
    operations: [{ tool: 'orders', method: 'GET', path: '/orders', risk: 'read', tokens: expect.any(Number), warnings: [] }],
  });
  await ask('POST', 'reload');
  expect(await ask('GET', 'services/stored/report')).toMatchObject({ changes: narrowed });
});

it('and so does one whose file is edited', async () => {
  await hub.write('openapi-specs/file.json', JSON.stringify(document([{ ...limit, required: true }])));
  await vi.waitFor(async () => expect(await ask('GET', 'services/file/report')).toMatchObject({ changes: narrowed }), 5000);
});
