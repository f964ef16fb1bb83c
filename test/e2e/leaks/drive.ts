import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { askAdmin } from '../../support/ask-admin.ts';
import { freePort } from '../../support/free-port.ts';
import { openLegacySession, post, postModern } from '../../support/mcp-clients.ts';
import type { Hub } from '../../support/start-hub.ts';
import { Canaries, type Leak } from './canaries.ts';
import { probeDocument, startPlantedHub, type Planted } from './planted-hub.ts';
import { MODES, startReflectingUpstream } from './reflecting-upstream.ts';

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
const patch = (name: string): string => new URL(`./patches/${name}.ts`, import.meta.url).href;

export interface Findings {
  readonly leaks: readonly Leak[];
  /** How many texts were looked through, by kind. */
  readonly looked: ReadonlyMap<string, number>;
  /** Names of the canaries that the upstream got, so that they were in play. */
  readonly used: ReadonlySet<string>;
}

/**
 * Plants canaries, makes the hub do everything it can, and looks through all that it said and wrote. `blind` takes the redaction out of the
 * hub's process; commands are left out then.
 */
export async function drive({ blind }: { readonly blind: boolean }): Promise<Findings> {
  const canaries = new Canaries();
  const search = new Search(canaries);
  const upstream = await startReflectingUpstream([canaries.makeToken('first access token'), canaries.makeToken('access token')]);
  const preloads = [patch('debug-log'), ...(blind ? [patch('no-redaction')] : [])];
  const planted = await startPlantedHub(canaries, { upstream: upstream.url, port: upstream.port, closedPort: await freePort(), preloads });
  const { hub } = planted;
  try {
    const stored = await plantInStore(planted, upstream.url, canaries, search);
    search.look('cmdline', await readFile(`/proc/${hub.pid}/cmdline`, 'utf8'));
    await callEverything(planted, [...planted.services, ...stored], search);
    await chatWithEverything(planted, search);
    await readAdmin(hub, search);
    await editBadly(planted, canaries, search);
    await readAdmin(hub, search);
    if (!blind) await runCommands(planted, search);
    await restartAndCrash(planted, search);
    search.look('stdout', hub.stdout());
    search.look('stderr', hub.stderr());
    await search.lookThroughFiles(hub.dir, planted.written);
    const sent = upstream.requests.flatMap(({ path, headers, body }) => [
      decodeURIComponent(path),
      JSON.stringify(headers),
      Buffer.from(headers.authorization?.slice(6) ?? '', 'base64').toString('latin1'),
      body.toString(),
    ]);
    const used = new Set(sent.flatMap((text) => canaries.find('', text).map(({ canary }) => canary)));
    return { leaks: search.leaks, looked: search.looked, used };
  } finally {
    await hub.stop();
    await upstream.stop();
  }
}

class Search {
  readonly leaks: Leak[] = [];
  readonly looked = new Map<string, number>();
  readonly #canaries: Canaries;

  constructor(canaries: Canaries) {
    this.#canaries = canaries;
  }

  /** `where` begins with the kind of text. */
  look(where: string, text: string): void {
    const kind = where.split(' ', 1)[0] as string;
    this.looked.set(kind, (this.looked.get(kind) ?? 0) + 1);
    this.leaks.push(...this.#canaries.find(where, text));
  }

  answer(where: string, { status, headers, text }: { status: number; headers: Response['headers']; text: string }): void {
    this.look(where, `${status} ${JSON.stringify([...headers])} ${text}`);
  }

  async lookThroughFiles(dir: string, except: ReadonlySet<string>): Promise<void> {
    for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = relative(dir, join(entry.parentPath, entry.name));
      if (!except.has(path)) this.look(`file ${path}`, `${path} ${await readFile(join(dir, path), 'latin1')}`);
    }
  }
}

const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

/** Gives the names of services that are there now. */
async function plantInStore({ hub }: Planted, upstream: string, canaries: Canaries, search: Search): Promise<string[]> {
  const document = probeDocument();
  const put = async (name: string, body: object): Promise<void> => {
    const answer = await askAdmin(hub, 'PUT', `/services/${name}`, body);
    if (answer.status !== 201) throw new Error(`PUT ${name} answered ${answer.status}: ${answer.text}`);
    search.answer(`admin PUT ${name}`, answer);
  };
  await put('stored-bearer', { document, baseUrl: upstream, auth: { bearer: canaries.make('stored bearer') } });
  await put('stored-header', { document, baseUrl: upstream, auth: { header: { 'X-Probe-Key': canaries.make('stored header') } } });
  await put('stored-basic', {
    document,
    baseUrl: upstream,
    auth: { basic: { username: 'hub', password: canaries.make('stored password') } },
  });
  const oauth2 = { clientId: 'hub', clientSecret: canaries.make('stored client secret'), tokenUrl: `${upstream}/token` };
  await put('stored-oauth', { document, baseUrl: upstream, auth: { oauth2 } });
  const badBodies = [
    { document, auth: { bearer: canaries.make('put beside'), basic: canaries.make('put wrong kind') } },
    { document, auth: { bearr: canaries.make('put unknown key') } },
    { document, auth: canaries.make('put as text') },
    { document: { secret: canaries.make('put no document') }, auth: { bearer: canaries.make('put beside no document') } },
    { document, auth: { query: { key: ['', canaries.make('put in a list')] } } },
    { document, baseUrl: `ftp://${canaries.make('put base url', { head: 'cnry-', tail: '' })}` },
  ];
  for (const body of badBodies) search.answer('admin bad PUT', await askAdmin(hub, 'PUT', '/services/bad', body));
  const withUser = [{ url: `http://hub:${canaries.make('import userinfo', { head: 'cnry-', tail: '' })}@127.0.0.1/` }];
  search.answer(
    'admin import',
    await askAdmin(hub, 'POST', '/services/import', { document: probeDocument(withUser), name: 'reported', dryRun: true }),
  );
  const made = await askAdmin(hub, 'POST', '/consumers/alice/keys', { label: 'made' });
  canaries.know('made key', made.body.key as string);
  search.answer(
    'call with the made key',
    await postModern(`${hub.url}/mcp`, 'tools/list', {}, { headers: bearer(made.body.key as string) }),
  );
  search.answer('call with a broken key', await postModern(`${hub.url}/mcp`, 'tools/list', {}, { headers: bearer(`${made.body.key}x`) }));
  return ['stored-bearer', 'stored-header', 'stored-basic', 'stored-oauth'];
}

/** Every model at every door, whole and streamed. */
async function chatWithEverything({ hub, aliceKey }: Planted, search: Search): Promise<void> {
  const messages = [{ role: 'user', content: 'hello' }];
  const doors = {
    '/v1/chat/completions': { messages },
    '/v1/messages': { messages, max_tokens: 10 },
    '/v1/responses': { input: 'hello' },
    '/v1/embeddings': { input: 'hello' },
    '/v1/messages/count_tokens': { messages },
  };
  for (const mode of [...MODES, 'down-0'])
    for (const way of ['pass', 'convert'])
      for (const [door, body] of Object.entries(doors))
        for (const stream of door.endsWith('s') ? [false, true] : [false])
          search.answer(
            `chat ${door} ${way} ${mode} ${stream}`,
            await post(`${hub.url}${door}`, { model: `${way}-${mode}`, stream, ...body }, bearer(aliceKey)),
          );
  search.answer('chat /v1/models', await post(`${hub.url}/v1/models/nothing`, {}, bearer(aliceKey)));
  search.answer('chat wrong key', await post(`${hub.url}/v1/messages`, { model: 'x' }, bearer(`${aliceKey}x`)));
}

async function callEverything({ hub, aliceKey }: Planted, services: readonly string[], search: Search): Promise<void> {
  const headers = bearer(aliceKey);
  const call = async (door: string, name: string, args: object): Promise<void> =>
    search.answer(
      `call ${door} ${name} ${JSON.stringify(args)}`,
      await postModern(`${hub.url}${door}`, 'tools/call', { name, arguments: args as never }, { headers }),
    );
  for (const service of services) {
    const door = `/mcp/${service}`;
    search.answer(`list ${door}`, await postModern(`${hub.url}${door}`, 'tools/list', {}, { headers }));
    await Promise.all(MODES.map((mode) => call(door, 'probe', { mode })));
    await Promise.all(MODES.slice(0, 6).map((mode) => call(door, 'send', { mode, body: { text: 'hello' } })));
    await call(door, 'probe', { mode: '..', surplus: true });
  }
  for (const mode of MODES) await call('/mcp/schemes', 'tokenProbe', { mode });
  for (const mode of ['json-400', 'refused']) await call('/mcp/desk', 'probe', { mode });
  await call('/mcp/bearer', 'probe', { mode: 'json-400', note: 'told' });
  await call('/mcp/bearer', 'probe', { mode: 'json-400', note: 'throw' });
  await call('/mcp/unfetched', 'probe', {});
  await call('/mcp', 'bearer_probe', { mode: 'text-401' });
  for (const door of ['/mcp', '/mcp/desk', '/mcp/unfetched', '/mcp/none'])
    search.answer(`list ${door}`, await postModern(`${hub.url}${door}`, 'tools/list', {}, { headers }));
  const session = await openLegacySession(`${hub.url}/mcp/basic`, { headers });
  for (const mode of MODES) search.answer('call in a session', await session.request('tools/call', { name: 'probe', arguments: { mode } }));
  search.look('list of a session', session.id + JSON.stringify(session.initialized));
  const twice = { authorization: `Bearer ${aliceKey}`, 'x-api-key': `${aliceKey}x` };
  const refused: Record<string, string>[] = [
    { ...headers, host: 'evil.example' },
    { ...headers, origin: 'https://evil.example' },
    twice,
    { authorization: `Basic ${aliceKey}` },
  ];
  for (const given of refused) {
    search.answer('call that is refused', await post(`${hub.url}/mcp/bearer`, { jsonrpc: '2.0', id: 1, method: 'ping' }, given));
  }
  search.answer(
    'call with the key in the wrong place',
    await post(`${hub.url}/mcp/bearer?key=${encodeURIComponent(aliceKey)}`, `{"jsonrpc": ${aliceKey}`, { 'mcp-session-id': aliceKey }),
  );
}

/** Every GET that the description of the API has, for every entry. */
async function readAdmin(hub: Hub, search: Search): Promise<void> {
  const get = async (path: string) => {
    const answer = await askAdmin(hub, 'GET', path);
    search.answer(`admin GET ${path}`, answer);
    return answer;
  };
  const { paths } = (await get('/openapi.json')).body as { paths: Record<string, Record<string, unknown>> };
  const readable = Object.keys(paths)
    .filter((path) => paths[path]?.['get'] !== undefined)
    .map((path) => path.replace('/admin/v1', ''));
  for (const path of readable) {
    const [, kind = ''] = path.split('/');
    if (!path.includes('{')) await get(path);
    else
      for (const { name } of ((await get(`/${kind}`)).body.items ?? []) as { name: string }[])
        await get(path.replace(/\{\w+\}/, encodeURIComponent(name)));
  }
  for (const path of [
    '/policies',
    '/tools?server=bearer&consumer=alice',
    '/explain?server=bearer&tool=probe&consumer=alice',
    '/explain?server=desk&tool=probe&consumer=alice',
    '/calls',
    '/explain?model=pass-ok-200&consumer=alice',
    '/usage',
    '/nothing',
  ])
    await get(path);
  search.answer('admin unknown token', await askAdmin({ ...hub, adminToken: `${hub.adminToken}x` }, 'GET', '/status'));
}

/** Edits with a secret in the wrong place, each of which the hub must refuse or survive. */
async function editBadly({ hub, config, written }: Planted, canaries: Canaries, search: Search): Promise<void> {
  const secret = (name: string): string => canaries.make(`edit: ${name}`, { tail: '/+' });
  const service = (entry: string): string => config.replace('services:', `services:\n  edited: ${entry}`);
  const edits = [
    service(`{ spec: openapi-specs/probe.json, auth: { bearer: ${secret('literal')} } }`).replace('allowLiteralSecrets: true', ''),
    service(`{ spec: openapi-specs/probe.json, auth: { bearr: ${secret('unknown key')} } }`),
    service(`{ spec: openapi-specs/probe.json, auth: ${secret('text for an object')} }`),
    service(`{ spec: openapi-specs/probe.json, auth: [${secret('list for an object')}] }`),
    service(`{ spec: openapi-specs/probe.json, auth: { bearer: "${secret('no closing quote')} } }`),
    service(`{ spec: openapi-specs/probe.json, auth: { bearer: ${secret('twice')}, bearer: ${secret('twice again')} } }`),
    service(`{ spec: openapi-specs/probe.json, auth: { bearer: &a ${secret('alias')}, basic: *b } }`),
    service(`{ spec: openapi-specs/probe.json, timeout: ${secret('timeout')}, baseUrl: ${secret('base url')} }`),
    service(
      `{ spec: openapi-specs/probe.json, access: [{ groups: [x], allow: [{ risk: ${secret('enum')}, when: 'args.x == ${secret('condition')}' }] }] }`,
    ),
    config.replace(/sha256: "\w+"/, `sha256: "${secret('key for a digest')}"`),
    config.replace(/\[\{ sha256: "\w+" \}\]/, `["${secret('key as text')}"]`),
    config.replace('egress: { allow: [', `egress: { allow: ["${secret('egress')}", `),
    config.replace('timeout', '').replace('header: {', 'header: { timeout: "${env:BEARER}", '),
    config.replace('access-log: { level: debug }', 'access-log: { level: "${env:BEARER}" }'),
    config.replace('./noisy.ts]', './noisy.ts, "${env:BEARER}"]'),
    config.replace('noisy: { key', 'noisy: { fail: plain, key'),
    config.replace('noisy: { key', 'noisy: { fail: told, key'),
    config.replace('noisy: { key', 'noisy: { keey: "${env:BEARER}", key'),
    '',
  ];
  for (const [index, edit] of edits.entries()) {
    await hub.write('hubgate.yaml', edit);
    const reload = await askAdmin(hub, 'POST', '/reload');
    if (reload.status !== 409) throw new Error(`bad edit ${index} was not refused (${reload.status}): ${reload.text}`);
    search.answer(`admin reload after edit ${index}`, reload);
    search.answer(`admin status after edit ${index}`, await askAdmin(hub, 'GET', '/status'));
  }
  await hub.write('hubgate.yaml', config);
  const badServer = 'virtual-servers/bad.yaml';
  await hub.write(
    badServer,
    `tools: [{ from: bearer }]\noverrides: { bearer.probe: { arguments: { note: { valu: ${secret('override')} } } } }\n`,
  );
  search.answer('admin reload with a bad server', await askAdmin(hub, 'POST', '/reload'));
  await hub.write(badServer, 'tools: [{ from: bearer }]\n');
  await hub.write(
    'openapi-specs/broken.json',
    `{"openapi": "3.1.0", "servers": [{"url": "http://hub:${secret('broken document')}@host/"}], "paths": {`,
  );
  search.answer('admin reload with a broken document', await askAdmin(hub, 'POST', '/reload'));
  (written as Set<string>).add('openapi-specs/broken.json');
}

async function runCommands({ hub, aliceKey, config, env }: Planted, search: Search): Promise<void> {
  const folder = ['--config', 'hubgate.yaml', '--data', 'data'];
  const { NODE_OPTIONS: _, ...own } = env;
  const reachable = { ...own, HUBGATE_URL: hub.url, HUBGATE_ADMIN_PORT: new URL(hub.adminUrl).port, HUBGATE_KEY: aliceKey };
  const run = async (args: readonly string[], environment: Record<string, string>): Promise<void> => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: hub.dir,
      env: { PATH: process.env.PATH, HOME: hub.dir, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    search.look('cmdline', await readFile(`/proc/${child.pid}/cmdline`, 'utf8'));
    let said = '';
    child.stdout.on('data', (text) => (said += String(text)));
    child.stderr.on('data', (text) => (said += String(text)));
    await new Promise((closed) => child.once('close', closed));
    if (said === '') throw new Error(`hubgate ${args.join(' ')} said nothing`);
    search.look(`command ${args.join(' ')}`, said);
  };
  const call = ['tools', 'call', 'probe', '--server', 'bearer', '--args', '{"mode":"json-400"}'];
  await Promise.all([
    run([...call, ...folder], reachable),
    run(['explain', 'tool', 'bearer', 'probe', '--as', 'alice', ...folder], reachable),
    run(['check', ...folder], own),
  ]);
  // Beside no hub, in its own process.
  const alone = { ...own, HUBGATE_ADMIN_PORT: '1' };
  await hub.write('hubgate.yaml', config.replace('noisy: { key', 'noisy: { fail: told, key'));
  await Promise.all([
    run(['check', ...folder], own),
    run(['serve', '--config', 'hubgate.yaml', '--data', 'other-data', '--port', '0', '--admin-port', '0'], own),
  ]);
  await hub.write('hubgate.yaml', config);
  await Promise.all([
    run([...call, '--as', 'alice', '--config', 'hubgate.yaml', '--data', 'other-data'], alone),
    run(['import', 'openapi-specs/userinfo.json', '--dry-run', '--json'], own),
  ]);
}

/** What was stored is known again after a restart; an error that nobody catches ends the process. */
async function restartAndCrash({ hub, aliceKey }: Planted, search: Search): Promise<void> {
  search.look('stdout before the restart', hub.stdout());
  search.look('stderr before the restart', hub.stderr());
  await hub.restart();
  const headers = bearer(aliceKey);
  const call = (door: string, args: object) =>
    postModern(`${hub.url}${door}`, 'tools/call', { name: 'probe', arguments: args as never }, { headers });
  search.answer('call after the restart', await call('/mcp/stored-header', { mode: 'json-400' }));
  search.answer('call that crashes', await call('/mcp/bearer', { mode: 'ok-200', note: 'crash' }));
  const { pid } = hub;
  for (let waited = 0; isAlive(pid) && waited < 5_000; waited += 50) await new Promise((done) => setTimeout(done, 50));
  if (isAlive(pid)) throw new Error('the hub did not end at an error that nobody caught');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
