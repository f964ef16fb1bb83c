import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GatewayError } from '../../../src/core/errors.ts';
import type { Host } from '../../../src/core/contracts/extension.ts';
import type { Store } from '../../../src/core/contracts/store.ts';
import { buildGeneration, type HubGeneration } from '../../../src/gateway/generation.ts';
import type { LaneGenerations, Lanes } from '../../../src/gateway/lanes/lanes.ts';
import openaiCompatible from '../../../src/lanes/models/providers/openai-compatible.ts';
import { ModelsLane } from '../../../src/lanes/models/lane.ts';
import { definePolicy } from '../../../src/policy.ts';
import { openStore } from '../../../src/storage/open-store.ts';
import weight from '../../../src/upstreams/balancers/weight.ts';
import { load } from '../config/folder.ts';
import { buildHost } from '../lanes/models/doors/start-lane.ts';

/** The models lane, and nothing of the others. */
function alone(models: ModelsLane, told: (shared: readonly { readonly name: string }[]) => void = () => undefined): Lanes {
  return {
    build: async (...parts: Parameters<ModelsLane['build']>) => {
      told(parts[2]);
      return { models: await models.build(...parts) };
    },
    problems: (built: LaneGenerations) => models.problems(built.models),
    release: async () => undefined,
  } as unknown as Lanes;
}

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
  const built = {} as LaneGenerations;
  const lanes = {
    build: async () => built,
    problems() {
      throw error;
    },
    release: async (generation: LaneGenerations) => void (generation === built && gone.push('sources')),
  } as unknown as Lanes;
  const parts = {
    store,
    stored: [],
    documents: new Map(),
    lanes,
    builtins: [holder],
    hostOf: () => ({}) as Host,
    listensOn: '127.0.0.1',
    folder: '/nowhere',
    addSecret: () => undefined,
  };
  const answer = buildGeneration(await load('policies: [{ holder: {} }]', { builtins: [holder] }), parts, undefined);
  if (error instanceof GatewayError) expect(await answer).toMatchObject({ refused: [{ code: 'build_failed', message: error.message }] });
  else await expect(answer).rejects.toBe(error);
  expect(gone).toEqual(['sources', 'policy']);
});

describe('providers and routes of the store', () => {
  const provider = { type: 'openai-compatible', baseUrl: 'https://vendor.example.com/v1' };
  const to = (name: string) => ({ targets: [{ provider: name }] });
  const FILE = `
providers: { file: { type: openai-compatible, baseUrl: "https://vendor.example.com" } }
models: [{ name: of-the-file, targets: [{ provider: made }] }]
`;

  async function build(file: string, before?: HubGeneration) {
    const models = new ModelsLane(buildHost(), () => expect.unreachable());
    const parts = {
      store,
      stored: await store.resources.all(),
      documents: new Map(),
      lanes: alone(models),
      builtins: [openaiCompatible, weight],
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
      routes: generation.models.apis.get('v1')!.routes.map(({ name }) => name),
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

  it('do not stop a start either where an API of a file needs them', async () => {
    await store.resources.put('providers', 'made', { config: { ...provider, type: 'gone' } });
    const file = FILE.replace('models: [{ name: of-the-file', 'apis: { partner: { models: [{ name: of-the-file').replace(
      '}] }]',
      '}] }] } }',
    );
    expect(await good(file)).toMatchObject({
      routes: [],
      problems: ['provider_options /providers/made', 'provider_failed /apis/partner/models/0/targets/0/provider'],
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

it('the limits of consumers and the policies of all lanes are made once, each at a place of its own, the limits first', async () => {
  const made: string[] = [];
  const policy = (name: string) =>
    definePolicy({
      name,
      stage: 'limit',
      options: { type: 'object' },
      create: (options, { place }) => {
        made.push(`${name} at "${place}" ${JSON.stringify(options)}`);
        return { onCall: () => undefined };
      },
    });
  const builtins = [openaiCompatible, weight, policy('rate-limit'), policy('budget')];
  const shared: (readonly string[])[] = [];
  const parts = {
    store,
    stored: [],
    documents: new Map(),
    lanes: alone(new ModelsLane(buildHost(), () => expect.unreachable()), (bound) => shared.push(bound.map(({ name }) => name))),
    builtins,
    hostOf: (_: string, place = '') => ({ place }) as Host,
    listensOn: '127.0.0.1',
    folder: '/nowhere',
    addSecret: () => undefined,
  };
  const key = 'a'.repeat(64);
  const file = `
providers: { main: { type: openai-compatible, baseUrl: "https://vendor.example.com" } }
models: [{ name: m, targets: [{ provider: main }], policies: [{ budget: {} }] }]
policies: [{ rate-limit: {} }]
consumers:
  - { name: alice, keys: [{ sha256: "${key}" }], limits: { requests: 600/min }, budget: { usd: 50/month } }
`;
  const built = await buildGeneration(await load(file, { builtins }), parts, undefined);
  if ('refused' in built) return expect.unreachable(JSON.stringify(built.refused));
  expect(made.map((one) => one.split(' {', 1)[0])).toEqual([
    'rate-limit at "consumers"',
    'budget at "consumers"',
    'rate-limit at ""',
    'budget at "models/m"',
  ]);
  expect(made[0]).toContain('{"consumers":{"alice":{"requests":{"amount":600,"per":"minute"}}}}');
  expect(shared).toEqual([['rate-limit', 'budget', 'rate-limit']]);
  const [route] = built.generation.models.apis.get('v1')!.routes;
  expect(route!.chain.onCall.map(({ name }) => name)).toEqual(['rate-limit', 'budget', 'rate-limit', 'budget']);
});
