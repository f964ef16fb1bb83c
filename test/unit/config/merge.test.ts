import { describe, expect, it } from 'vitest';
import { mergeConfig, type MergedConfig } from '../../../src/config/merge.ts';
import { storedFaults } from '../../../src/config/stored-faults.ts';
import type { HubConfig, LoadedConfig } from '../../../src/config/types.ts';
import type { StoredResource } from '../../../src/core/contracts/store.ts';
import { Secret } from '../../../src/core/secret.ts';
import openai from '../../../src/lanes/models/providers/openai.ts';
import accessLog from '../../../src/policies/access-log.ts';
import { load } from './folder.ts';

const resource = (kind: string, name: string, config: object, secrets: Record<string, string> = {}): StoredResource => ({
  kind,
  name,
  config,
  secrets: new Map(Object.entries(secrets)),
  revision: '1',
  updatedAt: 0,
});

async function merge(file: string, ...stored: StoredResource[]): Promise<MergedConfig> {
  const loaded = await load(file);
  expect(loaded.problems).toEqual([]);
  return mergeConfig(loaded as LoadedConfig & { config: HubConfig }, stored, async () => undefined, new Map());
}

const to = (provider: string) => ({ targets: [{ provider }] });
const FILE = `
providers:
  main: { type: demo }
models:
  - { match: { model: 'a*' }, targets: [{ provider: main }] }
  - { name: named, targets: [{ provider: main }] }
`;

describe('providers and routes of the store', () => {
  it('stand beside those of the files, routes after them, as the types have them', async () => {
    const merged = await merge(
      FILE,
      resource('models', 'late', to('made')),
      resource('models', 'later', { ...to('main'), policies: [{ 'access-log': {} }] }),
      resource('providers', 'made', { type: 'openai', apiKey: { set: true }, timeouts: { total: '90s' } }, { '/apiKey': 'the-key' }),
    );
    expect(merged.problems).toEqual([]);
    expect(merged.config.models?.map(({ name }) => name)).toEqual([undefined, 'named', 'late', 'later']);
    expect(merged.config.models?.at(-1)?.policies).toEqual([{ name: 'access-log', options: {} }]);
    const { made } = merged.config.providers ?? {};
    expect(made).toEqual({ type: 'openai', apiKey: new Secret('the-key'), timeouts: { total: 90_000 } });
    expect(made?.apiKey?.reveal()).toBe('the-key');
    expect(['main', 'made'].map((name) => merged.origin('providers', name))).toEqual(['file', 'store']);
    expect(['named', 'late'].map((name) => merged.origin('models', name))).toEqual(['file', 'store']);
  });

  it('have no place in a file', async () => {
    const merged = await merge(FILE, resource('models', 'late', to('main')), resource('providers', 'made', { type: 'demo' }));
    expect(merged.locate('/models/late/targets/0')).toBeUndefined();
    expect(merged.locate('/providers/made/type')).toBeUndefined();
    expect(merged.locate('/models/1/targets')).toMatchObject({ file: 'hubgate.yaml', line: 6 });
  });

  it.each([
    ['providers', 'main', { type: 'openai', baseUrl: 'https://evil.example.com' }],
    ['models', 'named', to('other')],
    ['models', 'route-1', to('other')],
  ])('%s/%s is put aside by the file, and that is said', async (kind, name, config) => {
    const merged = await merge(FILE, resource(kind, name, config));
    expect(merged.problems).toEqual([
      expect.objectContaining({
        code: 'name_clash',
        severity: 'warning',
        pointer: `/${kind}/${name}`,
        message: expect.stringContaining(name) as string,
      }),
    ]);
    expect(merged.origin(kind, name)).toBe('file');
    expect(merged.config).toEqual((await merge(FILE)).config);
  });

  it('share no names with services', async () => {
    const merged = await merge(
      FILE,
      resource('services', 'main', { url: 'https://a.example.com' }),
      resource('providers', 'named', { type: 'demo' }),
    );
    expect(merged.problems).toEqual([]);
  });
});

describe('what entries of the store say about extensions', () => {
  const known = [openai, accessLog];
  const faults = async (...stored: StoredResource[]) =>
    storedFaults(await merge(FILE, ...stored), known).map(({ code, pointer }) => `${code} ${pointer}`);

  it('is told with its place, and what files say is left to them', async () => {
    expect(await faults(resource('providers', 'x', { type: 'opnai' }))).toEqual(['unknown-extension /providers/x/type']);
    expect(await faults(resource('providers', 'x', { type: 'openai' }))).toEqual(['missing-key /providers/x']);
    expect(await faults(resource('providers', 'x', { type: 'openai', apiKey: { set: true }, region: 'eu' }, { '/apiKey': 'k' }))).toEqual([
      'unknown-key /providers/x/region',
    ]);
    expect(await faults(resource('models', 'm', { ...to('main'), policies: [{ 'access-log': {} }, { 'acess-log': {} }] }))).toEqual([
      'unknown-extension /models/m/policies/1/acess-log',
    ]);
    expect(await faults(resource('models', 'm', { ...to('main'), policies: [{ 'access-log': { levl: 1 } }] }))).toEqual([
      'unknown-key /models/m/policies/0/access-log/levl',
    ]);
  });

  it.each(['/etc', './models/one', '../one'])('a model of embeddings is no path there: %s', async (model) => {
    const path = /^bad-value .*\/model$/;
    for (const policy of ['semantic-cache', 'tool-selection']) {
      const told = await faults(resource('models', 'm', { ...to('main'), policies: [{ 'access-log': {} }, { [policy]: { model } }] }));
      expect(told.filter((one) => path.test(one))).toEqual([`bad-value /models/m/policies/1/${policy}/model`]);
    }
    const server = { tools: [], search: { mode: 'on', model } };
    expect(await faults(resource('virtual-servers', 'desk', server))).toEqual(['bad-value /virtual-servers/desk/search/model']);
  });

  it('names of models are taken, and files may have paths', async () => {
    const named = ['auto', 'none', 'hub:small', 'gte-small'].map((model) =>
      resource('virtual-servers', model.replace(':', '-'), { tools: [], search: { mode: 'on', model } }),
    );
    expect(await faults(...named, resource('virtual-servers', 'plain', { tools: [], search: 'on' }))).toEqual([]);
    const ofFile = FILE.replace('name: named,', 'name: named, policies: [{ tool-selection: { model: ./one } }],');
    expect(storedFaults(await merge(ofFile), known)).toEqual([]);
  });

  it('is nothing when all is right', async () => {
    const provider = resource('providers', 'x', { type: 'openai', apiKey: { set: true } }, { '/apiKey': 'k' });
    expect(await faults(provider, resource('models', 'm', { ...to('x'), policies: [{ 'access-log': {} }] }))).toEqual([]);
  });
});
