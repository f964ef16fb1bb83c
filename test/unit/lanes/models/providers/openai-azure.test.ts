import { describe, expect, it } from 'vitest';
import { checkOptions } from '../../../../../src/config/extensions.ts';
import type { Host } from '../../../../../src/core/contracts/extension.ts';
import type { Provider, ProviderOptions } from '../../../../../src/core/contracts/provider.ts';
import { Secret } from '../../../../../src/core/secret.ts';
import azure from '../../../../../src/lanes/models/providers/azure.ts';

const KEY = new Secret('k');
const baseUrl = 'https://res.openai.azure.com';
const make = async (options: ProviderOptions): Promise<Provider> => {
  expect(checkOptions(azure, options)).toEqual([]);
  return azure.create(options, {} as Host);
};
const paths = ({ chat, embeddings }: Provider, model = 'my model/1') => {
  const asked = { model, stream: false, headers: {} };
  return [...chat.map(({ address }) => address(asked).path), embeddings?.address(asked).path];
};

describe('azure', () => {
  it('has the deployment in the path with apiVersion', async () => {
    const made = await make({ baseUrl, apiKey: KEY, apiVersion: '2024-10-21' });
    expect(made.origin).toBe(baseUrl);
    expect(paths(made)).toEqual([
      '/openai/deployments/my%20model%2F1/chat/completions?api-version=2024-10-21',
      '/openai/responses?api-version=2024-10-21',
      '/openai/deployments/my%20model%2F1/embeddings?api-version=2024-10-21',
    ]);
  });

  it.each([baseUrl, `${baseUrl}/`, `${baseUrl}/openai`, `${baseUrl}/openai/v1/`])(
    'has the v1 addresses without it, from %s',
    async (baseUrl) => {
      expect(paths(await make({ baseUrl, apiKey: KEY }))).toEqual([
        '/openai/v1/chat/completions',
        '/openai/v1/responses',
        '/openai/v1/embeddings',
      ]);
    },
  );

  it('works behind a path and inside the process', async () => {
    expect(paths(await make({ baseUrl: 'https://apim.test/team', apiKey: KEY }))[0]).toBe('/team/openai/v1/chat/completions');
    expect(await make({ baseUrl: 'demo:model', apiKey: KEY })).toMatchObject({ origin: 'demo:model' });
  });

  it('sends the key in its own header', async () => {
    expect((await make({ baseUrl, apiKey: KEY })).auth).toEqual({ type: 'header', name: 'api-key', value: KEY });
  });

  it('takes an application of Entra', async () => {
    const oauth2 = { clientId: 'c', clientSecret: KEY, tokenUrl: 'https://login.test/token' };
    const scopes = ['https://cognitiveservices.azure.com/.default'];
    expect((await make({ baseUrl, oauth2 })).auth).toEqual({ type: 'oauth2', client: { ...oauth2, scopes } });
    expect((await make({ baseUrl, oauth2: { ...oauth2, scopes: ['s'] } })).auth).toMatchObject({ client: { scopes: ['s'] } });
  });

  it.each([
    [{ apiKey: KEY }, /baseUrl/],
    [{ baseUrl, apiKey: KEY, apiVersion: 'v1' }, /./],
    [{ baseUrl, oauth2: { clientId: 'c', clientSecret: KEY } }, /tokenUrl/],
  ])('refuses options such as %j', (options, message) => {
    expect(
      checkOptions(azure, options)
        .map((fault) => fault.message)
        .join(' '),
    ).toMatch(message);
  });

  it('refuses to be without a key and an application', () => {
    expect(() => azure.create({ baseUrl }, {} as Host)).toThrow(
      expect.objectContaining({ code: 'bad_request', message: expect.stringMatching(/^apiKey is needed, or oauth2/) }),
    );
  });
});
