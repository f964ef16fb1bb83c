import { describe, expect, it } from 'vitest';
import type { ChatRequest, Part } from '../../../../../src/core/chat.ts';
import { GatewayError } from '../../../../../src/core/errors.ts';
import { inlineMedia } from '../../../../../src/lanes/models/calls/media.ts';
import type { FetchDocumentOptions, FetchedDocument } from '../../../../../src/upstreams/document.ts';

const image = (url: string): Part => ({ type: 'image', source: { type: 'url', url } });
const asking = (...parts: Part[]): ChatRequest => ({
  model: 'm',
  stream: false,
  system: [],
  turns: [{ role: 'user', parts }],
  tools: [],
  unread: [],
});

function web(answers: Readonly<Record<string, Partial<FetchedDocument>>>) {
  const asked: [string, FetchDocumentOptions][] = [];
  return {
    asked,
    fetchDocument(url: string, options: FetchDocumentOptions): Promise<FetchedDocument> {
      asked.push([url, options]);
      const found = answers[url];
      if (found === undefined) return Promise.reject(new GatewayError('egress_refused', 'That address is not public.'));
      return Promise.resolve({
        url,
        notModified: false,
        body: Buffer.from('bytes'),
        contentType: 'image/png',
        etag: undefined,
        cacheControl: undefined,
        ...found,
      });
    },
  };
}

/** The caller does not leave. */
const STAYS = new AbortController().signal;

describe('links of a conversation', () => {
  it('are fetched as links of a stranger, once each, wherever they stand', async () => {
    const http = web({
      'https://a.example/x.png': { contentType: 'image/jpeg; charset=x' },
      'http://b.example/y.pdf': { contentType: undefined },
    });
    const read = await inlineMedia(
      asking(image('https://a.example/x.png'), {
        type: 'result',
        callId: 'c',
        parts: [
          { type: 'document', source: { type: 'url', url: 'http://b.example/y.pdf' }, name: 'y' },
          { type: 'image', source: { type: 'url', url: 'https://a.example/x.png' } },
        ],
      }),
      http,
      STAYS,
    );
    const data = Buffer.from('bytes').toString('base64');
    expect(read.turns[0]!.parts).toEqual([
      { type: 'image', source: { type: 'base64', mediaType: 'image/jpeg', data } },
      {
        type: 'result',
        callId: 'c',
        parts: [
          { type: 'document', name: 'y', source: { type: 'base64', mediaType: 'application/octet-stream', data } },
          { type: 'image', source: { type: 'base64', mediaType: 'image/jpeg', data } },
        ],
      },
    ]);
    expect(http.asked.map(([url]) => url)).toEqual(['https://a.example/x.png', 'http://b.example/y.pdf']);
    for (const [, options] of http.asked) expect(options).toMatchObject({ trust: 'public', maxBytes: expect.any(Number) });
  });

  it('of other kinds are left alone, and so is what needs nothing', async () => {
    const http = web({});
    const ask = asking(
      image('gs://bucket/x.png'),
      image('https://kept.example/1'),
      { type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'AAAA' } },
      { type: 'image', source: { type: 'file', id: 'file_1' } },
      { type: 'text', text: 'https://a.example/x.png' },
    );
    expect(await inlineMedia(ask, http, STAYS, (url) => url.startsWith('https://kept.'))).toBe(ask);
    expect(http.asked).toEqual([]);
  });

  it('that cannot be had are a bad request that names the place', async () => {
    await expect(inlineMedia(asking({ type: 'text', text: 'x' }, image('http://169.254.169.254/')), web({}), STAYS)).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringMatching(/turn 1, part 2.*may not fetch/),
      detail: expect.stringContaining('not public'),
    });
  });

  it('are given up when the caller leaves, and are not too much together', async () => {
    const asked: FetchDocumentOptions[] = [];
    const body = Buffer.alloc(14_000_000);
    const http = {
      fetchDocument(url: string, options: FetchDocumentOptions) {
        asked.push(options);
        return Promise.resolve({ url, notModified: false, body, contentType: 'image/png', etag: undefined, cacheControl: undefined });
      },
    };
    const links = Array.from({ length: 12 }, (_, at) => image(`https://a.example/${at}`));
    await expect(inlineMedia(asking(...links), http, STAYS)).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining('50 MB'),
    });
    expect(asked).toHaveLength(4);
    expect(asked.every(({ signal }) => signal === STAYS)).toBe(true);
  });

  it('are not to blame when nobody waits for them any more', async () => {
    const leaving = new AbortController();
    const gone = new GatewayError('client_closed');
    const http = {
      fetchDocument: () => {
        leaving.abort(gone);
        return Promise.reject(new Error('cut'));
      },
    };
    await expect(inlineMedia(asking(image('https://a.example/x')), http, leaving.signal)).rejects.toBe(gone);
  });

  it('are not too many', async () => {
    const many = (count: number): Part[] => Array.from({ length: count }, (_, at) => image(`https://a.example/${at}`));
    const known = Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`https://a.example/${at}`, {}]));
    const http = web(known);
    await expect(inlineMedia(asking(...many(21)), http, STAYS)).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining('21'),
    });
    expect(http.asked).toEqual([]);
    await inlineMedia(asking(...many(20), ...many(20)), http, STAYS);
    expect(http.asked).toHaveLength(20);
  });
});
