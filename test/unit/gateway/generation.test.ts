import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GatewayError } from '../../../src/core/errors.ts';
import type { Host } from '../../../src/core/contracts/extension.ts';
import type { Store } from '../../../src/core/contracts/store.ts';
import { buildGeneration, type HubGeneration } from '../../../src/gateway/generation.ts';
import type { ToolsGeneration } from '../../../src/lanes/tools/build.ts';
import openaiCompatible from '../../../src/lanes/models/providers/openai-compatible.ts';
import { ModelsLane } from '../../../src/lanes/models/lane.ts';
import type { ToolsLane } from '../../../src/lanes/tools/lane.ts';
import { definePolicy } from '../../../src/policy.ts';
import { openStore } from '../../../src/storage/open-store.ts';
import { load } from '../config/folder.ts';

let store: Store;

beforeEach(async () => {
  store = await openStore('sqlite::memory:', { dataDir: '/nowhere', secretKey: Buffer.alloc(32, 7) });
});
afterEach(() => store.close());

it.each([
  ['that is known refuses the change', new GatewayError('bad_request', 'No such glob.')],
  ['of any kind is thrown on', new Error('a fault of ours')],
])('an error in what the lane has to say %s, and lets go of sources and policies', async (_, error) => {
  const gone: string[] = [];
  const holder = definePolicy({
    name: 'holder',
    stage: 'observe',
    options: { type: 'object' },
    create: () => ({ [Symbol.asyncDispose]: async () => void gone.push('policy') }),
  });
  const tools = {} as ToolsGeneration;
  const lane = {
    build: async () => tools,
    problems() {
      throw error;
    },
    release: async (generation: ToolsGeneration) => void (generation === tools && gone.push('sources')),
  } as unknown as ToolsLane;
  const parts = {
    store,
    stored: [],
    documents: new Map(),
    tools: lane,
    models: { build: async () => ({}), problems: () => [] } as unknown as ModelsLane,
    builtins: [holder],
    hostOf: () => ({}) as Host,
    listensOn: '127.0.0.1',
    folder: '/nowhere',
    addSecret: () => undefined,
  };
  const built = buildGeneration(await load('policies: [{ holder: {} }]', { builtins: [holder] }), parts, undefined);
  if (error instanceof GatewayError) expect(await built).toMatchObject({ refused: [{ code: 'build_failed', message: error.message }] });
  else await expect(built).rejects.toBe(error);
  expect(gone).toEqual(['sources', 'policy']);
});

describe('providers and routes of the store', () => {
  const lane = { build: async () => ({}), problems: () => [], release: async () => {} } as unknown as ToolsLane;
  const provider = { type: 'openai-compatible', baseUrl: 'https://vendor.example.com/v1' };
  const to = (name: string) => ({ targets: [{ provider: name }] });
  const FILE = `
providers: { file: { type: openai-compatible, baseUrl: "https://vendor.example.com" } }
models: [{ name: of-the-file, targets: [{ provider: made }] }]
`;

  async function build(file: string, before?: HubGeneration) {
    const host = { http: {}, addSecret: () => () => {}, redact: (text: string) => text } as never;
    const models = new ModelsLane(host, () => expect.unreachable());
    const parts = {
      store,
      stored: await store.resources.all(),
      documents: new Map(),
      tools: lane,
      models,
      builtins: [openaiCompatible],
      hostOf: () => ({}) as Host,
      listensOn: '127.0.0.1',
      folder: '/nowhere',
      addSecret: () => undefined,
    };
    const built = await buildGeneration(await load(file, { builtins: parts.builtins }), parts, before);
    if ('refused' in built) return built.refused.map(({ code, pointer }) => `${code} ${pointer}`);
    const { generation } = built;
    return {
      generation,
      routes: generation.models.routes.map(({ name }) => name),
      problems: models.problems(generation.models).map(({ code, pointer }) => `${code} ${pointer}`),
    };
  }
  const good = async (file: string, before?: HubGeneration) => {
    const built = await build(file, before);
    return Array.isArray(built) ? expect.unreachable(built.join()) : built;
  };

  it('do not stop a start, also where a file needs them', async () => {
    await store.resources.put('providers', 'made', { config: { ...provider, type: 'gone' } });
    await store.resources.put('models', 'fine', { config: to('file') });
    await store.resources.put('models', 'lost', { config: to('nobody') });
    expect(await good(FILE)).toMatchObject({
      routes: ['fine'],
      problems: [
        'provider_options /providers/made',
        'provider_failed /models/0/targets/0/provider',
        'provider_unknown /models/lost/targets/0/provider',
      ],
    });
  });

  it('are refused with the change that makes them wrong, not with another', async () => {
    await store.resources.put('providers', 'made', {
      config: { ...provider, apiKey: { set: true } },
      secrets: new Map([['/apiKey', 'one']]),
    });
    await store.resources.put('models', 'mine', { config: to('made') });
    const { generation } = await good(FILE);
    await store.resources.put('providers', 'made', { config: { ...provider, apikey: 'x' } });
    expect(await build(FILE, generation)).toEqual(['unknown-key /providers/made/apikey']);
    await store.resources.put('providers', 'made', { config: provider });
    await store.resources.put('models', 'mine', { config: to('nobody') });
    expect(await build(FILE, generation)).toEqual(['provider_unknown /models/mine/targets/0/provider']);
    await store.resources.put('models', 'mine', { config: to('made') });
    await store.resources.delete('providers', 'made');
    expect(await build(FILE, generation), 'a route of a file needs it').toEqual(['provider_unknown /models/0/targets/0/provider']);
    const without = FILE.replace('provider: made', 'provider: file');
    expect(await good(without, generation)).toMatchObject({
      routes: ['of-the-file'],
      problems: ['provider_unknown /models/mine/targets/0/provider'],
    });
  });

  it('of a file that are wrong stop a start', async () => {
    expect(await build(FILE)).toEqual(['provider_unknown /models/0/targets/0/provider']);
  });
});
