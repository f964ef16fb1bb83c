import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { HttpCallRequest } from '../../../src/http/http-call-request.ts';
import { serve } from '../upstreams/upstream.ts';

it('tells headers in lower case, the address of the caller and the size of the body', async () => {
  const asked: unknown[] = [];
  const { origin } = await serve((req, res) => {
    const { headers, ip, size } = new HttpCallRequest(req, 42);
    asked.push(headers['x-tier'], ip, size);
    res.end();
  });
  await fetch(origin, { headers: { 'X-Tier': 'gold' } });
  expect(asked).toEqual(['gold', '127.0.0.1', 42]);
});

it('has no address once the connection is gone', () => {
  const gone = { headers: {}, socket: { remoteAddress: undefined } } as unknown as IncomingMessage;
  expect(new HttpCallRequest(gone, 0).ip).toBe('');
});

it('asks the socket only when somebody wants the address', () => {
  let asked = 0;
  const socket = {
    get remoteAddress() {
      asked += 1;
      return '192.0.2.1';
    },
  };
  const one = new HttpCallRequest({ headers: {}, socket } as unknown as IncomingMessage, 0);
  expect(asked).toBe(0);
  expect([one.ip, asked]).toEqual(['192.0.2.1', 1]);
});
