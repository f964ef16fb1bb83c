import { readdirSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parse } from 'yaml';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeFolder, PETSTORE_SPEC, runCli } from './run-cli.ts';

let cwd: string;
let server: Server | undefined;

beforeEach(async () => {
  cwd = await makeFolder({ 'My Pets.yaml': PETSTORE_SPEC, 'bad.json': '{"openapi": 3' });
});
afterEach(async () => {
  server?.close();
  server = undefined;
  await rm(cwd, { recursive: true, force: true });
});

async function web(body: string): Promise<string> {
  server = createServer((_req, res) => res.end(body)).listen(0, '127.0.0.1');
  await new Promise((ready) => server?.once('listening', ready));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const specs = (): string[] => readdirSync(join(cwd, 'openapi-specs'));

describe('import', { timeout: 20_000 }, () => {
  it('writes a file as it came, under the name of the service', async () => {
    const { code, stdout } = await runCli(cwd, ['import', 'My Pets.yaml']);
    expect(code).toBe(0);
    expect(stdout).toContain('Petstore 1.0.0 (OpenAPI 3.1.0)\n  2 tools');
    expect(stdout).toContain('written to openapi-specs/my-pets.yaml, served at /mcp/my-pets');
    expect(readFileSync(join(cwd, 'openapi-specs/my-pets.yaml'), 'utf8')).toBe(PETSTORE_SPEC);
    expect((await runCli(cwd, ['import', 'My Pets.yaml'])).stdout).toContain('unchanged in');
    expect((await runCli(cwd, ['import', 'openapi-specs/my-pets.yaml'])).stdout).toContain('already');
    expect((await runCli(cwd, ['import', 'My Pets.yaml', '--name', 'shop'])).stdout).toContain('openapi-specs/shop.yaml');
    expect(specs().sort()).toEqual(['my-pets.yaml', 'shop.yaml']);
  });

  it('reports without writing on a dry run, one line of JSON for each document', async () => {
    const { code, stdout } = await runCli(cwd, ['import', '--dry-run', '--json', 'My Pets.yaml', 'bad.json', 'none.yaml']);
    expect(code).toBe(1);
    const [good, bad, none] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(good).toMatchObject({
      file: 'My Pets.yaml',
      ok: true,
      document: { title: 'Petstore', version: '1.0.0', openapi: '3.1.0' },
      tools: [{ name: 'listPets' }, { name: 'deletePet' }],
      warnings: [],
      leftOut: [],
    });
    expect(bad).toMatchObject({ file: 'bad.json', ok: false, tools: [], error: { code: expect.any(String), message: expect.any(String) } });
    expect(none).toMatchObject({ file: 'none.yaml', ok: false, error: { code: 'unreadable' } });
    expect(readdirSync(cwd).sort()).toEqual(['My Pets.yaml', 'bad.json']);
  });

  it('names what it fetches after its title, and says where relative servers lead', async () => {
    const url = await web(
      JSON.stringify({
        openapi: '3.0.3',
        info: { title: 'Swagger Petstore - OpenAPI 3.0', version: '1' },
        servers: [{ url: '/api/v3' }],
        paths: {},
      }),
    );
    const { code, stdout, stderr } = await runCli(cwd, ['import', `${url}/openapi.json`]);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('openapi-specs/swagger-petstore-openapi.json');
    expect(stdout).toContain(`services: { swagger-petstore-openapi: { baseUrl: "${url}/api/v3" } }`);
    expect(specs()).toEqual(['swagger-petstore-openapi.json']);
  });

  it('says where relative servers lead as the hub does: with variables filled, and after overlays', async () => {
    const document = { openapi: '3.0.3', info: { title: 'Shop', version: '1' }, paths: {} };
    const variables = { version: { default: 'v2' } };
    const url = await web(JSON.stringify({ ...document, servers: [{ url: 'api/{version}', variables }] }));
    const first = await runCli(cwd, ['import', `${url}/docs/openapi.json`]);
    expect(first.stdout).toContain(`services: { shop: { baseUrl: "${url}/docs/api/v2" } }`);
    const update = { servers: [{ url: 'https://a.example' }] };
    const actions = [
      { target: '$.servers', remove: true },
      { target: '$', update },
    ];
    await writeFile(join(cwd, 'fix.json'), JSON.stringify({ overlay: '1.0.0', info: { title: 'T', version: '1' }, actions }));
    const second = await runCli(cwd, ['import', `${url}/docs/openapi.json`, '--name', 'repaired', '--overlay', 'fix.json']);
    expect(second.stdout).toContain('served at /mcp/repaired');
    expect(second.stdout).not.toContain('baseUrl');
  });

  it('does not make the same service twice', async () => {
    await runCli(cwd, ['import', 'My Pets.yaml']);
    const url = await web(JSON.stringify({ openapi: '3.0.3', info: { title: 'My Pets', version: '1' }, paths: {} }));
    const { code, stdout } = await runCli(cwd, ['import', url]);
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: expect.stringContaining('openapi-specs/my-pets.yaml is served under this name already'),
    });
    expect(specs()).toEqual(['my-pets.yaml']);
  });

  it('says what is left out and why', async () => {
    const spec = `${PETSTORE_SPEC}    post: nonsense\n`;
    const folder = await makeFolder({ 'a.yaml': spec });
    const { stdout } = await runCli(folder, ['import', '--dry-run', 'a.yaml']);
    await rm(folder, { recursive: true });
    expect(stdout).toContain('2 tools, 1 operation left out');
    expect(stdout).toMatch(/left out:\n {4}POST \/pets\/\{petId\}: \S/);
  });

  it('shows what changes for consumers before it replaces a document', async () => {
    await runCli(cwd, ['import', 'My Pets.yaml']);
    const next = PETSTORE_SPEC.replace('name: limit, in: query', 'name: limit, in: query, required: true')
      .replace('delete:', 'put:')
      .replace('deletePet', 'putPet');
    const folder = await makeFolder({ 'next.yaml': next });
    const again = ['import', join(folder, 'next.yaml'), '--name', 'my-pets'];
    const tried = await runCli(cwd, [...again, '--dry-run']);
    expect(tried.stdout).toContain('  changes: 1 added, 1 removed, 1 changed (1 breaking)\n');
    expect(tried.stdout).toContain('    - deletePet (DELETE /pets/{petId}): breaking\n');
    expect(tried.stdout).toContain('    ~ listPets (GET /pets): breaking\n        The argument limit is required now.\n');
    expect(readFileSync(join(cwd, 'openapi-specs/my-pets.yaml'), 'utf8')).toBe(PETSTORE_SPEC);
    const { stdout } = await runCli(cwd, again);
    expect(stdout.indexOf('changes:')).toBeLessThan(stdout.indexOf('replaced openapi-specs/my-pets.yaml'));
    expect((await runCli(cwd, [...again, '--dry-run'])).stdout).toContain('nothing changes');
    await rm(folder, { recursive: true });
  });

  it('applies an overlay, keeps it beside the document, and applies it again', async () => {
    const actions = 'actions:\n  - target: $.paths.*.delete\n    remove: true\n  - target: $.no\n    remove: true\n';
    const overlay = `overlay: 1.0.0\ninfo: { title: T, version: '1' }\nextends: ./pets.yaml\n${actions}`;
    const folder = await makeFolder({ 'pets.yaml': PETSTORE_SPEC, 'fix.yaml': overlay });
    const named = [join(folder, 'pets.yaml'), '--overlay', join(folder, 'fix.yaml')];
    const { code, stdout } = await runCli(cwd, ['import', ...named]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('1 tool, 1 warning') });
    expect(stdout).toMatch(/warnings:\n {4}overlay_no_match: 1\n {6}\S+fix\.yaml#\/actions\/1\/target: /);
    expect(specs()).toEqual(['pets.overlay.yaml', 'pets.yaml']);
    expect(readFileSync(join(cwd, 'openapi-specs/pets.overlay.yaml'), 'utf8')).toBe(overlay);
    const again = await runCli(cwd, ['import', join(folder, 'pets.yaml'), '--dry-run', '--json']);
    expect(JSON.parse(again.stdout)).toMatchObject({ ok: true, tools: [{ name: 'listPets' }] });
    const elsewhere = await runCli(cwd, ['import', ...named, '--name', 'zoo', '--dry-run']);
    expect(elsewhere).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('openapi-specs/zoo.overlay.yaml:3: This overlay is for "./pets.yaml"'),
    });
    const none = await runCli(cwd, ['import', named[0]!, '--overlay', 'none.yaml', '--dry-run']);
    expect(none).toMatchObject({ code: 1, stdout: expect.stringContaining('refused: none.yaml: There is no such file.') });
    await rm(folder, { recursive: true });
  });

  it('keeps the overlay that another one takes the place of, and says so', async () => {
    const overlay = (summary: string): string =>
      JSON.stringify({ overlay: '1.0.0', info: { title: 'T', version: '1' }, actions: [{ target: '$.paths.*.*', update: { summary } }] });
    const folder = await makeFolder({
      'pets.yaml': PETSTORE_SPEC,
      'first.yaml': `# The first.\n${overlay('First.')}`,
      'second.json': overlay('Second.'),
      'third.json': overlay('Third.'),
    });
    const apply = async (file: string): Promise<string> =>
      (await runCli(cwd, ['import', join(folder, 'pets.yaml'), '--overlay', join(folder, file)])).stdout;
    const kept = (file: string): string => readFileSync(join(cwd, 'openapi-specs', file), 'utf8');
    expect(await apply('first.yaml')).not.toContain('in place of');
    expect(await apply('first.yaml')).not.toContain('in place of');
    expect(await apply('second.json')).toContain(
      'pets.overlay.json applied to it, in place of openapi-specs/pets.overlay.yaml (now pets.overlay.yaml.bak)\n',
    );
    expect(specs()).toEqual(['pets.overlay.json', 'pets.overlay.yaml.bak', 'pets.yaml']);
    expect(kept('pets.overlay.yaml.bak')).toContain('First.');
    expect(await apply('third.json')).toContain('in place of openapi-specs/pets.overlay.json (now pets.overlay.json.bak)\n');
    expect([kept('pets.overlay.json.bak'), kept('pets.overlay.json')]).toEqual([overlay('Second.'), overlay('Third.')]);
    await rm(folder, { recursive: true });
  });

  it('shows each operation in a table, and everything with --verbose', async () => {
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`/p${at}`, { get: { operationId: `op${at}`, responses: {} } }]));
    const folder = await makeFolder({ 'a.json': JSON.stringify({ openapi: '3.0.3', info: { title: 'T', version: '1' }, paths: many }) });
    const short = (await runCli(folder, ['import', '--dry-run', 'a.json'])).stdout;
    expect(short).toMatch(/ {4}op0 +GET \/p0 +read +\d+\n/);
    expect(short).toContain('and 5 more; --verbose has all');
    expect((await runCli(folder, ['import', '--dry-run', '--verbose', 'a.json'])).stdout).toMatch(/op29 /);
    await rm(folder, { recursive: true });
  });

  it('names what is left to do, in words that the configuration takes', async () => {
    const schemes: Record<string, object> = {
      'bearer-one': { type: 'http', scheme: 'bearer' },
      'basic-one': { type: 'http', scheme: 'Basic' },
      'header-one': { type: 'apiKey', in: 'header', name: 'X-Key' },
      'query-one': { type: 'apiKey', in: 'query', name: 'api.key' },
      'cookie-one': { type: 'apiKey', in: 'cookie', name: 'sid' },
      'client-one': { type: 'oauth2', flows: { clientCredentials: { tokenUrl: 'https://a.example/token', scopes: {} } } },
      'code-one': { type: 'oauth2', flows: { implicit: { authorizationUrl: 'https://a.example/auth', scopes: {} } } },
    };
    const both = { openapi: '3.1.0', info: { title: 'T\u001b[31m', version: '1' }, paths: { '/a': { get: { responses: {} } } } };
    const documents = Object.entries(schemes).map(([name, scheme]) => [
      `${name}.json`,
      JSON.stringify({ ...both, security: [{ 'a scheme': [] }], components: { securitySchemes: { 'a scheme': scheme } } }),
    ]);
    const files = Object.fromEntries([...documents, ['two.json', JSON.stringify({ ...both, security: [{ a: [], 'b c': [] }], components: { securitySchemes: { a: schemes['basic-one'], 'b c': schemes['query-one'] } } })]]) as Record<string, string>; // prettier-ignore
    const folder = await makeFolder(files);
    const { stdout } = await runCli(folder, ['import', ...Object.keys(files)]);
    expect(stdout).not.toContain('\u001b');
    const hints = [...stdout.matchAll(/^ +services: (\{.*\})$/gm)].map(([, hint]) => parse(hint!) as Record<string, object>);
    expect(hints).toHaveLength(2 * Object.keys(files).length);
    const services: Record<string, object> = {};
    for (const hint of hints) for (const [name, part] of Object.entries(hint)) services[name] = { ...services[name], ...part };
    const config = JSON.stringify({ services })
      .replaceAll('https://…', 'https://a.example')
      .replaceAll(/\$\{env:\w+\}/g, '${env:PATH}');
    await writeFile(join(folder, 'hubgate.yaml'), config);
    const checked = await runCli(folder, ['check', '--json']);
    expect(checked).toMatchObject({ code: 0 });
    expect((await runCli(folder, ['import', 'two.json'])).stdout).not.toContain('next:');
    await rm(folder, { recursive: true });
  });
});
