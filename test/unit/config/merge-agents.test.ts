import { describe, expect, it } from 'vitest';
import { mergeConfig, type MergedConfig } from '../../../src/config/merge.ts';
import type { HubConfig, LoadedConfig } from '../../../src/config/types.ts';
import { agentDocument } from '../../../src/core/contracts/resource.ts';
import type { StoredResource } from '../../../src/core/contracts/store.ts';
import { errorsOf, load, PETSTORE } from './folder.ts';

const stored = (kind: string, name: string, config: object, secrets: Record<string, string> = {}): StoredResource => ({
  kind,
  name,
  config,
  secrets: new Map(Object.entries(secrets)),
  revision: '1',
  updatedAt: 0,
});
async function merge(files: string | Readonly<Record<string, string>>, ...resources: StoredResource[]): Promise<MergedConfig> {
  const loaded = await load(files);
  expect(errorsOf(loaded)).toEqual([]);
  return mergeConfig(loaded as LoadedConfig & { config: HubConfig }, resources, async () => undefined, new Map());
}
const CARD = { card: 'https://x.example' };

describe('agents of the store', () => {
  it('stand beside those of the files, with their secrets', async () => {
    const merged = await merge(
      'agents: { one: { card: demo:echo } }',
      stored('agents', 'two', { ...CARD, auth: { bearer: { set: true } } }, { '/auth/bearer': 'k' }),
    );
    expect(Object.keys(merged.config.agents ?? {})).toEqual(['one', 'two']);
    const auth = merged.config.agents?.['two']?.auth as { bearer: { reveal(): string } };
    expect(auth.bearer.reveal()).toBe('k');
    expect(['one', 'two'].map((name) => merged.origin('agents', name))).toEqual(['file', 'store']);
    expect([merged.locate('/agents/one/card')?.file, merged.locate('/agents/two/card')]).toEqual(['hubgate.yaml', undefined]);
    expect(merged.problems).toEqual([]);
  });

  it.each<[string, string, object]>([
    ['agents', 'one', CARD],
    ['services', 'one', { baseUrl: 'https://x.example' }],
    ['servers', 'one', { url: 'https://x.example' }],
    ['virtual-servers', 'one', { tools: [] }],
  ])('%s/%s gives way to the agent of that name in a file, and that is said', async (kind, name, config) => {
    const merged = await merge('agents: { one: { card: demo:echo } }', stored(kind, name, config));
    expect(merged.problems).toEqual([expect.objectContaining({ code: 'name_clash', severity: 'warning', pointer: `/${kind}/${name}` })]);
    expect(merged.config.agents).toEqual({ one: { card: 'demo:echo' } });
    expect([merged.origin('agents', 'one'), Object.keys(merged.config.services ?? {}), merged.virtualServers.size]).toEqual([
      'file',
      [],
      0,
    ]);
  });

  it('gives way to another entry of that name in a file', async () => {
    const merged = await merge('servers: { one: { source: x } }', stored('agents', 'one', CARD)).catch(() => undefined);
    const files = merged ?? (await merge({ 'hubgate.yaml': '', 'openapi-specs/one.yaml': PETSTORE }, stored('agents', 'one', CARD)));
    expect(files.config.agents).toEqual({});
    expect(files.problems.map(({ code }) => code)).toEqual(['name_clash']);
  });
});

describe('the document of an agent', () => {
  it('in a file is the agent’s, under a name of its own, and no service', async () => {
    const merged = await merge({ 'hubgate.yaml': 'agents: { shop: { rest: { spec: api/shop.yaml } } }', 'api/shop.yaml': PETSTORE });
    expect(merged.documents.get(agentDocument('shop'))).toMatchObject({ from: 'file', text: PETSTORE, display: 'api/shop.yaml' });
    expect([[...merged.documents.keys()], merged.config.services]).toEqual([['agents/shop'], {}]);
  });

  it('in openapi-specs/ is not served a second time, and may be a service’s as well', async () => {
    const files = { 'openapi-specs/shop.yaml': PETSTORE };
    const agent = 'agents: { shop: { rest: { spec: openapi-specs/shop.yaml } } }';
    expect([...(await merge({ ...files, 'hubgate.yaml': agent })).documents.keys()]).toEqual(['agents/shop']);
    const both = await merge({ ...files, 'hubgate.yaml': `${agent}\nservices: { pets: { spec: openapi-specs/shop.yaml } }` });
    expect([...both.documents.keys()].toSorted()).toEqual(['agents/shop', 'pets']);
    expect(Object.keys(both.config.services ?? {})).toEqual(['pets']);
  });

  it('at a URL is fetched, whether a file or the store names it', async () => {
    const url = 'https://x.example/openapi.json';
    const merged = await merge(`agents: { one: { rest: { spec: "${url}" } } }`, stored('agents', 'two', { rest: { spec: url } }));
    expect(['one', 'two'].map((name) => merged.documents.get(agentDocument(name)))).toEqual([
      { from: 'url', url },
      { from: 'url', url },
    ]);
  });

  it('that is not there says so in its place', async () => {
    const merged = await merge('agents: { shop: { rest: { spec: none.yaml } } }');
    expect(merged.documents.get('agents/shop')).toMatchObject({
      text: '',
      error: { code: 'document-missing', message: 'There is no file none.yaml.' },
    });
  });
});

it('a virtual server of the store may take tools from an agent', async () => {
  const from = (name: string) => stored('virtual-servers', 'desk', { tools: [{ from: name }] });
  expect((await merge('agents: { one: { card: demo:echo } }', from('one'))).problems).toEqual([]);
  expect((await merge('agents: { one: { card: demo:echo } }', from('two'))).problems.map(({ code }) => code)).toEqual(['unknown-source']);
});
