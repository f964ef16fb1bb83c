import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { adminPath, AdminProblem, createAdminClient } from '../../../src/admin/client.ts';

let server: Server | undefined;
afterEach(() => void server?.close());

async function answering(
  status: number,
  body: string,
): Promise<{ url: string; seen: { method?: string; url?: string; authorization?: string; body: string }[] }> {
  const seen: { method?: string; url?: string; authorization?: string; body: string }[] = [];
  server = createServer((req, res) => {
    let text = '';
    req
      .on('data', (chunk) => (text += chunk))
      .on('end', () => {
        seen.push({ method: req.method ?? '', url: req.url ?? '', authorization: req.headers.authorization ?? '', body: text });
        res.writeHead(status).end(body);
      });
  }).listen(0, '127.0.0.1');
  await new Promise((ready) => server?.once('listening', ready));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

describe('the client of the admin API', () => {
  it('sends token, query and body, and gives the answer', async () => {
    const { url, seen } = await answering(200, '{"items":[]}');
    const ask = createAdminClient({ url, token: 'secret-token' });
    expect(await ask('GET', '/tools', { query: { server: 'a b', consumer: undefined } })).toEqual({ items: [] });
    await ask('PUT', '/consumers/bob', { body: { groups: ['x'] } });
    expect(seen).toEqual([
      { method: 'GET', url: '/admin/v1/tools?server=a+b', authorization: 'Bearer secret-token', body: '' },
      { method: 'PUT', url: '/admin/v1/consumers/bob', authorization: 'Bearer secret-token', body: '{"groups":["x"]}' },
    ]);
  });

  it('gives nothing for an empty answer, and throws what is refused', async () => {
    expect(await createAdminClient({ url: (await answering(204, '')).url, token: 't' })('DELETE', '/x')).toBeUndefined();
    server?.close();
    const { url } = await answering(400, '{"detail":"No.","errors":[{"path":"/a","message":"Bad."}]}');
    const error = await createAdminClient({ url, token: 't' })('GET', '/x').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AdminProblem);
    expect(error).toMatchObject({ status: 400, message: 'No.', errors: [{ path: '/a', message: 'Bad.' }] });
  });

  it('says when something else answers, and lets errors of the socket through', async () => {
    const { url } = await answering(200, '<html>');
    await expect(createAdminClient({ url, token: 't' })('GET', '/status')).rejects.toThrow('not the admin API');
    server?.close();
    server?.closeAllConnections();
    await expect(createAdminClient({ url, token: 't' })('GET', '/status')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(adminPath('/status')).toBe('/admin/v1/status');
  });
});
