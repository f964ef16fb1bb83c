import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { EdgeResponse } from '../../../../src/http/edge/edge-response.ts';

async function answerOf(write: (res: EdgeResponse) => void): Promise<{ status: string; headers: Headers }> {
  const server = createServer({ ServerResponse: EdgeResponse }, (_, res: EdgeResponse) => {
    res.requestId = 'id-7';
    write(res);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  try {
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await answer.arrayBuffer();
    return { status: `${answer.status} ${answer.statusText}`, headers: answer.headers };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

it.each<[string, (res: EdgeResponse) => void]>([
  ['headers as an object', (res) => res.writeHead(201, { 'x-one': '1', 'x-two': ['a', 'b'], 'content-length': 0 }).end()],
  ['headers as a list', (res) => res.writeHead(201, ['x-one', '1', 'x-two', 'a', 'x-two', 'b']).end()],
  ['headers that were set before', (res) => res.setHeader('x-one', '1').setHeader('x-two', ['a', 'b']).writeHead(201).end()],
  ['both', (res) => res.setHeader('x-one', 'no').setHeader('x-two', ['a', 'b']).writeHead(201, { 'x-one': '1' }).end()],
  ['a message', (res) => res.writeHead(201, 'Created', { 'x-one': '1', 'x-two': ['a', 'b'] }).end()],
])('the request id is on an answer with %s', async (_, write) => {
  const { status, headers } = await answerOf(write);
  expect(status).toBe('201 Created');
  expect([headers.get('x-request-id'), headers.get('x-one'), headers.get('x-two')]).toEqual(['id-7', '1', 'a, b']);
});

it('the request id is on an answer whose head nobody has written', async () => {
  const { status, headers } = await answerOf((res) => void res.end('x'));
  expect([status, headers.get('x-request-id'), headers.get('content-length')]).toEqual(['200 OK', 'id-7', '1']);
});
