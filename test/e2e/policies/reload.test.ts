import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postModern } from '../../support/mcp-clients.ts';
import { type Hub, startHub } from '../../support/start-hub.ts';

const POLICY = new URL('../../../src/policy.ts', import.meta.url).href;

let folder = '';
let trace = '';
let hub: Hub;

/** A user's file of one policy and one tool source that say which version of the file they are. */
const stamp = (version: string): string => `import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { definePolicy, defineToolSource } from '${POLICY}';

const VERSION: string = '${version}';
const trace = (line: string): void => appendFileSync('${trace}', line + ' ' + VERSION + '\\n');
const policy = definePolicy<object, 'tools'>({
  name: 'stamp',
  stage: 'transform',
  options: {},
  create() {
    return {
      onReply: (call, reply) => call.mapText(reply, ({ text }) => text + ' [' + VERSION + ']'),
      [Symbol.asyncDispose]: async () => trace('policy disposed'),
    };
  },
});
const source = defineToolSource<object>({
  name: 'sleeper',
  options: {},
  create({ name }) {
    const tool = { definition: { name: 'wait', inputSchema: { type: 'object' } }, risk: 'read' as const, tags: [] };
    return {
      name,
      mode: 'session',
      snapshot: { version: '1', state: 'ready', tools: [tool], resources: [], resourceTemplates: [], prompts: [], features: {} },
      subscribe: () => () => {},
      async call(call) {
        await sleep(Number(call.input.arguments['ms']));
        trace('call ended');
        return { content: [{ type: 'text', text: 'waited in ' + VERSION }] };
      },
      [Symbol.asyncDispose]: async () => trace('source disposed'),
    };
  },
});
export default [policy, source];
`;

const config = `
services:
  shop: { spec: shop.json, baseUrl: demo:petstore }
servers:
  sleeper: { source: sleeper }
extensions: [./stamp.ts]
policies: [{ stamp: {} }]
`;
const document = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'Shop', version: '1' },
  paths: {
    '/pets/{petId}': {
      parameters: [{ name: 'petId', in: 'path', required: true, schema: { type: 'integer' } }],
      get: { operationId: 'getPetById', responses: {} },
    },
  },
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hubgate-reload-'));
  trace = join(folder, 'trace');
  hub = await startHub({ files: { 'hubgate.yaml': config, 'shop.json': document, 'stamp.ts': stamp('v0') } });
});
afterAll(async () => {
  await hub?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function call(door: 'shop' | 'sleeper', ms = 0): Promise<string> {
  const params = door === 'shop' ? { name: 'getPetById', arguments: { petId: 1 } } : { name: 'wait', arguments: { ms } };
  const { result, text } = await postModern(`${hub.url}/mcp/${door}`, 'tools/call', params);
  if (result === undefined || result['isError'] === true) throw new Error(text);
  return (result['content'] as { text: string }[])[0]!.text;
}

const traced = async (): Promise<string[]> => (await readFile(trace, 'utf8').catch(() => '')).split('\n').filter(Boolean);
const version = async (): Promise<string> => /\[(\w+)\]$/.exec(await call('shop'))![1]!;
async function served(expected: string): Promise<void> {
  await expect.poll(version, { timeout: 3_000 }).toBe(expected);
}

interface Status {
  readonly generation: number;
  readonly config: { readonly ok: boolean; readonly errors: readonly object[] };
}

async function status(): Promise<Status> {
  const answer = await fetch(`${hub.adminUrl}/admin/v1/status`, { headers: { authorization: `Bearer ${hub.adminToken}` } });
  return (await answer.json()) as Status;
}

describe('an extension is edited while calls run', () => {
  it('no call fails, none goes back to older code, and each ends on the code it began with', async () => {
    const stop = new AbortController();
    let calls = 0;
    const worker = async (door: 'shop' | 'sleeper'): Promise<void> => {
      let last = 'v0';
      while (!stop.signal.aborted) {
        const text = await call(door, 5);
        const now = /\[(v\d)\]$/.exec(text)?.[1] ?? text;
        if (door === 'sleeper') expect(text).toBe(`waited in ${now} [${now}]`);
        expect(now >= last, `${now} after ${last}`).toBe(true);
        last = now;
        calls++;
        await sleep(5);
      }
    };
    const workers = (['shop', 'sleeper', 'shop', 'sleeper'] as const).map((door) => worker(door));
    const load = Promise.all(workers);
    load.catch(() => stop.abort());
    const slow: Promise<string>[] = [];
    for (let number = 1; number <= 5; number++) {
      slow.push(call('sleeper', 700));
      await sleep(100);
      await hub.write('stamp.ts', stamp(`v${number}`));
      await served(`v${number}`);
    }
    const lines = (await traced()).filter((line) => line.includes('disposed'));
    // The one that was replaced last has a call of 700 ms.
    expect(lines.filter((line) => line.endsWith('v4'))).toEqual([]);
    expect(await Promise.all(slow)).toEqual([0, 1, 2, 3, 4].map((number) => `waited in v${number} [v${number}]`));
    stop.abort();
    await load;
    expect(calls).toBeGreaterThan(100);
  });

  it('what was replaced is let go once, after its last call', async () => {
    for (const old of ['v0', 'v1', 'v2', 'v3', 'v4']) {
      await expect
        .poll(async () => (await traced()).filter((line) => line.endsWith(`disposed ${old}`)).sort())
        .toEqual([`policy disposed ${old}`, `source disposed ${old}`]);
      const lines = (await traced()).filter((line) => line.endsWith(` ${old}`));
      expect(lines.lastIndexOf(`call ended ${old}`)).toBeLessThan(lines.findIndex((line) => line.includes('disposed')));
    }
    expect((await traced()).filter((line) => line.endsWith('disposed v5'))).toEqual([]);
  });
});

describe('a broken extension is refused, with file and line', () => {
  const lineOf = (text: string, part: string): number => text.slice(0, text.indexOf(part)).split('\n').length;
  const broken = (from: string, to: string): string => stamp('broken').replace(from, to);

  it.each<{ what: string; text: () => string; at: string; file?: string; says: RegExp }>([
    {
      what: 'a syntax error',
      text: () => broken('string =', 'string = ='),
      at: 'string = =',
      says: /stamp\.ts: the code could not be loaded/,
    },
    {
      what: 'an error at import',
      text: () => broken('const VERSION: string', 'nothing();\nconst VERSION: string'),
      at: 'nothing()',
      says: /nothing is not defined/,
    },
    {
      what: 'no default export',
      text: () => broken('export default', 'export const all ='),
      at: 'extensions:',
      file: 'hubgate.yaml',
      says: /no default export/,
    },
    {
      what: 'an unknown stage',
      text: () => broken("'transform'", "'transfrom' as never"),
      at: 'extensions:',
      file: 'hubgate.yaml',
      says: /stage must be one of/,
    },
    {
      what: 'a policy whose create throws',
      text: () => broken('create() {', "create() { if (VERSION) throw new Error('no licence');"),
      at: 'no licence',
      says: /policy stamp.*no licence/,
    },
    {
      what: 'a tool source whose create throws',
      text: () => broken('create({ name }) {', "create({ name }) { if (name) throw new Error('no tools');"),
      at: 'no tools',
      says: /sleeper.*no tools/,
    },
    { what: 'a file that is gone', text: () => '', at: 'extensions:', file: 'hubgate.yaml', says: /nothing at \.\/stamp\.ts/ },
  ])('$what', async ({ what, text, at, file = 'stamp.ts', says }) => {
    const before = await status();
    expect(before.config).toMatchObject({ ok: true, errors: [] });
    const old = await version();
    const code = text();
    const line = lineOf(file === 'stamp.ts' ? code : config, at);
    if (code === '') await rm(join(hub.dir, 'stamp.ts'));
    else await hub.write('stamp.ts', code);
    await expect.poll(async () => (await status()).config.ok, { timeout: 3_000 }).toBe(false);
    const { generation, config: told } = await status();
    expect(told.errors[0]).toMatchObject({ file, line, message: expect.stringMatching(says) });
    expect(generation).toBe(before.generation);
    await expect.poll(() => hub.stderr()).toMatch(new RegExp(`"file":"${file}","line":${line},.*change refused`));
    expect(await version()).toBe(old);

    const repaired = `after${what.replaceAll(/\W/g, '')}`;
    await hub.write('stamp.ts', stamp(repaired));
    await served(repaired);
    expect((await status()).config.ok).toBe(true);
  });

  it('a policy that was made for a refused generation is let go', async () => {
    // The tool source comes after it.
    expect((await traced()).filter((line) => line.endsWith('disposed broken'))).toEqual(['policy disposed broken']);
  });
});

it('an instance that cannot be let go does no harm', async () => {
  await hub.write(
    'stamp.ts',
    stamp('stuck')
      .replaceAll("trace('policy disposed')", "{ throw new Error('stuck policy'); }")
      .replaceAll("trace('source disposed')", "{ throw new Error('stuck source'); }"),
  );
  await served('stuck');
  await hub.write('stamp.ts', stamp('last'));
  await served('last');
  await expect.poll(() => hub.stderr()).toContain('stuck policy');
  await expect.poll(() => hub.stderr()).toContain('stuck source');
  expect(await call('sleeper')).toBe('waited in last [last]');
});

it('the end of the hub lets the last ones go, after the calls in flight', async () => {
  const inFlight = call('sleeper', 300);
  await sleep(100);
  expect(await hub.kill('SIGTERM')).toBe(0);
  expect(await inFlight).toBe('waited in last [last]');
  const lines = (await traced()).filter((line) => line.endsWith(' last'));
  expect(lines.slice(-3).toSorted()).toEqual(['call ended last', 'policy disposed last', 'source disposed last']);
  expect(lines.at(-3)).toBe('call ended last');
});
