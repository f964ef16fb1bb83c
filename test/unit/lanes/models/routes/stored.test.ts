import { describe, expect, it } from 'vitest';
import type { MergedConfig, ModelRouteConfig, ProviderConfig } from '../../../../../src/config/types.ts';
import { ConditionError } from '../../../../../src/core/conditions.ts';
import { GatewayError } from '../../../../../src/core/errors.ts';
import type { ModelsBuildHost } from '../../../../../src/lanes/models/host.ts';
import { buildModels, type ModelsGeneration } from '../../../../../src/lanes/models/routes/build.ts';
import type { Route } from '../../../../../src/lanes/models/routes/route.ts';
import { buildHost, createProvider, LENT, merge } from '../doors/start-lane.ts';

const HOST = buildHost((text) => text.replaceAll('s3cret', '[secret]'));
const local: ProviderConfig = { type: 'openai-compatible', baseUrl: 'http://vendor.test/v1' };
const to = (provider: string) => ({ targets: [{ provider }] });

interface Parts {
  readonly providers: Record<string, ProviderConfig>;
  readonly models: readonly ModelRouteConfig[];
  /** Names of entries that the store has. */
  readonly stored: readonly string[];
  readonly lent?: Partial<ModelsBuildHost>;
  readonly before?: ModelsGeneration;
}

function build({ providers, models, stored, lent, before }: Parts): Promise<ModelsGeneration> {
  const origin: MergedConfig['origin'] = (_kind, name) => (stored.includes(name) ? 'store' : 'file');
  return buildModels({ ...merge(providers, models), origin, locate: () => undefined }, HOST, { ...LENT, ...lent }, [], before);
}
const routesOf = ({ apis }: ModelsGeneration): readonly Route[] => apis.get('v1')!.routes;
const said = ({ problems }: ModelsGeneration) => problems.map(({ code, pointer }) => `${code} ${pointer}`);

describe('an entry of the store that is wrong', () => {
  const fails = (error: Error) => ({
    createProvider: async (type: string, name: string, options: object) => {
      if (name === 'bad') throw error;
      return createProvider(type, name, options);
    },
  });

  it.each([new GatewayError('bad_request', 'No s3cret key.'), new Error('No s3cret key.')])(
    'is left out, and the rest serves: %s',
    async (error) => {
      const models = [
        { name: 'file', ...to('good') },
        { name: 'named', ...to('bad') },
        { name: 'made', ...to('good') },
      ];
      const built = await build({ providers: { bad: local, good: local }, models, stored: ['bad', 'named', 'made'], lent: fails(error) });
      expect(routesOf(built).map(({ name }) => name)).toEqual(['file', 'made']);
      expect(built.problems).toEqual([
        { code: 'provider_options', severity: 'error', message: 'No [secret] key.', pointer: '/providers/bad' },
        {
          code: 'provider_failed',
          severity: 'error',
          message: 'The provider "bad" could not be made.',
          pointer: '/models/named/targets/0/provider',
        },
      ]);
    },
  );

  it('as one of a file is, it is not when the fault is nobody’s to correct there', async () => {
    const parts = { providers: { bad: local }, models: [], stored: [] };
    await expect(build({ ...parts, lent: fails(new Error('a fault of ours')) })).rejects.toThrow('a fault of ours');
  });

  it('has its problem where its type is gone', async () => {
    const extensionVersion = (_kind: string, type: string): string => {
      if (type === 'mine') throw new GatewayError('bad_request', 'There is no provider named "mine".');
      return '1';
    };
    const built = await build({
      providers: { made: { type: 'mine' }, good: local },
      models: [to('good')],
      stored: ['made'],
      lent: { extensionVersion },
    });
    expect([said(built), routesOf(built).length]).toEqual([['provider_options /providers/made'], 1]);
  });

  it('is a route: its condition, its policies, its provider', async () => {
    const models = [
      { name: 'broken', when: 'no such thing', ...to('good') },
      { name: 'strict', policies: [{ name: 'gone', options: {} }], ...to('good') },
      { name: 'lost', ...to('nobody') },
      { name: 'fine', ...to('good') },
    ];
    const bind = async (uses: ModelRouteConfig['policies']) => {
      if (uses !== undefined) throw new GatewayError('bad_request', 'There is no policy named "gone".');
      return [];
    };
    const parts = { providers: { good: local }, models, lent: { bind } };
    const built = await build({ ...parts, stored: models.map(({ name }) => name) });
    expect(said(built)).toEqual([
      'route_failed /models/broken',
      'route_failed /models/strict',
      'provider_unknown /models/lost/targets/0/provider',
    ]);
    expect(routesOf(built).map(({ name }) => name)).toEqual(['fine']);
    await expect(build({ ...parts, stored: [] })).rejects.toThrow(ConditionError);
  });
});

describe('a provider of the store', () => {
  it('reaches public addresses only, also when the same entry stood in a file before', async () => {
    const parts = { providers: { moving: local }, models: [to('moving')] };
    const first = await build({ ...parts, stored: [] });
    const second = await build({ ...parts, stored: ['moving'], before: first });
    const third = await build({ ...parts, stored: ['moving'], before: second });
    expect([first, second].map(({ accounts }) => accounts.get('moving')?.all[0].request.trust)).toEqual(['operator', 'public']);
    expect(third.accounts.get('moving')).toBe(second.accounts.get('moving'));
  });

  it.each(['hub:admin', 'file:///etc', 'null'])('never calls %s', async (origin) => {
    const lent = { createProvider: async (...args: Parameters<typeof createProvider>) => ({ ...(await createProvider(...args)), origin }) };
    const built = await build({ providers: { sly: local }, models: [{ name: 'm', ...to('sly') }], stored: ['sly', 'm'], lent });
    expect([said(built)[0], routesOf(built)]).toEqual(['provider_options /providers/sly', []]);
  });
});
