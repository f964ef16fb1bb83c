import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { GatewayError } from '../../../src/core/errors.ts';
import { parseJson, readBody } from '../../../src/http/body.ts';

const stop: (() => void)[] = [];
afterEach(() => stop.splice(0).forEach((end) => end()));

async function serve(handle: (req: IncomingMessage, res: ServerResponse) => void): Promise<number> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  stop.push(() => (server.closeAllConnections(), server.close()));
  return (server.address() as AddressInfo).port;
}

async function reader(limit: number): Promise<string> {
  const port = await serve((req, res) => {
    readBody(req, { limit }).then(
      (body) => res.end(String(body.length)),
      (error: GatewayError) => res.writeHead(error.status).end(error.message),
    );
  });
  return `http://127.0.0.1:${port}`;
}

describe('readBody', () => {
  it('takes a body up to the limit, in one piece or many', async () => {
    const url = await reader(300_000);
    for (const size of [0, 1, 299_999, 300_000]) {
      const answer = await fetch(url, { method: 'POST', body: new Uint8Array(size) });
      expect(await answer.text()).toBe(String(size));
    }
  });

  it('refuses more, announced or not, and the sender can read why', async () => {
    const url = await reader(1_000);
    const announced = await fetch(url, { method: 'POST', body: new Uint8Array(2_000_000) });
    expect([announced.status, await announced.text()]).toEqual([413, expect.stringContaining('larger than 1000 bytes')]);
    const pieces = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 50; i++) controller.enqueue(new Uint8Array(10_000));
        controller.close();
      },
    });
    const chunked = await fetch(url, { method: 'POST', body: pieces, duplex: 'half' } as RequestInit);
    expect(chunked.status).toBe(413);
  });

  it('tells of a caller who goes away in the middle', async () => {
    const failed = Promise.withResolvers<unknown>();
    const port = await serve((req) => void readBody(req, { limit: 1_000 }).catch(failed.resolve));
    const socket = connect(port, '127.0.0.1', () =>
      socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf', () => socket.destroy()),
    );
    expect(await failed.promise).toMatchObject({ code: 'client_closed' });
  });
});

describe('parseJson', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        const text = JSON.stringify(value);
        expect(parseJson(Buffer.from(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('refuses what JSON.parse refuses, and quotes none of it', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        fc.pre(!valid);
        expect(() => parseJson(Buffer.from(text))).toThrow(GatewayError);
      }),
    );
    expect(() => parseJson(Buffer.from('{"key":"hg_secret",}'))).toThrow(
      'The request body is not valid JSON at position 19 (line 1 column 20).',
    );
    expect(() => parseJson(Buffer.from('hg_secret'))).toThrow('The request body is not valid JSON.');
    expect(() => parseJson(Buffer.from('{"a":[1,2'))).toThrow(/not valid JSON/);
    expect(() => parseJson(Buffer.from(''))).toThrow('it is empty');
    expect(() => parseJson(Buffer.from('{"a":'))).toThrow('it ends too early');
  });

  it('takes 64 levels and no more, brackets in strings aside', () => {
    const nested = (depth: number, open: string, close: string): Buffer => Buffer.from(open.repeat(depth) + close.repeat(depth));
    expect(() => parseJson(nested(64, '[', ']'))).not.toThrow();
    expect(() => parseJson(nested(65, '[', ']'))).toThrow('64 levels deep at position 64');
    expect(() => parseJson(Buffer.from(`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`))).toThrow('64 levels');
    expect(
      parseJson(Buffer.from(JSON.stringify(['['.repeat(500), '\\"[['.repeat(100), ...Array.from({ length: 100 }, () => [])]))),
    ).toHaveLength(102);
    expect(() => parseJson(nested(100_000, '[', ']'))).toThrow('64 levels');
  });
});
