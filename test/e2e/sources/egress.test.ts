import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askAdmin } from '../../support/ask-admin.ts';
import { sendJson, startEchoServer, type EchoServer } from '../../support/echo-server.ts';
import { startHub, type Hub } from '../../support/start-hub.ts';
import { callText, documentOf, sourceOf } from './document.ts';

let inside: EchoServer;
let outside: EchoServer;
let hub: Hub;

const METADATA = 'http://169.254.169.254';
const NOT_PUBLIC = 'is not a public address';
const GUARDED = 'is a link-local or metadata address';

/** Serves documents that the operator named, of which some name other addresses. `inside` is never named by him. */
function serveOutside(): Promise<EchoServer> {
  return startEchoServer(({ path }, response) => {
    const redirect = (location: string): void => void response.writeHead(302, { location }).end();
    const { pathname, searchParams } = new URL(path, 'http://outside');
    const at = searchParams.get('at') ?? '';
    if (pathname === '/document') return sendJson(response, 200, documentOf(['probe'], at === '' ? undefined : at));
    if (pathname === '/redirect') return redirect(at);
    if (pathname === '/loop') return redirect('/loop');
    if (pathname === '/token-document') {
      const flows = { clientCredentials: { tokenUrl: at, scopes: {} } };
      return sendJson(
        response,
        200,
        documentOf(['probe'], '/', { components: { securitySchemes: { oauth: { type: 'oauth2', flows } } }, security: [{ oauth: [] }] }),
      );
    }
    return sendJson(response, 200, { reached: 'outside' });
  });
}

beforeAll(async () => {
  [inside, outside] = await Promise.all([
    startEchoServer((_request, response) => sendJson(response, 200, { ...documentOf(['probe']), reached: 'inside' })),
    serveOutside(),
  ]);
  const named = (path: string, at: string): string => `{ url: "${outside.url}${path}?at=${encodeURIComponent(at)}" }`;
  hub = await startHub({
    files: {
      'hubgate.yaml': `
services:
  own-origin: { url: "${outside.url}/document" }
  other-port: ${named('/document', inside.url)}
  other-name: ${named('/document', `http://localhost:${inside.port}`)}
  odd-literal: ${named('/document', `http://2130706433:${inside.port}`)}
  mapped: ${named('/document', `http://[::ffff:127.0.0.1]:${inside.port}`)}
  metadata: ${named('/document', METADATA)}
  moved: ${named('/redirect', `${inside.url}/doc`)}
  moved-by-name: ${named('/redirect', `http://localhost:${inside.port}/doc`)}
  moved-to-metadata: ${named('/redirect', `${METADATA}/latest`)}
  moved-to-file: ${named('/redirect', 'file:///etc/hostname')}
  loop: { url: "${outside.url}/loop" }
  operators-metadata: { spec: documents/probe.json, baseUrl: "${METADATA}" }
  operators-loopback: { spec: documents/probe.json, baseUrl: "${inside.url}" }
  token: { url: "${outside.url}/token-document?at=${encodeURIComponent(`${inside.url}/token`)}", baseUrl: "${outside.url}", auth: { oauth2: { clientId: hub, clientSecret: "\${env:SECRET}" } } }
`,
      'documents/probe.json': JSON.stringify(documentOf(['probe'])),
      'openapi-specs/dropped.json': JSON.stringify(documentOf(['probe'], inside.url)),
    },
    env: { SECRET: 'client-secret-value' },
  });
});
afterAll(async () => {
  await hub?.stop();
  await Promise.all([inside?.stop(), outside?.stop()]);
});

const allowLine = (address: string): string => `egress: { allow: ["${address}"] }`;
const stored = (more: object): object => ({ document: documentOf(['probe']), ...more });

describe('what the operator named is reached', () => {
  it.each(['own-origin', 'operators-loopback', 'dropped'])('%s', async (name) => {
    expect(await callText(hub, name, 'probe')).toContain('"reached"');
  });
});

describe('what a fetched document names is refused, with the rule and the line that would allow it', () => {
  const port = (): string => `127.0.0.1:${inside.port}`;
  it.each([
    ['other-port', NOT_PUBLIC, port],
    ['other-name', NOT_PUBLIC, port],
    ['odd-literal', NOT_PUBLIC, port],
    ['mapped', NOT_PUBLIC, port],
    ['metadata', GUARDED, () => '169.254.169.254:80'],
    ['operators-metadata', GUARDED, () => '169.254.169.254:80'],
    ['token', NOT_PUBLIC, port],
  ])('as a server or a token endpoint: %s', async (name, rule, address) => {
    const before = inside.requests.length;
    const said = await callText(hub, name, 'probe');
    expect(said).toContain(rule);
    expect(said).toContain(allowLine(address()));
    expect(inside.requests).toHaveLength(before);
  });

  it.each([
    ['moved', NOT_PUBLIC, port],
    ['moved-by-name', NOT_PUBLIC, port],
    ['moved-to-metadata', GUARDED, () => '169.254.169.254:80'],
  ])('as a redirect of the document: %s', async (name, rule, address) => {
    const source = await sourceOf(hub, name);
    expect(source).toMatchObject({ state: 'failed', error: expect.stringContaining(rule) as string });
    expect(source?.error).toContain(allowLine(address()));
  });

  it('as a redirect of another scheme, or without end', async () => {
    expect(await sourceOf(hub, 'moved-to-file')).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('http or https only') as string,
    });
    expect(await sourceOf(hub, 'loop')).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('redirects more than 3 times') as string,
    });
    expect(outside.requests.filter(({ path }) => path === '/loop')).toHaveLength(4);
  });
});

describe('what comes by the admin API is refused', () => {
  it('as an address of a document, to import or to keep', async () => {
    for (const url of [
      `${inside.url}/doc`,
      `http://localhost:${inside.port}/doc`,
      `${METADATA}/latest`,
      `http://[::1]:${inside.port}/doc`,
      'http://0.0.0.0/doc',
    ]) {
      const imported = await askAdmin(hub, 'POST', '/services/import', { url, name: 'imported' });
      expect([url, imported.status]).toEqual([url, 502]);
      expect(imported.body).toMatchObject({
        code: 'egress_refused',
        detail: expect.stringContaining('egress: { allow: [') as string,
        errors: [{ path: '/url' }],
      });
      const kept = await askAdmin(hub, 'PUT', '/services/kept', { url });
      expect([200, 201]).toContain(kept.status);
      expect(await sourceOf(hub, 'kept')).toMatchObject({
        state: 'failed',
        error: expect.stringMatching(/The hub may not connect to/) as string,
      });
    }
    expect(await sourceOf(hub, 'imported')).toBeUndefined();
  });

  it('as a baseUrl, a server of a document, or a token endpoint', async () => {
    const oauth2 = { clientId: 'hub', clientSecret: 'client-secret-value', tokenUrl: `${inside.url}/token` };
    for (const body of [
      stored({ baseUrl: inside.url }),
      { document: documentOf(['probe'], inside.url) },
      stored({ baseUrl: 'https://example.com', auth: { oauth2 } }),
    ]) {
      await askAdmin(hub, 'PUT', '/services/put', body);
      expect(await callText(hub, 'put', 'probe')).toContain(`127.0.0.1:${inside.port}: it ${NOT_PUBLIC}`);
    }
  });

  it('when it leads to the hub itself, which no line allows', async () => {
    for (const url of [hub.url, hub.adminUrl]) {
      const { port } = new URL(url);
      await hub.write(
        'hubgate.yaml',
        `${allowLine(`127.0.0.1:${port}`)}\nservices:\n  own-port: { spec: documents/probe.json, baseUrl: "http://localhost:${port}" }\n`,
      );
      await askAdmin(hub, 'POST', '/reload');
      await askAdmin(hub, 'PUT', '/services/put', stored({ baseUrl: url }));
      for (const name of ['put', 'own-port'])
        expect(await callText(hub, name, 'probe')).toMatch(/is a port of this hub, which it never calls.*hub:admin/);
    }
  });
});

describe('egress.allow', () => {
  it('opens what it lists as soon as it stands there, and closes it again', async () => {
    const config = (allow: string): string =>
      `${allow}\nservices:\n  opened: { url: "${outside.url}/document?at=${encodeURIComponent(inside.url)}" }\n`;
    await askAdmin(hub, 'PUT', '/services/put', stored({ baseUrl: inside.url }));
    for (const line of [allowLine(`127.0.0.1:${inside.port}`), 'egress: { allow: [127.0.0.0/8] }']) {
      await hub.write('hubgate.yaml', config(line));
      await askAdmin(hub, 'POST', '/reload');
      for (const name of ['opened', 'put']) expect(await callText(hub, name, 'probe')).toContain('"reached":"inside"');
      await hub.write('hubgate.yaml', config(''));
      await askAdmin(hub, 'POST', '/reload');
      for (const name of ['opened', 'put']) expect(await callText(hub, name, 'probe')).toContain(NOT_PUBLIC);
    }
  });

  it('lets a document that was refused come at once', async () => {
    const service = `services:\n  refused: { url: "${outside.url}/redirect?at=${encodeURIComponent(`${inside.url}/doc`)}" }\n`;
    await hub.write('hubgate.yaml', service);
    await askAdmin(hub, 'POST', '/reload');
    await expect.poll(() => sourceOf(hub, 'refused'), { timeout: 1_000 }).toMatchObject({ state: 'failed' });
    await hub.write('hubgate.yaml', `${allowLine(`127.0.0.1:${inside.port}`)}\n${service}`);
    await askAdmin(hub, 'POST', '/reload');
    await expect.poll(() => sourceOf(hub, 'refused'), { timeout: 1_000 }).toMatchObject({ state: 'ready' });
  });

  it('counts for a document that comes in the same edit', async () => {
    await hub.write(
      'hubgate.yaml',
      `${allowLine(`127.0.0.1:${inside.port}`)}\nservices:\n  same-edit: { url: "${outside.url}/redirect?at=${encodeURIComponent(`${inside.url}/doc`)}" }\n`,
    );
    await askAdmin(hub, 'POST', '/reload');
    await expect.poll(() => sourceOf(hub, 'same-edit'), { timeout: 1_000 }).toMatchObject({ state: 'ready' });
  });
});
