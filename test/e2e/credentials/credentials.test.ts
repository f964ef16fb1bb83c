import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { askAdmin } from '../../support/ask-admin.ts';
import { sendJson, startEchoServer, type EchoServer, type RecordedRequest } from '../../support/echo-server.ts';
import { postModern } from '../../support/mcp-clients.ts';
import { startHub, type Hub } from '../../support/start-hub.ts';

/** What the token endpoint and the API do now. */
const mood = { expiresIn: 3600, delayMs: 0, refuse: new Set<string>(), tokenStatus: 200 };
let api: EchoServer;
let tokens: EchoServer;
let hub: Hub;

const env = {
  BEARER: 'bearer-value',
  PASSWORD: 'pass:wörd',
  HEADER: 'header-value',
  QUERY: 'query value&=',
  SCHEME: 'scheme-value',
  COOKIE: 'cookie value',
  CLIENT_SECRET: 'client:secret',
};
const operation = (security?: object[]): object => ({ responses: {}, ...(security !== undefined && { security }) });
const get = (path: string, security?: object[]): [string, object] => [
  path,
  { get: { operationId: path.slice(1), ...operation(security) } },
];

beforeAll(async () => {
  api = await startEchoServer(({ headers }, response) => {
    const refused = mood.refuse.has(headers.authorization ?? '');
    return sendJson(response, refused ? 401 : 200, refused ? { error: 'invalid_token' } : { ok: true });
  });
  tokens = await startEchoServer(async (_request, response) => {
    const number = tokens.requests.length;
    await new Promise((done) => setTimeout(done, mood.delayMs));
    if (mood.tokenStatus !== 200)
      return sendJson(response, mood.tokenStatus, { error: 'invalid_client', error_description: 'told in detail' });
    return sendJson(response, 200, { access_token: `token-${number}`, token_type: 'Bearer', expires_in: mood.expiresIn });
  });
  const document = {
    openapi: '3.1.0',
    info: { title: 'Api', version: '1' },
    security: [{ keyHeader: [] }],
    paths: Object.fromEntries([
      get('/plain'),
      get('/public', []),
      get('/query', [{ keyQuery: [] }]),
      get('/cookie', [{ keyCookie: [] }]),
      get('/basic', [{ basic: [] }]),
      get('/oauth', [{ oauth: ['read'] }]),
      get('/both', [{ keyHeader: [], keyQuery: [] }]),
      get('/either', [{ unconfigured: [] }, { basic: [] }]),
      get('/optional', [{ unconfigured: [] }, {}]),
      get('/unconfigured', [{ unconfigured: [] }]),
    ]),
    components: {
      securitySchemes: {
        keyHeader: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
        keyQuery: { type: 'apiKey', in: 'query', name: 'api_key' },
        keyCookie: { type: 'apiKey', in: 'cookie', name: 'session' },
        basic: { type: 'http', scheme: 'basic' },
        oauth: { type: 'oauth2', flows: { clientCredentials: { tokenUrl: `${tokens.url}/token`, scopes: { read: 'Read' } } } },
        unconfigured: { type: 'http', scheme: 'bearer' },
      },
    },
  };
  const service = (name: string, auth: string): string =>
    `  ${name}: { spec: documents/api.json, baseUrl: "${api.url}"${auth === '' ? '' : `, auth: ${auth}`} }\n`;
  const oauth = `{ oauth2: { clientId: "hub id", clientSecret: "\${env:CLIENT_SECRET}", tokenUrl: "${tokens.url}/token", scopes: [read, write] } }`;
  const schemes = `{ schemes: { keyHeader: "\${env:SCHEME}", keyQuery: "\${env:QUERY}", keyCookie: "\${env:COOKIE}", basic: { username: us, password: "\${env:PASSWORD}" }, oauth: { clientId: hub, clientSecret: "\${env:CLIENT_SECRET}" } } }`;
  hub = await startHub({
    files: {
      'hubgate.yaml': `services:\n${[
        service('bearer', '{ bearer: "${env:BEARER}" }'),
        service('basic', '{ basic: { username: us, password: "${env:PASSWORD}" } }'),
        service('header', '{ header: { X-Custom: "${env:HEADER}", X-Tenant: "${env:SCHEME}" } }'),
        service('query', '{ query: { key: "${env:QUERY}" } }'),
        service('none', ''),
        service('schemes', schemes),
        ...['shared', 'refreshed', 'expiring', 'refusing', 'stubborn'].map((name) => service(name, oauth)),
      ].join('')}`,
      'documents/api.json': JSON.stringify(document),
    },
    env,
  });
});
afterAll(async () => {
  await hub?.stop();
  await Promise.all([api?.stop(), tokens?.stop()]);
});
beforeEach(() => {
  Object.assign(mood, { expiresIn: 3600, delayMs: 0, refuse: new Set<string>(), tokenStatus: 200 });
  api.requests.length = 0;
});

interface Called {
  readonly text: string;
  readonly failed: boolean;
}

async function call(service: string, name: string): Promise<Called> {
  const { result, text } = await postModern(`${hub.url}/mcp/${service}`, 'tools/call', { name, arguments: {} });
  const [content] = (result?.content ?? []) as { text: string }[];
  return { text: content?.text ?? text, failed: result?.isError === true };
}

/** The request that one call made. */
async function requestOf(service: string, name: string): Promise<RecordedRequest> {
  expect(await call(service, name)).toEqual({ text: '{"ok":true}', failed: false });
  expect(api.requests).toHaveLength(1);
  return api.requests[0] as RecordedRequest;
}

const basic = `Basic ${Buffer.from('us:pass:wörd').toString('base64')}`;

describe('a credential by kind', () => {
  it.each([
    ['bearer', { authorization: 'Bearer bearer-value' }, '/plain'],
    ['basic', { authorization: basic }, '/plain'],
    ['header', { 'x-custom': 'header-value', 'x-tenant': 'scheme-value' }, '/plain'],
    ['query', {}, '/plain?key=query%20value%26%3D'],
  ])('%s is on the request, in its place only', async (service, headers, path) => {
    const request = await requestOf(service, 'plain');
    expect(request.path).toBe(path);
    expect(request.headers).toMatchObject(headers);
    expect(Object.keys(request.headers).sort()).toEqual(
      ['accept', 'accept-encoding', 'connection', 'host', 'user-agent', ...Object.keys(headers)].sort(),
    );
  });

  it.each(['bearer', 'basic', 'header', 'query', 'schemes', 'shared'])(
    '%s is not sent where the document says security: []',
    async (service) => {
      const { headers, path } = await requestOf(service, 'public');
      expect(path).toBe('/public');
      expect(Object.keys(headers).sort()).toEqual(['accept', 'accept-encoding', 'connection', 'host', 'user-agent']);
    },
  );
});

describe('credentials by scheme', () => {
  it.each([
    ['plain', '/plain', { 'x-api-key': 'scheme-value' }],
    ['query', '/query?api_key=query%20value%26%3D', {}],
    ['cookie', '/cookie', { cookie: 'session=cookie%20value' }],
    ['basic', '/basic', { authorization: basic }],
    ['both', '/both?api_key=query%20value%26%3D', { 'x-api-key': 'scheme-value' }],
    ['either', '/either', { authorization: basic }],
    ['optional', '/optional', {}],
  ])('%s', async (name, path, headers) => {
    const request = await requestOf('schemes', name);
    expect(request.path).toBe(path);
    expect(request.headers).toMatchObject(headers);
    if (!('authorization' in headers)) expect(request.headers.authorization).toBeUndefined();
  });

  it('the token endpoint of the document is asked, with its scopes', async () => {
    const before = tokens.requests.length;
    const { headers } = await requestOf('schemes', 'oauth');
    expect(headers.authorization).toBe(`Bearer token-${before + 1}`);
    expect(new URLSearchParams(tokens.requests.at(-1)?.body.toString()).get('scope')).toBe('read');
  });

  it('one that nobody configured is asked of the operator when the API wants it', async () => {
    expect(await call('schemes', 'unconfigured')).toEqual({ text: '{"ok":true}', failed: false });
    mood.refuse.add('');
    const { text, failed } = await call('none', 'unconfigured');
    expect(failed).toBe(true);
    expect(text).toMatch(/^HTTP 401.*\n.*no credential for this operation: unconfigured is wanted.*services\.none\.auth/);
    expect(api.requests).toHaveLength(2);
  });
});

describe('oauth2 client credentials', () => {
  const asked = async (work: () => Promise<void>): Promise<number> => {
    const before = tokens.requests.length;
    await work();
    return tokens.requests.length - before;
  };

  it('fetches one token for 50 calls at once, and keeps it', async () => {
    mood.delayMs = 100;
    const count = await asked(async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, () => call('shared', 'plain')));
      expect(answers.filter(({ failed }) => failed)).toEqual([]);
      await call('shared', 'plain');
    });
    expect(count).toBe(1);
    expect(new Set(api.requests.map(({ headers }) => headers.authorization)).size).toBe(1);
    const { method, headers, body } = tokens.requests.at(-1) as RecordedRequest;
    expect([method, headers.authorization]).toEqual(['POST', `Basic ${Buffer.from('hub+id:client%3Asecret').toString('base64')}`]);
    expect(Object.fromEntries(new URLSearchParams(body.toString()))).toEqual({ grant_type: 'client_credentials', scope: 'read write' });
  });

  it('fetches another after a 401, once for all calls that got one, and sends each call again', async () => {
    await call('refreshed', 'plain');
    const old = api.requests.at(-1)?.headers.authorization as string;
    mood.refuse.add(old);
    mood.delayMs = 100;
    const count = await asked(async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => call('refreshed', 'plain')));
      expect(answers.filter(({ failed }) => failed)).toEqual([]);
    });
    expect(count).toBe(1);
    expect(api.requests.filter(({ headers }) => headers.authorization === old)).toHaveLength(1 + 20);
    expect(api.requests).toHaveLength(1 + 40);
  });

  it('gives up when the new token is refused too', async () => {
    for (let number = 0; number < 100; number++) mood.refuse.add(`Bearer token-${number}`);
    const count = await asked(async () => {
      const { text, failed } = await call('stubborn', 'plain');
      expect(failed).toBe(true);
      expect(text).toMatch(/^HTTP 401/);
    });
    expect([count, api.requests.length]).toEqual([2, 2]);
  });

  it('replaces a token that is about to expire, before it is refused', async () => {
    mood.expiresIn = 1;
    const count = await asked(async () => {
      await call('expiring', 'plain');
      await call('expiring', 'plain');
      await new Promise((done) => setTimeout(done, 600));
      await call('expiring', 'plain');
    });
    expect(count).toBe(2);
    const [first, second, third] = api.requests.map(({ headers }) => headers.authorization);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  it('says that the endpoint refused, and asks again at the next call', async () => {
    mood.tokenStatus = 401;
    const { text, failed } = await call('refusing', 'plain');
    expect(failed).toBe(true);
    expect(text).toContain(`The token endpoint 127.0.0.1:${tokens.port} refused the hub's client credentials (401: invalid_client).`);
    expect(text).not.toMatch(/told in detail|secret/);
    expect(api.requests).toEqual([]);
    mood.tokenStatus = 200;
    await requestOf('refusing', 'plain');
  });
});

it('a credential that is changed through the admin API is used from the answer on', async () => {
  await hub.write('hubgate.yaml', `egress: { allow: ["127.0.0.1:${api.port}"] }\n`);
  await askAdmin(hub, 'POST', '/reload');
  const document = { openapi: '3.1.0', info: { title: 'Api', version: '1' }, paths: Object.fromEntries([get('/plain')]) };
  for (const value of ['first-stored-value', 'second-stored-value']) {
    await askAdmin(hub, 'PUT', '/services/stored', { document, baseUrl: api.url, auth: { bearer: value } });
    await call('stored', 'plain');
    expect(api.requests.at(-1)?.headers.authorization).toBe(`Bearer ${value}`);
  }
  const kept = await askAdmin(hub, 'PUT', '/services/stored', {
    document: { set: true },
    baseUrl: api.url,
    auth: { bearer: { set: true } },
    description: 'kept',
  });
  expect(kept).toMatchObject({ status: 200, body: { config: { auth: { bearer: { set: true } }, description: 'kept' } } });
  await call('stored', 'plain');
  expect(api.requests.at(-1)?.headers.authorization).toBe('Bearer second-stored-value');
});
