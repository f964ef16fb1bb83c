import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { askAdmin } from '../../support/ask-admin.ts';
import { sendJson, startEchoServer, type EchoServer } from '../../support/echo-server.ts';
import { postModern } from '../../support/mcp-clients.ts';
import { startHub, type Hub } from '../../support/start-hub.ts';
import { runHere, type CliResult } from '../../unit/cli/run-cli.ts';

const KEY = 'alice-key-0123456789';
const SHOP = `openapi: 3.1.0
info: { title: Shop, version: '1' }
servers: [{ url: https://shop.test }]
paths:
${['createInvoice', 'getInvoice', 'voidCharge', 'listLedgers', 'closeLedger', 'openLedger']
  .map(
    (name) =>
      `  /${name}: { post: { operationId: ${name}, summary: '${name.replace(/([A-Z])/, ' $1')}.', responses: { '200': { description: OK } } } }`,
  )
  .join('\n')}
`;
const FILE = 'openapi-specs/shop.examples.overlay.yaml';

let vendor: EchoServer;
let hub: Hub;
/** What the vendor makes of the names of the tools that it is asked about. */
let answerFor: (names: readonly string[]) => { status?: number; text?: string };

beforeAll(async () => {
  vendor = await startEchoServer(({ method, body }, response) => {
    if (method === 'GET') return void response.end(SHOP);
    const { messages } = JSON.parse(body.toString()) as { messages: { role: string; content: string }[] };
    const names = messages.at(-1)!.content.split('\n').map((line) => (JSON.parse(line) as { name: string }).name); // prettier-ignore
    const { status = 200, text = '' } = answerFor(names);
    if (status !== 200) return sendJson(response, status, { error: { message: 'The vendor is out of order.', type: 'server_error' } });
    const choices = [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: text } }];
    sendJson(response, 200, { id: 'c', object: 'chat.completion', created: 1, model: 'writer', choices });
  });
  const sha256 = createHash('sha256').update(KEY).digest('hex');
  const config = {
    search: 'on',
    services: {
      web: { url: `${vendor.url}/openapi.yaml` },
      shop: { spec: 'openapi-specs/shop.yaml', access: [{ groups: ['staff'], allow: ['*'] }] },
    },
    providers: { vendor: { type: 'openai', baseUrl: `${vendor.url}/v1`, apiKey: '${env:VENDOR_KEY}' } },
    models: [{ match: { model: 'writer' }, targets: [{ provider: 'vendor' }], retries: 0 }],
    consumers: [{ name: 'alice', groups: ['staff'], keys: [{ sha256 }] }],
  };
  hub = await startHub({
    files: { 'hubgate.yaml': JSON.stringify(config), 'openapi-specs/shop.yaml': SHOP },
    env: { VENDOR_KEY: 'vendor-key' },
  });
});
afterAll(async () => {
  await hub?.stop();
  await vendor?.stop();
});

const examples = (...more: string[]): Promise<CliResult> => examplesOf('shop', ...more);
const examplesOf = (service: string, ...more: string[]): Promise<CliResult> =>
  runHere(hub.dir, ['examples', service, '--model', 'writer', ...more], {
    HUBGATE_ADMIN_PORT: new URL(hub.adminUrl).port,
    HUBGATE_URL: hub.url,
    HUBGATE_KEY: KEY,
  });
const search = async (query: string): Promise<string[]> => {
  const headers = { authorization: `Bearer ${KEY}` };
  const { result } = await postModern(`${hub.url}/mcp`, 'tools/call', { name: 'search_tools', arguments: { query, top: 1 } }, { headers });
  return (result!['structuredContent'] as { tools: { name: string }[] }).tools.map(({ name }) => name);
};
const say = (names: readonly string[], texts: (name: string) => readonly string[]) => ({
  text: `\`\`\`json\n${JSON.stringify(Object.fromEntries(names.map((name, at) => [at + 1, texts(name)])))}\n\`\`\``,
});
const reported = async (): Promise<Record<string, readonly string[] | undefined>> => {
  const { body } = await askAdmin(hub, 'GET', '/services/shop/report');
  const { operations } = body as { operations: { tool: string; examples?: string[] }[] };
  return Object.fromEntries(operations.map(({ tool, examples: texts }) => [tool, texts]));
};

describe('hubgate examples', () => {
  it('shows what the model wrote, and writes nothing unless it is told to', async () => {
    answerFor = (names) => say(names, (name) => [`use ${name}`, 'make up for the quibbleton affair', 'one', 'two']);
    const { code, stdout, stderr } = await examples('--tools', 'get*', '--count', '2');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'getInvoice  POST /getInvoice\n  make up for the quibbleton affair\n  one\n' });
    expect(stderr).toBe('2 example requests for 1 tool; nothing is written without --write.\n');
    expect(await readFile(join(hub.dir, FILE), 'utf8').catch(() => 'none')).toBe('none');
  });

  it('keeps them beside the document, and search finds tools by words that only they have', async () => {
    expect(await search('the quibbleton affair')).not.toEqual(['shop_getInvoice']);
    answerFor = (names) =>
      names.includes('openLedger')
        ? { text: 'I would rather not.' }
        : say(names, (name) => [name === 'getInvoice' ? 'make up for the quibbleton affair' : `something about ${name.length} things`]);
    const first = await examples('--write');
    expect(first).toMatchObject({ code: 1, stderr: expect.stringContaining('No example requests for openLedger: the model answered') });
    expect(first.stderr).toContain('shop.examples.overlay.yaml. Read them');
    await vi.waitFor(async () => expect(await search('the quibbleton affair')).toEqual(['shop_getInvoice']), {
      timeout: 10_000,
      interval: 100,
    });
    expect(await reported()).toMatchObject({ getInvoice: ['make up for the quibbleton affair'], createInvoice: expect.any(Array) });
    const { result } = await postModern(`${hub.url}/mcp/shop`, 'tools/list', {}, { headers: { authorization: `Bearer ${KEY}` } });
    expect(JSON.stringify(result)).not.toContain('quibbleton');
  });

  it('goes on with the tools that have none, and says when there is none left', async () => {
    const asked: string[] = [];
    answerFor = (names) => {
      asked.push(...names);
      return say(names, () => ['start a new book of accounts']);
    };
    expect(await examples('--write')).toMatchObject({ code: 0, stdout: expect.stringContaining('openLedger  POST /openLedger') });
    expect(asked).toEqual(['openLedger']);
    await vi.waitFor(async () => expect((await reported())['openLedger']).toEqual(['start a new book of accounts']), { timeout: 10_000, interval: 100 }); // prettier-ignore
    expect(await examples('--write')).toMatchObject({ code: 0, stdout: '', stderr: 'Every tool of shop has example requests. --force asks for others.\n' }); // prettier-ignore
    expect(await examples('--tools', 'x*')).toMatchObject({ code: 1, stderr: 'shop has no tool that matches x*.\n' });
  });

  it('replaces those in the file by force, and leaves what else a person wrote there', async () => {
    const path = join(hub.dir, FILE);
    await writeFile(path, `${await readFile(path, 'utf8')}  - { target: $.info, update: { title: Ours } } # ours\n`);
    answerFor = (names) => say(names, () => ['settle a quarrel']);
    const { code, stdout } = await examples('--tools', 'get*', '--write', '--force', '--json');
    expect({ code, ...(JSON.parse(stdout) as object) }).toEqual({
      code: 0,
      service: 'shop',
      file: expect.stringContaining(FILE),
      tools: [{ tool: 'getInvoice', method: 'POST', path: '/getInvoice', examples: ['settle a quarrel'] }],
      failed: [],
    });
    const text = await readFile(path, 'utf8');
    expect(text).toContain('# ours');
    expect(text).not.toContain('quibbleton');
    await vi.waitFor(async () => expect((await reported())['getInvoice']).toEqual(['settle a quarrel']), {
      timeout: 10_000,
      interval: 100,
    });
  });

  it('says how a document by URL takes them, and that one of the store does not', async () => {
    answerFor = (names) => say(names, () => ['begin']);
    const { code, stderr } = await examplesOf('web', '--tools', 'open*', '--write');
    expect(code).toBe(0);
    expect(stderr).toContain('services: { web: { overlays: [openapi-specs/web.examples.overlay.yaml] } }');
    expect(await readFile(join(hub.dir, 'openapi-specs/web.examples.overlay.yaml'), 'utf8')).toContain('- begin');
    await askAdmin(hub, 'POST', '/services/import', { name: 'kept', document: SHOP });
    expect(await examplesOf('kept', '--tools', 'open*', '--write')).toMatchObject({ code: 1, stderr: expect.stringContaining('kept is a service of the store') }); // prettier-ignore
    expect(await examplesOf('kept', '--tools', 'open*')).toMatchObject({ code: 0 });
  });

  it('says which requests failed and goes on', async () => {
    answerFor = (names) => (names.includes('createInvoice') ? { status: 400 } : say(names, () => ['begin']));
    const { code, stdout, stderr } = await examples('--force', '--json');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^No example requests for createInvoice, .*closeLedger: /);
    expect(JSON.parse(stdout)).toMatchObject({
      tools: [{ tool: 'openLedger' }],
      failed: [{ tools: expect.arrayContaining(['createInvoice']), message: expect.any(String) }],
    });
  });

  it('stops where no other request would end better, and says what to do', async () => {
    expect(await examples('--force', '--model', 'nothing')).toMatchObject({ code: 1, stderr: expect.stringContaining('nothing') });
    const env = { HUBGATE_ADMIN_PORT: new URL(hub.adminUrl).port, HUBGATE_URL: hub.url };
    const keyless = await runHere(hub.dir, ['examples', 'shop', '--model', 'writer', '--force'], env);
    expect(keyless).toMatchObject({ code: 1, stderr: expect.stringContaining('HUBGATE_KEY') });
    expect(await runHere(hub.dir, ['examples', 'shop', '--model', 'writer'], { HUBGATE_DATA: join(hub.dir, 'other') })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('No hub is running here'),
    });
    expect(await runHere(hub.dir, ['examples', 'nowhere', '--model', 'writer'], env)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no service "nowhere"'),
    });
    expect(await runHere(hub.dir, ['examples', 'shop'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--model') });
  });
});
