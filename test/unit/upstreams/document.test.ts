import { describe, expect, it } from 'vitest';
import type { UpstreamRequest } from '../../../src/core/upstream.ts';
import { createEgress } from '../../../src/upstreams/egress.ts';
import { http, serve } from './upstream.ts';

describe('fetchDocument', () => {
  it('gives the document, where it was found and its tag', async () => {
    const { origin } = await serve((req, res) => {
      if (req.url === '/start') res.writeHead(302, { location: 'next' }).end();
      else if (req.url === '/next') res.writeHead(308, { location: '/doc?v=1' }).end();
      else res.writeHead(200, { 'content-type': 'application/yaml', etag: '"1"' }).end('openapi: 3.1.0');
    });
    expect(await http().fetchDocument(`${origin}/start`, { trust: 'operator' })).toEqual({
      url: `${origin}/doc?v=1`,
      notModified: false,
      body: Buffer.from('openapi: 3.1.0'),
      contentType: 'application/yaml',
      etag: '"1"',
    });
  });

  it('asks with the tag of the copy at hand', async () => {
    const { origin } = await serve((req, res) => res.writeHead(req.headers['if-none-match'] === '"1"' ? 304 : 200).end());
    const up = http();
    expect(await up.fetchDocument(origin, { trust: 'operator', etag: '"1"' })).toMatchObject({ notModified: true });
    expect(await up.fetchDocument(origin, { trust: 'operator' })).toMatchObject({ notModified: false });
  });

  it('checks a redirect away from the operator’s origin as a public address', async () => {
    const inside = await serve((_req, res) => res.end('internal'));
    const first = await serve((_req, res) => res.writeHead(302, { location: `${inside.origin}/doc` }).end());
    await expect(http().fetchDocument(first.origin, { trust: 'operator' })).rejects.toMatchObject({ code: 'egress_refused' });
    const egress = createEgress({ allow: [`127.0.0.1:${inside.port}`], ownPorts: [] });
    expect((await http({ egress: () => egress }).fetchDocument(first.origin, { trust: 'operator' })).body.toString()).toBe('internal');
  });

  it('follows three redirects and no more', async () => {
    const { origin } = await serve((req, res) => {
      const left = Number(req.url?.slice(1));
      if (left > 0) res.writeHead(301, { location: `/${left - 1}` }).end();
      else res.end('here');
    });
    const up = http();
    expect((await up.fetchDocument(`${origin}/3`, { trust: 'operator' })).body.toString()).toBe('here');
    await expect(up.fetchDocument(`${origin}/4`, { trust: 'operator' })).rejects.toThrow(/redirects more than 3 times/);
  });

  it('has one time limit for all hops, and one for the size', async () => {
    const { origin } = await serve((req, res) => {
      if (req.url === '/large') res.end('x'.repeat(2_000));
      else setTimeout(() => res.writeHead(302, { location: '/again' }).end(), 80);
    });
    const up = http();
    const before = performance.now();
    await expect(up.fetchDocument(origin, { trust: 'operator', timeoutMs: 150 })).rejects.toMatchObject({ code: 'upstream_timeout' });
    expect(performance.now() - before).toBeLessThan(400);
    await expect(up.fetchDocument(`${origin}/large`, { trust: 'operator', maxBytes: 1_000 })).rejects.toMatchObject({
      code: 'upstream_too_large',
    });
  });

  it('sends headers and credentials, the latter to the first origin only and once more after a 401', async () => {
    const seen: [string, unknown, unknown][] = [];
    const away = await serve((req, res) => {
      seen.push(['away', req.headers['x-version'], req.headers.authorization]);
      res.setHeader('cache-control', 'max-age=60').end('here');
    });
    const { origin } = await serve((req, res) => {
      seen.push(['home', req.headers['x-version'], req.headers.authorization]);
      if (req.headers.authorization === 'fresh') res.writeHead(302, { location: `${away.origin}/doc` }).end();
      else res.writeHead(401).end();
    });
    const signer = {
      refreshable: true,
      sign: (request: UpstreamRequest, { refresh }: { refresh: boolean }): UpstreamRequest => ({
        ...request,
        headers: { ...request.headers, authorization: refresh ? 'fresh' : 'stale' },
      }),
    };
    const up = http({ egress: () => createEgress({ allow: [`127.0.0.1:${away.port}`], ownPorts: [] }) });
    const found = await up.fetchDocument(origin, { trust: 'operator', headers: { 'x-version': '1' }, signers: [signer] });
    expect([found.body.toString(), found.cacheControl]).toEqual(['here', 'max-age=60']);
    expect(seen).toEqual([
      ['home', '1', 'stale'],
      ['home', '1', 'fresh'],
      ['away', '1', undefined],
    ]);
    const still = { ...signer, refreshable: false };
    await expect(up.fetchDocument(origin, { trust: 'operator', signers: [still] })).rejects.toMatchObject({ answered: 401 });
  });

  it('reads from a service inside the process, for the operator only', async () => {
    const service = async ({ path }: UpstreamRequest) => ({ status: 200, headers: {}, body: Buffer.from(path) });
    const up = http({ services: new Map([['demo:echo', service]]) });
    const found = await up.fetchDocument('demo:echo/card.json', { trust: 'operator' });
    expect([found.url, found.body.toString()]).toEqual(['demo:echo/card.json', '/card.json']);
    await expect(up.fetchDocument('demo:echo/card.json', { trust: 'public' })).rejects.toMatchObject({ code: 'egress_refused' });
    const { origin } = await serve((_req, res) => res.writeHead(302, { location: 'demo:echo/card.json' }).end());
    await expect(up.fetchDocument(origin, { trust: 'operator' })).rejects.toMatchObject({ code: 'egress_refused' });
  });

  it('refuses other answers and other addresses', async () => {
    const { origin } = await serve(
      (req, res) => void (req.url === '/away' ? res.writeHead(302, { location: 'file:///etc/passwd' }).end() : res.writeHead(404).end()),
    );
    const up = http();
    await expect(up.fetchDocument(origin, { trust: 'operator' })).rejects.toThrow(/answered 404 where a document was expected/);
    await expect(up.fetchDocument(`${origin}/away`, { trust: 'operator' })).rejects.toMatchObject({ code: 'egress_refused' });
    await expect(up.fetchDocument('nonsense', { trust: 'public' })).rejects.toMatchObject({ code: 'bad_request' });
    await expect(up.fetchDocument('http://user:secret@example.com/', { trust: 'public' })).rejects.toThrow(/^(?!.*secret).*example\.com/);
  });
});
