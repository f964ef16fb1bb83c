import { rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { Secret } from '../../../src/core/secret.ts';
import { addFiles, errorsOf, folderWith, load, PETSTORE } from './folder.ts';

const HASH = 'a'.repeat(64);

/** DESIGN 2.3, first block. */
const EXAMPLE = `
providers:
  openai:   { type: openai, apiKey: "\${env:OPENAI_API_KEY}" }   # quoted inside braces, bare in block style
  local:    { type: ollama, baseUrl: http://127.0.0.1:11434 }
models:                                   # routes of the models lane, first match wins
  - match: { model: "gpt-*" }             # or header, consumer, intent
    targets: [{ provider: openai }]       # passes the model name through
  - name: support                         # a name without match: called as model "support"
    targets:
      - { provider: openai, model: gpt-5-mini, weight: 90 }
      - { provider: local,  model: qwen3, weight: 10 }
    fallback: [{ provider: local, model: qwen3 }]
    policies: [{ cache: { ttl: 5m } }]
services:                                 # OpenAPI services; a spec dropped in openapi-specs/ needs no entry
  github: { spec: openapi-specs/github.yaml, auth: { bearer: "\${env:GITHUB_TOKEN}" } }
  billing: { spec: openapi-specs/billing.yaml, baseUrl: http://billing.internal/api, auth: { header: { X-Key: "\${env:BILLING_KEY}" } } }
servers:                                  # upstream MCP servers
  files: { command: npx, args: [-y, "@modelcontextprotocol/server-filesystem", /srv] }
  crm:   { url: https://crm.example.com/mcp, auth: { forward: user } }
agents:
  travel:  { card: https://travel.example.com/.well-known/agent-card.json }
  billing: { rest: { spec: openapi-specs/billing.yaml } }
embedding: { model: auto }
policies: [{ access-log: {}, lanes: [models] }]
publicUrl: https://hub.example.com
consumers:
  - { name: alice, groups: [support], keys: [{ sha256: "${HASH}" }], limits: { requests: 600/min, tokens: 200k/min }, budget: { usd: 50/month } }
`;

/** DESIGN 2.3, second block. */
const SUPPORT = `
description: What the support team's assistant may do
tools:
  - from: petstore
    include: ["find*", "get*"]
  - from: github
    include: [{ tag: issues, method: GET }]
overrides:
  github.issues_list-for-repo: { name: list_issues, description: …, arguments: { owner: { value: acme }, page: { hide: true } } }
access:
  - { groups: [support], allow: ["*"] }
  - { groups: [interns], allow: ["find*"], deny: [{ risk: write }] }
  - { groups: [partners], allow: [{ tool: list_issues, when: 'args.repo == "public-site"' }] }
search: { mode: auto, top: 8, pinned: [list_issues] }   # on, off, auto: search tools appear above 40 tools
`;

const FILES = {
  'hubgate.yaml': EXAMPLE,
  'virtual-servers/support.yaml': SUPPORT,
  'openapi-specs/github.yaml': PETSTORE,
  'openapi-specs/billing.yaml': PETSTORE,
  'openapi-specs/petstore.yaml': PETSTORE,
};
const ENV = { OPENAI_API_KEY: 'sk-openai', GITHUB_TOKEN: 'ghp-token', BILLING_KEY: 'billing-key' };

describe('the examples of the design', () => {
  it('load, with values as the types have them', async () => {
    const loaded = await load(FILES, { env: ENV });
    expect(errorsOf(loaded)).toEqual([]);
    expect(loaded.ok).toBe(true);
    const { config, virtualServers } = loaded;
    const auth = config?.services?.['github']?.auth;
    expect(auth).toEqual({ bearer: expect.any(Secret) });
    expect(auth && 'bearer' in auth && auth.bearer.reveal()).toBe('ghp-token');
    expect(config?.consumers?.[0]?.limits).toEqual({
      requests: { amount: 600, per: 'minute' },
      tokens: { amount: 200_000, per: 'minute' },
    });
    expect(config?.consumers?.[0]?.budget).toEqual({ usd: { amount: 50, per: 'month' } });
    expect(config?.policies).toEqual([{ name: 'access-log', options: {}, lanes: ['models'] }]);
    expect(config?.models?.[1]?.policies).toEqual([{ name: 'cache', options: { ttl: '5m' } }]);
    expect(virtualServers.get('support')?.search).toEqual({ mode: 'auto', top: 8, pinned: ['list_issues'] });
    expect(virtualServers.get('support')?.overrides?.['github.issues_list-for-repo']?.arguments).toEqual({
      owner: { value: 'acme' },
      page: { hide: true },
    });
    expect(loaded.secrets.toSorted()).toEqual(['billing-key', 'ghp-token', 'sk-openai']);
  });

  it('warn once for each section that is not built', async () => {
    const { problems } = await load(FILES, { env: ENV });
    const sections = problems.filter(({ code }) => code === 'not-built').map(({ message }) => /^"([^"]+)"/.exec(message)?.[1]);
    expect(sections.toSorted()).toEqual(['servers with command or url']);
  });

  it('take every way of auth', async () => {
    const loaded = await load(
      `services:
  a: { url: https://x.example/1, auth: { basic: { username: u, password: "\${env:P}" } } }
  b: { url: https://x.example/2, auth: { query: { key: "\${env:P}" } } }
  c: { url: https://x.example/3, auth: { oauth2: { clientId: i, clientSecret: "\${env:P}", tokenUrl: https://x.example/t, scopes: [s] } } }
  d:
    url: https://x.example/4
    auth:
      schemes:
        key: \${env:P}
        login: { username: u, password: "\${env:P}" }
        app: { clientId: i, clientSecret: "\${env:P}" }
servers:
  e: { url: https://x.example/mcp, auth: oauth, headers: { X-Trace: plain, Authorization: "Bearer \${env:P}" } }
`,
      { env: { P: 'passphrase' } },
    );
    expect(errorsOf(loaded)).toEqual([]);
    const { services, servers } = loaded.config ?? {};
    expect(services?.['a']?.auth).toEqual({ basic: { username: 'u', password: new Secret('passphrase') } });
    expect(services?.['d']?.auth).toMatchObject({ schemes: { key: expect.any(Secret), login: { username: 'u' }, app: { clientId: 'i' } } });
    expect(servers?.['e']?.headers?.['Authorization']?.reveal()).toBe('Bearer passphrase');
    expect(servers?.['e']?.headers?.['X-Trace']?.reveal()).toBe('plain');
    expect(loaded.secrets).not.toContain('plain');
  });
});

describe('references', () => {
  it('are resolved in ordinary texts, from files too, before formats are checked', async () => {
    const files = {
      'hubgate.yaml':
        'publicUrl: ${env:URL}\nservices:\n  a: { url: "https://${env:HOST}/x", timeout: "${env:WAIT}", auth: { bearer: "${file:secrets/token}" } }\n',
      'secrets/token': 'from-a-file\n',
    };
    const loaded = await load(files, { env: { URL: 'https://hub.example', HOST: 'api.example', WAIT: '3s' } });
    expect(errorsOf(loaded)).toEqual([]);
    expect(loaded.config?.publicUrl).toBe('https://hub.example');
    expect(loaded.config?.services?.['a']).toMatchObject({ url: 'https://api.example/x', timeout: 3000 });
    expect(loaded.secrets).toEqual(['from-a-file']);
    expect(loaded.files.some((file) => file.endsWith('secrets/token'))).toBe(true);
  });

  it('count as secrets where anything may stand', async () => {
    const files = {
      'hubgate.yaml': '{}',
      'openapi-specs/petstore.yaml': PETSTORE,
      'virtual-servers/v.yaml': 'tools: [{ from: petstore }]\noverrides: { petstore.a: { arguments: { k: { value: "${env:INNER}" } } } }\n',
    };
    const loaded = await load(files, { env: { INNER: 'inner-secret' } });
    expect(loaded.virtualServers.get('v')?.overrides?.['petstore.a']?.arguments?.['k']?.value).toBe('inner-secret');
    expect(loaded.secrets).toEqual(['inner-secret']);
  });
});

describe('documents', () => {
  it('are the files with an openapi or swagger key, named after the file, and those that entries name', async () => {
    const loaded = await load({
      'hubgate.yaml':
        'services:\n  hub: { spec: openapi-specs/GitHub.v3.json }\n  far: { spec: https://x.example/openapi.json }\n  gone: { spec: nowhere.yaml }\n  odd: { spec: other/plain.yaml }\n',
      'openapi-specs/GitHub.v3.json': '{"openapi":"3.0.0"}',
      'openapi-specs/My_Pet Store.Version.Two.2024.yaml': 'swagger: "2.0"\n',
      'openapi-specs/schemas.json': '{"components":{"openapi":"3.0.0"}}',
      'openapi-specs/notes.txt': 'openapi: 3.0.0',
      'openapi-specs/deep/inner.yaml': PETSTORE,
      'other/plain.yaml': 'nothing: here\n',
    });
    expect(errorsOf(loaded)).toEqual([]);
    const shown = loaded.documents.map(({ service, display, error }) => [service, display, error?.code]);
    expect(shown.toSorted()).toEqual([
      ['gone', 'nowhere.yaml', 'document-missing'],
      ['hub', 'openapi-specs/GitHub.v3.json', undefined],
      ['my-pet-store-version-two', 'openapi-specs/My_Pet Store.Version.Two.2024.yaml', undefined],
      ['odd', 'other/plain.yaml', undefined],
    ]);
    expect(loaded.locate('/services/my-pet-store-version-two')).toEqual({
      file: 'openapi-specs/My_Pet Store.Version.Two.2024.yaml',
      line: 1,
      column: 1,
    });
  });

  it('belong to an entry of their name that names no other', async () => {
    const loaded = await load({ 'hubgate.yaml': 'services: { petstore: { enabled: false } }', 'openapi-specs/petstore.yaml': PETSTORE });
    expect(loaded.problems).toEqual([]);
    expect(loaded.documents.map(({ service }) => service)).toEqual(['petstore']);
  });

  it('are not read again while mtime and size stay', async () => {
    const folder = await folderWith({ 'hubgate.yaml': '{}', 'openapi-specs/a.yaml': PETSTORE, 'openapi-specs/b.yaml': 'notes: x' });
    const file = path.join(folder, 'hubgate.yaml');
    const first = await loadConfig({ file, env: {} });
    const document = path.join(folder, 'openapi-specs/a.yaml');
    const when = new Date(first.documents[0]?.modified ?? 0);
    await utimes(document, when, when);
    const settled = await loadConfig({ file, env: {}, previous: first });
    await writeFile(document, PETSTORE.replace('Pets', 'Cats'));
    await utimes(document, when, when);
    const same = await loadConfig({ file, env: {}, previous: settled });
    expect(same.documents[0]?.text).toBe(PETSTORE);
    await writeFile(document, `${PETSTORE}# longer`);
    await addFiles(folder, { 'openapi-specs/b.yaml': PETSTORE });
    const changed = await loadConfig({ file, env: {}, previous: same });
    expect(changed.documents.map(({ service, text }) => [service, text])).toEqual([
      ['a', `${PETSTORE}# longer`],
      ['b', PETSTORE],
    ]);
    expect(changed.documents[0]?.hash).not.toBe(same.documents[0]?.hash);
  });

  it('larger than documents.fileSize fail alone', async () => {
    const loaded = await load({ 'hubgate.yaml': 'documents: { fileSize: 10B }', 'openapi-specs/a.yaml': PETSTORE });
    expect(loaded.ok).toBe(true);
    expect(loaded.documents[0]?.error?.message).toBe('openapi-specs/a.yaml is larger than 10B. Raise documents.fileSize to read it.');
  });
});

describe('hubgate.yaml', () => {
  it('may be missing only where the caller says so', async () => {
    const folder = await folderWith({ 'openapi-specs/petstore.yaml': PETSTORE });
    const file = path.join(folder, 'hubgate.yaml');
    expect(errorsOf(await loadConfig({ file, env: {} }))).toEqual(['hubgate.yaml:1:1 missing-file']);
    const optional = await loadConfig({ file, env: {}, optional: true });
    expect([optional.ok, optional.config, optional.documents.length]).toEqual([true, {}, 1]);
  });

  it('that is deleted or emptied is an error, and files stay to be watched', async () => {
    const folder = await folderWith({ 'hubgate.yaml': '{}' });
    const file = path.join(folder, 'hubgate.yaml');
    const before = await loadConfig({ file, env: {} });
    await rm(file);
    const gone = await loadConfig({ file, env: {}, previous: before });
    expect([gone.ok, gone.config, gone.files.includes(file)]).toEqual([false, undefined, true]);
    for (const text of ['', '\n', '# only a comment\n', '\uFEFF']) {
      await writeFile(file, text);
      expect(errorsOf(await loadConfig({ file, env: {}, optional: true }))).toEqual(['hubgate.yaml:1:1 empty']);
    }
  });

  it('keeps strange names apart from what objects inherit', async () => {
    const loaded = await load('services: { constructor: { url: "https://x.example/" } }');
    expect(loaded.ok).toBe(true);
    expect(loaded.config?.services?.['constructor']).toEqual({ url: 'https://x.example/' });
    expect(loaded.config?.services?.['toString']).toBeUndefined();
    expect(errorsOf(await load('services:\n  __proto__: { url: "https://x.example/" }\n'))).toEqual(['hubgate.yaml:2:3 bad-name']);
  });
});

describe('locate', () => {
  it('finds entries in their files, and the nearest parent of what is not there', async () => {
    const loaded = await load(FILES, { env: ENV });
    expect(loaded.locate('/services/github/auth')).toEqual({ file: 'hubgate.yaml', line: 15, column: 46 });
    expect(loaded.locate('/services/github/access')).toEqual({ file: 'hubgate.yaml', line: 15, column: 3 });
    expect(loaded.locate('/virtual-servers/support/overrides/github.issues_list-for-repo/arguments/owner')).toMatchObject({
      file: 'virtual-servers/support.yaml',
      line: 9,
    });
    expect(loaded.locate('/virtual-servers/support/access/1/deny')).toMatchObject({ file: 'virtual-servers/support.yaml', line: 12 });
    expect(loaded.locate('/models/1/targets/0')).toMatchObject({ line: 10 });
  });
});
